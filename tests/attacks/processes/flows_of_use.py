"""The flows that sign, and those that install and remove the guard."""

from __future__ import annotations

from typing import Any

import pytest

import strongroom
from strongroom.settings import Settings
from strongroom.store.guard import event_triggers, postgresql, sqlite
from strongroom.wiring import open_guard
from testbed.harness.fork_server import Arguments
from testbed.processes import signing
from testbed.processes.signing import transaction
from tests.attacks.processes import children
from tests.attacks.processes.flows import ChildCase, KillFlow

_SIGNED = """
SELECT count(*) FROM credential_usage_logs
 WHERE credential_id = ? AND action_type = 'sign' AND CAST(action_details AS text) LIKE ?"""
_ALL_SIGNED = "SELECT count(*) FROM credential_usage_logs WHERE credential_id = ? AND action_type = 'sign'"
_NONCES = "SELECT count(*) FROM strongroom_nonce WHERE credential_id = ?"
_PARTS = """
SELECT (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'strongroom_guard%'),
       (SELECT count(*) FROM pg_proc WHERE proname LIKE 'strongroom_guard%'),
       (SELECT count(*) FROM pg_event_trigger WHERE evtname LIKE 'strongroom_guard%')"""
_SQLITE_PARTS = "SELECT count(*), 0, 0 FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'strongroom_guard%'"
_DIGEST = "SELECT digest FROM strongroom_nonce WHERE credential_id = ? AND nonce = ?"
_FEE = 100
_NO_PARTS = (0, 0, 0)


class SignMessage(KillFlow):
    """A message is signed."""

    name = "sign a message"
    child = children.sign_message

    def set_up(self) -> None:
        """The wallet that signs."""
        self.wallet = self.make()

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """A message that was not signed before."""
        text = f"message {self.number}"
        return text, {"wallet": str(self.wallet.id), "text": text}

    def again(self, case: ChildCase) -> bool:
        """The same message has the same signature; one that was told has its row."""
        signed: Any = self.vault.sign_message(self.wallet, case.given)
        logged = self.witness.ask(_SIGNED, self.wallet.id, f"%{signed.digest.hex()}%")[0][0] - 1
        assert logged in (0, 1)
        if case.told is not None:
            self.row.half_made += logged == 0
            self.row.duplicates += case.told != signed.as_dict()
        return bool(logged)


class SignTransaction(KillFlow):
    """A transaction is signed; each time under a nonce of its own."""

    name = "sign a transaction"
    child = signing.sign_transaction

    def set_up(self) -> None:
        """The wallet that signs."""
        self.wallet = self.make()

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """A nonce."""
        arguments = {"wallet": str(self.wallet.id), "nonce": self.number, "fee": _FEE, "replace": False}
        return self.number, arguments

    def end(self) -> None:
        """Before anything is signed again, there are as many rows in the log as nonces in use."""
        logged, used = (self.witness.ask(sql, self.wallet.id)[0][0] for sql in (_ALL_SIGNED, _NONCES))
        self.row.half_made += logged != used
        super().end()

    def again(self, case: ChildCase) -> bool:
        """One payload has the nonce: the first one if its row is there, else whichever comes next."""
        nonce = case.given
        used: bool = self.witness.ask(f"{_NONCES} AND nonce = ?", self.wallet.id, nonce)[0][0] == 1
        self.row.half_made += case.told is not None and not used
        ours, other = transaction(nonce, _FEE), transaction(nonce, _FEE + 1)
        if nonce % 2 and not used:
            ours, other = other, ours
        if nonce % 3 == 0:
            self._refused(other, used)
        signed: Any = self.vault.sign_transaction(self.wallet, ours)
        if case.told is not None:
            self.row.duplicates += case.told["raw_transaction"] != signed.as_dict()["raw_transaction"]
        self._refused(other, True)
        return used

    def _refused(self, payload: dict[str, object], used: bool) -> None:
        if used:
            with pytest.raises(strongroom.NonceConflictError):
                self.vault.sign_transaction(self.wallet, payload)


