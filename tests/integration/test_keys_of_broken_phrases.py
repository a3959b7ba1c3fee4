"""A wallet of a phrase is not lost while a text of that phrase opens, wherever it is and whatever its row says."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from strongroom import ProjectPhrase, Wallet
from strongroom.takeover.doctor.phrase_row import PhraseRow
from testbed.command_line import call
from testbed.databases.attacked import WHO, Attacked
from testbed.databases.guards import key_of, rows_gone

pytestmark = pytest.mark.parametrize("attacked", ["sqlite", "fresh", "g4"], indirect=True)

PLAN = "strongroom repair --plan plan.json"
SEALED = "eyJraWQiOi" + "A" * 300


def lost(attacked: Attacked, *, rows: bool = False) -> tuple[Wallet, ProjectPhrase, str]:
    """A wallet whose texts are gone, of a phrase that the history keeps a text of, and its key."""
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        phrase = vault.create_phrase(project).phrase
        wallet = vault.create_wallet(project, "ethereum", phrase="default").wallet
        vault.rotate_sealing_key(**WHO)
        assert all(each.ok for each in vault.rewrap())
        key = key_of(vault, wallet)
    if rows:
        rows_gone(attacked.deployment, wallet.id)
    else:
        attacked.deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet.id)
    attacked.deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", wallet.id)
    return wallet, phrase, key


def told(attacked: Attacked, wallet: Wallet) -> dict[str, Any]:
    codes = ("missing-vault-record", "placeholder", "wallet-rows-gone")
    [found] = [each for each in attacked.doctor() if each["credential_id"] == str(wallet.id) and each["code"] in codes]
    return found


BROKEN = {
    "the row is gone": "DELETE FROM strongroom_phrase WHERE phrase_id = ?",
    "the text is blank": "UPDATE strongroom_phrase SET sealed_text = '' WHERE phrase_id = ?",
    "the text is another": f"UPDATE strongroom_phrase SET sealed_text = '{SEALED}' WHERE phrase_id = ?",
}


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("how", BROKEN)
def test_a_phrase_that_the_history_keeps_derives_it_once_a_repair_put_it_back(
    attacked: Attacked, how: str, rows: bool
) -> None:
    wallet, phrase, key = lost(attacked, rows=rows)
    attacked.deployment.execute(BROKEN[how], phrase.id)
    found = told(attacked, wallet)
    assert (found["repair"], found["command"]) == ("ask", PLAN)
    assert f"a text of the phrase {phrase.id} of its project derives its key" in found["evidence"]
    assert attacked.apply(attacked.plan()).code == 0
    found = told(attacked, wallet)
    assert found["command"] == f"strongroom history restore {wallet.id}"
    base = ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)
    assert call("history", "restore", str(wallet.id), *base).code == 0
    with attacked.deployment.open() as vault:
        assert key_of(vault, wallet) == key


def test_a_phrase_whose_row_was_changed_derives_it_once_it_is_taken_out_of_use(attacked: Attacked) -> None:
    wallet, phrase, key = lost(attacked)
    attacked.deployment.execute("UPDATE strongroom_phrase SET label = 'other' WHERE phrase_id = ?", phrase.id)
    found = told(attacked, wallet)
    assert (found["repair"], found["command"]) == ("ask", PLAN)
    path = attacked.plan()
    document = json.loads(path.read_text())
    for choice in document["choices"]:
        choice["chosen"] = True
    path.write_text(json.dumps(document))
    assert attacked.apply(path).code == 0
    assert told(attacked, wallet)["command"] == f"strongroom history restore {wallet.id}"
    with attacked.deployment.open() as vault:
        vault.restore(wallet.id)
        assert key_of(vault, wallet) == key


def test_a_text_that_stays_in_the_place_of_the_phrase_is_named_by_its_own_finding(attacked: Attacked) -> None:
    wallet, phrase, _ = lost(attacked)
    attacked.deployment.execute("UPDATE strongroom_phrase SET sealed_text = 'words' WHERE phrase_id = ?", phrase.id)
    found = told(attacked, wallet)
    assert (found["repair"], found["command"]) == ("ask", "")
    assert "phrase-broken" in found["evidence"]


def test_another_phrase_that_the_history_keeps_derives_no_key_of_it(attacked: Attacked) -> None:
    wallet, phrase, _ = lost(attacked)
    attacked.deployment.execute("DELETE FROM strongroom_phrase WHERE phrase_id = ?", phrase.id)
    with attacked.deployment.open() as vault:
        other = vault.create_phrase(wallet.project_id, label="other").phrase
        vault.rotate_sealing_key(**WHO)
        assert all(each.ok for each in vault.rewrap())
    del other
    attacked.deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", phrase.id)
    found = told(attacked, wallet)
    assert (found["repair"], found["command"]) == ("none", f"strongroom wallet store-key {wallet.id}")


def test_a_broken_phrase_is_opened_once_for_all_of_its_wallets(
    attacked: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet, phrase, _ = lost(attacked)
    with attacked.deployment.open() as vault:
        vault.create_many(wallet.project_id, "ethereum", ["a", "b"])
    for table in ("credential_vault_storage", "strongroom_vault_history"):
        attacked.deployment.execute(f"DELETE FROM {table} WHERE credential_id <> ?", phrase.id)
    attacked.deployment.execute(BROKEN["the text is blank"], phrase.id)
    read, asked = PhraseRow.not_given, list[UUID]()

    def counted(row: PhraseRow) -> Any:
        asked.append(phrase.id)
        return read(row)

    monkeypatch.setattr(PhraseRow, "not_given", counted)
    found = [each for each in attacked.doctor() if "a text of the phrase" in each["evidence"]]
    assert (len(found), len(asked)) == (3, 1)
