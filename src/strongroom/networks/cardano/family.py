"""Cardano: Icarus keys of CIP-1852; base addresses by default, enterprise addresses and Trezor's root as variants."""

from __future__ import annotations

import hashlib

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidAddressError, InvalidPathError, InvalidPrivateKeyError
from strongroom.networks import variants
from strongroom.networks.cardano import addresses, conventions, key_texts, schemes
from strongroom.networks.cardano.chain import CardanoChain
from strongroom.networks.cardano.schemes import CIP1852, ENTERPRISE, EXTENDED_CURVE, TREZOR
from strongroom.networks.curves import bip32_ed25519, curve
from strongroom.networks.curves.paths import HARDENED, Path
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.variants import Variant, Variants
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import PublicHalf
from strongroom.secret import Secret

_MADE = (
    Variant(variants.DEFAULT, CIP1852, schemes.PATH, EXTENDED_CURVE),
    Variant("enterprise", ENTERPRISE, schemes.PATH, EXTENDED_CURVE),
    Variant("icarus-trezor", TREZOR, schemes.PATH, EXTENDED_CURVE),
)
_IMPORTED = (
    Variant("root", schemes.ROOT, None, EXTENDED_CURVE),
    Variant("account", schemes.ACCOUNT, None, EXTENDED_CURVE),
    Variant("ed25519e", schemes.EXTENDED, None, EXTENDED_CURVE),
    Variant("ed25519", schemes.PLAIN, None, curve.ED25519),
)
_STAKE = (2, 0)
_LONGEST_ENTROPY_BYTES = 32
_TREZOR_TREE = "cardano trezor"


