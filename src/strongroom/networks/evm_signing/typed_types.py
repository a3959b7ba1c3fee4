"""The types of typed data: definitions, which of them a type needs, its hash. EIP-712, encodeType."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from strongroom.errors import MalformedPayloadError
from strongroom.networks.evm_signing import reading
from strongroom.networks.evm_signing.typed_values import ENCODERS
from strongroom.networks.keccak import keccak_256

MAX_TYPES = 256
MAX_DEFINITIONS_CHARACTERS = 1 << 16
"""Of all definitions together: each type's hash is taken over those of all the types that it needs."""
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$:.\-]{0,255}")
"""Solidity's identifiers, and the colons that live applications have in type names; nothing that could be read as a
part of an encoded type."""
_TYPE = re.compile(rf"({_NAME.pattern})((?:\[(?:[1-9][0-9]{{0,8}})?\]){{0,16}})")
_LAST_DIMENSION = re.compile(r"(.*)\[([0-9]*)\]", re.DOTALL)
_MEMBER_FIELDS = frozenset(("name", "type"))


class Member(NamedTuple):
    """A member of a struct."""

    name: str
    type: str
    base: str
    """The type without the dimensions of arrays."""


class Types:
    """Structs by name, every one checked: its members' types are atomic, dynamic, or structs that are there."""

    def __init__(self, definitions: dict[str, tuple[Member, ...]]) -> None:
        self._definitions = definitions
        self._hashes: dict[str, bytes] = {}

    @classmethod
    def read(cls, value: object) -> Types:
        """Read the ``types`` of a document. Raises MalformedPayloadError."""
        read = reading.mapping(value, "types")
        if len(read) > MAX_TYPES:
            raise MalformedPayloadError(f"types has more than {MAX_TYPES} types.")
        definitions = {_struct_name(name): _members(members) for name, members in read.items()}
        every = [member for members in definitions.values() for member in members]
        size = sum(map(len, definitions)) + sum(len(member.name) + len(member.type) for member in every)
        if size > MAX_DEFINITIONS_CHARACTERS:
            raise MalformedPayloadError(f"types is longer than {MAX_DEFINITIONS_CHARACTERS} characters.")
        for member in every:
            if member.base not in ENCODERS and member.base not in definitions:
                raise MalformedPayloadError(f"types does not define a type that it uses: {reading.shown(member.base)}.")
        return cls(definitions)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._definitions

    def members(self, name: str) -> tuple[Member, ...]:
        """The members of a struct."""
        return self._definitions[name]

    def hash(self, name: str) -> bytes:
        """The hash of a struct's encoded type, 32 bytes: its own definition, then those that it needs, sorted."""
        found = self._hashes.get(name)
        if found is None:
            text = "".join(map(self._encoded, (name, *sorted(self._needed(name) - {name}))))
            found = self._hashes[name] = keccak_256(text.encode())
        return found

    def is_recursive(self, name: str) -> bool:
        """Tell whether a struct needs itself, so that a value of it can only end with null."""
        return name in self._needed(name)

    def _encoded(self, name: str) -> str:
        return f"{name}({','.join([f'{member.type} {member.name}' for member in self._definitions[name]])})"

    def _needed(self, name: str) -> set[str]:
        """The structs that a struct's members are made of; the struct itself only where it is among them."""
        found: set[str] = set()
        open_names = [name]
        while open_names:
            for member in self._definitions[open_names.pop()]:
                if member.base in self._definitions and member.base not in found:
                    found.add(member.base)
                    open_names.append(member.base)
        return found


@cache
def _reserved() -> re.Pattern[str]:
    return re.compile("u?int[0-9]*|bytes[0-9]*|u?fixed[0-9x]*|bool|address|string|byte|function")


def _struct_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or _reserved().fullmatch(name):
        raise MalformedPayloadError("types has a name that is not an identifier, or is that of an atomic type.")
    return name


def _members(value: object) -> tuple[Member, ...]:
    found = tuple(_member(each) for each in reading.items(value, "A type"))
    if len({member.name for member in found}) != len(found):
        raise MalformedPayloadError("A type has two members of one name.")
    return found


def _member(value: object) -> Member:
    fields = reading.mapping(value, "A member of a type")
    if fields.keys() != _MEMBER_FIELDS:
        raise MalformedPayloadError("A member of a type has other fields than name and type.")
    name, type_ = fields["name"], fields["type"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise MalformedPayloadError("The name of a member is not an identifier.")
    parsed = _TYPE.fullmatch(type_) if isinstance(type_, str) else None
    if parsed is None:
        raise MalformedPayloadError(f"The type of the member {reading.shown(name)} cannot be read.")
    return Member(name, type_, parsed[1])


def array(type_: str) -> tuple[str, int | None] | None:
    """The type of an array's elements and its size, None where it is dynamic; None for what is no array."""
    parsed = _LAST_DIMENSION.fullmatch(type_)
    return None if parsed is None else (parsed[1], int(parsed[2]) if parsed[2] else None)
