"""``strongroom status``."""

from __future__ import annotations

import typer

from strongroom.cli.command import Run, command
from strongroom.cli.failures import EXIT_DONE


def add(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "status")(status)


def status(run: Run) -> int:
    """Show the vault: database, wallets, keys, durability."""
    with run.vault() as vault:
        found = vault.status()
    if run.out.as_json:
        run.out.document(found.as_dict())
        return EXIT_DONE
    store = found.store
    wallets = ", ".join(f"{number:,} {name}" for name, number in store.wallets.items() if number)
    facts = [
        ("database", store.database),
        ("engine", store.engine),
        ("schema", store.schema_version),
        ("wallets", wallets or "none yet"),
    ]
    for key in found.sealing_keys:
        state = "seals now" if key.active else "opens only"
        facts.append(("sealing key", f"{key.kid} ({state}), wrapped by {', '.join(key.root_keys)}"))
    facts += [(name.replace("_", " "), value) for name, value in store.durability.items()]
    run.out.facts(facts)
    for warning in store.warnings:
        run.out.message(f"Warning: {warning}", style="yellow")
    if wallets:
        run.out.message("Next: strongroom verify")
    else:
        run.out.message("Next: strongroom wallet create ethereum --project UUID")
    return EXIT_DONE
