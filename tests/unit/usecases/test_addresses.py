"""Whose address a text is, over the whole table and over networks whose addresses look alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.networks import TABLE, NetworkTable
from strongroom.networks.bitcoin.family import Bitcoin
from strongroom.networks.codecs import base58
from strongroom.ports.network import Network
from strongroom.records.address_space import AddressSpace
from strongroom.secret import Secret
from strongroom.usecases.addresses import AddressTable, address_table, canonical
from testbed.networks.known import fitting, keys
from testbed.networks.made_up import PAIRWISE, WITH_PAIRWISE

EVERY = [(network.name, scheme) for network in WITH_PAIRWISE for scheme in network.schemes]
SPELLINGS: list[Callable[[str], str]] = [
    str,
    str.lower,
    str.upper,
    str.swapcase,
    lambda text: text[:-1],
    lambda text: text + "\n",
    lambda text: text + text,
    lambda text: f" {text}",
]
ETHEREUM = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
SOLANA = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk"


def readings(table: AddressTable, text: str) -> dict[str, str]:
    """What each network reads; where one reads a checksum, those that have none do not count."""
    read = {network: canonical(network, text) for network in table.distinct}
    found = {network: address for network, address in read.items() if address is not None}
    spaces = {network.address_space.name for network in found}
    found = {network: address for network, address in found.items() if network.address_space.within not in spaces}
    sure = {network.name: address for network, address in found.items() if network.address_space.checksummed}
    return sure or {network.name: address for network, address in found.items()}


def address_of(where: tuple[str, str], key: bytes) -> str:
    name, scheme = where
    raw = key * 2 if name == "pairwise" else fitting(scheme, key)
    return WITH_PAIRWISE.get(name).public_half(Secret(raw), scheme).address


@given(st.sampled_from(EVERY), keys(), st.sampled_from(SPELLINGS))
def test_a_text_is_every_address_that_some_network_reads(
    where: tuple[str, str], key: bytes, spelling: Callable[[str], str]
) -> None:
    """The shape of an address space, which is looked at first, hides no address of it."""
    text = spelling(address_of(where, key))
    table = address_table(WITH_PAIRWISE)
    found = table.recognise(text)
    assert {match.network.name: match.address for match in found.matches} == readings(table, text)
    assert found.is_ambiguous == (len(found.matches) > 1)
    assert (found.match is None) == (len(found.matches) != 1)


@given(st.sampled_from([each for each in EVERY if each[0] != "pairwise"]), keys())
def test_an_address_of_the_table_is_recognised_and_belongs_to_the_network_that_is_named(
    where: tuple[str, str], key: bytes
) -> None:
    address, space = address_of(where, key), TABLE.get(where[0]).address_space
    assert address in {
        match.address for match in address_table(TABLE).readings(address) if match.network.address_space == space
    }
    named = address_table(TABLE).recognise(address, where[0]).match
    assert named is not None
    assert (named.network.name, named.address) == (where[0], address)


LEGACY = {
    "bitcoin": ("bitcoin", "bitcoin-cash"),
    "bitcoin-cash": ("bitcoin-cash",),
    "dash": ("dash",),
    "dogecoin": ("dogecoin",),
    "litecoin": ("litecoin",),
    "zcash": ("zcash",),
}


@given(st.sampled_from(sorted(LEGACY)), keys())
def test_a_hash_of_a_key_is_ambiguous_where_two_chains_write_it_alike(name: str, key: bytes) -> None:
    assert address_table(TABLE).recognise(address_of((name, "bip44"), key)).candidates == LEGACY[name]


@given(keys())
def test_a_hash_of_a_script_of_bitcoin_may_be_one_of_bitcoin_cash_or_an_old_one_of_litecoin(key: bytes) -> None:
    nested = address_of(("bitcoin", "bip49"), key)
    assert address_table(TABLE).recognise(nested).candidates == ("bitcoin", "litecoin", "bitcoin-cash")
    for name, begins in (("bitcoin", "3"), ("litecoin", "M"), ("bitcoin-cash", "bitcoincash:p")):
        match = address_table(TABLE).recognise(nested, name).match
        assert match is not None
        assert match.network.name == name
        assert match.address.startswith(begins)
    assert address_table(TABLE).recognise(address_of(("litecoin", "bip49"), key)).candidates == ("litecoin",)


@given(st.text(max_size=120) | st.from_regex("[1-9A-HJ-NP-Za-km-z]{1,130}|0[xX][0-9a-fA-F]{1,50}", fullmatch=True))
def test_any_text_is_what_the_networks_read_one_by_one(text: str) -> None:
    table = address_table(WITH_PAIRWISE)
    assert list(table.recognise(text).candidates) == list(readings(table, text))


@given(keys())
def test_the_networks_of_one_space_show_a_key_under_one_address(key: bytes) -> None:
    first: dict[str, Network] = {}
    for network in TABLE:
        other = first.setdefault(network.address_space.name, network)
        assert network.address_space == other.address_space
        assert network.schemes == other.schemes
        for scheme in network.schemes:
            raw = Secret(fitting(scheme, key))
            assert network.public_half(raw, scheme) == other.public_half(raw, scheme)


@pytest.mark.parametrize("named", [None, "", "ethereum", "atlantis", "Solana", "\ud800"])
def test_forms_that_collide_are_ambiguous_unless_the_row_names_one_of_the_networks(named: str | None) -> None:
    found = address_table(WITH_PAIRWISE).recognise(SOLANA, named)
    assert found.is_ambiguous
    assert found.match is None
    assert found.candidates == ("solana", "pairwise")
    for name in ("solana", "pairwise"):
        match = address_table(WITH_PAIRWISE).recognise(SOLANA, name).match
        assert match is not None
        assert match.network.name == name


def test_a_text_with_a_right_checksum_is_no_address_of_a_network_without_checksums() -> None:
    key = next(key for key in range(1, 500) if _is_base58_of_32_bytes(osmosis(key)))
    address = osmosis(key)
    assert canonical(TABLE.get("solana"), address) == address
    assert address_table(TABLE).recognise(address).candidates == ("osmosis",)
    assert address_table(TABLE).recognise(address, "solana").candidates == ("solana",), "its row says so"


def osmosis(number: int) -> str:
    return TABLE.get("osmosis").public_half(Secret(number.to_bytes(32)), "bip44").address


def _is_base58_of_32_bytes(text: str) -> bool:
    return len(base58.decode(text) or b"") == 32


def test_what_looks_like_a_key_is_an_address_where_its_row_says_so_or_there_is_no_row() -> None:
    account = "5510e2b44cae6eb807e3e0e45d579dda058c274abcba15e5cb84636f5d1ee412"
    table = address_table(TABLE)
    for named in (None, "near", "near-testnet"):
        assert "near" in table.recognise(account, named).candidates[0]
    for named in ("", "ethereum", "aptos", "Near"):
        assert "near" not in table.recognise(account, named).candidates


def test_an_address_of_aptos_or_sui_is_ambiguous_unless_its_row_names_one() -> None:
    address = "0xeb663b681209e7087d681c5d3eed12aaa8e1915e7c87794542c3f96e94b3d3bf"
    for named in (None, "", "ethereum"):
        assert address_table(TABLE).recognise(address, named).candidates == ("aptos", "sui")
    for named in ("aptos", "sui-testnet"):
        assert address_table(TABLE).recognise(address, named).candidates == (named,)


def test_chains_that_share_their_forms_are_no_collision() -> None:
    address = "tb1q6rz28mcfaxtmd6v789l9rrlrusdprr9pqcpvkl"
    for named, expected in ((None, "bitcoin-testnet"), ("bitcoin-signet", "bitcoin-signet")):
        match = address_table(TABLE).recognise(address, named).match
        assert match is not None
        assert match.network.name == expected


def test_the_old_forms_of_a_fork_are_ambiguous_and_its_new_ones_are_not() -> None:
    """As the legacy addresses of bitcoin-cash, whose version bytes are those of bitcoin."""
    bitcoin = TABLE.get("bitcoin")
    assert isinstance(bitcoin, Bitcoin)
    fork = replace(bitcoin, name="fork", hrp="fork", space="fork")
    table = AddressTable(NetworkTable((*TABLE, fork)))
    assert table.recognise("1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA").candidates == ("bitcoin", "bitcoin-cash", "fork")
    assert table.recognise("bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu").candidates == ("bitcoin",)


def test_a_name_decides_only_where_the_address_is_one_there() -> None:
    table = address_table(TABLE)
    for named, expected in (("polygon", "polygon"), ("bitcoin", "ethereum"), (None, "ethereum")):
        match = table.recognise(ETHEREUM.lower(), named).match
        assert match is not None
        assert (match.network.name, match.address) == (expected, ETHEREUM)


def test_a_shape_that_would_shift_the_others_is_refused() -> None:
    wrong = replace(PAIRWISE, address_space=AddressSpace("wrong", "(a|b)"))
    with pytest.raises(ValueError, match="capturing"):
        AddressTable(NetworkTable([wrong]))
