"""Keys that are missing where they belong and stored under another wallet: never lost, and a command that is named gets
each out, whatever the place and the form."""

from __future__ import annotations

import base64
import json
import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from strongroom import StrongroomError, Vault, Wallet
from testbed.command_line import call
from testbed.databases.deployments import Deployment
from testbed.databases.guards import install, key_of, put, rows_gone
from testbed.databases.rows import sqlite_path
from testbed.defects.locked import envelope_text
from testbed.processes.wallets import PHRASE
from tests.integration.test_commands_that_work import put_member
from tests.integration.test_keys_in_metadata import ask

BOTH = pytest.mark.parametrize("core_deployments", ["sqlite", "g4"], indirect=True)
CASES = pytest.mark.parametrize(
    ("same", "gone"),
    [(True, False), (False, False), (False, True)],
    ids=["same project", "other project", "other project, gone"],
)
WRAPPED: dict[str, Callable[[str], str]] = {
    "bare": lambda text: text,
    "JSON": lambda text: json.dumps({"encrypted": text}),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
}
PASSWORD = "the password of an envelope"
MOVING = ("move-key", "repair", "store-key")
"""What changes rows, and takes a key from elsewhere."""


class Pair:
    """A wallet whose own rows and history do not have its key, and another one."""

    def __init__(self, deployment: Deployment, vault: Vault, *, same: bool, text: str = "MIGRATION_REQUIRED") -> None:
        self.deployment, self.vault = deployment, vault
        project = deployment.project()
        self.owner = vault.create_wallet(project, "ethereum").wallet
        self.holder = vault.create_wallet(project if same else deployment.project(), "ethereum", label="b").wallet
        self.key, self.sealed = key_of(vault, self.owner), deployment.texts()[self.owner.id]
        self.others, self.others_text = key_of(vault, self.holder), deployment.texts()[self.holder.id]
        put(deployment, self.owner.id, text)
        self.without_history()

    def without_history(self) -> None:
        self.deployment.execute("DELETE FROM strongroom_vault_history")

    def rows_gone(self) -> None:
        rows_gone(self.deployment, self.owner.id)
        self.without_history()

    def in_metadata(self, member: str, value: Any) -> None:
        [(said,)] = self.deployment.execute("SELECT metadata FROM project_credentials WHERE id = ?", self.holder.id)
        facts = json.loads(said) if isinstance(said, str) else said
        cast = "?" if self.deployment.backend == "sqlite" else "?::text::jsonb"
        sql = f"UPDATE project_credentials SET metadata = {cast} WHERE id = ?"
        self.deployment.execute(sql, json.dumps({**facts, member: value}), self.holder.id)

    def in_record(self, text: str) -> None:
        put(self.deployment, self.holder.id, text)

    def in_history(self, text: str) -> None:
        """Written by the application, and over it since: the guard keeps it."""
        install(self.deployment)
        put(self.deployment, self.holder.id, text)
        put(self.deployment, self.holder.id, self.others_text)

    def run(self, command: str, stdin: bytes = b"") -> str:
        words = shlex.split(command)
        assert words.pop(0) == "strongroom", command
        answer = call(*words, "--database", self.deployment.url, "--root-key", self.deployment.root_key, stdin=stdin)
        assert answer.code == 0, (command, answer)
        return answer.out

    def found(self, wallet: Wallet | None = None) -> list[dict[str, Any]]:
        wallet_id = str((wallet or self.owner).id)
        return [each for each in ask(self.deployment)["findings"] if each["credential_id"] == wallet_id]

    def gets_out(self, command: str) -> bool:
        """Whether a command works, and prints the key, or puts it back."""
        printed = self.run(command)
        if self.key in printed:
            return True
        try:
            return key_of(self.vault, self.owner) == self.key
        except StrongroomError:
            return False

    def assert_nothing_is_lost(self) -> None:
        """The owner is not lost, its finding names what gets the key out, and no command refuses."""
        found = ask(self.deployment)["findings"]
        told = [each for each in found if each["credential_id"] == str(self.owner.id)]
        missing = [each for each in told if each["code"] in ("placeholder", "missing-vault-record", "wallet-rows-gone")]
        assert [each["repair"] for each in missing] in (["ask"], ["fill"]), found
        named = [each["command"] for each in found if each["command"] and not _moves(each["command"])]
        for command in named:
            self.run(command)
        if missing[0]["repair"] == "ask":
            assert self.gets_out(missing[0]["command"]), missing


