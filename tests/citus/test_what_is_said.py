"""What status, doctor and guard say of a vault on Citus: nodes, shards, what is not distributed, the missing guard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

import strongroom
from strongroom.store.catalog.sharding import TENANTS
from testbed.command_line import call


def run_until(url: str, last: str) -> None:
    """Distribute as far as the step that begins so, which is still done."""

    def stop(step: Any) -> None:
        if step.about.startswith(last):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        strongroom.open_takeover(url).distribute(stop)


@pytest.fixture
def their_table(citus_url: str) -> Iterator[str]:
    """A distributed table that is not the vault's, with rows that stayed behind, and a name of the vault's."""
    with psycopg.connect(citus_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA theirs")
        connection.execute("CREATE TABLE theirs.strongroom_slot AS SELECT generate_series(1, 9) AS id")
        connection.execute("SELECT create_distributed_table('theirs.strongroom_slot', 'id')")
    yield citus_url
    with psycopg.connect(citus_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA theirs CASCADE")


def distribution_warnings(url: str, root_key_uri: str) -> list[str]:
    with strongroom.open(url, root_key=root_key_uri) as vault:
        return [remark for remark in vault.status().store.warnings if "distribute" in remark]


@pytest.mark.parametrize(
    ("last", "expected", "named"),
    [
        ("strongroom_events: the same", "are not distributed yet", "project_credentials"),
        ("project_credentials: on the node", "are not distributed yet", "strongroom_slot"),
        (f"{list(TENANTS)[-1]}: on the node", "have rows left behind", "project_credentials"),
    ],
)
def test_a_run_that_ended_early_is_told(
    last: str, expected: str, named: str, citus_url: str, root_key_uri: str
) -> None:
    with strongroom.open(citus_url, root_key=root_key_uri) as vault:
        vault.create_wallet(uuid4(), "ethereum")
    run_until(citus_url, last)
    (warning,) = distribution_warnings(citus_url, root_key_uri)
    assert expected in warning
    assert named in warning
    answer = call("doctor", "--database", citus_url, "--json")
    evidence = [each["evidence"] for each in answer.document["schema"] if each["code"] == "partly-distributed"]
    assert (answer.code, evidence) == (3, [warning])
    assert call("distribute", "--apply", "--database", citus_url).code == 0
    assert distribution_warnings(citus_url, root_key_uri) == []
    assert call("doctor", "--database", citus_url).code == 0


def test_tables_of_others_are_nobodys_business(their_table: str, root_key_uri: str) -> None:
    assert distribution_warnings(their_table, root_key_uri) == []
    assert call("distribute", "--apply", "--database", their_table).code == 0
    assert distribution_warnings(their_table, root_key_uri) == []
    assert strongroom.open_takeover(their_table).distribution_steps() == []
    answer = call("doctor", "--database", their_table, "--json")
    assert (answer.code, answer.document["summary"]) == (0, {})


def test_nodes_shards_and_the_missing_guard_are_told(distributed_url: str, root_key_uri: str) -> None:
    status = call("status", "--database", distributed_url, "--root-key", root_key_uri)
    assert "32 shards on 2 nodes" in status.out
    assert "distributed tables have no triggers" in status.out
    answer = call("status", "--database", distributed_url, "--root-key", root_key_uri, "--json")
    assert (answer.document["nodes"], answer.document["shards"]) == (2, 32)
    doctor = call("doctor", "--database", distributed_url, "--json")
    (note,) = [note for note in doctor.document["notes"] if note["code"] == "no-guard-on-nodes"]
    assert "32 shards on 2 nodes" in note["evidence"]
    assert "foreign-code" not in {note["code"] for note in doctor.document["notes"]}
    for option in ("--status", "--install", "--print"):
        refused = call("guard", option, "--database", distributed_url, "--json")
        assert refused.code != 0
        assert refused.document["error"]["code"] == "foreign-schema"


def test_a_vault_that_stays_on_the_coordinator_is_not_told_to_leave(citus_url: str, root_key_uri: str) -> None:
    with strongroom.open(citus_url, root_key=root_key_uri) as vault:
        store = vault.status().store
    assert (store.nodes, store.shards) == (None, None)
    assert not [warning for warning in store.warnings if "distribute" in warning]
    assert not [note for note in call("doctor", "--database", citus_url, "--json").document["notes"] if "nodes" in note]
