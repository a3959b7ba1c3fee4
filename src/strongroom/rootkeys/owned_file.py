"""Files with secrets: read only where their owner alone can reach them, and never more than a few bytes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from strongroom.errors import RootKeyInsecureError, RootKeyMissingError
from strongroom.files import without_waiting
from strongroom.secret import Secret


def path_of(place: str) -> Path:
    """The path of the rest of a URI: ``root.key``, ``/etc/root.key`` or ``///etc/root.key``."""
    return Path(place[2:] if place.startswith("///") else place)


def read(path: Path, max_bytes: int, kind: str) -> Secret:
    """Return at most ``max_bytes`` from the beginning of a file of mode 0600 or stricter.

    ``kind`` is what messages call it, such as ``root key file``. Raises RootKeyMissingError, RootKeyInsecureError.
    """
    try:
        with open(path, "rb", opener=without_waiting) as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise RootKeyMissingError(f"{path} is not a file.")
            if stat.S_IMODE(mode) & 0o077:
                raise RootKeyInsecureError(f"The {kind} {path} can be read by others.")
            return Secret(file.read(max_bytes))
    except FileNotFoundError:
        raise RootKeyMissingError(f"The {kind} {path} does not exist.") from None
    except OSError as error:
        raise RootKeyMissingError(f"The {kind} {path} cannot be read: {os.strerror(error.errno or 0)}.") from error
