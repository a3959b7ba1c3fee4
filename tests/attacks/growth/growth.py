"""A long run of every verb in one process, which measures itself after each window of rounds.

Run as ``python -m tests.attacks.growth.growth URL ROOT_KEY WINDOWS ROUNDS``; prints a JSON object a window,
and one with the errors.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

import strongroom
from strongroom import AsyncVault, Vault, Wallet
from testbed.processes.signing import transaction
from tests.attacks.leaks.verbs import TYPED

WHO: dict[str, Any] = {"actor": "ann", "reason": "a long run"}
_PAGE_KIB = os.sysconf("SC_PAGESIZE") // 1024
_CUT = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_keys = count(1)


class Run:
    """One vault that stays open, and what is asked of it."""

    def __init__(self, url: str, root_key: str) -> None:
        self.url, self.root_key = url, root_key
        self.vault = strongroom.open(url, root_key=root_key)
        self.operations = 0
        """How many succeeded."""
        self.failures: Counter[str] = Counter()
        """The codes of the others."""

    def does(self, verb: Callable[[], object]) -> None:
        """One operation, whatever comes of it."""
        try:
            verb()
        except strongroom.StrongroomError as error:
            self.failures[error.code] += 1
        else:
            self.operations += 1

    def round(self) -> None:
        """Every verb that is quick enough for it, a few errors, a lost connection, a vault opened and closed."""
        vault = self.vault
        wallet = self._bring(vault)
        self._read(vault, wallet)
        self._sign(vault, wallet)
        self._retire(vault, wallet)
        self._fail(vault)
        self._cut()
        with strongroom.open(self.url, root_key=self.root_key) as other:
            self.does(lambda: other.create_wallet(wallet.project_id, "ethereum", label="another"))

    def change_keyring(self) -> None:
        """Once a window: the keyring grows by a key, and the rows of one project move to it."""
        vault = self.vault
        wallet = self._bring(vault)
        self.does(vault.rotate_sealing_key)
        self.does(lambda: [*vault.rewrap(project_id=wallet.project_id)])
        self.does(lambda: vault.add_root_key("env:STRONGROOM_GROWTH_ROOT"))
        self.does(lambda: vault.check_root_key("env:STRONGROOM_GROWTH_ROOT"))
        self.does(lambda: vault.remove_root_key("env:STRONGROOM_GROWTH_ROOT"))

    def export(self) -> None:
        """A document under a password: a second, and a quarter of a GiB for its length."""
        self.does(lambda: self.vault.export_keystore(self._bring(self.vault), password="a long password", **WHO))

    def _bring(self, vault: Vault) -> Wallet:
        project, key = uuid4(), f"{next(_keys):064x}"
        wallet = vault.import_wallet(project, "ethereum", private_key=key, idempotency_key="k", **WHO).wallet
        self.does(lambda: vault.import_wallet(project, "ethereum", private_key=key, idempotency_key="k"))
        self.does(lambda: vault.create_wallet(project, "base", idempotency_key="k2"))
        self.does(lambda: vault.create_wallets(project, ["bitcoin", "solana"]))
        self.does(lambda: asyncio.run(_awaited(vault, project)))
        self.operations += 1
        return wallet

    def _read(self, vault: Vault, wallet: Wallet) -> None:
        self.does(lambda: vault.get_wallet(wallet.id))
        self.does(lambda: vault.find_wallet(wallet.project_id, "ethereum"))
        self.does(lambda: vault.find_by_address(wallet.address, project_id=wallet.project_id))
        self.does(lambda: vault.list_wallets(wallet.project_id))
        self.does(lambda: vault.count_wallets(wallet.project_id))
        self.does(lambda: vault.count_pending_rewraps(wallet.project_id))
        self.does(lambda: [*vault.verify(project_id=wallet.project_id)])
        self.does(lambda: next(vault.verify()))  # a stream that is left
        self.does(lambda: vault.reveal(wallet, **WHO))
        self.does(lambda: vault.history(wallet).entries)
        self.does(vault.networks)

    def _sign(self, vault: Vault, wallet: Wallet) -> None:
        self.does(lambda: vault.sign_message(wallet, b"hello"))
        self.does(lambda: vault.sign_typed_data(wallet.id, TYPED))
        self.does(lambda: vault.sign_transaction(wallet.id, transaction(0, 100)))
        self.does(lambda: vault.sign_transaction(wallet, transaction(0, 300), replace=True))
        self.does(lambda: vault.sign_authorization(wallet, {"chainId": 1, "address": "0x" + "00" * 20, "nonce": 1}))
        self.does(lambda: vault.dangerously_sign_digest(wallet, bytes(32)))
        self.does(lambda: vault.account(wallet))

    def _retire(self, vault: Vault, wallet: Wallet) -> None:
        self.does(lambda: vault.store_key(wallet, private_key="11" * 32))
        self.does(lambda: vault.restore(wallet))
        self.does(lambda: vault.revoke_wallet(vault.replace_wallet(wallet).wallet))

    def _fail(self, vault: Vault) -> None:
        self.does(lambda: vault.import_wallet(uuid4(), "ethereum", private_key="no key"))
        self.does(lambda: vault.create_wallet(uuid4(), "nowhere"))
        self.does(lambda: vault.get_wallet(uuid4()))
        self.does(lambda: strongroom.open(self.url, root_key="file:/none"))
        self.does(lambda: vault.sign_transaction(vault.create_wallet(uuid4(), "base").wallet, transaction(1, 10)))
        self.does(lambda: vault.sign_psbt(uuid4(), b"psbt\xff"))

    def _cut(self) -> None:
        """End every connection at the server; the next call finds that out."""
        if self.url.startswith("postgresql"):
            with psycopg.connect(self.url) as administrator:
                administrator.execute(_CUT)


async def _awaited(vault: Vault, project: Any) -> None:
    await AsyncVault(vault).find_wallet(project, "base")


def connections(url: str) -> int:
    """How many connections this process has at the server."""
    if not url.startswith("postgresql"):
        return 0
    with psycopg.connect(url) as administrator:
        row = administrator.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    return 0 if row is None else int(row[0])


def empty_caches(vault: Vault) -> None:
    """What may hold so much and no more is emptied, so that what is left tells of the rest."""
    for each in gc.get_objects():
        ours = isinstance(each, functools._lru_cache_wrapper) and (each.__module__ or "").startswith("strongroom")
        if ours and each.cache_parameters()["maxsize"] is not None:
            each.cache_clear()
    vault._signer._facts.clear()
    vault._context.keyring._now.derived.clear()


def measure(url: str, operations: int) -> dict[str, int]:
    """What this process holds, after the collector has run."""
    gc.collect()
    temporary = Path(os.environ["TMPDIR"])
    return {
        "operations": operations,
        "KiB": int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_KIB,
        "descriptors": len(os.listdir("/proc/self/fd")),
        "connections": connections(url),
        "threads": threading.active_count(),
        "temporary files": len([*temporary.rglob("*")]),
    }


def main(url: str, root_key: str, windows: int, rounds: int) -> None:
    """Run, and print what was measured after each window, and at the end how often which error came up."""
    run = Run(url, root_key)
    for window in range(windows):
        for _ in range(rounds):
            run.round()
        run.change_keyring()
        if window in (0, windows // 2):
            run.export()
        run.vault.status()
        empty_caches(run.vault)
        print(json.dumps(measure(url, run.operations)), flush=True)
    run.vault.close()
    print(json.dumps(run.failures), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
