"""``strongroom root-key``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strongroom.cli.command import CommandContext, command, common_callback
from strongroom.cli.exit_codes import EXIT_DONE, EXIT_FINDINGS
from strongroom.cli.failures import CommandLineError
from strongroom.cli.options import Actor, Reason
from strongroom.cli.output import counted

if TYPE_CHECKING:
    from strongroom.errors import RootKeyError
    from strongroom.records.status import SealingKeyStatus

Uri = Annotated[str, typer.Argument(metavar="URI", help="Where it is: file:PATH, env:NAME or passphrase:.")]
_ALL_OR_NOTHING = "Either all of it was done or nothing: `strongroom root-key list` shows it."


def build() -> typer.Typer:
    """Make the Typer group ``strongroom root-key`` with its commands."""
    app = typer.Typer(help="Make, list, add, check and remove root keys.")
    app.callback()(common_callback)
    command(
        app,
        "new",
        unsure="The file may have been made; it is never overwritten.",
        epilog="Example: strongroom root-key new production.key",
    )(new)
    command(app, "list")(list_root_keys)
    command(app, "add", unsure=_ALL_OR_NOTHING, epilog="Example: strongroom root-key add file:spare.key")(add)
    command(app, "check", epilog="Examples: strongroom root-key check    strongroom root-key check env:VAULT_KEY")(
        check
    )
    command(app, "remove", unsure=_ALL_OR_NOTHING, epilog="Example: strongroom root-key remove file:old.key")(remove)
    return app


def new(
    context: CommandContext,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="A new file; - is standard output.")],
) -> int:
    """Make a new root key in a file that only you can read, or on standard output.

    For `strongroom init --root-key file:FILE`, for `strongroom root-key add file:FILE`, or for a secret store that
    sets a variable for env:NAME: `strongroom root-key new - | store put NAME` leaves no file.
    """
    if file == "-":
        return _print_new(context)
    from strongroom.errors import RootKeyExistsError
    from strongroom.rootkeys import open_root_key
    from strongroom.rootkeys.file import FileRootKey

    uri = f"file:{file}"
    open_root_key(uri)  # refuses, before anything is made, what no setting could name
    if not FileRootKey(uri).create():
        raise RootKeyExistsError("There is a file of this name already; it was not touched.")
    if context.out.as_json:
        context.out.document({"root_key": uri})
    else:
        context.out.line(uri)
        context.out.message("Keep a copy where the database is not: without this key no wallet can be opened.")
    return EXIT_DONE


def _print_new(context: CommandContext) -> int:
    """The one secret besides `wallet export` that is printed: it exists nowhere else yet."""
    from strongroom.rootkeys.local import new_text

    if context.out.as_json:
        raise CommandLineError("A root key on standard output goes without --json.", "Leave --json out.")
    if sys.stdout is not None and sys.stdout.isatty():
        hint = "Send it into a pipe, or name a file: strongroom root-key new FILE"
        raise CommandLineError("A root key is not printed on a terminal, which keeps what it showed.", hint)
    context.out.secret(new_text().reveal())
    context.out.message("Made, and kept nowhere: without this key no wallet that it opens can be opened.")
    return EXIT_DONE


def list_root_keys(context: CommandContext) -> int:
    """List the root keys that wrap the keyring: each of them opens the vault."""
    with context.vault() as vault:
        keys = vault.status().sealing_keys
    found = wraps(keys)
    if context.out.as_json:
        listed = [{"uri": uri, "sealing_keys": kids, "complete": len(kids) == len(keys)} for uri, kids in found.items()]
        context.out.document({"root_keys": listed})
        return EXIT_DONE
    context.out.table(
        ("Root key", "Wraps"),
        [(uri, f"{len(kids)} of {counted(len(keys), 'sealing key')}") for uri, kids in found.items()],
    )
    if len(found) == 1:
        context.out.message("Next: strongroom root-key add URI, so that one lost root key does not lose the wallets")
    return EXIT_DONE


def add(context: CommandContext, uri: Uri, actor: Actor = None, reason: Reason = None) -> int:
    """Let one more root key open the vault.

    It must exist: see `strongroom root-key new`. Each wrap is proved before it counts.
    """
    place = _absolute(uri)
    with context.vault() as vault:
        vault.add_root_key(place, actor=actor, reason=reason)
    if context.out.as_json:
        context.out.document({"root_key": place})
    else:
        context.out.line(place)
        context.out.message("Added: it opens every sealing key.")
        context.out.message(f"Next: strongroom root-key check {place}")
    return EXIT_DONE


def check(
    context: CommandContext,
    uri: Annotated[str | None, typer.Argument(metavar="[URI]", help="One root key only.")] = None,
) -> int:
    """See that root keys open the whole keyring: all that are listed, or one.

    Changes nothing. Exit code 3 if one does not.
    """
    from strongroom.errors import RootKeyError

    failed: dict[str, RootKeyError] = {}
    with context.vault() as vault:
        listed = list(wraps(vault.status().sealing_keys))
        places = listed if uri is None else [_as_listed(uri, listed)]
        for place in places:
            try:
                vault.check_root_key(place)
            except RootKeyError as error:
                if place not in listed:
                    raise
                failed[place] = error
    if context.out.as_json:
        found = [{"uri": place, "code": error.code} for place, error in failed.items()]
        context.out.document({"checked": len(places), "ok": len(places) - len(failed), "failed": found})
    else:
        for place in places:
            context.out.line(f"{place}: {failed[place].message if place in failed else 'opens every sealing key.'}")
        for code, hint in {error.code: error.hint for error in failed.values()}.items():
            context.out.message(f"Next ({code}): {hint}")
    return EXIT_FINDINGS if failed else EXIT_DONE


def remove(context: CommandContext, uri: Uri, actor: Actor = None, reason: Reason = None) -> int:
    """Take a root key's wraps out of the keyring, after another one was proved to open all of it.

    The root key itself, its file or its variable, is not touched.
    """
    with context.vault() as vault:
        place = _as_listed(uri, list(wraps(vault.status().sealing_keys)))
        vault.remove_root_key(place, actor=actor, reason=reason)
    if context.out.as_json:
        context.out.document({"root_key": place})
    else:
        context.out.line(place)
        context.out.message("Removed from the keyring. Backups of the database that are older still open with it:")
        context.out.message("destroy it only when you need none of them.")
        if place == context.settings().root_key:
            context.out.message("The settings still name it: name another root key before the next command.")
    return EXIT_DONE


def wraps(keys: tuple[SealingKeyStatus, ...]) -> dict[str, list[str]]:
    """Each root key's URI, and the sealing keys that it wraps."""
    found: dict[str, list[str]] = {}
    for key in keys:
        for uri in key.root_keys:
            found.setdefault(uri, []).append(key.kid)
    return found


def _absolute(uri: str) -> str:
    """The URI as it is kept: its file is found from every directory."""
    from strongroom.settings import from_directory

    led: dict[str, Any] = from_directory({"root_key": uri}, Path.cwd())
    return str(led["root_key"])


def _as_listed(uri: str, listed: list[str]) -> str:
    return uri if uri in listed else _absolute(uri)
