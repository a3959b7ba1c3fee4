"""``strongroom doctor``: a manager's summary, then the findings grouped by what to do; or one JSON document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from strongroom.cli.actors import actor_or_user
from strongroom.cli.command import CommandContext, command
from strongroom.cli.doctor_report import render
from strongroom.cli.exit_codes import EXIT_DONE, EXIT_FINDINGS, EXIT_INTERRUPTED
from strongroom.cli.failures import CommandLineError
from strongroom.cli.options import Actor, AnyProject
from strongroom.cli.output import as_json
from strongroom.cli.path_input import NamedPaths, PathsFile, paths_of
from strongroom.cli.repeated_options import repeated_options
from strongroom.cli.secret_input import StandardInput

if TYPE_CHECKING:
    from uuid import UUID

    from strongroom.secret import Secret
    from strongroom.takeover import DoctorReport, Finding, Takeover

_EPILOG = "Examples: strongroom doctor    strongroom doctor --json > findings.json    strongroom doctor --project UUID"

LegacyPassword = Annotated[
    bool,
    typer.Option("--legacy-password-stdin", help="Open PBKDF2 envelopes with the password on standard input."),
]
KeystorePassword = Annotated[
    bool, typer.Option("--keystore-password-stdin", help="Open keystores with the password on standard input.")
]
Since = Annotated[
    str | None, typer.Option("--since", metavar="ID", help="Go on after this wallet, where a run was stopped.")
]

Acknowledge = Annotated[
    list[str] | None,
    typer.Option(
        "--acknowledge", metavar="FINDING", help="Write down that this finding is known: its name. Repeatable."
    ),
]
Lasting = Annotated[str, typer.Option("--for", metavar="DAYS", help="How long an acknowledgement counts: 1d to 365d.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="WHY", help="Why a finding may stay.")]
_MOST_DAYS = 365
_PLANNED = "strongroom repair "


def add(app: typer.Typer) -> None:
    """Add ``strongroom doctor`` to the application."""
    command(app, "doctor", epilog=_EPILOG)(doctor)


def doctor(
    context: CommandContext,
    project: AnyProject = None,
    since: Since = None,
    legacy_password_stdin: LegacyPassword = False,
    keystore_password_stdin: KeystorePassword = False,
    path: NamedPaths = None,
    paths: PathsFile = None,
    acknowledge: Acknowledge = None,
    lasting: Lasting = "90d",
    reason: Reason = None,
    actor: Actor = None,
) -> int:
    """Say what is wrong with a database of wallets, and what can be saved. Changes nothing.

    Needs no init and no root key; with a root key, sealed texts are proved too. Both passwords may be given: the
    first line of standard input is the envelopes', the second one the keystores'. Exit code 3 if anything is found
    that nobody acknowledged. --acknowledge writes one event for each finding, and nothing else.
    """
    of_project = None if project is None else _project(project)
    legacy, keystore = secrets_of(legacy_password_stdin, keystore_password_stdin)
    wanted = _Wanted.of(acknowledge or [], reason, actor, lasting)
    takeover = context.takeover()
    tried = paths_of(path, paths)
    more = repeated_options(
        legacy_password_stdin=legacy_password_stdin,
        keystore_password_stdin=keystore_password_stdin,
        path=path,
        paths=paths,
    )
    with context.out.progress() as progress:
        report = takeover.diagnose(
            project_id=of_project,
            since=since,
            legacy_password=legacy,
            keystore_password=keystore,
            paths=tried,
            progress=progress,
            partial_on_interrupt=True,
        )
    with report:
        if wanted is not None:
            return _acknowledge(context, takeover, report, wanted)
        if context.out.as_json:
            context.out.pieces(_document(report, more))
        else:
            render(context.out, report, more, resumed=since is not None, of_project=of_project)
        if not report.complete:
            return EXIT_INTERRUPTED
        return EXIT_FINDINGS if report.new() else EXIT_DONE


def _project(project: str) -> UUID:
    from strongroom.records.identifiers import check_project_id

    return check_project_id(project)


def secrets_of(legacy: bool, keystore: bool) -> tuple[Secret | None, Secret | None]:
    """The passwords of envelopes and keystores on standard input, one a line."""
    stdin = StandardInput(legacy + keystore)
    return (
        stdin.line("password of the envelopes") if legacy else None,
        stdin.line("password of the keystores", empty=True) if keystore else None,
    )


def _document(report: DoctorReport, more: str) -> Iterator[str]:
    """One JSON document, piece by piece: there may be more findings than fit into memory.

    ``more``: the options that a plan needs to read what this run read.
    """

    def told(finding: Finding) -> dict[str, Any]:
        known = report.acknowledgement(finding)
        document = {"name": finding.name, **finding.as_dict()}
        document["command"] += more if finding.command.startswith(_PLANNED) else ""
        return {**document, "acknowledged": None if known is None else known.as_dict()}

    head = {
        "generation": report.generation,
        "schema": [told(finding) for finding in report.schema],
        "notes": [note.as_dict() for note in report.notes],
        "credentials": report.credentials,
        "vault_records": report.vault_records,
    }
    yield as_json(head)[:-1]
    if not report.complete:
        yield f', "stopped_after": {as_json(report.last_id)}'
    yield ', "findings": ['
    separator = ""
    for finding in report.placed():
        yield separator + as_json(told(finding))
        separator = ", "
    yield f'], "summary": {as_json(dict(report.summary))}, "new": {as_json(dict(report.new()))}}}\n'


class _Wanted(NamedTuple):
    """What is to be acknowledged."""

    names: list[str]
    actor: str
    reason: str
    lasting: timedelta

    @classmethod
    def of(cls, names: list[str], reason: str | None, actor: str | None, lasting: str) -> _Wanted | None:
        if not names:
            if reason is not None:
                raise CommandLineError("--reason goes with --acknowledge.", "Name a finding, or leave it out.")
            return None
        if reason is None:
            raise CommandLineError("--acknowledge takes a reason.", "Say why with --reason: others read it later.")
        days = re.fullmatch(r"([1-9][0-9]{0,2})d", lasting)
        if days is None or int(days[1]) > _MOST_DAYS:
            raise CommandLineError("--for takes 1d to 365d.", "An acknowledgement ends: 90d if you leave it out.")
        return cls(names, actor_or_user(actor), reason, timedelta(days=int(days[1])))


def _acknowledge(context: CommandContext, takeover: Takeover, report: DoctorReport, wanted: _Wanted) -> int:
    """Write down what is known of findings that are there now. Raises CommandLineError for what is not."""
    from strongroom.errors import FindingNotFoundError, TamperingFindingError

    try:
        known = takeover.acknowledge(
            report, wanted.names, reason=wanted.reason, lasting=wanted.lasting, actor=wanted.actor
        )
    except (FindingNotFoundError, TamperingFindingError) as error:
        raise CommandLineError(error.message, error.hint) from None
    if context.out.as_json:
        context.out.document({"acknowledged": [{"name": each.finding, **each.as_dict()} for each in known]})
    else:
        for name in dict.fromkeys(each.finding for each in known):
            context.out.line(name)
        until = max(each.until for each in known)
        context.out.message(f"Acknowledged until {until:%Y-%m-%d}; where it says something else, it is new again.")
    return EXIT_DONE
