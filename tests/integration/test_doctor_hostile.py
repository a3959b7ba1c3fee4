"""Doctor on databases that nobody should have: it says what it sees, takes bounded memory, and never fails on a row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom.crypto import jwe, sealing
from strongroom.networks.codecs import keystore
from strongroom.secret import Secret
from strongroom.store.statements.inspection import MOST_RECORDS
from strongroom.takeover.doctor.envelope import Envelope
from testbed.command_line import call
from testbed.databases.foreign import add_project, add_wallet, address_of, run_script
from testbed.databases.rows import execute
from testbed.defects.locked import envelope_text, keystore_text
from testbed.legacy import schema_sql
from testbed.servers.postgres import PostgresServer
from tests.integration.doctors import codes, document, finding, peak_kilobytes

pytestmark = pytest.mark.usefixtures("empty_directory")

KEY = "4646464646464646464646464646464646464646464646464646464646464646"
ADDRESS = address_of("ethereum", KEY)
LOOSE = """
ALTER TABLE credential_vault_storage DROP CONSTRAINT credential_vault_storage_credential_id_fkey;
ALTER TABLE credential_vault_storage ALTER COLUMN credential_id DROP NOT NULL;
ALTER TABLE credential_vault_storage ALTER COLUMN encrypted_private_key DROP NOT NULL;
ALTER TABLE credential_vault_storage ALTER COLUMN vault_id DROP NOT NULL;
ALTER TABLE project_credentials ALTER COLUMN project_id DROP NOT NULL;
ALTER TABLE project_credentials ALTER COLUMN public_key DROP NOT NULL;
ALTER TABLE project_credentials ALTER COLUMN key_vault_id DROP NOT NULL;
"""
_numbers = count(1)


@pytest.fixture
def g2(make_legacy: Callable[..., str]) -> str:
    """A g2 whose columns take anything."""
    url = make_legacy("g2")
    run_script(url, LOOSE)
    return url


@pytest.fixture(params=["g2", "g4", "sqlite"])
def anywhere(request: pytest.FixtureRequest) -> str:
    """A database of the legacy application, loose or with the trigger, or our own on SQLite."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_vault_url"))
    if request.param == "g2":
        return str(request.getfixturevalue("g2"))
    return str(request.getfixturevalue("make_legacy")("g4"))


def add(url: str, text: str | bytes | None, metadata: str = "{}") -> str:
    """A wallet with a text and metadata as they are, in whatever database."""
    if not url.startswith("sqlite"):
        assert not isinstance(text, bytes)
        return str(add_wallet(url, ADDRESS, text, metadata=metadata))
    credential = str(uuid4())
    execute(
        url,
        """INSERT INTO project_credentials (id, project_id, credential_type, network, wallet_address, public_key,
               key_vault_id, status, is_active, vault_stored, metadata, created_at, updated_at)
           VALUES (?, ?, 'ethereum_wallet', 'ethereum', ?, '', ?, 'active', 1, 1, ?, '2026', '2026')""",
        (credential, str(uuid4()), ADDRESS, f"vault_{credential}", metadata),
    )
    if text is not None:
        execute(
            url,
            """INSERT INTO credential_vault_storage (id, project_id, credential_id, vault_id, encrypted_private_key,
                   encryption_method, access_level, backup_created, created_at, updated_at)
               VALUES (?, ?, ?, ?, ?, 'AES-256-GCM', 'project_admin', 0, '2026', '2026')""",
            (str(uuid4()), str(uuid4()), credential, f"vault_{credential}", text),
        )
    return credential


# --- long texts ----------------------------------------------------------------------------------------------


