"""The Cosmos SDK: secp256k1 keys at BIP-44; the address is a hash of the public key in bech32."""

from __future__ import annotations

from functools import cache

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidAddressError
from strongroom.networks import variants
from strongroom.networks.codecs import bech32
from strongroom.networks.cosmos import conventions
from strongroom.networks.cosmos.chain import ETHSECP256K1, CosmosChain
from strongroom.networks.curves import secp256k1, watch_only
from strongroom.networks.hd_network import HdNetwork
from strongroom.networks.keccak import keccak_256
from strongroom.networks.variants import Variant, Variants
from strongroom.networks.wally import hash160
from strongroom.records.conventions import Conventions
from strongroom.records.key_material import PublicHalf
from strongroom.records.watch_only import WatchedBranch
from strongroom.secret import Secret

_ACCOUNT_BYTES, _CONTRACT_BYTES = 20, 32


class Cosmos(HdNetwork, CosmosChain):
    """A chain of the Cosmos SDK. Keys: secp256k1 at BIP-44; addresses: bech32 with the chain's prefix."""

    __slots__ = ()

    @property
    def _made(self) -> Variants:
        return _made(self.coin_type)

    @property
    def conventions(self) -> Conventions:
        """Where wallets of the chain keep the keys of a phrase."""
        return conventions.cosmos(self.coin_type)

    def public_half(self, private_key: Secret, scheme: str) -> PublicHalf:
        """Derive compressed point and address. Raises InvalidPrivateKeyError, UnknownVariantError.

        Cosmos SDK, ADR 028; for keys of the type ``ethsecp256k1`` Ethermint's: the 20 bytes of the EVM.
        """
        point = self._public_key(private_key, scheme)
        return PublicHalf(point.hex(), self._address(point))

    def watched(self, phrase: Phrase, scheme: str, template: str) -> WatchedBranch:
        """The xpub of a template's branch. Raises InvalidPathError, UnknownVariantError. BIP-32."""
        variants.of_scheme(self._made, scheme)
        return watch_only.mainnet_branch(phrase.seed(), template)

    def watched_address(self, branch: WatchedBranch, scheme: str, path: str) -> str:
        """The address at a path of a branch, from its xpub. Raises UnknownVariantError."""
        variants.of_scheme(self._made, scheme)
        return self._address(watch_only.point_below(branch.xpub, branch.path, path))

    def parse_address(self, text: str) -> str:
        """Read an account (20 bytes), a contract (32 bytes), or a validator's operator; lower case comes back.

        Operators are read as what a wallet sends to; no key derives one. Raises InvalidAddressError, also for
        consensus addresses and public keys in bech32. BIP-173.
        """
        account = bech32.decode(self.hrp, text)
        if account is not None and len(account) in (_ACCOUNT_BYTES, _CONTRACT_BYTES):
            return text.lower()
        operator = bech32.decode(self.operator_prefix, text)
        if operator is not None and len(operator) == _ACCOUNT_BYTES:
            return text.lower()
        raise InvalidAddressError(self._refusal(text))

    def _refusal(self, text: str) -> str:
        start = text[: bech32.MAX_CHARACTERS].lower()
        if start.startswith((f"{self.hrp}valcons1", f"{self.hrp}c1")):
            return "The text is the consensus address of a validator, which no account has."
        if start.startswith((f"{self.hrp}pub1", f"{self.operator_prefix}pub1", f"{self.hrp}valconspub1")):
            return "The text is a public key in bech32, and no address."
        return f"The text is not an address of {self.name} ({self.hrp}1...), or its checksum is wrong."

    def _address(self, point: bytes) -> str:
        if self.key_type == ETHSECP256K1:
            return bech32.encode(self.hrp, keccak_256(secp256k1.decompress(point)[1:])[-_ACCOUNT_BYTES:])
        return bech32.encode(self.hrp, hash160(point))


@cache
def _made(coin_type: int) -> Variants:
    return (Variant(variants.DEFAULT, "bip44", f"m/44'/{coin_type}'/0'/0/{{index}}"),)


FAMILY = Cosmos