class SignReplacement(KillFlow):
    """Another payload takes a nonce over, and pays more: two statements, on PostgreSQL too."""

    name = "sign a replacement"
    child = signing.sign_transaction

    def set_up(self) -> None:
        """The wallet that signs."""
        self.wallet = self.make()

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """A nonce that was signed under."""
        signed = self._sign(self.number, _FEE)
        arguments = {"wallet": str(self.wallet.id), "nonce": self.number, "fee": 2 * _FEE, "replace": True}
        return (self.number, signed, self._digest(self.number)), arguments

    def again(self, case: ChildCase) -> bool:
        """The nonce is the old payload's, or the new one's with its row in the log; never both."""
        nonce, old, old_digest = case.given
        replaced: bool = self._digest(nonce) != old_digest
        self.row.lost += case.told is not None and not replaced
        if not replaced:
            assert self._sign(nonce, _FEE) == old
        new = self._sign(nonce, 2 * _FEE, replace=True)
        logged = self.witness.ask(_SIGNED, self.wallet.id, f"%{self._digest(nonce)}%")[0][0]
        self.row.half_made += logged != 1 + replaced
        self.row.duplicates += case.told not in (None, new)
        with pytest.raises(strongroom.NonceConflictError):
            self._sign(nonce, _FEE)
        return replaced

    def _digest(self, nonce: int) -> str:
        [(digest,)] = self.witness.ask(_DIGEST, self.wallet.id, nonce)
        return str(digest)

    def _sign(self, nonce: int, fee: int, *, replace: bool = False) -> dict[str, Any]:
        signed = self.vault.sign_transaction(self.wallet, transaction(nonce, fee), replace=replace)
        return signed.as_dict()


class GuardFlow(KillFlow):
    """The guard, together with a wallet."""

    at_once = True

    def set_up(self) -> None:
        """What installs the guard in this process."""
        self.make()
        self.guard = open_guard(Settings(database=self.deployment.url))
        self.all_parts = (len(sqlite.TRIGGERS), 0, 0)
        if not self.witness.is_sqlite:
            events = len(event_triggers.parts(""))
            self.all_parts = (len(postgresql.TRIGGERS), len(postgresql.FUNCTIONS) + 1, events)  # of drops there are two

    def close(self) -> None:
        """Give connections back, also the guard's."""
        self.guard.close()
        super().close()

    def mode(self) -> str | None:
        """The mode that all of its parts are in, or None; its status says what the catalogue has."""
        parts = self.witness.ask(_SQLITE_PARTS if self.witness.is_sqlite else _PARTS)[0]
        self.row.half_made += parts not in (_NO_PARTS, self.all_parts)
        status = self.guard.status()
        self.row.half_made += status.state != ("absent" if parts == _NO_PARTS else "installed")
        return status.mode


class InstallGuard(GuardFlow):
    """The guard comes, or changes its mode."""

    name = "install the guard"
    child = children.install_guard

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """It is not there, or, every other time, in the other mode: the statements are the same."""
        if self.number % 2:
            return self.guard.install("refuse").mode, {"mode": "archive"}
        self.guard.remove()
        return None, {"mode": "archive"}

    def again(self, case: ChildCase) -> bool:
        """All of it is as it was, or as it shall be."""
        mode = self.mode()
        assert mode in (case.given, "archive")
        self.row.lost += case.told is not None and mode != "archive"
        assert self.guard.install("archive").state == "installed"
        assert self.mode() == "archive"
        return mode == "archive"


class RemoveGuard(GuardFlow):
    """The guard goes."""

    name = "remove the guard"
    child = children.remove_guard

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """It is there."""
        self.guard.install("archive")
        return None, {}

    def again(self, case: ChildCase) -> bool:
        """All of it is there, or nothing."""
        gone = self.mode() is None
        self.row.lost += case.told is not None and not gone
        assert self.guard.remove() is not gone
        assert self.mode() is None
        return gone


FLOWS_OF_USE: tuple[type[KillFlow], ...] = (SignMessage, SignTransaction, SignReplacement, InstallGuard, RemoveGuard)
