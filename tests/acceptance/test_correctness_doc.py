"""docs/correctness.md names every write, and every name in it exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from strongroom.errors import all_errors
from strongroom.store import schema
from strongroom.store.statements import Statements
from strongroom.store.statements.inspection import InspectionStatements
from strongroom.store.statements.repair import RepairStatements

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "correctness.md").read_text()
CODE = set(re.findall(r"`([^`\n]+)`", DOCUMENT))
WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE)\b(?! OF)")
STORES = ("store/*.py", "store/migrations/*.py", "store/guard/installer.py", "takeover/migrate/session.py")
ROWS = ("arbiter", "two callers", "after a crash", "attacked by")


def writing_statements() -> set[str]:
    """The names of all statements of the stores that write, on either engine."""
    found = {"authorize"}
    for dialect in (postgresql.psycopg.dialect(), sqlite.dialect()):  # type: ignore[no-untyped-call]
        statements = Statements(dialect)
        for name in Statements.names():
            sql = statements[name].replace("FOR UPDATE", "")
            if WRITES.search(sql):
                found.add(name)
    source = ast.parse((ROOT / "src/strongroom/store/statements/repair.py").read_text())
    for function in (node for node in ast.walk(source) if isinstance(node, ast.FunctionDef)):
        texts = [node.value for node in ast.walk(function) if isinstance(node, ast.Constant)]
        if function.name[0] != "_" and any(isinstance(text, str) and _is_written(text) for text in texts):
            found.add(function.name)
    return found


def _is_written(text: str) -> bool:
    return re.match(r"(INSERT INTO|UPDATE|DELETE FROM) ", text) is not None


def writers() -> set[str]:
    """Public methods of the stores, and functions, that run a transaction or a writing statement."""
    found = set()
    for pattern in STORES:
        for file in sorted((ROOT / "src/strongroom").glob(pattern)):
            if file.name in ("database.py", "context.py"):
                continue
            for place in ast.walk(ast.parse(file.read_text())):
                if isinstance(place, ast.ClassDef):
                    found |= {f"{place.name}.{name}" for name in _writing_methods(place)}
    return found


def _writing_methods(place: ast.ClassDef) -> Iterator[str]:
    methods = [node for node in place.body if isinstance(node, ast.FunctionDef)]
    writing = {"transact", "write_statement"}
    writing |= {method.name for method in methods if method.name[0] == "_" and _called(method) & writing}
    yield from (method.name for method in methods if method.name[0] != "_" and _called(method) & writing)


def _called(function: ast.FunctionDef) -> set[str]:
    return {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}


def attack(name: str) -> Path:
    """A file of tests/attacks, whose folders documents leave out."""
    found = list((ROOT / "tests" / "attacks").rglob(name))
    assert len(found) == 1, f"{name}: {found}"
    return found[0]


def test_every_attack_that_reliability_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+\.py)`", (ROOT / "docs" / "reliability.md").read_text()))
    assert named == {file.name for file in (ROOT / "tests" / "attacks").rglob("test_*.py")}
    assert all(attack(name).is_file() for name in named)


def sections() -> dict[str, str]:
    parts = re.split(r"^###? (.+)$", DOCUMENT, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_statement_that_writes_is_on_the_page() -> None:
    statements = writing_statements()
    assert len(statements) > 30
    assert statements - CODE == set()


REPLACED = {"delete_nonce", "delete_record", "delete_slot", "delete_untagged_nonce", "delete_phrase"}
"""What an upgrade deletes, or a repair of a phrase, because it writes it anew in the same transaction."""
REPLACING = ("tag_store.py", "register_store.py", "register.py", "phrase_store.py", "phrases.py")


def test_what_is_deleted_for_good_is_wraps_of_a_root_key_alone() -> None:
    for dialect in (postgresql.psycopg.dialect(), sqlite.dialect()):  # type: ignore[no-untyped-call]
        statements = Statements(dialect)
        deleting = {name for name in Statements.names() if "DELETE" in statements[name]}
        assert deleting == {"delete_wraps", *REPLACED}
    for file in (ROOT / "src/strongroom").rglob("*.py"):
        if file.name not in REPLACING:
            assert not REPLACED & set(re.findall(r"\w+", file.read_text())), file
    for name in ("statements/repair.py", "statements/keyring.py", "statements/wallets.py", "change_writer.py"):
        assert "DELETE FROM" not in (ROOT / "src/strongroom/store" / name).read_text()


def test_every_method_that_writes_is_on_the_page() -> None:
    assert len(writers()) > 15
    assert writers() - CODE == set()


def test_every_statement_on_the_page_exists() -> None:
    known = {*Statements.names(), "authorize", *_public(RepairStatements), *_public(InspectionStatements)}
    rows = re.findall(r"^\| statement \| (.+) \|$", DOCUMENT, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z]+(?:_[a-z]+)*)`", row)}
    assert named - known - {"link"} == set()


def _public(kind: type) -> set[str]:
    return {name for name in vars(kind) if name[0] != "_"}


def test_every_method_on_the_page_exists() -> None:
    named = {name for name in CODE if re.fullmatch(r"[A-Z]\w+\.[a-z]\w+", name)}
    assert named - writers() == set()


def test_every_key_and_table_on_the_page_exists() -> None:
    names = {schema.VERSION_TABLE, *schema.TABLES}
    for table in schema.metadata.tables.values():
        names |= {str(each.name) for each in table.constraints} | {str(each.name) for each in table.indexes}
    named = {name for name in CODE if re.fullmatch(r"(strongroom|unique|credential_vault)_\w+", name)}
    assert len(named) >= 12
    assert named - names == set()


def test_every_error_on_the_page_exists() -> None:
    named = set(re.findall(r"\b[A-Z]\w+Error\b", DOCUMENT))
    assert named <= {kind.__name__ for kind in all_errors()}


def named_tests() -> list[str]:
    return sorted(name for name in CODE if re.fullmatch(r"(tests/[\w/]+|test_\w+)\.py(::\w+)?", name))


@pytest.mark.parametrize("name", named_tests())
def test_every_test_on_the_page_exists(name: str) -> None:
    file, _, test = name.partition("::")
    path = ROOT / file if "/" in file else attack(file)
    assert path.exists()
    tests = {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}
    assert (test in tests) if test else any(each.startswith("test_") for each in tests)


def test_every_write_says_all_that_is_to_be_said() -> None:
    tables = {name: text for name, text in sections().items() if "| statement |" in text}
    assert len(tables) >= 14
    for name, text in tables.items():
        missing = [row for row in ROWS if f"\n| {row} |" not in text]
        assert missing == [], name
        assert "\n| isolation |" in text, name
