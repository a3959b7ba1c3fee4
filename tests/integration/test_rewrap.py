"""Rotate and rewrap: sealing keys change beside traffic, and no wallet is lost, unproved or without its old text."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from itertools import islice
from uuid import UUID

import psycopg
import pytest

import strongroom
from strongroom import Vault, Wallet, sealing
from strongroom.register import TaggedRow
from strongroom.store import keyring_store
from strongroom.store.statements import rows
from strongroom.store.tag_store import TagStore
from strongroom.usecases.proof import identity_of
from tests.harness.nursery import Nursery
from tests.integration import children, children_lifecycle
from tests.integration.children_lifecycle import PAGE, Place, open_place
from tests.integration.test_get_or_create import at_once
from tests.servers.proxy import Mode, Proxy, runs

WALLETS = 3 * PAGE - 2


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rewrap takes a few rows at once, so that there is something between two pages."""
    monkeypatch.setattr(keyring_store, "_PAGE", PAGE)


def make(place: Place, vault: Vault, number: int = WALLETS) -> list[Wallet]:
    """Wallets of one project, imported: no phrase has to be stretched."""
    project = place.project()
    return [
        vault.import_wallet(project, "ethereum", private_key=f"{100 + each:064x}", label=f"label-{each}")[0]
        for each in range(number)
    ]


def kid_of(text: str) -> str:
    kid = rows.kid_of(text[:40])
    assert kid is not None
    return kid


def kids_of(place: Place) -> dict[UUID, str]:
    """The sealing key that each vault record names."""
    return {wallet_id: kid_of(text) for wallet_id, text in place.texts().items()}


def active(vault: Vault) -> str:
    return next(key.kid for key in vault.status().sealing_keys if key.active)


def rewrapped(vault: Vault) -> list[strongroom.RewrapResult]:
    return list(vault.rewrap())


def history_of(vault: Vault, wallet: Wallet | UUID) -> list[str]:
    return [entry.text for entry in vault.history(wallet).entries]


# --- one after the other -------------------------------------------------------------------------------------


def test_rotate_seals_with_a_new_key_and_the_old_one_goes_on_opening(place: Place, here: Vault) -> None:
    first = active(here)
    (old,) = make(place, here, 1)
    second = here.rotate_sealing_key(actor="me", reason="yearly")
    assert active(here) == second != first
    new, _ = here.create_wallet(place.project(), "ethereum")
    assert kids_of(place) == {old.id: first, new.id: second}
    assert place.states() == {first: "opening", second: "active"}
    assert [key.rows for key in here.status().sealing_keys] == [1, 1]
    place.assert_sound(here)
    with place.open() as reopened:
        place.assert_sound(reopened)


def test_rewrap_moves_every_text_keeps_the_old_one_and_retires_its_key(place: Place, here: Vault) -> None:
    wallets = make(place, here)
    before = place.texts()
    first = active(here)
    here.revoke_wallet(wallets[0])
    here.replace_wallet(wallets[1])
    second = here.rotate_sealing_key()
    assert here.count_pending_rewraps() == here.count_wallets() == WALLETS + 1
    results = list(here.rewrap())
    assert len(results) == WALLETS + 1
    assert all(result.ok and result.rewrapped for result in results)
    assert set(kids_of(place).values()) == {second}, "retired wallets move, too"
    assert place.states() == {first: "retired", second: "active"}
    assert here.count_pending_rewraps() == 0
    assert list(here.rewrap()) == []
    for wallet in wallets:
        assert before[wallet.id] in history_of(here, wallet)
        log = "SELECT count(*) FROM credential_usage_logs WHERE credential_id = ? AND action_type = 'rewrap'"
        assert place.execute(log, wallet.id) == [(1,)]
    assert here.get_wallet(wallets[0]).status == "revoked"
    assert here.get_wallet(wallets[1]).status == "replaced"
    place.assert_sound(here)


def test_the_text_that_stands_is_the_last_in_a_history_that_has_it(place: Place, here: Vault) -> None:
    wallets = make(place, here)
    here.rotate_sealing_key()
    assert all(result.ok for result in here.rewrap())
    for wallet in wallets:
        history, text = history_of(here, wallet), place.texts()[wallet.id]
        assert text not in history[:-1]
        if place.foreign:
            assert history[-1] == text
            assert not here.restore(wallet).stored