def _moves(command: str) -> bool:
    return any(word in command for word in MOVING)


PLAIN: dict[str, Callable[[Pair], None]] = {
    "metadata": lambda pair: pair.in_metadata("private_key_encrypted", pair.key),
    "metadata, any name": lambda pair: pair.in_metadata("backup", pair.key),
    "metadata, a note": lambda pair: pair.in_metadata("note", f"the old key is {pair.key}, of May"),
    "metadata, two keys": lambda pair: pair.in_metadata("keys", json.dumps({"a": pair.others, "b": pair.key})),
    "record": lambda pair: pair.in_record(pair.key),
    "record, JSON": lambda pair: pair.in_record(json.dumps({"privateKey": pair.key})),
    "record, two keys": lambda pair: pair.in_record(json.dumps({"a": pair.others, "b": pair.key})),
    "history": lambda pair: pair.in_history(pair.key),
    "history, two keys": lambda pair: pair.in_history(json.dumps({"a": pair.others, "b": pair.key})),
}


@BOTH
@CASES
@pytest.mark.parametrize("place", PLAIN)
def test_a_key_in_plaintext_under_another_wallet(
    core_deployments: Deployment, core_vault: Vault, place: str, same: bool, gone: bool
) -> None:
    pair = Pair(core_deployments, core_vault, same=same)
    if gone:
        pair.rows_gone()
    PLAIN[place](pair)
    pair.assert_nothing_is_lost()


@BOTH
@CASES
@pytest.mark.parametrize("wrapped", WRAPPED)
@pytest.mark.parametrize("place", ["metadata", "record", "history"])
def test_a_sealed_text_under_another_wallet(
    core_deployments: Deployment, core_vault: Vault, place: str, wrapped: str, same: bool, gone: bool
) -> None:
    pair = Pair(core_deployments, core_vault, same=same)
    if gone:
        pair.rows_gone()
    text = WRAPPED[wrapped](pair.sealed)
    if place == "metadata":
        pair.in_metadata("backup", text)
    else:
        (pair.in_record if place == "record" else pair.in_history)(text)
    pair.assert_nothing_is_lost()


@BOTH
@pytest.mark.parametrize("wrapped", WRAPPED)
@pytest.mark.parametrize("place", ["metadata", "record", "history"])
@pytest.mark.parametrize("text", ["a note of the application, no key", "sealed for another wallet"])
def test_it_is_put_back_over_another_text(
    core_deployments: Deployment, core_vault: Vault, place: str, wrapped: str, text: str
) -> None:
    pair = Pair(core_deployments, core_vault, same=False)
    put(core_deployments, pair.owner.id, pair.others_text if "sealed" in text else text)
    sealed = WRAPPED[wrapped](pair.sealed)
    if place == "metadata":
        pair.in_metadata("backup", sealed)
    else:
        (pair.in_record if place == "record" else pair.in_history)(sealed)
    code = "sealed-elsewhere" if "sealed" in text else "unreadable"
    [told] = [each for each in pair.found() if each["code"] == code]
    archive = f"strongroom history restore {pair.owner.id} --archive-current"
    if wrapped != "base64":
        assert told["command"] == archive
    if code == "unreadable" or wrapped != "base64":
        assert pair.gets_out(told["command"]), told


@BOTH
@pytest.mark.parametrize("same", [True, False], ids=["same project", "other project"])
def test_the_second_key_of_an_envelope_is_not_lost(core_deployments: Deployment, core_vault: Vault, same: bool) -> None:
    pair = Pair(core_deployments, core_vault, same=same)
    envelope = envelope_text(json.dumps({"a": pair.others, "b": pair.key}), PASSWORD, b"salt" * 4, b"iv" * 6)
    pair.in_record(envelope)
    options = ("--json", "--database", core_deployments.url, "--root-key", core_deployments.root_key)
    answer = call("doctor", *options, "--legacy-password-stdin", stdin=PASSWORD.encode())
    found = [each for each in json.loads(answer.out)["findings"] if each["credential_id"] == str(pair.owner.id)]
    [told] = [each for each in found if each["code"] == "placeholder"]
    assert told["repair"] == "ask"
    shown = pair.run(told["command"], PASSWORD.encode())
    assert (pair.key if same else envelope) in shown, "of another project's wallet the key is not shown, the text is"


