"""Keys that are kept and not where they should be: rows that are gone, texts that were overwritten, keys of others."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from eth_account import Account

import strongroom
from strongroom import Vault, Wallet
from strongroom.store.rescue_store import SqlRescueStore
from strongroom.usecases.rescue import HISTORY_PAGE
from testbed.concurrency import at_once
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.foreign import FOREIGN_TEXT, add_wallet, address_of
from testbed.databases.guards import WHO, install, key_of, put, rows_gone
from testbed.harness.fork_server import ChildReport, ForkServer
from testbed.harness.statement_stops import run_stopped
from testbed.processes import rescue
from tests.integration.doctors import document

OTHER_KEY = "7a" * 32
OTHER_ADDRESS = address_of("ethereum", OTHER_KEY)
EMPTIED = "PRIVATE_KEY_NOT_RECOVERABLE"


def count(deployment: Deployment, table: str, wallet: UUID) -> int:
    column = "id" if table == "project_credentials" else "credential_id"
    return int(deployment.execute(f"SELECT count(*) FROM {table} WHERE {column} = ?", wallet)[0][0])


def kept_of(deployment: Deployment, wallet: UUID) -> list[tuple[str, ...]]:
    sql = "SELECT text, form, address FROM strongroom_vault_history WHERE credential_id = ? ORDER BY created_at, id"
    return deployment.execute(sql, wallet)


# --- rows that are gone --------------------------------------------------------------------------------------


@pytest.mark.parametrize("deployment", ["sqlite", "fresh", "g2", "g4"], indirect=True)
@pytest.mark.one_server
def test_rows_that_are_made_anew_while_another_wallet_takes_the_slot_are_a_retired_wallets(
    deployment: Deployment, vault_a: Vault, vault_b: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slot was free when the rows were decided on; two live wallets of one name would be left."""
    project = deployment.project()
    wallet = vault_a.create_wallet(project, "ethereum").wallet
    if not deployment.foreign:
        install(deployment)
    rows_gone(deployment, wallet.id)
    deployment.execute("DELETE FROM strongroom_slot WHERE credential_id = ?", wallet.id)
    remake, made = SqlRescueStore.remake, list[Wallet]()

    def late(store: SqlRescueStore, *args: Any) -> bool:
        if not made:
            made.append(vault_b.create_wallet(project, "ethereum").wallet)
        return remake(store, *args)

    monkeypatch.setattr(SqlRescueStore, "remake", late)
    vault_a.restore(wallet.id)
    assert vault_a.get_wallet(wallet.id).status == "replaced"
    assert vault_a.find_wallet(project, "ethereum") == vault_b.get_wallet(made[0].id)


@pytest.mark.one_server
def test_rows_that_are_gone_are_made_anew_from_record_and_sealed_text(deployment: Deployment, vault_a: Vault) -> None:
    install(deployment)
    project = deployment.project()
    wallet, _ = vault_a.create_wallet(project, "ethereum", label="hot")
    key = key_of(vault_a, wallet)
    rows_gone(deployment, wallet.id)
    with pytest.raises(strongroom.KeyMissingError):
        vault_a.create_wallet(project, "ethereum", label="hot")
    restored, stored = vault_a.restore(wallet.id, actor="operator", reason="the clean-up was wrong")
    assert stored
    assert (restored.id, restored.address, restored.status) == (wallet.id, wallet.address, "active")
    assert vault_a.create_wallet(project, "ethereum", label="hot").wallet.address == wallet.address
    assert key_of(vault_a, wallet) == key
    assert vault_a.restore(wallet.id) == (vault_a.get_wallet(wallet.id), False)
    logged = "SELECT action_details FROM credential_usage_logs WHERE credential_id = ? AND action_type = 'fill'"
    [(details,)] = deployment.execute(logged, wallet.id)
    assert "operator" in str(details)
    deployment.assert_sound()


@pytest.mark.parametrize("how", ["replace_wallet", "revoke_wallet"])
@pytest.mark.one_server
def test_a_retired_wallet_comes_back_retired(core_deployments: Deployment, how: str) -> None:
    install(core_deployments)
    with core_deployments.open() as vault:
        wallet, _ = vault.create_wallet(core_deployments.project(), "solana")
        key = key_of(vault, wallet)
        getattr(vault, how)(wallet)
        status = vault.get_wallet(wallet.id).status
        assert status in ("replaced", "revoked")
        rows_gone(core_deployments, wallet.id)
        assert vault.restore(wallet.id).stored
        assert vault.get_wallet(wallet.id).status == status
        assert key_of(vault, wallet) == key