@pytest.mark.thorough(but=("sqlite",))
def test_texts_of_ten_megabytes_are_unreadable_and_not_even_fetched(anywhere: str) -> None:
    first = add(anywhere, KEY)
    before = peak_kilobytes(anywhere)
    long = "4" * 10_000_000
    ids = [add(anywhere, text) for text in (long, "{" + long, "eyJraWQiOi" + long, "é" * 5_000_000, " " * 10_000_000)]
    ids += [add(anywhere, KEY, json.dumps({"private_key_encrypted": long, "note": long})) for _ in range(2)]
    found = document(anywhere)
    assert [codes(found, each)["unreadable"] for each in ids] == [1] * 5 + [0] * 2
    assert codes(found)["plaintext-key"] == 1 + 2
    reasons = {finding(found, "unreadable", each)["evidence"].split(";")[0] for each in ids[:5]}
    assert reasons == {"longer than 65,536 characters", "a sealed text that is damaged: its form is broken"}
    stored = {each: finding(found, "plaintext-key", each)["row"] for each in (first, *ids[5:])}
    elsewhere = {f"strongroom history reveal {row} --text --wallet {each} --reveal" for each, row in stored.items()}
    unread = [finding(found, "unreadable", each) for each in ids[:5]]
    assert all("no command prints it" in each["evidence"] for each in unread)
    assert {each["command"] for each in unread} <= elsewhere, "what is named prints the same key, in another row"
    grown = peak_kilobytes(anywhere) - before
    rows = 5 if "sqlite" in anywhere else 0  # SQLite itself holds the longest row, of 20 MB, a few times
    assert grown < rows * 20_000 + 20_000, "no text of the seven is fetched"


def test_many_long_texts_take_bounded_memory(g2: str) -> None:
    before = peak_kilobytes(g2)
    project = add_project(g2)
    execute(
        g2,
        """INSERT INTO project_credentials (project_id, public_key, key_vault_id, wallet_address, network)
           SELECT ?, '', 'v' || n, ?, 'n' || n FROM generate_series(1, 700) n""",
        (project, ADDRESS),
    )
    execute(
        g2,
        """INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key)
           SELECT id, key_vault_id, repeat('x', 80000) FROM project_credentials""",
    )
    grown = peak_kilobytes(g2) - before
    assert grown < 45_000, "a page of texts, not the 56 MB of all"


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("column", ["jsonb", "json", "text"])
def test_metadata_of_any_type_are_read(g2: str, column: str) -> None:
    run_script(
        g2,
        f"ALTER TABLE project_credentials ALTER COLUMN metadata DROP DEFAULT, "
        f"ALTER COLUMN metadata TYPE {column} USING metadata::text::{column}",
    )
    keyed = {
        add_wallet(g2, ADDRESS, metadata=text)
        for text in (
            json.dumps({"private_key_encrypted": KEY}),
            json.dumps({"vault_storage": {"encrypted_private_key": KEY}}),
            json.dumps({"private_key_vault_id": "0x" + KEY}),
            json.dumps({"vault_storage": [], "private_key_encrypted": KEY}),
            json.dumps({"private_key_encrypted": keystore_text(bytes(32), "x", bytes(32), bytes(16), UUID(int=1))}),
            json.dumps({"private_key_encrypted": json.loads(envelope_text(KEY, "x", bytes(32), bytes(16)))}),
            f'{{"private_key_encrypted": "", "private_key_encrypted": "{KEY}"}}',
            json.dumps({"private_key_encrypted": list(bytes.fromhex(KEY))}),
        )
    }
    values: list[Any] = [None, True, 1e300, {}, [], [[]], "vault_1", ADDRESS]
    keyless = [
        *("null", "true", "1", "[]", "{}", '""', f'"{KEY}"', f'["{KEY}"]', json.dumps({"private_key": KEY})),
        *(json.dumps({"vault_storage": each}) for each in (*values, 1, KEY, [KEY], {"key": KEY})),
        *(json.dumps({"private_key_encrypted": each}) for each in values),
        f'{{"private_key_encrypted": {"9" * 5000}}}',
        json.dumps({f"private_key_encrypted{n}": KEY for n in range(100)}),
        *(f'{{"private_key_encrypted": {"[" * depth + "]" * depth}}}' for depth in (100, 900, 950, 975, 985, 990, 995)),
    ]
    if column in ("json", "text"):  # what jsonb refuses
        keyless += ['{"private_key_encrypted": "\\u0000"}', '{"private_key_encrypted": "\\udcff"}']
    if column == "text":
        keyless += [
            "",
            "{",
            f'{{"private_key_encrypted": 0x{KEY}}}',
            "NaN",
            '{"private_key_encrypted": NaN}',
            "[" * 5000,
        ]
    keyed |= {add_wallet(g2, ADDRESS, metadata=text) for text in keyless if KEY in text}  # under whatever name
    empty = {add_wallet(g2, ADDRESS, metadata=text) for text in [*keyless, None] if text is None or KEY not in text}
    found = document(g2)
    assert {each["credential_id"] for each in found["findings"] if each["code"] == "key-in-metadata"} == set(
        map(str, keyed)
    )
    assert codes(found)["missing-vault-record"] == len(keyed) + len(empty)


