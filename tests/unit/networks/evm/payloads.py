"""Random payloads, in the spelling that eth-account takes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from strongroom.networks.evm import eip55
from testbed.networks import evm_payloads
from testbed.networks.known import keys

NETWORKS = st.sampled_from(sorted(evm_payloads.CHAINS))
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
_EDGES = st.sampled_from((0, 1, 127, 128, 255, 256, 2**64 - 1, 2**256 - 1))
_WORDS = _EDGES | st.integers(0, 2**256 - 1)
ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: eip55.checksummed(raw.hex()))
_DATA = st.binary(max_size=70) | st.sampled_from((b"\x7f", b"\x80", bytes(55), bytes(56), bytes(256)))
_NONCES = st.sampled_from((0, 127, 128, 2**53 - 1)) | st.integers(0, 2**53 - 1)  # what JavaScript counts to
ACCESS_LISTS = st.lists(
    st.fixed_dictionaries(
        {
            "address": ADDRESSES,
            "storageKeys": st.lists(st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex()), max_size=3),
        }
    ),
    max_size=3,
)


def _call(chain_id: int) -> dict[str, st.SearchStrategy[Any]]:
    return {
        "chainId": st.just(chain_id),
        "nonce": _NONCES,
        "gas": _WORDS,
        "to": ADDRESSES,
        "value": _WORDS,
        "data": _DATA,
    }


@st.composite
def authorizations(draw: st.DrawFn, chain_id: int) -> dict[str, Any]:
    """Signed ones, of random keys."""
    asked = {"chainId": draw(st.sampled_from((0, chain_id))), "address": draw(ADDRESSES), "nonce": draw(_NONCES)}
    made = evm_payloads.Account.sign_authorization(asked, draw(keys()))
    return {**asked, "yParity": made.y_parity, "r": made.r, "s": made.s}


@st.composite
def transactions(draw: st.DrawFn, type_: int, chain_id: int) -> dict[str, Any]:
    """Of one type."""
    fields = _call(chain_id)
    if type_ <= 1:
        fields["gasPrice"] = _WORDS
    if type_ >= 1:
        fields |= {"type": st.just(type_), "accessList": ACCESS_LISTS}
    if type_ <= 2:
        fields["to"] = ADDRESSES | st.just("")
    if type_ == 3:
        hashes = st.binary(min_size=31, max_size=31).map(lambda raw: "0x01" + raw.hex())
        fields |= {"maxFeePerBlobGas": _WORDS, "blobVersionedHashes": st.lists(hashes, min_size=1, max_size=6)}
    if type_ == 4:
        fields["authorizationList"] = st.lists(authorizations(chain_id), min_size=1, max_size=3)
    made = draw(st.fixed_dictionaries(fields))
    if type_ >= 2:
        fees = sorted((draw(_WORDS), draw(_WORDS)))
        made |= {"maxPriorityFeePerGas": fees[0], "maxFeePerGas": fees[1]}
    return made


# --- typed data ----------------------------------------------------------------------------------------------

_DOMAIN = {
    "name": ("string", TEXT),
    "version": ("string", TEXT),
    "chainId": ("uint256", st.just("1")),
    "verifyingContract": ("address", ADDRESSES),
    "salt": ("bytes32", st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex())),
}
_BITS = st.integers(1, 32).map(lambda octets: 8 * octets)
_ATOMS = (
    st.sampled_from(("bool", "address", "bytes", "string"))
    | _BITS.map(lambda bits: f"uint{bits}")
    | _BITS.map(lambda bits: f"int{bits}")
    | st.integers(1, 32).map(lambda size: f"bytes{size}")
)
_DIMENSIONS = st.sampled_from(("", "", "", "[]", "[2]", "[][2]", "[1][]"))


@st.composite
def documents(draw: st.DrawFn, any_order: bool = False) -> dict[str, Any]:
    """Documents whose types form a tree below the primary type. Numbers are text, which every library reads alike."""
    names = draw(st.lists(st.sampled_from(sorted(_DOMAIN)), unique=True)) if any_order else None
    chosen = names if names is not None else [name for name in _DOMAIN if draw(st.booleans())]
    count = draw(st.integers(1, 4))
    structs = [f"T{draw(st.sampled_from('xyz'))}{number}" for number in range(count)]
    types: dict[str, list[dict[str, str]]] = {}
    for number, struct in enumerate(structs):
        below = structs[number + 1 :]
        inner = [
            draw(_ATOMS | st.sampled_from(below)) if below else draw(_ATOMS) for _ in range(draw(st.integers(0, 4)))
        ]
        inner += below[:1]
        types[struct] = [{"name": f"m{index}", "type": base + draw(_DIMENSIONS)} for index, base in enumerate(inner)]
    return {
        "types": {"EIP712Domain": [{"name": name, "type": _DOMAIN[name][0]} for name in chosen], **types},
        "primaryType": structs[0],
        "domain": {name: draw(_DOMAIN[name][1]) for name in chosen},
        "message": {member["name"]: draw(_value(member["type"], types)) for member in types[structs[0]]},
    }


def _value(type_: str, types: dict[str, list[dict[str, str]]]) -> st.SearchStrategy[Any]:
    if type_.endswith("]"):
        element, size = type_[:-1].rsplit("[", 1)
        exact = int(size) if size else None
        return st.lists(_value(element, types), min_size=exact or 0, max_size=3 if exact is None else exact)
    if type_ in types:
        return st.fixed_dictionaries({member["name"]: _value(member["type"], types) for member in types[type_]})
    if type_.startswith(("uint", "int")):
        bits = int(type_.lstrip("uint"))
        low, high = (0, 2**bits - 1) if type_[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return (st.sampled_from((low, high)) | st.integers(low, high)).map(str)
    if type_.startswith("bytes"):
        size_ = int(type_[5:]) if type_[5:] else None
        raw = st.binary(max_size=70) if size_ is None else st.binary(min_size=size_, max_size=size_)
        return raw.map(lambda each: "0x" + each.hex())
    return {"bool": st.booleans(), "address": ADDRESSES, "string": TEXT}[type_]
