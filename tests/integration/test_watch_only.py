"""An account's xpub and a private key of it do not both leave the vault, whoever asks at once, unless one says so."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from bip_utils import Bip32Slip10Secp256k1, EthAddrEncoder
from embit.descriptor import Descriptor  # type: ignore[import-untyped]
from embit.networks import NETWORKS  # type: ignore[import-untyped]

import strongroom
from strongroom import AccountExposedError, AccountXpub, Vault, Wallet, XpubNotSupportedError
from testbed.concurrency import at_once
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.rows import execute
from testbed.servers.postgres import wait_until

BY: dict[str, Any] = {"actor": "test", "reason": "to compare"}
WORDS = "test test test test test test test test test test test junk"
GIVEN: dict[str, Any] = {"give_away_account": True, **BY}


@pytest.fixture
def project(deployment: Deployment, vault_a: Vault) -> UUID:
    """A project with a phrase."""
    made = deployment.project()
    vault_a.create_phrase(made)
    return made


def derived(vault: Vault, project: UUID, network: str = "ethereum", label: str = "a", **how: Any) -> Wallet:
    return vault.create_wallet(project, network, label=label, phrase="default", **how).wallet


def left(deployment: Deployment, project: UUID) -> list[tuple[Any, ...]]:
    """What the rows say has left the branches of a project's phrases."""
    sql = "SELECT path, xpub_exported, key_revealed FROM strongroom_phrase_branch WHERE project_id = ? ORDER BY path"
    return [(path, bool(xpub), bool(key)) for path, xpub, key in deployment.execute(sql, project)]


# --- what is exported ----------------------------------------------------------------------------------------


def test_the_addresses_of_an_xpub_are_those_of_the_wallets(vault_a: Vault, project: UUID) -> None:
    made = vault_a.create_many(project, "ethereum", count=4, label_prefix="c-")
    exported = vault_a.export_xpub(project, "ethereum", **BY)
    node = Bip32Slip10Secp256k1.FromExtendedKey(exported.xpub).ChildKey(0)
    for index, each in enumerate(made):
        assert EthAddrEncoder.EncodeKey(node.ChildKey(index).PublicKey().KeyObject()) == each.wallet.address
    assert (exported.path, exported.template) == ("m/44'/60'/0'", "m/44'/60'/0'/0/{index}")
    assert exported.fingerprint == vault_a.get_phrase(project).fingerprint
    assert vault_a.list_log(action="xpub-export").records[0].details["path"] == "m/44'/60'/0'"
    assert exported.xpub not in repr(exported)


@pytest.mark.parametrize("variant", ["default", "taproot", "legacy", "nested"])
def test_the_addresses_of_a_descriptor_are_those_of_the_wallets(vault_a: Vault, project: UUID, variant: str) -> None:
    made = vault_a.create_many(project, "bitcoin", count=3, label_prefix="c-", variant=variant, account=2)
    exported = vault_a.export_xpub(project, "bitcoin", variant=variant, account=2, **BY)
    descriptor = Descriptor.from_string(str(exported.descriptor).partition("#")[0])
    assert [descriptor.derive(index).address(NETWORKS["main"]) for index in range(3)] == [
        each.wallet.address for each in made
    ]


def test_hardened_indices_have_no_xpub(deployment: Deployment, vault_a: Vault, project: UUID) -> None:
    with pytest.raises(XpubNotSupportedError, match="solana") as caught:
        vault_a.export_xpub(project, "solana", **BY)
    assert "list of their addresses" in caught.value.hint
    for path in ("m/44'/60'/{index}'/0/0", "m/44'/60'/{index}/0'"):
        with pytest.raises(XpubNotSupportedError):
            vault_a.export_xpub(project, "ethereum", path=path, **BY)
    with pytest.raises(strongroom.InvalidActorError):
        vault_a.export_xpub(project, "ethereum", actor="", reason="")
    assert left(deployment, project) == []


def test_a_phrase_that_was_replaced_can_still_be_watched(vault_a: Vault, project: UUID) -> None:
    wallet = derived(vault_a, project)
    old = vault_a.get_phrase(project)
    vault_a.replace_phrase(project)
    exported = vault_a.export_xpub(project, "ethereum", phrase=old.id, **BY)
    node = Bip32Slip10Secp256k1.FromExtendedKey(exported.xpub).ChildKey(0).ChildKey(0)
    assert EthAddrEncoder.EncodeKey(node.PublicKey().KeyObject()) == wallet.address


# --- what must not leave together ----------------------------------------------------------------------------