def test_a_key_of_the_metadata_is_found_at_whatever_depth_python_is_called(g2: str) -> None:
    """JSON is read and written with different depths of the interpreter's stack: no bomb fits between the two."""
    run_script(g2, "ALTER TABLE project_credentials ALTER COLUMN metadata TYPE text USING ''")
    execute(
        g2,
        """INSERT INTO project_credentials (public_key, key_vault_id, network, metadata)
           SELECT '', 'v' || n, 'n' || n, '{"private_key_encrypted": ' || repeat('[', n) || repeat(']', n) || '}'
             FROM generate_series(700, 999) n""",
    )
    assert codes(document(g2))["missing-vault-record"] == 300


# --- bytes that are no text ----------------------------------------------------------------------------------


@pytest.fixture
def ascii_url(postgres: PostgresServer) -> Iterator[str]:
    """A g2 in a database that checks no encoding."""
    name = f"ascii_{next(_numbers)}"
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'".encode()
        )
    run_script(postgres.url(name), schema_sql("g2"))
    run_script(postgres.url(name), LOOSE)
    yield postgres.url(name)
    postgres.drop_database(name)


def test_invalid_utf_8_is_read_from_a_database_that_checks_no_encoding(ascii_url: str) -> None:
    run_script(
        ascii_url,
        f"""
        SET client_encoding = 'SQL_ASCII';
        DROP INDEX unique_active_project_credentials;
        ALTER TABLE credential_usage_logs DROP CONSTRAINT credential_usage_logs_credential_id_fkey;
        ALTER TABLE project_credentials ALTER COLUMN id TYPE text USING '', ALTER COLUMN id DROP DEFAULT;
        ALTER TABLE credential_vault_storage ALTER COLUMN credential_id TYPE text USING '';
        ALTER TABLE project_credentials ALTER COLUMN metadata DROP DEFAULT,
            ALTER COLUMN metadata TYPE text USING '', ALTER COLUMN is_active DROP DEFAULT,
            ALTER COLUMN is_active TYPE text USING '';
        INSERT INTO project_credentials (id, public_key, key_vault_id, wallet_address, network, status, is_active,
                                         credential_type, metadata)
        SELECT E'\\xff\\xfe ' || n, E'\\xff', E'\\xc3', CASE n WHEN 1 THEN '{ADDRESS}' ELSE E'\\x80' END,
               E'\\xff' || n, E'\\xff', E'\\xff', E'\\xff_wallet:\\xff' || n, E'{{"private_key_encrypted": "\\xff"}}'
          FROM generate_series(1, 3) n;
        INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key)
        SELECT id, id, CASE public_key WHEN E'\\xff' THEN E'\\xff{KEY}' END FROM project_credentials;
        ALTER TABLE credential_vault_storage DROP CONSTRAINT valid_encryption_method;
        ALTER TABLE credential_vault_storage DROP CONSTRAINT valid_access_level;
        UPDATE credential_vault_storage SET encryption_method = E'\\xff', access_level = E'\\xff';
        UPDATE credential_vault_storage SET encrypted_private_key = '{KEY}' WHERE credential_id LIKE '%1';
        INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key)
        VALUES (E'\\xc3', 'o', E'\\xc3');
        """,
    )
    found = document(ascii_url)
    assert codes(found)["unreadable"] == 3
    assert codes(found)["orphan-vault-record"] == 1
    assert codes(found)["shared-key-vault-id"] == 3
    assert finding(found, "plaintext-key")["repair"] == "ask", "no verb takes an id that is no UUID"
    assert finding(found, "plaintext-key")["credential_id"] == "(an id that is not shown)"
    assert "encryption_method says something else" in finding(found, "wrong-label")["evidence"]


@pytest.mark.parametrize("text", [b"\xff\xfe\x00", b"\x00" + KEY.encode(), bytes.fromhex(KEY), b"\xc3" * 70_000])
def test_bytes_in_a_text_column_of_sqlite_are_unreadable_not_empty(sqlite_vault_url: str, text: bytes) -> None:
    blob = add(sqlite_vault_url, text)
    typed = add(sqlite_vault_url, "")
    execute(
        sqlite_vault_url,
        "UPDATE credential_vault_storage SET encrypted_private_key = CAST(? AS TEXT) WHERE credential_id = ?",
        (text, typed),
    )
    found = document(sqlite_vault_url)
    told = "plaintext-key" if KEY.encode() in text else "unreadable"  # what is around a key does not hide it
    assert [codes(found, each)[told] for each in (blob, typed)] == [1, 1], codes(found)
    assert codes(found)["placeholder"] == 0


