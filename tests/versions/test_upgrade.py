"""`strongroom upgrade`: from the last version, alongside its processes, cut off and gone on with, decided by people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom.records.usage_log import Attribution
from strongroom.settings import Settings
from strongroom.wiring import Upgrading, open_upgrade
from testbed.command_line import call
from testbed.databases.rows import execute
from testbed.servers.postgres import PostgresServer
from testbed.versions.earlier import EarlierVersion, unpacked

BACKENDS = ("sqlite", "fresh", "g3")
KEY = "0x" + "11" * 32
TABLES = (
    "project_credentials",
    "credential_vault_storage",
    "credential_usage_logs",
    "strongroom_slot",
    "strongroom_idempotency",
    "strongroom_keyring",
    "strongroom_vault_history",
)
_numbers = count(1)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(tmp_path_factory.mktemp("last-version"))


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(backend: str, private_path: Path, postgres: PostgresServer, make_legacy: Callable[..., str]) -> Iterator[str]:
    """A database without a vault."""
    if backend == "sqlite":
        yield f"sqlite:///{private_path / 'vault.db'}"
        return
    if backend != "fresh":
        yield make_legacy(backend)
        return
    name = f"upgraded_{next(_numbers)}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture
def root_key(private_path: Path) -> str:
    return f"file:{private_path / 'root.key'}"


@pytest.fixture
def shell(url: str, root_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of the command line."""
    monkeypatch.setenv("STRONGROOM_DATABASE_URL", url)
    monkeypatch.setenv("STRONGROOM_ROOT_KEY", root_key)


@pytest.fixture
def before(packages: Path, url: str, root_key: str) -> Iterator[EarlierVersion]:
    """A process of the last version, which made the vault and keeps it open."""
    with EarlierVersion(packages, url, root_key, "init") as process:
        assert process.opened == {"ready": True}
        yield process


def new_project(url: str, backend: str) -> str:
    project = str(uuid4())
    if backend.startswith("g"):
        execute(url, "INSERT INTO projects (id, name) VALUES (?, 'test')", (project,))
    return project


def rows(url: str) -> dict[str, list[str]]:
    return {table: sorted(repr(row) for row in execute(url, f"SELECT * FROM {table}")) for table in TABLES}


def upgraded(url: str, root_key: str, **options: Any) -> Upgrading:
    return open_upgrade(Settings(database=url, root_key=root_key), Attribution(), **options)


def run_whole(url: str, root_key: str) -> list[str]:
    """Upgrade to the end; which records were tagged."""
    opened = upgraded(url, root_key)
    try:
        results = list(opened.upgrade.run())
        assert all(result.tagged for result in results), results
        opened.upgrade.finish()
        return sorted(result.kind for result in results)
    finally:
        opened.vault_context.close()


@pytest.mark.thorough(sample=1)
def test_every_wallet_of_the_last_version_is_what_it_was(
    before: EarlierVersion, url: str, root_key: str, backend: str
) -> None:
    project = new_project(url, backend)
    plain = before.made("create_wallet", project, "ethereum", idempotency_key="order-1")[0]
    hot = before.made("create_wallet", project, "ethereum", label="hot")[0]
    taproot = before.made("create_wallet", project, "bitcoin", variant="taproot")[0]
    revoked = before.made("create_wallet", project, "solana")[0]
    before.made("revoke_wallet", revoked["id"])
    replaced = before.made("create_wallet", project, "polygon")[0]
    successor = before.made("replace_wallet", replaced["id"])[0]
    with pytest.raises(strongroom.UpgradeNeededError):
        strongroom.open(url, root_key=root_key)
    with pytest.raises(strongroom.UpgradeNeededError):
        strongroom.init(url, root_key=root_key)
    kinds = run_whole(url, root_key)
    assert kinds.count("wallet") == 6
    assert kinds.count("slot") == 5
    assert run_whole(url, root_key) == [], "nothing is tagged twice"
    with strongroom.open(url, root_key=root_key) as vault:
        for old in (plain, hot, taproot, successor):
            wallet = vault.get_wallet(old["id"])
            assert wallet.proved
            new = {"created_at": None, "proved": None, "phrase_id": None, "phrase_index": None}
            assert wallet.as_dict() | new == old | new
        assert vault.get_wallet(revoked["id"]).status == "revoked"
        assert vault.get_wallet(replaced["id"]).status == "replaced"
        again, created = vault.create_wallet(project, "ethereum", idempotency_key="order-1")
        assert (str(again.id), created) == (plain["id"], False)
        assert vault.create_wallet(project, "polygon").wallet.id == UUID(successor["id"])
        with pytest.raises(strongroom.WalletRevokedError):
            vault.create_wallet(project, "solana")
        assert all(result.ok for result in vault.verify())
        assert vault.sign_message(vault.get_wallet(plain["id"]), "hello")


