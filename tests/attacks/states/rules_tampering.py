"""A second role of the state machine: it may write to every table, has no root key, and acts between the rules.

What a vault answers while a row is tampered with is what it answered before, or a typed error; then the row is put
back, and everything goes on as the model says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import rule

from strongroom import StrongroomError, Vault, Wallet
from testbed.command_line import call
from testbed.databases.rows import grant_on_all_tables
from tests.attacks.states.model import Modelled
from tests.attacks.states.phrase_model import ModelledPhrase
from tests.attacks.states.rules_derive import DeriveRules
from tests.attacks.states.steps import NETWORKS, counted, picks
from tests.attacks.states.system_under_test import SystemUnderTest

ROLE = "strongroom_tamperer"
TABLES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "project_credentials": ("id", ("id",)),
    "credential_vault_storage": ("credential_id", ("id",)),
    "strongroom_slot": ("credential_id", ("project_id", "network", "label")),
    "strongroom_wallet": ("credential_id", ("project_id", "credential_id")),
    "strongroom_idempotency": ("credential_id", ("project_id", "key")),
    "strongroom_nonce": ("credential_id", ("project_id", "chain_id", "address", "nonce")),
}
"""Of each table the column that names a wallet, and its key."""
OF_PHRASES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "strongroom_phrase": ("phrase_id", ("project_id", "phrase_id")),
    "strongroom_phrase_account": ("phrase_id", ("project_id", "phrase_id", "network", "variant", "template")),
}
"""The same of those that name a phrase."""
WITHOUT_WALLETS: Mapping[str, tuple[str, ...]] = {
    "strongroom_keyring_head": ("id",),
    "strongroom_keyring": ("kid",),
    "strongroom_keyring_wrap": ("kid", "root_key"),
}
"""The other tables, with their keys."""
_WATCHED_BY_THE_GUARD = ("project_credentials", "credential_vault_storage")
GARBAGE = (None, "", "x", "[]", '{"scheme": 5}', "0" * 64, "\x1b[2J", 0, 7, True)
_PUT_OUT = (sqlite3.Error, psycopg.Error)
_MOST_PLANS = 1
"""Of repair, for each database: it looks at everything."""
_WHY: dict[str, Any] = {"actor": "ann", "reason": "to compare"}


class TamperingRules(DeriveRules):
    """Rows are tampered with while the vaults go on."""

    @rule(
        vault=st.integers(0, 1),
        number=picks,
        stranger=picks,
        table=st.sampled_from([*TABLES, *WITHOUT_WALLETS]),
        column=st.integers(0, 20),
        garbage=st.one_of(st.none(), st.sampled_from(GARBAGE)),
    )
    @counted
    def tamper(self, vault: int, number: int, stranger: int, table: str, column: int, garbage: object) -> None:
        wallet, other = self.pick(number), self.pick(stranger)
        if wallet is None or other is None or (self.system.guarded and table in _WATCHED_BY_THE_GUARD):
            return  # the guard would keep what was there: other rules count what is kept
        self.touched = None  # the other vault looks at what was put back
        rows = Rows(self.system, table)
        victim, source = rows.of(wallet), rows.of(other)
        if victim is None:
            return
        copied = _COPIED.get(self.system.deployment.backend, ())
        before = self._everything(vault, wallet)
        with rows.tampered(victim, source, column, garbage, copied) as what:
            if what is None:
                return
            after = self._everything(vault, wallet)
            self._examine()
        for verb, answer in after.items():
            assert answer is None or _is_right(answer, before[verb]), f"{verb}: {what}"
        assert self._everything(vault, wallet) == before

    @rule(
        vault=st.integers(0, 1),
        number=picks,
        stranger=picks,
        table=st.sampled_from(list(OF_PHRASES)),
        column=st.integers(0, 20),
        garbage=st.one_of(st.none(), st.sampled_from(GARBAGE)),
        network=st.sampled_from(NETWORKS),
    )
    @counted
    def tamper_with_phrases(
        self, vault: int, number: int, stranger: int, table: str, column: int, garbage: object, network: str
    ) -> None:
        """A wallet that is made meanwhile has the index that comes next, or is not made."""
        phrases = [each for each in self.model.phrases.values() if each.is_active]
        if not phrases:
            return
        phrase, other = phrases[number % len(phrases)], phrases[stranger % len(phrases)]
        self.touched = None
        rows = Rows(self.system, table)
        victim, source = rows.of(phrase), rows.of(other)
        if victim is None or source is None:
            return
        before = self._of_phrase(vault, phrase)
        with rows.tampered(victim, source, column, garbage, ("created_at",)) as what:
            if what is None:
                return
            after = self._of_phrase(vault, phrase)
            self._derive_meanwhile(vault, phrase, network)
            self._examine()
        for verb, answer in after.items():
            assert answer is None or answer == before[verb], f"{verb}: {what}"
        del before["accounts"]  # of another network a wallet may have been made
        again = self._of_phrase(vault, phrase)
        assert again.pop("accounts") is not None
        assert again == before

    def _derive_meanwhile(self, vault: int, phrase: ModelledPhrase, network: str) -> None:
        """It is made with the index that is next, or not at all."""
        label = f"t-{self.system.steps.total()}"
        wanted = self._derived(phrase.project, network, label)
        if wanted.slot in self.model.live:
            return
        try:
            made = self.system.vaults[vault].create_wallet(phrase.project, network, label=label, phrase=phrase.id)
        except StrongroomError:
            assert self.system.vaults[1 - vault].find_wallet(phrase.project, network, label) is None
            return
        self._settle_derived(made, wanted, phrase, None, repeated=False)

    def _of_phrase(self, vault: int, phrase: ModelledPhrase) -> dict[str, object]:
        """What a vault answers of a phrase; None stands for a typed error."""
        project = phrase.project
        verbs: dict[str, Callable[[Vault], object]] = {
            "find": lambda vault: vault.find_phrase(project, phrase.label),
            "get": lambda vault: vault.get_phrase(project, phrase.id),
            "list": lambda vault: vault.list_phrases(project),
            "reveal": lambda vault: vault.reveal_phrase(project, phrase.id, **_WHY).mnemonic.reveal_text(),
            "accounts": lambda vault: vault.list_accounts(project, phrase.id),
        }
        return _answers(self.system.vaults[vault], verbs)

    def _everything(self, vault: int, wallet: Modelled) -> dict[str, object]:
        """What a vault answers of a wallet; None stands for a typed error."""
        project, network, label = wallet.slot
        asked = wallet.id
        verbs: dict[str, Callable[[Vault], object]] = {
            "create": lambda vault: _facts(vault.create_wallet(project, network, label=label).wallet),
            "find": lambda vault: _facts(vault.find_wallet(project, network, label)),
            "get": lambda vault: _facts(vault.get_wallet(asked)),
            "find_by_address": lambda vault: _facts(vault.find_by_address(wallet.address, project_id=project)),
            "sign": lambda vault: str(vault.sign_message(asked, "hello").as_dict()),
            "sign, retired too": lambda vault: str(vault.sign_message(asked, "hello", allow_retired=True).as_dict()),
            "reveal": lambda vault: vault.reveal(asked, **_WHY).private_key.reveal_text(),
        }
        return _answers(self.system.vaults[vault], verbs)

    def _examine(self) -> None:
        """Doctor, and a plan of repair, look at it, too: whatever they find, they end."""
        deployment, system = self.system.deployment, self.system
        if system.plans >= _MOST_PLANS:
            return
        system.plans += 1
        opened = ("--database", deployment.url, "--root-key", deployment.root_key)
        for command in (("doctor",), ("repair", "--plan", str(system.folder / f"plan-{system.plans}.json"))):
            answer = call(command[0], *opened, *command[1:])
            assert "Traceback" not in answer.err


_COPIED: Mapping[str, tuple[str, ...]] = {"g4": ("revoked_at", "key_vault_id", "vault_id")}
"""Columns that a trigger of the legacy application copies: to put one row back does not put the other one back."""


class Rows:
    """Rows of a table, read and written as the second role."""

    def __init__(self, system: SystemUnderTest, table: str) -> None:
        self.system, self.table = system, table
        self.sqlite = system.deployment.backend == "sqlite"
        named = {**TABLES, **OF_PHRASES}
        self.named_by: str | None = named[table][0] if table in named else None
        self.key = named[table][1] if table in named else WITHOUT_WALLETS[table]
        self.columns = self._columns()

    def _columns(self) -> list[str]:
        if self.sqlite:
            return [str(row[0]) for row in self._run(f"SELECT name FROM pragma_table_info('{self.table}')")]
        sql = (
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
            "ORDER BY attnum"
        )
        return [str(row[0]) for row in self._run(sql, self.table)]

    def of(self, named: Modelled | ModelledPhrase) -> dict[str, Any] | None:
        """The newest row of a wallet or phrase, or of the table where its rows belong to none."""
        shown = ", ".join(column if self.sqlite else f"{column}::text" for column in self.columns)
        where = "1 = 1" if self.named_by is None else f"{self._text(self.named_by)} = {self._mark}"
        found = self._run(
            f"SELECT {shown} FROM {self.table} WHERE {where} ORDER BY {', '.join(self.key)}",
            *(() if self.named_by is None else (str(named.id),)),
        )
        return dict(zip(self.columns, found[-1], strict=True)) if found else None

    @contextmanager
    def tampered(
        self,
        victim: Mapping[str, Any],
        source: Mapping[str, Any] | None,
        column: int,
        garbage: object,
        left_out: Sequence[str],
    ) -> Iterator[str | None]:
        """Let one column of a row say what another row says, or garbage; the row is put back at the end.

        Yields what it says; None where the database takes no such value.
        """
        columns = [name for name in self.columns if name not in (*self.key, *left_out)]
        name = columns[column % len(columns)]
        value = garbage if source is None or source[name] == victim[name] else source[name]
        if not self.change(victim, {name: value}):
            yield None
            return
        try:
            yield f"{self.table}.{name} is {value!r}"
        finally:
            assert self.change(victim, {each: victim[each] for each in self.columns if each not in self.key})

    def change(self, row: Mapping[str, Any], values: Mapping[str, object]) -> bool:
        """Change a row; False where the database takes no such value."""
        assigned = ", ".join(f"{column} = {self._mark}" for column in values)
        where = " AND ".join(f"{self._text(column)} = {self._mark}" for column in self.key)
        keys = [row[column] for column in self.key]
        try:
            self._run(f"UPDATE {self.table} SET {assigned} WHERE {where}", *values.values(), *keys, writes=True)
        except _PUT_OUT:
            return False
        return True

    def _run(self, sql: str, *values: object, writes: bool = False) -> list[tuple[Any, ...]]:
        connection = self.system.bare_connection
        if writes and not self.sqlite:
            connection.execute(f"SET ROLE {ROLE}")
        try:
            cursor = connection.execute(sql, values)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            if writes and not self.sqlite:
                connection.execute("RESET ROLE")

    @property
    def _mark(self) -> str:
        return "?" if self.sqlite else "%s"

    def _text(self, column: str) -> str:
        return column if self.sqlite else f"{column}::text"


def allow(system: SystemUnderTest) -> None:
    """Make the second role, which may write to every table."""
    if system.deployment.backend == "sqlite":
        return
    if not system.bare("SELECT 1 FROM pg_roles WHERE rolname = ?", ROLE):
        system.bare(f"CREATE ROLE {ROLE}")
    system.bare(f"GRANT USAGE ON SCHEMA public TO {ROLE}")
    system.bare(grant_on_all_tables("SELECT, INSERT, UPDATE, DELETE", ROLE))


def _answers(vault: Vault, verbs: Mapping[str, Callable[[Vault], object]]) -> dict[str, object]:
    """What verbs answer; None stands for a typed error."""
    found: dict[str, object] = {}
    for verb, asking in verbs.items():
        try:
            found[verb] = asking(vault)
        except StrongroomError:
            found[verb] = None
    return found


def _is_right(answer: object, before: object) -> bool:
    """Whether an answer is the one of before; a wallet may be said to allow less than it does."""
    if isinstance(answer, tuple) and isinstance(before, tuple):
        return answer[:-1] == before[:-1] and (answer[-1] != "active" or before[-1] == "active")
    return answer == before


def _facts(wallet: Wallet | None) -> tuple[UUID | str | None, ...] | None:
    """What a wallet's record says, its status at the end; what the row alone tells is left out."""
    if wallet is None:
        return None
    return (
        *(wallet.id, wallet.project_id, wallet.network, wallet.label, wallet.address, wallet.public_key, wallet.path),
        wallet.status,
    )
