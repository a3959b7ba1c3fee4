"""The tree of commands."""

from __future__ import annotations

import contextlib
import sys
from functools import cache
from typing import Annotated, Any

import typer

from strongroom.cli import (
    distribute,
    docs,
    doctor,
    grants,
    guard,
    history,
    init,
    keys,
    log,
    migrate,
    networks,
    phrase,
    projects,
    repair,
    root_key,
    sign,
    status,
    upgrade,
    verify,
    wallet,
)
from strongroom.cli.command import GlobalOptions, common_callback
from strongroom.cli.exit_codes import EXIT_FAILED, EXIT_USAGE
from strongroom.cli.failures import MISSING_COMMAND, Failure, of_parser, run_guarded
from strongroom.cli.output import CommandOutput

_PARSER_ERROR: type[Exception] = typer.BadParameter.__mro__[2]  # what every error of the argument parser is
_ABOUT = """The vault for project wallets.

Create a wallet, retry it as often as you like:
its key is never lost, never overwritten, never in plaintext."""
_EXAMPLES = """Exit codes: 0 done, 1 failed, 2 usage, 3 findings,
4 root key missing, wrong, denied or out of reach, 5 conflict, 6 partly done.

Begin with: strongroom init"""


def _version(wanted: bool) -> None:
    if wanted:
        from strongroom import __version__

        sys.stdout.write(f"strongroom {__version__}\n")
        raise typer.Exit


def _callback(**values: Any) -> None:
    values.pop("version")
    common_callback(**values)


def build() -> typer.Typer:
    """Make the Typer application with every command and group."""
    app = typer.Typer(
        name="strongroom",
        help=_ABOUT,
        epilog=_EXAMPLES,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    version = Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ]
    _callback.__annotations__ = {**common_callback.__annotations__, "version": version}
    signature = common_callback.__signature__  # type: ignore[attr-defined]
    extra = next(iter(signature.parameters.values())).replace(name="version", annotation=version, default=False)
    _callback.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*signature.parameters.values(), extra]
    )
    app.callback()(_callback)
    init.add(app)
    status.add(app)
    app.add_typer(wallet.build(), name="wallet")
    app.add_typer(phrase.build(), name="phrase")
    app.add_typer(history.build(), name="history")
    app.add_typer(projects.build(), name="projects")
    app.add_typer(log.build(), name="log")
    app.add_typer(sign.build(), name="sign")
    verify.add(app)
    doctor.add(app)
    repair.add(app)
    migrate.add(app)
    distribute.add(app)
    upgrade.add(app)
    networks.add(app)
    docs.add(app)
    app.add_typer(keys.build(), name="keys")
    app.add_typer(root_key.build(), name="root-key")
    guard.add(app)
    grants.add(app)
    return app


@cache
def _command() -> Any:
    return typer.main.get_command(build())


def run(arguments: list[str]) -> int:
    """Parse the arguments, run the command, return its exit code."""
    before_values = arguments[: arguments.index("--")] if "--" in arguments else arguments
    out = CommandOutput("--json" in before_values)
    return run_guarded(lambda: _run(arguments, out), out, "Nothing was changed.")


def _run(arguments: list[str], out: CommandOutput) -> int:
    try:
        result = _command().main(
            arguments,
            prog_name="strongroom",
            complete_var="_STRONGROOM_COMPLETE",
            standalone_mode=False,
            obj=GlobalOptions(json=out.as_json),  # wherever --json stands, also as what looks like another's value
        )
    except typer.Abort:
        return Failure("interrupted", "The input ended.", "Run the command again.", EXIT_FAILED).render(out)
    except _PARSER_ERROR as error:
        if str(error) == MISSING_COMMAND and not out.as_json:
            with contextlib.redirect_stdout(sys.stderr):
                out.passage(error.ctx.get_help())  # type: ignore[attr-defined]
            return EXIT_USAGE
        return of_parser(error).render(out)
    return result if isinstance(result, int) else 0
