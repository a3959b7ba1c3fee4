"""Who runs a command, for the usage log."""

from __future__ import annotations

import os


def actor_or_user(actor: str | None) -> str:
    """The actor that was named, or the name of the user who runs the command."""
    import getpass

    if actor is not None:
        return actor
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return f"uid {os.getuid()}"
