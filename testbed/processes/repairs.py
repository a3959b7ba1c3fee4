"""Damaged databases that are repaired under fire: what holds there at any time, and what child processes do there."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from strongroom.networks import TABLE
from strongroom.secret import Secret
from strongroom.settings import Settings
from strongroom.takeover.doctor.passwords import Passwords
from strongroom.takeover.doctor.sealed_texts import open_with_header, sealed_header
from strongroom.takeover.repair import plan as plans
from strongroom.takeover.repair.apply import Applier
from strongroom.takeover.repair.outcomes import UnitOutcome
from strongroom.takeover.repair.plan import Plan
from strongroom.takeover.repair.planner import Planner
from strongroom.takeover.repair.session import RepairSession
from strongroom.wiring import open_context
from strongroom.wiring.takeovers import open_doctor, open_repair
from testbed.databases.rows import execute, sqlite_path
from testbed.defects.ground_truth import MEMBERS
from testbed.defects.locked import KEYSTORE_PASSWORD, LEGACY_PASSWORD
from testbed.defects.texts import PLACEHOLDERS, Text
from testbed.defects.write import WrittenDatabase, write_database
from testbed.harness.child import arm, emit, gate
from testbed.servers.postgres import PostgresServer

CHEAP = (
    "missing-vault-record",
    "placeholder",
    "plaintext-key",
    "encoded-key",
    "key-in-metadata",
    "wrong-label",
    "sealed-elsewhere",
    "identity-changed",
    "duplicate-live",
    "shared-key-vault-id",
    "duplicate-vault-records",
    "stored-flag-wrong",
    "live-after-revoke",
    "foreign-history",
)
"""Defects of which something can be repaired."""
Thing = tuple[str, str, object]
"""A credential, what kind of thing, and the thing: a key, a phrase, or a text that nobody here can open."""

_numbers = count(1)


@dataclass
class RepairScene:
    """A database with defects that is cloned for each test, and its plan."""

    planted: WrittenDatabase
    root_key: str
    server: PostgresServer | None
    folder: Path
    template: str = ""
    """The name of the database that was planted; empty for a file."""
    texts: dict[str, Text] = field(repr=False, default_factory=dict)
    plan: Plan = field(repr=False, default_factory=lambda: Plan("", "", "", ()))
    names: list[str] = field(default_factory=list)

    @classmethod
    def open(
        cls, planted: WrittenDatabase, root_key: str, server: PostgresServer | None, folder: Path, template: str
    ) -> RepairScene:
        """Make the plan of what was planted."""
        scene = cls(planted, root_key, server, folder, template)
        truth = planted.truth
        every = [record.text for record in truth.records] + [entry.text for entry in truth.entries]
        every += [text for credential in truth.credentials for text in credential.members.values()]
        scene.texts = {text.value: text for text in every if text.value is not None}
        scene.plan = make_plan(planted.url, root_key)
        return scene

    def clone(self) -> str:
        """The URL of a copy as it was planted."""
        name = f"ward_{next(_numbers)}"
        self.names.append(name)
        if self.server is None:
            folder = self.folder / name
            folder.mkdir(mode=0o700)
            source = sqlite_path(self.planted.url)
            for file in Path(source).parent.glob(f"{Path(source).name}*"):
                shutil.copy2(file, folder)
            return f"sqlite:///{folder / Path(source).name}"
        return self.server.create_database(name, template=self.template)

    def close(self) -> None:
        """Drop the copies."""
        for name in self.names:
            if self.server is None:
                shutil.rmtree(self.folder / name, ignore_errors=True)
            else:
                self.server.drop_database(name)
        self.names.clear()

    def file(self, *units: plans.Unit) -> str:
        """The path of a plan with these units, or with all of them."""
        path = self.folder / f"plan_{next(_numbers)}.json"
        path.write_text("".join(plans.lines(replace(self.plan, units=units or self.plan.units, left=()))))
        return str(path)

    def things(self, url: str, keyring: Any) -> set[Thing]:
        """Every key, phrase and unopened text that stands anywhere, with the credential that it stands under."""
        found: set[Thing] = set()
        for credential, text in all_texts(url):
            if text is None or text in PLACEHOLDERS:
                continue
            found.update((credential, *thing) for thing in self._meaning(text, keyring))
        return found

    def state(self, url: str, keyring: Any) -> dict[str, Any]:
        """What a repair leaves behind, without what differs from run to run: ids, times and the noise of sealing."""
        known = {str(record.id) for record in self.planted.truth.records}

        def meant(text: str | None) -> object:
            return text if text is None or text in PLACEHOLDERS else (is_sealed(text), *self._meaning(text, keyring))

        records = execute(url, _RECORDS)
        credentials = [tuple(map(_plain, row)) for row in execute(url, _CREDENTIALS)]
        history = execute(url, _HISTORY)
        return {
            "records": Counter((str(row[0]), *map(_plain, row[1:-1]), meant(row[-1])) for row in records),
            "new": sum(str(row[0]) not in known for row in execute(url, "SELECT id FROM credential_vault_storage")),
            "credentials": Counter(credentials),
            "history": Counter((str(row[0]), *row[1:-1], meant(row[-1])) for row in history),
            "logs": Counter((str(row[0]), _plain(row[1])) for row in execute(url, _LOGS)),
            "slots": Counter(tuple(map(str, row)) for row in execute(url, _SLOTS)),
        }

    def findings(self, url: str) -> Counter[tuple[object, ...]]:
        """What doctor finds, by credential."""
        with open_doctor(Settings(database=url, root_key=self.root_key), passwords()) as doctor:
            for _ in doctor.run():
                pass
            return Counter(
                (each.code, each.credential_id, each.repair, each.automatic) for each in doctor.diagnosis.spool
            )

    def _meaning(self, text: str, keyring: Any) -> Iterator[tuple[str, object]]:
        return meaning(text, self.texts.get(text), keyring)


_RECORDS = """
SELECT credential_id, encryption_method, access_level, vault_id, encrypted_private_key FROM credential_vault_storage"""
_CREDENTIALS = """
SELECT id, project_id, network, wallet_address, public_key, key_vault_id, status, is_active, vault_stored, metadata
  FROM project_credentials"""
_HISTORY = "SELECT credential_id, form, reason, text FROM strongroom_vault_history"
_LOGS = "SELECT credential_id, action_details FROM credential_usage_logs WHERE action_type = 'repair'"
_SLOTS = "SELECT project_id, network, label, credential_id FROM strongroom_slot"


def all_texts(url: str) -> Iterator[tuple[str, str | None]]:
    """Every text that may be a key, with its credential."""
    yield from (
        (str(row[0]), row[1])
        for table, column in (
            ("credential_vault_storage", "encrypted_private_key"),
            ("strongroom_vault_history", "text"),
        )
        for row in execute(url, f"SELECT credential_id, {column} FROM {table}")
    )
    for credential, metadata in execute(url, "SELECT id, metadata FROM project_credentials"):
        facts = json.loads(metadata) if isinstance(metadata, str) else metadata or {}
        for name in MEMBERS:
            value = facts.get(name)
            yield str(credential), value.get("encrypted_private_key") if isinstance(value, dict) else value


def keyring_of(url: str, root_key: str) -> Any:
    """The keyring of a vault, which stays open: closing what was opened with it would forget its keys."""
    context = open_context(Settings(database=url, root_key=root_key))
    context.store.close()
    return context.keyring


def is_sealed(text: str) -> bool:
    """Whether strongroom made it."""
    return text.startswith("eyJraWQiOi")


def meaning(text: str, truth: Text | None, keyring: Any) -> Iterator[tuple[str, object]]:
    """What a text holds: what opening it shows where it is ours, else the truth about it, else the text itself."""
    found = sealed_header(text, aside=True) if is_sealed(text) else None
    if found is not None and found.kid in keyring.kids:
        material = open_with_header(text, found, keyring, TABLE).material
        if material is not None:
            yield "key", material.private_key.reveal()
            if material.mnemonic is not None:
                yield "phrase", material.mnemonic.reveal_text()
            return
    if truth is not None and _is_open(truth):
        if truth.secret is not None:
            yield "key", truth.secret
        elif truth.phrase is not None:
            yield "phrase", truth.phrase
        return
    yield "text", text


def _is_open(text: Text) -> bool:
    """Whether what is in it can be told with the passwords that are given here."""
    return text.form in ("key", "phrase", "encoded") or text.password in (LEGACY_PASSWORD, KEYSTORE_PASSWORD)


def _plain(value: object) -> object:
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else str(value)


def passwords() -> Passwords:
    """Those of the planted envelopes and keystores."""
    return Passwords(Secret.from_text(LEGACY_PASSWORD), Secret.from_text(KEYSTORE_PASSWORD))


@contextmanager
def repair_session(url: str, root_key: str) -> Iterator[RepairSession]:
    """What plans are made and carried out with."""
    with open_repair(Settings(database=url, root_key=root_key), passwords()) as opened:
        yield opened


def make_plan(url: str, root_key: str) -> Plan:
    """Doctor's findings as a plan."""
    settings = Settings(database=url, root_key=root_key)
    with repair_session(url, root_key) as opened, open_doctor(settings, passwords()) as doctor:
        for _ in doctor.run():
            pass
        return Planner(opened.vault_context, opened.store, opened.examination_context, {}).plan(
            doctor.diagnosis, "planted", lambda ids: ids
        )


