"""A text of a phrase opens wherever it stands: no wallet of it is lost, and a repair brings the phrase back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from strongroom import Wallet
from strongroom.takeover.doctor import phrase_offers, wanted_keys
from strongroom.usecases import stray_phrases
from testbed.command_line import call
from testbed.databases.attacked import WHO, Attacked
from testbed.databases.guards import key_of, put, rows_gone
from testbed.databases.moved_rows import move_all
from tests.integration.test_keys_that_phrases_have import PATHS, WORDS, key_at

pytestmark = pytest.mark.parametrize("attacked", ["sqlite", "fresh", "g4"], indirect=True)

PLAN = "strongroom repair --plan plan.json"
CODES = ("missing-vault-record", "placeholder", "wallet-rows-gone")


def wipe(attacked: Attacked, wallet: UUID) -> None:
    for table in ("credential_vault_storage", "strongroom_vault_history"):
        attacked.deployment.execute(f"DELETE FROM {table} WHERE credential_id = ?", wallet)


def told(attacked: Attacked, wallet: Wallet) -> dict[str, Any]:
    [found] = [each for each in attacked.doctor() if each["credential_id"] == str(wallet.id) and each["code"] in CODES]
    return found


def derived(attacked: Attacked, *, rows: bool = False) -> tuple[Wallet, UUID, str]:
    """A wallet of a phrase, whose own texts are gone; the phrase's id, and the key."""
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        phrase = vault.create_phrase(project).phrase
        wallet = vault.create_wallet(project, "ethereum", phrase="default").wallet
        key = key_of(vault, wallet)
    if rows:
        rows_gone(attacked.deployment, wallet.id)
    wipe(attacked, wallet.id)
    return wallet, phrase.id, key


def chosen(attacked: Attacked) -> Path:
    """A plan in which everything is chosen."""
    path = attacked.plan()
    document = json.loads(path.read_text())
    for choice in document["choices"]:
        choice["chosen"] = True
    path.write_text(json.dumps(document))
    return path


def brought_back(attacked: Attacked, wallet: Wallet, key: str) -> None:
    """What doctor names brings the key back: first the plan, then what is named after it."""
    assert told(attacked, wallet)["command"] == PLAN
    assert attacked.apply(chosen(attacked)).code == 0
    named = told(attacked, wallet)["command"]
    assert named == f"strongroom history restore {wallet.id}"
    base = ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)
    assert call(*named.split()[1:], *base).code == 0
    with attacked.deployment.open() as vault:
        assert key_of(vault, wallet) == key


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("column", ["phrase_id", "project_id", "both"])
def test_a_row_under_other_ids_comes_back_as_it_was(attacked: Attacked, column: str, rows: bool) -> None:
    wallet, phrase, key = derived(attacked, rows=rows)
    before = attacked.deployment.execute("SELECT * FROM strongroom_phrase")
    if column != "project_id":
        attacked.deployment.execute("UPDATE strongroom_phrase SET phrase_id = ?", uuid4())
    if column != "phrase_id":
        move_all(attacked.deployment, "strongroom_phrase", attacked.deployment.project())
    assert f"a text of the phrase {phrase} of its project derives its key" in told(attacked, wallet)["evidence"]
    brought_back(attacked, wallet, key)
    assert attacked.deployment.execute("SELECT * FROM strongroom_phrase") == before
    with attacked.deployment.open() as vault:
        assert vault.create_wallet(wallet.project_id, "ethereum", label="next", phrase="default").created


def test_a_row_under_another_id_that_was_changed_besides_opens_once_somebody_chose_it(attacked: Attacked) -> None:
    wallet, phrase, key = derived(attacked)
    attacked.deployment.execute("UPDATE strongroom_phrase SET phrase_id = ?, label = 'other'", uuid4())
    assert attacked.apply(chosen(attacked)).code == 0
    [(there, status)] = attacked.deployment.execute("SELECT phrase_id, status FROM strongroom_phrase")
    assert (str(there), status) == (str(phrase), "replaced")
    with attacked.deployment.open() as vault:
        vault.restore(wallet.id)
        assert key_of(vault, wallet) == key


