"""What is written for each construct; tests/integration/test_hijack.py asks PostgreSQL whether it means that."""

from __future__ import annotations

import pytest

from strongroom.store.connection import qualified as module
from strongroom.store.connection.qualified import NotQualifiableError, QualifiedTexts, qualified, with_numbers

SCHEMAS = {"strongroom_slot": "a b", "project_credentials": "public"}
SLOT = '"a b".strongroom_slot'
EQUALS = "OPERATOR(pg_catalog.=)"


@pytest.mark.parametrize(
    ("sql", "written"),
    [
        ("SELECT * FROM strongroom_slot", f"SELECT * FROM {SLOT}"),
        ("SELECT strongroom_slot.key FROM strongroom_slot", f"SELECT strongroom_slot.key FROM {SLOT}"),
        ("SELECT 1 FOR UPDATE OF strongroom_slot", "SELECT 1 FOR UPDATE OF strongroom_slot"),
        ("SELECT 1 FROM (SELECT 2) AS strongroom_slot", "SELECT 1 FROM (SELECT 2) AS strongroom_slot"),
        ("a = %(b)s::UUID", f"a {EQUALS} %(b)s::pg_catalog.UUID"),
        ("a != 'x''y'", "a OPERATOR(pg_catalog.<>) 'x''y'"),
        ("a ->> 'b' = 'c'", f"a OPERATOR(pg_catalog.->>) 'b' {EQUALS} 'c'"),
        ("a LIKE 'b%%'", "a OPERATOR(pg_catalog.~~) 'b%%'"),
        ("a NOT LIKE b", "a OPERATOR(pg_catalog.!~~) b"),
        ("a IN ('b', 'c')", f"a ::pg_catalog.text {EQUALS} ANY (ARRAY['b', 'c'])"),
        ("a IN (1, 2)", f"a {EQUALS} ANY (ARRAY[1, 2])"),
        ("a NOT IN (SELECT b FROM c)", "a OPERATOR(pg_catalog.<>) ALL (SELECT b FROM c)"),
        ("NULLIF(a, '')", f"(CASE WHEN (a) {EQUALS} ('') THEN NULL ELSE a END)"),
        ("(a IS NOT DISTINCT FROM b)", f"(COALESCE((a) {EQUALS} (b), (a) IS NULL AND (b) IS NULL))"),
        ("(a IS DISTINCT FROM b)", f"(NOT COALESCE((a) {EQUALS} (b), (a) IS NULL AND (b) IS NULL))"),
        ("count(*)", "pg_catalog.count(*)"),
        ("coalesce(left(a, 2), b)", "coalesce(pg_catalog.left(a, 2), b)"),
        ("a LEFT JOIN b ON true", "a LEFT JOIN b ON true"),
        ("pg_class c", "pg_catalog.pg_class c"),
        ("pg_catalog.pg_class", "pg_catalog.pg_class"),
        ("unnest(a)", "pg_catalog.unnest(a)"),
        ("unnest(a, b)", "unnest(a, b)"),
        ("UPDATE strongroom_slot SET a = b, c = d = e", f"UPDATE {SLOT} SET a = b, c = d {EQUALS} e"),
        ("INSERT INTO strongroom_slot (a) VALUES (now())", f"INSERT INTO {SLOT} (a) VALUES (pg_catalog.now())"),
        ("a::varchar || b::text", "a::varchar OPERATOR(pg_catalog.||) b::pg_catalog.text"),
        ('a COLLATE "C" < b', 'a COLLATE pg_catalog."C" OPERATOR(pg_catalog.<) b'),
        ("version + 1 > -1", "version OPERATOR(pg_catalog.+) 1 OPERATOR(pg_catalog.>) -1"),
        ("'strongroom_slot'::regclass", "'\"a b\".strongroom_slot'::pg_catalog.regclass"),
        (
            "CREATE TABLE t (text TEXT NOT NULL, id UUID)",
            "CREATE TABLE t (text pg_catalog.TEXT NOT NULL, id pg_catalog.UUID)",
        ),
        ("ALTER TABLE strongroom_slot RENAME TO strongroom_slot", f"ALTER TABLE {SLOT} RENAME TO strongroom_slot"),
        ("DO $x$ BEGIN PERFORM now(); END $x$", "DO $x$ BEGIN PERFORM pg_catalog.now(); END $x$"),
        ("SET LOCAL a = b", "SET LOCAL a = b"),
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT abs(i) FROM n) SELECT i FROM n",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT pg_catalog.abs(i) FROM n) SELECT i FROM n",
        ),
        (
            "WITH n (i) AS (VALUES (1)) SELECT abs(i) FROM n",
            "WITH n (i) AS (VALUES (1)) SELECT pg_catalog.abs(i) FROM n",
        ),
        (
            "WITH m AS (SELECT 1), n(i) AS NOT MATERIALIZED (TABLE m) SELECT 1, f(i) AS h FROM n",
            "WITH m AS (SELECT 1), n(i) AS NOT MATERIALIZED (TABLE m) SELECT 1, pg_catalog.f(i) AS h FROM n",
        ),
        ("SELECT 1 FROM m, f(a) AS (b int)", "SELECT 1 FROM m, pg_catalog.f(a) AS (b int)"),
        (
            "SELECT 1 FROM f(a) WITH ORDINALITY, g(b) AS (c int)",
            "SELECT 1 FROM pg_catalog.f(a) WITH ORDINALITY, pg_catalog.g(b) AS (c int)",
        ),
        ("CREATE TABLE strongroom_slot AS (SELECT 1)", f"CREATE TABLE {SLOT} AS (SELECT 1)"),
        ("CREATE TABLE IF NOT EXISTS t (id uuid)", "CREATE TABLE IF NOT EXISTS t (id pg_catalog.uuid)"),
        (
            "CREATE TABLE IF NOT EXISTS strongroom_slot (id uuid DEFAULT f(1))",
            f"CREATE TABLE IF NOT EXISTS {SLOT} (id pg_catalog.uuid DEFAULT pg_catalog.f(1))",
        ),
        ("DROP FUNCTION IF EXISTS f(uuid)", "DROP FUNCTION IF EXISTS f(uuid)"),
        ("ALTER TABLE IF EXISTS t RENAME TO u", "ALTER TABLE IF EXISTS t RENAME TO u"),
        ("CREATE SEQUENCE IF NOT EXISTS s START 1", "CREATE SEQUENCE IF NOT EXISTS s START 1"),
        ("ALTER TABLE t ADD IF NOT EXISTS c uuid", "ALTER TABLE t ADD IF NOT EXISTS c pg_catalog.uuid"),
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS c uuid", "ALTER TABLE t ADD COLUMN IF NOT EXISTS c pg_catalog.uuid"),
    ],
)
def test_each_construct_gets_its_schema(sql: str, written: str) -> None:
    assert qualified(sql, SCHEMAS) == written
    assert qualified(written, SCHEMAS) == written, "what has a schema keeps it"