def test_numbers_and_bytes_in_every_column_of_sqlite_are_read(sqlite_vault_url: str) -> None:
    for value in (b"\xff\x00", 7, 1.5, ""):
        credential = add(sqlite_vault_url, KEY)
        for column in ("network", "credential_type", "wallet_address", "public_key", "status", "metadata"):
            execute(sqlite_vault_url, f"UPDATE project_credentials SET {column} = ? WHERE id = ?", (value, credential))
        execute(
            sqlite_vault_url,
            "UPDATE project_credentials SET is_active = ?, vault_stored = ?, revoked_at = ? WHERE id = ?",
            (value, value, value, credential),
        )
    found = document(sqlite_vault_url)
    assert codes(found)["plaintext-key"] == 4


# --- keystores that ask for too much -------------------------------------------------------------------------

SMALL = keystore_text(bytes.fromhex(KEY), "pässword", bytes(32), bytes(16), UUID(int=1))
SMALL_PBKDF2 = keystore_text(bytes.fromhex(KEY), "pässword", bytes(32), bytes(16), UUID(int=1), scrypt=False)
ABSURD = [
    SMALL.replace('"n": 1024', '"n": 1099511627776'),
    SMALL.replace('"r": 8', '"r": 1000000'),
    SMALL.replace('"p": 1', '"p": 1000000000'),
    SMALL.replace('"n": 1024', '"n": 1e999'),
    SMALL.replace('"n": 1024', '"n": ' + "1" * 5000),
    SMALL_PBKDF2.replace('"c": 2048', '"c": 4294967296'),
    SMALL_PBKDF2.replace('"c": 2048', '"c": -1'),
    SMALL.replace('"version": 3', '"version": 3, "version": 3'),
    SMALL.replace('"salt": "', '"salt": "' + "00" * 2000),
    '{"crypto": ' + "[" * 20_000 + "]" * 20_000 + "}",
    '{"crypto": null}',
    '{"Crypto": {}, "version": 3}',
    envelope_text(KEY, "pässword", bytes(32), bytes(16)).replace('"version": 1', '"version": 2'),
    envelope_text(KEY, "pässword", bytes(32), bytes(16)).replace('"iv": "', '"iv": "' + "00" * 100),
]


@pytest.mark.parametrize("passwords", [False, True])
def test_what_asks_for_too_much_is_reported_and_never_computed(anywhere: str, passwords: bool) -> None:
    ids = [add(anywhere, text) for text in ABSURD]
    given = ("--legacy-password-stdin", "--keystore-password-stdin") if passwords else ()
    with (
        mock.patch.object(keystore.Scrypt, "derive", side_effect=AssertionError),
        mock.patch.object(keystore.Pbkdf2, "derive", side_effect=AssertionError),
        mock.patch.object(Envelope, "open", side_effect=AssertionError),
    ):
        found = document(anywhere, *given, stdin="pässword\npässword\n".encode() if passwords else b"")
    for each in ids:
        assert (
            codes(found, each)["keystore"] + codes(found, each)["legacy-envelope"] + codes(found, each)["unreadable"]
            == 1
        )
    assert codes(found)["keystore"] >= 9
    assert "pässword" not in json.dumps(found, ensure_ascii=False)


def test_a_keystore_and_an_envelope_without_a_password_are_not_computed(anywhere: str) -> None:
    ids = [add(anywhere, text) for text in (SMALL, SMALL_PBKDF2, envelope_text(KEY, "x", bytes(32), bytes(16)))]
    with (
        mock.patch.object(keystore.Scrypt, "derive", side_effect=AssertionError),
        mock.patch.object(keystore.Pbkdf2, "derive", side_effect=AssertionError),
        mock.patch.object(Envelope, "open", side_effect=AssertionError),
    ):
        found = document(anywhere)
    for each, code in zip(ids, ("keystore", "keystore", "legacy-envelope"), strict=True):
        told = finding(found, code, each)
        assert (told["repair"], told["automatic"]) == ("ask", False)
        assert told["evidence"].endswith("its password is needed")


# --- columns that are empty, odd or missing ------------------------------------------------------------------


