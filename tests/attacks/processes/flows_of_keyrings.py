"""The flows that change sealing keys and root keys, and the one that makes the first of both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import strongroom
from strongroom.rootkeys.file import FileRootKey
from strongroom.store import keyring_store
from strongroom.store.statements import rows
from testbed.databases.deployments import PAGE
from testbed.databases.rows import HALF_WRAPPED, execute
from testbed.harness.fork_server import Arguments
from testbed.legacy import schema_sql
from testbed.processes import lifecycle
from tests.attacks.processes import children as attacked_children
from tests.attacks.processes.flows import ChildCase, KillFlow
from tests.attacks.processes.witness import DatabaseWitness, url_of_victims

_numbers = count(1)
_STATES = "SELECT kid, state FROM strongroom_keyring"
_CHANGES = """
SELECT (SELECT version FROM strongroom_keyring_head), (SELECT count(*) FROM strongroom_events)"""
_LOGGED = "SELECT count(*) FROM credential_usage_logs WHERE action_type = 'rewrap'"
_URIS = "SELECT DISTINCT root_key FROM strongroom_keyring_wrap"
_TEXTS = "SELECT encrypted_private_key FROM credential_vault_storage"


class KeyringFlow(KillFlow):
    """A keyring that two root keys open."""

    at_once = True

    def set_up(self) -> None:
        """A second root key, a second sealing key, and a wallet under each."""
        folder = Path(self.request.getfixturevalue("private_path"))
        self.uri = f"file:{folder / f'second-{next(_numbers)}.key'}"
        assert FileRootKey(self.uri).create()
        self.make()
        self.vault.rotate_sealing_key()
        self.make()
        self.vault.add_root_key(self.uri)

    def look_at_keyring(self) -> dict[str, str]:
        """One sealing key is active, every root key wraps all, each change has its event; every state, by kid."""
        version, events = self.witness.ask(_CHANGES)[0]
        self.row.half_made += version != events
        states = dict(self.witness.ask(_STATES))
        self.row.half_made += list(states.values()).count("active") != 1
        self.row.half_made += len(self.witness.ask(HALF_WRAPPED))
        return states

    def uris(self) -> set[str]:
        """The root keys that wrap anything."""
        return {uri for (uri,) in self.witness.ask(_URIS)}

    def end(self) -> None:
        """Besides, each root key by itself opens everything."""
        uris = self.uris()
        super().end()
        for uri in uris:
            with self.deployment.open(root_key=uri) as vault:
                vault.check_root_key(uri)
                self.row.unproved += sum(not result.ok for result in vault.verify())


class Rotate(KeyringFlow):
    """A new sealing key."""

    name = "rotate"
    child = lifecycle.rotate

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """The sealing keys that are there."""
        return set(self.look_at_keyring()), {}

    def again(self, case: ChildCase) -> bool:
        """The new key is there, active and wrapped by both root keys, or it is not there."""
        states = self.look_at_keyring()
        new = set(states) - case.given
        assert len(new) <= 1
        if case.told is not None:
            self.row.lost += states.get(case.told["kid"]) != "active"
        assert self.vault.rotate_sealing_key() not in states
        return bool(new)


class Rewrap(KeyringFlow):
    """Every text is sealed anew, a few rows at once."""

    name = "rewrap"
    child = lifecycle.rewrap

    def set_up(self) -> None:
        """So many wallets that there is something between two pages."""
        super().set_up()
        self._logged = 0
        for _ in range(PAGE):
            self.make()

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """A newer sealing key, and the texts that are there."""
        newest = self.vault.rotate_sealing_key()
        return (newest, self._texts()), {}

    def again(self, case: ChildCase) -> bool:
        """Each text opens; each one that was replaced is kept; and what is left moves."""
        newest, before = case.given
        states = self.look_at_keyring()
        self.row.unproved += sum(not result.ok for result in self.vault.verify())
        texts = self._texts()
        self.row.half_made += sum(states[rows.kid_of(text[:40]) or ""] == "retired" for text in texts)
        kept = {text for (text,) in self.witness.ask("SELECT text FROM strongroom_vault_history")}
        self.row.lost += len(before - texts - kept)
        moved = sum(rows.kid_of(text[:40]) == newest for text in texts)
        self.row.half_made += self.witness.ask(_LOGGED) != [(self._logged + moved,)]
        self._logged += len(texts)
        if case.told is not None:
            self.row.lost += case.told["rewrapped"] != moved
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(keyring_store, "_PAGE", PAGE)
            assert all(result.ok for result in self.vault.rewrap())
        assert {rows.kid_of(text[:40]) for text in self._texts()} == {newest}
        states = self.look_at_keyring()
        assert [kid for kid, state in states.items() if state != "retired"] == [newest]
        return bool(moved)

    def _texts(self) -> set[str]:
        return {text for (text,) in self.witness.ask(_TEXTS)}


class AddRootKey(KeyringFlow):
    """A second root key comes."""

    name = "add root key"
    child = lifecycle.add_root_key

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """It is not there."""
        if self.uri in self.uris():
            self.vault.remove_root_key(self.uri)
        return None, {"uri": self.uri}

    def again(self, case: ChildCase) -> bool:
        """It wraps every sealing key, or none."""
        self.look_at_keyring()
        there = self.uri in self.uris()
        self.row.lost += case.told is not None and not there
        if there:
            self.vault.check_root_key(self.uri)
            with pytest.raises(strongroom.RootKeyExistsError):
                self.vault.add_root_key(self.uri)
        else:
            self.vault.add_root_key(self.uri)
        return there


class RemoveRootKey(KeyringFlow):
    """A second root key goes."""

    name = "remove root key"
    child = lifecycle.remove_root_key

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """It is there."""
        if self.uri not in self.uris():
            self.vault.add_root_key(self.uri)
        return None, {"uri": self.uri}

    def again(self, case: ChildCase) -> bool:
        """All of its wraps are there, or none; the other root key's are there."""
        self.look_at_keyring()
        uris = self.uris()
        self.row.lost += self.deployment.root_key not in uris
        gone = self.uri not in uris
        self.row.lost += case.told is not None and not gone
        if gone:
            with pytest.raises(strongroom.RootKeyMissingError):
                self.vault.remove_root_key(self.uri)
        else:
            self.vault.remove_root_key(self.uri)
        return gone


