"""Trust Wallet's wallet-core, asked about random phrases and keys on every network that both have."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strongroom.networks import TABLE
from strongroom.networks.curves.paths import HARDENED
from strongroom.secret import Secret
from testbed.harness.sizes import examples
from testbed.networks.known import keys, passphrases, phrase, phrases
from testbed.oracles.javascript import JavaScriptOracle

pytestmark = pytest.mark.thorough

SLOW = settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
COINS = {
    "ethereum": "ethereum",
    "bitcoin": "bitcoin",
    "solana": "solana",
    "litecoin": "litecoin",
    "dogecoin": "dogecoin",
    "bitcoin-cash": "bitcoinCash",
    "dash": "dash",
    "zcash": "zcash",
    "xrp": "xrp",
    "stellar": "stellar",
    "aptos": "aptos",
    "sui": "sui",
    "near": "near",
    "cosmos": "cosmos",
    "osmosis": "osmosis",
    "celestia": "tia",
    "dydx": "dydx",
    "noble": "noble",
    "neutron": "neutron",
    "axelar": "axelar",
    "sei": "sei",
    "stride": "stride",
    "akash": "akash",
    "kava": "kava",
    "terra": "terraV2",
    "secret": "secret",
    "thorchain": "thorchain",
    "injective": "nativeInjective",
    "tron": "tron",
    "tezos": "tezos",
    "algorand": "algorand",
    "cardano": "cardano",
}
"""What wallet-core calls a network in its default variant."""
VARIANTS = {("polkadot", "ed25519"): "polkadot", ("ton", "v4r2"): "ton", ("hedera", "ed25519"): "hedera"}
"""Where its one address is that of a variant of ours."""
BEFORE = {"hedera": "0.0.302a300506032b6570032100"}
"""What its addresses have before ours: the shard and realm of an alias, and the beginning of a public key in DER."""
ASKED = [
    *((name, None, coin) for name, coin in COINS.items() if name in TABLE.names),
    *((name, variant, coin) for (name, variant), coin in VARIANTS.items() if name in TABLE.names),
]
_PASSPHRASES = passphrases().filter(lambda text: "\0" not in text)
"""It takes what is before the first NUL."""
_OF_ONE_KEY = [each for each in ASKED if each[0] != "cardano"]


@SLOW
@given(words=phrases(), passphrase=_PASSPHRASES, index=st.integers(0, HARDENED - 1))
@pytest.mark.parametrize(("name", "variant", "coin"), ASKED)
def test_a_phrase_has_the_keys_and_addresses_of_wallet_core(
    wallet_core: JavaScriptOracle,
    name: str,
    variant: str | None,
    coin: str,
    words: str,
    passphrase: str,
    index: int,
) -> None:
    if name == "cardano":
        passphrase = ""  # it leaves it out; what goes with one is published in CIP-3
    network = TABLE.get(name)
    scheme = network.scheme(variant)
    path = network.path(scheme, index)
    material = network.derive(phrase(words, passphrase), scheme, path)
    theirs = wallet_core.ask(  # it does not normalise
        "derive", coin=coin, mnemonic=words, passphrase=normalize("NFKD", passphrase), path=path
    )
    assert BEFORE.get(name, "") + network.public_half(material.private_key, scheme).address == theirs["address"]
    if name != "cardano":  # which has two
        assert material.private_key.reveal().hex() == theirs["key"]


@SLOW
@given(key=keys())
@pytest.mark.parametrize(("name", "variant", "coin"), _OF_ONE_KEY)
def test_a_key_has_the_address_of_wallet_core(
    wallet_core: JavaScriptOracle, name: str, variant: str | None, coin: str, key: bytes
) -> None:
    network = TABLE.get(name)
    ours = BEFORE.get(name, "") + network.public_half(Secret(key), network.scheme(variant)).address
    assert ours == wallet_core.ask("address", coin=coin, key=key.hex())
    assert wallet_core.ask("valid", coin=coin, text=ours)
