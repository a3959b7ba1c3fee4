"""Rotate and rewrap: sealing keys change alongside traffic, and no wallet is lost, unproved or without its old text."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from itertools import islice
from uuid import UUID

import psycopg
import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.crypto import sealing
from strongroom.records.register import TaggedRow
from strongroom.records.tag import Tag
from strongroom.store import keyring_store
from strongroom.store.statements import rows
from strongroom.store.tag_store import SqlTagStore
from strongroom.usecases.proof import identity_of
from testbed.concurrency import at_once
from testbed.databases.deployments import PAGE, Deployment, open_deployment
from testbed.harness.fork_server import ForkServer
from testbed.processes import lifecycle
from testbed.processes import wallets as children
from testbed.servers.proxy import Mode, Proxy, runs

WALLETS = 3 * PAGE - 2


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rewrap takes a few rows at once, so that there is something between two pages."""
    monkeypatch.setattr(keyring_store, "_PAGE", PAGE)


def make(deployment: Deployment, vault: Vault, number: int = WALLETS) -> list[Wallet]:
    """Wallets of one project, imported: no phrase has to be stretched."""
    project = deployment.project()
    return [
        vault.import_wallet(project, "ethereum", private_key=f"{100 + each:064x}", label=f"label-{each}")[0]
        for each in range(number)
    ]


def kid_of(text: str) -> str:
    kid = rows.kid_of(text[:40])
    assert kid is not None
    return kid


def kids_of(deployment: Deployment) -> dict[UUID, str]:
    """The sealing key that each vault record names."""
    return {wallet_id: kid_of(text) for wallet_id, text in deployment.texts().items()}


def active(vault: Vault) -> str:
    return next(key.kid for key in vault.status().sealing_keys if key.active)


def rewrapped(vault: Vault) -> list[strongroom.RewrapResult]:
    return list(vault.rewrap())


def history_of(vault: Vault, wallet: Wallet | UUID) -> list[str]:
    return [entry.text for entry in vault.history(wallet).entries]


# --- one after the other -------------------------------------------------------------------------------------


def test_rotate_seals_with_a_new_key_and_the_old_one_goes_on_opening(deployment: Deployment, vault_a: Vault) -> None:
    first = active(vault_a)
    (old,) = make(deployment, vault_a, 1)
    second = vault_a.rotate_sealing_key(actor="me", reason="yearly")
    assert active(vault_a) == second != first
    new, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    assert kids_of(deployment) == {old.id: first, new.id: second}
    assert deployment.states() == {first: "opening", second: "active"}
    assert [key.rows for key in vault_a.status().sealing_keys] == [1, 1]
    deployment.assert_sound(vault_a)
    with deployment.open() as reopened:
        deployment.assert_sound(reopened)


def test_rewrap_moves_every_text_keeps_the_old_one_and_retires_its_key(deployment: Deployment, vault_a: Vault) -> None:
    wallets = make(deployment, vault_a)
    before = deployment.texts()
    first = active(vault_a)
    vault_a.revoke_wallet(wallets[0])
    vault_a.replace_wallet(wallets[1])
    second = vault_a.rotate_sealing_key()
    assert vault_a.count_pending_rewraps() == vault_a.count_wallets() == WALLETS + 1
    results = list(vault_a.rewrap())
    assert len(results) == WALLETS + 1
    assert all(result.ok and result.rewrapped for result in results)
    assert set(kids_of(deployment).values()) == {second}, "retired wallets move, too"
    assert deployment.states() == {first: "retired", second: "active"}
    assert vault_a.count_pending_rewraps() == 0
    assert list(vault_a.rewrap()) == []
    for wallet in wallets:
        assert before[wallet.id] in history_of(vault_a, wallet)
        log = "SELECT count(*) FROM credential_usage_logs WHERE credential_id = ? AND action_type = 'rewrap'"
        assert deployment.execute(log, wallet.id) == [(1,)]
    assert vault_a.get_wallet(wallets[0]).status == "revoked"
    assert vault_a.get_wallet(wallets[1]).status == "replaced"
    deployment.assert_sound(vault_a)


def test_the_text_that_stands_is_the_last_in_a_history_that_has_it(deployment: Deployment, vault_a: Vault) -> None:
    wallets = make(deployment, vault_a)
    vault_a.rotate_sealing_key()
    assert all(result.ok for result in vault_a.rewrap())
    for wallet in wallets:
        history, text = history_of(vault_a, wallet), deployment.texts()[wallet.id]
        assert text not in history[:-1]
        if deployment.foreign:
            assert history[-1] == text
            assert not vault_a.restore(wallet).stored


