"""Tron: secp256k1 keys at BIP-44; the address is 0x41 and the 20 bytes of the EVM, in Base58Check."""

from __future__ import annotations

import re

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidAddressError
from strongroom.networks import variants
from strongroom.networks.codecs import base58
from strongroom.networks.curves import secp256k1, watch_only
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.keccak import keccak_256
from strongroom.networks.tron import conventions
from strongroom.networks.tron.chain import TronChain
from strongroom.networks.variants import Variant, Variants
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import PublicHalf
from strongroom.records.watch_only import WatchedBranch
from strongroom.secret import Secret

_VARIANTS = (Variant(variants.DEFAULT, "bip44", "m/44'/195'/0'/0/{index}"),)
_VERSION = b"\x41"
_ADDRESS_BYTES = 20
_HEX = re.compile("41[0-9a-fA-F]{40}")
_BASE58 = re.compile("T[1-9A-HJ-NP-Za-km-z]{33}")


class Tron(HdNetwork, TronChain):
    """A chain of Tron. Keys: secp256k1 at BIP-44 coin type 195; addresses: Base58Check with version 0x41."""

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _VARIANTS

    @property
    def conventions(self) -> Conventions:
        """Where wallets of Tron keep the keys of a phrase."""
        return conventions.TRON

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive compressed point and address. Raises InvalidPrivateKeyError, UnknownVariantError."""
        point = self._public_key(private_key, scheme)
        return PublicHalf(point.hex(), _address(point))

    def watched(self, phrase: Phrase, scheme: str, template: str) -> WatchedBranch:
        """The xpub of a template's branch. Raises InvalidPathError, UnknownVariantError. BIP-32."""
        variants.of_scheme(_VARIANTS, scheme)
        return watch_only.mainnet_branch(phrase.seed(), template)

    def watched_address(self, branch: WatchedBranch, scheme: str, path: str) -> str:
        """The address at a path of a branch, from its xpub. Raises UnknownVariantError."""
        variants.of_scheme(_VARIANTS, scheme)
        return _address(watch_only.point_below(branch.xpub, branch.path, path))

    def parse_address(self, text: str) -> str:
        """Read Base58Check, or 41 and 40 hexadecimal digits, which nodes write; Base58Check comes back.

        Raises InvalidAddressError.
        """
        if _HEX.fullmatch(text):
            return base58.encode_check(bytes.fromhex(text))
        data = base58.decode_check(text) if _BASE58.fullmatch(text) else None
        if data is None or len(data) != len(_VERSION) + _ADDRESS_BYTES or data[:1] != _VERSION:
            raise InvalidAddressError(
                "The text is not an address of Tron (T... in base58, or 41 and 40 hexadecimal digits), or its checksum "
                "is wrong."
            )
        return text


def _address(point: bytes) -> str:
    return base58.encode_check(_VERSION + keccak_256(secp256k1.decompress(point)[1:])[-_ADDRESS_BYTES:])


FAMILY = Tron