@pytest.mark.parametrize(
    "sql",
    [
        "a = b || c",
        "a + b * c",
        "a LIKE b || c",
        "a IS DISTINCT FROM b",
        "(a OR b IS DISTINCT FROM c)",
        "a BETWEEN b AND c",
        "CASE a WHEN b THEN c END",
        "a JOIN b USING (c)",
        "CAST(a AS uuid)",
        "a > timestamptz '1970-01-01 00:00:00+00'",
        "NULLIF(a)",
        "~ a",
        "(a",
        "a)",
        "a \\ b",
        "WITH strongroom_slot AS (SELECT 1) SELECT 1 FROM strongroom_slot",
        "WITH pg_class(a) AS (SELECT 1) SELECT a FROM pg_class",
        "CREATE TABLE t (LIKE u)",
    ],
)
def test_what_would_depend_on_the_path_or_mean_something_else_is_refused(sql: str) -> None:
    with pytest.raises(NotQualifiableError):
        qualified(sql, SCHEMAS)


def test_what_is_of_another_schema_keeps_it() -> None:
    others = {"@@@": "extra", "f": "extra", "kind": "my types"}
    assert qualified("f(a) @@@ b::kind", others=others) == '"extra".f(a) OPERATOR("extra".@@@) b::"my types".kind'


def test_a_statement_is_read_once_for_all_vaults_whose_tables_are_in_the_same_schemas(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []

    def counted(sql: str, schemas: dict[str, str]) -> str:
        read.append(sql)
        return qualified(sql, schemas)

    monkeypatch.setattr(module, "qualified", counted)
    asked = "SELECT 'read once' FROM wallets"
    texts = [QualifiedTexts({"wallets": schema})[asked] for schema in ("one", "two", "one", "two")]
    assert texts[:2] == texts[2:]
    assert texts[0] != texts[1]
    assert read == [asked, asked]


def test_texts_are_written_once_and_do_not_pile_up() -> None:
    texts = QualifiedTexts(SCHEMAS)
    assert texts["SELECT 1 FROM strongroom_slot"] is texts["SELECT 1 FROM strongroom_slot"]
    for number in range(3000):
        assert texts[f"SELECT {number}"] == f"SELECT {number}"
        assert texts.numbered(f"SELECT {number}") == (f"SELECT {number}".encode(), ())
    assert len(texts) <= 1000


def test_parameters_get_the_numbers_of_their_first_places_and_percent_signs_are_single() -> None:
    sql = "SELECT %(b)s, %(a)b::text, %(b)s WHERE x LIKE 'y%%' AND z % 2 = %(a)s"
    text = "SELECT $1, $2::text, $1 WHERE x LIKE 'y%' AND z % 2 = $2"
    assert with_numbers(sql) == (text.encode(), ("b", "a"))
    assert with_numbers('SELECT 1 FROM "\u00fc"').sql == 'SELECT 1 FROM "\u00fc"', "in the connection's encoding"


def test_storage_parameters_stay_as_they_are() -> None:
    made = "CREATE TABLE strongroom_slot (a TEXT CHECK (a > 'b')) WITH (fillfactor=70, autovacuum_enabled = false)"
    assert qualified(made).endswith("WITH (fillfactor=70, autovacuum_enabled = false)")
    assert "OPERATOR(pg_catalog.>)" in qualified(made)
    assert qualified("ALTER TABLE a SET (fillfactor = 70)") == "ALTER TABLE a SET (fillfactor = 70)"
