"""Findings about the schema, from facts: what no server at hand can show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from strongroom.store.catalog.check_samples import Refusal
from strongroom.store.catalog.safety_facts import (
    Catalogue,
    ForeignKey,
    RoleGrant,
    TableFacts,
    UniqueIndex,
    VaultTrigger,
)
from strongroom.store.catalog.sharding import Spread
from strongroom.store.catalog.standbys import Standbys
from strongroom.takeover.doctor.findings import SEVERITIES, Finding
from strongroom.takeover.doctor.schema_probes import node_notes, schema_findings

C, V = "project_credentials", "credential_vault_storage"


def table(name: str, **facts: Any) -> TableFacts:
    sound = TableFacts(name, row_security=True, forced=False, policies=(), owner="owner", hidden=False, unlogged=False)
    return replace(sound, **facts)


HEALTHY = Catalogue(
    names=frozenset({C, V}),
    indexes=(
        UniqueIndex(V, "one", partial=False, columns=("credential_id",)),
        UniqueIndex(C, "live", partial=True, columns=("project_id", "credential_type")),
    ),
    foreign_keys=(ForeignKey("fkey", "RESTRICT"),),
    tables=(table(C), table(V)),
    settings={"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "server_version_num": "140000"},
    role="doctor",
)


def only(**facts: Any) -> Finding:
    (found,) = schema_findings(replace(HEALTHY, **facts))
    return found


def test_nothing_is_found_in_a_healthy_schema() -> None:
    assert schema_findings(HEALTHY) == []


@pytest.mark.parametrize(
    ("number", "name"), [("130012", "13.12"), ("100023", "10.23"), ("90624", "9.6.24"), ("139999", "13.9999")]
)
def test_a_server_before_version_14_is_old(number: str, name: str) -> None:
    found = only(settings={**HEALTHY.settings, "server_version_num": number})
    assert (found.code, found.table, found.severity) == ("old-server", None, "warning")
    assert found.evidence == f"PostgreSQL {name} is older than 14."


@pytest.mark.parametrize("number", ["140000", "140002", "180004"])
def test_a_server_of_version_14_and_later_is_not(number: str) -> None:
    assert schema_findings(replace(HEALTHY, settings={**HEALTHY.settings, "server_version_num": number})) == []


@pytest.mark.parametrize("value", ["on", "local", "remote_write", "remote_apply"])
def test_a_commit_that_waits_for_the_disk_is_synchronous(value: str) -> None:
    assert schema_findings(replace(HEALTHY, settings={**HEALTHY.settings, "synchronous_commit": value})) == []


@pytest.mark.parametrize(
    ("standbys", "evidence"),
    [
        (Standbys(0), None),
        (Standbys(1), "A standby follows this server, and no commit waits for one (synchronous_standby_names is"),
        (Standbys(2, " "), "2 standbys follow this server, and no commit waits for one (synchronous_standby_names is"),
        (Standbys(1, "FIRST 1 (other)"), None),
        (Standbys(1, "*", "remote_apply"), None),
        (Standbys(1, "*", "local"), "A standby follows this server, and no commit waits for one (synchronous_commit"),
        (Standbys(1, "*", "off"), None),  # strongroom raises it
    ],
)
def test_standbys_that_no_commit_waits_for(standbys: Standbys, evidence: str | None) -> None:
    found = schema_findings(replace(HEALTHY, standbys=standbys))
    assert [each.code for each in found] == ([] if evidence is None else ["standby-not-synchronous"])
    assert all(each.evidence.startswith(str(evidence)) for each in found)


def test_tables_on_nodes_are_no_finding_and_noted() -> None:
    on_nodes = replace(HEALTHY, spread=Spread(2, 32))
    assert schema_findings(on_nodes) == []
    (note,) = node_notes(on_nodes)
    assert (note.code, note.severity) == ("no-guard-on-nodes", "note")
    assert "32 shards on 2 nodes" in note.evidence
    assert [*node_notes(HEALTHY)] == [*node_notes(replace(HEALTHY, spread=Spread(0, 0, "Not yet.")))] == []


def test_both_settings_of_durability_are_one_finding() -> None:
    found = only(settings={**HEALTHY.settings, "fsync": "off", "full_page_writes": "off"})
    assert (found.code, found.table) == ("not-durable", None)
    assert "fsync, full_page_writes" in found.evidence


def test_an_index_over_more_columns_does_not_make_credential_id_unique() -> None:
    wide = UniqueIndex(V, "wide", partial=False, columns=("credential_id", "vault_id"))
    assert only(indexes=(wide, HEALTHY.indexes[1])).code == "no-unique-credential-id"


def test_a_partial_index_in_addition_to_a_whole_one_is_nothing() -> None:
    partial = UniqueIndex(V, "partial", partial=True, columns=("credential_id",))
    assert schema_findings(replace(HEALTHY, indexes=(*HEALTHY.indexes, partial))) == []
    assert only(indexes=(partial, HEALTHY.indexes[1])).code == "partial-unique-only"


def test_an_expression_may_hold_project_id() -> None:
    index = UniqueIndex(C, "live", partial=False, columns=("COALESCE(project_id, '0'::uuid)",))
    assert schema_findings(replace(HEALTHY, indexes=(HEALTHY.indexes[0], index))) == []
    other = replace(index, columns=("old_project_id", "lower(my_project_ids)"))
    assert only(indexes=(HEALTHY.indexes[0], other)).code == "no-unique-live"


def test_without_a_vault_table_nothing_is_said_about_it() -> None:
    facts = replace(HEALTHY, names=frozenset({C}), indexes=HEALTHY.indexes[1:], foreign_keys=(), tables=(table(C),))
    assert schema_findings(facts) == []


def test_without_wallet_tables_nothing_is_said() -> None:
    assert schema_findings(Catalogue(names=frozenset())) == []


def test_findings_come_in_the_order_of_the_reference() -> None:
    worst = Catalogue(
        names=frozenset({C, V}),
        foreign_keys=(ForeignKey("fkey", "CASCADE"),),
        triggers=(VaultTrigger("after", "sync"),),
        tables=(
            table(C, row_security=False, unlogged=True),
            table(V, policies=("p",), hidden=True),
        ),
        grants=(RoleGrant(C, "PUBLIC", ("SELECT",)), RoleGrant(C, "anon", ("SELECT", "INSERT"))),
        refusals=(Refusal(C, "networks", "ethereum", ("wallets of solana",)),),
        settings={
            "fsync": "off",
            "full_page_writes": "on",
            "synchronous_commit": "off",
            "server_version_num": "130000",
        },
        standbys=Standbys(1),
        spread=Spread(2, 32, "These tables are not distributed yet: strongroom_slot."),
        role="doctor",
    )
    codes = [found.code for found in schema_findings(worst)]
    assert codes == sorted(codes, key=list(SEVERITIES).index)
    assert [*dict.fromkeys(codes)] == [
        "no-unique-credential-id",
        "no-unique-live",
        "placeholder-trigger",
        "check-too-narrow",
        "cascade-deletes-keys",
        "rls-off",
        "rls-not-forced",
        "rls-hides-rows",
        "readable-by-anon",
        "not-durable",
        "commit-not-synchronous",
        "standby-not-synchronous",
        "partly-distributed",
        "old-server",
    ]
    assert all((found.repair, found.automatic, found.row) == ("ask", False, None) for found in schema_findings(worst))


def test_evidence_names_what_was_found() -> None:
    assert (
        "networks refuses wallets of solana; it allows: ethereum."
        in only(refusals=(Refusal(C, "networks", "ethereum", ("wallets of solana",)),)).evidence
    )
    many = tuple(f"wallets of {number}" for number in range(9))
    assert "wallets of 5 and 3 more;" in only(refusals=(Refusal(C, "networks", "none", many),)).evidence
    grants = (RoleGrant(V, "PUBLIC", ("SELECT",)), RoleGrant(V, "anon", ("SELECT", "UPDATE")))
    assert "(PUBLIC: SELECT; anon: SELECT, UPDATE)" in only(grants=grants).evidence
