"""A stored text archived for another one, a key moved: where tables are divided by project, and where they could be.

``tests/citus/test_repair.py`` runs the same on nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.store.rescue_store import SqlRescueStore
from testbed.concurrency import at_once
from testbed.databases.deployments import Deployment
from testbed.databases.foreign import address_of
from testbed.databases.guards import WHO, key_of, put
from tests.integration.repaired_database import KEY, OTHER, kept_of

EMPTIED = "PRIVATE_KEY_NOT_RECOVERABLE"


def overwritten(place: Deployment, vault: Vault, text: str) -> tuple[Wallet, str]:
    """A wallet whose sealed text is in the history, and another text in its place; and its key."""
    wallet, _ = vault.create_wallet(place.project(), "ethereum", label="hot")
    key = key_of(vault, wallet)
    vault.rotate_sealing_key()
    assert all(result.ok for result in vault.rewrap())
    put(place, wallet.id, text)
    return wallet, key


@pytest.mark.parametrize("named", [True, False], ids=["in its project", "by its id"])
def test_a_kept_key_is_put_back_and_the_stored_text_archived(place: Deployment, named: bool) -> None:
    with place.open() as vault:
        wallet, key = overwritten(place, vault, OTHER)
        project = wallet.project_id if named else None
        with pytest.raises(strongroom.KeyConflictError):
            vault.restore(wallet.id, project_id=project)
        assert vault.restore(wallet.id, project_id=project, archive_current=True).stored
        assert key_of(vault, wallet) == key
        assert OTHER not in str(kept_of(place, wallet.id)), "a key in plaintext is archived sealed"
        entries = vault.history(wallet.id).entries
        [entry] = [each for each in entries if each.address == address_of("ethereum", OTHER)]
        assert OTHER in vault.reveal_kept(entry.id, **WHO).revealed.private_key.reveal_text()
        assert not vault.restore(wallet.id, project_id=project, archive_current=True).stored


@pytest.mark.parametrize("named", [True, False], ids=["in its project", "by its id"])
def test_a_key_is_stored_and_the_text_before_it_archived(place: Deployment, named: bool) -> None:
    with place.open() as vault:
        wallet = vault.import_wallet(place.project(), "ethereum", private_key=KEY).wallet
        put(place, wallet.id, OTHER)
        project = wallet.project_id if named else None
        store = partial(vault.store_key, wallet.id, project_id=project, private_key=KEY)
        with pytest.raises(strongroom.StrongroomError):
            store()
        assert place.texts()[wallet.id] == OTHER
        assert store(archive_current=True).stored
        assert key_of(vault, wallet).removeprefix("0x") == KEY
        assert {owner for owner, *_ in kept_of(place, wallet.id)} == {str(wallet.project_id)}
        assert OTHER not in str(kept_of(place, wallet.id))


@pytest.mark.parametrize("to", ["history", "wallet"])
def test_a_key_of_another_address_is_moved(place: Deployment, to: str) -> None:
    with place.open() as vault:
        wallet = vault.create_wallet(place.project(), "ethereum").wallet
        put(place, wallet.id, OTHER)
        label = "found" if to == "wallet" else None
        addresses, made = vault.move_key(wallet.id, project_id=wallet.project_id, to=to, label=label)
        assert addresses == (address_of("ethereum", OTHER),)
        assert place.texts()[wallet.id] == EMPTIED
        assert OTHER not in str(kept_of(place, wallet.id))
        if made is not None:
            assert made.project_id == wallet.project_id
            assert key_of(vault, made).removeprefix("0x") == OTHER
            assert vault.find_wallet(wallet.project_id, "ethereum", "found") == vault.get_wallet(made.id)
        assert (made is None) == (to == "history")


def test_a_key_of_another_projects_wallet_is_archived_there(place: Deployment) -> None:
    """Rows of two projects, and on nodes of two nodes, in one transaction."""
    with place.open() as vault:
        for number in range(4):  # whichever nodes their projects are on
            own, other = f"{80 + number:02x}" * 32, f"{90 + number:02x}" * 32
            theirs = vault.import_wallet(place.project(), "ethereum", private_key=other).wallet
            wallet = vault.import_wallet(place.project(), "ethereum", private_key=own).wallet
            put(place, wallet.id, other)
            assert vault.store_key(wallet.id, private_key=own, archive_current=True).stored
            assert key_of(vault, wallet).removeprefix("0x") == own
            assert [(owner, form) for owner, form, _ in kept_of(place, theirs.id)] == [
                (str(theirs.project_id), "sealed")
            ]
            assert {owner for owner, *_ in kept_of(place, wallet.id)} == {str(wallet.project_id)}
    assert place.execute("SELECT 1 FROM pg_prepared_xacts") == []


@pytest.mark.parametrize("verb", ["restore", "store", "move"])
def test_of_two_who_do_it_at_once_one_does(place: Deployment, verb: str) -> None:
    with place.open() as first, place.open() as second:
        wallet, key = overwritten(place, first, OTHER)
        calls: dict[str, Callable[[Vault], bool]] = {
            "restore": lambda vault: vault.restore(wallet.id, archive_current=True).stored,
            "store": lambda vault: vault.store_key(wallet.id, private_key=key, archive_current=True).stored,
            "move": lambda vault: bool(vault.move_key(wallet.id, to="history").addresses),
        }
        outcomes = at_once([partial(calls[verb], vault) for vault in (first, second)])
        assert sorted(map(str, outcomes))[-1] == "True"
        other = next((each for each in outcomes if each is not True), None)
        late = (strongroom.KeyMissingError,) if verb == "move" else (strongroom.KeyConflictError,)
        assert other is False or isinstance(other, late), "there is nothing left to do, or it changed between two looks"
        assert place.texts()[wallet.id].startswith(EMPTIED if verb == "move" else "eyJ")
        assert OTHER not in str(kept_of(place, wallet.id))


@pytest.mark.parametrize("verb", ["restore", "store", "move"])
def test_who_overwrites_between_look_and_lock_loses_nothing(
    place: Deployment, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """The other text is looked at then: it is archived, or stays."""
    late = "their newer text"
    genuine, seen = SqlRescueStore.change_texts, list[str]()

    with place.open() as vault:
        wallet, key = overwritten(place, vault, OTHER)

        def change_texts(self: SqlRescueStore, *args: Any) -> bool:
            if not seen:
                seen.append(late)
                put(place, wallet.id, late)
            return genuine(self, *args)

        monkeypatch.setattr(SqlRescueStore, "change_texts", change_texts)
        if verb == "move":
            with pytest.raises(strongroom.KeyMissingError):
                vault.move_key(wallet.id, to="history")
            assert place.texts()[wallet.id] == late
            return
        if verb == "restore":
            assert vault.restore(wallet.id, archive_current=True).stored
        else:
            assert vault.store_key(wallet.id, private_key=key, archive_current=True).stored
        assert key_of(vault, wallet) == key
        kept = [each.id for each in vault.history(wallet.id).entries if each.reason == "archive"]
        assert late in {vault.reveal_kept_text(each, **WHO).text.reveal_text() for each in kept}
