"""Rows as strongroom writes them, tried on the CHECKs of a schema. PostgreSQL evaluates; nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from strongroom.errors import StoreError, StoreUnavailableError
from strongroom.records.stored_wallets import NewWallet
from strongroom.records.usage_log import Attribution, LogEntry
from strongroom.records.wallets import DEFAULT_LABEL, REPLACED, REVOKED, vault_id_of
from strongroom.store.catalog.foreign_checks import Check
from strongroom.store.catalog.foreign_columns import CREDENTIALS, LOGS, VAULT
from strongroom.store.catalog.foreign_schema import ForeignSchema
from strongroom.store.connection.read_only import ReadOnlyDatabase
from strongroom.store.statements import WALLET_ROWS
from strongroom.store.statements.usage_log import log_values
from strongroom.store.statements.wallet_parameters import wallet_parameters

ACTIONS = ("create", "import", "export", "rewrap", "replace", "revoke", "fill")
"""What the usage log is told."""
_RAISED = "P0001"
"""The SQLSTATE of a function that refuses with RAISE EXCEPTION instead of returning false."""


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A row that strongroom may write."""

    about: str
    """What would be refused, for people: ``wallets of solana``."""
    table: str
    row: Mapping[str, str]
    """The parameter, ``true`` or ``false`` of each column."""
    parameters: Mapping[str, Any]
    beyond: tuple[str, ...] = ()
    """What is said instead where that is refused, too: a schema without Solana has no revoked wallets of Solana."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A CHECK that refuses rows as strongroom writes them."""

    table: str
    constraint: str
    allowed: str
    """The values that it names."""
    about: tuple[str, ...]
    """The columns, or the parts of a life, whose values it refuses."""


def samples_of(wallets: Iterable[NewWallet]) -> list[SampleRow]:
    """Every row of every life of a wallet: made, replaced, revoked, and each action in the usage log."""
    samples: list[SampleRow] = []
    logged = False
    for new in wallets:
        plain = f"wallets of {new.wallet.network}"
        labelled = new.wallet.label != DEFAULT_LABEL
        about = f"{plain} with a label" if labelled else plain
        lives = (plain, about)
        parameters = wallet_parameters(new)
        samples += [
            SampleRow(about, table, WALLET_ROWS[table], parameters, (plain,) if labelled else ())
            for table in (CREDENTIALS, VAULT)
        ]
        retired = {**WALLET_ROWS[CREDENTIALS], "is_active": "false"}
        replaced = {**parameters, "status": REPLACED}
        samples.append(SampleRow("replaced wallets", CREDENTIALS, retired, replaced, lives))
        revoked = {**parameters, "status": REVOKED, "access_level": REVOKED}
        samples.append(SampleRow("revoked wallets", CREDENTIALS, {**retired, "revoked_at": "now"}, revoked, lives))
        record = {**WALLET_ROWS[VAULT], "revoked_at": "now", "revoked_by": "performed_by"}
        samples.append(SampleRow("revoked wallets", VAULT, record, revoked, lives))
        if not logged:  # a log row says nothing of the wallet but its id
            logged = True
            for action in ACTIONS:
                entry = log_values(LogEntry(action, Attribution()), new.created_at)
                samples.append(SampleRow(f"the action {action}", LOGS, WALLET_ROWS[LOGS], {**parameters, **entry}))
    return samples


def narrow_checks(
    database: ReadOnlyDatabase, schema: ForeignSchema, samples: Sequence[SampleRow]
) -> tuple[tuple[Check, tuple[SampleRow, ...]], ...]:
    """The CHECKs that refuse a row, each with every refused row that differs in what the CHECK looks at."""
    found = []
    samples = _as_written(schema, samples)
    for check in schema.checks:
        evaluator = _CheckEvaluator(database, _only(schema, check), check)
        asked = (sample for sample in samples if sample.table == check.table)
        refused = {evaluator.seen(sample): sample for sample in asked if evaluator.refuses(sample)}
        if refused:
            found.append((check, tuple(refused.values())))
    return tuple(found)


def refusals(database: ReadOnlyDatabase, schema: ForeignSchema, samples: Sequence[SampleRow]) -> tuple[Refusal, ...]:
    """The CHECKs that refuse a row. One that this role cannot evaluate, or not without writing, is left out."""
    found = []
    samples = _as_written(schema, samples)
    for check in schema.checks:
        about = _refused_by(database, _only(schema, check), check, [t for t in samples if t.table == check.table])
        if about:
            found.append(Refusal(check.table, check.name, check.allowed(), about))
    return tuple(found)


def _as_written(schema: ForeignSchema, samples: Sequence[SampleRow]) -> Sequence[SampleRow]:
    """The rows with the vault ids that strongroom writes into these tables."""
    if not schema.plain_vault_ids:
        return samples
    return [
        replace(sample, parameters={**sample.parameters, "vault_id": vault_id_of(sample.parameters["id"], plain=True)})
        for sample in samples
    ]


def _refused_by(
    database: ReadOnlyDatabase, schema: ForeignSchema, check: Check, samples: Sequence[SampleRow]
) -> tuple[str, ...]:
    """What a CHECK refuses."""
    evaluator = _CheckEvaluator(database, schema, check)
    about: dict[str, None] = {}
    for sample in samples:
        if not about.keys() & {sample.about, *sample.beyond} and evaluator.refuses(sample):
            about[sample.about] = None
    return tuple(about)


class _CheckEvaluator:
    """Asks one CHECK about rows; of rows that differ in nothing that it looks at, about one."""

    def __init__(self, database: ReadOnlyDatabase, schema: ForeignSchema, check: Check) -> None:
        self._database = database
        self._schema = schema
        self._check = check
        self._columns = schema.columns.get(check.table, {})
        self._known: dict[tuple[Any, ...], bool] = {}

    def seen(self, sample: SampleRow) -> tuple[Any, ...]:
        """What the CHECK sees of a row."""
        return tuple((column, sample.parameters.get(name, name)) for column, name in self._names(sample).items())

    def refuses(self, sample: SampleRow) -> bool:
        """Whether the CHECK refuses a row."""
        seen = self.seen(sample)
        if seen not in self._known:
            query = self._schema.checks_query(self._check.table, self._names(sample))
            self._known[seen] = _refuses(self._database, query, sample.parameters)
        return self._known[seen]

    def _names(self, sample: SampleRow) -> dict[str, str]:
        return {column: sample.row[column] for column in self._columns if column in sample.row}


def _refuses(database: ReadOnlyDatabase, query: str | None, parameters: Mapping[str, Any]) -> bool:
    if query is None:
        return False
    try:
        with database.contained():
            return bool(database.read(query, parameters)[0][0])
    except StoreUnavailableError:
        raise
    except StoreError as error:
        return getattr(error.__cause__, "sqlstate", None) == _RAISED


def _only(schema: ForeignSchema, check: Check) -> ForeignSchema:
    """The schema as one CHECK sees it: no default of another column is evaluated (it may be a sequence)."""
    columns = schema.columns.get(check.table, {})
    seen = {name: columns[name] for name in check.columns if name in columns}
    if not seen or any(column.generated for column in seen.values()):
        seen = dict(columns)
    return replace(schema, columns={check.table: seen}, checks=(check,))