def test_a_kept_text_still_opens_after_its_key_was_retired(deployment: Deployment, vault_a: Vault) -> None:
    (wallet,) = make(deployment, vault_a, 1)
    text = deployment.texts()[wallet.id]
    vault_a.rotate_sealing_key()
    assert [result.rewrapped for result in vault_a.rewrap()] == [True]
    deployment.execute("DELETE FROM strongroom_vault_history WHERE text <> ?", text)
    deployment.execute("UPDATE credential_vault_storage SET encrypted_private_key = ''")
    assert vault_a.restore(wallet).stored
    assert deployment.texts() == {wallet.id: text}
    assert [result.code for result in vault_a.verify()] == [None]
    revealed = vault_a.reveal(wallet, actor="test", reason="drill").private_key.reveal_text()
    assert int(revealed, 16) == 100
    assert [result.rewrapped for result in vault_a.rewrap()] == [True], "and moves again"


def test_rewrap_of_one_project_leaves_the_others_and_their_key(deployment: Deployment, vault_a: Vault) -> None:
    mine, theirs = make(deployment, vault_a, 3), make(deployment, vault_a, 2)
    first = active(vault_a)
    second = vault_a.rotate_sealing_key()
    results = list(vault_a.rewrap(project_id=mine[0].project_id))
    assert {result.id for result in results if result.rewrapped} == {wallet.id for wallet in mine}
    assert kids_of(deployment) == {**{each.id: second for each in mine}, **{each.id: first for each in theirs}}
    for table in ("strongroom_wallet", "strongroom_slot"):
        tagged = {(str(project), kid) for project, kid in deployment.execute(f"SELECT project_id, kid FROM {table}")}
        assert tagged == {(str(mine[0].project_id), second), (str(theirs[0].project_id), first)}
    assert deployment.states()[first] == "opening", "rows name it"
    assert len(list(vault_a.rewrap())) == len(theirs)
    assert deployment.states()[first] == "retired"


def test_of_many_tags_each_is_compared_with_the_one_that_was_read(deployment: Deployment, vault_a: Vault) -> None:
    wallets = make(deployment, vault_a, 4)
    kid, store = vault_a.rotate_sealing_key(), vault_a._context.store.tags
    pages = store.stream_tagged_otherwise(kid, wallets[0].project_id)
    (page,) = [rows for rows in pages if rows[0].kind == "wallet"]
    deployment.execute("UPDATE strongroom_wallet SET tag = 'theirs' WHERE credential_id = ?", wallets[1].id)
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallets[2].id)
    assert store.retag([(row, Tag(kid, f"of {row.record.credential_id}")) for row in page]) == 2
    found = {
        UUID(str(each)): tag for each, tag in deployment.execute("SELECT credential_id, tag FROM strongroom_wallet")
    }
    own = {wallet.id: f"of {wallet.id}" for wallet in (wallets[0], wallets[3])}
    assert found == {**own, wallets[1].id: "theirs"}


def test_several_rotations_are_one_rewrap(deployment: Deployment, vault_a: Vault) -> None:
    wallets = []
    for _ in range(3):
        wallets += make(deployment, vault_a, 2)
        vault_a.rotate_sealing_key()
    assert len(set(kids_of(deployment).values())) == 3
    assert len(list(vault_a.rewrap())) == len(wallets)
    assert sorted(deployment.states().values()) == ["active", "retired", "retired", "retired"]
    deployment.assert_sound(vault_a)


def test_a_rewrap_that_stopped_midway_goes_on_where_it_was(
    deployment: Deployment, vault_a: Vault, vault_b: Vault
) -> None:
    wallets = make(deployment, vault_a)
    first, second = active(vault_a), vault_a.rotate_sealing_key()
    work = vault_a.rewrap()
    assert len(list(islice(work, 2))) == 2
    work.close()  # type: ignore[attr-defined]
    moved = [kid for kid in kids_of(deployment).values() if kid == second]
    assert len(moved) == PAGE, "whole pages"
    assert deployment.states()[first] == "opening"
    deployment.assert_sound(vault_b)
    results = list(vault_b.rewrap())
    assert len(results) == WALLETS - PAGE
    assert all(result.rewrapped for result in results)
    assert set(kids_of(deployment).values()) == {second}
    assert deployment.states()[first] == "retired"
    assert all(len(history_of(vault_a, wallet)) == (3 if deployment.foreign else 1) for wallet in wallets)


