"""The four generations of legacy wallet tables: used as they are, by rules that keep every key."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.store.connection.qualified import qualified
from testbed.concurrency import at_once
from testbed.databases.foreign import (
    FOREIGN_TEXT,
    GENERATIONS,
    PLACEHOLDERS,
    WALLET_TABLES,
    add_project,
    add_wallet,
    address_of,
    assert_one_live_wallet,
    catalogue,
    contents,
    drop_record,
    kept_texts,
    project_of,
    put_text,
    run_script,
    tables,
    texts_of,
)
from testbed.databases.rows import counts, execute, sqlite_path
from testbed.harness.fork_server import ForkServer
from testbed.processes import wallets as children
from testbed.processes.wallets import PHRASE
from testbed.waiting import LONGEST_SECONDS, wait_until_somebody_waits
from tests.integration.legacy_wallets import EVM_ADDRESS, KEY

CALLERS = 64
OTHER_KEY = "47" * 32
SOLANA_ADDRESS = address_of("solana", KEY)
NETWORKS = ("ethereum", "bitcoin", "solana")


# --- init ---------------------------------------------------------------------------------------------------


def test_init_adds_only_tables_of_its_own(found_url: str, generation: str, root_key_uri: str) -> None:
    credential = add_wallet(found_url, EVM_ADDRESS, FOREIGN_TEXT)
    before, rows = catalogue(found_url), contents(found_url)
    old_tables = tables(found_url)
    with strongroom.init(found_url, root_key=root_key_uri) as vault:
        assert vault.status().store.generation == generation
        assert vault.get_wallet(credential).custody == "foreign"
    assert catalogue(found_url) == before
    assert {name: lines for name, lines in contents(found_url).items() if name in old_tables} == rows
    added = tables(found_url) - old_tables
    assert added
    assert all(name.startswith("strongroom_") for name in added)
    with strongroom.init(found_url, root_key=root_key_uri), strongroom.open(found_url, root_key=root_key_uri):
        assert catalogue(found_url) == before
        assert tables(found_url) - old_tables == added


def test_generation_1_is_refused_with_the_sql_that_helps(make_legacy: Callable[..., str], root_key_uri: str) -> None:
    url = make_legacy("g1")
    before, rows = catalogue(url), contents(url)
    with pytest.raises(strongroom.ForeignSchemaError, match=r"generation g1 .*credential_vault_storage") as refused:
        strongroom.init(url, root_key=root_key_uri)
    assert (catalogue(url), contents(url)) == (before, rows)
    shown = refused.value.hint.partition("\n")[2]
    migrating = [sql for step in strongroom.open_takeover(url).plan_migration().steps for sql in step.statements]
    made = {each for each in shown.split(";\n") if each.startswith("CREATE TABLE")}
    assert {qualified(each, dict.fromkeys(WALLET_TABLES, "public")) for each in made} <= {*migrating}, (
        "there is one form"
    )
    run_script(url, shown)
    project = add_project(url)
    with strongroom.init(url, root_key=root_key_uri) as vault:
        wallet, created = vault.create_wallet(project, "ethereum")
        assert created
        assert vault.create_wallet(project, "ethereum") == (wallet, False)
        assert [result.code for result in vault.verify(phrases=True)] == [None]


def test_generation_1_with_rows_keeps_them_and_finds_them(make_legacy: Callable[..., str], root_key_uri: str) -> None:
    url = make_legacy("g1")
    project = add_project(url)
    execute(
        url,
        "INSERT INTO project_credentials (project_id, public_key, key_vault_id) VALUES (?, ?, 'nowhere')",
        (project, EVM_ADDRESS),
    )
    with pytest.raises(strongroom.ForeignSchemaError) as refused:
        strongroom.init(url, root_key=root_key_uri)
    run_script(url, refused.value.hint.partition("\n")[2])
    with strongroom.init(url, root_key=root_key_uri) as vault:
        with pytest.raises(strongroom.KeyMissingError):
            vault.create_wallet(project, "ethereum")
        (listed,) = vault.list_wallets(project).wallets
        assert vault.store_key(listed, private_key=KEY).stored
        assert vault.create_wallet(project, "ethereum").wallet.id == listed.id
        assert [result.code for result in vault.verify()] == [None]


@pytest.mark.parametrize("table", WALLET_TABLES)
def test_wallet_tables_in_sqlite_are_refused(sqlite_url: str, root_key_uri: str, table: str) -> None:
    file = sqlite_path(sqlite_url)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"CREATE TABLE {table} (id text)")
        connection.commit()
    file.chmod(0o600)
    before = file.read_bytes()
    with pytest.raises(strongroom.ForeignSchemaError, match=table):
        strongroom.init(sqlite_url, root_key=root_key_uri)
    with pytest.raises(strongroom.ForeignSchemaError, match=table):
        strongroom.open(sqlite_url, root_key=root_key_uri)
    assert file.read_bytes() == before


# --- the verbs ----------------------------------------------------------------------------------------------


def test_wallets_are_created_repeated_found_listed_verified_and_revealed(legacy_vault: Vault, legacy_url: str) -> None:
    project = add_project(legacy_url)
    made = {}
    for network in NETWORKS:
        wallet, created = legacy_vault.create_wallet(project, network)
        assert created
        assert wallet.durable
        made[network] = wallet
        for _ in range(20):
            assert legacy_vault.create_wallet(project, network) == (wallet, False)
        assert legacy_vault.find_wallet(project, network) == wallet
        assert legacy_vault.get_wallet(wallet.id) == legacy_vault.get_wallet(wallet) == wallet
        assert legacy_vault.find_by_address(wallet.address, project_id=project) == wallet
        assert legacy_vault.list_wallets(project, network=network).wallets == (wallet,)
        assert legacy_vault.reveal(wallet, actor="a", reason="r").mnemonic is not None
    cold, _ = legacy_vault.create_wallet(project, "bitcoin", label="cold", variant="taproot", words=24)
    assert cold.scheme == "bip86"
    assert legacy_vault.list_wallets(project).wallets == (*made.values(), cold)
    assert [result.code for result in legacy_vault.verify(phrases=True)] == [None] * 4
    assert legacy_vault.count_wallets(project) == 4
    for wallet in (*made.values(), cold):
        (text,) = texts_of(legacy_url, wallet.id)
        assert kept_texts(legacy_url, wallet.id) == [text]
    actions = Counter(row[0] for row in execute(legacy_url, "SELECT action_type FROM credential_usage_logs"))
    assert actions == {"create": 4, "export": 3}
    rows = execute(
        legacy_url,
        """SELECT DISTINCT c.is_active, c.vault_stored, c.status, c.revoked_at, v.encryption_method, v.access_level,
                  v.vault_id = c.key_vault_id, v.backup_created
             FROM project_credentials c JOIN credential_vault_storage v ON v.credential_id = c.id""",
    )
    assert rows == [(True, True, "active", None, "AES-256-GCM", "project_admin", True, False)]


def test_a_list_goes_on_over_pages_where_networks_are_mixed(legacy_vault: Vault, legacy_url: str) -> None:
    project = add_project(legacy_url)
    made = [
        legacy_vault.create_wallet(project, network, label=f"l{number}").wallet
        for number in range(4)
        for network in ("ethereum", "solana")
    ]
    for network in ("ethereum", "solana"):
        seen: list[Wallet] = []
        after = None
        while True:
            page = legacy_vault.list_wallets(project, network=network, limit=1, after=after)
            seen += page.wallets
            after = page.next
            if after is None:
                break
        assert seen == [wallet for wallet in made if wallet.network == network]


def test_an_import_is_sealed_once_and_another_key_is_a_conflict(legacy_vault: Vault, legacy_url: str) -> None:
    project = add_project(legacy_url)
    wallet, created = legacy_vault.import_wallet(project, "bitcoin", mnemonic=PHRASE)
    assert created
    before = contents(legacy_url)
    assert legacy_vault.import_wallet(project, "bitcoin", mnemonic=PHRASE) == (wallet, False)
    with pytest.raises(strongroom.KeyConflictError):
        legacy_vault.import_wallet(project, "bitcoin", private_key=KEY)
    with pytest.raises(strongroom.AddressMismatchError):
        legacy_vault.import_wallet(project, "ethereum", private_key=KEY, address=address_of("ethereum", OTHER_KEY))
    assert contents(legacy_url) == before
    assert [result.code for result in legacy_vault.verify(phrases=True)] == [None]


def test_a_create_in_the_callers_transaction_is_the_callers_to_commit(legacy_vault: Vault, legacy_url: str) -> None:
    project = add_project(legacy_url)
    before = contents(legacy_url)
    engine = strongroom.create_engine(legacy_url)
    with engine.connect() as connection:
        wallet, created = legacy_vault.create_wallet(project, "ethereum", connection=connection)
        assert (created, wallet.durable) == (True, False)
        connection.rollback()
        assert contents(legacy_url) == before
        kept, _ = legacy_vault.create_wallet(project, "ethereum", connection=connection)
        connection.commit()
    engine.dispose()
    assert legacy_vault.create_wallet(project, "ethereum") == (replace(kept, durable=True), False)
    assert_one_live_wallet(legacy_url, project, kept.id)


def test_a_project_that_is_not_there_is_refused_and_nothing_is_written(legacy_vault: Vault, legacy_url: str) -> None:
    before = contents(legacy_url)
    with pytest.raises(strongroom.StoreRefusedError, match=r"public\.projects"):
        legacy_vault.create_wallet(uuid4(), "ethereum", idempotency_key="order-1")
    assert contents(legacy_url) == before


# --- one live wallet ----------------------------------------------------------------------------------------


def test_64_threads_leave_one_live_wallet(legacy_vault: Vault, legacy_url: str) -> None:
    project = add_project(legacy_url)
    results = at_once([lambda: legacy_vault.create_wallet(project, "ethereum")] * CALLERS)
    wallets = [result for result in results if isinstance(result, tuple)]
    assert len(wallets) == CALLERS, results
    assert len({wallet for wallet, _ in wallets}) == 1
    assert [created for _, created in wallets].count(True) == 1
    assert_one_live_wallet(legacy_url, project, wallets[0][0].id)


@pytest.mark.thorough(but=("g4",))
def test_many_processes_leave_one_live_wallet(
    fork_server: ForkServer, generation: str, legacy_url: str, root_key_uri: str
) -> None:
    """As many as threads on g4; elsewhere fewer, each of which costs more than all that is asked here."""
    fork_server.warm_up(children.warm_up)
    callers = CALLERS if generation == "g4" else CALLERS // 4
    project = add_project(legacy_url)
    arguments = {"url": legacy_url, "root_key": root_key_uri, "project": str(project)}
    printed = [report.printed[0] for report in fork_server.race(children.race, [arguments] * callers)]
    assert [line for line in printed if "error" in line] == []
    assert len({line["address"] for line in printed}) == 1
    assert [line["created"] for line in printed].count(True) == 1
    assert_one_live_wallet(legacy_url, project, UUID(printed[0]["id"]))


def test_64_threads_adopt_one_candidate(legacy_vault: Vault, legacy_url: str) -> None:
    credential = add_wallet(legacy_url, EVM_ADDRESS, FOREIGN_TEXT)
    project = project_of(legacy_url, credential)
    results = at_once([lambda: legacy_vault.create_wallet(project, "ethereum")] * CALLERS)
    assert {(result[0].id, result[1]) for result in results if isinstance(result, tuple)} == {(credential, False)}
    assert [result for result in results if not isinstance(result, tuple)] == []
    assert counts(legacy_url)[:3] == (1, 1, 1)


def test_one_idempotency_key_on_two_networks_leaves_one_wallet_and_conflicts(
    legacy_vault: Vault, legacy_url: str
) -> None:
    project = add_project(legacy_url)

    def on(network: str) -> Callable[[], tuple[Wallet, bool]]:
        return lambda: legacy_vault.create_wallet(project, network, idempotency_key="order-1")

    results = at_once([on(network) for network in ("ethereum", "bitcoin") for _ in range(16)])
    wallets = [result for result in results if isinstance(result, tuple)]
    conflicts = [result for result in results if isinstance(result, strongroom.IdempotencyConflictError)]
    assert len(wallets) == len(conflicts) == 16, results
    assert all("network" in conflict.fields for conflict in conflicts)
    assert [created for _, created in wallets].count(True) == 1
    assert_one_live_wallet(legacy_url, project, wallets[0][0].id)


def test_an_idempotency_key_remembers_an_adopted_wallet(legacy_vault: Vault, legacy_url: str) -> None:
    credential = add_wallet(legacy_url, EVM_ADDRESS, FOREIGN_TEXT)
    project = project_of(legacy_url, credential)
    for _ in range(2):
        wallet, created = legacy_vault.create_wallet(project, "ethereum", idempotency_key="order-1")
        assert (wallet.id, created) == (credential, False)
    with pytest.raises(strongroom.IdempotencyConflictError):
        legacy_vault.create_wallet(project, "bitcoin", idempotency_key="order-1")
    assert execute(legacy_url, "SELECT credential_id FROM strongroom_idempotency") == [(credential,)]


# --- rows that others wrote ----------------------------------------------------------------------------------


def test_one_candidate_is_adopted_and_its_text_left_alone(legacy_vault: Vault, legacy_url: str) -> None:
    credential = add_wallet(legacy_url, EVM_ADDRESS, FOREIGN_TEXT)
    before = contents(legacy_url)
    wallet, created = legacy_vault.create_wallet(project_of(legacy_url, credential), "ethereum")
    assert (wallet.id, wallet.custody, wallet.address, created) == (credential, "foreign", EVM_ADDRESS, False)
    after = contents(legacy_url)
    assert after.pop("strongroom_slot") != before.pop("strongroom_slot")
    assert after == before
    assert legacy_vault.find_wallet(wallet.project_id, "ethereum") == wallet
    assert [result.code for result in legacy_vault.verify()] == ["not-sealed"]
    with pytest.raises(strongroom.NotSealedError):
        legacy_vault.reveal(wallet, actor="a", reason="r")


def test_a_sealed_wallet_whose_slot_is_gone_is_adopted_again(legacy_vault: Vault, legacy_url: str) -> None:
    project = add_project(legacy_url)
    wallet, _ = legacy_vault.create_wallet(project, "ethereum", label="hot")
    execute(legacy_url, "DELETE FROM strongroom_slot")
    assert legacy_vault.create_wallet(project, "ethereum", label="hot") == (wallet, False)
    assert wallet.custody == "ours"
    assert [result.code for result in legacy_vault.verify()] == [None]
    assert_one_live_wallet(legacy_url, project, wallet.id)


def test_several_candidates_are_named_and_nothing_is_written(
    legacy_vault: Vault, legacy_url: str, generation: str
) -> None:
    project = add_project(legacy_url)
    twins = [
        add_wallet(
            legacy_url, address_of("ethereum", key), FOREIGN_TEXT, project_id=project, credential_type=f"type {key[0]}"
        )
        for key in (KEY, "5" * 64)
    ]
    before = contents(legacy_url)
    for key in (None, "order-1"):
        with pytest.raises(strongroom.AmbiguousWalletError) as ambiguous:
            legacy_vault.create_wallet(project, "ethereum", idempotency_key=key)
        assert all(str(twin) in ambiguous.value.message for twin in twins)
    assert contents(legacy_url) == before
    assert legacy_vault.create_wallet(project, "solana").created


def test_no_candidate_means_create(legacy_vault: Vault, legacy_url: str) -> None:
    project = add_project(legacy_url)
    add_wallet(legacy_url, "an address of nothing", FOREIGN_TEXT, project_id=project, credential_type="note")
    add_wallet(legacy_url, SOLANA_ADDRESS, FOREIGN_TEXT, project_id=project, credential_type="sol")
    elsewhere = add_wallet(legacy_url, EVM_ADDRESS, FOREIGN_TEXT)
    wallet, created = legacy_vault.create_wallet(project, "ethereum")
    assert created
    assert wallet.id != elsewhere


@pytest.mark.parametrize(
    ("columns", "address"),
    [
        ({"is_active": None}, EVM_ADDRESS),
        ({"network": None}, EVM_ADDRESS),
        ({"network": None, "credential_type": None, "is_active": None, "status": None, "metadata": None}, EVM_ADDRESS),
        ({"wallet_address": None, "public_key": EVM_ADDRESS}, EVM_ADDRESS),
        ({"wallet_address": "", "public_key": EVM_ADDRESS}, EVM_ADDRESS),
        ({"credential_type": "Wallet: Ethereum (main)"}, EVM_ADDRESS),
        ({"credential_type": "erc20:USDC"}, EVM_ADDRESS),
        ({"credential_type": "hot wallet", "network": "mainnet"}, EVM_ADDRESS),
        ({"created_at": None, "updated_at": None}, EVM_ADDRESS),
        ({"metadata": {"scheme": 7, "requires_vault_migration": True}}, EVM_ADDRESS),
        ({"metadata": "[]"}, EVM_ADDRESS),
        ({"wallet_address": EVM_ADDRESS.lower()}, EVM_ADDRESS.lower()),
        ({"status": "pending"}, EVM_ADDRESS),
        ({"vault_stored": False}, EVM_ADDRESS),
    ],
    ids=str,
)
def test_a_candidate_is_found_by_what_its_address_parses_as(
    legacy_vault: Vault, legacy_url: str, columns: dict[str, Any], address: str
) -> None:
    credential = add_wallet(legacy_url, EVM_ADDRESS, FOREIGN_TEXT, **columns)
    project = project_of(legacy_url, credential)
    (listed,) = legacy_vault.list_wallets(project, network="ethereum").wallets
    assert (listed.id, listed.network) == (credential, "ethereum")
    for _ in range(2):
        wallet, created = legacy_vault.create_wallet(project, "ethereum")
        assert (wallet.id, wallet.address, wallet.network, created) == (credential, address, "ethereum", False)
    assert legacy_vault.find_by_address(EVM_ADDRESS) == wallet
    assert counts(legacy_url)[0] == 1


def test_a_row_without_any_address_is_no_candidate_and_breaks_nothing(legacy_vault: Vault, legacy_url: str) -> None:
    execute(legacy_url, "ALTER TABLE project_credentials ALTER COLUMN public_key DROP NOT NULL")
    lost = add_wallet(
        legacy_url, None, FOREIGN_TEXT, public_key=None, wallet_address=None, network=None, credential_type=None
    )
    project = project_of(legacy_url, lost)
    assert [wallet.id for wallet in legacy_vault.list_wallets(project).wallets] == [lost]
    assert [result.code for result in legacy_vault.verify()] == ["not-sealed"]
    assert legacy_vault.create_wallet(project, "ethereum").created
    assert legacy_vault.create_wallet(project, "solana").created


@pytest.mark.parametrize("network", ["ethereum", None, "mainnet"])
def test_a_solana_row_whose_network_is_a_default_is_the_solana_wallet(
    legacy_vault: Vault, legacy_url: str, network: str | None
) -> None:
    credential = add_wallet(legacy_url, SOLANA_ADDRESS, FOREIGN_TEXT, network=network)
    project = project_of(legacy_url, credential)
    (listed,) = legacy_vault.list_wallets(project).wallets
    assert (listed.id, listed.network) == (credential, "solana")
    assert legacy_vault.list_wallets(project, network="ethereum").wallets == ()
    assert legacy_vault.find_by_address(SOLANA_ADDRESS).network == "solana"
    wallet, created = legacy_vault.create_wallet(project, "solana")
    assert (wallet.id, wallet.network, created) == (credential, "solana", False)
    execute(legacy_url, "UPDATE project_credentials SET is_active = false")  # makes room for g2's and g3's unique index
    assert legacy_vault.create_wallet(project, "ethereum").created


def test_a_row_of_one_evm_chain_is_not_the_wallet_of_another(legacy_vault: Vault, legacy_url: str) -> None:
    credential = add_wallet(legacy_url, EVM_ADDRESS, FOREIGN_TEXT, network="ethereum")
    project = project_of(legacy_url, credential)
    polygon, created = legacy_vault.create_wallet(project, "polygon")
    assert created
    assert legacy_vault.create_wallet(project, "ethereum").wallet.id == credential
    named = add_wallet(legacy_url, EVM_ADDRESS, FOREIGN_TEXT, network="base", credential_type="any")
    assert legacy_vault.create_wallet(project_of(legacy_url, named), "ethereum").created
    assert legacy_vault.create_wallet(project_of(legacy_url, named), "base").wallet.id == named
    assert polygon.id != credential


def test_a_label_is_read_from_types_of_our_own_form_alone(legacy_vault: Vault, legacy_url: str) -> None:
    hot = add_wallet(legacy_url, EVM_ADDRESS, FOREIGN_TEXT, credential_type="ethereum_wallet:hot")
    project = project_of(legacy_url, hot)
    default, created = legacy_vault.create_wallet(project, "ethereum")
    assert created
    assert legacy_vault.create_wallet(project, "ethereum", label="hot").wallet.id == hot
    assert legacy_vault.create_wallet(project, "ethereum", label="cold").created
    assert {wallet.label for wallet in legacy_vault.list_wallets(project).wallets} == {"default", "hot", "cold"}
    assert default.id != hot


@pytest.mark.parametrize("columns", [{"is_active": False}, {"revoked_at": "2024-01-01T00:00:00Z"}], ids=str)
def test_a_retired_row_is_no_candidate(legacy_vault: Vault, legacy_url: str, columns: dict[str, Any]) -> None:
    retired = add_wallet(legacy_url, EVM_ADDRESS, FOREIGN_TEXT, **columns)
    project = project_of(legacy_url, retired)
    wallet, created = legacy_vault.create_wallet(project, "ethereum")
    assert created
    assert legacy_vault.get_wallet(retired).status == "revoked"
    assert legacy_vault.create_wallet(project, "ethereum") == (wallet, False)


def test_a_candidate_among_thousands_of_rows_is_found(legacy_vault: Vault, legacy_url: str) -> None:
    project = add_project(legacy_url)
    execute(
        legacy_url,
        """INSERT INTO project_credentials (project_id, public_key, key_vault_id, wallet_address, credential_type)
           SELECT ?, 'x', 'v' || n, ?, 'ethereum_wallet:l' || n FROM generate_series(1, 1500) AS n""",
        (project, EVM_ADDRESS),
    )
    execute(legacy_url, "DELETE FROM credential_vault_storage")
    execute(
        legacy_url,
        """INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key)
           SELECT id, key_vault_id, ? FROM project_credentials""",
        (FOREIGN_TEXT,),
    )
    (last,) = execute(legacy_url, "SELECT id, credential_type FROM project_credentials ORDER BY id DESC LIMIT 1")
    wallet, created = legacy_vault.create_wallet(project, "ethereum", label=last[1].partition(":")[2])
    assert (wallet.id, created) == (last[0], False)


@pytest.mark.parametrize("text", [None, *PLACEHOLDERS], ids=repr)
@pytest.mark.parametrize("young", [True, False], ids=["young", "old"])
def test_a_candidate_without_a_key_gets_no_new_one(
    legacy_vault: Vault, legacy_url: str, text: str | None, young: bool
) -> None:
    age = "now()" if young else "now() - interval '11 minutes'"
    credential = add_wallet(legacy_url, EVM_ADDRESS, text)
    execute(legacy_url, f"UPDATE project_credentials SET created_at = {age}")
    if text is None:
        drop_record(legacy_url, credential)
    project = project_of(legacy_url, credential)
    before = contents(legacy_url)
    for key in (None, "order-1"):
        with pytest.raises(strongroom.KeyMissingError) as missing:
            legacy_vault.create_wallet(project, "ethereum", idempotency_key=key)
        assert missing.value.retryable is young
        assert str(credential) in missing.value.message
        assert "strongroom_vault_history" in missing.value.message
        assert f"wallet store-key {credential}" in missing.value.hint
    assert contents(legacy_url) == before
    with pytest.raises(strongroom.KeyMissingError):
        legacy_vault.import_wallet(project, "ethereum", private_key=KEY)
    assert contents(legacy_url) == before


def test_an_import_of_the_adopted_wallets_own_key_is_no_conflict(legacy_vault: Vault, legacy_url: str) -> None:
    credential = add_wallet(legacy_url, EVM_ADDRESS.lower(), FOREIGN_TEXT)
    project = project_of(legacy_url, credential)
    wallet, created = legacy_vault.import_wallet(project, "ethereum", private_key=KEY)
    assert (wallet.id, created) == (credential, False)
    with pytest.raises(strongroom.KeyConflictError):
        legacy_vault.import_wallet(project, "ethereum", private_key=OTHER_KEY)
    assert texts_of(legacy_url, credential) == [FOREIGN_TEXT]


def test_of_several_vault_records_of_one_credential_the_sealed_one_counts(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("g2", initialised=True)
    execute(url, "ALTER TABLE credential_vault_storage ALTER COLUMN encrypted_private_key DROP NOT NULL")
    with strongroom.open(url, root_key=root_key_uri) as vault:
        wallet, _ = vault.create_wallet(add_project(url), "ethereum")
        for number, text in enumerate(("", None, FOREIGN_TEXT, "MIGRATION_REQUIRED")):
            execute(
                url,
                """INSERT INTO credential_vault_storage (id, credential_id, vault_id, encrypted_private_key)
                   VALUES (?, ?, ?, ?)""",
                (UUID(int=number), wallet.id, f"v{number}", text),
            )
        assert vault.get_wallet(wallet) == wallet
        assert vault.create_wallet(wallet.project_id, "ethereum") == (wallet, False)
        assert [result.code for result in vault.verify()] == [None]


def test_a_live_row_that_the_legacy_application_commits_meanwhile_is_adopted(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    """g2 and g3 have a unique index on live rows: our insert waits there for the other one's commit."""
    url = make_legacy("g3", initialised=True)
    project = add_project(url)
    credential = uuid4()
    with (
        strongroom.open(url, root_key=root_key_uri) as vault,
        psycopg.connect(url) as other,
        ThreadPoolExecutor(1) as threads,
    ):
        other.execute(
            """INSERT INTO project_credentials (id, project_id, public_key, key_vault_id, wallet_address)
               VALUES (%s, %s, %s, 'v', %s)""",
            [credential, project, EVM_ADDRESS, EVM_ADDRESS],
        )
        other.execute(
            """INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key)
               VALUES (%s, 'v', %s)""",
            [credential, FOREIGN_TEXT],
        )
        call = threads.submit(vault.create_wallet, project, "ethereum")
        wait_until_somebody_waits(url)
        assert not call.done()
        other.commit()
        wallet, created = call.result(LONGEST_SECONDS)
        assert (wallet.id, wallet.custody, created) == (credential, "foreign", False)


