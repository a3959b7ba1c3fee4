"""ethers, and MetaMask's reference of typed data, asked about random keys and payloads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed.harness.sizes import examples
from testbed.networks import evm_payloads as made
from testbed.networks.evm_payloads import Account
from testbed.networks.known import keys
from testbed.oracles.javascript import JavaScriptOracle, installed
from testbed.oracles.process import OracleError
from testbed.servers import node
from tests.unit.networks.evm import payloads

SLOW = settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = {"gas": "gasLimit"}


def ethers_fields(payload: dict[str, Any]) -> dict[str, Any]:
    """The same transaction as ethers spells it: numbers as hex, no address of a creation."""
    fields = {"type": payload.get("type", 0)}
    for name, value in payload.items():
        if name == "authorizationList":
            fields[name] = [
                {
                    "address": each["address"],
                    "nonce": hex(each["nonce"]),
                    "chainId": hex(each["chainId"]),
                    "signature": {"r": f"0x{each['r']:064x}", "s": f"0x{each['s']:064x}", "yParity": each["yParity"]},
                }
                for each in value
            ]
        elif name not in ("type", "to") or value != "":
            plain = "0x" + value.hex() if isinstance(value, bytes) else value
            fields[NAMES.get(name, name)] = hex(plain) if isinstance(plain, int) and name != "type" else plain
    return fields


@SLOW
@given(key=keys(), data=st.binary(max_size=100), text=payloads.TEXT)
def test_messages(javascript: JavaScriptOracle, key: bytes, data: bytes, text: str) -> None:
    hex_key = "0x" + key.hex()
    ours = made.signature("message", data, key).as_dict()["signature"]
    assert ours == javascript.ask("message", key=hex_key, message="0x" + data.hex())
    ours = made.signature("message", text, key).as_dict()["signature"]
    assert ours == javascript.ask("text-message", key=hex_key, message=text)


@SLOW
@given(key=keys(), document=payloads.documents())
def test_typed_data_of_ethers(javascript: JavaScriptOracle, key: bytes, document: dict[str, Any]) -> None:
    ours = made.signature("typed-data", document, key, **made.ANY_CHAIN).as_dict()
    theirs = javascript.ask("typed-data", key="0x" + key.hex(), document=document)
    assert {name: ours[name] for name in theirs} == theirs


@SLOW
@given(key=keys(), document=payloads.documents(any_order=True))
def test_typed_data_of_metamask_whose_domain_is_as_its_type_says(
    javascript: JavaScriptOracle, key: bytes, document: dict[str, Any]
) -> None:
    ours = made.signature("typed-data", document, key, **made.ANY_CHAIN).as_dict()["signature"]
    assert ours == javascript.ask("typed-data-v4", key="0x" + key.hex(), document=document)


@pytest.mark.parametrize("type_", range(5))
@SLOW
@given(key=keys(), network=payloads.NETWORKS, data=st.data())
def test_transactions_also_from_what_ethers_serializes(
    javascript: JavaScriptOracle, type_: int, key: bytes, network: str, data: st.DataObject
) -> None:
    payload = data.draw(payloads.transactions(type_, made.CHAINS[network]))
    theirs = javascript.ask("transaction", key="0x" + key.hex(), transaction=ethers_fields(payload))
    ours = made.transaction(payload, key, network, **made.ANY_FEE)
    assert ours.as_dict() | theirs == ours.as_dict() | {"unsigned": theirs["unsigned"], "from": theirs["from"]}
    assert theirs["from"] == Account.from_key(key).address
    unsigned = theirs["unsigned"]
    assert made.transaction(unsigned, key, network, **made.ANY_FEE) == ours
    assert made.transaction(bytes.fromhex(unsigned[2:]), key, network, **made.ANY_FEE) == ours


@SLOW
@given(key=keys(), chain_id=st.sampled_from((0, 1)), address=payloads.ADDRESSES, nonce=st.integers(0, 2**64 - 2))
def test_authorizations(javascript: JavaScriptOracle, key: bytes, chain_id: int, address: str, nonce: int) -> None:
    asked = {"chainId": hex(chain_id), "address": address, "nonce": hex(nonce)}
    ours = made.authorization(asked, key, allow_any_chain=True)
    theirs = javascript.ask("authorization", key="0x" + key.hex(), authorization=asked)
    assert (ours.r, ours.s, ours.y_parity) == (int(theirs["r"], 16), int(theirs["s"], 16), theirs["yParity"])
    assert (str(ours.chain_id), str(ours.nonce)) == (theirs["chainId"], theirs["nonce"])
    assert ours.as_dict()["address"] == theirs["address"]


def test_the_oracle_says_when_it_refuses(javascript: JavaScriptOracle) -> None:
    with pytest.raises(OracleError):
        javascript.ask("message", key="0x00", message="0x")


def test_an_oracle_that_cannot_be_installed_is_a_failure(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "npm", lambda *_: ["/nowhere/npm"])
    with pytest.raises(OracleError):
        installed("evm", tmp_path_factory.mktemp("cache"))