def test_a_kept_text_still_opens_after_its_key_was_retired(place: Place, here: Vault) -> None:
    (wallet,) = make(place, here, 1)
    text = place.texts()[wallet.id]
    here.rotate_sealing_key()
    assert [result.rewrapped for result in here.rewrap()] == [True]
    place.execute("DELETE FROM strongroom_vault_history WHERE text <> ?", text)
    place.execute("UPDATE credential_vault_storage SET encrypted_private_key = ''")
    assert here.restore(wallet).stored
    assert place.texts() == {wallet.id: text}
    assert [result.code for result in here.verify()] == [None]
    revealed = here.reveal(wallet, actor="test", reason="drill").private_key.reveal_text()
    assert int(revealed, 16) == 100
    assert [result.rewrapped for result in here.rewrap()] == [True], "and moves again"


def test_rewrap_of_one_project_leaves_the_others_and_their_key(place: Place, here: Vault) -> None:
    mine, theirs = make(place, here, 3), make(place, here, 2)
    first = active(here)
    second = here.rotate_sealing_key()
    results = list(here.rewrap(project_id=mine[0].project_id))
    assert {result.id for result in results if result.rewrapped} == {wallet.id for wallet in mine}
    assert kids_of(place) == {**{each.id: second for each in mine}, **{each.id: first for each in theirs}}
    assert place.states()[first] == "opening", "rows name it"
    assert len(list(here.rewrap())) == len(theirs)
    assert place.states()[first] == "retired"


def test_several_rotations_are_one_rewrap(place: Place, here: Vault) -> None:
    wallets = []
    for _ in range(3):
        wallets += make(place, here, 2)
        here.rotate_sealing_key()
    assert len(set(kids_of(place).values())) == 3
    assert len(list(here.rewrap())) == len(wallets)
    assert sorted(place.states().values()) == ["active", "retired", "retired", "retired"]
    place.assert_sound(here)


def test_a_rewrap_that_stopped_midway_goes_on_where_it_was(place: Place, here: Vault, there: Vault) -> None:
    wallets = make(place, here)
    first, second = active(here), here.rotate_sealing_key()
    work = here.rewrap()
    assert len(list(islice(work, 2))) == 2
    work.close()  # type: ignore[attr-defined]
    moved = [kid for kid in kids_of(place).values() if kid == second]
    assert len(moved) == PAGE, "whole pages"
    assert place.states()[first] == "opening"
    place.assert_sound(there)
    results = list(there.rewrap())
    assert len(results) == WALLETS - PAGE
    assert all(result.rewrapped for result in results)
    assert set(kids_of(place).values()) == {second}
    assert place.states()[first] == "retired"
    assert all(len(history_of(here, wallet)) == (3 if place.foreign else 1) for wallet in wallets)


def test_a_row_that_does_not_prove_is_reported_and_left(place: Place, here: Vault) -> None:
    wallets = make(place, here, 6)
    first = active(here)
    texts = place.texts()
    damaged, swapped, moved = wallets[0], wallets[1], wallets[2]
    broken = {
        damaged.id: texts[damaged.id][:-4] + "AAAA",
        swapped.id: texts[wallets[3].id],
    }
    for wallet_id, text in broken.items():
        sql = "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?"
        place.execute(sql, text, wallet_id)
    place.execute("UPDATE project_credentials SET wallet_address = lower(wallet_address) WHERE id = ?", moved.id)
    here.rotate_sealing_key()
    results = list(here.rewrap())
    failures = {
        (damaged.id, "sealed-text-corrupt"),
        (swapped.id, "identity-mismatch"),
        (moved.id, "identity-mismatch"),
    }
    if place.foreign:  # where the old application may write it so, it is the same address
        failures.remove((moved.id, "identity-mismatch"))
    assert {(result.id, result.code) for result in results if not result.ok} == failures
    assert sum(result.rewrapped for result in results) == len(wallets) - len(failures)
    left = place.texts()
    assert {wallet_id: left[wallet_id] for wallet_id in broken} == broken
    assert (left[moved.id] == texts[moved.id]) == (not place.foreign)
    assert place.states()[first] == "opening", "rows name it still"
    with place.open() as reopened:
        assert len(list(reopened.rewrap())) == len(failures)


def test_placeholders_and_other_applications_texts_are_not_looked_at(place: Place, here: Vault) -> None:
    wallets = make(place, here, 4)
    sql = "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?"
    for wallet, text in zip(wallets, ("", "MIGRATION_REQUIRED", "gAAAAABtheirs"), strict=False):
        place.execute(sql, text, wallet.id)
    first = active(here)
    here.rotate_sealing_key()
    assert [(result.id, result.rewrapped) for result in here.rewrap()] == [(wallets[3].id, True)]
    assert place.states()[first] == "retired"


