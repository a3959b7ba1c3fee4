"""Typed structured data, as ``eth_signTypedData_v4`` takes it. EIP-712.

Stricter than most libraries: no value missing but that of a struct, which is null as MetaMask and eth-account have it
in version 4; nothing that the types do not name, unless a call lets it pass; no value that one library reads so and
another otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from strongroom.errors import MalformedPayloadError
from strongroom.networks.evm import reading, typed_types, typed_values
from strongroom.networks.evm.typed_types import Types
from strongroom.networks.keccak import keccak_256

DOMAIN = "EIP712Domain"
MAX_DEPTH = 64
MAX_VALUES = 100_000
MAX_BYTES = reading.MAX_BYTES
"""Of all text and bytes in values together, as they are written."""
_NULL_STRUCT = bytes(32)
_MOST_NAMED = 8
"""How many members of a kind the usage log names."""
_PARTS = {name: name for name in ("types", "primaryType", "domain", "message")}
_DOMAIN_MEMBERS = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
    ("salt", "bytes32"),
)


class TypedData(NamedTuple):
    """A document of EIP-712 after it was checked: its digest, and what people review."""

    digest: bytes
    """What is signed: the hash of 0x1901, the domain's hash and the message's."""
    primary_type: str
    domain: dict[str, Any]
    """The domain's fields that its type names, as they were given and checked."""
    chain_id: int | None
    """The chain of the domain, or None where it names none."""
    null_members: tuple[str, ...] = ()
    """Members of struct types that are missing, or null without an end of recursion: ``Type.member``; 8 at most."""
    extra_members: tuple[str, ...] = ()
    """Members that the types do not name, and so nobody signs: ``Type.member``; 8 at most."""
    members: tuple[typed_types.Member, ...] = ()
    """Those of the primary type."""
    message: Mapping[str, Any] = MappingProxyType({})
    """As it was given, and checked."""


def read(payload: object, *, allow_extra_members: bool = False) -> TypedData:
    """Read and hash a document: a mapping of types, primaryType, domain and message, or its JSON text.

    A domain whose type is not among the types is of those standard fields that it has. A member of a struct type that
    is missing is null. Members that the types do not name are left out where ``allow_extra_members`` says so, as
    eth-account and eth-sig-util do; otherwise, and for everything else, raises MalformedPayloadError.
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
    encoder = _Encoder(types, allow_extra_members=allow_extra_members)
    separator = encoder.struct(DOMAIN, domain, 0)
    digest = keccak_256(b"\x19\x01" + separator + encoder.struct(primary_type, parts["message"], 0))
    named = {member.name: domain[member.name] for member in types.members(DOMAIN) if member.name in domain}
    chain_id = _chain_id(types, named)
    return TypedData(
        digest,
        primary_type,
        named,
        chain_id,
        tuple(encoder.null_members),
        tuple(encoder.extra_members),
        types.members(primary_type),
        reading.mapping(parts["message"], "message"),
    )


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
            chain_id = typed_values.integer(domain.get(member.name)) if "int" in member.type else None
            if chain_id is None or member.name != "chainId":
                raise MalformedPayloadError("The chain id of the domain is not the field chainId of an integer type.")
            return chain_id
    return None


class _Encoder:
    """Encodes the values of one document; counts them, since a document may be small and still unfold indefinitely."""

    def __init__(self, types: Types, *, allow_extra_members: bool) -> None:
        self._types = types
        self._allow_extra_members = allow_extra_members
        self._left = MAX_VALUES
        self._bytes_left = MAX_BYTES
        self._arrays: dict[str, tuple[str, int | None] | None] = {}
        self.null_members: dict[str, None] = {}
        self.extra_members: dict[str, None] = {}

    def struct(self, name: str, value: object, depth: int) -> bytes:
        """hashStruct: the hash of the type's hash and every member's word."""
        fields = reading.mapping(value, f"The value of type {reading.shown(name)}")
        members = self._types.members(name)
        present = 0
        for member in members:
            if member.name in fields:
                present += 1
            elif member.type not in self._types:
                raise MalformedPayloadError(
                    f"The value of type {reading.shown(name)} lacks the member {reading.shown(member.name)}."
                )
            if fields.get(member.name) is None and member.type in self._types:
                standard = member.name in fields and self._types.is_recursive(member.type)
                _note(self.null_members, "" if standard else f"{name}.{member.name}")
        if len(fields) != present:
            self._check_extra(name, fields)
        words = [self._types.hash(name)]
        words += [self._word(member.type, fields.get(member.name), depth + 1) for member in members]
        return keccak_256(b"".join(words))

    def _check_extra(self, name: str, fields: dict[Any, Any]) -> None:
        known = {member.name for member in self._types.members(name)}
        for extra in fields:
            if extra in known:
                continue
            if not self._allow_extra_members:
                raise MalformedPayloadError(
                    f"The value of type {reading.shown(name)} has a member that the type has not: "
                    f"{reading.shown(extra)}.",
                    hint="Leave it out, or add it to the type. allow_extra_members=True (--allow-extra-members) signs "
                    "without it, as eth-account and eth-sig-util do.",
                )
            _note(self.extra_members, f"{name}.{reading.shown(extra)}")

    def _word(self, type_: str, value: object, depth: int) -> bytes:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise MalformedPayloadError(
                f"The document has more than {MAX_VALUES} values, or is more than {MAX_DEPTH} levels deep."
            )
        encode = typed_values.ENCODERS.get(type_)
        if encode is not None:
            self._bytes_left -= reading.size_of(value)
            if self._bytes_left < 0:
                raise MalformedPayloadError(f"The values of the document are longer than {MAX_BYTES} bytes.")
            return encode(value)
        array = self._array_type(type_)
        if array is not None:
            return self._array(array[0], array[1], value, depth)
        if value is None:
            return _NULL_STRUCT  # eth_signTypedData_v4
        return self.struct(type_, value, depth)

    def _array_type(self, type_: str) -> tuple[str, int | None] | None:
        """The type of an array's elements and its size; taken apart once, however many values have it."""
        if type_ not in self._arrays:
            self._arrays[type_] = typed_types.array(type_)
        return self._arrays[type_]

    def _array(self, element: str, size: int | None, value: object, depth: int) -> bytes:
        values = reading.items(value, "The value of an array", MAX_VALUES)
        if size is not None and len(values) != size:
            raise MalformedPayloadError("An array of fixed size has more or fewer values.")
        if element in self._types and None in values and not self._types.is_recursive(element):
            _note(self.null_members, f"{element}[]")
        return keccak_256(b"".join([self._word(element, each, depth + 1) for each in values]))


def _note(names: dict[str, None], name: str) -> None:
    if name and len(names) < _MOST_NAMED:
        names[name] = None
