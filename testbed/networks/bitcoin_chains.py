"""Keys of Bitcoin and of chains like it as wallets write them, and their addresses, by bip_utils."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from bip_utils import (
    BchP2PKHAddrEncoder,
    P2PKHAddrEncoder,
    P2SHAddrEncoder,
    P2TRAddrEncoder,
    P2WPKHAddrEncoder,
    Secp256k1PrivateKey,
    WifEncoder,
    WifPubKeyModes,
)

PURPOSES = {"default": 84, "taproot": 86, "legacy": 44, "nested": 49}


class UtxoChain(NamedTuple):
    """What bip_utils has to be told of a chain."""

    coin: int
    p2pkh: bytes
    wif: bytes
    p2sh: bytes = b""
    hrp: str = ""
    variants: tuple[str, ...] = ("default", "taproot", "legacy", "nested")


CHAINS: Mapping[str, UtxoChain] = {
    "bitcoin": UtxoChain(0, b"\x00", b"\x80", b"\x05", "bc"),
    "bitcoin-testnet": UtxoChain(1, b"\x6f", b"\xef", b"\xc4", "tb"),
    "bitcoin-regtest": UtxoChain(1, b"\x6f", b"\xef", b"\xc4", "bcrt"),
    "litecoin": UtxoChain(2, b"\x30", b"\xb0", b"\x32", "ltc", ("default", "legacy", "nested")),
    "litecoin-testnet": UtxoChain(1, b"\x6f", b"\xef", b"\x3a", "tltc", ("default", "legacy", "nested")),
    "dogecoin": UtxoChain(3, b"\x1e", b"\x9e", variants=("default",)),
    "dogecoin-testnet": UtxoChain(1, b"\x71", b"\xf1", variants=("default",)),
    "bitcoin-cash": UtxoChain(145, b"\x00", b"\x80", variants=("default",)),
    "dash": UtxoChain(5, b"\x4c", b"\xcc", variants=("default",)),
    "dash-testnet": UtxoChain(1, b"\x8c", b"\xef", variants=("default",)),
    "zcash": UtxoChain(133, b"\x1c\xb8", b"\x80", variants=("default",)),
}
_OF_TESTS = ("bitcoin", "bitcoin-testnet", "litecoin", "dogecoin", "bitcoin-cash", "dash", "zcash")
FAMILIES = tuple((network, variant) for network in _OF_TESTS for variant in CHAINS[network].variants)


def purpose(network: str, variant: str | None) -> int:
    """The first number of a variant's path."""
    return PURPOSES[variant or "default"] if CHAINS[network].hrp else 44


def address(network: str, variant: str | None, key: bytes) -> str:
    """The address of a private key."""
    chain, public = CHAINS[network], Secp256k1PrivateKey.FromBytes(key).PublicKey()
    if network == "bitcoin-cash":
        return str(BchP2PKHAddrEncoder.EncodeKey(public, hrp="bitcoincash", net_ver=b"\x00"))
    kind = purpose(network, variant)
    if kind == 86:
        return str(P2TRAddrEncoder.EncodeKey(public, hrp=chain.hrp))
    if kind == 44:
        return str(P2PKHAddrEncoder.EncodeKey(public, net_ver=chain.p2pkh))
    if kind == 49:
        return str(P2SHAddrEncoder.EncodeKey(public, net_ver=chain.p2sh))
    return str(P2WPKHAddrEncoder.EncodeKey(public, hrp=chain.hrp))


def wif(network: str, *, compressed: bool = True) -> Callable[[bytes], str]:
    """How a key is written in Wallet Import Format."""
    mode = WifPubKeyModes.COMPRESSED if compressed else WifPubKeyModes.UNCOMPRESSED
    return lambda key: str(WifEncoder.Encode(key, CHAINS[network].wif, mode))
