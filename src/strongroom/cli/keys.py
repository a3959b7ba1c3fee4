"""``strongroom keys``: the sealing keys."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import typer

from strongroom.cli.command import CommandContext, command, common_callback
from strongroom.cli.exit_codes import EXIT_DONE, EXIT_FINDINGS
from strongroom.cli.failures import of_error
from strongroom.cli.options import Actor, AnyProject, Reason

if TYPE_CHECKING:
    from strongroom.records.results import RewrapResult
    from strongroom.records.status import SealingKeyStatus

_ROTATE_UNSURE = "A new sealing key may have been made: `strongroom keys status` shows it."
_REWRAP_UNSURE = "What was rewrapped stays so; run it again, it goes on where it was."
STATES = {"active": "seals and opens", "opening": "opens only", "retired": "retired"}


def build() -> typer.Typer:
    """Make the Typer group ``strongroom keys`` with its commands."""
    app = typer.Typer(help="Show and rotate the sealing keys, and rewrap what old ones sealed.")
    app.callback()(common_callback)
    command(app, "status")(status)
    command(app, "rotate", unsure=_ROTATE_UNSURE, epilog="Example: strongroom keys rotate --reason 'every year'")(
        rotate
    )
    command(app, "rewrap", unsure=_REWRAP_UNSURE, epilog="Example: strongroom keys rewrap")(rewrap)
    return app


def status(context: CommandContext) -> int:
    """Show the sealing keys, and how many vault records each has sealed."""
    with context.vault() as vault:
        keys = vault.status().sealing_keys
    if context.out.as_json:
        context.out.document({"sealing_keys": [describe(key) for key in keys]})
        return EXIT_DONE
    rows = [(key.kid, STATES.get(key.state, key.state), f"{key.rows:,}", key.root_keys) for key in keys]
    context.out.table(("Sealing key", "State", "Vault records", "Root keys"), rows, folded={"State": "Sealing key"})
    if older(keys):
        context.out.message(f"Next: strongroom keys rewrap    ({records(older(keys))} under older keys)")
    return EXIT_DONE


def rotate(context: CommandContext, actor: Actor = None, reason: Reason = None) -> int:
    """Make a new sealing key and seal with it from now on.

    Old ones go on opening. Every root key of the keyring must be at hand.
    """
    with context.vault() as vault:
        kid = vault.rotate_sealing_key(actor=actor, reason=reason)
    if context.out.as_json:
        context.out.document({"kid": kid})
    else:
        context.out.facts([("sealing key", kid)])
        context.out.message("It seals from now on; what older keys sealed still opens.")
        context.out.message("Next: strongroom keys rewrap")
    return EXIT_DONE


def rewrap(context: CommandContext, project: AnyProject = None) -> int:
    """Re-encrypt what older sealing keys sealed, alongside traffic.

    The wallets' own keys stay. Exit code 3 if a vault record does not prove: it is left as it is.
    """
    from strongroom.errors import StrongroomError

    checked = rewrapped = 0
    failed: list[RewrapResult] = []
    with context.vault() as vault:
        results = vault.rewrap(project_id=project)
        try:
            for result in context.out.with_progress(
                results, "Rewrapping", lambda: vault.count_pending_rewraps(project)
            ):
                checked += 1
                rewrapped += result.rewrapped
                if not result.ok:
                    failed.append(result)
        except StrongroomError as error:
            if not rewrapped:
                raise
            changed = f"Rewrapped before that, and kept: {records(rewrapped)}."
            return dataclasses.replace(of_error(error), changed=changed).render(context.out)
    if context.out.as_json:
        found = [{"id": str(result.id), "code": result.code} for result in failed]
        context.out.document({"checked": checked, "rewrapped": rewrapped, "failed": found})
    else:
        _render(context, checked, rewrapped, failed)
    return EXIT_FINDINGS if failed else EXIT_DONE


def describe(key: SealingKeyStatus) -> dict[str, object]:
    """A sealing key as a document shows it."""
    return {
        "kid": key.kid,
        "state": key.state,
        "active": key.active,
        "rows": key.rows,
        "root_keys": list(key.root_keys),
    }


def older(keys: tuple[SealingKeyStatus, ...]) -> int:
    """How many vault records were sealed by keys that seal no more."""
    return sum(key.rows for key in keys if not key.active)


def records(number: int) -> str:
    """A number of vault records, for people."""
    return "1 vault record" if number == 1 else f"{number:,} vault records"


def _render(context: CommandContext, checked: int, rewrapped: int, failed: list[RewrapResult]) -> None:
    if not checked:
        context.out.line("There is nothing to rewrap.")
        return
    if failed:
        context.out.table(
            ("Wallet id", "Code", "What it means"),
            [(str(result.id), result.code or "", result.error.message if result.error else "") for result in failed],
        )
    context.out.line(f"{records(checked)} checked, {rewrapped:,} rewrapped, {len(failed):,} not proved.")
    if changed := checked - rewrapped - len(failed):
        context.out.message(f"Changed by others meanwhile: {records(changed)}. Run it again.")
    if failed:
        context.out.message("What did not prove was left as it is.")
        context.out.message("Next: strongroom verify")