def test_null_may_stand_in_every_column_that_takes_it(g2: str) -> None:
    nullable = execute(
        g2,
        """SELECT c.relname::text, a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE a.attnum > 0 AND NOT a.attnotnull AND NOT a.attisdropped
              AND c.relname IN ('project_credentials', 'credential_vault_storage')""",
    )
    assert len(nullable) > 20
    ids = {}
    for table, column in nullable:
        ids[table, column] = add_wallet(g2, ADDRESS, KEY, network=f"n{next(_numbers)}")
        key = "id" if table == "project_credentials" else "credential_id"
        execute(g2, f"UPDATE {table} SET {column} = NULL WHERE {key} = ?", (ids[table, column],))
    execute(g2, "INSERT INTO project_credentials DEFAULT VALUES")
    execute(g2, "INSERT INTO credential_vault_storage DEFAULT VALUES")
    execute(g2, "INSERT INTO credential_vault_storage (encryption_method, access_level) VALUES (NULL, NULL)")
    found = document(g2)
    without = {("credential_vault_storage", "encrypted_private_key"), ("credential_vault_storage", "credential_id")}
    for place, credential in ids.items():
        assert codes(found, credential)["plaintext-key"] == (place not in without), place
        assert codes(found, credential)["missing-vault-record"] == (
            place == ("credential_vault_storage", "credential_id")
        )
    placed = ids["credential_vault_storage", "encrypted_private_key"]
    assert finding(found, "placeholder", placed)["evidence"].startswith("NULL; ")
    assert codes(found)["orphan-vault-record"] == 3
    assert codes(found)["duplicate-vault-records"] == 0, "records that name no credential are not one credential's"
    assert {each["evidence"] for each in found["findings"] if each["code"] == "orphan-vault-record"} == {
        "names no credential; holds no key",
        "names no credential",
    }


@pytest.mark.parametrize(
    ("kind", "yes", "no", "neither"),
    [
        ("text", "true", "false", "maybe"),
        ("text", "T", "F", ""),
        ("varchar", "1", "0", "2"),
        ("integer", "1", "0", "2"),
        ("numeric", "1.0", "0.0", "NaN"),
        ("numeric", "1", "0", "-Infinity"),
        ("numeric", "1", "0", "1e9999"),
        ("bit(1)", "1", "0", None),
        ("jsonb", "true", "false", "[]"),
        ("boolean", "true", "false", None),
        ('"char"', "t", "f", "?"),
    ],
)
def test_flags_may_be_of_any_type(g2: str, kind: str, yes: str, no: str, neither: str | None) -> None:
    run_script(
        g2,
        f"""
        DROP INDEX unique_active_project_credentials;
        ALTER TABLE project_credentials ALTER COLUMN is_active DROP DEFAULT, ALTER COLUMN vault_stored DROP DEFAULT;
        ALTER TABLE project_credentials
            ALTER COLUMN is_active TYPE {kind} USING NULL::{kind},
            ALTER COLUMN vault_stored TYPE {kind} USING NULL::{kind};
        """,
    )
    on = add_wallet(g2, ADDRESS, is_active=yes, vault_stored=yes)
    off = add_wallet(g2, ADDRESS, KEY, is_active=no, vault_stored=no)
    unsaid = add_wallet(g2, ADDRESS, KEY, is_active=neither, vault_stored=neither)
    found = document(g2)
    assert codes(found, on)["stored-flag-wrong"] == 1
    assert codes(found, off)["stored-flag-wrong"] == 1
    assert codes(found, off)["live-after-revoke"] == 1
    assert codes(found, unsaid)["stored-flag-wrong"] == codes(found, unsaid)["live-after-revoke"] == 0


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize(("kind", "mixed"), [("bigint", False), ("text", False), ("bigint", True), ("char(36)", False)])
def test_ids_may_be_of_any_type(g2: str, kind: str, mixed: bool) -> None:
    run_script(
        g2,
        f"""
        ALTER TABLE credential_usage_logs DROP CONSTRAINT credential_usage_logs_credential_id_fkey;
        ALTER TABLE project_credentials ALTER COLUMN id DROP DEFAULT, ALTER COLUMN id TYPE {kind} USING NULL;
        ALTER TABLE credential_vault_storage ALTER COLUMN id DROP DEFAULT, ALTER COLUMN id TYPE {kind} USING NULL,
            ALTER COLUMN credential_id TYPE {"text" if mixed else kind} USING NULL;
        INSERT INTO project_credentials (id, public_key, key_vault_id, wallet_address, network)
        SELECT n::text::{kind}, '', 'same', '{ADDRESS}', 'n' || n FROM generate_series(8, 12) n;
        INSERT INTO credential_vault_storage (id, credential_id, vault_id, encrypted_private_key)
        SELECT id, id, 'v' || id, '{KEY}' FROM project_credentials;
        DELETE FROM project_credentials WHERE id::text LIKE '9%';
        """,
    )
    found = document(g2)
    assert codes(found)["plaintext-key"] == 5
    assert codes(found)["shared-key-vault-id"] == codes(found)["shared-key"] == 4
    orphan = finding(found, "orphan-vault-record")
    assert (orphan["row"].strip(), orphan["credential_id"].strip()) == ("9", "9")
    order = [each["credential_id"] for each in found["findings"] if each["code"] == "plaintext-key"]
    for place, each in enumerate(order):
        rest = document(g2, "--since", each)
        told = [one["credential_id"] for one in rest["findings"] if one["code"] == "plaintext-key"]
        assert told == order[place + 1 :]


