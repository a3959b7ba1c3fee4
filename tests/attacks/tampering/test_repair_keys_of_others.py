"""Texts that only an operator's password opens, copied into rows of another project: no repair gives it their keys."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom import Wallet
from strongroom.records.register import KeyHolder
from strongroom.store.register_store import SqlRegisterStore
from strongroom.takeover.doctor.in_history import OF_ANOTHER
from strongroom.takeover.repair import asked_again
from strongroom.takeover.repair.asked_again import PATIENCE
from strongroom.usecases import keys_of_others
from strongroom.usecases.keys_of_others import KeysOfOthers
from testbed.databases.attacked import WHO, Attacked, units
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.foreign import address_of
from testbed.databases.guards import put
from testbed.defects.locked import envelope_text
from testbed.processes.wallets import PHRASE

KEY = "5d" * 32
ADDRESS = address_of("ethereum", KEY)
PASSWORD = "an operator's password"
ENVELOPE = envelope_text(KEY, PASSWORD, bytes(16), bytes(16))
OPENED = ("--legacy-password-stdin",)


@pytest.fixture(params=["g2", "g3", "g4"])
def attacked(request: pytest.FixtureRequest, private_path: Path) -> Iterator[Attacked]:
    with open_deployment(request.param, request) as deployment:
        yield Attacked(deployment, private_path)


@pytest.fixture
def one_deployment(request: pytest.FixtureRequest, private_path: Path) -> Iterator[Attacked]:
    with open_deployment(getattr(request, "param", "g3"), request) as deployment:
        yield Attacked(deployment, private_path)


def theirs_of(deployment: Deployment) -> Wallet:
    """A wallet of another project, with a record that proves it."""
    with deployment.open() as vault:
        return vault.import_wallet(deployment.project(), "ethereum", private_key=KEY).wallet


def planned(attacked: Attacked) -> Path:
    return attacked.plan(*OPENED, stdin=PASSWORD.encode())


def carried_out(attacked: Attacked, plan: Path) -> None:
    attacked.apply(plan, *OPENED, stdin=PASSWORD.encode())


def plant(attacked: Attacked, project: UUID, where: str = "record", text: str = ENVELOPE, at: str = ADDRESS) -> UUID:
    """A row of a project that states an address, and a copied text where repair looks for its key."""
    metadata = json.dumps({"private_key": text}) if where == "metadata" else "{}"
    wallet = attacked.credential(project, at, kind="ethereum_wallet:x", metadata=metadata)
    attacked.record(wallet, text if where == "record" else "MIGRATION_REQUIRED", project)
    if where == "history":
        attacked.entry(wallet, text, project, at, "foreign")
    return wallet


def assert_left_to_people(plan: Path, wallet: UUID) -> None:
    assert not [each for each in units(plan).get(str(wallet), []) if each["do"] in ("fill", "seal", "move")]
    left = [each for each in json.loads(plan.read_text())["left_to_people"] if each["credential_id"] == str(wallet)]
    assert left, "it is left to people, and they are told"


def without_text(deployment: Deployment, theirs: Wallet) -> None:
    put(deployment, theirs.id, "MIGRATION_REQUIRED")
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", theirs.id)


def without_rows(deployment: Deployment, theirs: Wallet) -> None:
    for table in ("credential_vault_storage", "credential_usage_logs", "strongroom_vault_history", "strongroom_slot"):
        deployment.execute(f"DELETE FROM {table} WHERE credential_id = ?", theirs.id)
    deployment.execute("DELETE FROM project_credentials WHERE id = ?", theirs.id)


def with_another_address(deployment: Deployment, theirs: Wallet) -> None:
    without_text(deployment, theirs)
    altered = "UPDATE project_credentials SET wallet_address = 'x', public_key = 'x' WHERE id = ?"
    deployment.execute(altered, theirs.id)


def with_a_flipped_character(deployment: Deployment, theirs: Wallet) -> None:
    text = deployment.texts()[theirs.id]
    put(deployment, theirs.id, text[:-1] + ("A" if text[-1] != "A" else "Q"))
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", theirs.id)


def intact(_: Deployment, __: Wallet) -> None:
    """Nothing is changed."""


HIDING = [intact, without_text, without_rows, with_another_address, with_a_flipped_character]


@pytest.mark.parametrize("where", ["record", "history", "metadata"])
@pytest.mark.parametrize("hide", HIDING)
def test_an_old_envelope_of_a_recorded_wallet_is_sealed_for_no_other_project(
    one_deployment: Attacked, hide: Callable[[Deployment, Wallet], None], where: str
) -> None:
    """Its record says whose the key is, whatever doctor could open of its other rows."""
    attacked = one_deployment
    theirs, project = theirs_of(attacked.deployment), attacked.deployment.project()
    hide(attacked.deployment, theirs)
    planted = plant(attacked, project, where)
    plan = planned(attacked)
    assert_left_to_people(plan, planted)
    carried_out(attacked, plan)
    attacked.assert_keyless(planted)


def test_what_was_hidden_while_a_plan_was_made_is_seen_when_it_is_carried_out(attacked: Attacked) -> None:
    """Record and rows are gone for as long as the planning takes, so that the plan offers to seal the envelope."""
    deployment = attacked.deployment
    theirs, project = theirs_of(deployment), deployment.project()
    text = deployment.texts()[theirs.id]
    hidden = ("strongroom_vault_history", "strongroom_wallet")
    for table in hidden:
        deployment.execute(f"CREATE TABLE hidden_{table} AS SELECT * FROM {table} WHERE credential_id = ?", theirs.id)
        deployment.execute(f"DELETE FROM {table} WHERE credential_id = ?", theirs.id)
    put(deployment, theirs.id, "MIGRATION_REQUIRED")
    stated = deployment.execute("SELECT wallet_address, public_key FROM project_credentials WHERE id = ?", theirs.id)
    deployment.execute("UPDATE project_credentials SET wallet_address = 'x', public_key = 'x' WHERE id = ?", theirs.id)
    planted = plant(attacked, project)
    plan = planned(attacked)
    assert units(plan)[str(planted)], "else this test shows nothing"
    for table in hidden:
        deployment.execute(f"INSERT INTO {table} SELECT * FROM hidden_{table}")
        deployment.execute(f"DROP TABLE hidden_{table}")
    put(deployment, theirs.id, text)
    deployment.execute(
        "UPDATE project_credentials SET wallet_address = ?, public_key = ? WHERE id = ?", *stated[0], theirs.id
    )
    carried_out(attacked, plan)
    attacked.assert_keyless(planted)
    with deployment.open() as vault:
        assert vault.sign_message(theirs.id, b"hello"), "the other project's wallet is whole"


@pytest.mark.parametrize("hide", [intact, without_text])
def test_a_phrase_is_sealed_for_no_project_that_states_another_address_of_it(
    one_deployment: Attacked, hide: Callable[[Deployment, Wallet], None]
) -> None:
    attacked, deployment = one_deployment, one_deployment.deployment
    with deployment.open() as vault:
        theirs = vault.import_wallet(deployment.project(), "ethereum", mnemonic=PHRASE).wallet
        path = "m/44'/60'/0'/0/5"
        at = vault.import_wallet(deployment.project(), "ethereum", mnemonic=PHRASE, path=path).wallet
    without_rows(deployment, at)
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", at.id)
    hide(deployment, theirs)
    envelope = envelope_text(PHRASE, PASSWORD, bytes(16), bytes(16))
    planted = plant(attacked, deployment.project(), text=envelope, at=at.address)
    plan = planned(attacked)
    assert_left_to_people(plan, planted)
    carried_out(attacked, plan)
    attacked.assert_keyless(planted)


@pytest.mark.parametrize("hide", [intact, without_text])
def test_an_entry_of_a_wallet_that_is_gone_is_not_sealed_for_another_project(
    one_deployment: Attacked, hide: Callable[[Deployment, Wallet], None]
) -> None:
    attacked, deployment = one_deployment, one_deployment.deployment
    theirs, project, gone = theirs_of(deployment), deployment.project(), uuid4()
    hide(deployment, theirs)
    attacked.entry(gone, ENVELOPE, project, ADDRESS, "foreign")
    plan = planned(attacked)
    assert_left_to_people(plan, gone)
    carried_out(attacked, plan)
    kept = deployment.execute("SELECT form FROM strongroom_vault_history WHERE credential_id = ?", gone)
    assert kept == [("foreign",)]


def test_doctor_tells_that_the_key_of_an_envelope_is_another_projects(one_deployment: Attacked) -> None:
    attacked = one_deployment
    theirs = theirs_of(attacked.deployment)
    planted = plant(attacked, attacked.deployment.project())
    found = attacked.doctor(*OPENED, stdin=PASSWORD.encode())
    told = [each for each in found if each["credential_id"] == str(planted) and each["code"] == "legacy-envelope"]
    assert [(each["repair"], each["automatic"]) for each in told] == [("ask", False)]
    assert OF_ANOTHER in told[0]["evidence"]
    assert str(theirs.id) in told[0]["command"]


def test_a_recorded_wallet_gets_its_own_key_back_whatever_another_projects_row_states(attacked: Attacked) -> None:
    """Planting a row keeps no key from the wallet that was proved to have it."""
    deployment = attacked.deployment
    theirs = theirs_of(deployment)
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", theirs.id)
    put(deployment, theirs.id, ENVELOPE)
    attacked.credential(deployment.project(), ADDRESS, kind="ethereum_wallet:x")
    carried_out(attacked, planned(attacked))
    with deployment.open() as vault:
        assert KEY in vault.reveal(theirs.id, **WHO).private_key.reveal_text()


@pytest.mark.parametrize("number", [3, 70])
def test_any_number_of_wallets_of_one_phrase_is_sealed_in_its_own_project(
    one_deployment: Attacked, number: int
) -> None:
    attacked, deployment = one_deployment, one_deployment.deployment
    project = deployment.project()
    envelope = envelope_text(PHRASE, PASSWORD, bytes(16), bytes(16))
    with deployment.open() as vault:
        for each in range(number):
            path = f"m/44'/60'/0'/0/{each}"
            vault.import_wallet(project, "ethereum", mnemonic=PHRASE, path=path, label=f"l{each}")
    deployment.execute("DELETE FROM strongroom_vault_history")
    deployment.execute("UPDATE credential_vault_storage SET encrypted_private_key = ?", envelope)
    paths = [option for each in range(number) for option in ("--path", f"m/44'/60'/0'/0/{each}")]
    plan = attacked.plan(*OPENED, *paths, stdin=PASSWORD.encode())
    attacked.apply(plan, *OPENED, *paths, stdin=PASSWORD.encode())
    with deployment.open() as vault:
        assert [result.ok for result in vault.verify()] == [True] * number


@pytest.mark.parametrize("slot", ["deleted", "kept"])
@pytest.mark.parametrize("text", [ENVELOPE, KEY], ids=["envelope", "plaintext"])
@pytest.mark.parametrize("stated", ["as it was", "another address"])
def test_a_record_says_whose_the_text_of_a_row_is_that_was_moved(
    attacked: Attacked, slot: str, text: str, stated: str
) -> None:
    """A row of the other project asks for the key that is stored in it: the row that was moved there has it."""
    deployment = attacked.deployment
    theirs, project = theirs_of(deployment), deployment.project()
    put(deployment, theirs.id, text)
    moved = "UPDATE project_credentials SET project_id = ?, credential_type = 'zz' WHERE id = ?"
    deployment.execute(moved, project, theirs.id)
    if slot == "deleted":
        deployment.execute("DELETE FROM strongroom_slot WHERE credential_id = ?", theirs.id)
    if stated == "another address":
        altered = (
            "UPDATE project_credentials SET wallet_address = 'x', public_key = 'y', network = 'solana' WHERE id = ?"
        )
        deployment.execute(altered, theirs.id)
    planted = attacked.credential(project, ADDRESS, kind="ethereum_wallet:x")
    if deployment.backend != "g4":  # whose trigger writes it
        attacked.record(planted, "MIGRATION_REQUIRED", project)
    carried_out(attacked, planned(attacked))
    attacked.assert_keyless(planted)


def test_a_wallet_that_its_slot_says_is_anothers_is_so_where_its_record_was_made_of_its_row(
    one_deployment: Attacked,
) -> None:
    """A record of a key that nothing proved says no more than the row did."""
    attacked, deployment = one_deployment, one_deployment.deployment
    project, other = deployment.project(), deployment.project()
    adopted = attacked.credential(project, ADDRESS, kind="ethereum_wallet")
    attacked.record(adopted, ENVELOPE, project)
    with deployment.open() as vault:
        assert vault.create_wallet(project, "ethereum").wallet.id == adopted
    deployment.execute("UPDATE project_credentials SET project_id = ? WHERE id = ?", other, adopted)
    planted = attacked.credential(other, ADDRESS, kind="ethereum_wallet:x")
    attacked.record(planted, "MIGRATION_REQUIRED", other)
    carried_out(attacked, planned(attacked))
    attacked.assert_keyless(planted)
    with deployment.open() as vault, pytest.raises(strongroom.StrongroomError):
        vault.sign_message(adopted, b"hello")


@pytest.mark.parametrize("sealed", ["copy of another wallet's", "no sealed text at all"])
def test_a_slot_says_whose_a_moved_wallet_is_whatever_text_is_stored_with_it(
    one_deployment: Attacked, sealed: str
) -> None:
    attacked, deployment = one_deployment, one_deployment.deployment
    theirs, project = theirs_of(deployment), deployment.project()
    with deployment.open() as vault:
        mine = vault.create_wallet(project, "ethereum", label="m").wallet
    put(deployment, theirs.id, deployment.texts()[mine.id] if sealed.startswith("copy") else "eyJraWQiOi-x")
    for table in ("strongroom_vault_history", "strongroom_wallet"):
        deployment.execute(f"DELETE FROM {table} WHERE credential_id = ?", theirs.id)
    moved = "UPDATE project_credentials SET project_id = ?, credential_type = 'zz' WHERE id = ?"
    deployment.execute(moved, project, theirs.id)
    planted = plant(attacked, project)
    plan = planned(attacked)
    assert_left_to_people(plan, planted)
    carried_out(attacked, plan)
    attacked.assert_keyless(planted)


EDITED = (
    "UPDATE strongroom_wallet SET address = 'x', public_key = 'x' WHERE credential_id = ?",
    "UPDATE project_credentials SET wallet_address = 'x', public_key = 'x' WHERE id = ?",
)


def test_a_sealed_text_that_was_away_for_the_plan_is_asked_when_it_is_carried_out(one_deployment: Attacked) -> None:
    """With the text there, doctor's comparison of opened keys leaves the envelope to people when the plan is made."""
    attacked, deployment = one_deployment, one_deployment.deployment
    theirs, project = theirs_of(deployment), deployment.project()
    text = deployment.texts()[theirs.id]
    for edit in EDITED:
        deployment.execute(edit, theirs.id)
    without_text(deployment, theirs)
    planted = plant(attacked, project)
    plan = planned(attacked)
    assert units(plan)[str(planted)], "else this test shows nothing"
    put(deployment, theirs.id, text)
    carried_out(attacked, plan)
    attacked.assert_keyless(planted)