@pytest.mark.one_server
def test_a_wallet_whose_slot_is_another_ones_by_now_comes_back_as_replaced(core_deployments: Deployment) -> None:
    install(core_deployments)
    with core_deployments.open() as vault:
        project = core_deployments.project()
        wallet, _ = vault.create_wallet(project, "ethereum")
        rows_gone(core_deployments, wallet.id)
        core_deployments.execute("DELETE FROM strongroom_slot WHERE credential_id = ?", wallet.id)
        second, created = vault.create_wallet(project, "ethereum")
        assert created
        assert vault.restore(wallet.id).wallet.status == "replaced"
        assert vault.find_wallet(project, "ethereum") == second
        assert [result.code for result in vault.verify()] == [None, None]


@pytest.mark.one_server
def test_a_slot_that_was_changed_retires_no_wallet_that_comes_back(core_deployments: Deployment) -> None:
    install(core_deployments)
    with core_deployments.open() as vault:
        project = core_deployments.project()
        wallet, _ = vault.create_wallet(project, "ethereum")
        second, _ = vault.create_wallet(project, "ethereum", label="second")
        rows_gone(core_deployments, wallet.id)
        for stranger in (uuid4(), second.id):
            core_deployments.execute(
                "UPDATE strongroom_slot SET credential_id = ? WHERE project_id = ? AND label = 'default'",
                stranger,
                project,
            )
            with pytest.raises(strongroom.IdentityMismatchError):
                vault.restore(wallet.id)
        core_deployments.execute(
            "UPDATE strongroom_slot SET credential_id = ? WHERE project_id = ? AND label = 'default'",
            wallet.id,
            project,
        )
        assert vault.restore(wallet.id).wallet.status == "active"
        assert vault.find_wallet(project, "ethereum") == vault.get_wallet(wallet.id)


@pytest.mark.one_server
def test_rows_whose_record_is_gone_too_are_not_invented_and_the_key_is_revealed(
    deployment: Deployment, vault_a: Vault
) -> None:
    install(deployment)
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    key = key_of(vault_a, wallet)
    rows_gone(deployment, wallet.id)
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    [entry] = vault_a.history(wallet.id).entries
    with pytest.raises(strongroom.WalletNotFoundError) as caught:
        vault_a.restore(wallet.id)
    assert f"strongroom history reveal {entry.id} --reveal" in caught.value.hint
    network, address, shown, *_ = vault_a.reveal_kept(entry.id, **WHO)
    assert (network, address, shown.private_key.reveal_text()) == ("ethereum", wallet.address, key)
    [(details,)] = deployment.execute("SELECT details FROM strongroom_events WHERE event = 'export'")
    assert str(entry.id) in str(details)
    assert str(wallet.id) in str(details)


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("record", [True, False])
@pytest.mark.one_server
def test_of_more_kept_texts_than_a_page_each_is_read_and_the_one_that_opens_is_named(
    core_deployments: Deployment, record: bool
) -> None:
    """The sealed text is the oldest of all; what was kept since opens for nobody."""
    install(core_deployments)
    with core_deployments.open() as vault:
        wallet, _ = vault.create_wallet(core_deployments.project(), "ethereum")
        key = key_of(vault, wallet)
        sealed = core_deployments.texts()[wallet.id]
        for number in range(HISTORY_PAGE + 5):
            put(core_deployments, wallet.id, f"text {number} of the old application")
        rows_gone(core_deployments, wallet.id)
        assert len(kept_of(core_deployments, wallet.id)) > HISTORY_PAGE
        assert kept_of(core_deployments, wallet.id)[0][0] == sealed
        if record:
            assert vault.restore(wallet.id).stored
            assert key_of(vault, wallet) == key
            return
        core_deployments.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
        [(entry,)] = core_deployments.execute("SELECT id FROM strongroom_vault_history WHERE text = ?", sealed)
        with pytest.raises(strongroom.WalletNotFoundError) as caught:
            vault.restore(wallet.id)
        assert f"history reveal {entry} --reveal" in caught.value.hint
        assert key in vault.reveal_kept(str(entry), **WHO).revealed.private_key.reveal_text()