@BOTH
def test_a_key_that_was_moved_into_anothers_history_is_not_lost(
    core_deployments: Deployment, core_vault: Vault
) -> None:
    pair = Pair(core_deployments, core_vault, same=True)
    pair.in_metadata("private_key_encrypted", pair.key)
    pair.run(f"strongroom wallet move-key {pair.holder.id} --to history")
    pair.assert_nothing_is_lost()


@BOTH
def test_a_row_that_says_another_project_does_not_hide_a_text(core_deployments: Deployment, core_vault: Vault) -> None:
    pair = Pair(core_deployments, core_vault, same=True)
    pair.in_history(pair.sealed)
    core_deployments.execute(
        "UPDATE project_credentials SET project_id = ? WHERE id = ?", core_deployments.project(), pair.owner.id
    )
    [told] = [each for each in pair.found() if each["code"] == "placeholder"]
    assert told["repair"] == "ask"
    assert pair.key in pair.run(told["command"])


@BOTH
def test_without_the_root_key_a_header_says_where_it_is(core_deployments: Deployment, core_vault: Vault) -> None:
    pair = Pair(core_deployments, core_vault, same=False)
    pair.in_metadata("backup", pair.sealed)
    answer = call("doctor", "--json", "--database", core_deployments.url)
    found = [each for each in json.loads(answer.out)["findings"] if each["credential_id"] == str(pair.owner.id)]
    [told] = [each for each in found if each["code"] == "placeholder"]
    place = f"metadata:{pair.holder.id}/backup"
    assert told["command"] == f"strongroom history reveal {place} --wallet {pair.owner.id} --reveal"
    assert pair.key in pair.run(told["command"])


@BOTH
def test_a_changed_text_is_no_offer(core_deployments: Deployment, core_vault: Vault) -> None:
    pair = Pair(core_deployments, core_vault, same=False)
    changed = f"{pair.sealed[:-6]}AAAA{pair.sealed[-2:]}"
    pair.in_metadata("backup", changed)
    [told] = [each for each in pair.found() if each["code"] == "placeholder"]
    assert told["repair"] == "none"


KEY = "7d" * 31 + "c3"


class OnTwoNetworks:
    """Two wallets of one key, or of one phrase; the rows and the history of the second one do not have it."""

    def __init__(self, deployment: Deployment, vault: Vault, what: str, network: str) -> None:
        self.deployment, self.vault = deployment, vault
        project, given = deployment.project(), {"mnemonic": PHRASE} if what == "phrase" else {"private_key": KEY}
        self.holder = vault.import_wallet(project, "ethereum", **given).wallet
        self.owner = vault.import_wallet(project, network, **given).wallet
        self.said = PHRASE if what == "phrase" else KEY
        put(deployment, self.owner.id, "MIGRATION_REQUIRED")
        deployment.execute("DELETE FROM strongroom_vault_history")

    def assert_found(self) -> None:
        """The second one is not lost, and its finding's command prints what it was imported from."""
        found = ask(self.deployment)["findings"]
        [told] = [each for each in found if each["credential_id"] == str(self.owner.id) and each["code"] in MISSING]
        assert told["repair"] == "ask", told
        words = shlex.split(told["command"])[1:]
        answer = call(*words, "--database", self.deployment.url, "--root-key", self.deployment.root_key)
        assert answer.code == 0, (told, answer)
        assert self.said in answer.out, (told, answer)


MISSING = ("placeholder", "missing-vault-record", "wallet-rows-gone")


