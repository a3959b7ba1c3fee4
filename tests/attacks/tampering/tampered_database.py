"""A database whose every secret is known, to be tampered with, asked, and put back as it was.

What a verb answers is judged by what was there before: the same key, signature and wallet (``SAME``), another one
(``OTHER``), or the code of a typed error. Whatever else is raised goes through, and fails the test.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg

import strongroom
from strongroom import StrongroomError, Vault, Wallet
from testbed.databases.deployments import Deployment
from testbed.databases.rows import execute, sqlite_path
from testbed.harness.canary import Canary, Leak, report
from testbed.processes.signing import transaction
from tests.attacks.tally import Tally

SAME, OTHER = "same", "other"
VERBS = ("verify", "reveal", "sign", "create", "get", "repeat")
TABLES = (
    "project_credentials",
    "credential_vault_storage",
    "credential_usage_logs",
    "strongroom_wallet",
    "strongroom_slot",
    "strongroom_idempotency",
    "strongroom_keyring",
    "strongroom_keyring_head",
    "strongroom_keyring_wrap",
    "strongroom_vault_history",
    "strongroom_events",
    "strongroom_nonce",
    "strongroom_migrations",
)
MESSAGE = "what every wallet signs"
_WALLETS = (
    ("one", "first", "ethereum", "default", None),
    ("hot", "first", "ethereum", "hot", "11" * 32),
    ("base", "first", "base", "default", "11" * 32),
    ("taproot", "first", "bitcoin", "default", None),
    ("solana", "first", "solana", "default", None),
    ("other", "second", "ethereum", "default", None),
)
"""Name, project, network, label, and the key that was imported; ``hot`` and ``base`` have one address."""
IMPORTED = {row[0] for row in _WALLETS if row[4] is not None}

Statements = Iterable[tuple[str, tuple[object, ...]]]


@dataclass(frozen=True)
class TamperedWallet:
    """A wallet, and everything that it answered before anybody touched its rows."""

    name: str
    wallet: Wallet
    key: str
    """The private key, in the text form of its network."""
    canary: Canary
    signature: dict[str, Any]

    @property
    def id(self) -> str:
        """The wallet's id."""
        return str(self.wallet.id)


class TamperedDatabase:
    """Wallets of two projects on a place, and the means to change their rows behind the vault's back."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.older: dict[str, str] = {}
        """The text that each wallet had before the sealing key was changed."""
        projects = {name: deployment.project() for name in ("first", "second")}
        with deployment.open() as vault:
            made = {row[0]: _make(vault, projects[row[1]], *row[2:]) for row in _WALLETS}
            self.older = {name: self._text(wallet) for name, wallet in made.items()}
            vault.rotate_sealing_key()
            assert all(result.ok for result in vault.rewrap())
            vault.sign_transaction(made["other"].id, transaction(1, 10))
            self.known = {name: _known(vault, name, wallet) for name, wallet in made.items()}
        self._keep()

    def __getitem__(self, name: str) -> TamperedWallet:
        return self.known[name]

    def _text(self, wallet: Wallet) -> str:
        found = self.deployment.execute(
            "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = ?", wallet.id
        )
        return str(found[0][0])

    def text(self, name: str) -> str:
        """The sealed text that is in a wallet's vault record."""
        return self._text(self[name].wallet)

    # --- changing rows --------------------------------------------------------------------------------------

    @cached_property
    def kept(self) -> str:
        """What the names of the tables begin with that hold the rows as they were."""
        return "kept_" if self.deployment.backend == "sqlite" else "kept."

    def _keep(self) -> None:
        if self.deployment.backend != "sqlite":
            execute(self.deployment.url, "CREATE SCHEMA kept")
        for table in TABLES:
            execute(self.deployment.url, f"CREATE TABLE {self.kept}{table} AS SELECT * FROM {table}")

    def restore(self) -> None:
        """Put every row back."""
        undo = [(f"DELETE FROM {table}", ()) for table in TABLES]
        self.tamper([*undo, *((f"INSERT INTO {table} SELECT * FROM {self.kept}{table}", ()) for table in TABLES)])

    def tamper(self, statements: Statements) -> None:
        """Run statements in one transaction, where neither foreign keys nor triggers stand in the way."""
        url = self.deployment.url
        if self.deployment.backend == "sqlite":
            connection = sqlite3.connect(sqlite_path(url), timeout=30)  # foreign keys are off unless asked for
            connection.execute("PRAGMA ignore_check_constraints = ON")
            with closing(connection), connection:
                for sql, parameters in statements:
                    connection.execute(sql, parameters)
            return
        with psycopg.connect(url) as server:
            server.execute("SET LOCAL session_replication_role = replica")
            for sql, parameters in statements:
                server.execute(sql.replace("?", "%s").encode(), parameters)

    @contextmanager
    def tampered(self, statements: Statements) -> Iterator[None]:
        """Rows are as the statements leave them, until the block ends."""
        try:
            self.tamper(statements)
            yield
        finally:
            self.restore()

    # --- asking ---------------------------------------------------------------------------------------------

    def answers(self, vault: Vault, row: Tally, names: Sequence[str] | None = None) -> dict[str, dict[str, str]]:
        """What every verb answers of every wallet; another key than the wallet's own goes into the tally."""
        return {name: {verb: self.ask(vault, verb, self[name], row) for verb in VERBS} for name in names or self.known}

    def ask(self, vault: Vault, verb: str, known: TamperedWallet, row: Tally) -> str:
        """What one verb answers of one wallet."""
        try:
            answer = _VERBS[verb](vault, known)
        except StrongroomError as error:
            self.search(error, row, known)
            return str(error.code)
        if answer is True:
            return SAME
        if isinstance(answer, StrongroomError):
            self.search(answer, row, known)
            return str(answer.code)
        if verb in ("reveal", "sign"):
            row.unproved += 1
        return OTHER

    def opens(self, row: Tally, root_key: str | None = None) -> str:
        """Whether the vault opens: ``SAME``, or the code of the error."""
        try:
            strongroom.open(self.deployment.url, root_key=root_key or self.deployment.root_key).close()
        except StrongroomError as error:
            self.search(error, row)
            return str(error.code)
        return SAME

    def search(self, error: StrongroomError, row: Tally, known: TamperedWallet | None = None) -> None:
        """Look for every secret of the database in an error, and for that of one wallet in its frames, too."""
        shown = "\n".join((repr(error), str(error), error.message, error.hint, repr(error.args), repr(vars(error))))
        leaks: list[Leak] = []
        for each in self.known.values():
            leaks += each.canary.in_text(shown, error.code)
        if known is not None:
            leaks += known.canary.in_exception(error)
        row.leaked += len(leaks)
        assert not leaks, report(leaks)


