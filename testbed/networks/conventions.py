"""Where other wallets keep the keys of a phrase, told by an independent library."""

from __future__ import annotations

from functools import cache

from bip_utils import Bip32Slip10Ed25519, Bip32Slip10Secp256k1, Bip39SeedGenerator
from eth_keys.datatypes import PrivateKey as EthPrivateKey
from solders.keypair import Keypair

from strongroom.networks.variants import RAW_SEED
from testbed.networks import cardano
from testbed.networks.key_forms import address_of
from testbed.networks.key_forms_by_coin import COINS, SCHEMES
from testbed.networks.substrate import address_of_phrase

MNEMONIC = "enlist essence novel wonder give inquiry saddle frog immune real tent couch"
KNOWN = {  # as people met them; the oracle below agrees
    ("solana", RAW_SEED, None): "EkS3y9zSYwTGR8mT8SaeJf36UBuotjJMSY5bq8wd7NZs",
    ("solana", "slip10", "m/44'/501'/0'"): "JD26SK2JpuEosfQdRTJte4A6W79x3CDF6CGqk3EJ2vmu",
    ("ethereum", "bip44", "m/44'/60'/0'/0"): "0x00A570aaA51D3d50582317491006aD2224B86Ce4",
}
_VARIANTS = {"bip84": "default", "bip86": "taproot", "bip44": "legacy", "bip49": "nested", "v5r1": "default"}


@cache
def _seed() -> bytes:
    return bytes(Bip39SeedGenerator(MNEMONIC).Generate())


@cache
def oracle(network: str, scheme: str, path: str | None) -> str:
    """The address at a place, by other libraries."""
    if path is not None and (network, scheme) in SCHEMES:
        coin = COINS[SCHEMES[network, scheme]]
        return coin.address(coin.key(_seed(), path))
    if network == "cardano":
        return cardano.address_of_phrase(MNEMONIC, scheme, path or "")
    if network in ("polkadot", "kusama"):
        return address_of_phrase(network, MNEMONIC, path or "m")
    if path is None and (network, None) in COINS:
        return COINS[network, None].address(_seed()[:32])
    if path is None:
        return str(Keypair.from_seed(_seed()[:32]).pubkey())
    ed25519 = scheme == "slip10" or network == "ton"
    curve = Bip32Slip10Ed25519 if ed25519 else Bip32Slip10Secp256k1
    key = bytes(curve.FromSeedAndPath(_seed(), path).PrivateKey().Raw().ToBytes())
    if network == "solana":
        return str(Keypair.from_seed(key).pubkey())
    if network == "ethereum":
        return str(EthPrivateKey(key).public_key.to_checksum_address())
    return address_of((network, _VARIANTS.get(scheme, scheme)), key)