def transaction(nonce: int, fee: int) -> dict[str, Any]:
    return {
        "chainId": 1,
        "nonce": nonce,
        "to": "0x" + "22" * 20,
        "value": 1,
        "gas": 21000,
        "maxFeePerGas": fee,
        "maxPriorityFeePerGas": fee // 10,
        "type": 2,
    }


@pytest.mark.thorough(sample=1)
def test_of_two_payloads_under_one_nonce_the_one_that_pays_more_is_kept(
    before: EarlierVersion, url: str, root_key: str, backend: str, shell: None
) -> None:
    project = new_project(url, backend)
    one = before.made("import_wallet", project, "ethereum", private_key=KEY)[0]
    other = before.made("import_wallet", project, "ethereum", private_key=KEY, label="twin")[0]
    for wallet, fee in ((one, 20), (other, 30)):
        before.made("sign_transaction", wallet["id"], transaction(7, fee))
    before.made("sign_transaction", one["id"], transaction(8, 20))
    opened = upgraded(url, root_key)
    try:
        results = list(opened.upgrade.run())
        opened.upgrade.finish()
    finally:
        opened.vault_context.close()
    found = [result.as_found for result in results if result.kind == "nonce"]
    assert sorted(found) == [(), (), ("nonce=7", "chain=1", "collision")]
    with strongroom.open(url, root_key=root_key) as vault:
        assert vault.sign_transaction(other["id"], transaction(7, 30)), "the same payload again"
        for wallet, payload in ((one, transaction(7, 20)), (other, transaction(8, 30)), (one, transaction(7, 40))):
            with pytest.raises(strongroom.NonceConflictError):
                vault.sign_transaction(wallet["id"], payload)
        assert vault.sign_transaction(one["id"], transaction(7, 40), replace=True)
    document = call("doctor", "--json").document
    assert [note["code"] for note in document["notes"] if note["code"] == "nonce-collision"] == ["nonce-collision"]


