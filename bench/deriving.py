"""Deriving: wallets that take the next indices of one phrase, a batch a turn.

The floor does the same work by bare calls: it derives, seals, opens what it sealed, derives again, makes two MACs, and
writes the same rows, by COPY (psycopg) or executemany between BEGIN IMMEDIATE and COMMIT (sqlite3), all tables in one
transaction.
The peer, bip_utils, only derives the addresses, and stores nothing.
"""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from typing import Any

import wallycore
from bip_utils import Bip44, Bip44Changes, Bip44Coins

from bench import crypto_baseline
from bench.aims import scaled
from bench.backends import Backend, Installation
from bench.creating import fill
from bench.crypto_baseline import NETWORK, SCHEME
from bench.measure import Candidate, Measurement, Target, named, race, rates, ratio
from bench.proofs import Proof, prove_opens
from bench.registering import KID, SCHEMA_VERSION, TAG
from strongroom.vault.vault import Vault

_FLOOR, OURS = "floor: derive, seal, open, derive again, rows", "strongroom"
_OPENED = "open, derive, as the floor of verify"
_VERIFY = ("verify", "postgresql", "floor: open, derive")
_TABLES = {
    "strongroom_slot": ("project_id", "network", "label", "credential_id", "version", "kid", "tag"),
    "project_credentials": (
        *("id", "project_id", "credential_type", "network", "wallet_address", "public_key", "key_vault_id", "status"),
        *("is_active", "vault_stored", "metadata", "created_at", "updated_at"),
    ),
    "credential_vault_storage": (
        *("id", "project_id", "credential_id", "vault_id", "encrypted_private_key", "encryption_method"),
        *("access_level", "backup_created", "created_at", "updated_at"),
    ),
    "strongroom_wallet": (
        *("project_id", "credential_id", "network", "variant", "label", "vault_id", "address", "public_key", "scheme"),
        *("path", "access_level", "status", "version", "phrase_id", "phrase_index", "kid", "tag"),
    ),
    "credential_usage_logs": (
        *("id", "project_id", "credential_id", "action_type", "action_details", "performed_at", "schema_version"),
    ),
}
Rows = dict[str, list[tuple[Any, ...]]]


def measure_derive(backend: Backend, turns: int, batch: int) -> tuple[list[Measurement], list[Target], list[Proof]]:
    """Wallets a second of one caller, and how many times its floor's time that is."""
    with ExitStack() as stack:
        floor, ours, opened = (stack.enter_context(backend.installation()) for _ in range(3))
        bare, project = _Floor(floor), uuid.uuid4()
        ours.vault.create_phrase(project)
        numbers, peer, warm_up = count(), _Peer(), min(2, turns)
        candidates = [
            Candidate(_FLOOR, lambda _: bare.derive(batch)),
            Candidate(OURS, lambda _: make(ours.vault, project, f"{next(numbers)}-", batch)),
            Candidate("bip_utils: addresses alone", lambda _: peer.derive(batch)),
        ]
        if backend.kind == "postgresql":
            candidates.append(_opening(opened, batch))
        measured = rates("derive", backend.kind, race(candidates, turns, warm_up), batch)
        targets = [ratio("derive, times its floor", 1.3, measured, OURS, _FLOOR)]
        if backend.kind == "postgresql":
            text, verify = (
                "derive, one caller, times the floor of verify",
                ("verify", "postgresql", "floor: open, derive"),
            )
            targets.append(scaled(text, 5000, named(measured, OURS), named(measured, _OPENED), of=verify))
        total = (turns + warm_up) * batch
        phrases = [result.ok for result in ours.vault.verify(phrases=True)]
        proofs = [
            prove_opens("derive: strongroom verifies what it wrote", ours, total),
            Proof("derive: each wallet is the one of its phrase and index", backend.kind, phrases == [True] * total),
            Proof("derive: the floor wrote as many rows", backend.kind, bare.counts() == [total] * len(_TABLES)),
        ]
        return measured, targets, proofs


def make(vault: Vault, project: uuid.UUID, prefix: str, batch: int) -> None:
    """A batch of new wallets."""
    made = vault.create_many(project, NETWORK, count=batch, label_prefix=prefix)
    if not all(each.created for each in made):
        raise RuntimeError("the labels were there already")


def _opening(installation: Installation, wallets: int) -> Candidate:
    """The floor by which the machine of the aims is compared with this one: it measured no other of deriving's work."""
    bare = installation.bare()
    fill(bare, installation, [uuid.uuid4()], [crypto_baseline.given_key()], wallets)
    sealing = installation.sealing
    return Candidate(
        _OPENED, lambda _: [crypto_baseline.verify(page, sealing, phrases=False) for page in bare.stream()]
    )