@BOTH
@pytest.mark.parametrize("network", ["bitcoin", "solana"])
@pytest.mark.parametrize("what", ["key", "phrase"])
@pytest.mark.parametrize("stored", ["sealed", "in plaintext", "in its metadata"])
def test_a_key_or_phrase_is_that_of_a_wallet_on_another_network_too(
    core_deployments: Deployment, core_vault: Vault, network: str, what: str, stored: str
) -> None:
    two = OnTwoNetworks(core_deployments, core_vault, what, network)
    if stored == "in plaintext":
        put(core_deployments, two.holder.id, two.said)
    if stored == "in its metadata":
        put_member(core_deployments, two.holder, "backup", two.said)
    core_deployments.execute("DELETE FROM strongroom_vault_history")
    two.assert_found()


@BOTH
@pytest.mark.parametrize("network", ["bitcoin", "solana"])
@pytest.mark.parametrize("place", ["metadata", "record"])
def test_a_key_of_another_network_that_is_moved_or_archived_is_not_lost(
    core_deployments: Deployment, core_vault: Vault, network: str, place: str
) -> None:
    """It is sealed under its address on the network of the wallet that it is stored with."""
    two = OnTwoNetworks(core_deployments, core_vault, "key", network)
    holder = core_vault.create_wallet(two.holder.project_id, "ethereum", label="other").wallet
    if place == "metadata":
        put_member(core_deployments, holder, "privateKey", KEY)
    else:
        put(core_deployments, holder.id, KEY)
    core_deployments.execute("DELETE FROM strongroom_vault_history")
    rows_gone(core_deployments, two.holder.id)
    core_deployments.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", two.holder.id)
    core_deployments.execute("DELETE FROM strongroom_vault_history")
    core_vault.move_key(holder.id, to="history")
    two.assert_found()


@BOTH
def test_a_key_in_a_long_text_that_was_archived_is_not_lost(core_deployments: Deployment, core_vault: Vault) -> None:
    """The text is sealed in parts, and the key may be across two of them."""
    pair = Pair(core_deployments, core_vault, same=True)
    install(core_deployments)
    long = {"note": "x y " * 2400, "privateKey": pair.key, "more": "x y " * 2400, "other": "7e" * 32}
    put(core_deployments, pair.holder.id, pair.others_text)
    put(core_deployments, pair.holder.id, json.dumps(long))
    pair.run(f"strongroom history restore {pair.holder.id} --archive-current")
    [told] = [each for each in pair.found() if each["code"] == "placeholder"]
    assert told["repair"] == "ask"
    assert "entries of the history" in told["evidence"]
    notes = [each for each in ask(core_deployments)["notes"] if each["code"] == "kept-text"]
    kept = [each["command"] for each in sorted(notes, key=lambda note: str(note["evidence"]))]  # part 1 of 2
    assert told["command"] in kept
    assert pair.key in "".join(map(pair.run, kept)).replace("\n", "")


@BOTH
@pytest.mark.parametrize("text", ["", "MIGRATION_REQUIRED"])
@pytest.mark.parametrize("stored", ["nowhere", "sealed, under another wallet"])
def test_a_wallet_whose_credential_alone_is_gone_and_whose_record_is_empty_is_told_of(
    core_deployments: Deployment, core_vault: Vault, text: str, stored: str
) -> None:
    pair = Pair(core_deployments, core_vault, same=True, text=text)
    orphan(core_deployments, pair.owner)
    if stored != "nowhere":
        pair.in_metadata("backup", pair.sealed)
    [told] = [each for each in pair.found() if each["code"] == "wallet-rows-gone"]
    assert told["repair"] == ("none" if stored == "nowhere" else "ask")
    if stored != "nowhere":
        assert told["command"] == f"strongroom history restore {pair.owner.id}"
        assert pair.gets_out(told["command"])


def orphan(deployment: Deployment, wallet: Wallet) -> None:
    """The credential's row alone is gone, from a table that no foreign key keeps it in."""
    if deployment.backend == "sqlite":
        with closing(sqlite3.connect(sqlite_path(deployment.url))) as connection, connection:
            connection.execute("DELETE FROM credential_usage_logs WHERE credential_id = ?", [str(wallet.id)])
            connection.execute("DELETE FROM project_credentials WHERE id = ?", [str(wallet.id)])
        return
    for table in ("credential_vault_storage", "credential_usage_logs"):
        found = f"SELECT conname::text FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = 'f'"
        for (name,) in deployment.execute(found):
            deployment.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    deployment.execute("DELETE FROM project_credentials WHERE id = ?", wallet.id)
