"""The XRP Ledger: secp256k1 keys of BIP-44, and keys from elsewhere: Ed25519, and the family seeds of both curves."""

from __future__ import annotations

import re

from strongroom.errors import InvalidAddressError, InvalidPrivateKeyError
from strongroom.networks import variants
from strongroom.networks.codecs import key_text
from strongroom.networks.curves import curve, secp256k1
from strongroom.networks.curves.curve import ED25519, SECP256K1
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.variants import Variant, Variants
from strongroom.networks.wally import hash160
from strongroom.networks.xrp import addresses, conventions, seeds
from strongroom.networks.xrp.chain import XrpChain
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import PublicHalf
from strongroom.secret import Secret

_KEY_BYTES = 32
_SEED_SCHEMES = {SECP256K1: "family-seed", ED25519: "family-seed-ed25519"}
_VARIANTS = (Variant(variants.DEFAULT, "bip44", "m/44'/144'/0'/0/{index}"),)
_IMPORTED = (
    Variant("ed25519", "ed25519", None, ED25519),
    Variant("family-seed", _SEED_SCHEMES[SECP256K1], None),
    Variant("family-seed-ed25519", _SEED_SCHEMES[ED25519], None, ED25519),
)
_MARK = b"\xed"
"""What precedes an Ed25519 public key on the ledger, in the place of the 02 or 03 of a point."""
_MARKED = re.compile("[eE][dD][0-9a-fA-F]{64}")


class Xrp(HdNetwork, XrpChain):
    """A network of the XRP Ledger. Addresses are classic ones, base58 of the hash of a public key."""

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _VARIANTS

    @property
    def _imported(self) -> Variants:
        return _IMPORTED

    @property
    def key_forms(self) -> tuple[str, ...]:
        """Hexadecimal digits, and family seeds, which leave as they came."""
        return ("64 hexadecimal digits", "family seed (s...)", "family seed of Ed25519 (sEd...)", "00 and 64 digits")

    @property
    def conventions(self) -> Conventions:
        """Where wallets of the XRP Ledger keep the keys of a phrase."""
        return conventions.XRP

    def parse_private_key(self, text: Secret) -> Secret:
        """Read 64 hexadecimal digits into 32 bytes, or a family seed into its 16. Raises InvalidPrivateKeyError.

        Libraries write a key of secp256k1 with 00 before it, and one of Ed25519 with ED, as they do the public key: one
        that is marked so is refused, since taken for a key a public one would make a wallet that everybody can open.
        """
        seed = seeds.decode(text)
        key = key_text.from_hex(text, _KEY_BYTES) or _unmarked(text)
        if seed is not None:
            return seed[0]
        if key is not None:
            return key
        if _is_marked(text):
            raise InvalidPrivateKeyError(
                "Behind ED, a public key of Ed25519 looks as a private one does.",
                hint="If it is the private key, give the 64 digits behind ED, and the variant ed25519.",
            )
        raise InvalidPrivateKeyError(
            "The private key is neither 64 hexadecimal digits nor a family seed (s..., sEd...).",
            hint="Pass what the wallet exports as secret or as private key.",
        )

    def scheme_of_key(self, text: Secret, scheme: str | None) -> str:
        """``family-seed`` for ``s...``, ``family-seed-ed25519`` for ``sEd...``, else ``scheme`` or ``bip44``.

        Raises InvalidPrivateKeyError where the text says another one than ``scheme``.
        """
        seed = seeds.decode(text)
        said = None if seed is None else _SEED_SCHEMES[seed[1]]
        if said is None and _unmarked(text) is not None and scheme not in (None, "bip44"):
            raise InvalidPrivateKeyError(f"The 00 before the digits says secp256k1, which {scheme} is not for.")
        if said is None and scheme in _SEED_SCHEMES.values():
            raise InvalidPrivateKeyError(f"The private key is no family seed, which {scheme} is for.")
        if said is not None and scheme not in (None, said):
            raise InvalidPrivateKeyError(
                f"The text is a family seed of the scheme {said}, which {scheme} is not for.",
                hint="Leave the variant out. rippled writes seeds of both curves as s...: where it is one of Ed25519, "
                "say its address.",
            )
        return said or scheme or _VARIANTS[0].scheme

    def format_private_key(self, private_key: Secret, scheme: str | None = None) -> Secret:
        """Write 64 hexadecimal digits, or the family seed that came in. Raises InvalidPrivateKeyError."""
        if scheme is not None and scheme in _SEED_SCHEMES.values():
            written = seeds.encode(private_key, self.curve(scheme))
            if written is None:
                raise InvalidPrivateKeyError("The family seed is not 16 bytes.")
            return written
        if len(private_key.reveal()) != _KEY_BYTES:
            raise InvalidPrivateKeyError("The private key is not 32 bytes.")
        key = private_key if scheme == "ed25519" else secp256k1.checked(private_key)
        return Secret.from_text(key.reveal().hex())

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive public key and classic address. Raises InvalidPrivateKeyError, UnknownVariantError.

        The public key of Ed25519 is written without the ED that precedes it on the ledger.
        """
        on = self.curve(scheme)
        public = curve.public_key(on, self._signing_key(private_key, scheme))
        marked = _MARK + public if on == ED25519 else public
        return PublicHalf(public.hex(), addresses.classic(hash160(marked)))

    def parse_address(self, text: str) -> str:
        """Read a classic address, or an X-address of this network without a tag, and return the classic one.

        A tag belongs to a payment and not to a wallet. Raises InvalidAddressError. XLS-5d.
        """
        if addresses.account_of(text) is not None:
            return text
        found = addresses.extended(text)
        if found is None:
            raise InvalidAddressError("The text is no classic address and no X-address, or its checksum is wrong.")
        if found.testnet is not self.testnet:
            raise InvalidAddressError(
                f"The X-address is one of {'a test network' if found.testnet else 'the main network'}.",
                hint="Its classic address (r...) is the same on all networks.",
            )
        if found.tag is not None:
            raise InvalidAddressError(
                "The X-address has a destination tag, which a wallet's address has not.",
                hint="Give the classic address (r...); the tag belongs to the payment.",
            )
        return addresses.classic(found.account)

    def _signing_key(self, private_key: Secret, scheme: str) -> Secret:
        """What signs: the private key, or the first one of its family seed. Raises InvalidPrivateKeyError."""
        if scheme not in _SEED_SCHEMES.values():
            return private_key
        key = seeds.private_key(private_key, self.curve(scheme))
        if key is None:
            raise InvalidPrivateKeyError("The family seed is not 16 bytes.")
        return key


def _unmarked(text: Secret) -> Secret | None:
    """The key that libraries write with a zero byte before it."""
    key = key_text.from_hex(text, 1 + _KEY_BYTES)
    return None if key is None or key.reveal()[0] else Secret(key.reveal()[1:])


def _is_marked(text: Secret) -> bool:
    return _MARKED.fullmatch(key_text.strip(text) or "") is not None


FAMILY = Xrp
