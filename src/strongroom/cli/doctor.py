"""``strongroom doctor``: a manager's summary, then the findings grouped by what to do; or one JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from strongroom.cli.command import Run, command
from strongroom.cli.doctor_report import tell
from strongroom.cli.failures import EXIT_DONE, EXIT_FINDINGS, EXIT_INTERRUPTED
from strongroom.cli.options import AnyProject
from strongroom.cli.secret_input import StandardInput

if TYPE_CHECKING:
    from uuid import UUID

    from strongroom.cli.output import Output
    from strongroom.doctor.diagnosis import Diagnosis
    from strongroom.doctor.passwords import Passwords

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


def add(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "doctor", epilog=_EPILOG)(doctor)


def doctor(
    run: Run,
    project: AnyProject = None,
    since: Since = None,
    legacy_password_stdin: LegacyPassword = False,
    keystore_password_stdin: KeystorePassword = False,
) -> int:
    """Say what is wrong with a database of wallets, and what can be saved. Changes nothing.

    Needs no init and no root key; with a root key, sealed texts are proved too. Both passwords may be given: the
    first line of standard input is the envelopes', the second one the keystores'. Exit code 3 if anything is found.
    """
    from strongroom.doctor.session import open_doctor

    of_project = None if project is None else _project(project)
    passwords = passwords_of(legacy_password_stdin, keystore_password_stdin)
    with open_doctor(run.settings(), passwords, of_project) as found:
        diagnosis = found.diagnosis
        looking = found.run(since)
        try:
            for _ in run.out.watched(looking, "Looking", lambda: diagnosis.credentials):
                pass
        except KeyboardInterrupt:
            looking.close()
        if run.out.as_json:
            _print(run.out, diagnosis)
        else:
            tell(run.out, diagnosis, resumed=since is not None, of_project=of_project)
        if not diagnosis.complete:
            return EXIT_INTERRUPTED
        return EXIT_DONE if diagnosis.healthy else EXIT_FINDINGS


def _project(project: str) -> UUID:
    from strongroom.identifiers import check_project_id

    return check_project_id(project)


def passwords_of(legacy: bool, keystore: bool) -> Passwords:
    """The passwords on standard input, one a line."""
    from strongroom.doctor.passwords import Passwords

    stdin = StandardInput(legacy + keystore)
    return Passwords(
        stdin.line("password of the envelopes") if legacy else None,
        stdin.line("password of the keystores") if keystore else None,
    )


def _print(out: Output, diagnosis: Diagnosis) -> None:
    """One JSON document, written piece by piece: there may be more findings than fit into memory."""
    out.pieces(_document(diagnosis))


def _document(diagnosis: Diagnosis) -> Iterator[str]:
    head = {
        "generation": diagnosis.generation,
        "schema": [finding.as_dict() for finding in diagnosis.schema],
        "credentials": diagnosis.credentials,
        "vault_records": diagnosis.vault_records,
    }
    yield json.dumps(head)[:-1]
    if not diagnosis.complete:
        yield f', "stopped_after": {json.dumps(diagnosis.last_id)}'
    yield ', "findings": ['
    separator = ""
    for finding in diagnosis.spool:
        yield separator + json.dumps(finding.as_dict())
        separator = ", "
    yield f'], "summary": {json.dumps(diagnosis.summary())}}}\n'
