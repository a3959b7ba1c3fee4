"""What no migration of a schema can end, and who can."""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.store.catalog import wallet_tables
from strongroom.store.catalog.foreign_schema import NEEDED
from strongroom.store.catalog.schema_facts import SchemaFacts
from strongroom.store.statements import migration_sql
from strongroom.takeover.migrate.migration import ManualStep

_POLICIES = "permissive policies USING (true) and WITH CHECK (true), as `strongroom grants ROLE --print` prints them"


def remarks_of(facts: SchemaFacts) -> Iterator[ManualStep]:
    """Everything that the steps leave as it is, though doctor finds it or strongroom needs it."""
    for part in (_server, _columns_left, _row_security_left, _grants_left):
        yield from part(facts)


def _server(facts: SchemaFacts) -> Iterator[ManualStep]:
    settings = facts.catalogue.settings
    for name in ("fsync", "full_page_writes"):
        if settings.get(name) == "off":
            yield ManualStep("not-durable", f"The server runs with {name} = off: set it in postgresql.conf.")
    if settings.get("synchronous_commit") == "off":
        yield ManualStep(
            "commit-not-synchronous",
            "synchronous_commit is off: set it on, for the server, the database or the role that strongroom uses.",
        )
    if facts.catalogue.standbys.remark is not None:
        yield ManualStep(
            "standby-not-synchronous",
            "No commit waits for a standby: name one in synchronous_standby_names, or do not let one take over.",
        )
    if (facts.catalogue.server_version or 140000) < 140000:
        yield ManualStep("old-server", "The server is older than PostgreSQL 14: upgrade it.")


def _columns_left(facts: SchemaFacts) -> Iterator[ManualStep]:
    for table, columns in NEEDED.items():
        for column in columns:
            if table in facts.columns and not facts.has(table, column) and column not in wallet_tables.COLUMNS:
                yield ManualStep("foreign-schema", f"{table} has no column {column}: only you know what stands there.")
    for _, evidence in facts.catalogue.columns:
        yield ManualStep("column-type", evidence)


def _row_security_left(facts: SchemaFacts) -> Iterator[ManualStep]:
    for state in facts.tables.values():
        if state.hidden:
            yield ManualStep(
                "rls-hides-rows",
                f"Row-level security applies to this role on {state.name}: connect as its owner, {state.owner}, as a "
                f"role with BYPASSRLS, or as one that has {_POLICIES}. With FORCE ROW LEVEL SECURITY it applies to the "
                "owner, too.",
            )
        if not state.row_security and state.restrictive:
            yield ManualStep(
                "rls-off",
                f"Row-level security stays off on {state.name}: its restrictive policies "
                f"({', '.join(state.restrictive)}) would come into force and may hide rows. Drop them, or enable it.",
            )
        elif not state.row_security and state.locked_out:
            yield ManualStep(
                "rls-off",
                f"Row-level security stays off on {state.name}: it would shut out {state.locked_out}, as which "
                f"strongroom works. Make that role the owner, or give it BYPASSRLS or {_POLICIES}.",
            )
    for table in facts.catalogue.tables:
        policies = [name for name in table.policies if not name.startswith(migration_sql.POLICY_PREFIX)]
        if policies and table.row_security and not table.forced:
            yield ManualStep(
                "rls-not-forced",
                f"Policies of {table.name} do not apply to its owner, as which strongroom works: with FORCE it would "
                "refuse to. Let nobody else connect as the owner.",
            )


def _grants_left(facts: SchemaFacts) -> Iterator[ManualStep]:
    for grant in facts.grants:
        if grant.through is not None:
            yield ManualStep(
                "readable-by-anon",
                f"{grant.role} has what {grant.through} has on {grant.table}, as a member: REVOKE the membership.",
            )
        elif grant.grantor is not None:
            yield ManualStep(
                "readable-by-anon",
                f"{grant.role} was granted {grant.table} by {grant.grantor}: only that role can REVOKE it.",
            )