@pytest.mark.one_server
def test_a_record_that_was_changed_makes_no_rows(core_deployments: Deployment) -> None:
    install(core_deployments)
    with core_deployments.open() as vault:
        wallet, _ = vault.create_wallet(core_deployments.project(), "ethereum")
        rows_gone(core_deployments, wallet.id)
        core_deployments.execute("UPDATE strongroom_wallet SET label = 'stolen' WHERE credential_id = ?", wallet.id)
        with pytest.raises(strongroom.WalletNotFoundError):
            vault.restore(wallet.id)
    assert count(core_deployments, "project_credentials", wallet.id) == 0


@pytest.mark.parametrize("deployment", ["g3"], indirect=True)
def test_a_deleted_project_is_put_back_first_by_its_application(deployment: Deployment, vault_a: Vault) -> None:
    install(deployment)
    project = deployment.project()
    wallet, _ = vault_a.create_wallet(project, "ethereum")
    deployment.execute("DELETE FROM credential_usage_logs WHERE credential_id = ?", wallet.id)
    deployment.execute("DELETE FROM projects WHERE id = ?", project)
    assert count(deployment, "project_credentials", wallet.id) == 0
    with pytest.raises(strongroom.StoreRefusedError) as caught:
        vault_a.restore(wallet.id)
    assert "history reveal" in caught.value.hint
    deployment.execute("INSERT INTO projects (id, name) VALUES (?, 'again')", project)
    assert vault_a.restore(wallet.id).stored
    deployment.assert_sound()


@pytest.mark.parametrize("deployment", ["fresh", "g4"], indirect=True)
@pytest.mark.one_server
def test_of_many_who_make_the_same_rows_anew_one_does(deployment: Deployment, vault_a: Vault, vault_b: Vault) -> None:
    install(deployment)
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    for _ in range(3):
        rows_gone(deployment, wallet.id)
        results = at_once([partial(vault.restore, wallet.id) for vault in (vault_a, vault_b) * 4])
        assert {result.wallet.id for result in results} == {wallet.id}
        assert (
            count(deployment, "project_credentials", wallet.id),
            count(deployment, "credential_vault_storage", wallet.id),
        ) == (
            1,
            1,
        )
    deployment.assert_sound()


# --- a text that was overwritten -----------------------------------------------------------------------------


@pytest.fixture
def overwritten(deployment: Deployment, vault_a: Vault) -> tuple[Wallet, str]:
    """A wallet whose sealed text the legacy application overwrote in archive mode, and its key."""
    install(deployment)
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum", label="hot")
    return wallet, key_of(vault_a, wallet)


@pytest.mark.parametrize("text", [OTHER_KEY, FOREIGN_TEXT])
@pytest.mark.one_server
def test_a_person_puts_the_key_back_and_the_stored_text_is_archived(
    deployment: Deployment, vault_a: Vault, overwritten: tuple[Wallet, str], text: str
) -> None:
    wallet, key = overwritten
    put(deployment, wallet.id, text)
    with pytest.raises(strongroom.KeyConflictError) as caught:
        vault_a.restore(wallet.id)
    assert f"strongroom history restore {wallet.id} --archive-current" in caught.value.hint
    assert deployment.texts()[wallet.id] == text
    assert vault_a.restore(wallet.id, archive_current=True, actor="operator", reason="a retry overwrote it").stored
    assert key_of(vault_a, wallet) == key
    kept = kept_of(deployment, wallet.id)
    if text == OTHER_KEY:
        assert OTHER_KEY not in str(kept), "a key in plaintext is archived sealed"
        assert [form for _, form, address in kept if address == OTHER_ADDRESS] == ["sealed"]
        [entry] = [each for each in vault_a.history(wallet.id).entries if each.address == OTHER_ADDRESS]
        assert OTHER_KEY in vault_a.reveal_kept(entry.id, **WHO).revealed.private_key.reveal_text()
    else:
        assert text not in str(kept), "what no key is read from is archived sealed, too"
        [entry] = [each for each in vault_a.history(wallet.id).entries if each.reason == "archive"]
        assert vault_a.reveal_kept_text(entry.id, **WHO).text.reveal_text() == text
    assert vault_a.restore(wallet.id, archive_current=True) == (vault_a.get_wallet(wallet.id), False)
    deployment.assert_sound()


