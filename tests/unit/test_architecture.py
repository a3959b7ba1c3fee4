"""The shape of the code, as far as import-linter does not see it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import strongroom
from strongroom.records.vault_texts import SEALED_PREFIX

PACKAGE = Path(strongroom.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGER = {
    "errors.py": "one tree, drawn and defined in one place",
    "vault/vault.py": "docstrings of the public verbs",
    "takeover/face.py": "docstrings of the public verbs",
}
VAGUE = {"utils", "common", "helpers", "misc", "manager", "service", "base"}


def name(module: Path) -> str:
    return str(module.relative_to(PACKAGE))


def functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function's body without its docstring."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - first.lineno + 1 - docstring


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 50


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_does_one_thing(module: Path) -> None:
    assert module.stem not in VAGUE
    limit = 1100 if name(module) in LONGER else 300
    assert len(module.read_text().splitlines()) <= limit
    if module.parent.name == "versions":
        return  # declarations of tables
    assert [f"{each.name}: {code_lines(each)}" for each in functions(module) if code_lines(each) > 60] == []


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_what_is_public_is_documented(module: Path) -> None:
    tree = ast.parse(module.read_text())
    assert ast.get_docstring(tree), "the module says what it is for"
    if module.parent.name == "versions":
        return
    missing = [
        node.name
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert missing == []


def members(node: ast.ClassDef) -> dict[str, ast.AST]:
    """What a class has by name: functions, fields, and what its functions assign to ``self``."""
    found: dict[str, ast.AST] = {}
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == "self":
            found.setdefault(each.attr, each)
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            found[each.target.id] = each
        elif isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found[each.name] = each
    return {name: each for name, each in found.items() if not name.startswith("_")}


CLASSES = [
    (name(module), node)
    for module in MODULES
    for node in ast.parse(module.read_text()).body
    if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
]
PROTOCOLS = [
    members(node)
    for _, node in CLASSES
    if any(ast.unparse(each).partition("[")[0] == "Protocol" for each in node.bases)
]
"""The names of each protocol's members. What they promise is documented there, and need not be said again."""


def test_no_two_public_classes_have_one_name() -> None:
    """One word for one idea: a protocol and what implements it are two classes, and have two names."""
    homes: dict[str, set[str]] = {}
    for module, node in CLASSES:
        homes.setdefault(node.name, set()).add(module)
    assert {each: sorted(modules) for each, modules in homes.items() if len(modules) > 1} == {}


BASES = {node.name: node for _, node in CLASSES}


def with_inherited(node: ast.ClassDef) -> set[str]:
    """The names of a class's members, those of its bases in this package included."""
    bases = (BASES.get(ast.unparse(each).partition("[")[0]) for each in node.bases)
    return set(members(node)).union(*(with_inherited(each) for each in bases if each is not None))


def is_documented(member: ast.AST) -> bool:
    if not isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return True
    repeated = any("overload" in ast.unparse(each) or "setter" in ast.unparse(each) for each in member.decorator_list)
    return repeated or ast.get_docstring(member) is not None


def test_members_of_public_classes_are_documented_there_or_by_their_protocol() -> None:
    missing = []
    for module, node in CLASSES:
        own, there = members(node), with_inherited(node)
        kept = {each for protocol in PROTOCOLS if protocol.keys() <= there for each in protocol}
        missing += [
            f"{module}: {node.name}.{each}" for each in own if each not in kept and not is_documented(own[each])
        ]
    assert missing == []


def test_protocols_document_every_member() -> None:
    assert len(PROTOCOLS) > 20
    assert [each for protocol in PROTOCOLS for each in protocol if not is_documented(protocol[each])] == []


def test_no_public_docstring_says_nothing() -> None:
    """One of three words or fewer says neither units nor formats. ``See Vault.sign_message.`` names who does."""
    found = [
        f"{name(module)}: {node.name}: {docstring}"
        for module in MODULES
        if module.parent.name != "versions"
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        and not node.name.startswith("_")
        and len((docstring := ast.get_docstring(node) or "").split()) in range(1, 4)
        and not docstring.startswith("See ")
    ]
    assert found == []


def test_one_module_names_pycryptodome() -> None:
    """docs/adr/0002: it is here for one function."""
    assert [name(module) for module in MODULES if "from Crypto" in module.read_text()] == ["networks/keccak.py"]


def test_no_randomness_that_can_be_guessed() -> None:
    """``random`` is for jitter only."""
    users = [name(module) for module in MODULES if "import random" in module.read_text()]
    assert users == ["store/connection/database.py", "store/migrations/migrate.py"]


def test_sql_is_executed_in_one_place() -> None:
    users = [
        name(module)
        for module in MODULES
        if ".execute(" in module.read_text() and not name(module).startswith("store/migrations")
    ]
    assert users == ["store/connection/caller_drivers.py", "store/connection/engine.py", "store/connection/session.py"]


SQL = re.compile(
    r"\s*(?:SELECT\s|INSERT INTO\s|UPDATE \w|DELETE FROM\s|WITH \w+ AS|CREATE (?:SCHEMA|TRIGGER|EVENT|FUNCTION|OR)\b"
    r"|ALTER (?:TABLE|SCHEMA)\s|DROP (?:SCHEMA|TABLE|TRIGGER|EVENT|FUNCTION|INDEX|OWNED)\b"
    r"|GRANT \w|REVOKE \w|LOCK TABLE\s|PRAGMA \w|SET (?:LOCAL|SESSION)\s)"
)
SQL_ELSEWHERE = (
    *("store/connection/", "store/guard/", "store/migrations/"),
    *("takeover/doctor/other_ids.py",),
)


def texts(module: Path) -> Iterator[str]:
    """The strings of a module, without docstrings; of an f-string what stands before its first value."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_sql_is_written_where_the_decision_says() -> None:
    """docs/adr/0035."""
    places = ("store/statements/", "store/catalog/", *SQL_ELSEWHERE)
    others = {name(each) for each in MODULES if not name(each).startswith(places) and any(map(SQL.match, texts(each)))}
    assert others == set()


def test_nothing_asks_what_search_path_shows() -> None:
    """docs/adr/0021: tables are where they were found; ``is_located`` says so in statements about the catalogue."""
    asking = ("pg_table_is_visible", "to_regclass", "current_schema()")
    users = {name(module) for module in MODULES for each in asking if each in module.read_text()}
    assert users == {"store/connection/engine.py"}  # SQLAlchemy's own first question


def test_one_module_says_what_sealed_texts_begin_with() -> None:
    assert [name(module) for module in MODULES if SEALED_PREFIX in module.read_text()] == ["records/vault_texts.py"]


def test_private_files_are_written_in_one_place() -> None:
    """Whole or not at all, mode 0600, durable: ``files.write_private``. The other one makes an empty database."""
    makers = {name(module) for module in MODULES if "os.O_CREAT" in module.read_text()}
    assert makers == {"host/files.py", "store/connection/engine.py"}
    assert {name(module) for module in MODULES if "os.link(" in module.read_text()} == {"host/files.py"}
