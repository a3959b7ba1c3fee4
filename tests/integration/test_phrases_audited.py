"""What an audit found of phrases: wallets of a replaced phrase, accounts without wallets or by the thousand, hints."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

import strongroom
from strongroom import Vault
from strongroom.ports.phrase_store import PhraseBatch
from strongroom.store import phrase_pages
from strongroom.store.phrase_store import SqlPhraseStore
from strongroom.usecases import derive
from testbed.databases.deployments import Deployment

BY: dict[str, Any] = {"actor": "test", "reason": "to compare"}


@pytest.fixture
def project(deployment: Deployment, vault_a: Vault) -> UUID:
    """A project with a phrase."""
    made = deployment.project()
    vault_a.create_phrase(made)
    return made


def test_wallets_of_a_replaced_phrase_answer_for_their_labels(vault_a: Vault, project: UUID) -> None:
    before = vault_a.create_many(project, "ethereum", ["a", "b"])
    keyed = vault_a.create_wallet(project, "ethereum", label="k", phrase="default", idempotency_key="k")
    vault_a.replace_phrase(project)
    vault_a.replace_phrase(project)
    again = vault_a.create_many(project, "ethereum", ["b", "c", "a"])
    assert [(each.wallet.phrase_index, each.created) for each in again] == [(1, False), (0, True), (0, False)]
    assert (again[2].wallet, again[0].wallet) == (before[0].wallet, before[1].wallet)
    assert again[1].wallet.phrase_id == vault_a.get_phrase(project).id
    asked: dict[str, Any] = {"label": "k", "phrase": "default", "idempotency_key": "k"}
    assert vault_a.create_wallet(project, "ethereum", **asked) == (keyed.wallet, False)
    with pytest.raises(strongroom.PhraseConflictError, match="was not derived"):  # this one is meant, and no other
        vault_a.create_many(project, "ethereum", ["a"], phrase=vault_a.get_phrase(project))
    vault_a.create_phrase(project, label="other")
    with pytest.raises(strongroom.PhraseConflictError, match="was not derived"):
        vault_a.create_many(project, "ethereum", ["a"], phrase="other")


def test_an_account_whose_xpub_left_is_listed_before_it_has_a_wallet(vault_a: Vault, project: UUID) -> None:
    vault_a.export_xpub(project, "ethereum", account=1, **BY)
    (listed,) = vault_a.list_accounts(project)
    assert (listed.template, listed.next_index) == ("m/44'/60'/1'/0/{index}", 0)
    assert (listed.xpub_exported, listed.key_revealed) == (True, False)
    made = vault_a.create_many(project, "ethereum", ["a"], account=1)
    assert made[0].wallet.phrase_index == 0
    vault_a.export_xpub(project, "ethereum", account=1, **BY)
    assert [each.next_index for each in vault_a.list_accounts(project)] == [1]


def test_all_accounts_and_branches_are_listed_page_by_page(
    vault_a: Vault, project: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    for page in (1, 2, 3, 7):
        monkeypatch.setattr(phrase_pages, "PAGE", page)
        for number in range(7):
            network = ("ethereum", "polygon")[number % 2]
            vault_a.create_wallet(project, network, label=f"l{number}", phrase="default", account=number)
            vault_a.export_xpub(project, network, account=number, **BY)
        found = vault_a.list_accounts(project)
        assert sorted(each.template for each in found) == [f"m/44'/60'/{number}'/0/{{index}}" for number in range(7)]
        assert all((each.next_index, each.xpub_exported) == (1, True) for each in found)


def test_the_row_of_an_account_that_was_changed_is_left_to_repair(
    deployment: Deployment, vault_a: Vault, project: UUID
) -> None:
    vault_a.advance_phrase(project, "ethereum", 50, **BY)
    deployment.execute("UPDATE strongroom_phrase_account SET next_index = 3 WHERE project_id = ?", project)
    with pytest.raises(strongroom.IdentityMismatchError, match="was changed") as caught:
        vault_a.create_many(project, "ethereum", ["a"])
    assert "repair --plan" in caught.value.hint
    assert "Delete that row" not in caught.value.hint


def test_a_kept_text_of_a_phrase_is_told_from_one_that_is_damaged(
    deployment: Deployment, vault_a: Vault, project: UUID
) -> None:
    vault_a.rotate_sealing_key(**BY)
    assert all(each.rewrapped for each in vault_a.rewrap(project_id=project))
    ((entry,),) = deployment.execute("SELECT id FROM strongroom_vault_history WHERE project_id = ?", project)
    with pytest.raises(strongroom.KeyMissingError, match="no wallet's") as caught:
        vault_a.reveal_kept(str(entry), **BY)
    assert f"phrase export {vault_a.get_phrase(project).id} --project {project} --reveal" in caught.value.hint


def test_a_wallet_whose_accounts_row_is_gone_has_its_successor_in_that_account(
    deployment: Deployment, vault_a: Vault, project: UUID
) -> None:
    shop = vault_a.create_many(project, "ethereum", ["a", "b"], account=3)
    own = vault_a.create_many(project, "polygon", ["a", "b"], path="m/44'/60'/0'/{index}")
    vault_a.create_many(project, "ethereum", ["c"])
    deployment.execute("DELETE FROM strongroom_phrase_account WHERE project_id = ?", project)
    successors = [vault_a.replace_wallet(each.wallet).wallet.path for each in (*shop, *own)]
    assert successors == ["m/44'/60'/3'/0/2", "m/44'/60'/3'/0/3", "m/44'/60'/0'/2", "m/44'/60'/0'/3"]


def test_no_path_has_the_index_that_is_skipped_to(vault_a: Vault, project: UUID) -> None:
    with pytest.raises(strongroom.InvalidPathError, match="2,147,483,647"):
        vault_a.advance_phrase(project, "ethereum", 1 << 31, **BY)
    assert vault_a.list_accounts(project) == ()


def labels_of(vault: Vault, project: UUID) -> list[str]:
    return sorted(each.label for each in vault.list_wallets(project).wallets)


def test_a_label_of_another_wallet_is_refused_before_any_wallet_is_made(
    vault_a: Vault, project: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derive, "LARGEST_BATCH", 2)
    vault_a.create_wallet(project, "ethereum", label="own")
    asked: tuple[list[str], ...] = (["a", "own", "b"], ["a", "b", "c", "d", "own"], ["own", "a"])
    for labels in asked:
        with pytest.raises(strongroom.PhraseConflictError) as caught:
            vault_a.create_many(project, "ethereum", labels)
        assert "This call made" not in caught.value.hint
    assert labels_of(vault_a, project) == ["own"]
    assert vault_a.list_accounts(project) == ()
    made = vault_a.create_many(project, "ethereum", ["a", "b", "c", "d", "e"])
    again = vault_a.create_many(project, "ethereum", ["f", "e", "g", "a", "h"])
    assert [(each.wallet.phrase_index, each.created) for each in again] == [
        *((5, True), (4, False), (6, True), (0, False), (7, True))
    ]
    assert again[3].wallet == made[0].wallet


def test_what_was_made_before_a_label_was_taken_meanwhile_is_said(
    vault_a: Vault, vault_b: Vault, project: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derive, "LARGEST_BATCH", 2)
    derived = SqlPhraseStore.derive

    def derive_and_wait(self: SqlPhraseStore, batch: PhraseBatch) -> frozenset[str]:
        taken = derived(self, batch)
        vault_b.create_wallet(project, "ethereum", label="d")
        return taken

    with monkeypatch.context() as patched:
        patched.setattr(SqlPhraseStore, "derive", derive_and_wait)
        with pytest.raises(strongroom.PhraseConflictError, match="label d was not derived") as caught:
            vault_a.create_many(project, "ethereum", ["a", "b", "c", "d"])
    assert "This call made 2 of the wallets before; they stay." in caught.value.hint
    assert labels_of(vault_a, project) == ["a", "b", "d"]
