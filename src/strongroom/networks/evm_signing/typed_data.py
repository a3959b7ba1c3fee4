"""Typed structured data, as ``eth_signTypedData_v4`` takes it. EIP-712.

Stricter than most libraries: nothing missing, nothing that the types do not name, no value that one library reads so
and another otherwise.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from strongroom.errors import MalformedPayloadError
from strongroom.networks.evm_signing import reading, typed_types, typed_values
from strongroom.networks.evm_signing.typed_types import Types
from strongroom.networks.keccak import keccak_256

DOMAIN = "EIP712Domain"
MAX_DEPTH = 64
MAX_VALUES = 100_000
_NULL_STRUCT = bytes(32)
_PARTS = {name: name for name in ("types", "primaryType", "domain", "message")}
_DOMAIN_MEMBERS = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
    ("salt", "bytes32"),
)


class TypedData(NamedTuple):
    """A document, hashed."""

    digest: bytes
    """What is signed: the hash of 0x1901, the domain's hash and the message's."""
    primary_type: str
    domain: dict[str, Any]
    """The domain's fields, as they were given and checked."""
    chain_id: int | None
    """The chain of the domain, or None where it names none."""


def read(payload: object) -> TypedData:
    """Read and hash a document: a mapping of types, primaryType, domain and message, or its JSON text.

    A domain whose type is not among the types is of those standard fields that it has. Raises MalformedPayloadError.
    """
    parts = reading.named(reading.document(payload, "The document"), "The document", _PARTS)
    for name in _PARTS:
        if name not in parts:
            raise MalformedPayloadError(f"The document lacks {name}.")
    domain = reading.mapping(parts["domain"], "domain")
    types = Types.read(_with_domain_type(parts["types"], domain))
    primary_type = parts["primaryType"]
    if primary_type not in types or primary_type == DOMAIN:
        raise MalformedPayloadError("primaryType does not name a type of the message.")
    encoder = _Encoder(types)
    separator = encoder.struct(DOMAIN, domain, 0)
    digest = keccak_256(b"\x19\x01" + separator + encoder.struct(primary_type, parts["message"], 0))
    return TypedData(digest, primary_type, domain, _chain_id(types, domain))


def _with_domain_type(types: object, domain: dict[Any, Any]) -> dict[Any, Any]:
    read = reading.mapping(types, "types")
    if DOMAIN in read:
        return read
    members = [{"name": name, "type": type_} for name, type_ in _DOMAIN_MEMBERS if name in domain]
    return {**read, DOMAIN: members}


def _chain_id(types: Types, domain: dict[Any, Any]) -> int | None:
    """The chain of a domain, whatever width its type gives it; another type would hide it from the check."""
    for member in types.members(DOMAIN):
        if member.name.lower().replace("_", "") == "chainid":
            chain_id = typed_values.integer(domain[member.name]) if "int" in member.type else None
            if chain_id is None or member.name != "chainId":
                raise MalformedPayloadError("The chain id of the domain is not the field chainId of an integer type.")
            return chain_id
    return None


class _Encoder:
    """Encodes the values of one document; counts them, since a document may be small and still unfold for ever."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._left = MAX_VALUES

    def struct(self, name: str, value: object, depth: int) -> bytes:
        """hashStruct: the hash of the type's hash and every member's word."""
        fields = reading.mapping(value, f"The value of type {reading.shown(name)}")
        members = self._types.members(name)
        for member in members:
            if member.name not in fields:
                raise MalformedPayloadError(
                    f"The value of type {reading.shown(name)} lacks the member {reading.shown(member.name)}."
                )
        if len(fields) != len(members):
            raise MalformedPayloadError(f"The value of type {reading.shown(name)} has members that the type has not.")
        words = [self._types.hash(name)]
        words += [self._word(member.type, fields[member.name], depth + 1) for member in members]
        return keccak_256(b"".join(words))

    def _word(self, type_: str, value: object, depth: int) -> bytes:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise MalformedPayloadError(
                f"The document has more than {MAX_VALUES} values, or is more than {MAX_DEPTH} levels deep."
            )
        encode = typed_values.ENCODERS.get(type_)
        if encode is not None:
            return encode(value)
        array = typed_types.array(type_)
        if array is not None:
            return self._array(array[0], array[1], value, depth)
        if value is None and self._types.is_recursive(type_):
            return _NULL_STRUCT  # where a chain of values ends; eth_signTypedData_v4
        return self.struct(type_, value, depth)

    def _array(self, element: str, size: int | None, value: object, depth: int) -> bytes:
        values = reading.items(value, "The value of an array")
        if size is not None and len(values) != size:
            raise MalformedPayloadError("An array of fixed size has more or fewer values.")
        return keccak_256(b"".join([self._word(element, each, depth + 1) for each in values]))
