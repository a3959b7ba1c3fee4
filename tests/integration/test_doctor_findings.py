"""Doctor against the independent definition: no finding too few, none too many, on every generation of the tables.

``STRONGROOM_DEFECT_WALLETS=100000`` and ``STRONGROOM_DEFECT_SEED=7`` make it another, larger run.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any
from unittest import mock

import pytest

from strongroom.cli import main
from testbed.databases.rows import execute
from testbed.defects import by_hand
from testbed.defects.by_hand import ByHand
from testbed.defects.by_hand_cases import CASES
from testbed.defects.database_builder import GENERATIONS
from testbed.defects.finding import EVERYTHING, Access, ExpectedFinding
from testbed.defects.ground_truth import CredentialRow, Entry, GroundTruth, Record
from testbed.defects.schema_traits import TargetDatabase
from testbed.defects.write import WrittenDatabase, write_database
from testbed.servers.postgres import PostgresServer

WALLETS = int(os.environ.get("STRONGROOM_DEFECT_WALLETS", "150"))
SEED = int(os.environ.get("STRONGROOM_DEFECT_SEED", "1"))
FOUND = 3
"""The exit code where something is found."""
ROOT_KEY_ONLY = Access(root_key=True)
WITHOUT_SEALED = (
    *("no-vault-record", "placeholder", "ours-is-lost", "flag-says-stored", "key-in-plaintext", "phrase-in-plaintext"),
    *("lost-with-its-key-in-the-metadata", "lost-with-another-key-in-the-metadata", "lost-and-filed-under-another"),
    *("lost-with-the-name-of-another-vault", "lost-and-written-otherwise-under-another", "key-in-metadata-too"),
)
"""Defects whose sealed texts, if there are any, are of the keyring's own keys."""

_numbers = count(1)
_templates: dict[tuple[str, str], str] = {}


@pytest.fixture(scope="session")
def planted_once(
    postgres: PostgresServer, root_key_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., WrittenDatabase]:
    """What is planted in a generation; made when it is first asked for, and only read afterwards.

    ``opened``: no sealed text of an unknown sealing key.
    """
    made: dict[tuple[str, bool], WrittenDatabase] = {}

    def planted(generation: str, *, opened: bool = False) -> WrittenDatabase:
        if (generation, opened) not in made:
            folder = tmp_path_factory.mktemp("defects")
            folder.chmod(0o700)
            url = f"sqlite:///{folder / 'vault.db'}"
            if generation != "sqlite":
                url = postgres.create_database(f"defects_{generation.replace('-', '_')}_{next(_numbers)}")
            defects = None if not opened else WITHOUT_SEALED
            wallets = WALLETS if not opened else WALLETS // 3
            made[generation, opened] = write_database(url, generation, SEED, wallets, defects, root_key=root_key_uri)
        return made[generation, opened]

    return planted