@pytest.mark.parametrize("record", ["path = 'm/1'", "gone"])
def test_nor_is_a_phrase_sealed_whose_record_says_another_path_by_then(one_deployment: Attacked, record: str) -> None:
    attacked, deployment = one_deployment, one_deployment.deployment
    project = deployment.project()
    with deployment.open() as vault:
        path = "m/44'/60'/0'/0/777"
        theirs = vault.import_wallet(deployment.project(), "ethereum", mnemonic=PHRASE, path=path).wallet
        at = vault.import_wallet(project, "ethereum", mnemonic=PHRASE, path="m/44'/60'/0'/0/5").wallet
    without_rows(deployment, at)
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", at.id)
    text = deployment.texts()[theirs.id]
    put(deployment, theirs.id, "MIGRATION_REQUIRED")
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", theirs.id)
    if record == "gone":
        deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", theirs.id)
    else:
        deployment.execute(f"UPDATE strongroom_wallet SET {record} WHERE credential_id = ?", theirs.id)
    envelope = envelope_text(PHRASE, PASSWORD, bytes(16), bytes(16))
    planted = plant(attacked, project, text=envelope, at=at.address)
    plan = planned(attacked)
    put(deployment, theirs.id, text)
    carried_out(attacked, plan)
    attacked.assert_keyless(planted)