def test_after_an_xpub_no_key_of_the_account_leaves(deployment: Deployment, vault_a: Vault, project: UUID) -> None:
    wallet = derived(vault_a, project)
    vault_a.export_xpub(project, "ethereum", **BY)
    before = len(vault_a.list_log(wallet=wallet.id).records)
    for take_out in (
        lambda: vault_a.reveal(wallet, **BY),
        lambda: vault_a.export_keystore(wallet, password="x" * 12, **BY),
    ):
        with pytest.raises(AccountExposedError, match="every key of that account"):
            take_out()
    assert len(vault_a.list_log(wallet=wallet.id).records) == before
    assert left(deployment, project) == [("m/44'/60'/0'", True, False)]
    assert vault_a.reveal(wallet, **GIVEN).private_key.reveal_text()
    assert left(deployment, project) == [("m/44'/60'/0'", True, True)]
    with pytest.raises(AccountExposedError):  # each time anew
        vault_a.reveal(wallet, **BY)
    with pytest.raises(AccountExposedError):
        vault_a.export_xpub(project, "ethereum", **BY)
    assert vault_a.sign_message(wallet, "a wallet signs as before").as_dict()


def test_after_a_key_no_xpub_of_the_account_leaves(deployment: Deployment, vault_a: Vault, project: UUID) -> None:
    wallet = derived(vault_a, project)
    assert vault_a.reveal(wallet, **BY).private_key.reveal_text()
    assert vault_a.reveal(wallet, **BY).private_key.reveal_text()
    with pytest.raises(AccountExposedError, match="was revealed"):
        vault_a.export_xpub(project, "ethereum", **BY)
    assert left(deployment, project) == [("m/44'/60'/0'", False, True)]
    assert vault_a.export_xpub(project, "ethereum", account=1, **BY).path == "m/44'/60'/1'"
    assert vault_a.export_xpub(project, "ethereum", **GIVEN).xpub
    told = {each.template[10:12]: (each.xpub_exported, each.key_revealed) for each in vault_a.list_accounts(project)}
    assert told == {"0'": (True, True), "1'": (True, False)}


def test_chains_that_share_their_keys_share_their_marks(vault_a: Vault, project: UUID) -> None:
    on_polygon = derived(vault_a, project, "polygon")
    other_path = derived(vault_a, project, "base", path="m/44'/60'/0'/{index}")
    like_ledger = derived(vault_a, project, "mantle", path="m/44'/60'/{index}'/0/0")
    apart = derived(vault_a, project, "ethereum", account=5)
    on_solana, on_bitcoin = derived(vault_a, project, "solana"), derived(vault_a, project, "bitcoin")
    on_injective = derived(vault_a, project, "injective")
    without_xpubs = derived(vault_a, project, "sui", variant="secp256k1", path="m/44'/60'/0'/0/{index}")
    vault_a.export_xpub(project, "ethereum", **BY)
    for wallet in (on_polygon, other_path, like_ledger, on_injective, without_xpubs):
        with pytest.raises(AccountExposedError):
            vault_a.reveal(wallet, **BY)
    for wallet in (apart, on_solana, on_bitcoin):
        assert vault_a.reveal(wallet, **BY).private_key.reveal_text()


@pytest.mark.parametrize("network", ["cosmos", "injective", "tron"])
def test_accounts_of_cosmos_and_tron_are_watched_and_those_of_ed25519_are_not(
    vault_a: Vault, project: UUID, network: str
) -> None:
    wallet = derived(vault_a, project, network)
    assert wallet.path is not None
    exported = vault_a.export_xpub(project, network, **BY)
    assert (exported.path, exported.slip132, exported.descriptor) == (wallet.path.removesuffix("/0/0"), None, None)
    with pytest.raises(AccountExposedError):
        vault_a.reveal(wallet, **BY)
    with pytest.raises(XpubNotSupportedError):
        vault_a.export_xpub(project, "near", **BY)


def test_a_wallet_of_a_path_that_is_all_hardened_is_a_branch_itself(vault_a: Vault, project: UUID) -> None:
    wallet = derived(vault_a, project, path="m/44'/60'/{index}'")
    vault_a.export_xpub(project, "ethereum", **BY)
    with pytest.raises(AccountExposedError):
        vault_a.reveal(wallet, **BY)


def test_a_key_that_was_kept_is_a_key_of_its_account(deployment: Deployment, vault_a: Vault, project: UUID) -> None:
    wallet = derived(vault_a, project)
    vault_a.rotate_sealing_key()
    assert all(result.ok for result in vault_a.rewrap())
    entry = vault_a.history(wallet).entries[0].id
    vault_a.export_xpub(project, "ethereum", **BY)
    with pytest.raises(AccountExposedError):
        vault_a.reveal_kept(entry, **BY)
    assert vault_a.reveal_kept(entry, **GIVEN).address == wallet.address
    assert left(deployment, project) == [("m/44'/60'/0'", True, True)]


