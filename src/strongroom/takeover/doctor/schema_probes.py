"""What is wrong with a schema, by the facts in its catalogue. docs/findings.md says when each finding is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from strongroom.store.catalog.safety_facts import Catalogue
from strongroom.store.catalog.sharding import ONE_RECORD
from strongroom.takeover.doctor.findings import CREDENTIALS, VAULT, Finding

OLDEST_SERVER = 140000
"""The oldest version of PostgreSQL that is not warned of."""
OWN_POLICIES = "strongroom_"
"""How the names of the policies begin that ``migrate`` makes: they hide nothing, from the owner or from others."""
_FEW = 6


def schema_findings(catalogue: Catalogue) -> list[Finding]:
    """Every finding about a schema, in the order of the reference; ``catalogue.hidden`` names what must not be read."""
    probes = (
        _unique_credential_id,
        _unique_live,
        _placeholder_triggers,
        _checks,
        _column_types,
        _foreign_key,
        _row_security_off,
        _row_security_not_forced,
        _hidden_rows,
        _readable_by_anon,
        _durability,
        _standbys,
        _distribution,
        _old_server,
    )
    return list(chain.from_iterable(probe(catalogue) for probe in probes))


def _finding(code: str, table: str | None, evidence: str) -> Finding:
    return Finding(code, table, None, None, evidence, "ask", automatic=False)


def _unique_credential_id(catalogue: Catalogue) -> Iterator[Finding]:
    if VAULT not in catalogue.names:
        return
    found = [index for index in catalogue.indexes if index.table == VAULT and index.columns in ONE_RECORD]
    if not found:
        yield _finding(
            "no-unique-credential-id",
            VAULT,
            "No unique index on credential_id: a credential may get several vault records, and ON CONFLICT "
            "(credential_id) fails.",
        )
    elif all(index.partial for index in found):
        yield _finding(
            "partial-unique-only",
            VAULT,
            f"Only {_listed(index.name for index in found)} makes credential_id unique, under a condition: "
            "ON CONFLICT (credential_id) does not find it.",
        )


def _unique_live(catalogue: Catalogue) -> Iterator[Finding]:
    if CREDENTIALS not in catalogue.names:
        return
    if not any(index.table == CREDENTIALS and index.holds_project for index in catalogue.indexes):
        yield _finding(
            "no-unique-live",
            CREDENTIALS,
            "No unique index holds project_id: a project may get several live wallets of one kind.",
        )


def _placeholder_triggers(catalogue: Catalogue) -> Iterator[Finding]:
    for trigger in catalogue.triggers:
        yield _finding(
            "placeholder-trigger",
            CREDENTIALS,
            f"The trigger {trigger.name} runs {trigger.function}, which also writes into {VAULT}, besides the "
            "process that stores the key.",
        )


def _checks(catalogue: Catalogue) -> Iterator[Finding]:
    for refusal in catalogue.refusals:
        yield _finding(
            "check-too-narrow",
            refusal.table,
            f"The constraint {refusal.constraint} refuses {_listed(refusal.about)}; it allows: {refusal.allowed}.",
        )


def _column_types(catalogue: Catalogue) -> Iterator[Finding]:
    for table, evidence in catalogue.columns:
        yield _finding("column-type", table, evidence)


def _foreign_key(catalogue: Catalogue) -> Iterator[Finding]:
    if VAULT not in catalogue.names:
        return
    cascading = [key.name for key in catalogue.foreign_keys if key.cascades]
    if cascading:
        yield _finding(
            "cascade-deletes-keys",
            VAULT,
            f"{_listed(cascading)} is ON DELETE CASCADE: anyone who deletes a credential deletes its key.",
        )
    if not catalogue.foreign_keys:
        yield _finding(
            "no-foreign-key",
            VAULT,
            f"credential_id has no foreign key to {CREDENTIALS}: a vault record may lose its credential.",
        )


def _row_security_off(catalogue: Catalogue) -> Iterator[Finding]:
    for table in catalogue.tables:
        if table.name in (CREDENTIALS, VAULT) and not table.row_security:
            yield _finding(
                "rls-off",
                table.name,
                "Row-level security is off: anyone who has a privilege on the table has all rows.",
            )


def _row_security_not_forced(catalogue: Catalogue) -> Iterator[Finding]:
    for table in catalogue.tables:
        policies = [name for name in table.policies if not name.startswith(OWN_POLICIES)]
        if table.row_security and policies and not table.forced:
            yield _finding(
                "rls-not-forced",
                table.name,
                f"The policies ({_listed(policies)}) do not apply to the owner, {table.owner}.",
            )


def _hidden_rows(catalogue: Catalogue) -> Iterator[Finding]:
    for table in catalogue.tables:
        if table.hidden:
            yield _finding(
                "rls-hides-rows",
                table.name,
                f"Row-level security applies to the role {catalogue.role} and could hide rows: the table was not read. "
                f"Its owner is {table.owner}.",
            )


def _readable_by_anon(catalogue: Catalogue) -> Iterator[Finding]:
    granted: dict[str, list[str]] = {}
    for grant in catalogue.grants:
        granted.setdefault(grant.table, []).append(f"{grant.role}: {', '.join(grant.privileges)}")
    for table, roles in granted.items():
        yield _finding("readable-by-anon", table, f"Roles that serve everybody have privileges ({'; '.join(roles)}).")


def _durability(catalogue: Catalogue) -> Iterator[Finding]:
    off = [name for name in ("fsync", "full_page_writes") if catalogue.settings.get(name) == "off"]
    if off:
        yield _finding(
            "not-durable", None, f"The server runs with {_listed(off)} = off: a crash can destroy committed wallets."
        )
    for table in catalogue.tables:
        if table.unlogged:
            yield _finding("not-durable", table.name, "The table is unlogged: a crash of the server empties it.")
    if catalogue.settings.get("synchronous_commit") == "off":
        yield _finding(
            "commit-not-synchronous",
            None,
            f"synchronous_commit is off for the role {catalogue.role}: strongroom's own commits wait for the disk "
            "nevertheless; a crash loses the last wallets that the legacy application reported as stored.",
        )


def _standbys(catalogue: Catalogue) -> Iterator[Finding]:
    if catalogue.standbys.remark is not None:
        yield _finding("standby-not-synchronous", None, catalogue.standbys.remark)


def _distribution(catalogue: Catalogue) -> Iterator[Finding]:
    if catalogue.spread is not None and catalogue.spread.remark is not None:
        yield _finding("partly-distributed", None, catalogue.spread.remark)


def node_notes(catalogue: Catalogue) -> Iterator[Finding]:
    """What is to be known of tables that Citus spreads over nodes."""
    if catalogue.spread is not None and catalogue.spread.shards:
        yield _finding(
            "no-guard-on-nodes",
            None,
            f"The tables are in {catalogue.spread.shards} shards on {catalogue.spread.nodes} nodes, where no trigger "
            "can guard them: a role that may DELETE or UPDATE in them can lose keys. Let applications use another one "
            "(`strongroom grants creator --print`).",
        )


def _old_server(catalogue: Catalogue) -> Iterator[Finding]:
    number = catalogue.server_version
    if number is not None and number < OLDEST_SERVER:
        yield _finding(
            "old-server", None, f"PostgreSQL {_version(number)} is older than {_version(OLDEST_SERVER)[:2]}."
        )


def _version(number: int) -> str:
    """130012 is 13.12; before 10 there were three parts, and 90624 is 9.6.24."""
    major, rest = divmod(number, 10000)
    return f"{major}.{rest}" if major >= 10 else f"{major}.{rest // 100}.{rest % 100}"


def _listed(names: Iterable[str]) -> str:
    """At most a few names, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - _FEW} more" if len(every) > _FEW else ""
    return ", ".join(every[:_FEW]) + more
