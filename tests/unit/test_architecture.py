"""The shape of the code, as far as import-linter does not see it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import strongroom
from strongroom.model import SEALED_PREFIX

PACKAGE = Path(strongroom.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGER = {
    "errors.py": "one tree, drawn and defined in one place",
    "store/statements.py": "every statement in one place",
    "model.py": "records: fields and their docstrings",
    "vault.py": "docstrings of the public verbs",
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
    limit = 1000 if name(module) in LONGER else 300
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


def test_nothing_asks_what_search_path_shows() -> None:
    """docs/adr/0021: tables are where they were found; ``is_located`` says so in statements about the catalogue."""
    asking = ("pg_table_is_visible", "to_regclass", "current_schema()")
    users = {name(module) for module in MODULES for each in asking if each in module.read_text()}
    assert users == {"store/connection/engine.py"}  # SQLAlchemy's own first question


def test_one_module_says_what_sealed_texts_begin_with() -> None:
    assert [name(module) for module in MODULES if SEALED_PREFIX in module.read_text()] == ["model.py"]


def test_private_files_are_written_in_one_place() -> None:
    """Whole or not at all, mode 0600, durable: ``files.write_private``. The other one makes an empty database."""
    makers = {name(module) for module in MODULES if "os.O_CREAT" in module.read_text()}
    assert makers == {"files.py", "store/connection/engine.py"}
    assert {name(module) for module in MODULES if "os.link(" in module.read_text()} == {"files.py"}
