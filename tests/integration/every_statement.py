"""Every statement that the store layer can build: whatever a class of statements has that is, or returns, SQL."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, combinations, product
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from sqlalchemy import Dialect

import strongroom
from strongroom.store import statements
from strongroom.store.catalog.profile import Profile
from strongroom.store.catalog.sharding import TENANTS
from strongroom.store.statements import Statements
from strongroom.store.statements.building import Statement, StatementBuilder
from strongroom.store.statements.column_forms import ColumnForms
from strongroom.store.statements.repair import RepairStatements

SOURCE = Path(strongroom.__file__).parent
FORMS = frozenset({ColumnForms, StatementBuilder})
"""What all statements are built of: their methods are forms of columns and values."""
FRAGMENTS = frozenset(
    {
        *("levels", "head_columns", "insert_log_from", "insert_logs"),
        # of repair and inspection
        *("has", "short", "id_parameter", "same_id", "same_project", "of_stored_project", "kept_of"),
        "first_place",  # of pages
    }
)
"""What returns a part of a statement, or says something about the schema."""
_KEYS = ("private_key_encrypted", "vault_storage.encrypted_private_key")
_LOG = ("wallet", "project_id", "actor", "actor_id", "action", "since", "until", "before")
_SEARCH = ("project_id", "network", "search")
ARGUMENTS: Mapping[str, Sequence[tuple[Any, ...]]] = {
    "usage_log": [(frozenset(given),) for n in range(len(_LOG) + 1) for given in combinations(_LOG, n)],
    "events": [(frozenset(given),) for n in range(len(_LOG) + 1) for given in combinations(_LOG, n)],
    "search_page": [(frozenset(given),) for n in range(len(_SEARCH) + 1) for given in combinations(_SEARCH, n)],
    "count": list(product(("project_credentials", "credential_vault_storage"), (False, True))),
    "update": list(product(("project_credentials", "credential_vault_storage"), (("updated_at",),))),
    "drop_members": [(_KEYS,)],
}
"""What methods are called with whose arguments are more than flags."""
_NO_STATEMENTS = frozenset({Statement, Statements, *FORMS})
_RESULTS = ("str", "str | None")
_OWNER = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE) +(?:ONLY +)?(?:\{([^}]+)\}|([a-z_]+))")


class Built(NamedTuple):
    """A statement as it is built for some arguments."""

    name: str
    """Of the property or method that builds it."""
    of_project: bool
    """Whether the arguments say that a project is given."""
    text: str


def every_statement(dialect: Dialect, profile: Profile) -> Iterator[Built]:
    """All of them, for tables of ours that are divided. AssertionError where something is not known how to be built."""
    seen = set[Built]()
    for part in _parts(dialect, profile):
        for kind in type(part).__mro__[:-1]:
            for name, value in vars(kind).items():
                if not name.startswith("_") and name not in FRAGMENTS:
                    found = set(_built(part, kind, name, value)) - seen
                    seen |= found
                    yield from found


def _parts(dialect: Dialect, profile: Profile) -> list[Any]:
    """What has statements: the parts of ``Statements``, and those of repair and inspection."""
    built, repair = Statements(dialect, sharded=True), RepairStatements(profile, sqlite=False)
    return [*(getattr(built, name) for name in Statements.PARTS), repair, repair.reading]


def _built(part: Any, kind: type, name: str, value: Any) -> Iterator[Built]:
    if isinstance(value, (Statement, property, cached_property)):
        yield from (Built(name, False, text) for text in _texts(getattr(part, name)))
    elif isinstance(value, FunctionType) and kind not in FORMS:
        for given, flags in _calls(name, value):
            of_project = flags.get("of_project", False) or any("project_id" in each for each in _sets(given))
            found = getattr(part, name)(*given, **flags)
            assert isinstance(found, str), f"{kind.__name__}.{name} returns no statement: is it a fragment?"
            yield Built(name, of_project or True in given[1:], found)
    elif isinstance(value, (staticmethod, classmethod)) and kind not in FORMS:
        raise AssertionError(f"{kind.__name__}.{name} is not read: is it a fragment?")


def _sets(given: tuple[Any, ...]) -> Iterator[frozenset[str]]:
    return (each for each in given if isinstance(each, frozenset))


def _texts(value: Any) -> Iterator[str]:
    """The texts in what a property returns: a statement, or some of them, by table or one after another."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from chain.from_iterable(map(_texts, value.values()))
    elif isinstance(value, tuple):
        yield from chain.from_iterable(map(_texts, value))


def _calls(name: str, method: FunctionType) -> Iterator[tuple[tuple[Any, ...], dict[str, bool]]]:
    """Arguments with which a method builds each of its statements."""
    if name in ARGUMENTS:
        yield from ((given, {}) for given in ARGUMENTS[name])
        return
    signature = inspect.signature(method)
    flags = [each for each in signature.parameters.values() if each.name != "self"]
    known = all(each.annotation == "bool" for each in flags) and signature.return_annotation in _RESULTS
    assert known, f"{name}{signature} is not read: say in ARGUMENTS what it is called with, or that it is a fragment"
    for values in product((False, True), repeat=len(flags)):
        yield (), dict(zip((each.name for each in flags), values, strict=True))


# --- where else there could be one -------------------------------------------------------------------------------


def unread_classes(dialect: Dialect, profile: Profile) -> set[str]:
    """The classes of ``strongroom.store.statements`` that have statements, and of which nothing is read."""
    known = {kind for part in _parts(dialect, profile) for kind in type(part).__mro__} | _NO_STATEMENTS
    found = {kind for module in _modules() for kind in _classes(module)}
    return {kind.__name__ for kind in found - known if not issubclass(kind, tuple)}


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(statements.__path__, f"{statements.__name__}."):
        yield importlib.import_module(found.name)


def _classes(module: ModuleType) -> Iterator[type]:
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__.startswith(statements.__name__):
            yield value


def written_elsewhere() -> set[str]:
    """The modules outside of those classes that have SQL which names a tenant's table, or one that is not told there.

    Names in braces are looked up in their module.
    """
    found = set()
    for file in sorted(SOURCE.rglob("*.py")):
        if file.parent.name == "statements":
            continue
        name = ".".join(("strongroom", *file.relative_to(SOURCE).with_suffix("").parts))
        if "FROM " in file.read_text() or "INTO " in file.read_text() or "UPDATE " in file.read_text():
            module = None if name.split(".")[-1][0].isdigit() else importlib.import_module(name)
            if any(_names_tenant(text, module) for text in _sql_of(file)):
                found.add(file.relative_to(SOURCE).as_posix())
    return found


def _sql_of(file: Path) -> Iterator[str]:
    """The texts of a module, those with values in them as they are written; without its docstrings."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            yield ast.unparse(node).replace("\\n", "\n")


def _names_tenant(text: str, module: ModuleType | None) -> bool:
    for expression, literal in _OWNER.findall(text):
        named = literal or _looked_up(module, expression)
        if named in TENANTS or (expression and named is None):
            return True
    return False


def _looked_up(module: ModuleType | None, expression: str) -> Any:
    found: Any = module
    for name in expression.split("."):
        found = getattr(found, name, None)
    return found
