"""Completing a credential whose key is missing: nothing is overwritten, whatever others write meanwhile."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault
from testbed.concurrency import at_once
from testbed.databases import foreign
from testbed.databases.foreign import (
    FOREIGN_TEXT,
    PLACEHOLDERS,
    add_project,
    add_wallet,
    address_of,
    contents,
    drop_record,
    kept_texts,
    old_application,
    put_text,
    run_script,
    texts_of,
)
from testbed.databases.rows import execute
from testbed.harness.fork_server import ForkServer
from testbed.processes import foreign_keys, wallets
from testbed.processes.wallets import PHRASE
from testbed.waiting import LONGEST_SECONDS, wait_until_somebody_waits

KEY = "46" * 32
OTHER_KEY = "47" * 32
ADDRESS = address_of("ethereum", KEY)
CREDENTIALS = 1000
THREADS = 32


@pytest.fixture(params=["fresh", *foreign.GENERATIONS])
def any_url(
    request: pytest.FixtureRequest, make_legacy: Callable[..., str], make_postgresql_vault: Callable[..., str]
) -> str:
    """The URL of a vault in PostgreSQL: in a fresh database, and alongside each generation."""
    return make_postgresql_vault() if request.param == "fresh" else make_legacy(request.param, initialised=True)


@pytest.fixture
def any_vault(any_url: str, root_key_uri: str) -> Iterator[Vault]:
    with strongroom.open(any_url, root_key=root_key_uri) as vault:
        yield vault


def assert_sealed_once(vault: Vault, url: str, credential: UUID) -> None:
    """The wallet has one sealed record that proves, and the history has its text."""
    (text,) = texts_of(url, credential)
    assert text is not None
    assert text.startswith("eyJ")
    assert [result.code for result in vault.verify(credential, phrases=True)] == [None]
    assert text in kept_texts(url, credential)


# --- what is there decides -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [None, *PLACEHOLDERS], ids=repr)
def test_a_missing_record_is_inserted_and_a_placeholder_filled(
    legacy_vault: Vault, legacy_url: str, text: str | None
) -> None:
    credential = add_wallet(legacy_url, ADDRESS, text)
    public = execute(legacy_url, "SELECT * FROM project_credentials")
    wallet, stored = legacy_vault.store_key(credential, private_key=KEY, actor="operator", reason="found it")
    assert (wallet.id, wallet.custody, wallet.address, stored) == (credential, "ours", ADDRESS, True)
    assert_sealed_once(legacy_vault, legacy_url, credential)
    assert execute(legacy_url, "SELECT * FROM project_credentials") == public
    record = execute(
        legacy_url,
        "SELECT encryption_method, access_level, vault_id FROM credential_vault_storage",
    )
    assert record == [("AES-256-GCM", "project_admin", f"vault_{credential}")]
    log = execute(legacy_url, "SELECT action_type, action_details FROM credential_usage_logs")
    assert log == [("fill", {"actor": "operator", "reason": "found it"})]
    assert legacy_vault.reveal(credential, actor="a", reason="r").private_key.reveal_text() == "0x" + KEY
    before = contents(legacy_url)
    for key in (KEY, "0x" + KEY.upper()):
        assert legacy_vault.store_key(credential, private_key=key) == (wallet, False)
    assert contents(legacy_url) == before
    found, created = legacy_vault.create_wallet(wallet.project_id, "ethereum")
    assert (found.id, created) == (credential, False)


def test_null_is_a_placeholder_where_the_column_takes_it(legacy_vault: Vault, legacy_url: str) -> None:
    execute(legacy_url, "ALTER TABLE credential_vault_storage ALTER COLUMN encrypted_private_key DROP NOT NULL")
    credential = add_wallet(legacy_url, ADDRESS, "")
    put_text(legacy_url, credential, None)
    assert texts_of(legacy_url, credential) == [None]
    with pytest.raises(strongroom.KeyMissingError):
        legacy_vault.create_wallet(foreign.project_of(legacy_url, credential), "ethereum")
    assert legacy_vault.store_key(credential, private_key=KEY).stored
    assert_sealed_once(legacy_vault, legacy_url, credential)


@pytest.mark.parametrize("text", [None, *PLACEHOLDERS], ids=repr)
@pytest.mark.parametrize(
    ("network", "variant", "path"),
    [
        ("ethereum", None, None),
        ("solana", None, None),
        ("bitcoin", "taproot", None),
        ("bitcoin", None, "m/84'/0'/5'/0/7"),
    ],
)
def test_a_wallet_of_our_own_that_lost_its_record_is_completed(
    any_vault: Vault, any_url: str, text: str | None, network: str, variant: str | None, path: str | None
) -> None:
    project = add_project(any_url)
    wallet, _ = any_vault.import_wallet(project, network, mnemonic=PHRASE, variant=variant, path=path)
    key = any_vault.reveal(wallet, actor="a", reason="r").private_key
    for given in ({"private_key": key}, {"mnemonic": PHRASE}):
        if text is None:
            drop_record(any_url, wallet.id)
        else:
            sql = "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?"
            execute(any_url, sql, (text, wallet.id))
        completed, stored = any_vault.store_key(wallet, **given)
        assert (completed, stored) == (wallet, True)
        assert [result.code for result in any_vault.verify(phrases=True)] == [None]
        assert any_vault.create_wallet(project, network) == (wallet, False)


def test_another_key_there_is_a_conflict_and_nothing_changes(any_vault: Vault, any_url: str) -> None:
    project = add_project(any_url)
    wallet, _ = any_vault.import_wallet(project, "ethereum", private_key=KEY)
    twin, _ = any_vault.import_wallet(project, "ethereum", private_key=OTHER_KEY, label="other")
    before = contents(any_url)
    with pytest.raises(strongroom.AddressMismatchError):
        any_vault.store_key(wallet, private_key=OTHER_KEY)
    assert contents(any_url) == before
    # The address of the one, the sealed text of the other: the record that is there does not even prove.
    execute(any_url, "UPDATE project_credentials SET wallet_address = ? WHERE id = ?", (twin.address, wallet.id))
    before = contents(any_url)
    with pytest.raises(strongroom.StrongroomError) as refused:
        any_vault.store_key(wallet.id, private_key=OTHER_KEY)
    assert refused.value.code in ("key-conflict", "identity-mismatch")
    assert contents(any_url) == before


@pytest.mark.parametrize("text", [FOREIGN_TEXT, KEY, "{}", " ", "migration_required", "x"], ids=repr)
def test_another_applications_text_is_never_replaced(legacy_vault: Vault, legacy_url: str, text: str) -> None:
    credential = add_wallet(legacy_url, ADDRESS, text)
    before = contents(legacy_url)
    with pytest.raises(strongroom.KeyConflictError) as conflict:
        legacy_vault.store_key(credential, private_key=KEY)
    assert KEY not in conflict.value.message + conflict.value.hint
    with pytest.raises(strongroom.AddressMismatchError):
        legacy_vault.store_key(credential, private_key=OTHER_KEY)
    assert contents(legacy_url) == before


@pytest.mark.parametrize("text", [None, *PLACEHOLDERS], ids=repr)
def test_a_key_of_another_address_is_refused(legacy_vault: Vault, legacy_url: str, text: str | None) -> None:
    credential = add_wallet(legacy_url, ADDRESS, text)
    before = contents(legacy_url)
    with pytest.raises(strongroom.AddressMismatchError):
        legacy_vault.store_key(credential, private_key=OTHER_KEY)
    with pytest.raises(strongroom.AddressMismatchError):
        legacy_vault.store_key(credential, mnemonic=PHRASE)
    with pytest.raises(strongroom.InvalidPrivateKeyError):
        legacy_vault.store_key(credential, private_key="nothing")
    with pytest.raises(strongroom.InvalidRequestError):
        legacy_vault.store_key(credential)
    with pytest.raises(strongroom.WalletNotFoundError):
        legacy_vault.store_key(uuid4(), private_key=KEY)
    assert contents(legacy_url) == before


@pytest.mark.parametrize(
    "columns",
    [
        {"wallet_address": ADDRESS.lower()},
        {"wallet_address": None, "public_key": ADDRESS},
        {"network": None, "credential_type": None, "metadata": None, "created_at": None},
        {"network": "mainnet", "credential_type": "Wallet: main"},
    ],
    ids=str,
)
def test_rows_as_the_legacy_application_writes_them_are_completed(
    legacy_vault: Vault, legacy_url: str, columns: dict[str, str | None]
) -> None:
    credential = add_wallet(legacy_url, ADDRESS, "", **columns)
    assert legacy_vault.store_key(credential, private_key=KEY).stored
    assert_sealed_once(legacy_vault, legacy_url, credential)
    wallet, created = legacy_vault.create_wallet(foreign.project_of(legacy_url, credential), "ethereum")
    assert (wallet.id, created) == (credential, False)
    assert_sealed_once(legacy_vault, legacy_url, credential)


@pytest.mark.parametrize("text", [None, ""], ids=repr)
def test_a_solana_row_that_a_default_calls_ethereum_is_completed(
    legacy_vault: Vault, legacy_url: str, text: str | None
) -> None:
    credential = add_wallet(legacy_url, address_of("solana", KEY), text, network="ethereum")
    wallet, stored = legacy_vault.store_key(credential, private_key=KEY)
    assert (wallet.network, stored) == ("solana", True)
    assert_sealed_once(legacy_vault, legacy_url, credential)
    assert legacy_vault.create_wallet(wallet.project_id, "solana").wallet.id == credential
    assert_sealed_once(legacy_vault, legacy_url, credential)


def test_the_variant_is_found_by_the_address(legacy_vault: Vault, legacy_url: str) -> None:
    taproot = add_wallet(legacy_url, address_of("bitcoin", KEY, "taproot"), "")
    project = foreign.project_of(legacy_url, taproot)  # of any other, it would be another project's key
    segwit = add_wallet(legacy_url, address_of("bitcoin", KEY), "", project_id=project, credential_type="WALLET2")
    for credential in (taproot, segwit):
        assert legacy_vault.store_key(credential, private_key=KEY).stored
        assert_sealed_once(legacy_vault, legacy_url, credential)
    phrase = add_wallet(legacy_url, "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr", "")
    with pytest.raises(strongroom.AddressMismatchError):
        legacy_vault.store_key(phrase, mnemonic=PHRASE, variant="default")
    assert legacy_vault.store_key(phrase, mnemonic=PHRASE).stored
    assert_sealed_once(legacy_vault, legacy_url, phrase)


@pytest.mark.parametrize("level", ["revoked", "project_member"])
def test_a_filled_record_gives_no_more_access_than_it_gave(legacy_vault: Vault, legacy_url: str, level: str) -> None:
    credential = add_wallet(legacy_url, ADDRESS, "")
    execute(legacy_url, "UPDATE credential_vault_storage SET access_level = ?", (level,))
    assert legacy_vault.store_key(credential, private_key=KEY).stored
    assert execute(legacy_url, "SELECT access_level FROM credential_vault_storage") == [(level,)]


def test_of_several_records_the_placeholders_alone_are_filled(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("g2", initialised=True)
    credential = add_wallet(url, ADDRESS, "")
    add_record = "INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key) VALUES (?,?,?)"
    execute(url, add_record, (credential, "v1", "MIGRATION_REQUIRED"))
    with strongroom.open(url, root_key=root_key_uri) as vault:
        assert vault.store_key(credential, private_key=KEY).stored
        texts = texts_of(url, credential)
        assert len(texts) == 2
        assert set(texts) - set(PLACEHOLDERS) == set(kept_texts(url, credential))
        assert [result.code for result in vault.verify()] == [None]
        other = add_wallet(url, ADDRESS, "")
        execute(url, add_record, (other, "v2", FOREIGN_TEXT))
        before = contents(url)
        with pytest.raises(strongroom.KeyConflictError):
            vault.store_key(other, private_key=KEY)
        assert contents(url) == before


# --- what refuses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "check"),
    [
        ("credential_vault_storage", "encryption_method <> 'AES-256-GCM'"),
        ("credential_usage_logs", "action_type <> 'fill'"),
    ],
)
def test_a_check_that_refuses_the_filled_row_is_named_before_any_write(
    g4_url: str, root_key_uri: str, table: str, check: str
) -> None:
    credential = add_wallet(g4_url, ADDRESS, "")
    run_script(g4_url, f"ALTER TABLE {table} ADD CONSTRAINT narrow CHECK ({check}) NOT VALID")
    before = contents(g4_url)
    with strongroom.open(g4_url, root_key=root_key_uri) as vault:
        with pytest.raises(strongroom.CheckRefusesError, match="narrow") as refused:
            vault.store_key(credential, private_key=KEY)
        assert contents(g4_url) == before
        run_script(g4_url, refused.value.hint.partition(": ")[2])
        assert vault.store_key(credential, private_key=KEY).stored
        assert_sealed_once(vault, g4_url, credential)


@pytest.mark.parametrize(
    ("when", "table", "body"),
    [
        ("BEFORE UPDATE", "credential_vault_storage", "RETURN OLD;"),
        ("BEFORE UPDATE", "credential_vault_storage", "NEW.encrypted_private_key := 'x'; RETURN NEW;"),
        ("BEFORE UPDATE", "credential_vault_storage", "RAISE EXCEPTION 'no';"),
        ("BEFORE INSERT", "credential_usage_logs", "RETURN NULL;"),
    ],
)
def test_a_trigger_in_the_way_is_named_and_the_placeholder_stays(
    g3_url: str, root_key_uri: str, when: str, table: str, body: str
) -> None:
    credential = add_wallet(g3_url, ADDRESS, "")
    run_script(
        g3_url,
        f"CREATE FUNCTION keeper() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"
        f"CREATE TRIGGER trigger_keeper {when} ON {table} FOR EACH ROW EXECUTE FUNCTION keeper();",
    )
    before = contents(g3_url)
    with strongroom.open(g3_url, root_key=root_key_uri) as vault:
        with pytest.raises(strongroom.TriggerConflictError, match="trigger_keeper"):
            vault.store_key(credential, private_key=KEY)
    assert contents(g3_url) == before


# --- at once ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [None, *PLACEHOLDERS], ids=repr)
def test_many_calls_at_once_store_one_text(legacy_vault: Vault, legacy_url: str, text: str | None) -> None:
    credential = add_wallet(legacy_url, ADDRESS, text)
    results = at_once([lambda: legacy_vault.store_key(credential, private_key=KEY)] * 16)
    assert [result for result in results if not isinstance(result, tuple)] == []
    assert [result[1] for result in results if isinstance(result, tuple)].count(True) == 1
    assert_sealed_once(legacy_vault, legacy_url, credential)
    assert len(kept_texts(legacy_url, credential)) == 1
    assert execute(legacy_url, "SELECT count(*) FROM credential_usage_logs") == [(1,)]


@pytest.mark.thorough(sample=1)
def test_processes_at_once_store_one_text(fork_server: ForkServer, legacy_url: str, root_key_uri: str) -> None:
    fork_server.warm_up(wallets.warm_up)
    credential = add_wallet(legacy_url, ADDRESS, "")
    arguments = {"url": legacy_url, "root_key": root_key_uri, "wallet": str(credential), "private_key": KEY}
    reports = fork_server.race(foreign_keys.store_key_at_once, [arguments] * 16)
    assert Counter(report.printed[0].get("stored") for report in reports) == {True: 1, False: 15}
    assert len(texts_of(legacy_url, credential)) == len(kept_texts(legacy_url, credential)) == 1


def test_the_fill_is_conditional_on_the_public_half(legacy_vault: Vault, legacy_url: str) -> None:
    """The row is locked and changed between our look and our write: the write finds out, and looks again."""
    credential = add_wallet(legacy_url, ADDRESS, "")
    with psycopg.connect(legacy_url) as other, ThreadPoolExecutor(1) as threads:
        other.execute(
            "UPDATE project_credentials SET wallet_address = %s WHERE id = %s",
            [address_of("ethereum", OTHER_KEY), credential],
        )
        call = threads.submit(legacy_vault.store_key, credential, private_key=KEY)
        wait_until_somebody_waits(legacy_url)
        assert not call.done()
        other.commit()
        with pytest.raises(strongroom.AddressMismatchError):
            call.result(LONGEST_SECONDS)
    assert texts_of(legacy_url, credential) == [""]
    assert kept_texts(legacy_url, credential) == []


def test_the_fill_is_conditional_on_the_exact_placeholder(legacy_vault: Vault, legacy_url: str) -> None:
    credential = add_wallet(legacy_url, ADDRESS, "")
    with psycopg.connect(legacy_url) as other, ThreadPoolExecutor(1) as threads:
        old_application(other, credential, FOREIGN_TEXT)
        call = threads.submit(legacy_vault.store_key, credential, private_key=KEY)
        wait_until_somebody_waits(legacy_url)
        assert not call.done()
        other.commit()
        with pytest.raises(strongroom.KeyConflictError):
            call.result(LONGEST_SECONDS)
    assert texts_of(legacy_url, credential) == [FOREIGN_TEXT]
    assert kept_texts(legacy_url, credential) == []


@pytest.mark.thorough(sample=1)
def test_no_key_is_lost_to_the_legacy_applications_update_if_exists(legacy_vault: Vault, legacy_url: str) -> None:
    """Every key that anybody was told is stored is in its row, or in the history."""
    project = add_project(legacy_url)
    keys = {uuid4(): f"{number:064x}" for number in range(1, CREDENTIALS + 1)}
    kinds = ("", "MIGRATION_REQUIRED", "PRIVATE_KEY_NOT_RECOVERABLE")
    with psycopg.connect(legacy_url) as connection:
        cursor = connection.cursor()
        cursor.executemany(
            """INSERT INTO project_credentials
                   (id, project_id, wallet_address, public_key, key_vault_id, credential_type)
               VALUES (%s, %s, %s, 'x', %s, %s)""",
            [
                (credential, project, address_of("ethereum", key), f"vault_{credential}", f"ethereum_wallet:{key}")
                for credential, key in keys.items()
            ],
        )
        cursor.execute("DELETE FROM credential_vault_storage")
        cursor.executemany(
            "INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key) VALUES (%s, %s, %s)",
            [(credential, f"vault_{credential}", kinds[i % 3]) for i, credential in enumerate(keys)],
        )
    outcomes: dict[UUID, str] = {}
    overwritten: set[UUID] = set()
    barrier = threading.Barrier(THREADS, timeout=60)

    def ours(part: int) -> None:
        barrier.wait()
        for credential in list(keys)[part :: THREADS // 2]:
            try:
                outcomes[credential] = str(legacy_vault.store_key(credential, private_key=keys[credential]).stored)
            except strongroom.StrongroomError as error:
                outcomes[credential] = error.code

    def theirs(part: int) -> None:
        rng = random.Random(part)
        with psycopg.connect(legacy_url) as connection:
            barrier.wait()
            order = list(keys)[part :: THREADS // 2]
            for credential in reversed(order) if part % 2 else order:  # half of them run neck and neck with ours
                time.sleep(rng.random() * 0.05)
                old_application(connection, credential, f"0x{keys[credential]}")
                connection.commit()
                overwritten.add(credential)

    started = time.monotonic()
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(lambda number: (ours, theirs)[number % 2](number // 2), range(THREADS)))
    seconds = time.monotonic() - started
    print(f"\n{CREDENTIALS} credentials, {THREADS} threads: {seconds:.1f} s, {Counter(outcomes.values())}")
    assert overwritten == set(keys)
    assert set(outcomes.values()) == {"True", "key-conflict"}, "some were first, some were second"
    rows = dict(execute(legacy_url, "SELECT credential_id, encrypted_private_key FROM credential_vault_storage"))
    assert len(rows) == CREDENTIALS
    history: dict[UUID, list[str]] = {}
    for credential, text in execute(legacy_url, "SELECT credential_id, text FROM strongroom_vault_history"):
        history.setdefault(credential, []).append(text)
    for credential, key in keys.items():
        assert rows[credential] == f"0x{key}", "nobody replaced what the legacy application wrote"
        assert len(history.get(credential, [])) == (outcomes[credential] == "True")
    # What was kept proves: empty a few rows, as a repair would, and put the kept texts back.
    for credential in [each for each, outcome in outcomes.items() if outcome == "True"][:20]:
        put_text(legacy_url, credential, "")
        assert legacy_vault.restore(credential).stored
        assert texts_of(legacy_url, credential) == history[credential]
        assert [result.code for result in legacy_vault.verify(credential)] == [None]