def run_plan(url: str, root_key: str, plan: Plan) -> list[UnitOutcome]:
    """Apply a plan in this process."""
    with repair_session(url, root_key) as opened:
        return list(Applier(opened.vault_context, opened.store, opened.examination_context, plan).run())


def open_scene(
    generation: str, seed: int, wallets: int, root_key: str, postgres: Callable[[], PostgresServer], folder: Path
) -> RepairScene:
    """Plant, and make the plan."""
    template = ""
    if generation == "sqlite":
        place = folder / "planted"
        place.mkdir(mode=0o700)
        server, url = None, f"sqlite:///{place / 'vault.db'}"
    else:
        server = postgres()
        template = f"ward_{next(_numbers)}_{generation.replace('-', '_')}"
        url = server.create_database(template)
    planted = write_database(url, generation, seed, wallets, CHEAP, root_key=root_key)
    return RepairScene.open(planted, root_key, server, folder, template)


# --- children ------------------------------------------------------------------------------------------------


def apply(url: str, root_key: str, plan: str) -> None:
    """Apply a plan, stopped or killed from the first statement on."""
    wanted = plans.load(Path(plan))
    with repair_session(url, root_key) as opened:
        arm()
        emit(_told(Applier(opened.vault_context, opened.store, opened.examination_context, wanted)))


def apply_at_once(url: str, root_key: str, plan: str) -> None:
    """Apply a plan at the same moment as every other child."""
    wanted = plans.load(Path(plan))
    with repair_session(url, root_key) as opened:
        gate()
        emit(_told(Applier(opened.vault_context, opened.store, opened.examination_context, wanted)))


def warm_up() -> None:
    """Import what children need."""
    import psycopg  # noqa: F401

    import strongroom.wiring  # noqa: F401


def _told(applier: Applier) -> dict[str, Any]:
    outcomes = list(applier.run())
    return {
        "endings": {outcome.unit.credential_id: outcome.status.value for outcome in outcomes},
        "errors": [str(outcome.error) for outcome in outcomes if outcome.error is not None],
    }
