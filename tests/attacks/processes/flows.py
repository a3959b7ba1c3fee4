"""What a flow is to those who kill it, and the flows of wallets; test_processes.py has the table of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, ClassVar

import pytest

from strongroom import Vault, Wallet
from testbed.databases.deployments import CORE_BACKENDS, Deployment
from testbed.harness.fork_server import Arguments, Child, ChildReport
from testbed.processes import foreign_keys, lifecycle
from testbed.processes import wallets as children
from tests.attacks.audit import audit, told_by
from tests.attacks.processes.witness import DatabaseWitness, url_of_victims
from tests.attacks.tally import Tally

_keys = count(1)
_ONE_LOG = """
SELECT count(*) FROM credential_usage_logs WHERE credential_id = ? AND action_type = ?"""
_RECORDS = "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = ?"
_OF_PROJECT = """
SELECT (SELECT count(*) FROM project_credentials WHERE project_id = ?),
       (SELECT count(*) FROM strongroom_vault_history WHERE project_id = ?)"""
_KEPT = "SELECT text FROM strongroom_vault_history WHERE credential_id = ?"


@dataclass
class ChildCase:
    """One child: what it was to work on, and the line that it told, if it came so far."""

    given: Any
    told: dict[str, Any] | None = None


class KillFlow:
    """One flow on one place: prepares what children work on, looks at what the dead left, and does it again."""

    name: ClassVar[str]
    child: ClassVar[Child]
    backends: ClassVar[tuple[str, ...]] = CORE_BACKENDS
    variants: ClassVar[tuple[str, ...]] = ("",)
    """Ways in which it runs through different statements."""
    at_once: ClassVar[bool] = False
    """Whether it is done again before the next child: where what is left half-way is every child's to see."""

    def __init__(self, deployment: Deployment, vault: Vault, row: Tally, request: pytest.FixtureRequest) -> None:
        self.deployment, self.vault, self.row, self.request = deployment, vault, row, request
        self.witness = DatabaseWitness(deployment.url)
        self.cases: list[ChildCase] = []
        self.happened = 0
        """How many children had committed before they died."""
        self._told: dict[str, str] = {}
        self._told_again: dict[str, str] = {}
        self.set_up()

    def set_up(self) -> None:
        """Make what all children share."""

    @property
    def number(self) -> int:
        """Of the child that is prepared, from 0."""
        return len(self.cases)

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """Make what the next child works on; return that, and the child's arguments."""
        raise NotImplementedError

    def again(self, case: ChildCase) -> bool:
        """Look at what is left, do the same again; return whether the first one had happened."""
        raise NotImplementedError

    def arguments(self, variant: str) -> Arguments:
        """The arguments of the next child."""
        given, arguments = self.prepare(variant)
        self.cases.append(ChildCase(given))
        return {"url": url_of_victims(self.deployment.url), "root_key": self.deployment.root_key, **arguments}

    def died(self, report: ChildReport) -> None:
        """The last child has died, or run through."""
        self.witness.await_the_dead()
        case = self.cases[-1]
        for line in report.printed:
            case.told = line
        wallets = told_by(report.printed)
        self._told |= wallets
        self.row.acknowledged += len(report.printed) - len(wallets)
        if self.at_once:
            self.happened += self.again(case)

    def end(self) -> None:
        """Ask the whole database, do everything again, and ask once more."""
        self.audit(self._told)
        if not self.at_once:
            for case in self.cases:
                self.happened += self.again(case)
        self.audit(self._told_again)

    def close(self) -> None:
        """Give connections back."""
        self.witness.close()

    def audit(self, told: dict[str, str]) -> None:
        """Prove everything that is there."""
        audit(self.row, self.deployment.url, self.deployment.root_key, told, foreign=self.deployment.foreign)
        self.row.half_made += list(self.deployment.states().values()).count("active") != 1

    def make(self, network: str = "ethereum") -> Wallet:
        """A wallet of a project of its own; no phrase has to be stretched."""
        key = f"{next(_keys):064x}"
        wallet, _ = self.vault.import_wallet(self.deployment.project(), network, private_key=key)
        return self.told_again(wallet)

    def told_again(self, wallet: Wallet) -> Wallet:
        """Remember a wallet that this process was told of."""
        self._told_again[str(wallet.id)] = wallet.address
        return wallet


