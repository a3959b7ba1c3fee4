"""The log, wallets of every project and projects, read page by page from each kind of database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

import strongroom
from strongroom import LogRecord, Vault
from testbed.databases.deployments import Deployment

PREPARED = 7
"""Runs after which psycopg has prepared a statement (it does after five)."""


def records(vault: Vault, limit: int = 3, **asked: object) -> list[LogRecord]:
    """Every record, read in small pages."""
    found: list[LogRecord] = []
    after = None
    while True:
        page = vault.list_log(limit=limit, after=after, **asked)  # type: ignore[arg-type]
        found += page.records
        after = page.next
        if after is None:
            return found


def test_the_log_is_filtered_and_paged(core_deployments: Deployment) -> None:
    start = datetime.now(UTC) - timedelta(minutes=1)
    with core_deployments.open() as vault:
        project, person = core_deployments.project(), uuid4()
        wallet = vault.create_wallet(project, "ethereum", actor="importer", reason="first").wallet
        other = vault.create_wallet(project, "bitcoin", actor=person).wallet
        vault.sign_message(wallet, b"x", actor=person)
        vault.rotate_sealing_key(actor="operator")
        if core_deployments.foreign:  # what a legacy application logs
            core_deployments.execute(
                "INSERT INTO credential_usage_logs (id, credential_id, action_type, performed_at, ip_address,"
                " action_details) VALUES (?, ?, 'legacy', NULL, '10.0.0.1', '[1]')",
                uuid4(),
                wallet.id,
            )
        for _ in range(PREPARED):
            everything = records(vault, 100)
        assert records(vault) == everything
        mine = [each for each in everything if each.source == "usage" and each.action != "legacy"]
        assert [(each.action, each.wallet_id, each.actor) for each in mine] == [
            ("sign", str(wallet.id), str(person)),
            ("create", str(other.id), str(person)),
            ("create", str(wallet.id), "importer"),
        ]
        assert mine[2].reason == "first"
        assert mine[0].project_id == str(project)
        assert mine[0].details["kind"] == "message"
        if core_deployments.foreign:
            assert (everything[-1].action, everything[-1].at, everything[-1].ip_address) == ("legacy", None, "10.0.0.1")
        for _ in range(PREPARED):
            asked = {"actor": person, "since": start, "until": datetime.now(UTC) + timedelta(minutes=1)}
            assert records(vault, 1, **asked, action="sign", wallet=wallet, project_id=project) == [mine[0]]
            assert records(vault, 1, **asked) == mine[:2]
        assert [each.action for each in records(vault, actor="operator")] == ["rotate"]
        assert [each.action for each in records(vault, actor="importer")] == ["create"]
        assert {each.action for each in records(vault, until=start)} <= {"init"}  # of the template, which may be older
        assert records(vault, project_id=uuid4()) == []
        assert records(vault, wallet=uuid4()) == []
        for wrong, error in (
            ({"since": datetime(2026, 1, 1)}, strongroom.InvalidTimeError),
            ({"after": "x"}, strongroom.InvalidCursorError),
            ({"after": "2026-01-01~x"}, strongroom.InvalidCursorError),
            ({"limit": 0}, strongroom.InvalidLimitError),
            ({"actor": ""}, strongroom.InvalidActorError),
        ):
            with pytest.raises(error):
                vault.list_log(**wrong)


def test_wallets_of_every_project_are_listed_and_searched(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        projects = sorted(core_deployments.project() for _ in range(3))
        made = [vault.create_wallet(each, "ethereum", label=f"pay-{n}").wallet for n, each in enumerate(projects)]
        made += [vault.create_wallet(projects[0], "solana").wallet]
        made.sort(key=lambda wallet: wallet.id)
        for _ in range(PREPARED):
            assert list(vault.list_wallets().wallets) == made
            assert [each.label for each in vault.list_wallets(search="PAY-1").wallets] == ["pay-1"]
        assert list(vault.list_wallets(network="solana").wallets) == [each for each in made if each.network == "solana"]
        page, found = vault.list_wallets(limit=2), list[object]()
        found += page.wallets
        found += vault.list_wallets(limit=2, after=page.next).wallets
        assert found == made
        for wallet in made:
            assert list(vault.list_wallets(search=wallet.address[:12].lower()).wallets) == [wallet]
            assert list(vault.list_wallets(uuid4(), search=wallet.address).wallets) == []
        assert vault.list_wallets(search="%").wallets == ()
        first = vault.list_projects(limit=2)
        assert [each.id for each in first.projects] == projects[:2]
        assert [each.wallets for each in first.projects] == [2, 1]
        assert [each.id for each in vault.list_projects(limit=2, after=first.next).projects] == projects[2:]
