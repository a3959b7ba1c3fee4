"""What ``vault.status()`` returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What ``status`` reports of a database."""

    database: str
    """The URL without its password."""
    engine: str
    """The engine and its version, such as ``SQLite 3.45.1``."""
    schema_version: str
    """The migration that the schema is at."""
    generation: str
    """``fresh``, or ``g2``, ``g3``, ``g4`` where the legacy application made the wallet tables."""
    wallets: Mapping[str, int]
    """Number of credentials by status."""
    custody: Mapping[str, int]
    """Number of vault records by custody: ``ours``, ``foreign``, ``placeholder``; ``missing`` without one."""
    durability: Mapping[str, str]
    """The settings that decide whether a commit survives a crash."""
    warnings: tuple[str, ...] = ()
    """What works, and should not stay as it is."""
    nodes: int | None = None
    """On how many nodes Citus has the tables' shards; None where it does not distribute them."""
    shards: int | None = None
    """How many shards each table that is divided by project has; likewise."""


@dataclass(frozen=True, slots=True)
class SealingKeyStatus:
    """One sealing key of the keyring and the root keys that wrap it."""

    kid: str
    state: str
    """``active`` seals and opens, ``opening`` opens, ``retired`` seals no row any more."""
    rows: int
    """How many vault records name it."""
    root_keys: tuple[str, ...]

    @property
    def active(self) -> bool:
        """Whether new texts are sealed with it; exactly one key is active."""
        return self.state == "active"


@dataclass(frozen=True, slots=True)
class VaultStatus:
    """What ``vault.status()`` returns: facts about the database, and the sealing keys without their bytes."""

    store: StoreStatus
    sealing_keys: tuple[SealingKeyStatus, ...]

    def as_dict(self) -> dict[str, Any]:
        """The status as JSON-ready values."""
        return {
            **asdict(self.store),
            "warnings": list(self.store.warnings),
            "sealing_keys": [
                {**asdict(key), "active": key.active, "root_keys": list(key.root_keys)} for key in self.sealing_keys
            ],
        }
