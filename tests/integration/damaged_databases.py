"""Repairs, as people run them, and what is in a database before and after: the bare driver's view, byte for byte."""

from __future__ import annotations

import json
import shutil
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from bip_utils import Base58Decoder
from psycopg import sql
from psycopg.rows import dict_row

import strongroom
from strongroom.networks import TABLE
from strongroom.settings import Settings
from strongroom.takeover.doctor import sealed_texts
from strongroom.wiring import open_context, open_guard
from testbed.command_line import CommandResult, call
from testbed.databases.partitioned import partition
from testbed.databases.rows import sqlite_path
from testbed.defects.database_builder import GENERATIONS
from testbed.defects.finding import EVERYTHING, Access
from testbed.defects.recipes import RECIPES
from testbed.defects.texts import Text
from testbed.defects.write import WrittenDatabase, write_database
from testbed.servers.postgres import PostgresServer

REPAIRABLE = tuple(name for name, traits in GENERATIONS.items() if traits.base != "g1")
"""Every generation but the first, which has no vault table: strongroom is not initialised there."""
_SEALED = {
    name for name, each in RECIPES.items() if each.apply.__module__.endswith("sealed") or name == "sealed-orphan"
}
WITHOUT_A_KEYRING = tuple(RECIPES.keys() - _SEALED - {RECIPES[name].code for name in _SEALED})
"""What may be there before ``init``: where sealed texts stand already, it wants their keyring."""
CREDENTIALS, RECORDS, HISTORY = "project_credentials", "credential_vault_storage", "strongroom_vault_history"
ROOT_KEY_ONLY = Access(root_key=True)
ACTOR: dict[str, Any] = {"actor": "test", "reason": "to compare it with what the generator planted"}

Row = dict[str, Any]
Rows = dict[str, dict[str, Row]]
"""Every row of every table, by its id."""

DIVIDED = "-divided"
_numbers = count(1)
_planted: dict[tuple[str, str], WrittenDatabase] = {}


# --- damaged databases ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DamagedDatabase:
    """A database of its own with defects, initialised, and the truth about it."""

    url: str
    root_key: str
    folder: Path
    planted: WrittenDatabase = field(repr=False)
    divided: bool = False
    """Whether its tables are divided by project."""

    def run(self, command: str, *options: str, given: Access = EVERYTHING, as_json: bool = False) -> CommandResult:
        """A command of the command line, with the passwords that are given."""
        more, lines = list(options), list[str]()
        if given.legacy_password:
            more, lines = [*more, "--legacy-password-stdin"], [*lines, self.planted.legacy_password]
        if given.keystore_password:
            more, lines = [*more, "--keystore-password-stdin"], [*lines, self.planted.keystore_password]
        more += ["--json"] if as_json else []
        stdin = "".join(f"{line}\n" for line in lines).encode()
        answer = call(command, "--database", self.url, "--root-key", self.root_key, *more, stdin=stdin)
        assert "Traceback" not in answer.out + answer.err
        return answer

    def plan(self, given: Access = EVERYTHING, *options: str, name: str = "") -> Path:
        """Write a plan; returns its path."""
        path = self.folder / (name or f"plan-{next(_numbers)}.json")
        answer = self.run("repair", "--plan", str(path), *options, given=given)
        assert answer.code == 0, answer.err
        return path

    def apply(self, path: Path, given: Access = EVERYTHING) -> CommandResult:
        """Carry a plan out."""
        return self.run("repair", "--apply", str(path), given=given)

    def doctor(self, given: Access = EVERYTHING) -> list[dict[str, Any]]:
        """The findings about rows."""
        answer = self.run("doctor", given=given, as_json=True)
        assert answer.code in (0, 3), answer.err
        found: list[dict[str, Any]] = answer.document["findings"]
        return found

    def rows(self) -> Rows:
        """Everything that is in the database."""
        return dump(self.url)

    def open(self) -> strongroom.Vault:
        """The vault, open."""
        return strongroom.open(self.url, root_key=self.root_key)

    def guard(self, mode: str) -> None:
        """Install the guard."""
        guard = open_guard(Settings(database=self.url))
        try:
            assert guard.install(mode).mode == mode
        finally:
            guard.close()


def damaged(
    generation: str,
    server: PostgresServer | None,
    root_key: str,
    folder: Path,
    wallets: int,
    seed: int = 1,
    defects: Sequence[str] | None = None,
) -> DamagedDatabase:
    """A copy of what is planted in a generation; it is planted once. ``fresh-divided``: then divided by project."""
    name = f"planted_{generation.replace('-', '_')}_{wallets}{'' if defects is None else '_some'}"
    generation, divided = generation.removesuffix(DIVIDED), generation.endswith(DIVIDED)
    key = (name, "" if server is None else server.url())
    if key not in _planted:
        url = f"sqlite:///{folder / 'planted.db'}" if server is None else server.create_database(name)
        if defects is None and not GENERATIONS[generation].initialised:
            defects = WITHOUT_A_KEYRING
        _planted[key] = write_database(url, generation, seed, wallets, defects, root_key=root_key)
        if not GENERATIONS[generation].initialised:
            strongroom.init(url, root_key=root_key).close()
        if divided:
            follow_credentials(url)
            partition(url, 8)
    planted = _planted[key]
    if server is None:
        for file in sqlite_path(planted.url).parent.glob("planted.db*"):
            shutil.copy2(file, folder / file.name.replace("planted", "copy"))
        return DamagedDatabase(f"sqlite:///{folder / 'copy.db'}", root_key, folder, planted)
    url = server.create_database(f"patient_{next(_numbers)}", template=name)
    return DamagedDatabase(url, root_key, folder, planted, divided)