def test_the_row_of_another_phrase_is_not_written_over(attacked: Attacked) -> None:
    """A copy of the row under another id, beside the row itself: nothing is moved, and nothing is broken by it."""
    wallet, phrase, key = derived(attacked)
    other = attacked.deployment.project()
    columns = "label, words, has_passphrase, identifier, status, version, sealed_text, created_at, kid, tag"
    attacked.deployment.execute(
        f"INSERT INTO strongroom_phrase (project_id, phrase_id, {columns}) SELECT ?, phrase_id, {columns} "
        "FROM strongroom_phrase",
        other,
    )
    [copy] = [each for each in attacked.doctor() if each["code"] == "phrase-broken"]
    assert (copy["repair"], "has a row of its own" in copy["evidence"]) == ("ask", True)
    attacked.apply(attacked.plan())
    assert len(attacked.deployment.execute("SELECT 1 FROM strongroom_phrase")) == 2
    with attacked.deployment.open() as vault:
        vault.restore(wallet.id)
        assert key_of(vault, wallet) == key
        assert str(phrase) in str(vault.get_phrase(wallet.project_id, phrase).id)


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("where", ["record", "metadata", "history", "quoted"])
def test_a_text_elsewhere_brings_the_phrase_back(attacked: Attacked, where: str, rows: bool) -> None:
    wallet, phrase, key = derived(attacked, rows=rows)
    deployment = attacked.deployment
    with deployment.open() as vault:
        host = vault.create_wallet(wallet.project_id, "solana").wallet
    [(text,)] = deployment.execute("SELECT sealed_text FROM strongroom_phrase WHERE phrase_id = ?", phrase)
    if where == "record":
        put(deployment, host.id, text)
    elif where == "history":
        attacked.entry(host.id, text, host.project_id, host.address, "foreign")
    else:
        cast = "?" if deployment.backend == "sqlite" else "CAST(? AS jsonb)"
        kept = json.dumps({"backup": text} if where == "metadata" else {"backup": json.dumps([text])})
        deployment.execute(f"UPDATE project_credentials SET metadata = {cast} WHERE id = ?", kept, host.id)
    deployment.execute("DELETE FROM strongroom_phrase")
    brought_back(attacked, wallet, key)


@pytest.mark.parametrize("change", ["project_id", "credential_id", "network", "form"])
def test_an_entry_of_the_history_that_was_changed_brings_the_phrase_back(attacked: Attacked, change: str) -> None:
    wallet, phrase, key = derived(attacked)
    deployment = attacked.deployment
    with deployment.open() as vault:
        vault.rotate_sealing_key(**WHO)
        assert all(each.ok for each in vault.rewrap())
    value: object = {"network": "ethereum", "form": "foreign"}.get(change, uuid4())
    if change == "project_id":
        move_all(deployment, "strongroom_vault_history", uuid4())
    else:
        deployment.execute(f"UPDATE strongroom_vault_history SET {change} = ? WHERE credential_id = ?", value, phrase)
    deployment.execute("DELETE FROM strongroom_phrase")
    brought_back(attacked, wallet, key)


