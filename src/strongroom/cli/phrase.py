"""``strongroom phrase``: phrases that belong to a project, from which wallets take one index after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli import phrase_history, watch_only
from strongroom.cli.actors import actor_or_user
from strongroom.cli.command import CommandContext, command, common_callback
from strongroom.cli.exit_codes import EXIT_DONE
from strongroom.cli.failures import UNKNOWN, CommandLineError
from strongroom.cli.key_input import KeySource
from strongroom.cli.options import (
    Account,
    Actor,
    After,
    IdempotencyKey,
    IndexPath,
    MnemonicFile,
    MnemonicStdin,
    OfPhrase,
    OneNetwork,
    PassphraseFile,
    PassphraseStdin,
    PhraseLabel,
    PhraseOwner,
    Reason,
    Reveal,
    Variant,
    Words,
)
from strongroom.cli.phrase_reference import reference_of

if TYPE_CHECKING:
    from strongroom.records.phrases import CreatedPhrase, PhraseAccount, ProjectPhrase

_EXAMPLE = "--project 6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11"
_UNSURE = "The export may be in the events already; nothing else was changed."


def build() -> typer.Typer:
    """Make the Typer group ``strongroom phrase`` with its commands."""
    app = typer.Typer(help="Make and keep phrases that many wallets of a project are derived from.")
    app.callback()(common_callback)
    command(app, "create", unsure=UNKNOWN, epilog=f"Example: strongroom phrase create {_EXAMPLE}")(create)
    command(app, "list", epilog=f"Example: strongroom phrase list {_EXAMPLE}")(list_phrases)
    command(app, "show", epilog=f"Example: strongroom phrase show default {_EXAMPLE}")(show)
    command(
        app,
        "import",
        unsure=UNKNOWN,
        epilog=f"Example: strongroom phrase import {_EXAMPLE} --mnemonic-stdin < phrase.txt",
    )(import_phrase)
    command(app, "export", unsure=_UNSURE, epilog=f"Example: strongroom phrase export default {_EXAMPLE} --reveal")(
        export
    )
    command(app, "replace", unsure=UNKNOWN, epilog=f"Example: strongroom phrase replace default {_EXAMPLE}")(
        replace_phrase
    )
    command(app, "advance", unsure=UNKNOWN, epilog=f"Example: strongroom phrase advance ethereum --to 5000 {_EXAMPLE}")(
        advance
    )
    phrase_history.add(app)
    watch_only.add(app)
    return app


def create(
    context: CommandContext,
    project: PhraseOwner,
    label: PhraseLabel = "default",
    words: Words = 24,
    idempotency_key: IdempotencyKey = None,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Make the phrase of a label, or return the one that is there. Its words are not shown."""
    with context.vault() as vault:
        made = vault.create_phrase(
            project,
            words=words,
            label=label,
            idempotency_key=idempotency_key,
            actor=actor_or_user(actor),
            reason=reason,
        )
    return _told(context, made, "Created." if made.created else "It was there; nothing was changed.")


