"""Erasing a project's personal data: nobody is named any more, and no key is lost, whatever others do meanwhile."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.records import phrases
from strongroom.records.erasure import erased_label
from strongroom.records.register import Registered
from strongroom.store import erase_store, schema
from strongroom.store.erase_store import SqlEraseStore
from strongroom.takeover.migrate import session
from strongroom.usecases import acknowledge
from testbed.databases.attacked import Attacked
from testbed.databases.deployments import Deployment
from testbed.databases.foreign import FOREIGN_TEXT, add_credential, put_text
from testbed.harness.fork_server import ForkServer
from testbed.harness.statement_stops import run_stopped
from testbed.processes import lifecycle
from testbed.processes import wallets as children

KEY = "4646464646464646464646464646464646464646464646464646464646464646"
PERSON = UUID("7e57ed00-c0de-4ace-8bad-beefbeefbeef")
TRACES = ("jane.roe", "7e57ed00", "10.9.8.7", "mozilla")
"""What names the person: as a label, an actor, a reason, an idempotency key, a creator, an address, a program."""


def fill(deployment: Deployment, vault: Vault, project: UUID) -> dict[UUID, str]:
    """What a person leaves behind; the private key of each wallet."""
    person: dict[str, Any] = {"actor": PERSON, "reason": "jane.roe asked"}
    first = vault.create_wallet(
        project, "ethereum", label="jane.roe-doe", idempotency_key="jane.roe@example.com", **person
    )
    vault.create_wallet(project, "ethereum", label="jane.roe-doe", idempotency_key="jane.roe-again", **person)
    kept = [first.wallet, vault.create_wallet(project, "bitcoin", actor="jane.roe").wallet]
    kept.append(vault.import_wallet(project, "polygon", private_key=KEY, label="jane.roe.2", **person).wallet)
    vault.sign_message(first.wallet, b"hello", **person)
    vault.revoke_wallet(kept[2], **person)
    kept.append(vault.create_wallet(project, "solana", label="jane.roe-old").wallet)
    kept.append(vault.replace_wallet(kept[3], idempotency_key="jane.roe-new", **person).wallet)
    if deployment.foreign:  # what the legacy application wrote of her
        deployment.execute(
            "INSERT INTO credential_usage_logs (id, credential_id, action_type, performed_by, ip_address, user_agent,"
            " action_details) VALUES (?, ?, 'view', ?, '10.9.8.7', 'Mozilla/5.0', '{\"who\": \"jane.roe\"}')",
            *(uuid4(), first.wallet.id, PERSON),
        )
        foreign = add_credential(deployment.url, project, "0x" + "ab" * 20, created_by=PERSON, network="ethereum")
        put_text(deployment.url, foreign, FOREIGN_TEXT)
    return {each.id: vault.reveal(each, **person).private_key.reveal_text() for each in kept}


def everything(deployment: Deployment) -> str:
    """The text of every table, in small letters."""
    tables = (*schema.TABLES, schema.VERSION_TABLE)
    return "\n".join(repr(row) for table in tables for row in deployment.execute(f"SELECT * FROM {table}")).lower()


def traces(deployment: Deployment) -> list[str]:
    text = everything(deployment)
    return [trace for trace in TRACES if trace in text]


def assert_keys(vault: Vault, keys: dict[UUID, str]) -> None:
    """Each key opens by the wallet's id, whatever else was done."""
    for wallet_id, key in keys.items():
        revealed = vault.reveal(wallet_id, actor="auditor", reason="a court asks")
        assert revealed.private_key.reveal_text() == key


