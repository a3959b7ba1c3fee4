"""A vault that is distributed: every verb, a run that ends early, callers who race, nothing left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault
from testbed.concurrency import at_once
from testbed.databases.granted_roles import url_of
from testbed.databases.rows import execute
from testbed.processes.signing import transaction
from tests.citus.conftest import CITUS_URL, drop_vault

KEY = "43" * 32
WHY: dict[str, Any] = {"actor": "operator", "reason": "a test"}


def test_each_step_can_be_the_last_one_of_a_run(citus_url: str, root_key_uri: str) -> None:
    project = uuid4()
    with strongroom.open(citus_url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
    runs = 0
    while (left := strongroom.open_takeover(citus_url).distribution_steps()) and runs < 100:
        first = left[0].about

        def stop(step: Any, first: str = first) -> None:
            assert step.about == first
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            strongroom.open_takeover(citus_url).distribute(stop)
        runs += 1
    assert 20 < runs < 100
    with strongroom.open(citus_url, root_key=root_key_uri) as vault:
        assert vault.get_wallet(wallet.id) == wallet
        assert [result.ok for result in vault.verify()] == [True]


def test_nothing_stays_behind_on_the_coordinator(citus_url: str, root_key_uri: str) -> None:
    with strongroom.open(citus_url, root_key=root_key_uri) as vault:
        vault.create_wallet(uuid4(), "ethereum")
    assert strongroom.open_takeover(citus_url).distribute() > 20
    with psycopg.connect(citus_url) as connection:
        found = connection.execute(
            "SELECT c.relname, pg_relation_size(c.oid) FROM pg_dist_partition d "
            "JOIN pg_class c ON c.oid = d.logicalrelid"
        ).fetchall()
    assert len(found) >= 13
    assert [name for name, size in found if size] == []
    assert strongroom.open_takeover(citus_url).distribution_steps() == []


KEY_IN_STATISTICS = """
SELECT (SELECT count(*) FROM pg_statistic WHERE concat(stavalues1, stavalues2, stavalues3, stavalues4) LIKE %s),
       (SELECT count(*) FROM pg_statistic_ext_data, pg_mcv_list_items(stxdmcv) WHERE values::text LIKE %s),
       (SELECT count(*) FROM pg_statistic_ext_data WHERE stxdexpr::text LIKE %s)
