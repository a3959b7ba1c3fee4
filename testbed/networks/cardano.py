"""Keys and addresses of Cardano, by bip_utils."""

from __future__ import annotations

import hashlib
from typing import Any

from bip_utils import (
    AdaShelleyAddrEncoder,
    AdaShelleyAddrNetworkTags,
    Bech32Encoder,
    Blake2b224,
    CardanoIcarusBip32,
    CardanoIcarusSeedGenerator,
)


def root(words: str, *, trezor: bool = False) -> Any:
    """The root of a phrase's tree. Trezor takes the checksum of 24 words for a part of the entropy (CIP-3)."""
    entropy = bytes(CardanoIcarusSeedGenerator(words).Generate())
    if trezor and len(entropy) == 32:
        entropy += hashlib.sha256(entropy).digest()[:1]
    return CardanoIcarusBip32.FromSeed(entropy)


def extended(node: Any) -> bytes:
    """The 96 bytes of a node."""
    return bytes(node.PrivateKey().Raw().ToBytes()) + bytes(node.ChainCode().ToBytes())


def address_of_phrase(words: str, scheme: str, path: str, *, testnet: bool = False) -> str:
    """The address at the path of a payment key."""
    tree = root(words, trezor=scheme == "icarus-trezor")
    payment = tree.DerivePath(path).PublicKey()
    if scheme == "enterprise":
        digest = Blake2b224.QuickDigest(payment.RawCompressed().ToBytes()[1:])
        return str(Bech32Encoder.Encode("addr_test" if testnet else "addr", (b"\x60" if testnet else b"\x61") + digest))
    stake = tree.DerivePath(path.rsplit("/", 2)[0] + "/2/0").PublicKey()
    tag = AdaShelleyAddrNetworkTags.TESTNET if testnet else AdaShelleyAddrNetworkTags.MAINNET
    return str(AdaShelleyAddrEncoder.EncodeKey(payment.KeyObject(), pub_skey=stake.KeyObject(), net_tag=tag))