BROKEN = {
    "gone": "DELETE FROM strongroom_phrase WHERE phrase_id = ?",
    "label": "UPDATE strongroom_phrase SET label = 'other' WHERE phrase_id = ?",
    "blank": "UPDATE strongroom_phrase SET sealed_text = '' WHERE phrase_id = ?",
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_phrase_that_no_wallet_names_is_asked_for_imported_keys(attacked: Attacked, how: str) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        wallet = vault.import_wallet(project, "ethereum", private_key=key_at("ethereum", PATHS["ethereum"])).wallet
        phrase = vault.import_phrase(project, mnemonic=WORDS).phrase
        vault.rotate_sealing_key(**WHO)
        assert all(each.ok for each in vault.rewrap())
    wipe(attacked, wallet.id)
    attacked.deployment.execute(BROKEN[how], phrase.id)
    found = told(attacked, wallet)
    assert (found["repair"], found["command"]) == ("ask", PLAN)
    assert f"the phrase {phrase.id} of the project {project}" in found["evidence"]
    assert attacked.apply(chosen(attacked)).code == 0
    base = ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)
    named = told(attacked, wallet)["command"]
    assert named == f"strongroom phrase export {phrase.id} --project {project} --reveal"
    assert call(*named.split()[1:], *base).out.strip() == WORDS


@pytest.mark.parametrize("how", ["DELETE FROM strongroom_wallet", "UPDATE strongroom_wallet SET phrase_id = NULL"])
def test_a_wallet_of_a_later_index_without_its_record_is_found_at_its_path(attacked: Attacked, how: str) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        phrase = vault.create_phrase(project).phrase
        made = vault.create_many(project, "ethereum", [f"w{number}" for number in range(5)], phrase="default")
        wallets = [each.wallet for each in made]
    wipe(attacked, wallets[3].id)
    attacked.deployment.execute(f"{how} WHERE credential_id = ?", wallets[3].id)
    found = told(attacked, wallets[3])
    assert found["repair"] == "ask"
    assert f"the phrase {phrase.id} of the project {project}, at m/44'/60'/0'/0/3" in found["evidence"]
    assert found["command"] == f"strongroom phrase export {phrase.id} --project {project} --reveal"


def test_where_more_indices_are_taken_than_are_derived_nothing_is_lost(
    attacked: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        vault.create_phrase(project)
        made = vault.create_many(project, "ethereum", [f"w{number}" for number in range(5)], phrase="default")
        wallets = [each.wallet for each in made]
    wipe(attacked, wallets[3].id)
    attacked.deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallets[3].id)
    monkeypatch.setattr(phrase_offers, "MOST_KEYS", 2)
    monkeypatch.setattr(wanted_keys, "MOST_KEYS", 2)
    found = told(attacked, wallets[3])
    assert (found["repair"], "phrase export" in found["command"]) == ("ask", True)
    assert "a phrase may have it at one that was not tried" in found["evidence"]


def test_where_an_account_was_changed_nothing_is_lost_before_it_is_counted_anew(attacked: Attacked) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        vault.create_phrase(project)
        vault.create_wallet(project, "ethereum", phrase="default", label="a")
        other = vault.create_wallet(project, "ethereum", label="own").wallet
    wipe(attacked, other.id)
    assert told(attacked, other)["repair"] == "none"
    attacked.deployment.execute("UPDATE strongroom_phrase_account SET next_index = 7")
    assert (told(attacked, other)["repair"], told(attacked, other)["command"]) == ("ask", PLAN)
    assert attacked.apply(attacked.plan()).code == 0
    assert told(attacked, other)["repair"] == "none"


def test_where_more_texts_of_phrases_stray_than_are_read_nothing_is_lost(
    attacked: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
        for number in range(3):
            vault.create_phrase(project, label=f"p{number}")
    wipe(attacked, wallet.id)
    for (phrase,) in attacked.deployment.execute("SELECT phrase_id FROM strongroom_phrase"):
        attacked.deployment.execute("UPDATE strongroom_phrase SET phrase_id = ? WHERE phrase_id = ?", uuid4(), phrase)
    assert told(attacked, wallet)["repair"] == "none"
    monkeypatch.setattr(stray_phrases, "_MOST_PHRASES", 2)
    found = told(attacked, wallet)
    assert found["repair"] == "ask"
    assert found["evidence"].endswith("more is stored of phrases than was read, and one may derive its key")
