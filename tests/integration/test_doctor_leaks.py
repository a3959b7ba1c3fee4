"""Doctor shows no key: the canary is in every kind of text, and in nothing that is printed, raised or written."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from pkgutil import resolve_name
from traceback import walk_stack
from typing import IO, Any
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom import Secret
from strongroom.settings import Settings
from strongroom.takeover.doctor.examination import examine
from strongroom.takeover.doctor.passwords import Passwords
from strongroom.takeover.doctor.readings import Readings
from strongroom.wiring.takeovers import open_doctor
from testbed.command_line import CommandResult, call
from testbed.databases.foreign import add_project, legacy_template, run_script
from testbed.databases.rows import execute
from testbed.defects.locked import envelope_text, keystore_text
from testbed.harness.canary import Canary, Leak, report
from testbed.networks.key_forms import BITCOIN_FORMS, ENCODINGS, EVM_FORMS, SOLANA_FORMS
from testbed.networks.key_forms import address_of as derived
from testbed.servers.postgres import PostgresServer
from testbed.servers.proxy import Proxy, runs

pytestmark = pytest.mark.usefixtures("empty_directory")

KEY = bytes.fromhex("5ec4e7f00d5ec4e7f00d5ec4e7f00d5ec4e7f00d5ec4e7f00d5ec4e7f00dbeef")
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
LEGACY, KEYSTORES = "the master pässword", "the keystores' pässword"
PASSWORDS = f"{LEGACY}\n{KEYSTORES}\n".encode()
MATCHING, OTHER = derived(("ethereum", None), KEY), derived(("ethereum", None), bytes(31) + b"\1")
BOTH = ("--legacy-password-stdin", "--keystore-password-stdin")

TEXTS = [
    *(write(KEY) for forms in (EVM_FORMS, BITCOIN_FORMS, SOLANA_FORMS) for write in forms.values()),
    *(encode(write(KEY).encode()) for encode in ENCODINGS.values() for write in SOLANA_FORMS.values()),
    *(encode(KEY) for encode in ENCODINGS.values()),
    *(encode(PHRASE.encode()) for encode in ENCODINGS.values()),
    PHRASE,
    f"0x{PHRASE}",
    f"{PHRASE} year",
    f"my phrase: {PHRASE}",
    f"my key: {KEY.hex()}",
    KEY.hex()[:-1],
    KEY.hex() * 2000,
    json.dumps({"key": KEY.hex(), "phrase": PHRASE}),
    json.dumps({"crypto": KEY.hex(), "version": KEY.hex()}),
    json.dumps({"salt": KEY.hex(), "iv": KEY.hex(), "encrypted": KEY.hex(), "authTag": KEY.hex()}),
    "eyJraWQiOi" + KEY.hex(),
    "eyJraWQiOi" + PHRASE,
    *(envelope_text(text, LEGACY, bytes(32), bytes(16)) for text in (KEY.hex(), PHRASE, f"note: {KEY.hex()}")),
    envelope_text(KEY.hex(), "another password", bytes(32), bytes(16)),
    keystore_text(KEY, KEYSTORES, bytes(32), bytes(16), UUID(int=1)),
    keystore_text(KEY, "another password", bytes(32), bytes(16), UUID(int=1)),
]


@pytest.fixture
def canary() -> Canary:
    """The key, the phrase, the passwords, and texts whose beginnings are none of these."""
    texts = {f"text {n}": text[:40] for n, text in enumerate(TEXTS) if not text.startswith(("{", "[", "eyJraWQiOi"))}
    return Canary(KEY, PHRASE.split(), {"legacy": LEGACY, "keystores": KEYSTORES, **texts})


_HISTORY = """
INSERT INTO strongroom_vault_history
SELECT (jsonb_populate_record(h, %s)).* FROM strongroom_vault_history h WHERE credential_id = %s LIMIT 1
"""


@pytest.fixture(scope="module")
def full_url(postgres: PostgresServer, root_key_uri: str) -> Iterator[str]:
    """An initialised g2 with the canary in every kind of text, in the right rows and in the wrong ones."""
    url = postgres.create_database("canaries", template=legacy_template(postgres, root_key_uri, "g2", initialised=True))
    with strongroom.open(url, root_key=root_key_uri) as vault:
        project = add_project(url)
        sealed = vault.import_wallet(project, "ethereum", private_key=KEY.hex()).wallet
        phrased = vault.import_wallet(project, "solana", mnemonic=PHRASE).wallet
    run_script(
        url,
        """
        DROP INDEX unique_active_project_credentials;
        ALTER TABLE credential_vault_storage DROP CONSTRAINT credential_vault_storage_credential_id_fkey,
            DROP CONSTRAINT valid_encryption_method, DROP CONSTRAINT valid_access_level;
        """,
    )
    with psycopg.connect(url) as connection:

        def add(address: str | None, text: str | None, metadata: object = None, *, gone: bool = False) -> None:
            credential = uuid4()
            if not gone:
                connection.execute(
                    """INSERT INTO project_credentials
                              (id, project_id, wallet_address, public_key, key_vault_id, status, metadata)
                       VALUES (%s, %s, %s, '', %s, %s, %s)""",
                    [credential, project, address, f"v{credential}", KEY.hex(), json.dumps(metadata)],
                )
            if text is not None:
                connection.execute(
                    """INSERT INTO credential_vault_storage
                              (credential_id, vault_id, encrypted_private_key, encryption_method, access_level)
                       VALUES (%s, %s, %s, %s, %s)""",
                    [credential, f"v{credential}", text, KEY.hex(), PHRASE],
                )

        for text in TEXTS:
            for address in (MATCHING, OTHER, None):
                add(address, text)
            add(MATCHING, None, {"private_key_encrypted": text})
            add(OTHER, "", {"vault_storage": {"encrypted_private_key": text}})
            add(None, text, gone=True)
            changes = {"id": str(uuid4()), "text": text, "form": "foreign"}
            connection.execute(_HISTORY, [json.dumps(changes), sealed.id])
        add(OTHER, None, {"private_key": "0x00000000219ab540356cBB839Cbe05303d7705Fa", "backup_key": KEY.hex()})
        connection.execute("UPDATE project_credentials SET public_key = '04' WHERE id = %s", [phrased.id])
    yield url
    postgres.drop_database("canaries")


def assert_nowhere(leaks: list[Leak]) -> None:
    assert leaks == [], report(leaks)


def in_answer(canary: Canary, answer: CommandResult) -> list[Leak]:
    return [*canary.in_text(answer.out, "standard output"), *canary.in_text(answer.err, "standard error")]


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize(("given", "debug"), [((), "0"), (BOTH, "1")], ids=["without passwords", "with passwords"])
def test_what_is_printed_shows_no_key(
    full_url: str,
    root_key_uri: str,
    canary: Canary,
    given: tuple[str, ...],
    debug: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("STRONGROOM_DEBUG", debug)
    leaks = []
    with caplog.at_level("DEBUG"):
        for options in (("--root-key", root_key_uri), ("--root-key", root_key_uri, "--json")):
            answer = call("doctor", "--database", full_url, *given, *options, stdin=PASSWORDS if given else b"")
            assert answer.code == 3, answer.err
            leaks += in_answer(canary, answer)
    assert {"plaintext-key", "plaintext-mnemonic", "encoded-key", "legacy-envelope", "keystore"} < set(
        answer.document["summary"]
    )
    assert {"address-mismatch", "unreadable", "wrong-label", "key-in-metadata", "shared-key", "foreign-history"} < set(
        answer.document["summary"]
    )
    assert_nowhere([*leaks, *canary.in_text(caplog.text, "the logs")])


@pytest.fixture
def opened_files(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Duplicates of the temporary files, which outlive them."""
    files: list[IO[bytes]] = []
    original = tempfile.TemporaryFile

    def watched(*args: Any, **options: Any) -> Any:
        file = original(*args, **options)
        files.append(os.fdopen(os.dup(file.fileno()), "rb"))
        return file

    monkeypatch.setattr(tempfile, "TemporaryFile", watched)
    yield files
    for file in files:
        file.close()