class Create(KillFlow):
    """A wallet is created."""

    name = "create"
    variants = ("without key", "with key")
    child: ClassVar[Child] = children.create
    network = "ethereum"

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """A new project."""
        project, key = self.deployment.project(), f"order-{self.number}" if variant == "with key" else None
        return (project, key), {"project": str(project), "key": key}

    def verb(self) -> Callable[..., Any]:
        """What the child called."""
        return self.vault.create_wallet

    def again(self, case: ChildCase) -> bool:
        """A retry returns the wallet that is there, or makes it."""
        project, key = case.given
        left = self.vault.find_wallet(project, self.network)
        wallet, created = self.verb()(project, self.network, idempotency_key=key)
        assert created is (left is None)
        assert left in (None, wallet)
        if case.told is not None:
            self.row.lost += left is None
            self.row.duplicates += (case.told["id"], case.told["address"]) != (str(wallet.id), wallet.address)
        self.row.duplicates += self.witness.ask(_OF_PROJECT, project, project) != [(1, int(self.deployment.foreign))]
        self.told_again(wallet)
        return left is not None


class Import(Create):
    """A phrase is imported."""

    name = "import"
    child: ClassVar[Child] = children.import_phrase
    network = "bitcoin"

    def verb(self) -> Callable[..., Any]:
        """What the child called."""
        return partial(self.vault.import_wallet, mnemonic=children.PHRASE)


class StoreKey(KillFlow):
    """A wallet whose record is missing, or is a placeholder, is completed."""

    name = "store-key"
    variants = ("missing", "placeholder")
    child = foreign_keys.store_key
    at_once = True
    KEY = "46" * 32

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """A wallet without its key, its kept text and its log."""
        wallet, _ = self.vault.import_wallet(self.deployment.project(), "ethereum", private_key=self.KEY)
        self.told_again(wallet)
        placeholder = [""] if variant == "placeholder" else []
        if placeholder:
            sql = "UPDATE credential_vault_storage SET encrypted_private_key = '' WHERE credential_id = ?"
            self.witness.ask(sql, wallet.id)
        else:
            self.witness.ask("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet.id)
        for table in ("strongroom_vault_history", "credential_usage_logs"):
            self.witness.ask(f"DELETE FROM {table} WHERE credential_id = ?", wallet.id)
        return (wallet, placeholder), {"wallet": str(wallet.id), "private_key": self.KEY}

    def again(self, case: ChildCase) -> bool:
        """The record, its kept text and the log row are there together, or none of them is."""
        wallet, placeholder = case.given
        texts = [row[0] for row in self.witness.ask(_RECORDS, wallet.id)]
        kept = [row[0] for row in self.witness.ask(_KEPT, wallet.id)]
        stored = bool(texts != placeholder)
        self.row.half_made += self.witness.ask(_ONE_LOG, wallet.id, "fill") != [(int(stored),)]
        self.row.half_made += kept != (texts if stored and self.deployment.foreign else [])
        self.row.lost += case.told is not None and not stored
        assert self.vault.store_key(wallet, private_key=self.KEY).stored is not stored
        return stored


class Replace(KillFlow):
    """A wallet gets a successor."""

    name = "replace"
    variants = ("without key", "with key")
    child = lifecycle.replace

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """A wallet."""
        wallet, key = self.make(), f"order-{self.number}" if variant == "with key" else None
        return (wallet, key), {"wallet": str(wallet.id), "key": key}

    def again(self, case: ChildCase) -> bool:
        """The live wallet is the old one, or the one successor that every retry returns."""
        old, key = case.given
        left = self.vault.find_wallet(old.project_id, "ethereum")
        assert left is not None
        replaced = bool(left.id != old.id)
        self.row.half_made += self.vault.get_wallet(old).status != ("replaced" if replaced else "active")
        successor, created = self.vault.replace_wallet(old, idempotency_key=key)
        assert created is not replaced
        assert not replaced or successor == left
        if case.told is not None:
            self.row.lost += not replaced
            self.row.duplicates += case.told["id"] != str(successor.id)
        self.row.duplicates += self.deployment.live(old.project_id) != 1
        self.told_again(successor)
        return replaced


class Revoke(KillFlow):
    """A wallet is retired without a successor."""

    name = "revoke"
    child = lifecycle.revoke

    def prepare(self, variant: str) -> tuple[Any, Arguments]:
        """A wallet."""
        wallet = self.make()
        return wallet, {"wallet": str(wallet.id)}

    def again(self, case: ChildCase) -> bool:
        """Status, access level and log row go together; to revoke again writes no second row."""
        left = self.vault.get_wallet(case.given)
        revoked = bool(left.status == "revoked")
        self.row.half_made += (left.access_level == "revoked") is not revoked
        self.row.half_made += self.witness.ask(_ONE_LOG, left.id, "revoke") != [(int(revoked),)]
        self.row.lost += case.told is not None and not revoked
        assert self.vault.revoke_wallet(left).status == "revoked"
        self.row.duplicates += self.witness.ask(_ONE_LOG, left.id, "revoke") != [(1,)]
        return revoked


FLOWS_OF_WALLETS: tuple[type[KillFlow], ...] = (Create, Import, StoreKey, Replace, Revoke)