# --- history ------------------------------------------------------------------------------------------------


def test_what_the_legacy_application_overwrites_is_in_the_history(legacy_vault: Vault, legacy_url: str) -> None:
    wallet, _ = legacy_vault.create_wallet(add_project(legacy_url), "ethereum")
    (sealed,) = texts_of(legacy_url, wallet.id)
    put_text(legacy_url, wallet.id, FOREIGN_TEXT)
    (kept,) = legacy_vault.history(wallet).entries
    assert (kept.text, kept.form, kept.reason, kept.wallet_id) == (sealed, "sealed", "create", wallet.id)
    assert (kept.address, kept.network, kept.label) == (wallet.address, "ethereum", "default")
    assert (kept.public_key, kept.vault_id, kept.project_id) == (wallet.public_key, wallet.vault_id, wallet.project_id)
    with pytest.raises(strongroom.KeyConflictError):
        legacy_vault.restore(wallet)
    assert texts_of(legacy_url, wallet.id) == [FOREIGN_TEXT]
    assert legacy_vault.create_wallet(wallet.project_id, "ethereum").wallet.custody == "foreign"


@pytest.mark.parametrize("text", [None, *PLACEHOLDERS], ids=repr)
def test_a_kept_text_is_put_back_where_nothing_stands(legacy_vault: Vault, legacy_url: str, text: str | None) -> None:
    wallet, _ = legacy_vault.create_wallet(add_project(legacy_url), "ethereum")
    (sealed,) = texts_of(legacy_url, wallet.id)
    if text is None:
        drop_record(legacy_url, wallet.id)
    else:
        put_text(legacy_url, wallet.id, text)
    with pytest.raises(strongroom.KeyMissingError):
        legacy_vault.create_wallet(wallet.project_id, "ethereum")
    restored, stored = legacy_vault.restore(wallet, actor="operator", reason="overwritten")
    assert (restored, stored) == (wallet, True)
    assert texts_of(legacy_url, wallet.id) == [sealed]
    assert legacy_vault.restore(wallet) == (wallet, False)
    assert [result.code for result in legacy_vault.verify(phrases=True)] == [None]
    actions = execute(legacy_url, "SELECT action_type FROM credential_usage_logs ORDER BY performed_at, id")
    assert actions == [("create",), ("fill",)]
    assert legacy_vault.create_wallet(wallet.project_id, "ethereum") == (wallet, False)