@pytest.mark.thorough(sample=1)
def test_a_running_process_of_the_last_version_fails_typed_and_writes_nothing(
    before: EarlierVersion, packages: Path, url: str, root_key: str, backend: str
) -> None:
    """During the upgrade, when the tables are changed and no record is tagged yet, and after it."""
    project = new_project(url, backend)
    wallet = before.made("create_wallet", project, "ethereum")[0]
    revealed = {"actor": "auditor", "reason": "test"}
    verbs: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("create_wallet", (project, "bitcoin"), {}),
        ("create_wallet", (project, "bitcoin"), {"idempotency_key": "k"}),
        ("create_wallet", (project, "ethereum"), {"idempotency_key": "k2"}),
        ("import_wallet", (project, "solana"), {"mnemonic": " ".join(["abandon"] * 11 + ["about"])}),
        ("replace_wallet", (wallet["id"],), {}),
        ("sign_transaction", (wallet["id"], transaction(1, 20)), {}),
        ("rotate_sealing_key", (), {}),
        ("add_root_key", ("env:SECOND",), {}),
    ]
    if not backend.startswith("g"):  # the usage log of legacy tables is not ours to close
        verbs += [
            ("sign_message", (wallet["id"], "hello"), {}),
            ("revoke_wallet", (wallet["id"],), {}),
            ("reveal", (wallet["id"],), revealed),
        ]
    opened = upgraded(url, root_key)
    try:
        with strongroom.open(url, root_key=root_key) as vault:
            during = vault.get_wallet(wallet["id"])
            assert not during.proved, "its record carries no tag yet"
            made, _ = vault.create_wallet(project, "base")
            assert made.proved
        for step in ("during", "after"):
            left = rows(url)
            for verb, arguments, options in verbs:
                answer = before.call(verb, *arguments, **options)
                assert answer.get("error") not in (None, "untyped"), (step, verb, answer)
            assert rows(url) == left, step
            if step == "during":
                list(opened.upgrade.run())
                opened.upgrade.finish()
    finally:
        opened.vault_context.close()
    assert before.made("get_wallet", wallet["id"])["address"] == wallet["address"], "it may still read"
    with EarlierVersion(packages, url, root_key) as late:
        assert late.opened == {"error": "schema-version", "class": "SchemaVersionError"}
    with strongroom.open(url, root_key=root_key) as vault:
        assert vault.get_wallet(wallet["id"]).proved
        assert vault.get_wallet(made.id) == made
        assert all(result.ok for result in vault.verify())


