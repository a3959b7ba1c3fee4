"""The types of typed data: definitions, which of them a type needs, its hash. EIP-712, encodeType."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from strongroom.errors import MalformedPayloadError
from strongroom.networks.evm import reading
from strongroom.networks.evm.typed_values import ENCODERS
from strongroom.networks.keccak import keccak_256

MAX_TYPES = 256
MAX_DEFINITIONS_CHARACTERS = 1 << 16
"""Of all definitions together."""
MAX_HASHED_CHARACTERS = 1 << 20
"""Of what the hashes of all types are taken over: each over the definitions of all the types that it needs."""
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
        self._names = sorted(definitions)
        self._needs = _needs(definitions, self._names)
        self._recursive = {name for place, name in enumerate(self._names) if self._needs[name] >> place & 1}
        self._hashes: dict[str, bytes] = {}
        self._left = MAX_HASHED_CHARACTERS

    @classmethod
    def read(cls, value: object) -> Types:
        """Read the ``types`` of a document. Raises MalformedPayloadError."""
        read = reading.mapping(value, "types")
        if len(read) > MAX_TYPES:
            raise MalformedPayloadError(f"types has more than {MAX_TYPES} types.")
        definitions: dict[str, tuple[Member, ...]] = {}
        left = MAX_DEFINITIONS_CHARACTERS
        for name, value in read.items():
            members = _members(value)
            left -= len(_struct_name(name)) + sum(len(member.name) + len(member.type) for member in members)
            if left < 0:
                raise MalformedPayloadError(f"types is longer than {MAX_DEFINITIONS_CHARACTERS} characters.")
            definitions[name] = members
        for member in (member for members in definitions.values() for member in members):
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
            text = "".join(map(self._encoded, (name, *self._needed(name))))
            self._left -= len(text)
            if self._left < 0:
                raise MalformedPayloadError(f"The types need more than {MAX_HASHED_CHARACTERS} characters to hash.")
            found = self._hashes[name] = keccak_256(text.encode())
        return found

    def is_recursive(self, name: str) -> bool:
        """Tell whether a struct needs itself, so that a value of it can only end with null."""
        return name in self._recursive

    def _encoded(self, name: str) -> str:
        return f"{name}({','.join([f'{member.type} {member.name}' for member in self._definitions[name]])})"

    def _needed(self, name: str) -> list[str]:
        """The other structs that a struct's members are made of, sorted."""
        needs = self._needs[name]
        return [each for place, each in enumerate(self._names) if needs >> place & 1 and each != name]


def _needs(definitions: dict[str, tuple[Member, ...]], names: list[str]) -> dict[str, int]:
    """What each struct needs, itself only where it is recursive: a bit for each name, at its place.

    Warshall's closure: as many steps as pairs of types, whatever their members make of them.
    """
    bits = {name: 1 << place for place, name in enumerate(names)}
    needs = dict.fromkeys(names, 0)
    for name, members in definitions.items():
        for member in members:
            needs[name] |= bits.get(member.base, 0)
    for through, bit in bits.items():
        for name in names:
            if needs[name] & bit:
                needs[name] |= needs[through]
    return needs


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