_NAMELESS = """
ALTER TABLE credential_usage_logs DROP CONSTRAINT credential_usage_logs_credential_id_fkey;
ALTER TABLE credential_vault_storage DROP CONSTRAINT IF EXISTS credential_vault_storage_credential_id_fkey;
ALTER TABLE project_credentials DROP CONSTRAINT project_credentials_pkey;
ALTER TABLE project_credentials ALTER id DROP DEFAULT, ALTER id DROP NOT NULL;
DROP INDEX unique_active_project_credentials;
ALTER TABLE credential_vault_storage DROP CONSTRAINT credential_vault_storage_pkey,
    DROP CONSTRAINT credential_vault_storage_vault_id_key,
    DROP CONSTRAINT IF EXISTS credential_vault_storage_credential_id_key;
ALTER TABLE credential_vault_storage ALTER id DROP DEFAULT, ALTER id DROP NOT NULL;
"""


def test_rows_without_an_id_stop_nothing(g2: str) -> None:
    """They have no name to be told by; the others are told."""
    named = add_wallet(g2, ADDRESS, KEY)
    run_script(g2, _NAMELESS)
    for table in ("project_credentials", "credential_vault_storage"):
        execute(
            g2,
            f"CREATE TEMP TABLE one AS SELECT * FROM {table}; UPDATE one SET id = NULL; "
            f"INSERT INTO {table} SELECT * FROM one",
        )
    execute(g2, "UPDATE credential_vault_storage SET credential_id = gen_random_uuid() WHERE id IS NULL")
    found = document(g2)
    assert codes(found, named)["plaintext-key"] == 1
    assert codes(found)["plaintext-key"] == 1


@pytest.mark.parametrize("since", ["\udcff", "a\0b", "\n"])
def test_an_id_that_no_text_column_holds_is_refused(g2: str, since: str) -> None:
    run_script(g2, _NAMELESS + "ALTER TABLE project_credentials ALTER id TYPE text")
    answer = call("doctor", "--database", g2, "--since", since, "--json")
    assert (answer.code, answer.document["error"]["code"]) == (2, "invalid-wallet-id")


@pytest.mark.parametrize("since", ["4' OR '1'='1", "-1", "1" * 30, "٤", KEY, ""])
def test_an_id_that_cannot_be_one_is_refused_and_not_sent(g2: str, since: str) -> None:
    answer = call("doctor", "--database", g2, "--since", since, "--json")
    assert (answer.code, answer.document["error"]["code"]) == (2, "invalid-wallet-id")
    run_script(
        g2,
        """
        ALTER TABLE credential_usage_logs DROP CONSTRAINT credential_usage_logs_credential_id_fkey;
        ALTER TABLE project_credentials ALTER COLUMN id DROP DEFAULT, ALTER COLUMN id TYPE bigint USING 1;
        """,
    )
    answer = call("doctor", "--database", g2, "--since", since, "--json")
    assert (answer.code, answer.document["error"]["code"]) == (2, "invalid-wallet-id")