def test_what_is_written_on_the_way_holds_no_key(
    full_url: str, root_key_uri: str, canary: Canary, opened_files: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(tempfile.mkdtemp(dir="."))
    monkeypatch.setattr(tempfile, "tempdir", str(folder.absolute()))
    answer = call("doctor", "--database", full_url, *BOTH, "--root-key", root_key_uri, stdin=PASSWORDS)
    assert answer.code == 3
    assert list(folder.iterdir()) == [], "they never had a name that stays"
    leaks, sizes = [], []
    for file in opened_files:
        file.seek(0)
        content = file.read()
        sizes.append(len(content))
        leaks += canary.in_bytes(content, "a temporary file")
    assert len(sizes) == 4
    assert sorted(sizes)[1] > 1000, "findings, marks, offers; in the fourth ids of rows where projects share a key"
    assert_nowhere(leaks)


def settings_of(url: str, root_key: str | None) -> Settings:
    return Settings.load(url, root_key, None)


def brought() -> Passwords:
    return Passwords(Secret.from_text(LEGACY), Secret.from_text(KEYSTORES))


def test_no_object_on_the_way_shows_a_key(full_url: str, root_key_uri: str, canary: Canary) -> None:
    leaks = []
    with open_doctor(settings_of(full_url, root_key_uri), brought()) as doctor:
        backend, inspection = doctor._examination_context, doctor._inspection
        for found in inspection.wallets():
            readings = Readings.of(found)
            examined = examine(backend, found, readings)
            for each in (found, readings, examined, found.credential, *found.records, *examined.match_keys):
                leaks += canary.in_text(f"{each!r} {each!s}", f"a {type(each).__name__}")
            for read in (*readings.records, *(text for _, text in readings.members)):
                content = backend.derivation.explain(read, examined.target)
                for part in (read, read.key, read.phrase, read.locked, content, *backend.passwords.open(read)):
                    leaks += canary.in_text(f"{part!r}", f"a {type(part).__name__}")
        for kept in inspection.unsealed_history():
            leaks += canary.in_object(repr(kept), "a kept text")
        list(doctor.run())
        for thing in (doctor, doctor.diagnosis, backend, inspection, doctor.diagnosis.spool, *doctor.diagnosis.spool):
            leaks += canary.in_text(f"{thing!r}", f"a {type(thing).__name__}")
    assert_nowhere(leaks)


def look(url: str, root_key: str) -> None:
    with open_doctor(settings_of(url, root_key), brought()) as doctor:
        for _ in doctor.run():
            pass


class Interrupted(Exception):
    """Raised where it hurts."""


@pytest.mark.parametrize("place", [1, 2, 4, 7, 9])
def test_a_connection_that_is_cut_shows_no_key(
    full_url: str,
    root_key_uri: str,
    canary: Canary,
    proxy: Proxy,
    place: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Cut before the n-th fetch or look into the history: no local variable of any frame holds a row."""
    monkeypatch.setattr("strongroom.store.inspection.inspection._PAGE", 40)
    seen = 0

    def is_the_place(message: Any) -> bool:
        nonlocal seen
        seen += bool(runs(r"FETCH FORWARD|strongroom_vault_history")(message))
        return seen == place

    name = full_url.partition("?")[0].rpartition("/")[2]
    trap = proxy.arm(is_the_place, "before")
    with pytest.raises(strongroom.StrongroomError) as caught:
        look(proxy.url(name), root_key_uri)
    assert trap.fired
    assert_nowhere([*canary.in_exception(caught.value), *canary.in_object(caught.value, "the error")])


@pytest.mark.parametrize("debug", ["0", "1"])
def test_the_command_says_that_the_connection_was_lost_and_shows_no_key(
    full_url: str, canary: Canary, proxy: Proxy, debug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRONGROOM_DEBUG", debug)
    monkeypatch.setattr("strongroom.store.inspection.inspection._PAGE", 40)
    name = full_url.partition("?")[0].rpartition("/")[2]
    fetches = 0

    def is_the_third(message: Any) -> bool:
        nonlocal fetches
        fetches += bool(runs("FETCH FORWARD")(message))
        return fetches == 3

    proxy.arm(is_the_third, "before")
    answer = call("doctor", "--database", proxy.url(name), "--json")
    assert (answer.code, json.loads(answer.out)["error"]["code"]) == (1, "store-unavailable")
    assert_nowhere(in_answer(canary, answer))


PLACES = [
    "strongroom.takeover.doctor.examination._probe_missing",
    "strongroom.takeover.doctor.examination.own_match_keys",
    "strongroom.takeover.doctor.text_probes.derives",
    "strongroom.takeover.doctor.spool.Spool.add",
    "strongroom.takeover.doctor.cross_row_index.CrossRowIndex.add",
    "strongroom.takeover.doctor.derivation.Derivation.target",
    "strongroom.takeover.doctor.derivation.Derivation.is_address",
    "strongroom.takeover.doctor.derivation.Derivation.explain",
]


@pytest.mark.parametrize("place", PLACES)
def test_what_fails_in_the_middle_of_a_wallet_shows_no_key(
    full_url: str, root_key_uri: str, canary: Canary, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A defect of ours, or too little memory, in any of the functions that have a text in hand."""

    def fail(*_: Any, **__: Any) -> None:
        raise Interrupted

    monkeypatch.setattr(place, fail)
    with pytest.raises(Interrupted) as caught:
        look(full_url, root_key_uri)
    assert_nowhere(canary.in_exception(caught.value))


def test_from_wherever_they_are_called_no_frame_shows_a_key(
    full_url: str, root_key_uri: str, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which wallet comes first is chance: each way to each of these functions is looked at."""
    leaks: list[Leak] = []
    seen: set[tuple[object, ...]] = set()

    def watched(place: str) -> Callable[..., Any]:
        function = resolve_name(place)

        def look_around(*args: Any, **named: Any) -> Any:
            frames = [frame for frame, _ in walk_stack(sys._getframe(1))]
            way = (place, *((frame.f_code, frame.f_lasti) for frame in frames))
            if way not in seen:
                seen.add(way)
                leaks.extend(canary.in_frames(frames))
            return function(*args, **named)

        return look_around

    for place in PLACES:
        monkeypatch.setattr(place, watched(place))
    look(full_url, root_key_uri)
    assert {place for place, *_ in seen} == set(PLACES)
    assert_nowhere(leaks)


def test_the_search_finds_what_is_planted(canary: Canary) -> None:
    assert all(canary.in_text(text, "vault_a") for text in TEXTS if KEY.hex() in text or PHRASE in text)


@pytest.mark.parametrize("after", [0, 2])
def test_a_file_of_sqlite_that_fails_shows_no_key(
    sqlite_vault_url: str, root_key_uri: str, canary: Canary, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    with strongroom.open(sqlite_vault_url, root_key=root_key_uri) as vault:
        for _ in range(5):
            vault.import_wallet(uuid4(), "ethereum", private_key=KEY.hex())
    execute(sqlite_vault_url, "UPDATE credential_vault_storage SET encrypted_private_key = ?", (KEY.hex(),))
    monkeypatch.setattr("strongroom.store.inspection.inspection._PAGE", 2)

    def look_and_lose() -> None:
        with open_doctor(settings_of(sqlite_vault_url, root_key_uri), Passwords()) as doctor:
            for number, _ in enumerate(doctor.run()):
                if number == after:
                    doctor._inspection._database.close()

    with pytest.raises(strongroom.StrongroomError) as caught:
        look_and_lose()
    assert_nowhere([*canary.in_exception(caught.value), *canary.in_object(caught.value, "the error")])
