"""What a use case is given to work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID

from strongroom.crypto.keyring import Keyring
from strongroom.ports.clock import Clock
from strongroom.ports.network import Networks
from strongroom.ports.rescue import ForeignTexts
from strongroom.ports.root_key import ForgettableRootKey, RootKey
from strongroom.ports.stores import Stores
from strongroom.records.key_material import KeyMaterial


class KeyQuestions(Protocol):
    """Answers whose keys are, for who asks about many: each question alone reads the tables as a whole."""

    def is_elsewhere(self, material: KeyMaterial, project_id: UUID, *, takes: bool = False) -> bool:
        """Whether a wallet of another project has a key, or any of its phrase; ``takes``: see ``elsewhere``."""

    def wallets_with(self, material: KeyMaterial, project_id: UUID) -> set[UUID]:
        """The wallets of which a key is stated for a project, proved or not."""


@dataclass(frozen=True, slots=True)
class VaultContext:
    """An opened vault from within: where rows live, which keys seal, which networks exist, what time it is."""

    store: Stores
    keyring: Keyring
    networks: Networks
    clock: Clock
    root_key: RootKey
    """The root key that opened the keyring."""
    open_root_key: Callable[[str], RootKey]
    """Return the root key of another URI; reads nothing yet."""
    texts: ForeignTexts
    """Reads the texts of the legacy application."""
    accept_foreign: bool = True
    """False: wallets that nothing proves are not accepted, whatever the vault's head says."""
    keys_of_others: KeyQuestions | None = None
    """Answers whose keys are, where many are asked about."""

    @property
    def accepts_foreign(self) -> bool:
        """Whether wallets of legacy tables that nothing proves are returned, as such."""
        head = self.keyring.head
        return self.accept_foreign and head is not None and head.accept_foreign

    def within(self, connection: Any | None) -> VaultContext:
        """The same vault in the transaction of a caller's connection; None: this one."""
        return self if connection is None else replace(self, store=self.store.within(connection))

    def close(self) -> None:
        """Give the connections back and forget the keys; closing twice is harmless."""
        self.store.close()
        self.keyring.forget()
        if isinstance(self.root_key, ForgettableRootKey):
            self.root_key.forget()
