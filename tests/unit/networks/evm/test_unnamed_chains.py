"""Chains without a name, ``evm:<chain id>``, and names that come later."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import UnknownNetworkError
from strongroom.networks import TABLE, NetworkTable
from strongroom.networks.evm.chain import EvmChain
from strongroom.networks.evm.chains import CHAINS, STORED_BY_NAME
from strongroom.networks.evm.family import Evm
from strongroom.records.wallets import credential_type_of, network_of_type
from strongroom.secret import Secret
from strongroom.store.statements.wallet_row import label_of, network_of

LARGEST = 2**63 - 1
NAMED = {chain.chain_id: chain.name for chain in CHAINS}
WITH_NAME = NetworkTable((*TABLE.chains, EvmChain("later", 4242, explorer="https://later.example/address/{address}")))


@given(st.integers(1, LARGEST) | st.sampled_from(sorted(NAMED)))
def test_every_id_is_a_network_and_has_one_stored_name(chain_id: int) -> None:
    network = TABLE.get(f"evm:{chain_id}")
    assert isinstance(network, Evm)
    assert (network.chain_id, network.caip2) == (chain_id, f"eip155:{chain_id}")
    assert network.name == NAMED.get(chain_id, f"evm:{chain_id}")
    assert TABLE.get(network.name) == network
    assert f"evm:{chain_id}" in TABLE


@pytest.mark.parametrize(
    "name",
    [
        *(
            "evm:",
            "evm:0",
            "evm:01",
            "evm:-1",
            "evm:+1",
            "evm: 1",
            "evm:1 ",
            "evm:1\n",
            "evm:1\0",
            "evm:1.0",
            "evm:1e3",
        ),
        *("evm:0x10", "evm:１", "evm:٣", "evm:1_000", "evm::1", "evm:1:1", "evm.1", "EVM:1", "eip155:1", "evm:base"),
        *(f"evm:{LARGEST + 1}", f"evm:{10**19}", "evm:" + "9" * 1000),
    ],
)
def test_another_spelling_of_an_id_is_no_network(name: str) -> None:
    assert name not in TABLE
    with pytest.raises(UnknownNetworkError) as caught:
        TABLE.get(name)
    assert "evm:<chain id>" in caught.value.hint
    assert name not in str(caught.value)


def test_the_largest_id_is_one() -> None:
    assert TABLE.get(f"evm:{LARGEST}").caip2 == f"eip155:{LARGEST}"


def test_chains_without_a_name_are_not_listed() -> None:
    before = TABLE.names
    TABLE.get("evm:4242")
    assert TABLE.names == before
    assert not any(":" in name for name in before)


def test_a_chain_without_a_name_shows_a_key_as_the_others_do() -> None:
    key = Secret(b"\1" * 32)
    assert TABLE.get("evm:4242").public_half(key, "bip44") == TABLE.get("ethereum").public_half(key, "bip44")
    assert TABLE.get("evm:4242").address_space == TABLE.get("ethereum").address_space


def test_the_limits_of_fees_are_those_of_the_settings() -> None:
    limited = WITH_NAME.with_fee_limits(5, None)
    for name in ("evm:7", "evm:4242", "later", "evm:8453", "base", "polygon"):
        network = limited.get(name)
        assert isinstance(network, Evm)
        assert network.fee_limit_wei == 5 * 10**9
    unlimited = TABLE.get("evm:7")
    assert isinstance(unlimited, Evm)
    assert unlimited.fee_limit_wei == 10**18


# --- a name that comes later --------------------------------------------------------------------------------


def test_a_name_that_came_later_is_an_alias_of_the_stored_one() -> None:
    network = WITH_NAME.get("later")
    assert network is WITH_NAME.get("evm:4242")
    assert (network.name, network.explorer) == ("evm:4242", "https://later.example/address/{address}")
    assert "later" in WITH_NAME
    assert WITH_NAME.aliases == WITH_NAME.with_fee_limits(1, 1).aliases == {"later": "evm:4242"}
    assert "evm:4242" in WITH_NAME.names
    assert "later" not in WITH_NAME.names
    assert NetworkTable(WITH_NAME.chains).aliases == WITH_NAME.aliases


@pytest.mark.parametrize("name", ["later", "ethereum"])
def test_a_name_is_given_once(name: str) -> None:
    with pytest.raises(ValueError, match="twice"):
        NetworkTable((*WITH_NAME.chains, EvmChain(name, 4243)))


def test_a_chain_has_one_name_only() -> None:
    with pytest.raises(ValueError, match="twice"):
        NetworkTable((*WITH_NAME.chains, EvmChain("another", 4242)))


def test_no_chain_is_added_to_those_that_are_stored_by_name() -> None:
    """Wallets of any other chain may be stored as ``evm:<chain id>`` already: a new name goes into ``LATER``."""
    stored = " ".join(f"{chain.name}={chain.chain_id}" for chain in STORED_BY_NAME)
    assert hashlib.sha256(stored.encode()).hexdigest()[:16] == "c60e25eeb9e22961"


# --- credential types ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["default", "hot", "a.b_wallet-1", "evm.1_wallet", "x" * 64])
@pytest.mark.parametrize("network", ["ethereum", "base-sepolia", "evm:4242", f"evm:{LARGEST}"])
def test_a_credential_type_says_its_network_and_label(network: str, label: str) -> None:
    written = credential_type_of(network, label)
    assert written.count(":") == (label != "default")
    assert len(written) <= 128
    assert network_of_type(written) == network_of(written) == network
    assert label_of(written) == label


def test_the_colon_of_a_network_is_a_dot_in_a_credential_type() -> None:
    assert credential_type_of("evm:4242", "hot") == "evm.4242_wallet:hot"
    assert credential_type_of("evm:4242", "default") == "evm.4242_wallet"


@pytest.mark.parametrize("kind", ["ETH_wallet:main", "evm:4242_wallet:hot", ".5_wallet:hot", "evm._wallet:hot", ""])
def test_another_credential_type_says_no_label(kind: str) -> None:
    assert label_of(kind) == "default"