class Cardano(HdNetwork, CardanoChain):
    """A network of Cardano.

    A private key is as long as its scheme says: payment and stake key, 96 bytes each, where an address is made of both.
    """

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _MADE

    @property
    def _imported(self) -> Variants:
        return _IMPORTED

    @property
    def key_forms(self) -> tuple[str, ...]:
        """Bech32 of CIP-5, hexadecimal digits, files of cardano-cli."""
        return (
            "addr_xsk1... and stake_xsk1..., separated by a space",
            "addr_xsk1..., root_xsk1..., acct_xsk1..., xprv1... (96 bytes)",
            "ed25519e_sk1... (64 bytes), ed25519_sk1... (32 bytes)",
            "64, 128, 192 or 384 hexadecimal digits",
            ".skey of cardano-cli (PaymentExtendedSigningKeyShelley_ed25519_bip32, PaymentSigningKeyShelley_ed25519)",
        )

    @property
    def conventions(self) -> Conventions:
        """Where wallets of Cardano keep the keys of a phrase."""
        return conventions.CARDANO

    def schemes_of(self, address: str) -> tuple[str, ...]:
        """Those with a stake key for a base address, those without one for an enterprise address."""
        two = addresses.hashes_in(address, testnet=self.testnet) == 2
        return schemes.OF_BASE if two else schemes.OF_ENTERPRISE

    def _key_at(self, phrase: Phrase, scheme: str, steps: Path) -> Secret:
        """The payment key at a path; behind it the stake key of its account, unless the scheme has none. CIP-1852."""
        if len(steps) < 2 or steps[-1] >= HARDENED or steps[-2] >= HARDENED:
            raise InvalidPathError(
                "The path of a payment key ends with two elements that are not hardened.",
                hint="Such as m/1852'/1815'/0'/0/0; the stake key is at 2/0 in their place.",
            )
        tree = _TREZOR_TREE if scheme == TREZOR else "cardano"
        above = phrase.branches.get(f"{tree} parents", steps[:-1])
        if above is None:
            made = bip32_ed25519.parent(bip32_ed25519.derive(_account(phrase, tree, steps[:-2]), steps[-2:-1]))
            above = phrase.branches.keep(f"{tree} parents", steps[:-1], made)
        payment = bip32_ed25519.plain_child(above, steps[-1])
        if scheme == ENTERPRISE:
            return payment
        stake = phrase.branches.get(f"{tree} stake", steps[:-2])
        if stake is None:
            made = bip32_ed25519.derive(_account(phrase, tree, steps[:-2]), _STAKE)
            stake = phrase.branches.keep(f"{tree} stake", steps[:-2], made)
        return Secret(payment.reveal() + stake.reveal())

    def parse_private_key(self, text: Secret) -> Secret:
        """Read any form of ``key_forms``: 192, 96, 64 or 32 bytes. Raises InvalidPrivateKeyError. CIP-5."""
        read = key_texts.read(text)
        if read is None or not _is_key(read.key):
            raise InvalidPrivateKeyError(
                "The private key is in no form of this network, or its scalar is none of BIP32-Ed25519.",
                hint="Pass addr_xsk, root_xsk, acct_xsk, xprv or ed25519e_sk in bech32, hexadecimal, or an .skey.",
            )
        return read.key

    def scheme_of_key(self, text: Secret, scheme: str | None) -> str:
        """The scheme that a form says, else the one asked for; ``root`` for 96 bytes of which nothing is said.

        Raises InvalidPrivateKeyError where the form is not for ``scheme``.
        """
        read = key_texts.read(text)
        if read is None:
            return scheme or CIP1852
        length = len(read.key.reveal())
        fits = (read.scheme,) if read.scheme is not None else tuple(_of_length(length))
        if length == schemes.BYTES[CIP1852]:
            fits = (CIP1852, TREZOR)
        if scheme is None:
            return schemes.ROOT if read.scheme is None else read.scheme
        if scheme not in fits:
            raise InvalidPrivateKeyError(
                f"A key of this form is one of: {', '.join(fits)}.", hint="Leave the variant out, or name one of these."
            )
        return scheme

    def format_private_key(self, private_key: Secret, scheme: str | None = None) -> Secret:
        """Write bech32 with the prefix of the scheme, twice where it has two keys. Raises InvalidPrivateKeyError."""
        text = key_texts.write(private_key, scheme) if _is_key(private_key) else None
        if text is None:
            raise InvalidPrivateKeyError(_NO_KEY)
        return text

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive the public keys, and the address that is made of them.

        Raises InvalidPrivateKeyError, UnknownVariantError. CIP-19.
        """
        variants.of_scheme(self._every, scheme)
        public = schemes.public_keys(private_key, scheme)
        if public is None:
            raise InvalidPrivateKeyError(_NO_KEY)
        return PublicHalf.of(public, addresses.encode(public, testnet=self.testnet))

    def parse_address(self, text: str) -> str:
        """Read base and enterprise addresses, of keys and of scripts; they come back in lower case.

        Raises InvalidAddressError, also for stake, pointer and Byron addresses. CIP-19.
        """
        if addresses.hashes_in(text, testnet=self.testnet) is None:
            raise InvalidAddressError(
                f"The text is no base or enterprise address of {self.name}, or its checksum is wrong.",
                hint="Stake addresses (stake1...) hold no funds; those of Byron (Ae2..., DdzFF...) are not read.",
            )
        return text.lower()


_NO_KEY = "The private key is none of its scheme: it has another length, or a scalar that is none of BIP32-Ed25519."


def _account(phrase: Phrase, tree: str, steps: Path) -> Secret:
    """The key of an account, whose root takes 4,096 rounds."""
    known = phrase.branches.get(tree, steps)
    if known is not None:
        return known
    root = _root(phrase, trezor=tree == _TREZOR_TREE)
    return phrase.branches.keep(tree, steps, bip32_ed25519.derive(root, steps))


def _root(phrase: Phrase, *, trezor: bool) -> Secret:
    entropy, passphrase = phrase.entropy(), phrase.passphrase_as_typed()
    if trezor and len(entropy.reveal()) == _LONGEST_ENTROPY_BYTES:  # the checksum of 24 words is a byte of its own
        entropy = Secret(entropy.reveal() + hashlib.sha256(entropy.reveal()).digest()[:1])
    return bip32_ed25519.icarus(entropy, passphrase)


def _of_length(length: int) -> list[str]:
    return [scheme for scheme, each in schemes.BYTES.items() if each == length]


def _is_key(key: Secret) -> bool:
    """Whether bytes are a private key in some scheme."""
    return any(schemes.public_keys(key, scheme) is not None for scheme in _of_length(len(key.reveal())))


FAMILY = Cardano
