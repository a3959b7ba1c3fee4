"""Memory that looks like a disk, for tests in which processes and connections fail, and no machine does.

What a killed process has written stays in such a folder as it stays in the kernel's cache of a disk, so a server there
does all that it does elsewhere, fsync included; only nobody waits for a disk.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_FOLDER = Path("/dev/shm")
_ROOM = 8 << 30
"""Bytes that must be free: servers, a few databases each, and whatever else the machine keeps there."""


def memory_folder() -> Path | None:
    """A folder in memory with room for servers, in which programs may run, or None."""
    if not os.access(_FOLDER, os.W_OK | os.X_OK) or os.statvfs(_FOLDER).f_flag & os.ST_NOEXEC:
        return None
    return _FOLDER if shutil.disk_usage(_FOLDER).free >= _ROOM else None
