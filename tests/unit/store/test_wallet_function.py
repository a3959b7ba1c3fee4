"""The function that writes a wallet on its node: what it says, and what it is called with."""

from __future__ import annotations

import re

import pytest
from sqlalchemy.dialects import postgresql

from strongroom.store import schema
from strongroom.store.catalog.wallet_functions import FoundFunction
from strongroom.store.connection.own_functions import WRITES_WALLET, foreign_function
from strongroom.store.connection.qualified import qualified
from strongroom.store.statements import Statements
from strongroom.store.statements.wallet_function import WalletFunction, wallet_function

SCHEMAS = dict.fromkeys(schema.TABLES, "strongroom")
_CAST = re.compile(r"%\(\w+\)s(?:::(?:pg_catalog\.\w+|TIMESTAMP WITH TIME ZONE|\w+))?")


@pytest.fixture(scope="module")
def sql() -> Statements:
    return Statements(postgresql.psycopg.dialect(), sharded=True)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def function(sql: Statements) -> WalletFunction:
    return wallet_function(sql, SCHEMAS)


def written(text: str) -> str:
    """A text with one mark for each of its parameters, with its cast or without."""
    return re.sub(r"\$\d+", "?", _CAST.sub("?", text))


def test_its_body_is_the_statements_that_write_a_wallet_in_their_order(
    sql: Statements, function: WalletFunction
) -> None:
    place = 0
    for statement in (
        sql.wallets.take_idempotency,
        sql.keyring.find_sealing_key.removeprefix("SELECT"),
        sql.slots.name_slot,
        sql.wallets.insert_credential,
        sql.wallets.insert_vault_record,
        sql.register.insert_record,
        sql.log.insert_log,
    ):
        text = written(qualified(statement, SCHEMAS))
        assert written(function.body).count(text) == 1
        found = written(function.body).index(text)
        assert found > place
        place = found
    assert function.body.count("GET DIAGNOSTICS written = ROW_COUNT") == 6


def test_nothing_in_it_is_looked_up_in_search_path(function: WalletFunction) -> None:
    code = re.sub(r"--[^\n]*", "", function.body)
    bare = re.sub(r"OPERATOR\(pg_catalog\.[^)]+\)|'[^']*'|:=|written = ROW_COUNT|ERRCODE = ", "", code)
    assert re.findall(r"[=<>|~!+*/-]", bare) == []
    assert re.findall(r"(?<![.\w])([a-z_]+)\(", bare) == []
    for table in schema.TABLES:
        assert re.findall(rf'(?<!"strongroom"\.)(?:INTO|FROM|UPDATE) {table}\b', code) == []
    assert re.findall(r"::(?!pg_catalog\.)", code) == []


def test_it_is_called_with_the_types_that_it_has(function: WalletFunction) -> None:
    given = re.findall(r"%\((\w+)\)s::(pg_catalog\.\w+)", function.call)
    assert given[0] == ("project_id", "pg_catalog.uuid"), "this one says on which node it runs"
    assert function.call.count("%(") == len(given) == len(dict(given)) == function.types.count(",") + 1
    assert function.signature == f'"strongroom".{function.name}({", ".join(kind for _, kind in given)})'
    assert {int(number) for number in re.findall(r"\$(\d+)", function.body)} == set(range(1, len(given) + 1))


def test_another_body_has_another_name(sql: Statements, function: WalletFunction) -> None:
    other = wallet_function(sql, dict.fromkeys(schema.TABLES, "elsewhere"))
    assert function.name.startswith(WRITES_WALLET)
    assert other.name != function.name


@pytest.mark.parametrize(
    "change", [{"body": "BEGIN RETURN true; END"}, {"plain": False}, {"trusted": False}, {"schema": "public"}, {}]
)
def test_one_that_differs_in_anything_is_not_ours(function: WalletFunction, change: dict[str, object]) -> None:
    found = FoundFunction(
        function.schema, function.name, function.types, function.body, "owner", True, True, True, True
    )
    assert function.is_made_as(found._replace(**change)) is not bool(change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("context", "name"),
    [
        (None, None),
        (f"PL/pgSQL function strongroom.{WRITES_WALLET}a(uuid) line 4 at RAISE\nwhile executing command on x:1", None),
        (f'PL/pgSQL function "My".{WRITES_WALLET}a(uuid) line 4 at RAISE', None),
        (f"PL/pgSQL function theirs(text) line 1\nPL/pgSQL function {WRITES_WALLET}a(uuid) line 4", "theirs"),
        ("PL/pgSQL function public.theirs() line 1 at RAISE", "theirs"),
    ],
)
def test_the_function_that_raised_is_a_triggers_or_none(context: str | None, name: str | None) -> None:
    assert foreign_function(context) == name
