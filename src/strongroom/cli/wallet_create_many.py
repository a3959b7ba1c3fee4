"""``strongroom wallet create-many``: a wallet for each customer, from one phrase."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from strongroom.cli.actors import actor_or_user
from strongroom.cli.command import CommandContext, command
from strongroom.cli.exit_codes import EXIT_DONE, exit_code_of
from strongroom.cli.failures import CommandLineError
from strongroom.cli.options import Account, Actor, IndexPath, OfPhrase, OneNetwork, Project, Reason, Variant
from strongroom.cli.output import counted
from strongroom.cli.phrase_reference import reference_of
from strongroom.cli.wallet_lines import WalletLines
from strongroom.errors import (
    ConflictError,
    InvalidRequestError,
    PhraseConflictError,
    PhraseNotFoundError,
    StrongroomError,
)
from strongroom.records import identifiers

if TYPE_CHECKING:
    from strongroom.records.wallets import Created
    from strongroom.vault.vault import Vault

_EPILOG = """Example: strongroom wallet create-many ethereum --project 6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11
--count 10000 --phrase default --out addresses.csv

The same command again makes only what is missing, and writes all of them."""
_UNSURE = "Wallets that were made stay; run the same command again, it goes on where it was."
_STAY = "Wallets that were made before it stay."
_BATCH = 1_000


def add(app: typer.Typer) -> None:
    """Add ``strongroom wallet create-many`` to the application."""
    command(app, "create-many", unsure=_UNSURE, epilog=_EPILOG)(create_many)


def create_many(
    context: CommandContext,
    network: OneNetwork,
    project: Project,
    count: Annotated[int, typer.Option("--count", metavar="N", help="How many wallets.")],
    label_prefix: Annotated[
        str | None,
        typer.Option(
            "--label-prefix",
            metavar="TEXT",
            help="Labels are this and a number from 0; the phrase's label and a hyphen if not given.",
        ),
    ] = None,
    phrase: OfPhrase = "default",
    variant: Variant = None,
    account: Account = None,
    path: IndexPath = None,
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="FILE", help="Write a .csv or .jsonl file; else lines go to standard output."),
    ] = None,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Create wallets that take the next indices of a phrase; those that are there are listed unchanged.

    May be repeated indefinitely. A batch of a thousand is committed at a time: what was made stays.
    """
    if count < 1:
        raise CommandLineError("--count takes a number from 1 on.", "Say how many wallets there are to be.")
    if out is not None and not out.endswith((".csv", ".jsonl")):
        raise CommandLineError("--out takes a file whose name ends in .csv or .jsonl.", "Leave it out to print lines.")
    asked: dict[str, Any] = {
        "phrase": reference_of(phrase),
        "variant": variant,
        "account": account,
        "path": path,
        "actor": actor_or_user(actor),
        "reason": reason,
    }
    lines = WalletLines(
        None if out is None else Path(out),
        as_json_lines=context.options.json if out is None else out.endswith(".jsonl"),
    )
    with context.vault() as vault:
        prefix = f"{_label_of(vault, project, asked['phrase'])}-" if label_prefix is None else label_prefix
        identifiers.check_label(f"{prefix}{count - 1}")  # the longest, before the first one is made
        batches = _Batches(vault, (project, network), (prefix, count), asked)
        with lines, _told_what_stays(batches):
            for each in context.out.with_progress(iter(batches), "Creating", lambda: count):
                lines.write(each)
            lines.finish()
    context.out.message(f"{counted(batches.made, 'wallet')} created, {batches.total - batches.made:,} were there.")
    return EXIT_DONE


def _label_of(vault: Vault, project: str, phrase: str | UUID) -> str:
    """The label of a phrase that may be named by its id."""
    return phrase if isinstance(phrase, str) else vault.get_phrase(project, phrase).label


class _Batches:
    """Creates wallets in batches, and knows what was committed."""

    def __init__(self, vault: Vault, of: tuple[str, str], labelled: tuple[str, int], asked: dict[str, Any]) -> None:
        """``of``: project and network. ``labelled``: the prefix of the labels, and how many."""
        self._vault, self._of, self._labelled, self._asked = vault, of, labelled, asked
        self.made = self.total = 0

    def __iter__(self) -> Iterator[Created]:
        prefix, count = self._labelled
        project, phrase = self._of[0], self._asked["phrase"]
        pinned = self._vault.get_phrase(project, phrase).id
        for start in range(0, count, _BATCH):
            labels = [f"{prefix}{number}" for number in range(start, min(start + _BATCH, count))]
            if start and self._vault.get_phrase(project, phrase).id != pinned:
                raise _replaced(pinned)
            batch = self._vault.create_many(*self._of, labels, **self._asked)
            self.made, self.total = self.made + sum(each.created for each in batch), self.total + len(batch)
            if any(each.created and each.wallet.phrase_id != pinned for each in batch):
                raise _replaced(pinned)
            yield from batch


def _replaced(pinned: UUID) -> PhraseConflictError:
    """The error for a label that another phrase took meanwhile: the lines do not say of which one a wallet is."""
    return PhraseConflictError(
        f"The phrase {pinned} was replaced while its wallets were made.",
        hint="The same command again goes on with the phrase that took its label.",
    )


@contextmanager
def _told_what_stays(batches: _Batches) -> Iterator[None]:
    """Let an error say what was made before it."""
    try:
        yield
    except CommandLineError as error:
        if batches.made:
            error.changed = _told(batches.made)
        raise
    except StrongroomError as error:
        if batches.total == 0 and isinstance(error, (InvalidRequestError, PhraseNotFoundError)):
            raise
        code, exit_code = error.code, exit_code_of(type(error))
        changed = _told(batches.made) if isinstance(error, ConflictError) else _STAY
        raise CommandLineError(error.message, error.hint, code=code, exit_code=exit_code, changed=changed) from error


def _told(made: int) -> str:
    """What stays of what was made, where it is known that the batch that failed made nothing."""
    return f"{counted(made, 'wallet')} created before it; what was made stays." if made else "No wallet was created."