def test_nobody_is_named_and_every_key_opens(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        project, neighbour = core_deployments.project(), core_deployments.project()
        keys = fill(core_deployments, vault, project)
        other = vault.create_wallet(
            neighbour, "ethereum", label="theirs", idempotency_key="theirs", actor="them"
        ).wallet
        assert traces(core_deployments) == [
            each for each in TRACES if core_deployments.foreign or each in ("jane.roe", "7e57ed00")
        ]

        erased = vault.erase_project(project, actor="operator", reason="request 17")

        assert traces(core_deployments) == []
        assert erased.complete
        assert erased.wallets == len(keys) + core_deployments.foreign
        assert set(erased.as_dict()["kept"]) == {"keys", "addresses", "log", "nonces", "events", "legacy"}
        assert_keys(vault, keys)
        wallets = vault.list_wallets(project).wallets
        assert {each.status for each in wallets} == {"revoked"}
        assert {each.label for each in wallets} == {erased_label(each.id) for each in wallets}
        assert [result for result in vault.verify(project_id=neighbour) if not result.ok] == []
        assert [result.code for result in vault.verify(project_id=project)] == [
            "not-sealed" if each.id not in keys else None for each in wallets
        ]
        again = vault.create_wallet(neighbour, "ethereum", label="theirs", idempotency_key="theirs")
        assert (again.wallet, again.created) == (other, False)
        events = [each for each in vault.list_log().records if each.action == "erase-project"]
        for event in events:
            assert (event.actor, event.reason, event.details["project"]) == ("operator", "request 17", str(project))
        assert {event.details.get("state") for event in events} == {"begun", None}
        assert len(events) == 2
        digests = [each.details.get("digest") for each in vault.list_log(project_id=project, action="sign").records]
        assert all(digests)
        assert len(digests) == 1
        for key in core_deployments.execute("SELECT key FROM strongroom_idempotency WHERE project_id = ?", project):
            assert re.fullmatch(r"strongroom:erased:[A-Za-z0-9_-]{43}", key[0])

        for wallet in wallets:
            with pytest.raises(strongroom.WalletRevokedError):
                vault.sign_message(wallet, b"x")
            with pytest.raises(strongroom.WalletRevokedError, match="erased"):
                vault.replace_wallet(wallet)


def test_the_project_may_create_again_and_be_erased_again(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        project = core_deployments.project()
        keys = fill(core_deployments, vault, project)
        for _ in range(2):
            vault.erase_project(project, actor="operator", reason="request 17")
            wallet, created = vault.create_wallet(
                project, "ethereum", label="jane.roe-doe", idempotency_key="jane.roe@example.com"
            )
            assert created
            assert wallet.id not in keys
            assert vault.find_wallet(project, "ethereum", "jane.roe-doe") == wallet
            assert vault.create_wallet(project, "bitcoin").created
            keys[wallet.id] = vault.reveal(wallet, actor="jane.roe", reason="x").private_key.reveal_text()
        # a caller whose key came between the two looks binds it anew to a wallet that is erased
        vault.erase_project(project, actor="operator", reason="request 17")
        assert traces(core_deployments) == []
        second = vault.erase_project(project, actor="operator", reason="request 17")
        assert (second.wallets, second.idempotency_keys, second.complete) == (0, 0, True)
        assert_keys(vault, keys)


@pytest.mark.thorough(sample=1)
def test_a_process_that_dies_leaves_what_the_next_run_finishes(
    core_deployments: Deployment, fork_server: ForkServer
) -> None:
    fork_server.warm_up(children.warm_up)
    with core_deployments.open() as vault:
        project = core_deployments.project()
        keys = fill(core_deployments, vault, project)
        arguments = {"url": core_deployments.url, "root_key": core_deployments.root_key, "project": str(project)}
        boundary, stops = 1, 0
        while (report := run_stopped(fork_server, lifecycle.erase, boundary, arguments)).stopped:
            stops += 1
            assert_keys(vault, keys)
            for result in vault.verify(project_id=project):
                assert result.ok or result.id not in keys, "each wallet is as it was, or erased"
            boundary += 21
        assert stops >= 5
        assert report.printed[-1]["complete"]
        vault.erase_project(project, actor="operator", reason="what was logged meanwhile")
        assert traces(core_deployments) == []
        assert_keys(vault, keys)


def test_two_that_erase_at_once_and_one_that_creates(core_deployments: Deployment, fork_server: ForkServer) -> None:
    fork_server.warm_up(children.warm_up)
    with core_deployments.open() as vault:
        project = core_deployments.project()
        keys = fill(core_deployments, vault, project)
        arguments = {"url": core_deployments.url, "root_key": core_deployments.root_key, "project": str(project)}
        reports = fork_server.race(lifecycle.race_to_erase, [arguments] * 4)
        printed = [report.printed[-1] for report in reports]
        assert sum(line["wallets"] for line in printed) == len(keys) + core_deployments.foreign, "each is erased once"
        assert all(line["complete"] for line in printed)
        assert_keys(vault, keys)
        assert vault.create_wallet(project, "ethereum", label="jane.roe-doe").created


def test_a_wallet_that_comes_meanwhile_is_whole(core_deployments: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    with core_deployments.open() as vault, core_deployments.open() as other:
        project = core_deployments.project()
        fill(core_deployments, vault, project)
        made: list[Wallet] = []

        def look(self: SqlEraseStore, project_id: UUID) -> Iterator[Registered]:
            yield from records_of_project(self, project_id)
            made.append(
                other.create_wallet(project, "ethereum", label="jane.roe-doe", idempotency_key="jane.roe-third").wallet
            )

        records_of_project = SqlEraseStore.records_of_project
        monkeypatch.setattr(SqlEraseStore, "records_of_project", look)
        vault.erase_project(project, actor="operator", reason="request 17")
        assert vault.find_wallet(project, "ethereum", "jane.roe-doe") == made[0]
        assert [result.ok for result in vault.verify(made[0])] == [True]
        again = other.create_wallet(project, "ethereum", label="jane.roe-doe", idempotency_key="jane.roe-third")
        assert (again.wallet, again.created) == (made[0], False)
        assert [each.label for each in vault.history(made[0]).entries] == ["jane.roe-doe"] * core_deployments.foreign


def test_what_the_register_contradicts_is_left_and_named(sqlite_vault_url: str, root_key_uri: str) -> None:
    deployment = Deployment("sqlite", sqlite_vault_url, root_key_uri)
    with deployment.open() as vault:
        project = uuid4()
        good: Wallet = vault.create_wallet(project, "ethereum", label="jane.roe").wallet
        bad = vault.create_wallet(project, "bitcoin", label="jane.roe").wallet
        gone = vault.create_wallet(project, "solana", label="jane.roe").wallet
        deployment.execute("UPDATE strongroom_wallet SET variant = 'taproot' WHERE credential_id = ?", bad.id)
        deployment.execute("UPDATE strongroom_slot SET tag = 'x' WHERE credential_id = ?", good.id)
        for table, column in (
            ("credential_usage_logs", "credential_id"),
            ("credential_vault_storage", "credential_id"),
            ("project_credentials", "id"),
        ):
            deployment.execute(f"DELETE FROM {table} WHERE {column} = ?", gone.id)
        erased = vault.erase_project(project, actor="operator", reason="request 17")
        assert [(wallet_id, error.code) for wallet_id, error in erased.failed] == [(bad.id, "identity-mismatch")]
        assert erased.wallets == 2
        labels = dict(deployment.execute("SELECT credential_id, label FROM strongroom_wallet"))
        assert {UUID(key): label for key, label in labels.items()} == {
            good.id: erased_label(good.id),
            bad.id: "jane.roe",
            gone.id: erased_label(gone.id),
        }
        with pytest.raises(strongroom.IdentityMismatchError):
            vault.find_wallet(project, "bitcoin", "jane.roe")


def test_an_erasure_needs_an_actor_and_a_reason(vault: Vault) -> None:
    with pytest.raises(strongroom.InvalidActorError):
        vault.erase_project(uuid4(), actor="operator", reason="")


def test_an_untagged_project_id_erases_no_neighbour(
    sqlite_vault_url: str, root_key_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = Deployment("sqlite", sqlite_vault_url, root_key_uri)
    with deployment.open() as vault:
        project, neighbour = uuid4(), uuid4()
        theirs = vault.create_wallet(neighbour, "ethereum", label="theirs", actor="them").wallet
        records_of_project = SqlEraseStore.records_of_project

        def moved(self: SqlEraseStore, project_id: UUID) -> Iterator[Registered]:
            """The database says another project, for as long as it is asked for the project's records."""
            sql = "UPDATE strongroom_wallet SET project_id = ? WHERE credential_id = ?"
            deployment.execute(sql, project, theirs.id)
            found = list(records_of_project(self, project_id))
            deployment.execute(sql, neighbour, theirs.id)
            assert [each.record.credential_id for each in found] == [theirs.id]
            yield from found

        monkeypatch.setattr(SqlEraseStore, "records_of_project", moved)
        erased = vault.erase_project(project, actor="operator", reason="request 17")
        assert (erased.wallets, erased.log_records, erased.failed) == (0, 0, ())
        assert vault.find_wallet(neighbour, "ethereum", "theirs") == theirs
        assert [each.actor for each in vault.list_log(project_id=neighbour).records] == ["them"]


def test_planted_rows_neither_stop_an_erasure_indefinitely_nor_fill_the_memory(
    core_deployments: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erase_store, "_PAGE", 3)
    monkeypatch.setattr(erase_store, "MOST_SLOTS", 2)
    reads = []
    with core_deployments.open() as vault:
        project = core_deployments.project()
        wallet = vault.create_wallet(project, "ethereum", label="jane.roe", idempotency_key="jane.roe-key").wallet
        many = vault.create_wallet(project, "bitcoin", label="jane.roe").wallet
        for number in range(3):
            if core_deployments.backend == "sqlite":  # PostgreSQL indexes no key that is so long
                core_deployments.execute(
                    "INSERT INTO strongroom_idempotency (project_id, key, request, credential_id, created_at, kid, tag)"
                    " SELECT project_id, ?, request, credential_id, created_at, kid, tag FROM strongroom_idempotency"
                    " WHERE key = 'jane.roe-key'",
                    f"{'z' * 16_400}{number}",
                )
            core_deployments.execute(
                "INSERT INTO strongroom_slot (project_id, network, label, credential_id, version, kid, tag)"
                " SELECT project_id, network, ?, credential_id, version, kid, tag FROM strongroom_slot"
                " WHERE credential_id = ? AND label = 'jane.roe'",
                f"many-{number}",
                many.id,
            )
        speaking_keys = SqlEraseStore.speaking_keys

        def bounded(self: SqlEraseStore, project_id: UUID) -> Iterator[Any]:
            for found in speaking_keys(self, project_id):
                reads.append(found)
                assert len(reads) < 20, "the pages do not advance"
                yield found

        monkeypatch.setattr(SqlEraseStore, "speaking_keys", bounded)
        erased = vault.erase_project(project, actor="operator", reason="request 17")
        assert [(wallet_id, error.code) for wallet_id, error in erased.failed] == [(many.id, "conflict")]
        assert (erased.wallets, erased.idempotency_keys) == (1, 1)
        assert vault.get_wallet(wallet).label == erased_label(wallet.id)


@pytest.mark.parametrize("member", ["vault_storage", "memo"])
def test_metadata_that_may_hold_a_key_are_left(sqlite_vault_url: str, root_key_uri: str, member: str) -> None:
    deployment = Deployment("sqlite", sqlite_vault_url, root_key_uri)
    with deployment.open() as vault:
        project = uuid4()
        wallet = vault.create_wallet(project, "ethereum", label="jane.roe").wallet
        short = vault.create_wallet(project, "bitcoin", label="jane.roe").wallet
        text = KEY if member == "memo" else "x"
        sql = "UPDATE project_credentials SET metadata = json_set(metadata, ?, ?) WHERE id = ?"
        deployment.execute(sql, f"$.{member}", text, wallet.id)
        deployment.execute(sql, "$.who", "jane.roe", short.id)
        erased = vault.erase_project(project, actor="operator", reason="request 17")
        assert [(wallet_id, error.code) for wallet_id, error in erased.failed] == [(wallet.id, "conflict")]
        said = dict(
            deployment.execute(
                f"SELECT label, json_extract(metadata, '$.{member}') FROM project_credentials c"
                " JOIN strongroom_wallet w ON w.credential_id = c.id"
            )
        )
        assert said == {"jane.roe": text, erased_label(short.id): None}
        deployment.execute("UPDATE project_credentials SET metadata = json_remove(metadata, ?)", f"$.{member}")
        assert vault.erase_project(project, actor="operator", reason="request 17").complete
        assert traces(deployment) == []


ACTORLESS = {"init", "retire"}
"""Events that strongroom writes by itself."""


def events_of_source() -> set[str]:
    """Every event that strongroom writes."""
    source = Path(strongroom.__file__).parent
    texts = [path.read_text() for path in source.rglob("*.py")]
    names = {name for text in texts for name in re.findall(r'\bEvent\("([a-z-]+)"', text)}
    others = {name for text in texts for name in re.findall(r"\bEvent\(([A-Za-z_]+),", text)}
    assert others == {"EVENT", "event"}, "those of acknowledge and migrate, and those of phrases"
    return names | {acknowledge.EVENT, session.EVENT, *phrases.EVENTS}


def test_the_document_names_the_events_whose_actors_stay(sqlite_vault_url: str, root_key_uri: str) -> None:
    document = (Path(__file__).parents[2] / "docs" / "erasure.md").read_text()
    goes, stays = document.split("## What stays, and why")
    deployment = Deployment("sqlite", sqlite_vault_url, root_key_uri)
    with deployment.open() as vault:
        project = uuid4()
        wallet = vault.create_wallet(project, "ethereum").wallet
        vault.rotate_sealing_key(actor="jane.roe", reason="jane.roe")
        names = events_of_source() - ACTORLESS
        for name in names - {"rotate", "erase-project"}:
            told = {"wallet": str(wallet.id), "project_id": str(project), "actor": "jane.roe", "reason": "jane.roe"}
            deployment.execute(
                "INSERT INTO strongroom_events (id, event, details, created_at) SELECT ?, ?, ?, created_at"
                " FROM strongroom_events LIMIT 1",
                *(uuid4(), name, json.dumps(told)),
            )
        vault.erase_project(project, actor="jane.roe", reason="jane.roe")
    sql = "SELECT DISTINCT event FROM strongroom_events WHERE details LIKE '%jane.roe%'"
    left = {name for (name,) in deployment.execute(sql)}
    assert {name for name in names if f"`{name}`" in stays.partition("## Afterwards")[0]} == left
    assert {"repair", "accept-foreign", "rotate", "erase-project"} <= left
    gone = names - left - set(phrases.EVENTS)
    assert {name for name in names if f"`{name}`" in goes.partition("## What goes")[2]} == gone


@pytest.mark.parametrize("attacked", ["sqlite", "g4"], indirect=True)
def test_a_repair_of_a_wallet_loses_its_actor_and_the_run_keeps_it(attacked: Attacked) -> None:
    """The event of the whole run names no wallet: docs/erasure.md says so."""
    project = attacked.deployment.project()
    wallet = attacked.in_plaintext(project)
    assert attacked.apply(attacked.plan(), "--actor", "jane.roe", "--reason", "jane.roe").code == 0
    with attacked.deployment.open() as vault:
        assert [each.actor for each in vault.list_log(wallet=wallet, action="repair").records] == ["jane.roe"]
        vault.erase_project(project, actor="operator", reason="request 17")
        of_wallet, of_run = vault.list_log(action="repair").records
        assert {each.actor for each in vault.list_log(wallet=wallet).records} <= {None}
        assert {of_wallet.actor, of_run.actor} == {None, "jane.roe"}


def test_who_took_a_kept_key_of_a_wallet_without_rows_is_erased(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        project = core_deployments.project()
        wallet = vault.create_wallet(project, "ethereum", label="jane.roe").wallet
        for text in ("x" * 20_000, "jane.roe asked"):
            details = json.dumps({"kept": "k", "wallet": str(wallet.id), "actor": "mozilla", "reason": text})
            core_deployments.execute(
                "INSERT INTO strongroom_events (id, event, details, created_at) SELECT ?, 'export', ?, created_at"
                " FROM strongroom_events LIMIT 1",
                *(uuid4(), details),
            )
        vault.erase_project(project, actor="operator", reason="request 17")
        left = [
            str(row[0])
            for row in core_deployments.execute("SELECT details FROM strongroom_events WHERE event = 'export'")
        ]
        assert sorted("mozilla" in text for text in left) == [False, True], (
            "what is larger than any of ours is not read"
        )
        assert "jane.roe" not in everything(core_deployments)
