"""``strongroom init``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strongroom.cli.command import CommandContext, GlobalOptions, command
from strongroom.cli.exit_codes import EXIT_DONE, EXIT_FAILED
from strongroom.cli.failures import CommandLineError
from strongroom.cli.status import following, generation_of
from strongroom.host.files import write_private

if TYPE_CHECKING:
    from strongroom.records.status import VaultStatus
    from strongroom.settings import Settings

DEFAULTS = {"database": "sqlite:///strongroom.db", "root_key": "file:strongroom.key"}
_EPILOG = """Example: strongroom init --database postgresql://app@localhost/vault --root-key env:VAULT_KEY

Without options it makes strongroom.toml, strongroom.db and strongroom.key here.
It never overwrites any of them."""
_UNSURE = "What init had made before stays, and was not overwritten; the command may be repeated safely."


def add(app: typer.Typer) -> None:
    """Add ``strongroom init`` to the application."""
    command(app, "init", unsure=_UNSURE, epilog=_EPILOG)(init)


def init(
    context: CommandContext,
    another_vault: Annotated[
        bool,
        typer.Option("--another-vault", help="Make a second vault in --schema, next to one in another schema."),
    ] = False,
) -> int:
    """Make a vault, and with defaults also its settings file and root key.

    May be repeated: what is there stays as it is. Legacy wallet tables are used unchanged.
    """
    from strongroom.settings import Settings
    from strongroom.wiring import init_vault

    values, to_write, config = _plan(context.options)
    settings = Settings(**values)
    candidates = [path for path in (_database_file(settings), _key_file(settings)) if path is not None]
    missing = [path for path in candidates if not os.path.lexists(path)]
    result = init_vault(settings, another_vault=another_vault)
    with result.vault as vault:
        found = vault.status()
    kid = next(key.kid for key in found.sealing_keys if key.active)
    made = [path for path in missing if path.exists()]
    if to_write:
        if _write_new(config, to_write):
            made.append(config)
        else:
            context.out.message(f"{config} came into being meanwhile and was not touched.")
    if context.out.as_json:
        context.out.document(
            {
                "created": result.created,
                "migrated": result.migrated,
                "generation": found.store.generation,
                "database": found.store.database,
                "root_key": settings.root_key,
                "sealing_key": kid,
                "files": [str(path.absolute()) for path in made],
            }
        )
    else:
        facts = [
            ("database", found.store.database),
            ("wallet tables", generation_of(found)),
            ("root key", settings.root_key or "none"),
            ("sealing key", kid),
        ]
        context.out.facts(facts + [("made", os.path.relpath(path)) for path in made])
    _render_generation(context, found, result.created)
    if result.migrated:
        context.out.message(f"The schema was brought up to date: it is at migration {found.store.schema_version}.")
    changed = result.created or result.migrated
    _advise(context, settings, changed, made, in_file=bool(to_write) or os.path.exists(config))
    context.out.message(f"Next: {next(following(found))}")
    return EXIT_DONE


def _plan(options: GlobalOptions) -> tuple[dict[str, Any], dict[str, str], Path]:
    """The settings of this run, those of them that go into a new settings file, and that file."""
    from strongroom.settings import CONFIG_FILE, from_directory, gather

    config = Path(options.config or CONFIG_FILE)
    given = {"database": options.database, "root_key": options.root_key, "schema": options.schema}
    values = gather(given, options.config, from_arguments=True, config_may_be_new=True)
    missing = {name: text for name, text in DEFAULTS.items() if name not in values}
    values |= from_directory(missing, config.absolute().parent)
    to_write: dict[str, str] = {}
    if missing and not os.path.lexists(config):
        flags = {name: text for name, text in given.items() if text is not None}
        if config.absolute().parent != Path.cwd():
            flags = from_directory(flags, Path.cwd())
        to_write = {**flags, **missing}
    return values, to_write, config


def _write_new(path: Path, values: Mapping[str, str]) -> bool:
    """Write a settings file, whole or not at all; False if there is one meanwhile. Raises CommandLineError."""
    lines = ["# Settings of strongroom. Relative paths lead from this file's directory."]
    lines += [f"{name} = {_quoted(values[name])}" for name in (*DEFAULTS, "schema") if name in values]
    try:
        return write_private(path, [f"{line}\n".encode() for line in lines])
    except OSError as error:
        raise CommandLineError(
            f"The settings file {path} cannot be written: {os.strerror(error.errno or 0)}.",
            "Check that its directory exists and can be written, and run the command again.",
            code="file-refused",
            exit_code=EXIT_FAILED,
            changed="The vault is initialised; only the settings file is missing.",
        ) from None


def _quoted(text: str) -> str:
    """A TOML string: JSON's, without its surrogate pairs, and with DEL escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _database_file(settings: Settings) -> Path | None:
    if not settings.database.startswith("sqlite:///") or ":memory:" in settings.database:
        return None
    return Path(settings.database.removeprefix("sqlite:///"))


def _key_file(settings: Settings) -> Path | None:
    if settings.root_key is None or not settings.root_key.startswith("file:"):
        return None
    return Path(settings.root_key.removeprefix("file:"))


def _render_generation(context: CommandContext, found: VaultStatus, created: bool) -> None:
    generation = found.store.generation
    if generation == "fresh":
        return
    context.out.message(
        f"Found wallet tables of generation {generation}, made by the legacy application: they are used as they are. "
        + ("Only tables that begin with strongroom_ were added." if created else "")
    )
    for warning in found.store.warnings:
        if "of the enum" in warning:
            context.out.message(warning, style="yellow")
    if created:
        context.out.message(
            "Wallets in them that nothing proves are returned as such (proved=False), until a repair has sealed "
            "the last one, or `strongroom upgrade --refuse-foreign`."
        )


def _advise(context: CommandContext, settings: Settings, changed: bool, made: list[Path], *, in_file: bool) -> None:
    if not changed and not made:
        context.out.message("This vault is already initialised; nothing was changed.")
    database, key = _database_file(settings), _key_file(settings)
    if database is not None and key is not None and database.absolute().parent == key.absolute().parent:
        context.out.message(
            "The root key is in a file next to the database, which is for development: "
            "anyone who copies the directory has both.",
            style="yellow",
        )
    if key in made:
        context.out.message(f"Keep a copy of {key.name if key else ''} elsewhere: without it no wallet can be opened.")
    if not in_file:
        context.out.message("No settings file names this vault: give the same options again, or set the environment.")
