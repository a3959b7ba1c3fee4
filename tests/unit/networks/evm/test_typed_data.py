"""Typed data: what a value may be, null, limits, the domain's chain."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strongroom.errors import MalformedPayloadError, SignatureRefusedError
from strongroom.networks.keccak import keccak_256
from testbed.harness.sizes import examples
from testbed.networks import evm_payloads as made
from testbed.networks.evm_payloads import MAIL, without
from testbed.oracles.javascript import JavaScriptOracle
from tests.unit.networks.work import lines_run

ADDRESS = "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"


def of(type_: str, value: Any, **types: Any) -> dict[str, Any]:
    """A document whose message has one member."""
    return {
        "types": {"Main": [{"name": "m", "type": type_}], **types},
        "primaryType": "Main",
        "domain": {},
        "message": {"m": value},
    }


def digest(document: Any, **options: Any) -> bytes:
    """Its hash; most documents here have a domain that names no chain."""
    prepared = made.prepare("typed-data", document, **{**made.ANY_CHAIN, **options})
    assert isinstance(prepared.digest, bytes)
    return prepared.digest


def changed(**parts: Any) -> dict[str, Any]:
    """The mail with other parts."""
    return {**copy.deepcopy(MAIL), **parts}


def domain(**fields: Any) -> dict[str, Any]:
    """The mail with other fields of the domain, of the standard types."""
    document = changed(domain={**MAIL["domain"], **fields})
    del document["types"]["EIP712Domain"]
    return document


WITHOUT_A_CHAIN = domain()
del WITHOUT_A_CHAIN["domain"]["chainId"]


def test_a_word_is_what_eip_712_says() -> None:
    """By hand, once: everything else is left to the oracles."""
    main = keccak_256(b"Main(int8 m)") + b"\xff" * 31 + b"\x80"
    separator = keccak_256(keccak_256(b"EIP712Domain()"))
    assert digest(of("int8", -128)) == keccak_256(b"\x19\x01" + separator + keccak_256(main))


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("uint8", (255, "255", "0xff", "0xFF", "0x00ff", "0255")),
        ("int16", (-1, "-1")),
        ("uint256", (2**256 - 1, str(2**256 - 1), hex(2**256 - 1))),
        ("bytes4", ("0x01020304", b"\1\2\3\4", bytearray(b"\1\2\3\4"))),
        ("bytes", ("0x", b"")),
        ("address", (ADDRESS, ADDRESS.lower(), "0x" + ADDRESS[2:].upper(), bytes.fromhex(ADDRESS[2:]))),
        ("uint8[2][]", ([[1, 2], [3, 4]], ((1, 2), ("3", "0x04")))),
    ],
)
def test_values_in_many_spellings(type_: str, values: tuple[Any, ...]) -> None:
    assert len({digest(of(type_, value)) for value in values}) == 1


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("uint8", 256),
        ("uint8", -1),
        ("uint8", "-1"),
        ("uint8", "0x100"),
        ("uint256", 2**256),
        ("uint256", "9" * 79),
        ("uint256", "0x" + "f" * 65),
        ("int8", 128),
        ("int8", -129),
        ("int256", 2**255),
        ("int256", -(2**255) - 1),
        ("uint8", True),
        ("uint8", 1.0),
        ("uint8", "1.0"),
        ("uint8", "1e1"),
        ("uint8", " 1"),
        ("uint8", "1_0"),
        ("uint8", "+1"),
        ("uint8", "--1"),
        ("uint8", "-0x1"),
        ("uint8", "0x"),
        ("uint8", ""),
        ("uint8", "١"),
        ("uint8", None),
        ("uint8", []),
        ("uint8", b"\1"),
        ("bool", 0),
        ("bool", "false"),
        ("bool", None),
        ("address", ADDRESS[:-1]),
        ("address", ADDRESS.replace("D", "d", 1)),
        ("address", ADDRESS[2:]),
        ("address", 0),
        ("address", None),
        ("address", bytes(32)),
        ("bytes4", "0x010203"),
        ("bytes4", "0x0102030405"),
        ("bytes4", "01020304"),
        ("bytes4", b"\1\2\3"),
        ("bytes4", 0x01020304),
        ("bytes4", None),
        ("bytes", "text"),
        ("bytes", "0x0"),
        ("bytes", None),
        ("bytes", 1),
        ("string", 1),
        ("string", b"text"),
        ("string", None),
        ("string", "\ud800"),
        ("string", ["text"]),
        ("uint8[]", 1),
        ("uint8[]", None),
        ("uint8[]", "0x01"),
        ("uint8[]", b"\1"),
        ("uint8[]", {"0": 1}),
        ("uint8[]", [256]),
        ("uint8[2]", [1]),
        ("uint8[2]", [1, 2, 3]),
        ("uint8[2][1]", [[1, 2], [1, 2]]),
        ("uint8[][]", [1]),
    ],
)
def test_values_of_no_type_are_refused(type_: str, value: Any) -> None:
    with pytest.raises(MalformedPayloadError):
        digest(of(type_, value))


@pytest.mark.parametrize(
    "type_",
    [
        *("", "uint", "int", "uint7", "uint0", "uint264", "uint08", "int512", "bytes0", "bytes33", "bytes01", "byte"),
        *("fixed128x18", "function", "Unknown", "uint8[0]", "uint8[01]", "uint8[-1]", "uint8[", "uint8]", "uint8[a]"),
        *("uint8[1]x", "[]", " uint8", "uint8 ", "uint8[ ]", "mapping(uint8=>uint8)", "uint8" + "[]" * 17, "uint8\n"),
        *("Main(uint8 m)", "uint8[1000000000]", "Ünknown"),
    ],
)
def test_types_that_are_none_are_refused(type_: str) -> None:
    values: tuple[Any, ...] = (1, [], {}, None, b"")
    for value in values:
        with pytest.raises(MalformedPayloadError):
            digest(of(type_, value))


@pytest.mark.parametrize(
    "name", ["uint8", "uint", "int7", "bytes", "bytes33", "string", "address", "bool", "fixed", "a b", "a(b)", "", "1a"]
)
def test_structs_whose_name_could_be_read_otherwise_are_refused(name: str) -> None:
    with pytest.raises(MalformedPayloadError):
        digest(of("uint8", 1, **{name: [{"name": "m", "type": "uint8"}]}))


def test_the_colon_of_live_applications_is_a_letter_of_a_name() -> None:
    document = of("uint8", 1)
    document["types"] = {"App:Main": document["types"]["Main"]}
    document["primaryType"] = "App:Main"
    assert made.prepare("typed-data", document, **made.ANY_CHAIN).intent.summary()["primary_type"] == "App:Main"


@pytest.mark.parametrize(
    "types",
    [
        None,
        [],
        {"Main": None},
        {"Main": {}},
        {"Main": ["uint8 m"]},
        {"Main": [{"name": "m"}]},
        {"Main": [{"type": "uint8"}]},
        {"Main": [{"name": "m", "type": "uint8", "more": 1}]},
        {"Main": [{"name": "m", "type": "uint8"}, {"name": "m", "type": "uint8"}]},
        {"Main": [{"name": "", "type": "uint8"}]},
        {"Main": [{"name": "m n", "type": "uint8"}]},
        {"Main": [{"name": 1, "type": "uint8"}]},
        {"Main": [{"name": "m", "type": 1}]},
        {"Main": [{"name": "m", "type": ["uint8"]}]},
        {1: [{"name": "m", "type": "uint8"}]},
        {"Other": [{"name": "m", "type": "uint8"}]},
        {"Main": [{"name": "m", "type": "uint8"}], "Unused": [{"name": "m", "type": "nothing"}]},
    ],
)
def test_definitions_that_cannot_be_read_are_refused(types: Any) -> None:
    with pytest.raises(MalformedPayloadError):
        digest({**of("uint8", 1), "types": types})


@pytest.mark.parametrize(
    "document",
    [
        None,
        1,
        [],
        "",
        "[]",
        "{",
        "null",
        b"\xff",
        '{"types": NaN}',
        '{"types": {}, "types": {}}',
        json.dumps(MAIL).replace('"contents": "Hello, Bob!"', '"contents": "Hello, Bob!", "contents": "Hello, Eve!"'),
        "[" * 100_000,
        '{"a":' * 100_000,
        "1" * 5000,
        json.dumps(MAIL) + " " * (1 << 20),
        {},
        without(MAIL, "types"),
        without(MAIL, "primaryType"),
        without(MAIL, "domain"),
        without(MAIL, "message"),
        {**MAIL, "more": 1},
        {1: 1} | MAIL,
        {**MAIL, "primaryType": "Nothing"},
        {**MAIL, "primaryType": None},
        {**MAIL, "primaryType": ["Mail"]},
        {**MAIL, "primaryType": "EIP712Domain"},
        {**MAIL, "primaryType": "Mail[]"},
        {**MAIL, "domain": None},
        {**MAIL, "domain": without(MAIL["domain"], "name")},
        {**MAIL, "domain": {**MAIL["domain"], "salt": bytes(32)}},
        {**MAIL, "message": None},
        {**MAIL, "message": []},
        {**MAIL, "message": without(MAIL["message"], "contents")},
        {**MAIL, "message": {**MAIL["message"], "more": 1}},
        {**MAIL, "message": {**MAIL["message"], 1: 1}},
        {**MAIL, "message": {**MAIL["message"], "contents": None}},
        {**MAIL, "message": {**MAIL["message"], "to": {"name": "Bob"}}},
        domain(more=1),
        domain(name=1),
        domain(salt="0x00"),
        domain(chainId=None),
        domain(chainId="one"),
        domain(chainId=True),
        domain(verifyingContract="cosmos"),
    ],
    ids=lambda document: str(document)[:40],
)
def test_documents_that_cannot_be_read_are_refused(document: Any) -> None:
    with pytest.raises(MalformedPayloadError):
        digest(document)


# --- the domain's chain --------------------------------------------------------------------------------------


@pytest.mark.parametrize("chain_id", [0, 2, "137", "0x89", 2**256 - 1])
def test_a_domain_of_another_chain_needs_to_be_meant(chain_id: Any) -> None:
    with pytest.raises(SignatureRefusedError) as refused:
        digest(domain(chainId=chain_id))
    assert "allow_other_chain" in refused.value.hint
    digest(domain(chainId=chain_id), allow_other_chain=True)


@pytest.mark.parametrize("chain_id", [1, "1", "0x1", "0x01", "01"])
def test_the_domain_of_the_wallets_chain(chain_id: Any) -> None:
    assert digest(domain(chainId=chain_id)) == digest(MAIL)


@pytest.mark.parametrize("document", [of("uint8", 1), of("uint8", 1, EIP712Domain=[]), WITHOUT_A_CHAIN], ids=str)
def test_a_domain_that_names_no_chain_needs_to_be_meant(document: dict[str, Any]) -> None:
    """Its signature is good on every chain."""
    for options in ({}, {"allow_other_chain": True}, {"allow_any_chain": False}):
        with pytest.raises(SignatureRefusedError) as refused:
            made.prepare_with("typed-data", document, options)
        assert "allow_any_chain=True" in refused.value.hint
        assert "--allow-any-chain" in refused.value.hint
    assert made.prepare("typed-data", document, **made.ANY_CHAIN).intent.summary()["chain"] == "any"


def test_any_chain_is_not_another_chain() -> None:
    with pytest.raises(SignatureRefusedError):
        digest(domain(chainId=2), allow_any_chain=True)
    assert digest(MAIL, allow_any_chain=True) == made.prepare("typed-data", MAIL).digest


@pytest.mark.parametrize(
    ("name", "type_", "value"),
    [
        ("chainId", "string", "1"),
        ("chainId", "bytes32", bytes(31) + b"\1"),
        ("chainId", "uint256[]", [1]),
        ("chainid", "uint256", 1),
        ("chain_id", "uint256", 1),
        ("chainID", "string", "1"),
    ],
)
def test_a_chain_cannot_hide_behind_another_type_or_spelling(name: str, type_: str, value: Any) -> None:
    document = changed(domain={name: value})
    document["types"]["EIP712Domain"] = [{"name": name, "type": type_}]
    with pytest.raises(MalformedPayloadError):
        digest(document, allow_other_chain=True)


def test_a_narrower_chain_id_is_looked_at_too() -> None:
    document = changed(domain={"chainId": 2})
    document["types"]["EIP712Domain"] = [{"name": "chainId", "type": "uint64"}]
    with pytest.raises(SignatureRefusedError):
        digest(document)
    document["domain"] = {"chainId": 1}
    digest(document)


def test_a_domain_of_other_fields_is_as_its_type_says(javascript: JavaScriptOracle) -> None:
    document = changed(domain={"verifyingContract": "cosmos", "salt": "0", "chainId": 1, "more": [1, 2]})
    document["types"]["EIP712Domain"] = [
        {"name": "chainId", "type": "uint256"},
        {"name": "salt", "type": "string"},
        {"name": "verifyingContract", "type": "string"},
        {"name": "more", "type": "uint8[]"},
    ]
    ours = made.signature("typed-data", document).as_dict()["signature"]
    assert ours == javascript.ask("typed-data-v4", key="0x" + made.KEY.hex(), document=document)


# --- recursion and size --------------------------------------------------------------------------------------

FAMILY = {
    "Person": [
        {"name": "name", "type": "string"},
        {"name": "mother", "type": "Person"},
        {"name": "friends", "type": "Person[]"},
    ]
}


def person(depth: int) -> dict[str, Any]:
    mother = person(depth - 1) if depth else None
    return {"name": f"of {depth}", "mother": mother, "friends": [mother] if depth else []}


def test_null_ends_a_recursive_type_as_in_version_4(javascript: JavaScriptOracle) -> None:
    document = {
        "types": {"EIP712Domain": [], **FAMILY},
        "primaryType": "Person",
        "domain": {},
        "message": person(4),
    }
    ours = made.signature("typed-data", document, **made.ANY_CHAIN).as_dict()["signature"]
    assert ours == javascript.ask("typed-data-v4", key="0x" + made.KEY.hex(), document=document)
    theirs = made.Account.sign_message(made.messages.encode_typed_data(full_message=document), made.KEY)
    assert ours == "0x" + bytes(theirs.signature).hex()


def test_two_types_that_need_each_other_are_recursive() -> None:
    types = {"A": [{"name": "b", "type": "B"}], "B": [{"name": "a", "type": "A[]"}]}
    digest({"types": types, "primaryType": "A", "domain": {}, "message": {"b": None}})
    digest({"types": types, "primaryType": "A", "domain": {}, "message": {"b": {"a": [None, {"b": None}]}}})
    with pytest.raises(MalformedPayloadError):
        digest({"types": types, "primaryType": "A", "domain": {}, "message": None})


@pytest.mark.parametrize(
    ("message", "noted"),
    [
        (without(MAIL["message"], "to"), "Mail.to"),
        ({**MAIL["message"], "from": None}, "Mail.from"),
        ({"contents": "x"}, "Mail.from, Mail.to"),
    ],
)
def test_a_missing_member_of_a_struct_type_is_null_and_noted(
    javascript: JavaScriptOracle, message: dict[str, Any], noted: str
) -> None:
    """As MetaMask (eth_signTypedData_v4) and eth-account have it."""
    document = changed(message=message)
    prepared = made.prepare("typed-data", document)
    assert prepared.intent.summary()["null_members"] == noted
    ours = made.signature("typed-data", document).as_dict()["signature"]
    assert ours == javascript.ask("typed-data-v4", key="0x" + made.KEY.hex(), document=document)
    theirs = made.Account.sign_message(made.messages.encode_typed_data(full_message=document), made.KEY)
    assert ours == "0x" + bytes(theirs.signature).hex()


def test_a_missing_member_of_a_recursive_type_is_null_and_noted() -> None:
    whole = of("Person", {**person(0), "mother": None}, **FAMILY)
    missing = of("Person", without(person(0), "mother"), **FAMILY)
    assert digest(whole) == digest(missing)
    assert "null_members" not in made.prepare("typed-data", whole, **made.ANY_CHAIN).intent.summary()
    assert made.prepare("typed-data", missing, **made.ANY_CHAIN).intent.summary()["null_members"] == "Person.mother"
    empty = of("Empty[]", [None, {}], Empty=[])
    assert made.prepare("typed-data", empty, **made.ANY_CHAIN).intent.summary()["null_members"] == "Empty[]"


def test_a_missing_member_that_is_no_struct_is_refused() -> None:
    for member in ("name", "friends"):
        with pytest.raises(MalformedPayloadError, match=f"lacks the member {member}"):
            digest(of("Person", without(person(1), member), **FAMILY))


# --- members beyond the type ---------------------------------------------------------------------------------

TRANSFER: dict[str, Any] = {
    "types": {
        "HyperliquidTransaction:UsdSend": [
            {"name": "hyperliquidChain", "type": "string"},
            {"name": "destination", "type": "string"},
            {"name": "amount", "type": "string"},
            {"name": "time", "type": "uint64"},
        ],
        "EIP712Domain": [
            {"name": "name", "type": "string"},
            {"name": "version", "type": "string"},
            {"name": "chainId", "type": "uint256"},
            {"name": "verifyingContract", "type": "address"},
        ],
    },
    "primaryType": "HyperliquidTransaction:UsdSend",
    "domain": {
        "name": "HyperliquidSignTransaction",
        "version": "1",
        "chainId": 421614,
        "verifyingContract": "0x0000000000000000000000000000000000000000",
    },
    "message": {
        "destination": "0x5e9ee1089755c3435139848e47e6635505d5a13a",
        "amount": "1",
        "time": 1687816341423,
        "type": "usdSend",
        "signatureChainId": "0x66eee",
        "hyperliquidChain": "Testnet",
    },
}
"""As the SDK of Hyperliquid passes it to its wallets: the action whole, with members that its type has not."""


def test_a_member_beyond_the_type_is_named_with_its_type() -> None:
    with pytest.raises(MalformedPayloadError) as caught:
        made.prepare("typed-data", TRANSFER, allow_other_chain=True)
    assert "of type HyperliquidTransaction:UsdSend has a member that the type has not: type." in str(caught.value)
    assert "--allow-extra-members" in caught.value.hint
    document = copy.deepcopy(TRANSFER)
    document["message"] = {**without(document["message"], "type"), MAIL["message"]["contents"]: 1}
    with pytest.raises(MalformedPayloadError) as caught:
        made.prepare("typed-data", document, allow_other_chain=True)
    assert MAIL["message"]["contents"] not in str(caught.value)


def test_members_beyond_the_type_pass_where_a_call_says_so(javascript: JavaScriptOracle) -> None:
    options: dict[str, Any] = {"allow_other_chain": True, "allow_extra_members": True}
    prepared = made.prepare("typed-data", TRANSFER, **options)
    names = "HyperliquidTransaction:UsdSend.type, HyperliquidTransaction:UsdSend.signatureChainId"
    assert prepared.intent.summary()["extra_members"] == names
    ours = made.signature("typed-data", TRANSFER, **options).as_dict()["signature"]
    assert ours == javascript.ask("typed-data-v4", key="0x" + made.KEY.hex(), document=TRANSFER)
    theirs = made.Account.sign_message(made.messages.encode_typed_data(full_message=TRANSFER), made.KEY)
    assert ours == "0x" + bytes(theirs.signature).hex()
    assert "extra_members" not in made.prepare("typed-data", MAIL, allow_extra_members=True).intent.summary()


def test_a_field_of_the_domain_that_its_type_has_not_is_no_fact_of_the_log() -> None:
    document = copy.deepcopy(TRANSFER)
    document["types"]["EIP712Domain"] = document["types"]["EIP712Domain"][:1]
    options: dict[str, Any] = {"allow_any_chain": True, "allow_extra_members": True}
    summary = made.prepare("typed-data", document, **options).intent.summary()
    assert summary["chain"] == "any"
    assert "contract" not in summary
    with pytest.raises(SignatureRefusedError):
        made.prepare("typed-data", document, allow_extra_members=True, allow_other_chain=True)


def test_types_that_need_themselves_end_where_a_value_is_missing() -> None:
    assert digest(of("Main", {})) == digest(of("Main", {"m": None}))


def test_values_that_contain_themselves_are_refused() -> None:
    loop: dict[str, Any] = person(0)
    loop["mother"] = loop
    with pytest.raises(MalformedPayloadError):
        digest({"types": FAMILY, "primaryType": "Person", "domain": {}, "message": loop})
    friends: list[Any] = []
    friends.append({**person(0), "friends": friends})
    with pytest.raises(MalformedPayloadError):
        digest(of("Person[]", friends, **FAMILY))


def test_depth_is_limited() -> None:
    for depth, fits in ((64, True), (65, False), (900, False)):
        document: dict[str, Any] = {"types": FAMILY, "primaryType": "Person", "domain": {}, "message": None}
        for number in range(depth):
            document["message"] = {"name": str(number), "mother": document["message"], "friends": []}
        if fits:
            digest(document)
        else:
            with pytest.raises(MalformedPayloadError):
                digest(document)


def test_a_small_document_that_unfolds_without_end_is_refused() -> None:
    value: Any = 1
    for _ in range(16):
        value = [value] * 10
    with pytest.raises(MalformedPayloadError):
        digest(of("uint8" + "[]" * 16, value))


def test_the_number_of_types_and_their_length_are_limited() -> None:
    many: dict[str, Any] = {f"T{number}": [] for number in range(257)}
    with pytest.raises(MalformedPayloadError):
        digest(of("uint8", 1, **many))
    long = {"Long": [{"name": f"member{number:0200}", "type": "uint8"} for number in range(400)]}
    with pytest.raises(MalformedPayloadError):
        digest(of("uint8", 1, **long))


def test_the_work_of_a_chain_of_types_grows_as_what_is_hashed_by_the_square_of_its_length() -> None:
    def lines(length: int) -> int:
        types = {f"T{n}": [{"name": "next" + "x" * 200, "type": f"T{n + 1}[]"}] for n in range(length)}
        types[f"T{length}"] = []
        document = of("T0", {"next" + "x" * 200: []}, **types)
        return lines_run(lambda: digest(document))

    assert lines(250) < 4.5 * lines(125)


def test_a_struct_without_members() -> None:
    main = keccak_256(keccak_256(b"Main(Empty m)Empty()") + keccak_256(keccak_256(b"Empty()")))
    separator = keccak_256(keccak_256(b"EIP712Domain()"))
    assert digest(of("Empty", {}, Empty=[])) == keccak_256(b"\x19\x01" + separator + main)
    with pytest.raises(MalformedPayloadError):
        digest(of("Empty", {"m": 1}, Empty=[]))


def test_what_the_usage_log_learns() -> None:
    assert made.prepare("typed-data", MAIL).intent.summary() == {
        "opaque": "true",
        "scheme": "EIP-712",
        "primary_type": "Mail",
        "domain": "Ether Mail",
        "version": "1",
        "contract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
        "chain": "eip155:1",
    }
    for escape in ("\x1b[31m\n", "\x9b2J", "\u202e", "\r", "\u2028", "\x07\x1b]0;title\x07"):
        texts = dict.fromkeys(("name", "version", "verifyingContract"), escape + "x" * 200)
        document = changed(domain={"chainId": 1, **texts})
        types = {"chainId": "uint256", "name": "string", "version": "string", "verifyingContract": "string"}
        document["types"]["EIP712Domain"] = [{"name": name, "type": type_} for name, type_ in types.items()]
        summary = made.prepare("typed-data", document).intent.summary()
        for shown in (summary["domain"], summary["version"], summary["contract"]):
            assert shown.isprintable()
            assert shown.startswith("?")
            assert len(shown) <= 100


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_json_text_is_the_same_document(data: st.DataObject) -> None:
    from tests.unit.networks.evm import payloads

    document = data.draw(payloads.documents(any_order=True))
    assert digest(json.dumps(document)) == digest(document) == digest(json.dumps(document).encode())
