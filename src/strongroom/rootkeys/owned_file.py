"""Files with secrets: read only where their owner alone can reach them, and never more than a few bytes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from strongroom.errors import RootKeyInsecureError, RootKeyMissingError
from strongroom.host.files import NotTrustedError, open_trusted
from strongroom.secret import Secret

_QUOTES = ("'", '"', "`", "\u2019", "\u201d")
_QUOTED = "Its name ends with a quote: leave out what is around the URI."


def path_of(place: str) -> Path:
    """The path of the rest of a URI: ``root.key``, ``/etc/root.key`` or ``///etc/root.key``."""
    return Path(place[2:] if place.startswith("///") else place)


def read(path: Path, max_bytes: int, kind: str) -> Secret:
    """Return at most ``max_bytes`` from the beginning of a file of mode 0600 or stricter, the caller's own or root's.

    Root's may be of mode 0440 where its group is one of the process's, as Kubernetes mounts secrets with ``fsGroup``.

    ``kind`` is what messages call it, such as ``root key file``. Raises RootKeyMissingError, RootKeyInsecureError.
    """
    try:
        with open_trusted(path, private=True) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise RootKeyMissingError(f"{path} is not a file.")
            return Secret(file.read(max_bytes))
    except NotTrustedError as error:
        raise RootKeyInsecureError(
            f"The {kind} {path} {error.reason}.",
            hint=f"{error.cure} Consider who may have read or replaced it. A secret that Kubernetes mounts is taken as "
            "root's with mode 0440 and the process's group (defaultMode: 0400, fsGroup); or as a variable: env:NAME.",
        ) from None
    except FileNotFoundError:
        hint = _QUOTED if str(path)[-1:] in _QUOTES else None
        raise RootKeyMissingError(f"The {kind} {path} does not exist.", hint=hint) from None
    except OSError as error:
        raise RootKeyMissingError(f"The {kind} {path} cannot be read: {os.strerror(error.errno or 0)}.") from error