OPTIONAL = {
    "project_credentials": (
        *("wallet_address", "network", "credential_type", "status", "metadata", "vault_stored", "is_active"),
        *("revoked_at", "key_vault_id", "public_key", "project_id", "created_at"),
    ),
    "credential_vault_storage": ("encryption_method", "access_level", "vault_id", "revoked_at", "created_at"),
}


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in OPTIONAL.items() for column in columns]
)
def test_a_column_that_is_missing_is_said_nothing_about(g2: str, table: str, column: str) -> None:
    add_wallet(g2, ADDRESS, KEY, public_key=ADDRESS, metadata={"private_key_encrypted": KEY}, vault_stored=True)
    run_script(g2, f"ALTER TABLE {table} DROP COLUMN {column} CASCADE")
    found = document(g2)
    # a key is sealed for its project: where no column names one, a person adds the column first
    assert finding(found, "plaintext-key")["repair"] == ("ask" if column == "project_id" else "seal")
    assert codes(found)["wrong-label"] == (column != "encryption_method")
    assert codes(found)["key-in-metadata"] == (column != "metadata")


def test_every_optional_column_may_be_missing_at_once(g2: str) -> None:
    add_wallet(g2, ADDRESS, KEY)
    for table, columns in OPTIONAL.items():
        for column in columns:
            run_script(g2, f"ALTER TABLE {table} DROP COLUMN {column} CASCADE")
    assert set(codes(document(g2))) == {"plaintext-key"}


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("project_credentials", "id"),
        ("credential_vault_storage", "id"),
        ("credential_vault_storage", "credential_id"),
        ("credential_vault_storage", "encrypted_private_key"),
    ],
)
def test_without_a_column_that_is_needed_no_key_is_called_lost(g2: str, table: str, column: str) -> None:
    add_wallet(g2, ADDRESS, KEY)
    run_script(g2, f"ALTER TABLE {table} RENAME COLUMN {column} TO something_else")
    answer = call("doctor", "--database", g2, "--json")
    assert (answer.code, answer.document["error"]["code"]) == (1, "foreign-schema")
    assert f"{table}.{column}" in answer.document["error"]["message"]


def test_columns_that_nobody_knows_do_not_disturb(g2: str) -> None:
    run_script(
        g2,
        """
        ALTER TABLE project_credentials ADD COLUMN "select 'x'" text, ADD COLUMN text bytea DEFAULT '\\xff',
            ADD COLUMN form int[] DEFAULT '{1}', ADD COLUMN gone timestamptz DEFAULT 'infinity',
            ADD COLUMN early date DEFAULT '4713-01-01 BC', ADD COLUMN generated text GENERATED ALWAYS AS ('x') STORED;
        """,
    )
    add_wallet(g2, ADDRESS, KEY, revoked_at="infinity")
    add_wallet(g2, ADDRESS, KEY, revoked_at="4713-01-01 BC")
    assert codes(document(g2))["plaintext-key"] == 2


# --- schemas that are odd ------------------------------------------------------------------------------------


def assert_refused(url: str, code: str) -> None:
    answer = call("doctor", "--database", url, "--json")
    assert (answer.code, answer.document["error"]["code"]) == (1, code)
    assert "Traceback" not in answer.err


def test_an_empty_database_has_no_wallets(postgresql_url: str, sqlite_url: str) -> None:
    assert_refused(postgresql_url, "not-initialized")
    assert_refused(sqlite_url, "not-initialized")