"""
OWNER = "owns_a_vault"


@pytest.fixture(params=["superuser", "owner"])
def owned_url(request: pytest.FixtureRequest, root_key_uri: str) -> Iterator[str]:
    """A vault of a superuser, and one of a role that is none."""
    drop_vault()
    url = CITUS_URL
    if request.param == "owner":
        url = url_of(CITUS_URL, OWNER)
        execute(CITUS_URL, f"CREATE ROLE {OWNER} LOGIN")
        execute(CITUS_URL, f"GRANT CREATE ON DATABASE {urlsplit(CITUS_URL).path[1:]} TO {OWNER}")
    strongroom.init(url, root_key=root_key_uri).close()
    yield url
    drop_vault()
    if request.param == "owner":
        execute(CITUS_URL, f"REVOKE CREATE ON DATABASE {urlsplit(CITUS_URL).path[1:]} FROM {OWNER}")
        execute(CITUS_URL, f"DROP ROLE {OWNER}")


def keys_in_statistics() -> tuple[int, ...]:
    """How many statistics of the coordinator have the key: columns and indexes, several columns, expressions."""
    (found,) = execute(CITUS_URL, KEY_IN_STATISTICS.replace("%s", "?"), (f"%{KEY}%",) * 3)
    return found


def test_no_key_in_plaintext_stays_in_the_coordinators_statistics(owned_url: str, root_key_uri: str) -> None:
    with strongroom.open(owned_url, root_key=root_key_uri) as vault:
        wallets = [vault.create_wallet(uuid4(), "ethereum").wallet for _ in range(4)]
    table = "strongroom.credential_vault_storage"
    execute(CITUS_URL, f"UPDATE {table} SET encrypted_private_key = ? WHERE credential_id = ?", (KEY, wallets[0].id))
    for sql in (
        f"ALTER TABLE {table} ADD COLUMN notes text[]",
        f"UPDATE {table} SET notes = ARRAY[encrypted_private_key]",
        f"CREATE INDEX lowered ON {table} (lower(encrypted_private_key))",
        f"CREATE STATISTICS strongroom.several (mcv) ON encrypted_private_key, encryption_method FROM {table}",
        f"CREATE STATISTICS strongroom.computed ON (lower(encrypted_private_key)) FROM {table}",
    ):
        execute(owned_url, sql)
    execute(CITUS_URL, f"ANALYZE {table}")
    assert keys_in_statistics() == (3, 1, 1), "the column and the list, the index; those that somebody made"
    steps = [step.about for step in strongroom.open_takeover(owned_url).distribution_steps()]
    last = [about for about in steps if "no rows stay behind" in about][-1]

    def stop(step: Any) -> None:
        if step.about == last:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        strongroom.open_takeover(owned_url).distribute(stop)
    with strongroom.open(owned_url, root_key=root_key_uri) as vault:
        (warning,) = [remark for remark in vault.status().store.warnings if "distribute" in remark]
        assert "statistics" in warning
        assert "credential_vault_storage" in warning
    strongroom.open_takeover(owned_url).distribute()
    for _ in range(2):
        assert keys_in_statistics() == (0, 0, 0)
        execute(CITUS_URL, f"ANALYZE {table}")
    assert strongroom.open_takeover(owned_url).distribution_steps() == []
    with strongroom.open(owned_url, root_key=root_key_uri) as vault:
        assert sorted(result.ok for result in vault.verify()) == [False, True, True, True]
        assert vault.create_wallet(uuid4(), "ethereum").created


def test_every_verb_works(distributed_url: str, root_key_uri: str) -> None:
    project, other = uuid4(), uuid4()
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault:
        wallet, created = vault.create_wallet(project, "ethereum", idempotency_key="k")
        assert created
        assert not vault.create_wallet(project, "ethereum", idempotency_key="k").created
        imported = vault.import_wallet(project, "polygon", private_key=KEY).wallet
        for found in (
            vault.get_wallet(wallet.id),
            vault.get_wallet(wallet.id, project_id=project),
            vault.find_wallet(project, "ethereum"),
            vault.find_by_address(wallet.address),
            vault.list_wallets(project, network="ethereum").wallets[0],
        ):
            assert found == wallet
        with pytest.raises(strongroom.WalletNotFoundError):
            vault.get_wallet(wallet.id, project_id=other)
        first = vault.sign_transaction(wallet, transaction(1, 10))
        assert vault.sign_transaction(wallet, transaction(1, 10)) == first
        with pytest.raises(strongroom.NonceConflictError):
            vault.sign_transaction(wallet, transaction(1, 15))
        assert vault.sign_transaction(wallet, transaction(1, 40), replace=True)
        assert vault.sign_message(wallet, b"x")
        assert vault.reveal(imported, **WHY).private_key.reveal_text().removeprefix("0x") == KEY
        assert not vault.store_key(imported, private_key=KEY).stored
        assert not vault.restore(imported).stored
        vault.rotate_sealing_key()
        assert all(result.ok for result in vault.rewrap())
        assert [key.state for key in vault.status().sealing_keys] == ["retired", "active"]
        successor = vault.replace_wallet(wallet).wallet
        assert vault.find_wallet(project, "ethereum") == successor
        assert vault.revoke_wallet(successor).status == "revoked"
        assert vault.history(wallet).entries
        assert [result.ok for result in vault.verify(phrases=True)] == [True] * 3
        store = vault.status().store
        assert (store.nodes, store.shards) == (2, 32)
        assert not [remark for remark in store.warnings if "distribute" in remark]
        assert vault.list_log(project_id=project).records
        assert vault.list_projects().projects[0].id == project
        assert vault.erase_project(project, **WHY).complete
    with strongroom.open_takeover(distributed_url, root_key=root_key_uri).diagnose() as report:
        assert [finding.code for finding in report.findings()] == []


def race(vaults: list[Vault], work: Any) -> list[Any]:
    """What callers of their own connections get at the same moment."""
    together, found = threading.Barrier(len(vaults)), list[Any]()

    def run(vault: Vault) -> None:
        together.wait(timeout=60)
        try:
            found.append(work(vault))
        except strongroom.StrongroomError as error:
            found.append(error)

    threads = [threading.Thread(target=run, args=(vault,)) for vault in vaults]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return found


def test_who_races_for_a_slot_or_a_nonce_gets_one_wallet_and_one_payload(
    distributed_url: str, root_key_uri: str
) -> None:
    vaults = [strongroom.open(distributed_url, root_key=root_key_uri) for _ in range(8)]
    try:
        for _ in range(5):
            project: UUID = uuid4()
            made = race(vaults, lambda vault: vault.create_wallet(project, "ethereum"))  # noqa: B023 - runs now
            assert len({each.wallet.id for each in made}) == 1
            assert sum(each.created for each in made) == 1
            wallet, fees = made[0].wallet, iter(range(10, 18))
            signed = race(vaults, lambda vault: vault.sign_transaction(wallet, transaction(7, next(fees))))  # noqa: B023
            assert len([each for each in signed if not isinstance(each, strongroom.StrongroomError)]) == 1
            assert {type(each) for each in signed if isinstance(each, Exception)} == {strongroom.NonceConflictError}
            races = race(vaults, lambda vault: vault.replace_wallet(wallet))  # noqa: B023
            assert len({each.wallet.id for each in races}) == 1
    finally:
        for vault in vaults:
            vault.close()


def test_a_guard_and_foreign_keys_of_others_are_refused_first(citus_url: str, root_key_uri: str) -> None:
    takeover = strongroom.open_takeover(citus_url, root_key=root_key_uri)
    takeover.install_guard()
    with pytest.raises(strongroom.DistributionRefusedError, match="triggers"):
        takeover.distribution_steps()
    assert takeover.remove_guard()
    with psycopg.connect(citus_url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS public.theirs")
        connection.execute("CREATE TABLE public.theirs (id uuid REFERENCES strongroom.project_credentials)")
        try:
            with pytest.raises(strongroom.DistributionRefusedError, match="theirs"):
                takeover.distribute()
        finally:
            connection.execute("DROP TABLE public.theirs")
    assert takeover.distribute() > 20
    with pytest.raises(strongroom.ForeignSchemaError, match="nodes"):
        takeover.install_guard()


def test_what_leaves_an_account_is_marked_on_its_node(distributed_url: str, root_key_uri: str) -> None:
    """An xpub and a private key of one account do not both leave; addresses in use are discovered."""
    project = uuid4()
    with (
        strongroom.open(distributed_url, root_key=root_key_uri) as vault,
        strongroom.open(distributed_url, root_key=root_key_uri) as other,
    ):
        vault.create_phrase(project)
        made = [each.wallet for each in vault.create_many(project, "ethereum", count=3, label_prefix="a-")]
        results = at_once(
            [
                lambda: vault.reveal(made[0], **WHY),
                lambda: other.reveal(made[1], **WHY),
                lambda: other.export_xpub(project, "base", **WHY),
            ]
        )
        refused = [isinstance(each, strongroom.AccountExposedError) for each in results]
        assert refused in ([True, True, False], [False, False, True])
        used = {wallet.address for wallet in made}
        found = vault.discover(project, "polygon", is_used=lambda address: address in used, gap=2)
        assert (found.used, found.asked, len(found.wallets)) == ((0, 1, 2), 5, 3)
        vault.rotate_sealing_key()
        assert all(result.ok for result in vault.rewrap())
        assert [each.error for each in vault.verify(project_id=project, phrases=True)] == [None] * 6


def test_plans_that_know_no_values_are_refused_by_citus(distributed_url: str, root_key_uri: str) -> None:
    """As the page says of this setting: nothing is written, and no repeat helps."""
    generic = f"{distributed_url}?options=-cplan_cache_mode%3Dforce_generic_plan"
    with (
        strongroom.open(generic, root_key=root_key_uri) as vault,
        pytest.raises(strongroom.StoreRefusedError) as refused,
    ):
        vault.create_wallet(uuid4(), "ethereum")
    assert not refused.value.retryable
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault:
        assert vault.list_wallets().wallets == ()