@pytest.mark.parametrize("ground", ["g2"])
def test_two_vault_records_with_one_text_are_both_moved(ground: str, request: pytest.FixtureRequest) -> None:
    """Generation 2 has no unique key there, and its application wrote twice."""
    with open_place(ground, request) as place, place.open() as vault:
        (wallet,) = make(place, vault, 1)
        place.execute(
            "INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key)"
            " SELECT credential_id, vault_id || '-2', encrypted_private_key FROM credential_vault_storage"
        )
        first = active(vault)
        second = vault.rotate_sealing_key()
        assert [result.rewrapped for result in vault.rewrap()] == [True]
        texts = place.execute("SELECT encrypted_private_key FROM credential_vault_storage")
        assert [kid_of(text) for (text,) in texts] == [second, second]
        assert place.states()[first] == "retired"
        assert [result.code for result in vault.verify(wallet)] == [None]


@pytest.mark.parametrize("ground", ["g2"])
def test_two_vault_records_with_two_texts_keep_their_sealing_key_opening(
    ground: str, request: pytest.FixtureRequest
) -> None:
    with open_place(ground, request) as place, place.open() as vault:
        (wallet,) = make(place, vault, 1)
        place.execute(
            "INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key)"
            " SELECT credential_id, vault_id || '-2', encrypted_private_key FROM credential_vault_storage"
        )
        vault.rotate_sealing_key()
        place.execute(
            "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE vault_id = ?",
            text_of_another(place, vault, wallet),
            f"{wallet.vault_id}-2",
        )
        first = kid_of(place.texts()[wallet.id])
        assert [result.code for result in vault.rewrap()] == [None]
        assert [result.code for result in vault.verify(wallet)] == [None]
        assert place.states()[first] == "opening", "the other record names it still"


def text_of_another(place: Place, vault: Vault, wallet: Wallet) -> str:
    """Another sealed text of the same key, under the same sealing key."""
    parts = vault._parts
    (text,) = set(place.texts().values())
    identity = identity_of(wallet)
    material = sealing.open_sealed(text, identity, parts.keyring)
    return sealing.seal(material, identity, kid_of(text), parts.keyring)


@pytest.mark.parametrize("text", ["OLD.encrypted_private_key", "''", "NULL"])
@pytest.mark.parametrize("ground", ["fresh", "g3"])
def test_a_trigger_that_keeps_the_old_text_stops_a_rewrap(
    ground: str, text: str, request: pytest.FixtureRequest
) -> None:
    """Or that puts another one there: what stands in the row is what was proved."""
    with open_place(ground, request) as place, place.open() as vault:
        make(place, vault, 2)
        before = place.texts()
        place.execute("ALTER TABLE credential_vault_storage ALTER encrypted_private_key DROP NOT NULL")
        place.execute(
            "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN NEW.encrypted_private_key := {text}; RETURN NEW; END $$"
        )
        place.execute(
            "CREATE TRIGGER meddle BEFORE UPDATE ON credential_vault_storage FOR EACH ROW EXECUTE FUNCTION meddle()"
        )
        vault.rotate_sealing_key()
        with pytest.raises(strongroom.StoreError):
            list(vault.rewrap())
        assert place.texts() == before


# --- beside others -------------------------------------------------------------------------------------------


def test_another_open_vault_reads_new_texts_and_then_seals_with_the_new_key(
    place: Place, here: Vault, there: Vault
) -> None:
    project = place.project()
    first = active(here)
    stale, _ = there.create_wallet(project, "ethereum", label="before")
    second = here.rotate_sealing_key()
    new, _ = here.create_wallet(project, "ethereum", label="new")
    assert there.get_wallet(new) == new
    late, _ = there.create_wallet(project, "ethereum", label="late")
    assert kids_of(place) == {stale.id: first, late.id: second, new.id: second}, "only the active key seals"
    assert [result.code for result in there.verify(new)] == [None]
    assert [result.rewrapped for result in there.rewrap()] == [True]
    place.assert_sound(here)
    place.assert_sound(there)