def test_marks_move_to_another_sealing_key(deployment: Deployment, vault_a: Vault, project: UUID) -> None:
    wallet, other = derived(vault_a, project), derived(vault_a, project, label="b", account=1)
    vault_a.export_xpub(project, "ethereum", **BY)
    vault_a.reveal(other, **BY)
    vault_a.rotate_sealing_key()
    assert all(result.ok for result in vault_a.rewrap())
    assert sorted(deployment.states().values()) == ["active", "retired"]
    with deployment.open() as vault, pytest.raises(AccountExposedError):
        vault.reveal(wallet, **BY)
    with pytest.raises(AccountExposedError):
        vault_a.export_xpub(project, "base", account=1, **BY)
    assert left(deployment, project) == [("m/44'/60'/0'", True, False), ("m/44'/60'/1'", False, True)]


def test_a_vault_that_does_not_know_of_the_newest_sealing_key_marks_under_it(
    deployment: Deployment, vault_a: Vault, vault_b: Vault, project: UUID
) -> None:
    wallet = derived(vault_a, project)
    vault_b.rotate_sealing_key()
    assert all(result.ok for result in vault_b.rewrap())
    vault_a.export_xpub(project, "ethereum", **BY)
    with pytest.raises(AccountExposedError):
        vault_b.reveal(wallet, **BY)


def test_wallets_with_phrases_of_their_own_leave_no_mark(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    wallet = vault_a.create_wallet(project, "ethereum").wallet
    imported = vault_a.import_wallet(project, "base", mnemonic=WORDS).wallet
    assert vault_a.reveal(wallet, **BY).mnemonic is not None
    assert vault_a.reveal(imported, **GIVEN).mnemonic is not None
    assert left(deployment, project) == []


# --- who writes to the rows ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    ["xpub_exported = false", "path = 'm'", "version = 1", "tag = 'x'", "kid = 'x'", "key_revealed = true"],
)
def test_a_mark_that_was_changed_is_told(
    deployment: Deployment, vault_a: Vault, vault_b: Vault, project: UUID, change: str
) -> None:
    wallet, other = derived(vault_a, project), deployment.project()
    vault_a.export_xpub(project, "ethereum", **BY)
    deployment.execute(f"UPDATE strongroom_phrase_branch SET {change} WHERE project_id = ?", project)
    for vault in (vault_a, vault_b):
        if change.startswith("path"):
            with pytest.raises(strongroom.IdentityMismatchError):
                vault.list_accounts(project)
            continue
        for ask in (
            partial(vault.reveal, wallet, **BY),
            partial(vault.export_xpub, project, "ethereum", **GIVEN),
            partial(vault.list_accounts, project),
        ):
            with pytest.raises(strongroom.IdentityMismatchError):
                ask()
    assert vault_a.find_phrase(other) is None


def test_no_log_row_no_xpub_and_no_key(vault_url: str, root_key_uri: str) -> None:
    project = uuid4()
    with strongroom.open(vault_url, root_key=root_key_uri) as vault:
        vault.create_phrase(project)
        wallet = derived(vault, project)
        for table, ask in (
            ("strongroom_events", partial(vault.export_xpub, project, "ethereum", **BY)),
            ("credential_usage_logs", partial(vault.reveal, wallet, **BY)),
        ):
            execute(vault_url, f"ALTER TABLE {table} RENAME TO put_aside")
            with pytest.raises(strongroom.StoreError):
                ask()
            execute(vault_url, f"ALTER TABLE put_aside RENAME TO {table}")
            assert execute(vault_url, "SELECT path FROM strongroom_phrase_branch") == []


@pytest.mark.one_server
@pytest.mark.parametrize("change", ["INSERT", "UPDATE"])
@pytest.mark.parametrize("deployment", ["sqlite", "fresh", "g3"], indirect=True)
def test_a_mark_that_a_trigger_swallows_lets_nothing_out(
    deployment: Deployment, vault_a: Vault, project: UUID, change: str
) -> None:
    wallet, table = derived(vault_a, project), "strongroom_phrase_branch"
    if deployment.backend == "sqlite":
        deployment.execute(f"CREATE TRIGGER swallows BEFORE {change} ON {table} BEGIN SELECT RAISE(IGNORE); END")
    else:
        deployment.execute("CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        deployment.execute(
            f"CREATE TRIGGER swallows BEFORE {change} ON {table} FOR EACH ROW EXECUTE FUNCTION swallow()"
        )
    for ask in (partial(vault_a.reveal, wallet, **BY), partial(vault_a.export_xpub, project, "ethereum", **BY)):
        with pytest.raises(strongroom.StrongroomError):
            ask()
    assert left(deployment, project) == []
    assert vault_a.list_log(action="export").records == vault_a.list_log(action="xpub-export").records == ()


# --- at once -------------------------------------------------------------------------------------------------


