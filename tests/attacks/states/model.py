"""What the vault must do, in dictionaries: the state machine compares every answer with this.

It knows no SQL, no keys and no threads. A wallet's texts are numbers; an error is its code.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Self
from uuid import UUID

Slot = tuple[UUID, str, str]
"""Project, network, label."""
Request = tuple[object, ...]
"""What an idempotency key remembers."""
EVM = ("ethereum", "base")
CHAINS = {"ethereum": 1, "base": 8453}


class RefusedCall(NamedTuple):
    """The call raises an error of this code, and changes nothing."""

    code: str


@dataclass(eq=False)
class Modelled:
    """A wallet."""

    id: UUID
    address: str
    slot: Slot
    variant: str
    secret: str
    """Tells its key from others: the key that was brought, or the address that only this key has."""
    key: str | None = None
    """Its private key, once somebody brought it or was shown it."""
    status: str = "active"
    text: int | None = 0
    """The sealed text in its vault record, as a number; None: a placeholder stands there."""
    kept: list[int] = field(default_factory=list)
    """The texts in the history, oldest first."""
    successor: UUID | None = None
    phrase: UUID | None = None
    """The phrase of the project that it was derived from."""
    index: int | None = None

    @property
    def network(self) -> str:
        """The network of the slot that it was made for."""
        return self.slot[1]


class Payload(NamedTuple):
    """What was signed under a nonce."""

    to: str
    fee: int


class Wanted(NamedTuple):
    """A create, or an import of a key that derives ``address``."""

    slot: Slot
    request: Request
    variant: str | None = None
    address: str | None = None
    idempotency_key: str | None = None


class WalletModel:
    """The wallets of one database.

    ``keeps_all``: what is written goes into the history, too; ``guarded``: the guard archives.
    """

    def __init__(self, *, keeps_all: bool, guarded: bool) -> None:
        self.keeps_all = keeps_all
        self.guarded = guarded
        self.wallets: dict[UUID, Modelled] = {}
        self.live: dict[Slot, UUID] = {}
        self.requests: dict[tuple[UUID, str], tuple[Request, UUID]] = {}
        self.nonces: dict[tuple[UUID, int], Payload] = {}
        self._texts = 0

    def copy(self) -> Self:
        """The same state, to go back to."""
        return copy.deepcopy(self)

    # --- create, import, replace ---------------------------------------------------------------------------------

    def answer(self, wanted: Wanted) -> Modelled | RefusedCall | None:
        """The wallet that answers, or the error, or None: a new one is made. An answered key is remembered."""
        found = self.look(wanted)
        if isinstance(found, Modelled):
            self.remember(wanted.slot[0], wanted.idempotency_key, wanted.request, found.id)
        return found

    def look(self, wanted: Wanted) -> Modelled | RefusedCall | None:
        """The same, and nothing is remembered."""
        known = self.remembered(wanted.slot[0], wanted.idempotency_key, wanted.request)
        if known is not None:
            return known
        if wanted.slot not in self.live:
            return None
        wallet = self.wallets[self.live[wanted.slot]]
        if wallet.status == "revoked":
            return RefusedCall("wallet-revoked")
        if wallet.text is None:
            return RefusedCall("key-missing")
        if wanted.address not in (None, wallet.address):
            return RefusedCall("key-conflict")
        if wanted.variant not in (None, wallet.variant):
            return RefusedCall("variant-conflict")
        return wallet

    def born(self, wanted: Wanted, wallet_id: UUID, address: str, key: str | None = None) -> Modelled:
        """A wallet was made."""
        made = Modelled(
            wallet_id, address, wanted.slot, wanted.variant or "default", key or address, key, text=self._new_text()
        )
        if self.keeps_all:
            made.kept.append(self._texts)
        self.wallets[wallet_id] = made
        self.live[wanted.slot] = wallet_id
        self.remember(wanted.slot[0], wanted.idempotency_key, wanted.request, wallet_id)
        return made

    def answer_replacement(self, old: Modelled, key: str | None, request: Request) -> Modelled | RefusedCall | None:
        """The successor that is there, or the error, or None: one is made."""
        known = self.remembered(old.slot[0], key, request)
        if known is not None or old.successor is None:
            return known
        successor = self.wallets[old.successor]
        if successor.status == "revoked":
            return RefusedCall("wallet-revoked")
        if successor.text is None:
            return RefusedCall("key-missing")
        self.remember(old.slot[0], key, request, successor.id)
        return successor

    def replaced(self, old: Modelled, key: str | None, request: Request, wallet_id: UUID, address: str) -> Modelled:
        """A successor was made."""
        made = self.born(Wanted(old.slot, request, old.variant, None, key), wallet_id, address)
        old.successor = wallet_id
        if old.status != "revoked":
            old.status = "replaced"
        return made

    def remembered(self, project: UUID, key: str | None, request: Request) -> Modelled | RefusedCall | None:
        if key is None or (project, key) not in self.requests:
            return None
        before, wallet_id = self.requests[project, key]
        if before != request:
            return RefusedCall("idempotency-conflict")
        wallet = self.wallets[wallet_id]
        if wallet.status == "revoked":
            return RefusedCall("wallet-revoked")
        return wallet if wallet.text is not None else RefusedCall("key-missing")

    def remember(self, project: UUID, key: str | None, request: Request, wallet_id: UUID) -> None:
        if key is not None:
            self.requests.setdefault((project, key), (request, wallet_id))

    # --- texts ---------------------------------------------------------------------------------------------------

    def _new_text(self) -> int:
        self._texts += 1
        return self._texts

    def rewrapped(self, wallet: Modelled) -> None:
        """A text was sealed anew: the old one is kept."""
        if wallet.text is None:
            raise AssertionError("a placeholder was rewrapped")
        wallet.kept.append(wallet.text)
        wallet.text = self._new_text()
        if self.keeps_all:
            wallet.kept.append(wallet.text)

    def blanked(self, wallet: Modelled) -> None:
        """The legacy application put a placeholder over the text; the guard keeps what nobody has kept yet."""
        if self.guarded and wallet.text is not None and wallet.text not in wallet.kept:
            wallet.kept.append(wallet.text)
        wallet.text = None

    def store_key(self, wallet: Modelled, *, fits: bool) -> bool | RefusedCall:
        """Whether the key goes into the vault record."""
        if not fits:
            return RefusedCall("address-mismatch")
        if wallet.text is not None:
            return False
        wallet.text = self._new_text()
        if self.keeps_all:
            wallet.kept.append(wallet.text)
        return True

    def restore(self, wallet: Modelled) -> bool | RefusedCall:
        """Whether the newest kept text goes into the vault record; where its key is stored, there is nothing to do."""
        if wallet.text is not None:
            return False
        if not wallet.kept:
            return RefusedCall("key-missing")
        wallet.text = wallet.kept[-1]
        if self.keeps_all:
            wallet.kept.append(wallet.text)
        return True

    # --- signatures ----------------------------------------------------------------------------------------------

    def sign(self, wallet: Modelled, *, allow_retired: bool) -> RefusedCall | None:
        """Why the wallet does not sign, or None."""
        if wallet.status == "revoked" or (wallet.status == "replaced" and not allow_retired):
            return RefusedCall("wallet-revoked")
        return None if wallet.text is not None else RefusedCall("not-sealed")

    def sign_transaction(
        self, wallet: Modelled, nonce: int, payload: Payload, *, replace: bool, allow_retired: bool
    ) -> RefusedCall | None:
        """The same, with the nonce guard. Where there is no key the nonce is spent all the same."""
        if wallet.network not in CHAINS:
            return RefusedCall("malformed-payload" if wallet.network == "solana" else "unsupported-signing")
        refused = self.sign(wallet, allow_retired=allow_retired)
        if refused == RefusedCall("wallet-revoked"):
            return refused
        before = self.nonces.get((wallet.id, nonce))
        if before not in (None, payload) and not (replace and before is not None and payload.fee > before.fee):
            return RefusedCall("nonce-conflict")
        self.nonces[wallet.id, nonce] = payload
        return refused

    # --- what is there -------------------------------------------------------------------------------------------

    def of_project(self, project: UUID) -> list[Modelled]:
        """A project's wallets."""
        return [wallet for wallet in self.wallets.values() if wallet.slot[0] == project]

    def with_address(self, project: UUID, address: str) -> list[Modelled]:
        """A project's wallets with an address: chains of the EVM share them."""
        return [wallet for wallet in self.of_project(project) if wallet.address == address]

    def found(self, slot: Slot) -> Modelled | None:
        """What the slot names, revoked or not."""
        return self.wallets[self.live[slot]] if slot in self.live else None

    def without_a_key(self) -> Iterator[Modelled]:
        """Wallets in whose vault record a placeholder stands."""
        return (wallet for wallet in self.wallets.values() if wallet.text is None)