@pytest.mark.one_server
def test_who_overwrites_while_the_key_is_put_back_loses_nothing(core_deployments: Deployment) -> None:
    install(core_deployments)
    with core_deployments.open() as vault:
        wallet, _ = vault.create_wallet(core_deployments.project(), "ethereum")
        sealed = core_deployments.texts()[wallet.id]
        put(core_deployments, wallet.id, "first text of the old application")
        calls: list[Callable[[], object]] = [
            partial(vault.restore, wallet.id, archive_current=True),
            partial(put, core_deployments, wallet.id, "second text of the old application"),
            partial(vault.restore, wallet.id, archive_current=True),
        ]
        at_once(calls)
        vault_b = {text for text, *_ in kept_of(core_deployments, wallet.id)} | {core_deployments.texts()[wallet.id]}
        archived = [each.id for each in vault.history(wallet.id).entries if each.reason == "archive"]
        vault_b |= {vault.reveal_kept_text(each, **WHO).text.reveal_text() for each in archived}
        assert vault_b >= {sealed, "first text of the old application", "second text of the old application"}


# --- a key of another address --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["archive", "refuse"])
@pytest.mark.one_server
def test_a_key_of_another_address_goes_into_the_history(deployment: Deployment, vault_a: Vault, mode: str) -> None:
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    put(deployment, wallet.id, OTHER_KEY)
    install(deployment, mode)
    addresses, made = vault_a.move_key(wallet.id, to="history", actor="operator", reason="of another wallet")
    assert (addresses, made) == ((OTHER_ADDRESS,), None)
    assert deployment.texts()[wallet.id] == EMPTIED
    assert OTHER_KEY not in str(kept_of(deployment, wallet.id))
    [entry, *_] = [each for each in vault_a.history(wallet.id).entries if each.address == OTHER_ADDRESS]
    assert OTHER_KEY in vault_a.reveal_kept(entry.id, **WHO).revealed.private_key.reveal_text()
    with pytest.raises(strongroom.KeyMissingError):
        vault_a.move_key(wallet.id, to="history")