def test_a_restore_without_a_text_that_proves_changes_nothing(legacy_vault: Vault, legacy_url: str) -> None:
    project = add_project(legacy_url)
    wallet, _ = legacy_vault.create_wallet(project, "ethereum")
    other, _ = legacy_vault.create_wallet(project, "solana")
    drop_record(legacy_url, wallet.id)
    execute(
        legacy_url,
        """UPDATE strongroom_vault_history h SET text = (SELECT encrypted_private_key FROM credential_vault_storage)
            WHERE credential_id = ?""",
        (wallet.id,),
    )
    before = contents(legacy_url)
    with pytest.raises(strongroom.KeyMissingError):
        legacy_vault.restore(wallet)
    foreign = add_wallet(legacy_url, EVM_ADDRESS, "", project_id=project, credential_type="x", network="base")
    with pytest.raises(strongroom.KeyMissingError):
        legacy_vault.restore(foreign)
    drop_record(legacy_url, foreign)
    execute(legacy_url, "DELETE FROM project_credentials WHERE id = ?", (foreign,))
    assert contents(legacy_url) == before
    assert other.id != wallet.id


def test_the_history_outlives_what_the_legacy_application_deletes(legacy_vault: Vault, legacy_url: str) -> None:
    wallet, _ = legacy_vault.create_wallet(add_project(legacy_url), "bitcoin")
    (sealed,) = texts_of(legacy_url, wallet.id)
    execute(legacy_url, "DELETE FROM credential_usage_logs")
    execute(legacy_url, "DELETE FROM credential_vault_storage")
    execute(legacy_url, "ALTER TABLE project_credentials DISABLE TRIGGER USER")
    execute(legacy_url, "DELETE FROM projects")
    assert counts(legacy_url)[0] == 0
    assert [(entry.text, entry.address) for entry in legacy_vault.history(wallet.id).entries] == [
        (sealed, wallet.address)
    ]
    with pytest.raises(strongroom.KeyMissingError):
        legacy_vault.create_wallet(wallet.project_id, "bitcoin")