def test_a_keyring_that_cannot_be_read_again_is_no_fault_of_a_wallet(place: Place, here: Vault, there: Vault) -> None:
    """A rewrap that comes to a text of a newer sealing key looks for that key; where it cannot look, it stops."""
    make(place, here, PAGE)
    here.rotate_sealing_key()
    results = there.rewrap()
    assert next(results).rewrapped
    here.rotate_sealing_key()
    make(place, here, 1)
    before = place.texts()
    place.execute("ALTER TABLE strongroom_keyring RENAME TO elsewhere")
    assert [next(results).rewrapped for _ in range(PAGE - 1)] == [True] * (PAGE - 1)
    with pytest.raises(strongroom.StoreError):
        next(results)
    assert place.texts() == before
    place.execute("ALTER TABLE elsewhere RENAME TO strongroom_keyring")
    assert {result.rewrapped for result in rewrapped(there)} == {True}
    place.assert_sound(here)


def test_records_under_a_key_that_was_made_meanwhile_are_no_fault_of_a_wallet(
    place: Place, here: Vault, there: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process rotates and writes between a rewrap's look at the keyring and its look at the tags."""
    make(place, here)
    here.rotate_sealing_key()
    stream = TagStore.stream_tagged_otherwise
    late: list[Wallet] = []

    def after_a_rotation(store: TagStore, kid: str) -> Iterator[list[TaggedRow]]:
        if not late:
            there.rotate_sealing_key()
            late.append(there.create_wallet(place.project(), "solana", idempotency_key="late").wallet)
        return stream(store, kid)

    monkeypatch.setattr(TagStore, "stream_tagged_otherwise", after_a_rotation)
    assert {result.code for result in here.rewrap()} == {None}
    monkeypatch.undo()
    assert {result.code for result in here.rewrap()} <= {None}
    assert len({*kids_of(place).values()}) == 1
    assert list(here.rewrap()) == []


def test_another_process_reads_new_texts_and_then_seals_with_the_new_key(few: Place, nursery: Nursery) -> None:
    nursery.warm_up(children.warm_up)
    with few.open() as vault:
        vault.rotate_sealing_key()
        new, _ = vault.create_wallet(few.project(), "ethereum")
        arguments = {
            "url": few.url,
            "root_key": few.root_key,
            "wallet": str(new.id),
            "project": str(new.project_id),
        }
        (line,) = nursery.run(children_lifecycle.seal_after_a_look, **arguments).printed
        assert line["ok"]
        assert set(kids_of(few).values()) == {active(vault)}


def test_rewrap_beside_traffic_loses_nothing(place: Place, here: Vault, there: Vault) -> None:
    wallets = make(place, here)
    project = place.project()
    first, second = active(here), here.rotate_sealing_key()
    done = threading.Event()
    made: list[Wallet] = []
    barrier = threading.Barrier(3, timeout=60)

    def create() -> None:
        barrier.wait()
        number = 0
        while not (done.is_set() and number >= 5):
            made.append(there.create_wallet(project, "ethereum", label=f"label-{number}").wallet)
            number += 1

    def replace() -> None:
        barrier.wait()
        made.extend(there.replace_wallet(wallet).wallet for wallet in wallets[::2])
        for wallet in wallets[1::4]:
            there.revoke_wallet(wallet)

    def rewrap() -> list[strongroom.RewrapResult]:
        barrier.wait()
        try:
            return [result for _ in range(3) for result in here.rewrap()]
        finally:
            done.set()

    creating, replacing, rewrapping = at_once([create, replace, rewrap])
    assert (creating, replacing) == (None, None)
    assert isinstance(rewrapping, list), rewrapping
    assert [result for result in rewrapping if not result.ok] == []
    place.assert_sound(here)
    for wallet in made:
        assert here.get_wallet(wallet).address == wallet.address
    assert all(result.ok for result in here.rewrap()), "what was written meanwhile by a vault that had not looked"
    assert set(kids_of(place).values()) == {second}
    assert place.states()[first] == "retired"
    place.assert_sound()


def test_two_rewraps_at_once_move_each_row_once(place: Place, here: Vault, there: Vault) -> None:
    wallets = make(place, here)
    second = here.rotate_sealing_key()
    results = at_once([partial(rewrapped, vault) for vault in (here, there)])
    moved = [each.id for result in results if isinstance(result, list) for each in result if each.rewrapped]
    assert all(isinstance(result, list) for result in results), results
    assert sorted(moved) == sorted(wallet.id for wallet in wallets)
    assert set(kids_of(place).values()) == {second}
    assert all(len(history_of(here, wallet)) == (3 if place.foreign else 1) for wallet in wallets)
    assert "opening" not in place.states().values()
    place.assert_sound(here)


def test_processes_that_rewrap_at_once_move_each_row_once(few: Place, nursery: Nursery) -> None:
    nursery.warm_up(children.warm_up)
    with few.open() as vault:
        wallets = make(few, vault, 5 * PAGE)
        vault.rotate_sealing_key()
        arguments = [{"url": few.url, "root_key": few.root_key}] * 4
        lines = [report.printed[0] for report in nursery.race(children_lifecycle.race_to_rewrap, arguments)]
        assert sum(line["rewrapped"] for line in lines) == len(wallets)
        assert sum(line["failed"] for line in lines) == 0
        few.assert_sound(vault)


def test_a_row_that_changed_since_it_was_read_is_left_alone(place: Place, here: Vault) -> None:
    wallets = make(place, here, PAGE)
    here.rotate_sealing_key()
    work = here.rewrap()
    store = here._parts.store.keyring
    genuine = store.rewrap

    def meanwhile(*arguments: object) -> object:
        place.execute(
            "UPDATE credential_vault_storage SET encrypted_private_key = 'theirs' WHERE credential_id = ?",
            wallets[0].id,
        )
        return genuine(*arguments)  # type: ignore[arg-type]

    store.rewrap = meanwhile  # type: ignore[method-assign, assignment]
    results = {result.id: result for result in work}
    assert [wallet_id for wallet_id, result in results.items() if not result.rewrapped] == [wallets[0].id]
    assert results[wallets[0].id].ok
    assert place.texts()[wallets[0].id] == "theirs"


def test_rotations_at_once_leave_one_active_key(place: Place, here: Vault, there: Vault) -> None:
    for _ in range(5):
        before = set(place.states())
        results = at_once([vault.rotate_sealing_key for vault in (here, there)])
        kids = {result for result in results if isinstance(result, str)}
        lost = [result for result in results if isinstance(result, Exception)]
        assert kids
        assert all(type(error) is strongroom.ConflictError for error in lost), lost
        assert set(place.states()) - before == kids, "nothing is left of the one that lost"
        place.assert_keyring()
        assert active(here) in kids
    make(place, here, 1), make(place, there, 1)
    place.assert_sound()


def test_processes_that_rotate_at_once_leave_one_active_key(few: Place, nursery: Nursery) -> None:
    nursery.warm_up(children.warm_up)
    arguments = [{"url": few.url, "root_key": few.root_key}] * 8
    lines = [report.printed[0] for report in nursery.race(children_lifecycle.race_to_rotate, arguments)]
    assert {line.get("error", "conflict") for line in lines} == {"conflict"}
    kids = {line["kid"] for line in lines if "kid" in line}
    assert kids
    assert len(few.states()) == 1 + len(kids)
    few.assert_sound()


# --- connections that are lost -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["before", "after", "in_flight"])
@pytest.mark.parametrize("ground", ["fresh", "g4"])
def test_a_connection_cut_during_a_rewrap_gives_the_right_answer(
    ground: str, mode: Mode, request: pytest.FixtureRequest, proxy: Proxy
) -> None:
    with open_place(ground, request) as place:
        with psycopg.connect(place.url) as connection:
            name = str(connection.info.dbname)
        with strongroom.open(proxy.url(name), root_key=place.root_key) as vault:
            wallets = make(place, vault)
            vault.rotate_sealing_key()
            trap = proxy.arm(runs("UPDATE credential_vault_storage"), mode)
            results = list(vault.rewrap())
            assert trap.fired
            assert sorted(result.id for result in results if result.rewrapped) == sorted(
                wallet.id for wallet in wallets
            )
            kept = 3 if place.foreign else 1
            assert all(len(history_of(vault, wallet)) == kept for wallet in wallets)
        place.assert_sound()


@pytest.mark.parametrize("mode", ["before", "after", "in_flight"])
def test_a_connection_cut_during_a_rotation_is_resolved(
    mode: Mode, request: pytest.FixtureRequest, proxy: Proxy
) -> None:
    with open_place("fresh", request) as place:
        with psycopg.connect(place.url) as connection:
            name = str(connection.info.dbname)
        with strongroom.open(proxy.url(name), root_key=place.root_key) as vault:
            trap = proxy.arm(runs(r"^\s*COMMIT"), mode)
            kid = vault.rotate_sealing_key()
            assert trap.fired
            assert len(place.states()) == 2
            assert place.states()[kid] == "active"
        place.assert_sound()
