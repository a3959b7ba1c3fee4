"""What an audit found of phrases: wallets of a replaced phrase, accounts without wallets or by the thousand, hints."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest

import strongroom
from strongroom import Vault
from strongroom.ports.phrase_store import PhraseBatch
from strongroom.records.phrases import CreatedPhrase
from strongroom.store import phrase_pages
from strongroom.store.phrase_store import SqlPhraseStore
from strongroom.usecases import derive
from testbed.concurrency import at_once
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


def test_a_repeated_replacement_makes_one_phrase(deployment: Deployment, vault_a: Vault, vault_b: Vault) -> None:
    project = deployment.project()
    old = vault_a.create_phrase(project, idempotency_key="first").phrase
    calls: list[Callable[[], CreatedPhrase]] = [
        partial(vault.replace_phrase, project, idempotency_key="k") for vault in (vault_a, vault_b) for _ in range(4)
    ]
    made = [each for each in at_once(calls) if not isinstance(each, strongroom.StrongroomError)]
    assert len(made) == 8
    assert sum(each.created for each in made) == 1
    (new,) = {each.phrase for each in made}
    assert vault_a.find_phrase(project) == new
    assert [each.status for each in vault_a.list_phrases(project).phrases] == ["replaced", "active"]
    others: list[dict[str, Any]] = [{"words": 12}, {"phrase": old.id}, {"phrase": "another"}]
    for other in others:
        with pytest.raises(strongroom.IdempotencyConflictError):
            vault_a.replace_phrase(project, idempotency_key="k", **other)
    with pytest.raises(strongroom.IdempotencyConflictError):
        vault_a.create_phrase(project, idempotency_key="k")
    events = vault_a.list_log(action="phrase-replace", limit=1000).records
    assert len([each for each in events if each.details["replaces"] == str(old.id)]) == 1
    third = vault_a.replace_phrase(project, new, idempotency_key="l").phrase
    assert vault_a.replace_phrase(project, new.id, idempotency_key="l") == (third, False)
    again = vault_a.replace_phrase(project, idempotency_key="k")
    assert (again.phrase.id, again.phrase.status, again.created) == (new.id, "replaced", False)


def test_a_key_that_made_a_phrase_says_that_it_was_replaced_since(vault_a: Vault, deployment: Deployment) -> None:
    project = deployment.project()
    made = vault_a.create_phrase(project, idempotency_key="k").phrase
    new = vault_a.replace_phrase(project).phrase
    again = vault_a.create_phrase(project, idempotency_key="k")
    assert (again.phrase.id, again.phrase.status, again.created) == (made.id, "replaced", False)
    assert vault_a.create_phrase(project) == (new, False)


def test_a_replacement_whose_outcome_was_lost_is_found_again(
    vault_a: Vault, project: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = SqlPhraseStore.replace

    def lose(self: SqlPhraseStore, *given: Any) -> bool:
        replace(self, *given)
        raise strongroom.OutcomeUnknownError("lost")

    for key in ("k", None):
        with monkeypatch.context() as patched:
            patched.setattr(SqlPhraseStore, "replace", lose)
            made = vault_a.replace_phrase(project, idempotency_key=key)
        assert made == (vault_a.find_phrase(project), True)


def test_the_log_of_a_project_has_what_was_done_with_its_phrases(deployment: Deployment, vault_a: Vault) -> None:
    project, other = deployment.project(), deployment.project()
    for each in (project, other):
        vault_a.create_phrase(each)
        vault_a.create_wallet(each, "ethereum", phrase="default")
        vault_a.advance_phrase(each, "ethereum", 5, **BY)
        vault_a.export_xpub(each, "ethereum", **BY)
        vault_a.reveal_phrase(each, **BY)
    vault_a.rotate_sealing_key()
    new = vault_a.replace_phrase(project).phrase
    found = vault_a.list_log(project_id=project).records
    done = ["phrase-replace", "phrase-export", "xpub-export", "phrase-advance", "create", "phrase-create"]
    assert [each.action for each in found] == done
    assert {each.project_id for each in found} == {str(project)}
    assert found[0].details["phrase_id"] == str(new.id)
    page = vault_a.list_log(project_id=project, limit=1)
    paged = [*page.records]
    while page.next is not None:
        page = vault_a.list_log(project_id=project, limit=1, after=page.next)
        paged += page.records
    assert tuple(paged) == found
    assert [each.action for each in vault_a.list_log(project_id=project, action="phrase-advance").records] == done[3:4]
    assert vault_a.list_log(project_id=deployment.project()).records == ()
    vault_a.erase_project(project, **BY)
    assert vault_a.list_log(project_id=project).records[0].action == "erase-project"


def test_what_was_kept_of_a_phrase_is_listed_by_the_phrase(deployment: Deployment, vault_a: Vault) -> None:
    project, other = deployment.project(), deployment.project()
    phrase = vault_a.create_phrase(project).phrase
    assert vault_a.history(phrase).entries == ()
    for _ in range(3):
        vault_a.rotate_sealing_key()
        assert all(each.error is None for each in vault_a.rewrap())
    page = vault_a.history(phrase, limit=2)
    rest = vault_a.history(phrase, limit=2, after=page.next)
    assert (*page.entries, *rest.entries) == vault_a.history(phrase.id, project_id=project).entries
    assert [each.network for each in (*page.entries, *rest.entries)] == ["phrase"] * 3
    assert vault_a.history(phrase, project_id=other).entries == ()