def test_a_fresh_database_keeps_no_second_copy(postgresql_vault_url: str, root_key_uri: str) -> None:
    with strongroom.open(postgresql_vault_url, root_key=root_key_uri) as vault:
        wallet, _ = vault.create_wallet(uuid4(), "ethereum")
        assert vault.history(wallet).entries == ()


def test_what_a_reader_sees_at_any_moment_is_in_the_history(legacy_vault: Vault, legacy_url: str) -> None:
    """The text and its kept copy are of one transaction: both rows have its id."""
    wallet, _ = legacy_vault.create_wallet(add_project(legacy_url), "ethereum")
    credential = add_wallet(legacy_url, EVM_ADDRESS, "")
    assert legacy_vault.store_key(credential, private_key=KEY).stored
    rows = execute(
        legacy_url,
        """SELECT v.xmin::text = h.xmin::text, v.encrypted_private_key = h.text
             FROM credential_vault_storage v JOIN strongroom_vault_history h USING (credential_id)""",
    )
    assert rows == [(True, True)] * 2
    assert wallet.id != credential


def test_status_counts_what_is_there(legacy_vault: Vault, legacy_url: str, generation: str) -> None:
    project = add_project(legacy_url)
    legacy_vault.create_wallet(project, "ethereum")
    add_wallet(legacy_url, SOLANA_ADDRESS, FOREIGN_TEXT)
    add_wallet(legacy_url, EVM_ADDRESS, "MIGRATION_REQUIRED")
    add_wallet(legacy_url, EVM_ADDRESS)
    store = legacy_vault.status().store
    assert store.generation == generation
    assert store.custody == {"ours": 1, "foreign": 1, "placeholder": 1, "missing": 1}


def test_the_generations_are_those_of_the_field() -> None:
    assert GENERATIONS == ("g2", "g3", "g4")
