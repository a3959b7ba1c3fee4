"""One vault for a process and its forked children: Django, Celery, gunicorn with and without preload."""

from __future__ import annotations

import os
import threading

import strongroom
from strongroom.vault.vault import Vault

__all__ = ["process_vault"]

_lock = threading.Lock()
_vault: Vault | None = None


def process_vault() -> Vault:
    """Return the vault of this process, opened by ``strongroom.open()`` when it is first asked for.

    Any number of threads share it. A child that is forked afterwards goes on with it, on connections of its own, and is
    not asked for a root key again. It is never closed: it ends with the process. Raises as ``strongroom.open``.
    """
    global _vault
    if _vault is None:
        with _lock:
            if _vault is None:
                _vault = strongroom.open()
    return _vault


def _renew_lock() -> None:
    """In a forked child: another thread of the parent may have held it."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