def test_a_row_that_does_not_prove_is_reported_and_left(deployment: Deployment, vault_a: Vault) -> None:
    wallets = make(deployment, vault_a, 6)
    first = active(vault_a)
    texts = deployment.texts()
    damaged, swapped, moved = wallets[0], wallets[1], wallets[2]
    broken = {
        damaged.id: texts[damaged.id][:-4] + "AAAA",
        swapped.id: texts[wallets[3].id],
    }
    for wallet_id, text in broken.items():
        sql = "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?"
        deployment.execute(sql, text, wallet_id)
    deployment.execute("UPDATE project_credentials SET wallet_address = lower(wallet_address) WHERE id = ?", moved.id)
    vault_a.rotate_sealing_key()
    results = list(vault_a.rewrap())
    failures = {
        (damaged.id, "sealed-text-corrupt"),
        (swapped.id, "identity-mismatch"),
        (moved.id, "identity-mismatch"),
    }
    if deployment.foreign:  # where the legacy application may write it so, it is the same address
        failures.remove((moved.id, "identity-mismatch"))
    assert {(result.id, result.code) for result in results if not result.ok} == failures
    assert sum(result.rewrapped for result in results) == len(wallets) - len(failures)
    left = deployment.texts()
    assert {wallet_id: left[wallet_id] for wallet_id in broken} == broken
    assert (left[moved.id] == texts[moved.id]) == (not deployment.foreign)
    assert deployment.states()[first] == "opening", "rows name it still"
    with deployment.open() as reopened:
        assert len(list(reopened.rewrap())) == len(failures)


def test_placeholders_and_other_applications_texts_are_not_looked_at(deployment: Deployment, vault_a: Vault) -> None:
    wallets = make(deployment, vault_a, 4)
    sql = "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?"
    for wallet, text in zip(wallets, ("", "MIGRATION_REQUIRED", "gAAAAABtheirs"), strict=False):
        deployment.execute(sql, text, wallet.id)
    first = active(vault_a)
    vault_a.rotate_sealing_key()
    assert [(result.id, result.rewrapped) for result in vault_a.rewrap()] == [(wallets[3].id, True)]
    assert deployment.states()[first] == "retired"


@pytest.mark.parametrize("backend", ["g2"])
def test_two_vault_records_with_one_text_are_both_moved(backend: str, request: pytest.FixtureRequest) -> None:
    """Generation 2 has no unique key there, and its application wrote twice."""
    with open_deployment(backend, request) as deployment, deployment.open() as vault:
        (wallet,) = make(deployment, vault, 1)
        deployment.execute(
            "INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key)"
            " SELECT credential_id, vault_id || '-2', encrypted_private_key FROM credential_vault_storage"
        )
        first = active(vault)
        second = vault.rotate_sealing_key()
        assert [result.rewrapped for result in vault.rewrap()] == [True]
        texts = deployment.execute("SELECT encrypted_private_key FROM credential_vault_storage")
        assert [kid_of(text) for (text,) in texts] == [second, second]
        assert deployment.states()[first] == "retired"
        assert [result.code for result in vault.verify(wallet)] == [None]


@pytest.mark.parametrize("backend", ["g2"])
def test_two_vault_records_with_two_texts_keep_their_sealing_key_opening(
    backend: str, request: pytest.FixtureRequest
) -> None:
    with open_deployment(backend, request) as deployment, deployment.open() as vault:
        (wallet,) = make(deployment, vault, 1)
        deployment.execute(
            "INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key)"
            " SELECT credential_id, vault_id || '-2', encrypted_private_key FROM credential_vault_storage"
        )
        vault.rotate_sealing_key()
        deployment.execute(
            "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE vault_id = ?",
            text_of_another(deployment, vault, wallet),
            f"{wallet.vault_id}-2",
        )
        first = kid_of(deployment.texts()[wallet.id])
        assert [result.code for result in vault.rewrap()] == [None]
        assert [result.code for result in vault.verify(wallet)] == [None]
        assert deployment.states()[first] == "opening", "the other record names it still"


