"""``strongroom status``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import typer

from strongroom.cli.command import CommandContext, command
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.keys import STATES, describe, older, records
from strongroom.cli.output import counted
from strongroom.cli.root_key import wraps
from strongroom.cli.unverified import Unverified, render_status

if TYPE_CHECKING:
    from strongroom.records.status import VaultStatus

_GENERATIONS = {
    "fresh": "made by strongroom",
    "g1": "made by the legacy application (g1): there is no vault table",
    "g2": "made by the legacy application (g2): no unique constraint on the vault table's credential_id",
    "g3": "made by the legacy application (g3): a unique constraint on the vault table's credential_id",
    "g4": "made by the legacy application (g4): a trigger writes vault records",
}
_CUSTODY = {
    "ours": "sealed by strongroom",
    "foreign": "the legacy application's",
    "placeholder": "placeholders",
    "missing": "missing",
}


def add(app: typer.Typer) -> None:
    """Add ``strongroom status`` to the application."""
    command(app, "status")(status)


def status(context: CommandContext, unverified: Unverified = False) -> int:
    """Show the vault: database, wallets, keys, durability, and what to do next."""
    if unverified:
        return render_status(context)
    with context.vault() as vault:
        found = vault.status()
    if context.out.as_json:
        keys = [describe(key) for key in found.sealing_keys]
        context.out.document({**found.as_dict(), "sealing_keys": keys, "root_keys": list(wraps(found.sealing_keys))})
        return EXIT_DONE
    context.out.facts(list(_facts(found)))
    for warning in found.store.warnings:
        context.out.message(f"Warning: {warning}", style="yellow")
    for step in following(found):
        context.out.message(f"Next: {step}")
    return EXIT_DONE


def generation_of(found: VaultStatus) -> str:
    """What the wallet tables of a vault are, for people."""
    return generation(found.store.generation)


def generation(name: str) -> str:
    """What wallet tables are, for people."""
    return _GENERATIONS.get(name, name)


def following(found: VaultStatus) -> Iterator[str]:
    """What to do next, the most urgent first."""
    custody = found.store.custody
    if keyless := custody.get("missing", 0) + custody.get("placeholder", 0):
        yield f"strongroom verify    ({keyless:,} without a key; who has it: strongroom wallet store-key ID)"
    if older(found.sealing_keys):
        yield f"strongroom keys rewrap    ({records(older(found.sealing_keys))} under older sealing keys)"
    if not any(found.store.wallets.values()):
        yield "strongroom wallet create ethereum --project UUID"
    elif not keyless:
        yield "strongroom verify"


def _facts(found: VaultStatus) -> Iterator[tuple[str, str]]:
    store = found.store
    yield "database", store.database
    yield "engine", store.engine
    yield "schema", store.schema_version
    if store.nodes is not None:
        yield "distributed", f"{store.shards} shards on {store.nodes} nodes"
        yield "guard", "none: distributed tables have no triggers"
    yield "wallet tables", generation_of(found)
    yield "wallets", _counts(store.wallets, {}) or "none yet"
    if counts := _counts(store.custody, _CUSTODY):
        yield "vault records", counts
    for key in found.sealing_keys:
        yield "sealing key", f"{key.kid} ({STATES.get(key.state, key.state)}), {records(key.rows)}"
    for uri, kids in wraps(found.sealing_keys).items():
        yield "root key", f"{uri}, wraps {len(kids)} of {counted(len(found.sealing_keys), 'sealing key')}"
    for name, value in store.durability.items():
        yield name.replace("_", " "), value


def _counts(numbers: Mapping[str, int], names: Mapping[str, str]) -> str:
    return ", ".join(f"{number:,} {names.get(name, name)}" for name, number in numbers.items() if number)
