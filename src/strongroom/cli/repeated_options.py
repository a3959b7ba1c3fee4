"""The options of one command that the next one needs: what says how texts are read is the same for all of them."""

from __future__ import annotations

import shlex

from strongroom.cli.output import printable


def repeated_options(
    *, legacy_password_stdin: bool, keystore_password_stdin: bool, path: list[str] | None, paths: str | None
) -> str:
    """The options that were given, each behind a blank; empty where none was."""
    options = ["--legacy-password-stdin"] if legacy_password_stdin else []
    options += ["--keystore-password-stdin"] if keystore_password_stdin else []
    options += [f'--path "{printable(each)}"' for each in path or ()]
    options += [] if paths is None else [f"--paths {shlex.quote(printable(paths))}"]
    return "".join(f" {option}" for option in options)