def text_of_another(deployment: Deployment, vault: Vault, wallet: Wallet) -> str:
    """Another sealed text of the same key, under the same sealing key."""
    context = vault._context
    (text,) = set(deployment.texts().values())
    identity = identity_of(wallet)
    material = sealing.open_sealed(text, identity, context.keyring)
    return sealing.seal(material, identity, kid_of(text), context.keyring)


@pytest.mark.parametrize("text", ["OLD.encrypted_private_key", "''", "NULL"])
@pytest.mark.parametrize("backend", ["fresh", "g3"])
@pytest.mark.one_server
def test_a_trigger_that_keeps_the_old_text_stops_a_rewrap(
    backend: str, text: str, request: pytest.FixtureRequest
) -> None:
    """Or that puts another one there: what is in the row is what was proved."""
    with open_deployment(backend, request) as deployment, deployment.open() as vault:
        make(deployment, vault, 2)
        before = deployment.texts()
        deployment.execute("ALTER TABLE credential_vault_storage ALTER encrypted_private_key DROP NOT NULL")
        deployment.execute(
            "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN NEW.encrypted_private_key := {text}; RETURN NEW; END $$"
        )
        deployment.execute(
            "CREATE TRIGGER meddle BEFORE UPDATE ON credential_vault_storage FOR EACH ROW EXECUTE FUNCTION meddle()"
        )
        vault.rotate_sealing_key()
        with pytest.raises(strongroom.StoreError):
            list(vault.rewrap())
        assert deployment.texts() == before


# --- alongside others -------------------------------------------------------------------------------------------


def test_another_open_vault_reads_new_texts_and_then_seals_with_the_new_key(
    deployment: Deployment, vault_a: Vault, vault_b: Vault
) -> None:
    project = deployment.project()
    first = active(vault_a)
    stale, _ = vault_b.create_wallet(project, "ethereum", label="before")
    second = vault_a.rotate_sealing_key()
    new, _ = vault_a.create_wallet(project, "ethereum", label="new")
    assert vault_b.get_wallet(new) == new
    late, _ = vault_b.create_wallet(project, "ethereum", label="late")
    assert kids_of(deployment) == {stale.id: first, late.id: second, new.id: second}, "only the active key seals"
    assert [result.code for result in vault_b.verify(new)] == [None]
    assert [result.rewrapped for result in vault_b.rewrap()] == [True]
    deployment.assert_sound(vault_a)
    deployment.assert_sound(vault_b)


