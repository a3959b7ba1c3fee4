"""How a command is declared: its own options, those that every command takes, and one way to run it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strongroom.cli.actors import actor_or_user
from strongroom.cli.failures import NOTHING, CommandLineError, run_guarded
from strongroom.cli.output import CommandOutput
from strongroom.cli.told_warnings import told_warnings

if TYPE_CHECKING:
    from strongroom.settings import Settings
    from strongroom.takeover import Takeover
    from strongroom.vault.vault import Vault

_PANEL = "Options of every command"


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """The options that stand before the command or after it."""

    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            metavar="URL",
            help="The database: sqlite:///FILE or postgresql://USER@HOST/NAME, without a password.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    root_key: Annotated[
        str | None,
        typer.Option(
            "--root-key",
            metavar="URI",
            help="Where the root key is: file:PATH, env:NAME or passphrase:.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="The settings file, instead of ./strongroom.toml.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    schema: Annotated[
        str | None,
        typer.Option(
            "--schema",
            metavar="NAME",
            help="The PostgreSQL schema of the vault's tables; searched where it is not given.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON document on standard output.", rich_help_panel=_PANEL),
    ] = False

    def over(self, earlier: GlobalOptions | None) -> GlobalOptions:
        """These options, and where one is not given, the one that stood before the command."""
        if earlier is None:
            return self
        return GlobalOptions(*(getattr(self, field.name) or getattr(earlier, field.name) for field in fields(self)))


class CommandContext:
    """One run of a command: what it was asked with, and where it answers."""

    def __init__(self, options: GlobalOptions) -> None:
        self.options = options
        self.out = CommandOutput(options.json)

    def settings(self) -> Settings:
        """The settings, from the options, the environment and the file."""
        from strongroom.settings import Settings

        options = self.options
        return Settings.load(
            options.database, options.root_key, options.config, from_arguments=True, schema=options.schema
        )

    def vault(self) -> Vault:
        """The vault that the settings name, open."""
        from strongroom.wiring import open_vault

        return open_vault(self.settings())

    def takeover(self) -> Takeover:
        """What takes over the database that the settings name."""
        from strongroom.wiring.takeovers import open_takeover

        return open_takeover(self.settings())


def common_callback(**values: Any) -> None:
    """Keep the options that stand before the command."""
    typer_context: typer.Context = values.pop("ctx")
    typer_context.obj = GlobalOptions(**values).over(typer_context.obj)


def command(
    app: typer.Typer, name: str, *, unsure: str = NOTHING, epilog: str | None = None
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Register a function as a command: it takes a CommandContext and its own options, and returns the exit code.

    ``unsure`` is what to say about changes when the command was cut off at an unknown place.
    """

    def register(function: Callable[..., int]) -> Callable[..., int]:
        def entry(**values: Any) -> int:
            typer_context: typer.Context = values.pop("ctx")
            late = GlobalOptions(**{field.name: values.pop(field.name) for field in fields(GlobalOptions)})
            context = CommandContext(late.over(typer_context.obj))

            def work() -> int:
                if "actor" in values:
                    values["actor"] = actor_or_user(values["actor"])
                _refuse_swallowed_options([*values.values(), late.database, late.root_key, late.config, late.schema])
                with told_warnings(context.out):
                    return function(context, **values)

            return run_guarded(work, context.out, unsure)

        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        _declare(entry, own, function.__doc__)
        app.command(name, epilog=epilog)(entry)
        return function

    return register


def _refuse_swallowed_options(values: list[Any]) -> None:
    """``--project --json``: the parser takes the second option for the first one's value."""
    names = {f"--{field.name.replace('_', '-')}" for field in fields(GlobalOptions)}
    for value in values:
        if isinstance(value, str) and value in names:
            raise CommandLineError(f"The option before {value} needs a value.", "Give it one, or leave it out.")


def _declare(entry: Callable[..., Any], own: list[inspect.Parameter], doc: str | None) -> None:
    """Give a function of ``**values`` the signature that Typer reads."""
    typer_context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    common = list(inspect.signature(GlobalOptions, eval_str=True).parameters.values())
    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (typer_context, *own, *common)
    ]
    entry.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    entry.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    entry.__doc__ = doc


_declare(common_callback, [], None)
