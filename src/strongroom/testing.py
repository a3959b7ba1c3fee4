"""For tests of code that uses strongroom: a real vault that is thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import strongroom
from strongroom.vault.vault import Vault


@contextmanager
def temporary_vault() -> Iterator[Vault]:
    """Yield a vault on SQLite in a temporary directory, with a root key of its own; both are gone afterwards.

    It is the real thing: keys are made, sealed, proved and committed to disk.
    """
    with tempfile.TemporaryDirectory(prefix="strongroom-") as directory:
        root = Path(directory)
        with strongroom.init(f"sqlite:///{root / 'vault.db'}", root_key=f"file:{root / 'root.key'}") as vault:
            yield vault
