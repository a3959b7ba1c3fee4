"""The SQL that changes a schema, step by step, and the queries that find rows in its way. PostgreSQL only.

Each statement may run twice. None holds a parameter: what is run is what is printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from strongroom.store.catalog.check_samples import SampleRow
from strongroom.store.catalog.foreign_checks import OURS, Check, flag_is, ours, pin, quoted
from strongroom.store.catalog.foreign_columns import CREDENTIALS, VAULT, Column
from strongroom.store.catalog.wallet_tables import NEW_TABLES
from strongroom.store.connection.qualified import identifier
from strongroom.store.schema import strongroom_events

LOCK_TIMEOUT = "3s"
"""How long the tables' locks are waited for: behind a lock that waits, everybody else waits, too."""
POLICY_PREFIX = "strongroom_"

UNIQUE_LIVE = "unique_active_project_credentials"
RECORD_EVENT = (
    f"INSERT INTO {strongroom_events.name} (id, event, details, created_at) "  # noqa: S608 - a constant
    "VALUES (%(event_id)s, %(event)s, %(details)s::jsonb, %(now)s)"
)
_LONGEST_NAME_BYTES = 63


def opening(tables: Sequence[str]) -> tuple[str, ...]:
    """What a transaction begins with: patience, the locks of all steps."""
    begin = (f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'", "SET LOCAL statement_timeout = 0")
    locks = (f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE",) if tables else ()
    return (*begin, *locks)


def set_logged(part: str) -> tuple[str, ...]:
    """Make a table, or a part of one, survive a crash; ``part`` is quoted where it must be."""
    return (f"ALTER TABLE {part} SET LOGGED",)


def drop_trigger(name: str) -> tuple[str, ...]:
    """Take a trigger from the credentials; its function stays."""
    return (f"DROP TRIGGER IF EXISTS {identifier(name)} ON {CREDENTIALS}",)


def make_table(table: str, owner: str, api_roles: Iterable[str]) -> tuple[str, ...]:
    """Make the vault table or the usage log, of the same owner as the credentials, closed to everybody else."""
    return (
        NEW_TABLES[table],
        f"ALTER TABLE {table} OWNER TO {identifier(owner)}",
        revoke(table, api_roles, public=True),
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    )


def make_credential_unique(name: str) -> tuple[str, ...]:
    """Let a credential have one vault record."""
    return (_unless(name, "contype = 'u'", f"ADD CONSTRAINT {identifier(name)} UNIQUE (credential_id)"),)


def require_credential() -> tuple[str, ...]:
    """Let every vault record name a credential."""
    return (f"ALTER TABLE {VAULT} ALTER COLUMN credential_id SET NOT NULL",)


def make_live_unique(name: str, network: str, condition: str) -> tuple[str, ...]:
    """Let a project have one live wallet of a type and network; for ``network`` see ``network_of``."""
    where = f"\n    WHERE {condition}" if condition else ""
    return (
        f"CREATE UNIQUE INDEX IF NOT EXISTS {identifier(name)}\n"
        f"    ON {CREDENTIALS} (project_id, credential_type, {network}){where}",
    )


def network_of(type_name: str, *, nullable: bool) -> str:
    """The network as it counts in the index: NULL is one, as in generation 2."""
    text = type_name in ("text", "character varying", "character")
    return f"COALESCE(network, 'default'::{type_name})" if nullable and text else "network"


def widen(check: Check, refused: Iterable[SampleRow], columns: Mapping[str, Column]) -> tuple[str, ...]:
    """Let strongroom's rows in, in addition to what a CHECK allows now; ``columns`` are those of its table."""
    name = identifier(check.name)
    drop = f"ALTER TABLE {check.table} DROP CONSTRAINT IF EXISTS {name}"
    said = list(dict.fromkeys(_said(check, sample, columns) for sample in refused))
    if None in said:
        return (drop,)
    state = "" if check.validated else " NOT VALID"
    return (
        f"{drop},\n    ADD CONSTRAINT {name} CHECK (({_any([each for each in said if each])})\n"
        f"        OR ({check.condition or check.expression})){state}",
    )


def replace_reference(name: str, definition: str) -> tuple[str, ...]:
    """Let a foreign key refuse the deletion of a credential that has a vault record."""
    kept = re.sub(r" ON DELETE (CASCADE|SET NULL|SET DEFAULT)( \([^)]*\))?", " ON DELETE RESTRICT", definition)
    return (_reference(name, kept.removesuffix(" NOT VALID")),)


def add_reference(name: str) -> tuple[str, ...]:
    """Let a vault record's credential exist, and stay while the record does."""
    definition = f"FOREIGN KEY (credential_id) REFERENCES {CREDENTIALS} (id) ON DELETE RESTRICT"
    return (_reference(name, definition),)


def revoke(table: str, roles: Iterable[str], *, public: bool) -> str:
    """Take every privilege on a table, and on its columns, from roles."""
    names = [*(["PUBLIC"] if public else []), *map(identifier, roles)]
    return f"REVOKE ALL ON TABLE {table} FROM {', '.join(names)}"


def enable_row_security(table: str, readers: Iterable[str]) -> tuple[str, ...]:
    """Switch row-level security on; roles that have privileges today see every row, as before."""
    policies: list[str] = []
    for role in readers:
        name = identifier(_policy(role))
        policies += [
            f"DROP POLICY IF EXISTS {name} ON {table}",
            f"CREATE POLICY {name} ON {table} FOR ALL TO {identifier(role)} USING (true) WITH CHECK (true)",
        ]
    return (*policies, f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")


# --- rows in the way ----------------------------------------------------------------------------------------


def records_of_one_credential() -> str:
    """How many vault records share a credential with another, and some of the credentials."""
    return _count(
        f"SELECT credential_id AS id, count(*) OVER (PARTITION BY credential_id) AS found FROM {VAULT} "  # noqa: S608
        "WHERE credential_id IS NOT NULL",
        "found > 1",
    )


def records_without_credential() -> str:
    """How many vault records name no credential."""
    return _count(f"SELECT id, credential_id FROM {VAULT}", "credential_id IS NULL")  # noqa: S608


def orphans() -> str:
    """How many vault records name a credential that does not exist."""
    return _count(
        f"SELECT v.credential_id AS id FROM {VAULT} v WHERE v.credential_id IS NOT NULL "  # noqa: S608
        f"AND NOT EXISTS (SELECT FROM {CREDENTIALS} c WHERE c.id = v.credential_id)",
        "true",
    )


def live_of_one_kind(network: str, condition: str) -> str:
    """How many live wallets share project, type and network with another, and some of them."""
    where = " AND ".join(filter(None, ("credential_type IS NOT NULL", condition)))
    return _count(
        f"SELECT id, count(*) OVER (PARTITION BY project_id, credential_type, {network}) AS found "  # noqa: S608
        f"FROM {CREDENTIALS} WHERE {where} AND {network} IS NOT NULL",
        "found > 1",
    )


def _count(rows: str, condition: str) -> str:
    return (
        f"SELECT count(*), (array_agg(DISTINCT id::text ORDER BY id::text))[1:3] "  # noqa: S608
        f"FROM ({rows}) r WHERE {condition}"
    )


# --- pieces -------------------------------------------------------------------------------------------------


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """A name that nothing has."""
    names = set(taken)
    number = 1
    name = wanted
    while name in names:
        number += 1
        name = f"{wanted}_{number}"
    return name


def _reference(name: str, definition: str) -> str:
    named = identifier(name)
    return _unless(
        name,
        "confdeltype = 'r'",
        f"DROP CONSTRAINT IF EXISTS {named},\n            ADD CONSTRAINT {named} {definition}",
    )


def _unless(name: str, condition: str, change: str) -> str:
    """A change of the vault table, where its constraint of a name is not what it should be."""
    body = f"""\
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint
                    WHERE conrelid = '{VAULT}'::regclass AND {condition}
                      AND conname = {quoted(name)}) THEN
        ALTER TABLE {VAULT}
            {change};
    END IF;
END"""
    tag = free_name("strongroom", re.findall(r"\$(\w+)\$", body))
    return f"DO ${tag}$\n{body}\n${tag}$"


def _policy(role: str) -> str:
    """The name of a role's policy, cut where PostgreSQL would cut it, and distinct nevertheless."""
    name = POLICY_PREFIX + role
    if len(name.encode()) <= _LONGEST_NAME_BYTES:
        return name
    return f"{name.encode()[:50].decode(errors='ignore')}_{sha256(role.encode()).hexdigest()[:8]}"


def _said(check: Check, sample: SampleRow, columns: Mapping[str, Column]) -> str | None:
    """What is true of a row of ours in the columns of a CHECK; None where nothing can be said."""
    said: list[str | None] = []
    for column in check.columns:
        name = sample.row.get(column)
        if name in ("true", "false"):
            said.append(flag_is(column, name, columns))
        elif column == "revoked_at" and name is not None:
            said.append("revoked_at IS NOT NULL")
        else:
            said.append(pin(column, {column: sample.parameters.get(name)}, columns) if name else None)
    if None in said or not said:
        if check.table not in OURS:
            return None
        said.append(ours(check.table, columns))
    return " AND ".join(each for each in said if each)


def _any(conditions: Sequence[str]) -> str:
    """The conditions, one of which holds; several values of one column as a list."""
    pairs = [re.fullmatch(r"(\w+) = ('(?:[^']|'')*')", condition) for condition in conditions]
    if len(conditions) > 1 and all(pairs) and len({pair[1] for pair in pairs if pair}) == 1:
        column = next(pair[1] for pair in pairs if pair)
        return f"{column} IN ({', '.join(pair[2] for pair in pairs if pair)})"
    return "\n        OR ".join(f"({condition})" for condition in conditions) if len(conditions) > 1 else conditions[0]
