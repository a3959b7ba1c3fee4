"""``strongroom wallet create-many``: a wallet for each customer, from one phrase."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strongroom.cli.actors import actor_or_user
from strongroom.cli.command import CommandContext, command
from strongroom.cli.exit_codes import EXIT_DONE, exit_code_of
from strongroom.cli.failures import CommandLineError
from strongroom.cli.options import Account, Actor, IndexPath, OfPhrase, OneNetwork, Project, Reason, Variant
from strongroom.cli.output import as_json, counted
from strongroom.cli.phrase_reference import reference_of
from strongroom.errors import InvalidRequestError, PhraseNotFoundError, StrongroomError

if TYPE_CHECKING:
    from strongroom.records.wallets import Created
    from strongroom.vault.vault import Vault

_EPILOG = """Example: strongroom wallet create-many ethereum --project 6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11
--count 10000 --label-prefix customer- --out addresses.csv

The same command again makes only what is missing, and writes all of them."""
_UNSURE = "Wallets that were made stay; run the same command again, it goes on where it was."
_STAY = "Wallets that were made before it stay."
_BATCH = 1_000
_COLUMNS = ("label", "index", "address", "path", "wallet_id", "created")


def add(app: typer.Typer) -> None:
    """Add ``strongroom wallet create-many`` to the application."""
    command(app, "create-many", unsure=_UNSURE, epilog=_EPILOG)(create_many)


def create_many(
    context: CommandContext,
    network: OneNetwork,
    project: Project,
    count: Annotated[int, typer.Option("--count", metavar="N", help="How many wallets.")],
    label_prefix: Annotated[
        str, typer.Option("--label-prefix", metavar="TEXT", help="Labels are this and a number from 0.")
    ],
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
    made = total = 0
    with context.vault() as vault, _Writer(context, out) as writer:
        batches = _batches(vault, project, network, (label_prefix, count), asked)
        try:
            for each in context.out.with_progress(batches, "Creating", lambda: count):
                writer.write(each)
                made, total = made + each.created, total + 1
        except StrongroomError as error:
            if total == 0 and isinstance(error, (InvalidRequestError, PhraseNotFoundError)):
                raise
            code, exit_code = error.code, exit_code_of(type(error))
            raise CommandLineError(error.message, error.hint, code=code, exit_code=exit_code, changed=_STAY) from error
    context.out.message(f"{counted(made, 'wallet')} created, {total - made:,} were there.")
    return EXIT_DONE


def _batches(
    vault: Vault, project: str, network: str, labelled: tuple[str, int], asked: dict[str, Any]
) -> Iterator[Created]:
    prefix, count = labelled
    for start in range(0, count, _BATCH):
        labels = [f"{prefix}{number}" for number in range(start, min(start + _BATCH, count))]
        yield from vault.create_many(project, network, labels, **asked)


class _Writer:
    """Writes wallets one by one: CSV, JSON Lines, or lines of both on standard output."""

    def __init__(self, context: CommandContext, out: str | None) -> None:
        self._json = context.options.json if out is None else out.endswith(".jsonl")
        self._path = None if out is None else Path(out)
        self._file: Any = sys.stdout
        self._begun = False

    def __enter__(self) -> _Writer:
        if self._path is not None:
            try:
                self._file = self._path.open("a", encoding="utf-8", newline="")
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise CommandLineError(f"The file of --out cannot be written: {reason}.", "Check the path.") from None
        return self

    def _begin(self) -> None:
        """Before the first line: what an earlier command wrote stays until there is something in its place."""
        if self._path is not None and self._file.seekable():
            self._file.truncate(0)
        if not self._json:
            csv.writer(self._file, lineterminator="\n").writerow(_COLUMNS)
        self._begun = True

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            self._file.close()
        else:
            self._file.flush()

    def write(self, made: Created) -> None:
        """Write a wallet as a line."""
        wallet = made.wallet
        if not self._begun:
            self._begin()
        if self._json:
            self._file.write(as_json({"created": made.created, "wallet": wallet.as_dict()}) + "\n")
            return
        row = (wallet.label, wallet.phrase_index, wallet.address, wallet.path, wallet.id, str(made.created).lower())
        csv.writer(self._file, lineterminator="\n").writerow(row)