def _make(vault: Vault, project: Any, network: str, label: str, key: str | None) -> Wallet:
    if key is not None:
        return vault.import_wallet(project, network, label=label, private_key=key).wallet
    variant = "taproot" if network == "bitcoin" else None
    return vault.create_wallet(project, network, label=label, variant=variant, idempotency_key=f"{network} {label}")[0]


def _known(vault: Vault, name: str, wallet: Wallet) -> TamperedWallet:
    revealed = vault.reveal(wallet, actor="test", reason="to know it")
    key = revealed.private_key.reveal_text()
    raw = vault._context.networks.get(wallet.network).parse_private_key(revealed.private_key).reveal()
    words = () if revealed.mnemonic is None else tuple(revealed.mnemonic.reveal_text().split())
    signature = vault.sign_message(wallet.id, MESSAGE).as_dict()
    return TamperedWallet(name, wallet, key, Canary(raw, words, {"text form": key}), signature)


def _verify(vault: Vault, known: TamperedWallet) -> bool | StrongroomError:
    results = list(vault.verify(known.id))
    (result,) = results
    return True if result.ok else result.error or False


def _reveal(vault: Vault, known: TamperedWallet) -> bool:
    revealed = vault.reveal(known.id, actor="test", reason="after tampering")
    return revealed.private_key.reveal_text() == known.key


def _sign(vault: Vault, known: TamperedWallet) -> bool:
    return vault.sign_message(known.wallet.id, MESSAGE).as_dict() == known.signature


def _create(vault: Vault, known: TamperedWallet) -> bool:
    wallet = known.wallet
    found, _ = vault.create_wallet(wallet.project_id, wallet.network, label=wallet.label)
    return (found.id, found.address) == (wallet.id, wallet.address)


def _get(vault: Vault, known: TamperedWallet) -> bool:
    found = vault.get_wallet(known.id)
    return (found.id, found.address) == (known.wallet.id, known.wallet.address)


def _repeat(vault: Vault, known: TamperedWallet) -> bool:
    """The request that made the wallet, again, under its idempotency key."""
    if known.name in IMPORTED:
        return True
    made = _make(vault, known.wallet.project_id, known.wallet.network, known.wallet.label, None)
    return (made.id, made.address) == (known.wallet.id, known.wallet.address)


_VERBS = {
    "verify": _verify,
    "reveal": _reveal,
    "sign": _sign,
    "create": _create,
    "get": _get,
    "repeat": _repeat,
}
