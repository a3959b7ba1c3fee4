"""Files of another user, as root and as anybody else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from strongroom.host import files

ANOTHER = 12345
"""A user that nobody is."""


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a file, a directory or a link belong to another user than the one who will look at it.

    Only root can give files away: anybody else becomes, as far as strongroom is told, another user.
    """
    if os.geteuid() == 0:
        os.chown(path, ANOTHER, -1, follow_symlinks=False)
    else:
        monkeypatch.setattr(files, "effective_user", lambda: os.geteuid() + 1)


def take_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo ``give_away``."""
    if os.geteuid() == 0:
        os.chown(path, 0, -1, follow_symlinks=False)
    else:
        monkeypatch.undo()