class _Peer:
    """bip_utils, from the node above the indices on."""

    def __init__(self) -> None:
        seed = crypto_baseline.seed_of(crypto_baseline.new_phrase())
        self._above = (
            Bip44.FromSeed(seed, Bip44Coins.ETHEREUM).Purpose().Coin().Account(0).Change(Bip44Changes.CHAIN_EXT)
        )
        self._next = 0

    def derive(self, many: int) -> list[str]:
        """So many addresses."""
        found = [self._above.AddressIndex(self._next + step).PublicKey().ToAddress() for step in range(many)]
        self._next += many
        return found


class _Floor:
    """A phrase's node above the indices, and a bare connection."""

    def __init__(self, installation: Installation) -> None:
        self._house = installation
        self._bare = installation.bare()
        self._project, self._phrase, self._next = uuid.uuid4(), uuid.uuid4(), 0
        seed = crypto_baseline.seed_of(crypto_baseline.new_phrase())
        self._key, self._chain_code = crypto_baseline.node_of(seed)
        self._point = bytes(wallycore.ec_public_key_from_private_key(self._key))
        self._wallet_key = crypto_baseline.project_key(installation.sealing.key, self._project)

    def derive(self, many: int) -> None:
        """Make and write so many wallets."""
        rows: Rows = {table: [] for table in _TABLES}
        now = datetime.now(UTC)
        stamp: Any = now.isoformat() if self._house.kind == "sqlite" else now
        for index in range(self._next, self._next + many):
            self._wallet(rows, index, stamp)
        self._next += many
        self._write(rows)

    def counts(self) -> list[int]:
        """How many rows each table has."""
        return [int(self._bare.run(f"SELECT count(*) FROM {table}")[0][0]) for table in _TABLES]

    def _wallet(self, rows: Rows, index: int, now: Any) -> None:
        sealing, project = self._house.sealing, self._project
        digest = hmac.digest(self._chain_code, self._point + index.to_bytes(4), "sha512")
        key = bytes(wallycore.ec_scalar_add(self._key, digest[:32]))
        public_key, address = crypto_baseline.public_half_of(key)
        wallet_id, path, label = crypto_baseline.new_id(), f"m/44'/60'/0'/0/{index}", f"l-{index}"
        document = {"v": 1, "private_key": key.hex(), "scheme": SCHEME, "path": path}
        document |= {"phrase": str(self._phrase), "index": str(index)}
        header = crypto_baseline.header(sealing.kid, project, wallet_id, address)
        text = crypto_baseline.sealed_document(document, header, self._wallet_key)
        opened = crypto_baseline.open_sealed(text, self._wallet_key, header)
        if crypto_baseline.public_half_of(bytes.fromhex(opened["private_key"])) != (public_key, address):
            raise RuntimeError("what was sealed is not what was derived")
        record = f"{project}{wallet_id}{NETWORK}{label}{address}{public_key}{path}{index}".encode()
        for _ in ("record", "slot"):
            hmac.digest(sealing.key, record, "sha256")
        vault, ident, owner = f"vault_{wallet_id}", str(wallet_id), str(project)
        rows["strongroom_slot"].append((owner, NETWORK, label, ident, 1, KID, TAG))
        rows["project_credentials"].append(
            (
                *(ident, owner, f"{NETWORK}_wallet:{label}", NETWORK, address, public_key, vault, "active", True, True),
                *(json.dumps({"scheme": SCHEME, "path": path}), now, now),
            )
        )
        rows["credential_vault_storage"].append(
            (
                *(str(crypto_baseline.new_id()), owner, ident, vault, text, "AES-256-GCM", "project_admin", False),
                *(now, now),
            )
        )
        rows["strongroom_wallet"].append(
            (
                *(owner, ident, NETWORK, "default", label, vault, address, public_key, SCHEME, path, "project_admin"),
                *("active", 1, str(self._phrase), index, KID, TAG),
            )
        )
        rows["credential_usage_logs"].append(
            (str(crypto_baseline.new_id()), owner, ident, "create", "{}", now, SCHEMA_VERSION)
        )

    def _write(self, rows: Rows) -> None:
        connection: Any = self._bare.connection
        if self._house.kind == "sqlite":
            connection.execute("BEGIN IMMEDIATE")
            for table, columns in _TABLES.items():
                connection.executemany(_insert(table, columns), rows[table])
            connection.execute("COMMIT")
            return
        with connection.transaction(), connection.cursor() as cursor:
            for table, columns in _TABLES.items():
                with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                    for row in rows[table]:
                        copy.write_row(row)


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
