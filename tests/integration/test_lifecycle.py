"""The life of a wallet after its first day: replaced, revoked, never deleted; two real connections for each race."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.records.wallets import Created
from testbed.concurrency import at_once
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.rows import execute, sqlite_path
from testbed.harness.canary import Canary, report
from testbed.harness.fork_server import ForkServer
from testbed.processes import lifecycle
from testbed.processes import wallets as children
from testbed.servers.postgres import PostgresServer
from testbed.servers.proxy import COMMIT, Mode, Proxy, runs

CALLERS = 32
ROUNDS = 6
T = TypeVar("T")
_TABLES = ("project_credentials", "credential_vault_storage", "strongroom_slot", "credential_usage_logs")


def many(number: int, *calls: Callable[[], T]) -> list[Callable[[], T]]:
    """Each call so many times."""
    return list(calls) * number


def rows_of(deployment: Deployment) -> list[list[tuple[object, ...]]]:
    """All that the tables about wallets hold."""
    return [deployment.execute(f"SELECT * FROM {table} ORDER BY 1, 2") for table in _TABLES]


def actions_of(deployment: Deployment, wallet: Wallet) -> list[str]:
    sql = "SELECT action_type FROM credential_usage_logs WHERE credential_id = ? ORDER BY id"
    return [row[0] for row in deployment.execute(sql, wallet.id)]


def key_of(vault: Vault, wallet: Wallet) -> str:
    return vault.reveal(wallet, actor="test", reason="to compare").private_key.reveal_text()


# --- replace -------------------------------------------------------------------------------------------------


def test_replace_makes_one_successor_and_every_retry_returns_it(
    deployment: Deployment, vault_a: Vault, vault_b: Vault
) -> None:
    project = deployment.project()
    old, _ = vault_a.create_wallet(project, "ethereum", label="hot")
    key = key_of(vault_a, old)
    new, created = vault_a.replace_wallet(old, actor="me", reason="the phrase was seen")
    assert created
    assert (new.network, new.label, new.project_id) == (old.network, old.label, project)
    assert new.id != old.id
    assert new.address != old.address
    assert new.durable
    for vault in (vault_a, vault_b):
        assert vault.replace_wallet(old) == (new, False)
        assert vault.replace_wallet(old.id, words=24) == (new, False)
        assert vault.create_wallet(project, "ethereum", label="hot") == (new, False)
        assert vault.find_wallet(project, "ethereum", "hot") == new
        assert vault.get_wallet(old.id).status == "replaced"
        assert key_of(vault, old) == key, "a retired wallet stays openable"
    assert deployment.live(project) == 1
    assert [wallet.id for wallet in vault_a.list_wallets(project).wallets] == [old.id, new.id]
    assert actions_of(deployment, old)[:3] == ["create", "export", "replace"]
    assert actions_of(deployment, new) == ["create"]
    deployment.assert_sound()


def test_replace_can_go_on_and_each_wallet_keeps_its_own_successor(deployment: Deployment, vault_a: Vault) -> None:
    first, _ = vault_a.create_wallet(deployment.project(), "solana")
    second, _ = vault_a.replace_wallet(first)
    third, _ = vault_a.replace_wallet(second)
    found, created = vault_a.replace_wallet(first)
    assert (found.id, found.status, created) == (second.id, "replaced", False)
    assert vault_a.replace_wallet(second) == (third, False)
    assert vault_a.find_wallet(first.project_id, "solana") == third
    deployment.assert_sound(vault_a)


def test_32_replacers_at_once_make_one_successor(deployment: Deployment, vault_a: Vault, vault_b: Vault) -> None:
    old, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    results = at_once(many(CALLERS // 2, *(partial(vault.replace_wallet, old) for vault in (vault_a, vault_b))))
    answers = [result for result in results if isinstance(result, tuple)]
    assert len(answers) == CALLERS, results
    assert len({wallet.id for wallet, _ in answers}) == 1
    assert [created for _, created in answers].count(True) == 1
    assert deployment.live(old.project_id) == 1
    assert vault_a.count_wallets() == 2
    deployment.assert_sound(vault_a)


@pytest.mark.thorough(sample=1)
def test_32_processes_that_replace_at_once_make_one_successor(
    core_deployments: Deployment, fork_server: ForkServer
) -> None:
    fork_server.warm_up(children.warm_up)
    with core_deployments.open() as vault:
        old, _ = vault.create_wallet(core_deployments.project(), "ethereum")
    arguments = {"url": core_deployments.url, "root_key": core_deployments.root_key, "wallet": str(old.id)}
    reports = fork_server.race(lifecycle.race_to_replace, [arguments] * CALLERS)
    lines = [report.printed[0] for report in reports]
    assert len({line["id"] for line in lines}) == 1
    assert [line["created"] for line in lines].count(True) == 1
    core_deployments.assert_sound()


def test_creators_alongside_a_replacement_get_the_old_wallet_or_the_new_one(
    deployment: Deployment, vault_a: Vault, vault_b: Vault
) -> None:
    project = deployment.project()
    for number in range(ROUNDS):
        label = f"round-{number}"
        old, _ = vault_a.create_wallet(project, "ethereum", label=label)
        create: Callable[[], Created] = partial(vault_b.create_wallet, project, "ethereum", label=label)
        replace: Callable[[], Created] = partial(vault_a.replace_wallet, old)
        results = at_once([create] * 4 + [replace] * 2 + [create] * 4)
        answers = [result for result in results if isinstance(result, tuple)]
        assert len(answers) == len(results), results
        live = vault_a.find_wallet(project, "ethereum", label)
        assert live is not None
        assert live.id != old.id
        assert {wallet.id for wallet, _ in answers} <= {old.id, live.id}
        assert [created for _, created in answers].count(True) == 1, "the replacer, once"
        assert deployment.live(project) == number + 1
    assert vault_a.count_wallets() == 2 * ROUNDS
    deployment.assert_sound(vault_a)


def test_an_idempotency_key_answers_one_replacement(deployment: Deployment, vault_a: Vault, vault_b: Vault) -> None:
    project = deployment.project()
    old, _ = vault_a.create_wallet(project, "ethereum")
    other, _ = vault_a.create_wallet(project, "ethereum", label="other")
    new, created = vault_a.replace_wallet(old, idempotency_key="order-1")
    assert created
    assert vault_b.replace_wallet(old, idempotency_key="order-1") == (new, False)
    before = rows_of(deployment)
    again = partial(vault_b.replace_wallet, idempotency_key="order-1")
    calls: list[tuple[Callable[[], object], set[str]]] = [
        (partial(again, old, words=24), {"words"}),
        (partial(again, other), {"label", "replaces"}),
        (partial(vault_b.create_wallet, project, "ethereum", idempotency_key="order-1"), {"operation", "replaces"}),
    ]
    for call, fields in calls:
        with pytest.raises(strongroom.IdempotencyConflictError) as caught:
            call()
        assert set(caught.value.fields) >= fields
    assert rows_of(deployment) == before
    with pytest.raises(strongroom.InvalidIdempotencyKeyError):
        vault_a.create_wallet(project, "bitcoin", idempotency_key=f"strongroom:replace:{other.id}")
    deployment.assert_sound(vault_a)


def test_an_idempotency_key_that_comes_after_the_successor_is_bound_to_it(
    deployment: Deployment, vault_a: Vault
) -> None:
    project = deployment.project()
    old, _ = vault_a.create_wallet(project, "ethereum")
    other, _ = vault_a.create_wallet(project, "bitcoin")
    new, _ = vault_a.replace_wallet(old)
    assert vault_a.replace_wallet(old, idempotency_key="order-1") == (new, False)
    with pytest.raises(strongroom.IdempotencyConflictError):
        vault_a.replace_wallet(other, idempotency_key="order-1")
    assert vault_a.find_wallet(project, "bitcoin") == other


def test_one_idempotency_key_on_two_wallets_at_once_replaces_one_of_them(
    deployment: Deployment, vault_a: Vault, vault_b: Vault
) -> None:
    project = deployment.project()
    wallets = [vault_a.create_wallet(project, network)[0] for network in ("ethereum", "bitcoin")]
    calls = (
        partial(vault.replace_wallet, wallet, idempotency_key="order-1")
        for vault in (vault_a, vault_b)
        for wallet in wallets
    )
    results = at_once(many(4, *calls))
    answers = [result for result in results if isinstance(result, tuple)]
    conflicts = [result for result in results if isinstance(result, strongroom.IdempotencyConflictError)]
    assert len(answers) == len(conflicts) == 8, results
    assert len({wallet.id for wallet, _ in answers}) == 1
    assert vault_a.count_wallets() == 3
    deployment.assert_sound(vault_a)


def test_a_wallet_whose_slot_was_pointed_elsewhere_is_not_replaced(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    stale, _ = vault_a.create_wallet(project, "ethereum", label="a")
    live, _ = vault_a.create_wallet(project, "ethereum", label="b")
    deployment.execute("UPDATE strongroom_slot SET credential_id = ? WHERE label = 'a'", live.id)
    before = rows_of(deployment)
    with pytest.raises(strongroom.IdentityMismatchError, match="slot") as refused:
        vault_a.replace_wallet(stale, idempotency_key="order-1")
    assert refused.value.columns == ("tag",)
    assert rows_of(deployment) == before
    assert deployment.execute("SELECT key FROM strongroom_idempotency") == []


def test_a_replay_of_the_first_request_returns_the_first_wallet_with_its_status(
    deployment: Deployment, vault_a: Vault, vault_b: Vault
) -> None:
    project = deployment.project()
    old, _ = vault_a.create_wallet(project, "ethereum", idempotency_key="order-1")
    new, _ = vault_a.replace_wallet(old)
    replayed, created = vault_b.create_wallet(project, "ethereum", idempotency_key="order-1")
    assert (replayed.id, replayed.status, created) == (old.id, "replaced", False)
    assert vault_b.create_wallet(project, "ethereum") == (new, False)
    assert vault_b.create_wallet(project, "ethereum", idempotency_key="order-2") == (new, False)
    elsewhere = deployment.project()
    assert vault_b.create_wallet(elsewhere, "ethereum", idempotency_key="order-1").created, "scope is the project"
    vault_a.revoke_wallet(new)
    for key in ("order-2", None):
        with pytest.raises(strongroom.WalletRevokedError, match=str(new.id) if key is None else "idempotency key"):
            vault_b.create_wallet(project, "ethereum", idempotency_key=key)


def test_a_successor_has_the_variant_of_the_wallet_before_it(deployment: Deployment, vault_a: Vault) -> None:
    old, _ = vault_a.create_wallet(deployment.project(), "bitcoin", variant="taproot")
    new, _ = vault_a.replace_wallet(old)
    assert (new.scheme, new.path) == (old.scheme, old.path)
    assert new.address.startswith("bc1p")
    assert vault_a.create_wallet(old.project_id, "bitcoin", variant="taproot") == (new, False)
    deployment.assert_sound(vault_a)


def test_a_wallet_whose_key_was_lost_may_be_replaced(deployment: Deployment, vault_a: Vault) -> None:
    old, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    deployment.execute("UPDATE credential_vault_storage SET encrypted_private_key = ''")
    with pytest.raises(strongroom.KeyMissingError):
        vault_a.create_wallet(old.project_id, "ethereum")
    new, created = vault_a.replace_wallet(old)
    assert created
    assert vault_a.create_wallet(old.project_id, "ethereum") == (new, False)


def test_replace_refuses_what_is_not_there(deployment: Deployment, vault_a: Vault) -> None:
    with pytest.raises(strongroom.WalletNotFoundError):
        vault_a.replace_wallet(uuid4())
    with pytest.raises(strongroom.InvalidWalletIdError):
        vault_a.replace_wallet("no id")
    with pytest.raises(strongroom.WalletNotFoundError):
        vault_a.revoke_wallet(uuid4())


# --- connections that are lost -------------------------------------------------------------------------------


@pytest.fixture(params=["fresh", "g4"])
def behind(request: pytest.FixtureRequest, proxy: Proxy) -> Iterator[tuple[Deployment, str]]:
    """A place on PostgreSQL, and its URL through the proxy."""
    with open_deployment(request.param, request) as deployment:
        with psycopg.connect(deployment.url) as connection:
            name = str(connection.info.dbname)
        yield deployment, proxy.url(name)


@pytest.mark.parametrize("mode", ["before", "after", "in_flight"])
@pytest.mark.parametrize(
    "trap",
    [COMMIT, runs("UPDATE strongroom_slot"), runs("INSERT INTO strongroom_idempotency")],
    ids=["commit", "slot", "idempotency"],
)
def test_a_connection_cut_during_a_replacement_gives_the_right_answer(
    behind: tuple[Deployment, str], proxy: Proxy, mode: Mode, trap: Callable[..., bool]
) -> None:
    deployment, url = behind
    with strongroom.open(url, root_key=deployment.root_key) as vault:
        old, _ = vault.create_wallet(deployment.project(), "ethereum")
        armed = proxy.arm(trap, mode)
        new, created = vault.replace_wallet(old, idempotency_key="order-1")
        assert armed.fired
        assert created
        assert vault.replace_wallet(old) == (new, False)
        assert vault.replace_wallet(old, idempotency_key="order-1") == (new, False)
        assert vault.count_wallets() == 2
    deployment.assert_sound()


@pytest.mark.parametrize("mode", ["before", "after", "in_flight"])
def test_a_server_that_stays_away_during_a_replacement_gives_a_retryable_error(
    behind: tuple[Deployment, str], proxy: Proxy, mode: Mode
) -> None:
    deployment, url = behind
    with strongroom.open(url, root_key=deployment.root_key) as vault:
        old, _ = vault.create_wallet(deployment.project(), "ethereum")
        proxy.arm(COMMIT, mode, stay_down=True)
        with pytest.raises(strongroom.StoreError) as caught:
            vault.replace_wallet(old)
        assert caught.value.retryable
        proxy.disarm()
        committed = vault.count_wallets() == 2
        assert committed or mode != "after"
        new, created = vault.replace_wallet(old)
        assert created is not committed
        assert vault.replace_wallet(old) == (new, False)
        assert vault.count_wallets() == 2
    deployment.assert_sound()


@pytest.mark.parametrize("mode", ["before", "after", "in_flight"])
def test_a_connection_cut_during_a_revocation_gives_the_right_answer(
    behind: tuple[Deployment, str], proxy: Proxy, mode: Mode
) -> None:
    deployment, url = behind
    with strongroom.open(url, root_key=deployment.root_key) as vault:
        wallet, _ = vault.create_wallet(deployment.project(), "ethereum")
        armed = proxy.arm(COMMIT, mode)
        assert vault.revoke_wallet(wallet).status == "revoked"
        assert armed.fired
    assert actions_of(deployment, wallet).count("revoke") == 1
    deployment.assert_sound()


# --- revoke --------------------------------------------------------------------------------------------------


def test_a_revoked_wallet_is_not_made_again_until_it_is_replaced(
    deployment: Deployment, vault_a: Vault, vault_b: Vault
) -> None:
    project = deployment.project()
    wallet, _ = vault_a.create_wallet(project, "ethereum")
    key, text = key_of(vault_a, wallet), deployment.texts()[wallet.id]
    revoked = vault_a.revoke_wallet(wallet, actor=uuid4(), reason="left the company")
    assert (revoked.id, revoked.status, revoked.access_level) == (wallet.id, "revoked", "revoked")
    assert vault_b.get_wallet(wallet.id) == revoked
    calls: list[Callable[[], object]] = [
        lambda: vault_b.create_wallet(project, "ethereum"),
        lambda: vault_b.create_wallet(project, "ethereum", idempotency_key="order-1"),
        lambda: vault_b.import_wallet(project, "ethereum", private_key=key),
    ]
    for call in calls:
        with pytest.raises(strongroom.WalletRevokedError):
            call()
    assert deployment.texts() == {wallet.id: text}, "nothing is deleted, nothing is changed"
    assert key_of(vault_b, wallet) == key
    assert deployment.live(project) == 0
    new, created = vault_b.replace_wallet(wallet)
    assert created
    assert vault_a.create_wallet(project, "ethereum") == (new, False)
    assert vault_a.get_wallet(wallet.id).status == "revoked", "a revoked wallet stays revoked"
    assert key_of(vault_a, wallet) == key
    deployment.assert_sound(vault_a)


def test_to_revoke_again_changes_nothing(deployment: Deployment, vault_a: Vault, vault_b: Vault) -> None:
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    results = at_once(many(8, *(partial(vault.revoke_wallet, wallet) for vault in (vault_a, vault_b))))
    assert {result.status if isinstance(result, Wallet) else repr(result) for result in results} == {"revoked"}
    before = rows_of(deployment)
    assert vault_a.revoke_wallet(wallet).status == "revoked"
    assert rows_of(deployment) == before
    assert actions_of(deployment, wallet) == ["create", "revoke"]


def test_revoke_alongside_replace_leaves_a_revoked_wallet_and_its_successor(
    deployment: Deployment, vault_a: Vault, vault_b: Vault
) -> None:
    project = deployment.project()
    for number in range(ROUNDS):
        label = f"round-{number}"
        wallet, _ = vault_a.create_wallet(project, "ethereum", label=label)
        revoke: Callable[[], object] = partial(vault_a.revoke_wallet, wallet)
        replace: Callable[[], object] = partial(vault_b.replace_wallet, wallet)
        results = at_once([revoke, replace, revoke, replace])
        assert [result for result in results if isinstance(result, Exception)] == []
        successor, created = vault_a.create_wallet(project, "ethereum", label=label)
        assert not created
        assert vault_a.replace_wallet(wallet) == (successor, False)
        assert vault_a.get_wallet(wallet).status == "revoked"
        assert deployment.live(project) == number + 1
    deployment.assert_sound(vault_a)


def test_creators_alongside_a_revocation_get_the_wallet_or_are_told_that_it_was_revoked(
    deployment: Deployment, vault_a: Vault, vault_b: Vault
) -> None:
    project = deployment.project()
    for number in range(ROUNDS):
        label = f"round-{number}"
        wallet, _ = vault_a.create_wallet(project, "ethereum", label=label)
        create: Callable[[], object] = partial(vault_b.create_wallet, project, "ethereum", label=label)
        revoke: Callable[[], object] = partial(vault_a.revoke_wallet, wallet)
        for result in at_once([create] * 3 + [revoke] + [create] * 3):
            if isinstance(result, Exception):
                assert isinstance(result, strongroom.WalletRevokedError), result
            else:
                found = result[0] if isinstance(result, tuple) else result
                assert isinstance(found, Wallet)
                assert found.id == wallet.id
    assert vault_a.count_wallets() == ROUNDS
    deployment.assert_sound(vault_a)


@pytest.mark.parametrize("backend", ["g2", "g3", "g4"])
def test_a_legacy_wallet_is_revoked_and_replaced_like_one_of_ours(backend: str, request: pytest.FixtureRequest) -> None:
    with open_deployment(backend, request) as deployment, deployment.open() as vault:
        address = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
        projects = [deployment.project() for _ in range(2)]
        theirs = [insert_theirs(deployment, project, address) for project in projects]
        revoked = vault.revoke_wallet(theirs[0])
        assert revoked.status == "revoked"
        with pytest.raises(strongroom.WalletRevokedError):
            vault.create_wallet(projects[0], "ethereum")
        for project, wallet in zip(projects, theirs, strict=True):
            new, created = vault.replace_wallet(wallet)
            assert created
            assert vault.create_wallet(project, "ethereum") == (new, False)
            assert deployment.live(project) == 1
        kept = {deployment.texts()[wallet] for wallet in theirs}
        assert kept == {"their text"}, "the legacy application's text stays as it is"


@pytest.mark.parametrize("backend", ["g4"])
def test_one_of_two_legacy_wallets_is_revoked_and_the_other_one_found(
    backend: str, request: pytest.FixtureRequest
) -> None:
    with open_deployment(backend, request) as deployment, deployment.open() as vault:
        project = deployment.project()
        first = insert_theirs(deployment, project, "0x9858EfFD232B4033E47d90003D41EC34EcaEda94")
        second = insert_theirs(deployment, project, "0x6Fac4D18c912343BF86fa7049364Dd4E424Ab9C0")
        with pytest.raises(strongroom.AmbiguousWalletError):
            vault.create_wallet(project, "ethereum")
        vault.revoke_wallet(first)
        found, created = vault.create_wallet(project, "ethereum")
        assert (found.id, created) == (second, False)


@pytest.mark.parametrize("backend", ["g4"])
def test_a_retired_legacy_wallet_is_not_replaced_alongside_a_live_one(
    backend: str, request: pytest.FixtureRequest
) -> None:
    with open_deployment(backend, request) as deployment, deployment.open() as vault:
        project = deployment.project()
        retired = insert_theirs(deployment, project, "0x9858EfFD232B4033E47d90003D41EC34EcaEda94")
        deployment.execute("UPDATE project_credentials SET is_active = false WHERE id = ?", retired)
        live = insert_theirs(deployment, project, "0x6Fac4D18c912343BF86fa7049364Dd4E424Ab9C0")
        with pytest.raises(strongroom.SlotMovedError):
            vault.replace_wallet(retired)
        assert vault.create_wallet(project, "ethereum").wallet.id == live


def insert_theirs(deployment: Deployment, project: UUID, address: str) -> UUID:
    """A wallet as the legacy application writes it: two statements, a text that is not ours."""
    wallet = uuid4()
    deployment.execute(
        "INSERT INTO project_credentials (id, project_id, public_key, key_vault_id, wallet_address, network,"
        " credential_type) VALUES (?, ?, '02', ?, ?, 'ethereum', 'ethereum_wallet')",
        wallet,
        project,
        f"vault_{wallet}",
        address,
    )
    changed = deployment.execute(
        "UPDATE credential_vault_storage SET encrypted_private_key = 'their text' WHERE credential_id = ? RETURNING id",
        wallet,
    )
    if not changed:
        deployment.execute(
            "INSERT INTO credential_vault_storage (credential_id, vault_id, encrypted_private_key)"
            " VALUES (?, ?, 'their text')",
            wallet,
            f"vault_{wallet}",
        )
    return wallet


# --- leaks ---------------------------------------------------------------------------------------------------


@pytest.mark.thorough(but=("sqlite", "g4"))
@pytest.mark.parametrize("backend", ["sqlite", "fresh", "g4"])
def test_no_verb_of_the_life_of_a_wallet_shows_a_key(
    backend: str,
    request: pytest.FixtureRequest,
    private_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from strongroom.rootkeys import local

    root_text = local.new_text().reveal_text()
    monkeypatch.setenv("LIFE_ROOT_KEY", root_text)
    key = os.urandom(32)
    canaries = [
        Canary(key),
        Canary(local.parse_text(strongroom.Secret.from_text(root_text), "test").reveal(), texts={"text": root_text}),
    ]
    with open_deployment(backend, request) as deployment, caplog.at_level(logging.DEBUG):
        server: PostgresServer | None = None
        if backend != "sqlite":
            server = request.getfixturevalue("postgres")
            with psycopg.connect(deployment.url, autocommit=True) as administrator:
                name = administrator.info.dbname
                for setting in ("log_statement = 'all'", "log_parameter_max_length = -1"):
                    administrator.execute(f'ALTER DATABASE "{name}" SET {setting}'.encode())
        with deployment.open() as vault:
            old, _ = vault.import_wallet(deployment.project(), "ethereum", private_key=key.hex())
            seen: list[object] = [vault, old]
            vault.add_root_key("env:LIFE_ROOT_KEY", actor="me", reason="test")
            vault.check_root_key("env:LIFE_ROOT_KEY")
            seen += [
                vault.rotate_sealing_key(),
                list(vault.rewrap()),
                vault.history(old),
                vault.status().as_dict(),
            ]
            new, _ = vault.replace_wallet(old)
            revealed = vault.reveal(new, actor="test", reason="to know what to search for")
            words = revealed.mnemonic.reveal_text().split() if revealed.mnemonic else []
            text = revealed.private_key.reveal_text()
            canaries.append(Canary(bytes.fromhex(text.removeprefix("0x")), words, {"exported text": text}))
            seen += [new, vault.revoke_wallet(new), vault.get_wallet(old)]
            deployment.execute(
                "UPDATE credential_vault_storage SET encrypted_private_key = '' WHERE credential_id = ?", old.id
            )
            seen.append(vault.restore(old))
            errors: list[strongroom.StrongroomError] = []
            monkeypatch.setenv("LIFE_ROOT_KEY", local.new_text().reveal_text())
            for call in (
                lambda: vault.check_root_key("env:LIFE_ROOT_KEY"),
                vault.rotate_sealing_key,
                lambda: vault.remove_root_key(deployment.root_key),
                lambda: vault.import_wallet(new.project_id, "ethereum", private_key=key.hex()),
            ):
                with pytest.raises(strongroom.StrongroomError) as caught:
                    call()
                errors.append(caught.value)
        leaks = []
        for canary in canaries:
            for value in seen:
                leaks += canary.in_object(value, f"what {type(value).__name__} shows")
            for error in errors:
                leaks += canary.in_exception(error)
            leaks += canary.in_text(caplog.text, "the logs")
            if server is None:
                connection = sqlite3.connect(sqlite_path(deployment.url))
                connection.execute("VACUUM")
                connection.close()
                leaks += canary.in_tree(sqlite_path(deployment.url).parent)
            else:
                execute(deployment.url, "CHECKPOINT")
                leaks += canary.in_tree(server.directory) + canary.in_text(server.read_log(), "the server's log")
    assert leaks == [], report(leaks)


def test_an_idempotency_key_returns_no_wallet_that_was_revoked(
    deployment: Deployment, vault_a: Vault, vault_b: Vault
) -> None:
    """By none of the verbs that take a key, and from no process; nothing is written."""
    project, key = deployment.project(), "2c" * 32
    made, _ = vault_a.create_wallet(project, "ethereum", idempotency_key="made")
    imported, _ = vault_a.import_wallet(project, "ethereum", label="b", private_key=key, idempotency_key="imported")
    old, _ = vault_a.create_wallet(project, "ethereum", label="c")
    successor, _ = vault_a.replace_wallet(old, idempotency_key="replaced")
    for wallet in (made, imported, successor):
        vault_a.revoke_wallet(wallet)
    before = rows_of(deployment)
    for vault in (vault_a, vault_b):
        calls: list[Callable[[], object]] = [
            partial(vault.create_wallet, project, "ethereum", idempotency_key="made"),
            partial(vault.import_wallet, project, "ethereum", label="b", private_key=key, idempotency_key="imported"),
            partial(vault.replace_wallet, old, idempotency_key="replaced"),
        ]
        for call in calls:
            with pytest.raises(strongroom.WalletRevokedError, match="idempotency key"):
                call()
    assert rows_of(deployment) == before