def outcomes(results: list[Any]) -> tuple[int, int, int]:
    """How many xpubs left, how many keys, and how many calls were refused."""
    refused = [each for each in results if isinstance(each, AccountExposedError)]
    xpubs = [each for each in results if isinstance(each, AccountXpub)]
    assert not [each for each in results if isinstance(each, strongroom.StrongroomError) and each not in refused]
    return len(xpubs), len(results) - len(xpubs) - len(refused), len(refused)


def test_an_xpub_and_a_key_never_leave_at_once(deployment: Deployment, vault_a: Vault, vault_b: Vault) -> None:
    """Two vaults, again and again on a new account: one kind leaves, the other is refused."""
    project = deployment.project()
    vault_a.create_phrase(project)
    for account in range(6):
        on_ethereum = derived(vault_a, project, label=f"l{account}", account=account)
        on_base = derived(vault_a, project, "base", label=f"l{account}", account=account)
        calls: list[Callable[[], Any]] = [
            *(partial(vault.export_xpub, project, "bnb", account=account, **BY) for vault in (vault_a, vault_b)),
            partial(vault_a.reveal, on_ethereum, **BY),
            partial(vault_b.reveal, on_base, **BY),
        ]
        xpubs, keys, refused = outcomes(at_once(calls))
        assert (xpubs, keys, refused) in ((2, 0, 2), (0, 2, 2))
    assert all(xpub != key for _, xpub, key in left(deployment, project))


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_both_wait_for_the_branch_and_one_is_refused(isolation: str, request: pytest.FixtureRequest) -> None:
    """Both have begun, and stand before the row that is not there yet, when it is let go."""
    with open_deployment("fresh", request) as deployment:
        with psycopg.connect(deployment.url, autocommit=True) as administrator:
            name = administrator.info.dbname
            setting = f"ALTER DATABASE {name} SET default_transaction_isolation = '{isolation}'"
            administrator.execute(setting.encode())
        with deployment.open() as vault_a, deployment.open() as vault_b, psycopg.connect(deployment.url) as holder:
            project = deployment.project()
            phrase = vault_a.create_phrase(project).phrase
            wallet = derived(vault_a, project)
            holder.execute(
                "INSERT INTO strongroom_phrase_branch VALUES (%s, %s, 'm/44''/60''/0''', false, false, 1, 'k', 't')",
                (project, phrase.id),
            )
            with ThreadPoolExecutor(2) as threads:
                begun: list[Future[Any]] = [
                    threads.submit(vault_a.reveal, wallet, **BY),
                    threads.submit(vault_b.export_xpub, project, "ethereum", **BY),
                ]
                wait_until(partial(_waiting, deployment.url, 2), "They do not wait for the branch.")
                holder.rollback()
                results = [each.exception() or each.result() for each in begun]
        assert outcomes(results) in ((1, 0, 1), (0, 1, 1))


def _waiting(url: str, number: int) -> bool:
    with psycopg.connect(url, autocommit=True) as server:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        found = server.execute(sql).fetchone()
    return found is not None and int(found[0]) == number


@pytest.mark.parametrize(("path", "branch"), [("m/44'/60'/{index}", "m/44'/60'"), ("m/44'/0/{index}", "m/44'")])
def test_an_xpub_above_the_accounts_asks_for_the_callers_word(
    vault_a: Vault, project: UUID, path: str, branch: str
) -> None:
    """With one key right below it, it gives away every account below it."""
    with pytest.raises(AccountExposedError, match=f"at {branch} is above the accounts") as caught:
        vault_a.export_xpub(project, "ethereum", path=path, **BY)
    assert "give_away_account" in caught.value.hint
    assert vault_a.list_log(project_id=project, action="xpub-export").records == ()
    assert vault_a.export_xpub(project, "ethereum", path=path, **GIVEN).path == branch
    assert vault_a.export_xpub(project, "ethereum", path="m/44'/60'/7'/{index}", **BY).path == "m/44'/60'/7'"


def test_addresses_of_change_need_labels_of_their_own(vault_a: Vault, project: UUID) -> None:
    change: dict[str, Any] = {"path": "m/84'/0'/0'/1/{index}"}
    assert vault_a.discover(project, "bitcoin", is_used=first_alone()).next_index == 1
    with pytest.raises(strongroom.PhraseConflictError, match="another index or account has the label discovered-0"):
        vault_a.discover(project, "bitcoin", is_used=first_alone(), **change)
    found = vault_a.discover(project, "bitcoin", is_used=first_alone(), label_prefix="change-", **change)
    assert [each.wallet.path for each in found.wallets] == ["m/84'/0'/0'/1/0"]


def first_alone() -> Callable[[str], bool]:
    """Says of the first address that it is asked about that it is in use."""
    asked: list[str] = []

    def is_used(address: str) -> bool:
        asked.append(address)
        return len(asked) == 1

    return is_used
