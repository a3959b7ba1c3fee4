"""Variables that hold secrets: read as a Secret, and taken out of the environment where that is asked for."""

from __future__ import annotations

import os

from strongroom.secret import Secret


class EnvironmentSecrets:
    """The environment as a source of secrets by name: see ``ports.SecretSource``."""

    def secret(self, name: str) -> Secret | None:
        """The value of a variable, or None."""
        return read(name)


ENVIRONMENT = EnvironmentSecrets()
_kept: dict[str, Secret] = {}
_withdrawing = False


def withdraw_once_read() -> None:
    """From now on a variable that is read here leaves ``os.environ``; its value stays in this process as a Secret.

    Child processes that are started later do not inherit it then. It does not protect ``/proc/PID/environ``, which
    shows the environment that the process began with. For the whole process, and for good: the environment is its own.
    """
    global _withdrawing
    _withdrawing = True


def withdrawing() -> bool:
    """Whether variables leave the environment once they are read."""
    return _withdrawing


def read(name: str) -> Secret | None:
    """The value of a variable, or None. One that was set anew goes before the one that was kept."""
    text = os.environ.get(name)
    if text is None:
        return _kept.get(name)
    secret = Secret.from_text(text)
    if _withdrawing:
        _kept[name] = secret
        os.environ.pop(name, None)
    return secret
