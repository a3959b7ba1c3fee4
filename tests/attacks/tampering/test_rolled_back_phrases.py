"""Older rows of phrases, accounts and branches that a writer puts back: what they undo, as the threat model says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import strongroom
from testbed.databases.attacked import Attacked
from testbed.databases.deployments import CORE_BACKENDS, Deployment, open_deployment

BY: dict[str, Any] = {"actor": "test", "reason": "to compare"}
THREATS = (Path(__file__).parents[3] / "docs" / "threat-model.md").read_text()
ROLLBACK = THREATS[THREATS.index("- **Rollback.**") : THREATS.index("- **Two vaults under one root key.**")]


@pytest.fixture(params=CORE_BACKENDS)
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with open_deployment(request.param, request) as opened:
        yield opened


def found(deployment: Deployment, private_path: Path) -> set[str]:
    """The codes of what doctor finds."""
    return {str(each["code"]) for each in Attacked(deployment, private_path).doctor()}


def keep(deployment: Deployment, table: str) -> None:
    deployment.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")


def put_back(deployment: Deployment, table: str) -> None:
    deployment.execute(f"DELETE FROM {table}")
    deployment.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")


def test_an_older_account_gives_skipped_indices_and_none_that_a_wallet_has(deployment: Deployment) -> None:
    project, table = deployment.project(), "strongroom_phrase_account"
    with deployment.open() as vault:
        vault.create_phrase(project)
        vault.create_many(project, "ethereum", ["a"])
        keep(deployment, table)
        vault.create_many(project, "ethereum", ["b", "c"])
        vault.advance_phrase(project, "ethereum", 10, **BY)
        put_back(deployment, table)
        assert vault.create_many(project, "ethereum", ["d"])[0].wallet.phrase_index == 3
        deployment.assert_sound(vault)
    assert f"`{table}`" in ROLLBACK
    assert "skipped" in ROLLBACK


def test_an_older_phrase_derives_again_where_the_one_that_replaced_it_is_gone(
    deployment: Deployment, private_path: Path
) -> None:
    project, table = deployment.project(), "strongroom_phrase"
    with deployment.open() as vault:
        old = vault.create_phrase(project).phrase
        vault.create_many(project, "ethereum", ["a"])
        keep(deployment, table)
        new = vault.replace_phrase(project).phrase
        vault.create_many(project, "ethereum", ["b"])
        with pytest.raises(Exception, match=r"(?i)unique|duplicate"):  # next to the one that replaced it
            deployment.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
        put_back(deployment, table)
        made = vault.create_many(project, "ethereum", ["c"])[0].wallet
        assert (made.phrase_id, made.phrase_index) == (old.id, 1)
        with pytest.raises(strongroom.PhraseNotFoundError):
            vault.get_phrase(project, new.id)
        assert {each.details["replaces"] for each in vault.list_log(action="phrase-replace").records} == {str(old.id)}
    assert "phrase-broken" in found(deployment, private_path)
    assert f"`{table}`" in ROLLBACK


def test_an_older_branch_has_let_nothing_leave(deployment: Deployment) -> None:
    project, table = deployment.project(), "strongroom_phrase_branch"
    with deployment.open() as vault:
        vault.create_phrase(project)
        wallet = vault.create_wallet(project, "ethereum", phrase="default").wallet
        keep(deployment, table)
        vault.export_xpub(project, "ethereum", **BY)
        with pytest.raises(strongroom.AccountExposedError):
            vault.reveal(wallet.id, **BY)
        put_back(deployment, table)
        assert vault.reveal(wallet.id, **BY).private_key
    assert f"`{table}`" in ROLLBACK


def test_an_index_is_given_twice_where_record_and_account_are_both_gone(
    deployment: Deployment, private_path: Path
) -> None:
    project = deployment.project()
    with deployment.open() as vault:
        vault.create_phrase(project)
        first = vault.create_wallet(project, "ethereum", phrase="default").wallet
        for table in ("strongroom_wallet", "strongroom_slot", "strongroom_phrase_account"):
            deployment.execute(f"DELETE FROM {table} WHERE project_id = ?", project)
        again = vault.create_wallet(project, "ethereum", label="b", phrase="default").wallet
        assert again.address == first.address
    assert "shared-key" in found(deployment, private_path)
    assert "register's records" in ROLLBACK