@pytest.fixture
def by_hand_url(postgres: PostgresServer, root_key_uri: str) -> Iterator[Callable[[ByHand], str]]:
    """Make the database of a fixture written by hand."""
    names: list[str] = []

    def url_of(case: ByHand) -> str:
        key = (postgres.url(), case.generation)
        if key not in _templates:
            _templates[key] = f"by_hand_{case.generation.replace('-', '_')}"
            TargetDatabase.prepare(postgres.create_database(_templates[key]), case.generation, root_key_uri)
        names.append(f"by_hand_{next(_numbers)}")
        url = postgres.create_database(names[-1], template=_templates[key])
        for project in (by_hand.PROJECT, by_hand.OTHER_PROJECT, by_hand.SEALED_PROJECT):
            execute(url, "INSERT INTO projects (id, name) VALUES (?, 'a project')", (project,))
        for table, row in case.rows:
            values = tuple(json.dumps(value) if isinstance(value, dict) else value for value in row.values())
            marks = ", ".join("?" * len(row))
            execute(url, f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", values)
        return url

    yield url_of
    for name in names:
        postgres.drop_database(name)


def doctor(url: str, *options: str, stdin: str = "") -> dict[str, Any]:
    """The document of a run in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    given = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), mock.patch("sys.stdin", given):
        code = main(["doctor", "--database", url, "--json", *options])
    shown = out.buffer.getvalue().decode()
    assert code == FOUND, err.buffer.getvalue().decode()
    document: dict[str, Any] = json.loads(shown)
    return document


def examined(planted: WrittenDatabase, given: Access, root_key: str) -> dict[str, Any]:
    """What doctor says of a planted database, for what it is given."""
    options: list[str] = []
    lines: list[str] = []
    if given.root_key and GENERATIONS[planted.generation].initialised:
        options += ["--root-key", root_key]
    if given.legacy_password:
        options, lines = [*options, "--legacy-password-stdin"], [*lines, planted.legacy_password]
    if given.keystore_password:
        options, lines = [*options, "--keystore-password-stdin"], [*lines, planted.keystore_password]
    return doctor(planted.url, *options, stdin="".join(f"{line}\n" for line in lines))


def found_in(document: dict[str, Any]) -> Counter[ExpectedFinding]:
    """The findings about rows, as a multiset."""
    return Counter(ExpectedFinding(*(each[name] for name in ExpectedFinding._fields)) for each in document["findings"])


def difference(truth: GroundTruth, expected: Counter[ExpectedFinding], found: Counter[ExpectedFinding]) -> list[str]:
    """What is missing and what is too much, by recipe, with one row of each; secrets are in neither."""
    rows: list[CredentialRow | Record | Entry] = [*truth.credentials, *truth.records, *truth.entries]
    origin = {str(row.id): row.origin for row in rows}
    lines: dict[tuple[object, ...], list[str]] = {}
    for word, few in (("missing", expected - found), ("too much", found - expected)):
        for each in few.elements():
            kind = (word, each.code, each.repair, each.automatic, origin.get(each.row))
            lines.setdefault(kind, []).append(each.row)
    return [f"{len(ids)} times {kind}, such as {ids[0]}" for kind, ids in lines.items()]


@pytest.mark.crossed(10)
@pytest.mark.thorough(but=("sqlite", "g4"))
@pytest.mark.parametrize("given", [Access(), ROOT_KEY_ONLY, EVERYTHING], ids=["nothing", "root-key", "everything"])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_doctor_finds_what_was_planted_and_nothing_else(
    generation: str, given: Access, planted_once: Callable[..., WrittenDatabase], root_key_uri: str
) -> None:
    planted = planted_once(generation)
    document = examined(planted, given, root_key_uri)
    expected = planted.findings(given)
    wrong = difference(planted.truth, expected, found_in(document))
    assert not wrong, "\n".join(wrong)
    assert (document["credentials"], document["vault_records"]) == (planted.credentials, planted.vault_records)
    summary = Counter(each["code"] for each in [*document["schema"], *document["findings"]])
    assert document["summary"] == dict(summary)


@pytest.mark.crossed(10)
@pytest.mark.thorough(but=("sqlite", "g4"))
@pytest.mark.parametrize("generation", [each for each in GENERATIONS if each != "g1"])
def test_where_every_sealed_text_opens_what_is_lost_is_called_lost(
    generation: str, planted_once: Callable[..., WrittenDatabase], root_key_uri: str
) -> None:
    planted = planted_once(generation, opened=True)
    expected = planted.findings(ROOT_KEY_ONLY)
    assert any(each.repair == "none" for each in expected)
    wrong = difference(planted.truth, expected, found_in(examined(planted, ROOT_KEY_ONLY, root_key_uri)))
    assert not wrong, "\n".join(wrong)


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize(
    "given", [Access(legacy_password=True), Access(keystore_password=True)], ids=["legacy", "keystore"]
)
@pytest.mark.parametrize("generation", ["g2", "g4-vault"])
def test_a_password_opens_what_is_its_own(
    generation: str, given: Access, planted_once: Callable[..., WrittenDatabase], root_key_uri: str
) -> None:
    planted = planted_once(generation)
    found = found_in(examined(planted, given, root_key_uri))
    wrong = difference(planted.truth, planted.findings(given), found)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_a_fixture_by_hand_shows_what_is_written_next_to_it(case: ByHand, by_hand_url: Callable[[ByHand], str]) -> None:
    url = by_hand_url(case)
    assert found_in(doctor(url)) == Counter(case.expected)
    if case.opened is not None:
        options = ("--legacy-password-stdin", "--keystore-password-stdin")
        lines = f"{by_hand.LEGACY_PASSWORD}\n{by_hand.KEYSTORE_PASSWORD}\n"
        assert found_in(doctor(url, *options, stdin=lines)) == Counter(case.opened)
