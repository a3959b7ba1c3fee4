"""What an account needs of a vault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from strongroom.records.wallets import Wallet


class VaultVerbs(Protocol):
    """The verbs of a vault that sign, each of a wallet, a payload and options. Failure contract as for Vault."""

    @property
    def sign_message(self) -> Callable[..., Any]:
        """``Vault.sign_message``: text or bytes, prefixed as the network prefixes messages."""

    @property
    def sign_typed_data(self) -> Callable[..., Any]:
        """Sign a document of EIP-712."""

    @property
    def sign_transaction(self) -> Callable[..., Any]:
        """``Vault.sign_transaction``: a transaction in one of the network's payload forms."""

    @property
    def sign_authorization(self) -> Callable[..., Any]:
        """Sign an authorization of EIP-7702."""

    @property
    def dangerously_sign_digest(self) -> Callable[..., Any]:
        """``Vault.dangerously_sign_digest``: 32 bytes whose meaning nobody here can read."""


@dataclass(frozen=True, slots=True)
class WalletVerbs:
    """The verbs for one wallet, with who asks and why."""

    vault: VaultVerbs
    wallet: Wallet
    actor: Any = None
    reason: str | None = None
    max_fee: int | None = None
    """The limit of the fee of transactions that are signed without an option ``max_fee``."""

    def sign(self, verb: str, payload: Any, options: dict[str, Any]) -> Any:
        """Call a verb of the vault, such as ``sign_message``, for the wallet."""
        if verb == "sign_transaction" and self.max_fee is not None:
            options = {"max_fee": self.max_fee, **options}
        return getattr(self.vault, verb)(self.wallet, payload, actor=self.actor, reason=self.reason, **options)