def follow_credentials(url: str) -> None:
    """Let records and logs say the project of their credentials, as they have to where tables are divided by it."""
    with psycopg.connect(url) as server:
        for table in (RECORDS, "credential_usage_logs"):
            server.execute(
                f"UPDATE {table} t SET project_id = c.project_id FROM {CREDENTIALS} c "
                "WHERE c.id = t.credential_id AND c.project_id <> t.project_id".encode()
            )


# --- what is in a database -----------------------------------------------------------------------------------


_TABLES = """
SELECT relname FROM pg_class
 WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace::regnamespace::text IN ('public', 'strongroom')
"""


def dump(url: str) -> Rows:
    """Every row of every table."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(sqlite_path(url))) as connection:
            connection.row_factory = sqlite3.Row
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: _by_id(dict(row) for row in connection.execute(f"SELECT * FROM {name}")) for name in names}
    with psycopg.connect(url, row_factory=dict_row) as server:
        found = server.execute(_TABLES)
        names = [str(row["relname"]) for row in found]
        return {
            name: _by_id(server.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name)))) for name in names
        }


def _by_id(rows: Iterator[Row] | Any) -> dict[str, Row]:
    return {str(row["id"]) if "id" in row else json.dumps(row, default=str): row for row in rows}


def owner(table: str, row: Row) -> str:
    """The credential that a row belongs to."""
    return str(row.get("id" if table == CREDENTIALS else "credential_id"))


def without(rows: Rows, credentials: set[str]) -> Rows:
    """The rows of the wallet tables that belong to none of these credentials."""
    return {
        table: {key: row for key, row in rows[table].items() if owner(table, row) not in credentials}
        for table in (CREDENTIALS, RECORDS, HISTORY, "strongroom_slot")
        if table in rows
    }


def units_of(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The actions of a plan by credential."""
    document = json.loads(path.read_text())
    return {unit["credential_id"]: unit["actions"] for unit in document["units"]}


def codes(findings: list[dict[str, Any]]) -> Counter[tuple[str, str, str, bool]]:
    """Findings as what they say, without evidence."""
    return Counter((each["code"], each["row"], each["repair"], each["automatic"]) for each in findings)


def sealed_contents(damaged: DamagedDatabase) -> dict[str, set[object]]:
    """The keys and phrases that stand sealed anywhere, in records and history, by the credential they stand under."""
    found: dict[str, set[object]] = {}
    rows = dump(damaged.url)
    texts = [(row["credential_id"], row["encrypted_private_key"]) for row in rows[RECORDS].values()]
    texts += [(row["credential_id"], row["text"]) for row in rows[HISTORY].values()]
    context = open_context(Settings(database=damaged.url, root_key=damaged.root_key))
    try:
        for credential, text in texts:
            claim = sealed_texts.sealed_header(text) if text and text.startswith("eyJraWQiOi") else None
            if claim is None or claim.kid not in context.keyring.kids:
                continue
            material = sealed_texts.open_with_header(text, claim, context.keyring, TABLE).material
            if material is not None:
                there = found.setdefault(str(credential), set())
                there.add(material.private_key.reveal())
                there.add(None if material.mnemonic is None else words(material.mnemonic.reveal_text()))
    finally:
        context.store.close()
    return found


def words(phrase: str) -> tuple[str, ...]:
    """The words of a phrase, in one form of Unicode."""
    return tuple(unicodedata.normalize("NFKD", phrase).split())


def planted_texts(planted: WrittenDatabase) -> Iterator[tuple[str, Text]]:
    """Every text that the generator wrote, with the credential that it stands under."""
    truth = planted.truth
    yield from ((str(record.credential), record.text) for record in truth.records)
    yield from ((str(entry.credential), entry.text) for entry in truth.entries)
    yield from ((str(each.id), text) for each in truth.credentials for text in each.members.values())


def spelled(value: object) -> str:
    """A value as it is spelled in ``everything_of``."""
    return json.dumps(value, ensure_ascii=False, default=str)


def everything_of(rows: Rows) -> dict[str, str]:
    """All that stands under a credential in the wallet tables, as one text."""
    found: dict[str, list[str]] = {}
    for table in (CREDENTIALS, RECORDS, HISTORY):
        for row in rows[table].values():
            facts = row.get("metadata")
            parsed = json.loads(facts) if isinstance(facts, str) else facts
            found.setdefault(owner(table, row), []).append(spelled({**row, "metadata": parsed}))
    return {credential: "\n".join(texts) for credential, texts in found.items()}


def left_of(path: Path) -> list[dict[str, Any]]:
    """What a plan leaves to people."""
    left: list[dict[str, Any]] = json.loads(path.read_text())["left_to_people"]
    return left


def raw_key(shown: strongroom.Revealed) -> bytes:
    """The 32 bytes of a key in the text form of its network, by another library than strongroom's."""
    text = shown.private_key.reveal_text()
    hexadecimal = text.removeprefix("0x")
    if len(hexadecimal) == 64:
        return bytes.fromhex(hexadecimal)
    decoded = bytes(Base58Decoder.Decode(text))
    return decoded[:32] if len(decoded) == 64 else decoded[1:33]
