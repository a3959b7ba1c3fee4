"""Words that are imported are known by what is left of their phrase: a row that was changed makes no second id."""

from __future__ import annotations

from uuid import UUID

import pytest

import strongroom
from strongroom import Vault
from strongroom.records.phrases import ProjectPhrase
from strongroom.usecases import phrases
from testbed.command_line import call
from testbed.databases.attacked import WHO, Attacked
from testbed.repair_choices import choose_all

WORDS = "test test test test test test test test test test test junk"
OTHER = "legal winner thank year wave sausage worth useful legal winner thank yellow"
CHANGES = (
    "identifier = '00', label = 'moved'",
    "identifier = '00', label = 'moved', sealed_text = ''",
    "identifier = '00', status = 'replaced'",
)


def made(vault: Vault, project: UUID) -> ProjectPhrase:
    """A phrase with wallets."""
    phrase = vault.import_phrase(project, mnemonic=WORDS).phrase
    vault.create_many(project, "ethereum", ["a", "b"])
    return phrase


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_row_keeps_its_phrase_from_being_imported_again(attacked: Attacked, change: str) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        phrase = made(vault, project)
        attacked.deployment.execute(f"UPDATE strongroom_phrase SET {change} WHERE phrase_id = ?", phrase.id)
        with pytest.raises(strongroom.IdentityMismatchError, match=f"{phrase.id} was changed") as caught:
            vault.import_phrase(project, mnemonic=WORDS)
        assert "repair --plan" in caught.value.hint
        assert vault.import_phrase(project, mnemonic=OTHER).created  # which it is certain not to be
        assert len(attacked.deployment.execute("SELECT 1 FROM strongroom_phrase WHERE project_id = ?", project)) == 2


def test_the_repair_that_is_named_brings_the_phrase_back_under_its_id(attacked: Attacked) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        phrase = made(vault, project)
        attacked.deployment.execute(f"UPDATE strongroom_phrase SET {CHANGES[0]} WHERE phrase_id = ?", phrase.id)
        path = attacked.plan()
        choose_all(path)
        assert attacked.apply(path).code == 0
        assert vault.reveal_phrase(project, phrase.id, **WHO).mnemonic.reveal_text() == WORDS
        with pytest.raises(strongroom.PhraseConflictError, match=str(phrase.id)):
            vault.import_phrase(project, mnemonic=WORDS)


def lose(attacked: Attacked, phrase: ProjectPhrase) -> None:
    """Take the row of a phrase away, and change every record of its wallets."""
    attacked.deployment.execute("DELETE FROM strongroom_phrase WHERE phrase_id = ?", phrase.id)
    attacked.deployment.execute("UPDATE strongroom_wallet SET public_key = '00' WHERE phrase_id = ?", phrase.id)


def test_a_lost_phrase_whose_records_were_all_changed_keeps_words_from_being_imported(attacked: Attacked) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        phrase = made(vault, project)
        wallet = vault.find_wallet(project, "ethereum", label="b")
        assert wallet is not None
        lose(attacked, phrase)
        for words in (WORDS, OTHER):  # nothing tells which it was
            with pytest.raises(strongroom.IdentityMismatchError, match=f"{phrase.id} is gone") as caught:
                vault.import_phrase(project, mnemonic=words)
            assert "upgrade --accept" in caught.value.hint
        base = ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)
        accepted = call("upgrade", *base, "--accept", str(wallet.id))
        assert accepted.code == 0, accepted.err
        again = vault.import_phrase(project, mnemonic=WORDS)
        assert (again.phrase.id, again.created) == (phrase.id, True)
        assert vault.create_many(project, "ethereum", ["c"])[0].wallet.phrase_index == 2


def test_the_history_says_which_phrase_was_lost(attacked: Attacked) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        phrase = made(vault, project)
        vault.rotate_sealing_key(**WHO)
        assert all(each.rewrapped for each in vault.rewrap(project_id=project))
        lose(attacked, phrase)
        assert vault.import_phrase(project, mnemonic=OTHER, label="other").phrase.id != phrase.id
        assert vault.import_phrase(project, mnemonic=WORDS).phrase.id == phrase.id


def test_a_phrase_that_gave_no_index_is_no_reason_to_refuse_another(attacked: Attacked) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        vault.create_phrase(project, label="empty")
        attacked.deployment.execute("UPDATE strongroom_phrase SET sealed_text = 'x' WHERE project_id = ?", project)
        attacked.deployment.execute("UPDATE strongroom_phrase SET label = 'y' WHERE project_id = ?", project)
        assert vault.import_phrase(project, mnemonic=WORDS).created


def test_a_key_that_another_wallet_has_is_not_given_again(attacked: Attacked) -> None:
    """A wallet was imported by itself, with the key of index 1."""
    project, fresh = attacked.deployment.project(), attacked.deployment.project()
    with attacked.deployment.open() as vault:
        phrase = made(vault, project)
        second = vault.find_wallet(project, "ethereum", label="b")
        assert second is not None
        vault.import_wallet(fresh, "ethereum", private_key=vault.reveal(second, **WHO).private_key, label="own")
        other = vault.import_phrase(fresh, mnemonic=WORDS).phrase
        before = attacked.deployment.execute("SELECT count(*) FROM strongroom_wallet WHERE project_id = ?", fresh)
        with pytest.raises(strongroom.PhraseConflictError, match=r"comes next.*imported by itself") as caught:
            vault.create_many(fresh, "ethereum", ["a", "b", "c"])
        assert "phrase advance" in caught.value.hint
        assert (
            attacked.deployment.execute("SELECT count(*) FROM strongroom_wallet WHERE project_id = ?", fresh) == before
        )
        assert len(vault.create_many(fresh, "polygon", ["a", "b", "c"])) == 3  # another network
        (first,) = vault.create_many(fresh, "ethereum", ["a"])
        with pytest.raises(strongroom.PhraseConflictError, match="comes next"):
            vault.replace_wallet(first.wallet)
        vault.advance_phrase(fresh, "ethereum", 2, **WHO)
        assert vault.create_many(fresh, "ethereum", ["b"])[0].wallet.phrase_index == 2
        assert other.id != phrase.id


def test_a_second_id_of_a_phrase_gives_no_index_again(attacked: Attacked, monkeypatch: pytest.MonkeyPatch) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        phrase = made(vault, project)
        attacked.deployment.execute(f"UPDATE strongroom_phrase SET {CHANGES[0]} WHERE phrase_id = ?", phrase.id)
        monkeypatch.setattr(phrases, "lost_id", lambda *_: None)  # a vault of before
        assert vault.import_phrase(project, mnemonic=WORDS).phrase.id != phrase.id
        with pytest.raises(strongroom.PhraseConflictError, match=f"derived from the phrase {phrase.id}"):
            vault.create_many(project, "ethereum", ["c"])