def test_an_empty_file_and_a_file_that_is_no_database_are_refused(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    for content, code in ((b"", "not-initialized"), (b"no database " * 100, "store-refused")):
        path.write_bytes(content)
        path.chmod(0o600)
        assert_refused(sqlite_url, code)
        assert path.read_bytes() == content


def test_a_database_of_other_tables_has_no_wallets(postgresql_url: str) -> None:
    execute(postgresql_url, "CREATE TABLE users (id int)")
    execute(postgresql_url, "CREATE TABLE credential_vault_storage (id int)")
    assert_refused(postgresql_url, "not-initialized")


def test_wallet_tables_that_are_views_are_not_tables(g2: str) -> None:
    run_script(
        g2,
        """
        ALTER TABLE project_credentials RENAME TO hidden;
        CREATE VIEW project_credentials AS SELECT * FROM hidden;
        """,
    )
    assert_refused(g2, "not-initialized")


def test_tables_in_another_schema_are_found_by_the_search_path(g2: str) -> None:
    add_wallet(g2, ADDRESS, KEY)
    run_script(
        g2,
        """
        CREATE SCHEMA app;
        ALTER TABLE project_credentials SET SCHEMA app;
        ALTER TABLE credential_vault_storage SET SCHEMA app;
        ALTER TABLE credential_usage_logs SET SCHEMA app;
        """,
    )
    assert_refused(g2, "schema-not-named")
    with_path = f"{g2}&options=-csearch_path%3Dapp%2Cpublic"
    assert codes(document(with_path))["plaintext-key"] == 1


def test_tables_without_rows_are_healthy_but_for_their_schema(make_legacy: Callable[..., str]) -> None:
    for generation in ("g1", "g2", "g3", "g4"):
        found = document(make_legacy(generation))
        assert (found["generation"], found["credentials"], found["findings"]) == (generation, 0, [])
        assert found["schema"]


def test_several_slots_may_name_one_credential(make_legacy: Callable[..., str], root_key_uri: str) -> None:
    url = make_legacy("g3", initialised=True)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        wallets = [vault.create_wallet(add_project(url), "ethereum").wallet for _ in range(2)]
    for label in ("a", "b", "z"):
        execute(
            url,
            """INSERT INTO strongroom_slot SELECT (jsonb_populate_record(s, ?)).* FROM strongroom_slot s
                WHERE credential_id = ? AND label = 'default'""",
            (json.dumps({"label": label}), wallets[0].id),
        )
    assert [each["code"] for each in document(url)["findings"]] == []


def test_a_credential_may_have_hundreds_of_records(g2: str) -> None:
    credential = add_wallet(g2, ADDRESS)
    execute(
        g2,
        """INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key)
           SELECT ?, 'v' || n, ? FROM generate_series(1, 1200) n""",
        (credential, KEY),
    )
    found = document(g2)
    assert codes(found)["duplicate-vault-records"] == codes(found)["plaintext-key"] == MOST_RECORDS
    assert codes(found)["shared-key"] == codes(found)["missing-vault-record"] == 0


def test_what_a_terminal_would_obey_is_not_printed(g2: str) -> None:
    run_script(
        g2,
        """
        ALTER TABLE credential_usage_logs DROP CONSTRAINT credential_usage_logs_credential_id_fkey;
        ALTER TABLE project_credentials ALTER COLUMN id TYPE text;
        ALTER TABLE credential_vault_storage ALTER COLUMN credential_id TYPE text, ALTER COLUMN id TYPE text;
        CREATE POLICY "\x1b]0;owned\x07" ON project_credentials;
        ALTER TABLE project_credentials ENABLE ROW LEVEL SECURITY;
        """,
    )
    for name in ("\x1b[2J", "a\nwallets  0", "\u202ex", "\x9b2J"):
        execute(
            g2,
            "INSERT INTO project_credentials (id, public_key, key_vault_id, network) VALUES (?, '', 'same', ?)",
            (name, name),
        )
        execute(
            g2,
            "INSERT INTO credential_vault_storage (id, credential_id, vault_id) VALUES (?, ?, ?)",
            (name, name + "gone", name),
        )
    answer = call("doctor", "--database", g2)
    assert answer.code == 3
    assert all(each.isprintable() or each == "\n" for each in answer.out + answer.err)
    assert "\nwallets  0" not in answer.out
    assert "\\x1b[2J" in answer.out
    assert "\\x1b]0;owned\\x07" in answer.out
    assert codes(document(g2))["shared-key-vault-id"] == 4


def test_members_of_a_sealed_text_that_lie_are_not_believed(sqlite_vault_url: str) -> None:
    """A header may name anything: it is compared and never printed."""
    lie = {"kid": KEY, "project": KEY, "credential": KEY, "network": KEY, "address": KEY}
    ids = [add(sqlite_vault_url, forged(header)) for header in ({"kid": "x"}, lie, lie | {"kid": ""})]
    found = document(sqlite_vault_url)
    assert [set(codes(found, each)) for each in ids] == [
        {"unreadable"},
        {"unknown-sealing-key", "sealed-elsewhere"},
        {"unknown-sealing-key", "sealed-elsewhere"},
    ]
    assert KEY[:8] not in json.dumps(found)


def forged(header: dict[str, str]) -> str:
    """A sealed text with this header and nothing in it."""
    members = {"kid": header["kid"], **jwe.ALGORITHM, "typ": sealing.TYPE, **header}
    return jwe.encrypt(members, Secret(b"{}"), Secret(bytes(32)))
