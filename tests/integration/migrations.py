"""Migrations of legacy tables, and what is read of them afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from strongroom.networks import TABLE
from strongroom.records.usage_log import Attribution
from strongroom.settings import Settings
from strongroom.store.catalog.profile import read_profile
from strongroom.store.catalog.safety_facts import read_catalogue
from strongroom.store.connection.engine import ConnectionSettings
from strongroom.store.connection.read_only import ReadOnlyDatabase
from strongroom.takeover.doctor.sample_wallets import sample_rows
from strongroom.takeover.doctor.schema_probes import schema_findings
from strongroom.takeover.migrate.migration import Step
from strongroom.takeover.migrate.session import Migrator
from strongroom.wiring.takeovers import open_migrator
from testbed.databases.foreign import catalogue, contents
from testbed.databases.rows import execute

C, V, L = "project_credentials", "credential_vault_storage", "credential_usage_logs"
TRIALS = sample_rows(TABLE)


def look(url: str) -> set[tuple[str, str | None]]:
    """What doctor finds in the schema."""
    with ReadOnlyDatabase.open(url, ConnectionSettings(connect_timeout_seconds=5, busy_timeout_seconds=5)) as database:
        findings = schema_findings(read_catalogue(database, read_profile(database), TRIALS))
    return {(finding.code, finding.table) for finding in findings}


def migrator(url: str) -> Migrator:
    return open_migrator(Settings(database=url))


def script(url: str) -> str:
    return migrator(url).migration.script()


def apply(url: str, done: Callable[[Step], None] = lambda step: None) -> list[Step]:
    opened = migrator(url)
    opened.apply(done, Attribution("somebody", "a test"))
    return list(opened.migration.steps)


def security(url: str) -> list[tuple[Any, ...]]:
    """What the catalogue of the tests does not show: forced security, whole policies, comments."""
    return execute(
        url,
        """SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relpersistence,
                  (SELECT array_agg(ARRAY[p.polname, pg_get_expr(p.polqual, p.polrelid),
                                          pg_get_expr(p.polwithcheck, p.polrelid)] ORDER BY p.polname)
                     FROM pg_policy p WHERE p.polrelid = c.oid)
             FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relname ~ 'credential|strongroom' ORDER BY 1""",
    )


def everything(url: str) -> tuple[Any, ...]:
    return catalogue(url), security(url), contents(url)