def test_a_creation_that_is_overtaken_by_several_rotations_seals_with_the_last_key(
    deployment: Deployment, vault_a: Vault, vault_b: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time that it has read the keyring again, another rotation is first."""
    project, left = deployment.project(), [True, True]
    vault_a.rotate_sealing_key()
    look = keyring_store.SqlKeyringStore.seals_with

    def seals_with(store: keyring_store.SqlKeyringStore, kid: str) -> bool:
        if left and kid == active(vault_a):
            left.pop()
            vault_a.rotate_sealing_key()
        return look(store, kid)

    monkeypatch.setattr(keyring_store.SqlKeyringStore, "seals_with", seals_with)
    wallet, created = vault_b.create_wallet(project, "ethereum", label="late")
    assert (created, left) == (True, [])
    assert kids_of(deployment) == {wallet.id: active(vault_a)}
    deployment.assert_sound(vault_b)


def test_a_keyring_that_cannot_be_read_again_is_no_fault_of_a_wallet(
    deployment: Deployment, vault_a: Vault, vault_b: Vault
) -> None:
    """A rewrap that comes to a text of a newer sealing key looks for that key; where it cannot look, it stops."""
    make(deployment, vault_a, PAGE)
    vault_a.rotate_sealing_key()
    results = vault_b.rewrap()
    assert next(results).rewrapped
    vault_a.rotate_sealing_key()
    make(deployment, vault_a, 1)
    before = deployment.texts()
    deployment.execute("ALTER TABLE strongroom_keyring RENAME TO elsewhere")
    assert [next(results).rewrapped for _ in range(PAGE - 1)] == [True] * (PAGE - 1)
    with pytest.raises(strongroom.StoreError):
        next(results)
    assert deployment.texts() == before
    deployment.execute("ALTER TABLE elsewhere RENAME TO strongroom_keyring")
    assert {result.rewrapped for result in rewrapped(vault_b)} == {True}
    deployment.assert_sound(vault_a)


def test_records_under_a_key_that_was_made_meanwhile_are_no_fault_of_a_wallet(
    deployment: Deployment, vault_a: Vault, vault_b: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process rotates and writes between a rewrap's look at the keyring and its look at the tags."""
    make(deployment, vault_a)
    vault_a.rotate_sealing_key()
    stream = SqlTagStore.stream_tagged_otherwise
    late: list[Wallet] = []

    def after_a_rotation(store: SqlTagStore, kid: str, project_id: UUID | None) -> Iterator[list[TaggedRow]]:
        if not late:
            vault_b.rotate_sealing_key()
            late.append(vault_b.create_wallet(deployment.project(), "solana", idempotency_key="late").wallet)
        return stream(store, kid, project_id)

    monkeypatch.setattr(SqlTagStore, "stream_tagged_otherwise", after_a_rotation)
    assert {result.code for result in vault_a.rewrap()} == {None}
    monkeypatch.undo()
    assert {result.code for result in vault_a.rewrap()} <= {None}
    assert len({*kids_of(deployment).values()}) == 1
    assert list(vault_a.rewrap()) == []


def test_another_process_reads_new_texts_and_then_seals_with_the_new_key(
    core_deployments: Deployment, fork_server: ForkServer
) -> None:
    fork_server.warm_up(children.warm_up)
    with core_deployments.open() as vault:
        vault.rotate_sealing_key()
        new, _ = vault.create_wallet(core_deployments.project(), "ethereum")
        arguments = {
            "url": core_deployments.url,
            "root_key": core_deployments.root_key,
            "wallet": str(new.id),
            "project": str(new.project_id),
        }
        (line,) = fork_server.run(lifecycle.seal_after_a_look, **arguments).printed
        assert line["ok"]
        assert set(kids_of(core_deployments).values()) == {active(vault)}


def test_rewrap_alongside_traffic_loses_nothing(deployment: Deployment, vault_a: Vault, vault_b: Vault) -> None:
    wallets = make(deployment, vault_a)
    project = deployment.project()
    first, second = active(vault_a), vault_a.rotate_sealing_key()
    done = threading.Event()
    made: list[Wallet] = []
    barrier = threading.Barrier(3, timeout=60)

    def create() -> None:
        barrier.wait()
        number = 0
        while not (done.is_set() and number >= 5):
            made.append(vault_b.create_wallet(project, "ethereum", label=f"label-{number}").wallet)
            number += 1

    def replace() -> None:
        barrier.wait()
        made.extend(vault_b.replace_wallet(wallet).wallet for wallet in wallets[::2])
        for wallet in wallets[1::4]:
            vault_b.revoke_wallet(wallet)

    def rewrap() -> list[strongroom.RewrapResult]:
        barrier.wait()
        try:
            return [result for _ in range(3) for result in vault_a.rewrap()]
        finally:
            done.set()

    creating, replacing, rewrapping = at_once([create, replace, rewrap])
    assert (creating, replacing) == (None, None)
    assert isinstance(rewrapping, list), rewrapping
    assert [result for result in rewrapping if not result.ok] == []
    deployment.assert_sound(vault_a)
    for wallet in made:
        assert vault_a.get_wallet(wallet).address == wallet.address
    assert all(result.ok for result in vault_a.rewrap()), "what was written meanwhile by a vault that had not looked"
    assert set(kids_of(deployment).values()) == {second}
    assert deployment.states()[first] == "retired"
    deployment.assert_sound()


def test_two_rewraps_at_once_move_each_row_once(deployment: Deployment, vault_a: Vault, vault_b: Vault) -> None:
    wallets = make(deployment, vault_a)
    second = vault_a.rotate_sealing_key()
    results = at_once([partial(rewrapped, vault) for vault in (vault_a, vault_b)])
    moved = [each.id for result in results if isinstance(result, list) for each in result if each.rewrapped]
    assert all(isinstance(result, list) for result in results), results
    assert sorted(moved) == sorted(wallet.id for wallet in wallets)
    assert set(kids_of(deployment).values()) == {second}
    assert all(len(history_of(vault_a, wallet)) == (3 if deployment.foreign else 1) for wallet in wallets)
    assert "opening" not in deployment.states().values()
    deployment.assert_sound(vault_a)


def test_processes_that_rewrap_at_once_move_each_row_once(
    core_deployments: Deployment, fork_server: ForkServer
) -> None:
    fork_server.warm_up(children.warm_up)
    with core_deployments.open() as vault:
        wallets = make(core_deployments, vault, 5 * PAGE)
        vault.rotate_sealing_key()
        arguments = [{"url": core_deployments.url, "root_key": core_deployments.root_key}] * 4
        lines = [report.printed[0] for report in fork_server.race(lifecycle.race_to_rewrap, arguments)]
        assert sum(line["rewrapped"] for line in lines) == len(wallets)
        assert sum(line["failed"] for line in lines) == 0
        core_deployments.assert_sound(vault)


def test_a_row_that_changed_since_it_was_read_is_left_alone(deployment: Deployment, vault_a: Vault) -> None:
    wallets = make(deployment, vault_a, PAGE)
    vault_a.rotate_sealing_key()
    work = vault_a.rewrap()
    store = vault_a._context.store.keyring
    genuine = store.rewrap

    def meanwhile(*arguments: object) -> object:
        deployment.execute(
            "UPDATE credential_vault_storage SET encrypted_private_key = 'theirs' WHERE credential_id = ?",
            wallets[0].id,
        )
        return genuine(*arguments)  # type: ignore[arg-type]

    store.rewrap = meanwhile  # type: ignore[method-assign, assignment]
    results = {result.id: result for result in work}
    assert [wallet_id for wallet_id, result in results.items() if not result.rewrapped] == [wallets[0].id]
    assert results[wallets[0].id].ok
    assert deployment.texts()[wallets[0].id] == "theirs"


def test_rotations_at_once_leave_one_active_key(deployment: Deployment, vault_a: Vault, vault_b: Vault) -> None:
    for _ in range(5):
        before = set(deployment.states())
        results = at_once([vault.rotate_sealing_key for vault in (vault_a, vault_b)])
        kids = {result for result in results if isinstance(result, str)}
        lost = [result for result in results if isinstance(result, Exception)]
        assert kids
        assert all(type(error) is strongroom.ConflictError for error in lost), lost
        assert set(deployment.states()) - before == kids, "nothing is left of the one that lost"
        deployment.assert_keyring()
        assert active(vault_a) in kids
    make(deployment, vault_a, 1), make(deployment, vault_b, 1)
    deployment.assert_sound()


def test_processes_that_rotate_at_once_leave_one_active_key(
    core_deployments: Deployment, fork_server: ForkServer
) -> None:
    fork_server.warm_up(children.warm_up)
    arguments = [{"url": core_deployments.url, "root_key": core_deployments.root_key}] * 8
    lines = [report.printed[0] for report in fork_server.race(lifecycle.race_to_rotate, arguments)]
    assert {line.get("error", "conflict") for line in lines} == {"conflict"}
    kids = {line["kid"] for line in lines if "kid" in line}
    assert kids
    assert len(core_deployments.states()) == 1 + len(kids)
    core_deployments.assert_sound()


# --- connections that are lost -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["before", "after", "in_flight"])
@pytest.mark.parametrize("backend", ["fresh", "g4"])
def test_a_connection_cut_during_a_rewrap_gives_the_right_answer(
    backend: str, mode: Mode, request: pytest.FixtureRequest, proxy: Proxy
) -> None:
    with open_deployment(backend, request) as deployment:
        with psycopg.connect(deployment.url) as connection:
            name = str(connection.info.dbname)
        with strongroom.open(proxy.url(name), root_key=deployment.root_key) as vault:
            wallets = make(deployment, vault)
            vault.rotate_sealing_key()
            trap = proxy.arm(runs("UPDATE credential_vault_storage"), mode)
            results = list(vault.rewrap())
            assert trap.fired
            assert sorted(result.id for result in results if result.rewrapped) == sorted(
                wallet.id for wallet in wallets
            )
            kept = 3 if deployment.foreign else 1
            assert all(len(history_of(vault, wallet)) == kept for wallet in wallets)
        deployment.assert_sound()


@pytest.mark.parametrize("mode", ["before", "after", "in_flight"])
def test_a_connection_cut_during_a_rotation_is_resolved(
    mode: Mode, request: pytest.FixtureRequest, proxy: Proxy
) -> None:
    with open_deployment("fresh", request) as deployment:
        with psycopg.connect(deployment.url) as connection:
            name = str(connection.info.dbname)
        with strongroom.open(proxy.url(name), root_key=deployment.root_key) as vault:
            trap = proxy.arm(runs(r"^\s*COMMIT"), mode)
            kid = vault.rotate_sealing_key()
            assert trap.fired
            assert len(deployment.states()) == 2
            assert deployment.states()[kid] == "active"
        deployment.assert_sound()