@pytest.mark.thorough(sample=1)
def test_an_upgrade_that_was_cut_off_goes_on_where_it_was(
    before: EarlierVersion, url: str, root_key: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from strongroom.store import register_store, tag_store

    monkeypatch.setattr(tag_store, "_PAGE", 2)
    monkeypatch.setattr(register_store, "_PAGE", 2)
    project = new_project(url, backend)
    for number in range(5):
        before.made("create_wallet", project, "ethereum", label=f"l{number}", idempotency_key=f"k{number}")
    seen = 0
    for steps in (0, 1, 3, 6, 9):
        opened = upgraded(url, root_key)
        try:
            run = opened.upgrade.run()
            seen += len([result for _, result in zip(range(steps), run, strict=False)])
        finally:
            opened.vault_context.close()
    with strongroom.open(url, root_key=root_key) as vault:
        assert len(vault.list_wallets(project).wallets) == 5
    run_whole(url, root_key)
    untagged = "SELECT count(*) FROM {} WHERE tag IS NULL"
    assert [execute(url, untagged.format(table))[0][0] for table in ("strongroom_slot", "strongroom_idempotency")] == [
        0,
        0,
    ]
    with strongroom.open(url, root_key=root_key) as vault:
        assert all(wallet.proved for wallet in vault.list_wallets(project).wallets)


@pytest.mark.thorough(sample=1)
def test_what_contradicts_itself_waits_for_a_person(
    before: EarlierVersion, url: str, root_key: str, backend: str, shell: None
) -> None:
    """A slot that was pointed at another wallet before the upgrade is not blessed by it."""
    project = new_project(url, backend)
    right = before.made("create_wallet", project, "ethereum", label="right")[0]
    other = before.made("create_wallet", project, "ethereum", label="other")[0]
    execute(url, "UPDATE strongroom_slot SET credential_id = ? WHERE label = 'right'", (other["id"],))
    answer = call("upgrade", "--json")
    document = answer.document
    assert (answer.code, document["finished"]) == (3, False)
    undecided = {(each["kind"], each["id"]) for each in document["undecided"]}
    assert ("slot", other["id"]) in undecided
    assert ("wallet", right["id"]) in undecided
    with strongroom.open(url, root_key=root_key) as vault, pytest.raises(strongroom.IdentityMismatchError):
        vault.find_wallet(project, "ethereum", "right")
    assert call("upgrade", "--leave-undecided").code == 0
    with strongroom.open(url, root_key=root_key) as vault:
        for verb in (vault.find_wallet, vault.create_wallet):
            with pytest.raises(strongroom.IdentityMismatchError):
                verb(project, "ethereum", label="right")
        with pytest.raises(strongroom.IdentityMismatchError):
            vault.get_wallet(right["id"])
        assert vault.find_wallet(project, "ethereum", "other") == vault.get_wallet(other["id"])
    assert call("upgrade", "--accept", right["id"]).code == 0
    with strongroom.open(url, root_key=root_key) as vault:
        found = vault.find_wallet(project, "ethereum", "right")
        assert found is not None
        assert (str(found.id), found.proved) == (right["id"], True)
        assert vault.create_wallet(project, "ethereum", label="right") == (found, False)


@pytest.mark.thorough(sample=1)
def test_when_it_has_finished_a_missing_tag_is_a_mismatch(
    before: EarlierVersion, url: str, root_key: str, backend: str
) -> None:
    project = new_project(url, backend)
    wallet = before.made("create_wallet", project, "ethereum")[0]
    opened = upgraded(url, root_key)
    try:
        list(opened.upgrade.run())
        with strongroom.open(url, root_key=root_key) as vault:
            execute(url, "DELETE FROM strongroom_wallet")
            assert not vault.get_wallet(wallet["id"]).proved, "until it has finished"
            list(opened.upgrade.run())
            opened.upgrade.finish()
            assert vault.get_wallet(wallet["id"]).proved
            execute(url, "DELETE FROM strongroom_wallet")
            with strongroom.open(url, root_key=root_key) as another, pytest.raises(strongroom.IdentityMismatchError):
                another.get_wallet(wallet["id"])
    finally:
        opened.vault_context.close()


def test_no_nonce_is_moved_on_the_word_of_a_record_that_was_changed(
    before: EarlierVersion, url: str, root_key: str, backend: str
) -> None:
    project = new_project(url, backend)
    wallet = before.made("import_wallet", project, "ethereum", private_key=KEY)[0]
    before.made("sign_transaction", wallet["id"], transaction(7, 20))
    opened = upgraded(url, root_key)
    try:
        next(iter(opened.upgrade.run()))
        execute(url, "UPDATE strongroom_wallet SET address = ?", ("0x" + "22" * 20,))
        results = [result for result in opened.upgrade.run() if result.kind == "nonce"]
        assert [(result.tagged, result.undecided) for result in results] == [(False, ("tag",))]
        assert execute(url, "SELECT count(*) FROM strongroom_nonce")[0][0] == 0
        execute(url, "UPDATE strongroom_wallet SET address = ?", (wallet["address"],))
        assert [result.tagged for result in opened.upgrade.run() if result.kind == "nonce"] == [True]
    finally:
        opened.vault_context.close()


@pytest.mark.thorough(sample=1)
def test_an_idempotency_key_of_another_wallet_waits_for_a_person(
    before: EarlierVersion, url: str, root_key: str, backend: str, shell: None
) -> None:
    project = new_project(url, backend)
    before.made("create_wallet", project, "ethereum", idempotency_key="k")
    bitcoin = before.made("create_wallet", project, "bitcoin", label="cold")[0]
    execute(url, "UPDATE strongroom_idempotency SET credential_id = ?", (bitcoin["id"],))
    answer = call("upgrade", "--json")
    assert answer.code == 3
    assert answer.document["undecided"] == [{"kind": "idempotency", "id": bitcoin["id"], "why": "network, label"}]
    assert call("upgrade", "--leave-undecided").code == 0
    with strongroom.open(url, root_key=root_key) as vault, pytest.raises(strongroom.IdentityMismatchError):
        vault.create_wallet(project, "ethereum", idempotency_key="k")
    assert call("upgrade", "--accept", bitcoin["id"]).code == 0
    with strongroom.open(url, root_key=root_key) as vault:
        assert not vault.create_wallet(project, "ethereum", idempotency_key="k").created
