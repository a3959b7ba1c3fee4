"""A password of the operator's opens no envelope for a project whose key another project keeps, or its phrase has.

Neither has a wallet: one is a key of a phrase at an index, the other was kept aside. `store-key` refuses both.
"""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from strongroom.usecases import keys_of_phrases
from testbed.command_line import CommandResult, call
from testbed.databases.attacked import Attacked, address_of
from testbed.defects.locked import LEGACY_PASSWORD, envelope_text
from tests.integration.test_commands_that_work import put_member
from tests.integration.test_keys_that_phrases_have import WORDS, key_at

KEY = key_at("ethereum", "m/44'/60'/0'/0/5")
ENVELOPE = envelope_text(KEY, LEGACY_PASSWORD, b"s" * 16, b"i" * 16)
_PASSWORD = LEGACY_PASSWORD.encode() + b"\n"


def kept_by_other(attacked: Attacked, how: str) -> None:
    """Another project has the key in its phrase, or keeps it aside and its envelope no more."""
    deployment = attacked.deployment
    theirs = deployment.project()
    with deployment.open() as vault:
        if how == "phrase":
            vault.import_phrase(theirs, mnemonic=WORDS)
            return
        host = vault.create_wallet(theirs, "solana").wallet
    put_member(deployment, host, "encrypted", ENVELOPE)
    arguments = ("wallet", "move-key", str(host.id), "--to", "history", "--network", "ethereum")
    assert run(attacked, *arguments).code == 0
    deployment.execute("DELETE FROM strongroom_vault_history WHERE form = 'foreign'")


def ground(attacked: Attacked) -> tuple[str, ...]:
    return ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)


def run(attacked: Attacked, *arguments: str) -> CommandResult:
    return call(*arguments, "--legacy-password-stdin", *ground(attacked), stdin=_PASSWORD)


def has_key(attacked: Attacked, project: UUID) -> bool:
    with attacked.deployment.open() as vault:
        return any(each.address == address_of(KEY) and each.proved for each in vault.list_wallets(project).wallets)


@pytest.mark.parametrize("attacked", ["g4"], indirect=True)
@pytest.mark.parametrize("how", ["phrase", "aside"])
@pytest.mark.parametrize("where", ["record", "member"])
def test_a_repair_leaves_it_to_people(attacked: Attacked, how: str, where: str) -> None:
    """The plan does not promise it either; what is printed for it works, and prints no key."""
    kept_by_other(attacked, how)
    mine = attacked.deployment.project()
    metadata = json.dumps({"encrypted": ENVELOPE}) if where == "member" else "{}"
    row = attacked.credential(mine, address_of(KEY), metadata)
    if where == "record":
        attacked.record(row, ENVELOPE, mine)
    about = attacked.doctor("--legacy-password-stdin", stdin=_PASSWORD)
    codes = {"legacy-envelope", "key-in-metadata"}
    [found] = [each for each in about if each["credential_id"] == str(row) and each["code"] in codes]
    assert not found["automatic"]
    assert "another project" in found["evidence"]
    shown = call(*found["command"].split()[1:], *ground(attacked))
    assert shown.code == 0
    assert KEY not in shown.out
    plan = attacked.plan("--legacy-password-stdin", stdin=_PASSWORD)
    assert attacked.apply(plan, "--legacy-password-stdin", stdin=_PASSWORD).code == 0
    assert not has_key(attacked, mine)


@pytest.mark.parametrize("attacked", ["sqlite", "g4"], indirect=True)
@pytest.mark.parametrize("how", ["phrase", "aside"])
def test_no_command_gives_it_to_a_wallet_or_prints_it(attacked: Attacked, how: str) -> None:
    kept_by_other(attacked, how)
    mine = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        host = vault.create_wallet(mine, "solana").wallet
    put_member(attacked.deployment, host, "encrypted", ENVELOPE)
    place = f"metadata:{host.id}/encrypted"
    for arguments in (
        ("wallet", "move-key", str(host.id), "--to", "wallet", "--label", "x", "--network", "ethereum"),
        ("wallet", "move-key", str(host.id), "--to", "history", "--network", "ethereum"),
        ("history", "reveal", place, "--network", "ethereum", "--reveal"),
        ("history", "reveal", place, "--text", "--reveal"),
    ):
        answer = run(attacked, *arguments)
        assert answer.code != 0, arguments
        assert "another project" in answer.err, answer.err
        assert KEY not in answer.out
    assert not has_key(attacked, mine)


@pytest.mark.parametrize("attacked", ["g4"], indirect=True)
def test_a_project_repairs_its_own(attacked: Attacked) -> None:
    """Also one that its own phrase has, while another project has a phrase of its own."""
    mine = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        vault.import_phrase(mine, mnemonic=WORDS)
        vault.create_phrase(attacked.deployment.project())
    row = attacked.credential(mine, address_of(KEY))
    attacked.record(row, ENVELOPE, mine)
    plan = attacked.plan("--legacy-password-stdin", stdin=_PASSWORD)
    assert attacked.apply(plan, "--legacy-password-stdin", stdin=_PASSWORD).code == 0
    assert has_key(attacked, mine)


@pytest.mark.parametrize("attacked", ["g4"], indirect=True)
def test_where_it_is_not_known_the_plan_promises_nothing(attacked: Attacked, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the apply would refuse is left to people, with the reason."""
    monkeypatch.setattr(keys_of_phrases, "MOST_COMPARED", 50)
    with attacked.deployment.open() as vault:
        vault.create_phrase(attacked.deployment.project())
    mine = attacked.deployment.project()
    row = attacked.credential(mine, address_of(KEY))
    attacked.record(row, ENVELOPE, mine)
    about = attacked.doctor("--legacy-password-stdin", stdin=_PASSWORD)
    [found] = [each for each in about if each["credential_id"] == str(row) and each["code"] == "legacy-envelope"]
    assert not found["automatic"]
    assert "is not known" in found["evidence"]
    plan = attacked.plan("--legacy-password-stdin", stdin=_PASSWORD)
    assert attacked.apply(plan, "--legacy-password-stdin", stdin=_PASSWORD).code == 0
    assert not has_key(attacked, mine)