def held_up(attacked: Attacked, plan: Path, wallet: UUID, lock: str, meanwhile: Callable[[], object]) -> None:
    """Carry a plan out while somebody holds a lock that it waits for."""
    with psycopg.connect(attacked.deployment.url) as holder:
        holder.execute(lock, [wallet] if "%s" in lock else None)
        thread = threading.Thread(target=carried_out, args=(attacked, plan))
        thread.start()
        with psycopg.connect(attacked.deployment.url, autocommit=True) as watcher:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            while watcher.execute(waiting).fetchone() == (0,):
                assert thread.is_alive()
                time.sleep(0.05)
        time.sleep(PATIENCE + 0.2)
        meanwhile()
        holder.rollback()
        thread.join(60)
    assert not thread.is_alive()


ROW = "SELECT 1 FROM project_credentials WHERE id = %s FOR UPDATE"
HISTORY = "LOCK TABLE strongroom_vault_history IN EXCLUSIVE MODE"


@pytest.mark.parametrize("lock", [ROW, HISTORY], ids=["row", "history"])
@pytest.mark.parametrize("what", ["revoked", "there again", "nothing"])
def test_who_holds_a_lock_does_not_choose_how_old_an_answer_is(
    one_deployment: Attacked, what: str, lock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another project's wallet is there again, or a person revokes the one that has the key, while a repair waits."""
    monkeypatch.setattr(asked_again, "_LONGEST", PATIENCE)  # of the writing itself, so that this test is short
    attacked, deployment = one_deployment, one_deployment.deployment
    theirs = theirs_of(deployment)
    project = theirs.project_id if what == "revoked" else deployment.project()
    text = deployment.texts()[theirs.id]
    if what != "revoked":
        deployment.execute("CREATE TABLE r AS SELECT * FROM strongroom_wallet WHERE credential_id = ?", theirs.id)
        deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", theirs.id)
        deployment.execute(EDITED[1], theirs.id)
        without_text(deployment, theirs)
    planted = plant(attacked, project)
    plan = planned(attacked)

    def meanwhile() -> None:
        if what == "revoked":
            with deployment.open() as vault:
                vault.revoke_wallet(theirs)
        elif what == "there again":
            deployment.execute("INSERT INTO strongroom_wallet SELECT * FROM r")
            stated = (theirs.address, theirs.public_key, theirs.id)
            deployment.execute("UPDATE project_credentials SET wallet_address=?, public_key=? WHERE id=?", *stated)

    held_up(attacked, plan, planted, lock, meanwhile)
    if what == "nothing":
        with deployment.open() as vault:
            assert vault.verify(planted)
            assert vault.reveal(planted, **WHO), "a wait alone stops no repair"
        return
    if what == "there again":
        put(deployment, theirs.id, text)
    attacked.assert_keyless(planted)


def test_an_entry_of_a_wallet_that_is_gone_is_asked_about_again_under_the_lock(one_deployment: Attacked) -> None:
    attacked, deployment = one_deployment, one_deployment.deployment
    theirs, project, gone = theirs_of(deployment), deployment.project(), uuid4()
    deployment.execute("CREATE TABLE r AS SELECT * FROM strongroom_wallet WHERE credential_id = ?", theirs.id)
    without_rows(deployment, theirs)
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", theirs.id)
    attacked.entry(gone, ENVELOPE, project, ADDRESS, "foreign")
    plan = planned(attacked)
    assert units(plan)[str(gone)], "else this test shows nothing"
    lock = "SELECT 1 FROM strongroom_vault_history WHERE credential_id = %s FOR UPDATE"
    back = "INSERT INTO strongroom_wallet SELECT * FROM r"
    held_up(attacked, plan, gone, lock, lambda: deployment.execute(back))
    kept = deployment.execute("SELECT form FROM strongroom_vault_history WHERE credential_id = ?", gone)
    assert kept == [("foreign",)]


def test_a_recorded_wallet_whose_row_writes_its_address_otherwise_gets_its_own_key_back(
    one_deployment: Attacked,
) -> None:
    """Its record has the address as the row writes it, and is proved by the key all the same."""
    attacked, deployment = one_deployment, one_deployment.deployment
    mine = plant(attacked, deployment.project(), at=ADDRESS.lower())
    carried_out(attacked, planned(attacked))
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", mine)
    put(deployment, mine, ENVELOPE)
    attacked.credential(deployment.project(), ADDRESS, kind="ethereum_wallet:x")
    carried_out(attacked, planned(attacked))
    with deployment.open() as vault:
        assert KEY in vault.reveal(mine, **WHO).private_key.reveal_text()


def test_keys_are_sealed_however_long_the_tables_take_to_be_read(
    one_deployment: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer holds from when it was given: else of rows that take long to be read no key is ever sealed."""
    attacked, deployment = one_deployment, one_deployment.deployment
    monkeypatch.setattr(asked_again, "PATIENCE", 1.0)
    monkeypatch.setattr(asked_again, "_LONGEST", 2.0)
    planted = plant(attacked, deployment.project())
    plan = planned(attacked)
    read, times = KeysOfOthers._read, list[float]()

    def slowly(keys: KeysOfOthers) -> set[bytes]:
        times.append(time.monotonic())
        time.sleep(2.5)
        return read(keys)

    monkeypatch.setattr(KeysOfOthers, "_read", slowly)
    carried_out(attacked, plan)
    assert len(times) == 1
    with deployment.open() as vault:
        vault.sign_message(planted, b"hello")


@pytest.mark.parametrize("where", ["record", "history"])
def test_doctor_reads_the_tables_once_for_all_commands_that_it_asks_about(
    one_deployment: Attacked, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each verb by itself reads them whole: as many rows as somebody plants would cost their square."""
    attacked, project = one_deployment, one_deployment.deployment.project()
    monkeypatch.setattr(keys_of_others, "_AGE", 1e9)
    for number in range(1, 7):
        own, others = f"{number:064x}", f"{number + 100:064x}"
        wallet = attacked.credential(project, address_of("ethereum", own), kind=f"ethereum_wallet:x{number}")
        attacked.record(wallet, others if where == "record" else "not a key", project)
        if where == "history":
            attacked.entry(wallet, own, project, address_of("ethereum", own), "foreign")
    stream, times = SqlRegisterStore.stream_key_holders, list[int]()

    def counted(store: SqlRegisterStore) -> Iterator[list[KeyHolder]]:
        times.append(len(times))
        return stream(store)

    monkeypatch.setattr(SqlRegisterStore, "stream_key_holders", counted)
    named = [each["command"] for each in attacked.doctor()]
    assert [each for each in named if ("restore" if where == "history" else "move-key") in each]
    assert len(times) == 1


@pytest.mark.parametrize("whose", ["another project's", "a retired wallet's"])
@pytest.mark.parametrize("one_deployment", ["g2"], indirect=True)  # where several records may name a wallet
def test_a_sealed_text_is_asked_in_whichever_vault_record_it_is(one_deployment: Attacked, whose: str) -> None:
    """A planted record is taken before the wallet's own, and only one is read with its row."""
    attacked, deployment = one_deployment, one_deployment.deployment
    theirs = theirs_of(deployment)
    project = deployment.project()
    if whose == "a retired wallet's":
        project = theirs.project_id
        with deployment.open() as vault:
            vault.revoke_wallet(theirs)
    text = deployment.texts()[theirs.id]
    for edit in EDITED:
        deployment.execute(edit, theirs.id)
    deployment.execute("DELETE FROM strongroom_vault_history")
    put(deployment, theirs.id, "MIGRATION_REQUIRED")
    planted = plant(attacked, project)
    plan = planned(attacked)
    put(deployment, theirs.id, text)
    columns = "encryption_method, access_level, created_at, updated_at"
    deployment.execute(
        f"INSERT INTO credential_vault_storage (id, credential_id, vault_id, encrypted_private_key, {columns}) "
        f"SELECT ?, credential_id, 'v-zz', ?, {columns} FROM credential_vault_storage WHERE credential_id = ?",
        *(UUID(int=1), "eyJraWQiOi" + "-" * 40, theirs.id),
    )
    carried_out(attacked, plan)
    attacked.assert_keyless(planted)
