"""TON: Ed25519 keys of SLIP-10 behind wallet contracts; versions 5R1 (default), 4R2 and 3R2."""

from __future__ import annotations

from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.networks import variants
from strongroom.networks.codecs import key_text
from strongroom.networks.curves import curve, ed25519
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.ton import addresses, conventions, words
from strongroom.networks.ton.addresses import Account
from strongroom.networks.ton.chain import TonChain
from strongroom.networks.ton.contracts import V3R2, V4R2, V5R1, account_id
from strongroom.networks.variants import Variant, Variants
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import PublicHalf
from strongroom.secret import Secret

_PATH = "m/44'/607'/{index}'"
_VARIANTS = (
    Variant(variants.DEFAULT, V5R1, _PATH, curve.ED25519),
    Variant("v4r2", V4R2, _PATH, curve.ED25519),
    Variant("v3r2", V3R2, _PATH, curve.ED25519),
)
_KEYPAIR_BYTES = 64
_BASECHAIN = 0


class Ton(HdNetwork, TonChain):
    """A network of TON. A scheme is the version of the contract that holds the key.

    A private key is a seed of 32 bytes; one that came as TON's 24 words is 65 bytes, the words and their seed.
    """

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _VARIANTS

    @property
    def key_forms(self) -> tuple[str, ...]:
        """Seeds and keypairs, and TON's own words, which come out as words again."""
        return (
            "64 hexadecimal digits",
            "24 words of TON, without a password (not BIP-39)",
            "keypair of 64 bytes in 128 hexadecimal digits",
            "keypair of 64 bytes in base64",
        )

    @property
    def conventions(self) -> Conventions:
        """Where wallets of TON keep the keys of a phrase."""
        return conventions.TON

    def parse_private_key(self, text: Secret) -> Secret:
        """Read a 32-byte seed in hex, a 64-byte keypair in hex or base64, or TON's 24 words.

        Raises InvalidPrivateKeyError, also where the halves of a keypair do not belong together. RFC 8032; ton-crypto.
        """
        key = key_text.from_hex(text, ed25519.SEED_BYTES) or words.parse(text)
        if key is not None:
            return key
        keypair = key_text.from_hex(text, _KEYPAIR_BYTES) or key_text.from_base64(text, _KEYPAIR_BYTES)
        if keypair is None:
            raise InvalidPrivateKeyError(
                "The private key is neither 64 or 128 hexadecimal digits, a keypair in base64, nor 24 words of TON.",
                hint="TON's words are no BIP-39 phrase, and are read here where they need no password; a BIP-39 phrase "
                "is a mnemonic.",
            )
        seed = ed25519.seed_of_keypair(keypair)
        if seed is None:
            raise InvalidPrivateKeyError("The halves of the keypair do not belong together.")
        return seed

    def format_private_key(self, private_key: Secret, _: str | None = None) -> Secret:
        """Write the seed in 64 hexadecimal digits, and what came as words as words. Raises InvalidPrivateKeyError."""
        if len(private_key.reveal()) == ed25519.SEED_BYTES:
            return Secret.from_text(private_key.reveal().hex())
        text = words.render(private_key) if len(private_key.reveal()) == words.KEY_BYTES else None
        if text is None:
            raise InvalidPrivateKeyError(_NO_KEY)
        return text

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and address. Raises InvalidPrivateKeyError, UnknownVariantError. RFC 8032; TEP-2."""
        variants.of_scheme(_VARIANTS, scheme)
        public = ed25519.public_key(seed_of(private_key).reveal())
        if public is None:
            raise InvalidPrivateKeyError(_NO_KEY)
        account = Account(_BASECHAIN, account_id(scheme, public, self.global_id))
        return PublicHalf(public.hex(), addresses.encode(account, testnet=self.testnet))

    def parse_address(self, text: str) -> str:
        """Read ``UQ``, ``EQ``, ``Uf``, ``Ef`` (``0Q``, ``kQ``, ... on the testnet) in both alphabets; ``0:`` and hex.

        Returns the form for wallets, which is not bounceable. Raises InvalidAddressError. TEP-2.
        """
        account = addresses.decode(text, testnet=self.testnet)
        if account is None:
            raise InvalidAddressError(f"The text is not an address of {self.name}, or its checksum is wrong.")
        return addresses.encode(account, testnet=self.testnet)


_NO_KEY = "The private key is neither a seed of 32 bytes nor 24 words with theirs."


def seed_of(private_key: Secret) -> Secret:
    """The seed of Ed25519 in a private key: all of it, or what follows its words."""
    if len(private_key.reveal()) != words.KEY_BYTES:
        return private_key
    return Secret(private_key.reveal()[-words.SEED_BYTES :])


FAMILY = Ton