def import_phrase(
    context: CommandContext,
    project: PhraseOwner,
    label: PhraseLabel = "default",
    mnemonic_stdin: MnemonicStdin = False,
    mnemonic_file: MnemonicFile = None,
    passphrase_stdin: PassphraseStdin = False,
    passphrase_file: PassphraseFile = None,
    idempotency_key: IdempotencyKey = None,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Take an existing phrase into a project, sealed and proved.

    Its wallets take indices from 0 on: where some are in use elsewhere, `strongroom phrase advance` first.
    """
    given = KeySource(
        mnemonic_stdin=mnemonic_stdin,
        private_key_stdin=False,
        mnemonic_file=mnemonic_file,
        private_key_file=None,
        passphrase_stdin=passphrase_stdin,
        passphrase_file=passphrase_file,
        takes_private_key=False,
    ).read()
    with context.vault() as vault:
        made = vault.import_phrase(
            project,
            mnemonic=given["mnemonic"],
            passphrase=given.get("passphrase"),
            label=label,
            idempotency_key=idempotency_key,
            actor=actor_or_user(actor),
            reason=reason,
        )
    return _told(context, made, "Imported." if made.created else "It was there; nothing of it is missing now.")


def list_phrases(
    context: CommandContext,
    project: PhraseOwner,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="Phrases of a page, 1 to 1,000.")] = 100,
    after: After = None,
) -> int:
    """List a project's phrases in the order of their making, replaced ones included, a page at a time."""
    with context.vault() as vault:
        page = vault.list_phrases(project, limit=limit, after=after)
    if context.out.as_json:
        context.out.document({"phrases": [each.as_dict() for each in page.phrases], "next": page.next})
        return EXIT_DONE
    if page.phrases:
        rows = [(each.label, each.fingerprint, str(each.words), each.status, str(each.id)) for each in page.phrases]
        context.out.table(("Label", "Fingerprint", "Words", "Status", "Phrase id"), rows)
    else:
        context.out.message("No phrases. `strongroom phrase create` makes one.")
    if page.next is not None:
        context.out.message(f"More: add --after {page.next}")
    return EXIT_DONE


def show(context: CommandContext, project: PhraseOwner, label: PhraseLabel = "default") -> int:
    """Show the public facts of a phrase, and how far its indices are taken. Its words are not shown."""
    with context.vault() as vault:
        phrase = vault.get_phrase(project, reference_of(label))
        accounts = vault.list_accounts(project, phrase)
    if context.out.as_json:
        context.out.document({"phrase": phrase.as_dict(), "accounts": [each.as_dict() for each in accounts]})
        return EXIT_DONE
    context.out.facts(_facts(phrase))
    if accounts:
        rows = [(each.network, each.variant, each.template, f"{each.next_index:,}", _left(each)) for each in accounts]
        context.out.line()
        context.out.table(("Network", "Variant", "Path", "Next index", "Left the vault"), rows)
    return EXIT_DONE


def export(
    context: CommandContext,
    project: PhraseOwner,
    label: PhraseLabel = "default",
    reveal: Reveal = False,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Print the words of a phrase in plaintext: whoever has them has every wallet that was derived from it.

    The phrase is proved and the export is logged first.
    """
    if not reveal:
        raise CommandLineError(
            "An export prints a secret in plaintext, so it must be asked for with --reveal.",
            "Add --reveal when nobody watches the screen, and the output goes where it should.",
        )
    who, why = actor_or_user(actor), reason or "strongroom phrase export"
    with context.vault() as vault:
        revealed = vault.reveal_phrase(project, reference_of(label), actor=who, reason=why)
    if context.out.as_json:
        passphrase = None if revealed.passphrase is None else revealed.passphrase.reveal_text()
        context.out.document({"mnemonic": revealed.mnemonic.reveal_text(), "passphrase": passphrase})
    else:
        context.out.secret(revealed.mnemonic.reveal())
    context.out.message("Exported in plaintext; the events have a row of it.")
    if revealed.passphrase is not None:
        printed = "it is in the document" if context.out.as_json else "--json prints it"
        context.out.message(f"Without its passphrase the phrase derives other wallets: {printed}.")
    return EXIT_DONE


def replace_phrase(
    context: CommandContext,
    project: PhraseOwner,
    label: PhraseLabel = "default",
    words: Words = 24,
    idempotency_key: IdempotencyKey = None,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Let a new phrase take the label; the old one stays, can be exported by its id, and derives no new wallet."""
    with context.vault() as vault:
        made = vault.replace_phrase(
            project,
            reference_of(label),
            words=words,
            idempotency_key=idempotency_key,
            actor=actor_or_user(actor),
            reason=reason,
        )
    done = "Replaced: wallets are derived from this one from now on."
    return _told(context, made, done if made.created else "This key made it before; nothing was changed.")


def advance(
    context: CommandContext,
    network: OneNetwork,
    project: PhraseOwner,
    to: Annotated[int, typer.Option("--to", metavar="N", help="The index that the next wallet takes, at least.")],
    phrase: OfPhrase = "default",
    variant: Variant = None,
    account: Account = None,
    path: IndexPath = None,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Skip indices that may be in use elsewhere, such as after an older backup was put back. It never goes back."""
    who, why = actor_or_user(actor), reason or "strongroom phrase advance"
    with context.vault() as vault:
        found = vault.advance_phrase(
            project,
            network,
            to,
            phrase=reference_of(phrase),
            variant=variant,
            account=account,
            path=path,
            actor=who,
            reason=why,
        )
    if context.out.as_json:
        context.out.document({"account": found.as_dict()})
    else:
        context.out.line(f"The next wallet takes index {found.next_index:,} ({found.template}).")
    return EXIT_DONE


def _told(context: CommandContext, made: CreatedPhrase, done: str) -> int:
    if context.out.as_json:
        context.out.document({"created": made.created, "phrase": made.phrase.as_dict()})
        return EXIT_DONE
    context.out.facts(_facts(made.phrase))
    context.out.message(done)
    if made.phrase.status != "active":
        context.out.message(
            "It was replaced since: no wallet is derived from it. `strongroom phrase list` shows others."
        )
    return EXIT_DONE


def _left(account: PhraseAccount) -> str:
    """What has left an account's branch of the phrase."""
    left = (("xpub", account.xpub_exported), ("a key", account.key_revealed))
    return ", ".join(name for name, is_out in left if is_out) or "nothing"


def _facts(phrase: ProjectPhrase) -> list[tuple[str, str]]:
    words = f"{phrase.words} words" + (" and a passphrase" if phrase.has_passphrase else "")
    return [
        ("label", phrase.label),
        ("phrase id", str(phrase.id)),
        ("project", str(phrase.project_id)),
        ("words", words),
        ("fingerprint", phrase.fingerprint),
        ("status", phrase.status),
    ]