def test_a_key_of_another_address_becomes_a_wallet_of_its_own(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    wallet, _ = vault_a.create_wallet(project, "ethereum")
    put(deployment, wallet.id, OTHER_KEY)
    with pytest.raises(strongroom.KeyConflictError):
        vault_a.move_key(wallet.id, to="wallet", label="default")
    assert deployment.texts()[wallet.id] == OTHER_KEY, "nothing was changed"
    addresses, made = vault_a.move_key(wallet.id, to="wallet", label="found")
    assert made is not None
    assert (addresses, made.address) == ((OTHER_ADDRESS,), OTHER_ADDRESS)
    assert vault_a.find_wallet(project, "ethereum", "found") == vault_a.get_wallet(made.id)
    assert OTHER_KEY in key_of(vault_a, made)
    assert deployment.texts()[wallet.id] == EMPTIED
    assert OTHER_KEY not in str(kept_of(deployment, wallet.id))


ODD_PATH = "m/44'/60'/77'/1/5"
"""Which no wallet uses."""


@pytest.mark.parametrize("to", ["history", "wallet"])
def test_a_wallet_out_of_which_a_key_was_moved_takes_its_own(request: pytest.FixtureRequest, to: str) -> None:
    own, another = "31" * 32, "32" * 32
    with open_deployment("g4", request) as deployment, deployment.open() as vault:
        wallet = add_wallet(
            deployment.url, address_of("ethereum", own), another, project_id=deployment.project(), network="ethereum"
        )
        vault.move_key(wallet, to=to, label="found" if to == "wallet" else None)
        assert vault.store_key(wallet, private_key=own).stored
        assert vault.get_wallet(wallet).proved
        assert vault.revoke_wallet(wallet).status == "revoked"


def test_a_phrase_is_moved_and_revealed_at_the_path_that_a_person_names(core_deployments: Deployment) -> None:
    Account.enable_unaudited_hdwallet_features()
    address = Account.from_mnemonic(PHRASE, account_path=ODD_PATH).address
    with core_deployments.open() as vault:
        wallet, _ = vault.create_wallet(core_deployments.project(), "ethereum")
        put(core_deployments, wallet.id, PHRASE)
        record = core_deployments.execute("SELECT id FROM credential_vault_storage WHERE credential_id = ?", wallet.id)[
            0
        ][0]
        for call in (partial(vault.reveal_kept, record, **WHO), partial(vault.move_key, wallet.id, to="history")):
            with pytest.raises(strongroom.InvalidPathError):
                call(path="m/../0")
        assert core_deployments.texts()[wallet.id] == PHRASE
        shown = vault.reveal_kept(record, path=ODD_PATH, **WHO)
        assert (shown.address, shown.revealed.path) == (address, ODD_PATH)
        made = vault.move_key(wallet.id, to="wallet", label="odd", path=ODD_PATH).wallet
        assert made is not None
        assert (made.address, made.path) == (address, ODD_PATH)
        assert [result.code for result in vault.verify(made.id)] == [None]


def test_a_wallets_own_phrase_at_an_odd_path_is_not_moved(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        wallet, _ = vault.import_wallet(core_deployments.project(), "ethereum", mnemonic=PHRASE, path=ODD_PATH)
        put(core_deployments, wallet.id, PHRASE)
        with pytest.raises(strongroom.KeyMissingError):
            vault.move_key(wallet.id, to="history", path=ODD_PATH)
        record = core_deployments.execute("SELECT id FROM credential_vault_storage WHERE credential_id = ?", wallet.id)[
            0
        ][0]
        assert vault.reveal_kept(record, path=ODD_PATH, **WHO).address == wallet.address


def test_the_wallets_own_key_is_never_taken_out(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        wallet, _ = vault.import_wallet(core_deployments.project(), "ethereum", private_key=OTHER_KEY)
        put(core_deployments, wallet.id, OTHER_KEY)
        with pytest.raises(strongroom.KeyMissingError):
            vault.move_key(wallet.id, to="history")
        assert core_deployments.texts()[wallet.id] == OTHER_KEY


def test_of_two_who_move_one_key_one_does(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault_a, core_deployments.open() as vault_b:
        wallet, _ = vault_a.create_wallet(core_deployments.project(), "ethereum")
        put(core_deployments, wallet.id, OTHER_KEY)

        def move(vault: Vault, label: str) -> str:
            try:
                made = vault.move_key(wallet.id, to="wallet", label=label).wallet
            except strongroom.StrongroomError as error:
                return str(error.code)
            return "" if made is None else str(made.label)

        outcomes = at_once([partial(move, vault_a, "one"), partial(move, vault_b, "two")])
        assert sorted(outcomes)[0] == "key-missing"
        assert core_deployments.execute(
            "SELECT count(*) FROM project_credentials WHERE wallet_address = ?", OTHER_ADDRESS
        ) == [(1,)]


# --- a process that dies in between --------------------------------------------------------------------------


@pytest.mark.thorough(sample=1)
@pytest.mark.parametrize("verb", ["remake", "archive", "move"])
def test_a_process_that_dies_leaves_the_old_rows_or_the_new_ones(
    request: pytest.FixtureRequest, fork_server: ForkServer, verb: str
) -> None:
    with open_deployment("g4", request) as deployment, deployment.open() as vault:
        install(deployment)

        def run(boundary: int) -> tuple[Wallet, ChildReport]:
            wallet, _ = vault.create_wallet(deployment.project(), "ethereum")
            if verb == "remake":
                rows_gone(deployment, wallet.id)
            else:
                put(deployment, wallet.id, OTHER_KEY)
            arguments = {"url": deployment.url, "root_key": deployment.root_key, "wallet": str(wallet.id), "verb": verb}
            return wallet, run_stopped(fork_server, rescue.rescue, boundary, arguments)

        _, whole = run(1000)
        commit = next(number for number, name in enumerate(whole.names, 1) if name == "before COMMIT")
        for boundary in (commit - 4, commit, commit + 1):  # in the middle of the writes, before and after the commit
            wallet, report = run(boundary)
            assert report.stopped
            done = boundary > commit
            rows = (
                count(deployment, "project_credentials", wallet.id),
                count(deployment, "credential_vault_storage", wallet.id),
            )
            assert rows == ((0, 0) if verb == "remake" and not done else (1, 1))
            if verb == "move":
                sealed = OTHER_ADDRESS in str(kept_of(deployment, wallet.id))
                assert (deployment.texts()[wallet.id], sealed) == (EMPTIED, True) if done else (OTHER_KEY, False)
                assert done or vault.move_key(wallet.id, to="history").addresses == (OTHER_ADDRESS,)
                continue
            assert vault.restore(wallet.id, archive_current=True).stored is not done
            assert [result.code for result in vault.verify(wallet.id)] == [None]


def test_an_unknown_id_is_an_unknown_id(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        with pytest.raises(strongroom.WalletNotFoundError):
            vault.restore(uuid4())
        with pytest.raises(strongroom.WalletNotFoundError):
            vault.reveal_kept(uuid4(), **WHO)
        with pytest.raises(strongroom.WalletNotFoundError):
            vault.move_key(uuid4(), to="history")


# --- a text that holds more than one key ------------------------------------------------------------------------------

SECOND_KEY = "6b" * 32
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
SEVERAL = (
    {"evm_private_key": OTHER_KEY, "sol_private_key": SECOND_KEY},
    {"mnemonic": PHRASE, "passphrase": "TREZOR", "path": "m/44'/60'/0'/0/0"},
    {"private_key": OTHER_KEY, "seed": "in a form that nobody reads"},
    {"private_key": OTHER_KEY, "wallets": [{"private_key": SECOND_KEY}]},
    {"private_key": OTHER_KEY, "address_2": SECOND_KEY},
    {"private_key": OTHER_KEY, "note": "what nobody reads, and could be a key"},
)


@pytest.mark.one_server
def test_a_text_that_holds_more_than_one_key_is_not_moved(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        wallet, _ = vault.create_wallet(core_deployments.project(), "ethereum")
        install(core_deployments)
        for members in SEVERAL:
            text = json.dumps(members)
            put(core_deployments, wallet.id, text)
            before = kept_of(core_deployments, wallet.id)
            for call in (
                partial(vault.move_key, wallet.id, to="history"),
                partial(vault.move_key, wallet.id, to="wallet", label="new"),
            ):
                with pytest.raises(strongroom.KeyConflictError, match="holds more than the one key") as refused:
                    call()
                assert "history restore" in refused.value.hint
            assert core_deployments.texts()[wallet.id] == text
            assert kept_of(core_deployments, wallet.id) == before
        put(core_deployments, wallet.id, json.dumps({"private_key": OTHER_KEY, "passphrase": "", "path": "m/0"}))
        assert vault.move_key(wallet.id, to="history").addresses == (OTHER_ADDRESS,)


@pytest.mark.one_server
def test_a_text_that_holds_more_than_one_key_is_archived_sealed_as_it_is(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        wallet, _ = vault.create_wallet(core_deployments.project(), "ethereum")
        key = key_of(vault, wallet)
        install(core_deployments)
        for members in (*SEVERAL, {"private_key": key, "sol_private_key": SECOND_KEY}, {"evm": key, "sol": SECOND_KEY}):
            text = json.dumps(members)
            calls: list[Callable[[], object]] = [
                partial(vault.restore, wallet.id, archive_current=True),
                partial(vault.store_key, wallet.id, private_key=key, archive_current=True),
            ]
            for call in calls:
                put(core_deployments, wallet.id, text)
                known = {entry.id for entry in vault.history(wallet.id, limit=1000).entries}
                call()
                assert [each.code for each in vault.verify(wallet.id)] == [None]
                added = [each for each in vault.history(wallet.id, limit=1000).entries if each.id not in known]
                assert SECOND_KEY not in str(added)
                assert OTHER_KEY not in str(added)
                texts = []
                for entry in added:
                    with suppress(strongroom.StrongroomError):
                        texts.append(vault.reveal_kept_text(entry.id, **WHO).text.reveal_text())
                assert text in texts


@pytest.mark.thorough(sample=1)
@pytest.mark.one_server
def test_doctor_names_no_command_that_refuses_a_text_of_several_keys(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        wallet, _ = vault.create_wallet(core_deployments.project(), "ethereum")
        key = key_of(vault, wallet)
        install(core_deployments)
        for first in (OTHER_KEY, key):
            put(core_deployments, wallet.id, json.dumps({"private_key": first, "sol_private_key": SECOND_KEY}))
            answer = document(core_deployments.url, "--root-key", core_deployments.root_key)["findings"]
            found = [each for each in answer if each["code"] in ("encoded-key", "address-mismatch")]
            assert found
            for each in found:
                back = f"strongroom history restore {wallet.id} --archive-current"
                assert (each["repair"], each["command"]) == ("ask", back)
            revealed = vault.reveal_kept(UUID(found[0]["row"]), **WHO).revealed
            assert first in revealed.private_key.reveal_text()
            assert (
                core_deployments.texts()[wallet.id] == vault.reveal_kept_text(found[0]["row"], **WHO).text.reveal_text()
            )