class Initialise(KillFlow):
    """Schema, root key and keyring are made; in PostgreSQL each time in a database of its own."""

    name = "init"
    child = attacked_children.initialise
    at_once = True

    def set_up(self) -> None:
        """What an uninterrupted run leaves."""
        self.folder = Path(self.request.getfixturevalue("private_path"))
        self.whole = _layout(self.witness)
        self.found: list[tuple[Any, ...]] = []
        self.untouched: tuple[str, str] | None = None

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """A database that strongroom has not seen; on g4 it has legacy tables."""
        url, root_key = self.untouched or self._make()
        return (url, root_key), {"url": url_of_victims(url), "root_key": root_key}

    def again(self, case: ChildCase) -> bool:
        """Another init ends where an uninterrupted one does; where nothing is there, another child shall try."""
        url, root_key = case.given
        with _opened(url) as witness:
            layout = _layout(witness)
            if layout == self.found and not list(self.folder.glob(f"*{_file_of(root_key).name}*")):
                self.row.lost += case.told is not None
                self.untouched = url, root_key
                return False
            self.untouched = None
            return self._another(witness, case, begun="strongroom_keyring" in dict(layout))

    def end(self) -> None:
        """The database that nobody has changed is initialised, too."""
        if self.untouched is not None:
            url, root_key = self.untouched
            strongroom.init(url, root_key=root_key).close()
        super().end()

    def _make(self) -> tuple[str, str]:
        name = f"init_{next(_numbers)}"
        ((here,),) = (
            [(None,)] if self.deployment.backend == "sqlite" else self.witness.ask("SELECT current_database()::text")
        )
        url = self.deployment.url.replace(f"/{here}?", f"/{name}?")
        if self.deployment.backend == "sqlite":
            url = f"sqlite:///{self.folder / f'{name}.db'}"
            _file_of(url.replace("sqlite:///", "file:")).touch(mode=0o600)
        else:
            self.witness.ask(f"CREATE DATABASE {name}")
        if self.deployment.foreign:
            execute(url, schema_sql(self.deployment.backend).replace("%", "%%"))
        with _opened(url) as witness:
            self.found = _layout(witness)
        return url, f"file:{self.folder / f'{name}.key'}"

    def _another(self, witness: DatabaseWitness, case: ChildCase, *, begun: bool) -> bool:
        """The keyring is the one that somebody was told of, made once."""
        url, root_key = case.given
        before = witness.ask(_STATES) if begun else []
        with strongroom.init(url, root_key=root_key) as vault:
            states = witness.ask(_STATES)
            if case.told is not None:
                self.row.lost += before != [(case.told["kid"], "active")]
            self.row.half_made += _layout(witness) != self.whole
            self.row.half_made += len(states) != 1 or (bool(before) and before != states)
            self.row.half_made += len(witness.ask(HALF_WRAPPED))
            self.row.duplicates += witness.ask("SELECT event FROM strongroom_events") != [("init",)]
            vault.check_root_key(root_key)
        return bool(before)


def _file_of(uri: str) -> Path:
    return Path(uri.removeprefix("file:"))


@contextmanager
def _opened(url: str) -> Iterator[DatabaseWitness]:
    witness = DatabaseWitness(url)
    try:
        yield witness
    finally:
        witness.close()


_COLUMNS = """
SELECT table_name::text, count(*) FROM information_schema.columns
 WHERE table_schema IN ('public', 'strongroom') GROUP BY table_name ORDER BY table_name"""
_SQLITE_COLUMNS = """
SELECT m.name, count(*) FROM sqlite_master m JOIN pragma_table_info(m.name) c
 WHERE m.type = 'table' GROUP BY m.name ORDER BY m.name"""


def _layout(witness: DatabaseWitness) -> list[tuple[Any, ...]]:
    """The tables, and how many columns each has."""
    return witness.ask(_SQLITE_COLUMNS if witness.is_sqlite else _COLUMNS)


FLOWS_OF_KEYRINGS: tuple[type[KillFlow], ...] = (Rotate, Rewrap, AddRootKey, RemoveRootKey, Initialise)
