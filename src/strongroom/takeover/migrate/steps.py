"""Which changes a schema needs, to guarantee what a fresh one does: from facts to steps, in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from strongroom.store.catalog import wallet_tables
from strongroom.store.catalog.foreign_columns import as_flag
from strongroom.store.catalog.foreign_schema import CREDENTIALS, LOGS, VAULT
from strongroom.store.catalog.schema_facts import PUBLIC, SchemaFacts
from strongroom.store.catalog.sharding import ONE_RECORD
from strongroom.store.statements import migration_sql
from strongroom.takeover.migrate.migration import ORDER, Precondition, Step

_LIVE_COLUMNS = {"project_id", "credential_type", "network"}
_ONCE = "Reads the table once: about two seconds for a million rows."


def steps_of(facts: SchemaFacts) -> Iterator[Step]:
    """Every step that a schema needs; none where it guarantees everything already."""
    for part in _STEPS:
        if not facts.other_ids or part not in _FOR_A_VAULT:
            yield from part(facts)


def _logged(facts: SchemaFacts) -> Iterator[Step]:
    for table, part in sorted(facts.unlogged, key=lambda pair: ORDER.index(pair[0])):
        yield Step(
            f"{part}: survive a crash",
            ("not-durable",),
            ("An unlogged table is empty after a crash of the server.", "Writes the whole table again."),
            migration_sql.set_logged(part),
            (table,),
        )


def _triggers(facts: SchemaFacts) -> Iterator[Step]:
    for trigger in facts.catalogue.triggers:
        yield Step(
            f"{CREDENTIALS}: without the trigger {trigger.name}",
            ("placeholder-trigger",),
            (
                f"Its function {trigger.function}, which stays, also writes into {VAULT}, besides the process that "
                "stores the key.",
                "The legacy application must insert its vault records itself from now on.",
                f"It was made by: {facts.triggers.get(trigger.name, 'a statement that is not known')}",
            ),
            migration_sql.drop_trigger(trigger.name),
            (CREDENTIALS,),
        )


def _columns(facts: SchemaFacts) -> Iterator[Step]:
    missing = [name for name in wallet_tables.COLUMNS if not facts.has(CREDENTIALS, name)]
    if missing:
        yield Step(
            f"{CREDENTIALS}: columns that strongroom needs",
            (),
            ("Rows that are there get the defaults; the table is not written again.",),
            wallet_tables.add_columns(missing),
            (CREDENTIALS,),
        )


def _new_tables(facts: SchemaFacts) -> Iterator[Step]:
    for table, about in ((VAULT, "the private halves, sealed"), (LOGS, "the usage log")):
        if table not in facts.columns:
            owner = facts.tables[CREDENTIALS].owner
            yield Step(
                f"{table}: a new table for {about}",
                (),
                (f"Its owner is that of {CREDENTIALS}; no other role may use it until you GRANT it.",),
                migration_sql.make_table(table, owner, facts.api_roles),
                (CREDENTIALS,),
            )


def _unique_credential(facts: SchemaFacts) -> Iterator[Step]:
    if VAULT not in facts.columns:
        return
    indexes = [index for index in facts.catalogue.indexes if index.table == VAULT and index.columns in ONE_RECORD]
    if any(not index.partial for index in indexes):
        return
    yield Step(
        f"{VAULT}: one vault record for a credential",
        ("partial-unique-only" if indexes else "no-unique-credential-id",),
        ("A unique constraint.", _ONCE) + (("The partial index stays.",) if indexes else ()),
        migration_sql.make_credential_unique(migration_sql.free_name(wallet_tables.UNIQUE_CREDENTIAL, facts.taken)),
        (VAULT,),
        guards=(Precondition("duplicate-vault-records", migration_sql.records_of_one_credential()),),
    )


def _credential_required(facts: SchemaFacts) -> Iterator[Step]:
    if facts.has(VAULT, "credential_id") and (VAULT, "credential_id") not in facts.not_null:
        yield Step(
            f"{VAULT}: a credential for every vault record",
            (),
            (_ONCE,),
            migration_sql.require_credential(),
            (VAULT,),
            guards=(Precondition("orphan-vault-record", migration_sql.records_without_credential()),),
        )


def _unique_live(facts: SchemaFacts) -> Iterator[Step]:
    if any(_holds_live(facts, index.columns) for index in facts.catalogue.indexes if index.table == CREDENTIALS):
        return
    network = facts.columns[CREDENTIALS].get("network")
    nullable = (CREDENTIALS, "network") not in facts.not_null
    shown = migration_sql.network_of(network.type if network else "character varying", nullable=nullable)
    condition = f"{_active(facts)} AND revoked_at IS NULL"
    counted = migration_sql.live_of_one_kind(shown if network else "'default'", _existing(facts))
    yield Step(
        f"{CREDENTIALS}: one live wallet of a project, type and network",
        ("no-unique-live",),
        (_ONCE,),
        migration_sql.make_live_unique(
            migration_sql.free_name(migration_sql.UNIQUE_LIVE, facts.taken), shown, condition
        ),
        (CREDENTIALS,),
        guards=(Precondition("duplicate-live", counted),) if facts.has(CREDENTIALS, "credential_type") else (),
    )


def _holds_live(facts: SchemaFacts, columns: Iterable[str]) -> bool:
    """Whether a unique index is over the project, and nothing beyond type and network."""
    names = facts.columns[CREDENTIALS]
    held = {name for name in names for column in columns if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", column)}
    return "project_id" in held and held <= _LIVE_COLUMNS


def _active(facts: SchemaFacts) -> str:
    """That a wallet is live, whatever type the legacy application made the flag."""
    column = facts.columns[CREDENTIALS].get("is_active")
    return "is_active = true" if column is None or column.base == "boolean" else as_flag("is_active", column)


def _existing(facts: SchemaFacts) -> str:
    """The condition of live rows, before columns are added."""
    conditions = {"is_active": _active(facts), "revoked_at": "revoked_at IS NULL"}
    return " AND ".join(text for column, text in conditions.items() if facts.has(CREDENTIALS, column))


def _checks(facts: SchemaFacts) -> Iterator[Step]:
    about = {(refusal.table, refusal.constraint): refusal.about for refusal in facts.catalogue.refusals}
    for check, refused in facts.narrow:
        kinds = about.get((check.table, check.name), ())
        statements = migration_sql.widen(check, refused, facts.columns[check.table])
        gone = "ADD CONSTRAINT" not in statements[0]
        yield Step(
            f"{check.table}: the CHECK {check.name} lets in what strongroom writes",
            ("check-too-narrow",),
            (
                f"It refuses {', '.join(kinds[:6])}{' and more' if len(kinds) > 6 else ''}.",
                "It is taken away: strongroom's rows differ in every column that it looks at."
                if gone
                else "What it allows now stays allowed, since the legacy application may write it.",
                *(() if gone or not check.validated else (_ONCE,)),
            ),
            statements,
            (check.table,),
        )


def _references(facts: SchemaFacts) -> Iterator[Step]:
    if VAULT not in facts.columns:
        return
    guards = (Precondition("orphan-vault-record", migration_sql.orphans()),)
    deletion = "Anyone who deletes a credential that has a vault record, or its project, is refused from now on."
    for reference in facts.references:
        if reference.on_delete:
            yield Step(
                f"{VAULT}: the foreign key {reference.name} keeps keys",
                ("cascade-deletes-keys",) if reference.on_delete == "CASCADE" else (),
                (f"It was ON DELETE {reference.on_delete}.", deletion, _ONCE),
                migration_sql.replace_reference(reference.name, reference.definition),
                (CREDENTIALS, VAULT),
                guards=guards,
            )
    if not facts.references:
        yield Step(
            f"{VAULT}: a foreign key to {CREDENTIALS}",
            ("no-foreign-key",),
            (deletion, _ONCE),
            migration_sql.add_reference(migration_sql.free_name(wallet_tables.FOREIGN_KEY, facts.taken)),
            (CREDENTIALS, VAULT),
            guards=guards,
        )


def _grants(facts: SchemaFacts) -> Iterator[Step]:
    for table in ORDER:
        roles = list(
            dict.fromkeys(
                grant.role
                for grant in facts.grants
                if grant.table == table and grant.grantor is None and grant.through is None
            )
        )
        if roles:
            public = PUBLIC in roles
            named = [role for role in roles if role != PUBLIC]
            yield Step(
                f"{table}: nothing for {', '.join(roles)}",
                ("readable-by-anon",),
                ("Locks nothing.",)
                + (("A role that has its rights through PUBLIC alone loses them: GRANT it first.",) if public else ()),
                (migration_sql.revoke(table, named, public=public),),
                (table,),
                locks=False,
            )


def _row_security(facts: SchemaFacts) -> Iterator[Step]:
    told: tuple[str, ...] = (
        "strongroom itself must connect as the owner, as a role with BYPASSRLS, or as one with the policies that "
        "`strongroom grants ROLE --print` prints.",
    )
    for table in ORDER:
        state = facts.tables.get(table)
        if state is None or state.row_security or state.restrictive or state.locked_out:
            continue
        readers = facts.readers.get(table, ())
        yield Step(
            f"{table}: row-level security",
            ("rls-off",) if table in (CREDENTIALS, VAULT) else (),
            (
                f"A policy lets {', '.join(readers)} see every row, as before."
                if readers
                else f"No other role than the owner, {state.owner}, has privileges on it today.",
                *told,
            ),
            migration_sql.enable_row_security(table, readers),
            (table,),
        )
        told = ()


_STEPS: tuple[Callable[[SchemaFacts], Iterable[Step]], ...] = (
    _logged,
    _triggers,
    _columns,
    _new_tables,
    _unique_credential,
    _credential_required,
    _unique_live,
    _checks,
    _references,
    _grants,
    _row_security,
)
_FOR_A_VAULT = frozenset({_triggers, _columns, _new_tables, _unique_live, _checks})
"""What nobody needs where no vault can be: it changes what the legacy application may write."""
