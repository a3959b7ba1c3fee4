"""What stands behind a sealed text is judged as the text is: whole. No command of strongroom's own hides a key."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from strongroom import Wallet
from testbed.command_line import call
from testbed.databases.attacked import WHO, Attacked
from testbed.databases.guards import key_of, put
from tests.integration.test_stray_phrases import told, wipe

both = pytest.mark.parametrize("attacked", ["sqlite", "g4"], indirect=True)

BEHIND: dict[str, Callable[[str, str, str], str]] = {
    "damaged, then sealed": lambda own, other, _: f"{own[:-4]}AAAA {other}",
    "damaged, then a key": lambda own, _, key: f"{own[:-4]}AAAA 0x{key}",
    "a key, then sealed": lambda _, other, __: f"{'5c' * 32} {other}",
}


def text_of(attacked: Attacked, wallet: UUID) -> str:
    [(text,)] = attacked.deployment.execute(
        "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = ?", wallet
    )
    return str(text)


def run(attacked: Attacked, command: str, stdin: bytes = b"") -> Any:
    base = ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)
    return call(*shlex.split(command.removeprefix("strongroom ")), *base, stdin=stdin)


def host_and_lost(attacked: Attacked) -> tuple[Wallet, Wallet, str]:
    """A wallet, and one of another project with its key, whose texts are to be stored elsewhere."""
    deployment = attacked.deployment
    with deployment.open() as vault:
        host = vault.create_wallet(deployment.project(), "ethereum").wallet
        lost = vault.create_wallet(deployment.project(), "ethereum").wallet
        return host, lost, key_of(vault, lost).removeprefix("0x")


@both
@pytest.mark.parametrize("form", BEHIND)
def test_what_is_archived_is_still_found_for_those_who_miss_it(attacked: Attacked, form: str) -> None:
    host, lost, key = host_and_lost(attacked)
    own, other = text_of(attacked, host.id), text_of(attacked, lost.id)
    wipe(attacked, lost.id)
    attacked.deployment.execute("DELETE FROM strongroom_vault_history")
    put(attacked.deployment, host.id, BEHIND[form](own, other, key))
    attacked.entry(host.id, own, host.project_id, host.address, "sealed")
    assert told(attacked, lost)["repair"] == "ask"
    assert run(attacked, f"history restore {host.id} --archive-current").code == 0
    assert told(attacked, lost)["repair"] == "ask"


@both
def test_a_key_behind_a_damaged_sealed_text_is_exposed_and_archived_sealed(attacked: Attacked) -> None:
    with attacked.deployment.open() as vault:
        wallet = vault.create_wallet(attacked.deployment.project(), "ethereum").wallet
        key = key_of(vault, wallet).removeprefix("0x")
    own = text_of(attacked, wallet.id)
    attacked.deployment.execute("DELETE FROM strongroom_vault_history")
    put(attacked.deployment, wallet.id, f"{own[:-4]}AAAA, 0x{key}")
    attacked.entry(wallet.id, own, wallet.project_id, wallet.address, "sealed")
    assert "in plaintext" in run(attacked, "doctor").out
    assert run(attacked, f"history restore {wallet.id} --archive-current").code == 0
    kept = attacked.deployment.execute("SELECT text FROM strongroom_vault_history WHERE reason <> 'guard-update'")
    assert not [text for (text,) in kept if key in text]


@both
@pytest.mark.parametrize("separator", [" ", ",", ""])
def test_an_entry_is_read_to_its_end(attacked: Attacked, separator: str) -> None:
    """Doctor finds what ``history restore`` finds, and what it cannot tell apart is not called lost."""
    host, lost, _ = host_and_lost(attacked)
    entry = f"{text_of(attacked, host.id)}{separator}{text_of(attacked, lost.id)}"
    wipe(attacked, lost.id)
    attacked.deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", host.id)
    attacked.entry(host.id, entry, host.project_id, host.address, "sealed")
    found = told(attacked, lost)
    assert found["repair"] == "ask"
    if separator:
        assert run(attacked, found["command"]).code == 0


@both
def test_importing_a_phrase_hides_nothing_that_stands_behind_its_damaged_text(attacked: Attacked) -> None:
    _, lost, key = host_and_lost(attacked)
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        phrase = vault.create_phrase(project).phrase
        words = vault.reveal_phrase(project, phrase.id, **WHO).mnemonic.reveal()
    [(text,)] = attacked.deployment.execute("SELECT sealed_text FROM strongroom_phrase")
    wipe(attacked, lost.id)
    attacked.deployment.execute("UPDATE strongroom_phrase SET sealed_text = ?", f"{text[:-4]}AAAA 0x{key}")
    [broken] = [each for each in attacked.doctor() if each["code"] == "phrase-broken"]
    assert broken["repair"] == "ask"
    assert run(attacked, broken["command"], words).code == 0
    assert told(attacked, lost)["repair"] == "ask"
