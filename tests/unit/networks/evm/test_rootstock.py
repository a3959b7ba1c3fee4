"""Rootstock: the chain id is in the checksums of addresses. Expected: EIP-1191, and rsk-utils."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import InvalidAddressError, MalformedPayloadError
from strongroom.networks import TABLE
from strongroom.networks.evm import reading
from strongroom.secret import Secret
from strongroom.usecases.addresses import address_table
from testbed.networks.known import keys, phrase

ROOTSTOCK, TESTNET, ETHEREUM = (TABLE.get(name) for name in ("rootstock", "rootstock-testnet", "ethereum"))
EIP1191 = {
    "rootstock": (
        "0x27b1FdB04752BBc536007A920D24ACB045561c26",
        "0x3599689E6292B81B2D85451025146515070129Bb",
        "0x42712D45473476B98452f434E72461577d686318",
        "0x52908400098527886E0F7030069857D2E4169ee7",
        "0x5aaEB6053f3e94c9b9a09f33669435E7ef1bEAeD",
        "0x6549F4939460DE12611948B3F82B88C3C8975323",
        "0x66F9664f97f2B50F62d13EA064982F936de76657",
        "0x8617E340b3D01Fa5f11f306f4090fd50E238070D",
        "0x88021160c5C792225E4E5452585947470010289d",
        "0xD1220A0Cf47c7B9BE7a2e6ba89F429762E7B9adB",
        "0xDBF03B407c01E7CD3cBea99509D93F8Dddc8C6FB",
        "0xDe709F2102306220921060314715629080e2FB77",
        "0xFb6916095cA1Df60bb79ce92cE3EA74c37c5d359",
    ),
    "rootstock-testnet": (
        "0x27B1FdB04752BbC536007a920D24acB045561C26",
        "0x3599689e6292b81b2D85451025146515070129Bb",
        "0x42712D45473476B98452F434E72461577D686318",
        "0x52908400098527886E0F7030069857D2e4169EE7",
        "0x5aAeb6053F3e94c9b9A09F33669435E7EF1BEaEd",
        "0x6549f4939460dE12611948b3f82b88C3c8975323",
        "0x66f9664F97F2b50f62d13eA064982F936DE76657",
        "0x8617e340b3D01fa5F11f306F4090Fd50e238070d",
        "0x88021160c5C792225E4E5452585947470010289d",
        "0xd1220a0CF47c7B9Be7A2E6Ba89f429762E7b9adB",
        "0xdbF03B407C01E7cd3cbEa99509D93f8dDDc8C6fB",
        "0xDE709F2102306220921060314715629080e2Fb77",
        "0xFb6916095CA1dF60bb79CE92ce3Ea74C37c5D359",
    ),
}
PUBLISHED = [(name, address) for name, addresses in EIP1191.items() for address in addresses]
MIXED = [
    (name, address) for name, address in PUBLISHED if address[2:] not in (address[2:].lower(), address[2:].upper())
]


@pytest.mark.parametrize(("name", "address"), PUBLISHED)
def test_an_address_is_returned_with_the_checksum_of_the_chain(name: str, address: str) -> None:
    network = TABLE.get(name)
    eip55 = ETHEREUM.parse_address(address.lower())
    for spelling in (address, address.lower(), "0x" + address[2:].upper(), eip55):
        assert network.parse_address(spelling) == address


@pytest.mark.parametrize(("name", "address"), MIXED)
def test_a_checksum_with_the_chain_in_it_is_refused_elsewhere(name: str, address: str) -> None:
    other = TESTNET if name == "rootstock" else ROOTSTOCK
    for network in (ETHEREUM, TABLE.get("polygon"), TABLE.get("evm:4242"), other):
        if network.parse_address(address.lower()) != address:
            with pytest.raises(InvalidAddressError, match="EIP-"):
                network.parse_address(address)


@given(keys(), st.integers(0, 39))
def test_a_letter_of_the_other_case_is_refused(key: bytes, place: int) -> None:
    address = ROOTSTOCK.public_half(Secret(key), "bip44").address
    wrong = address[: 2 + place] + address[2 + place].swapcase() + address[3 + place :]
    if wrong not in (address, ETHEREUM.parse_address(address.lower()), address.lower()):
        with pytest.raises(InvalidAddressError):
            ROOTSTOCK.parse_address(wrong)


def test_one_key_has_one_address_in_three_spellings() -> None:
    key = ROOTSTOCK.derive(phrase(), "bip44").private_key
    found = [network.public_half(key, "bip44").address for network in (ETHEREUM, ROOTSTOCK, TESTNET)]
    assert found[1:] == [  # by @rsksmart/rsk-utils 2.0.5
        "0x9858eFfD232B4033E47D90003D41eC34ECaeDA94",
        "0x9858eFfD232B4033e47d90003d41EC34ECaeda94",
    ]
    assert len(set(found)) == 3
    assert len({address.lower() for address in found}) == 1


@given(keys())
def test_an_address_alone_is_one_of_rootstock_only_in_its_own_spelling(key: bytes) -> None:
    table = address_table(TABLE)
    for network in (ETHEREUM, ROOTSTOCK, TESTNET):
        address = network.public_half(Secret(key), "bip44").address
        assert table.recognise(address).candidates == (network.name,)
        for spelling in (address.lower(), ETHEREUM.parse_address(address.lower())):
            assert table.recognise(spelling).candidates == ("ethereum",)
            named = table.recognise(spelling, network.name).match
            assert named is not None
            assert (named.network.name, named.address) == (network.name, address)


def test_an_id_is_the_chain_that_has_it() -> None:
    assert TABLE.get("evm:30") is ROOTSTOCK
    assert TABLE.get("evm:31") is TESTNET


@pytest.mark.parametrize("chain_id", [None, 31])
def test_a_payload_of_another_chain_may_not_have_its_checksums(chain_id: int | None) -> None:
    address = EIP1191["rootstock"][4]
    assert reading.address(address, "to", 30).hex() == address[2:].lower()
    with pytest.raises(MalformedPayloadError, match="checksum"):
        reading.address(address, "to", chain_id)
