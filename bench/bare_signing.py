"""Signing by hand: the floor (one statement, one opening, libsecp256k1), and the way that old code signs."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import wallycore
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from bench import crypto_baseline
from bench.backends import Installation
from bench.bare import BareExisting, BarePostgresql, BareSqlite
from bench.crypto_baseline import BareKey, new_id
from bench.registering import SCHEMA_VERSION, TAG_COLUMNS, TAG_VALUES

RECOVERABLE = 0x1 | 0x8
_ROUNDS = 100_000
_PASSWORD = b"an application's password"
_NONCE = f"project_id, credential_id, chain_id, address, nonce, digest, fee, created_at, updated_at, {TAG_COLUMNS}"
_LOG = "id, project_id, credential_id, action_type, action_details, performed_at, schema_version"
_TEXT = "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = {0}"
_PUT = "UPDATE credential_vault_storage SET encrypted_private_key = {0} WHERE credential_id = {0}"


class SigningTask(NamedTuple):
    """What the floor signs: a digest that was made beforehand, for a wallet whose facts it knows."""

    wallet_id: UUID
    project_id: UUID
    wallet_key: bytes
    header: bytes
    """The protected header of its sealed text."""
    digest: bytes
    nonce: int | None


class BareSigner(Protocol):
    """What signing by hand does on a database."""

    def granted(self, task: SigningTask) -> str:
        """Write the log row, take the nonce, read the sealed text; commit."""

    def text_of(self, wallet_id: UUID) -> str:
        """What the vault record holds."""

    def put(self, wallet_id: UUID, text: str) -> None:
        """Put another text into the vault record; commit."""

    def log(self, task: SigningTask) -> None:
        """Write a log row; commit."""


class _Postgresql(BarePostgresql):
    """psycopg in autocommit: one prepared statement, one round trip."""

    _COLUMNS = _LOG
    _VALUES = f"%(log)s, %(project)s, %(id)s, 'sign', %(details)s::jsonb, %(now)s, {SCHEMA_VERSION}"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        wallet = f"WITH wallet AS ({_TEXT.format('%(id)s')})"
        taken = f""", taken AS (
            INSERT INTO strongroom_nonce ({_NONCE})
            SELECT %(project)s, %(id)s, '1', %(account)s, %(nonce)s, %(digest)s, '[]', %(now)s, %(now)s, {TAG_VALUES}
              FROM wallet
                ON CONFLICT DO NOTHING RETURNING nonce)"""
        logged = f""", logged AS (
            INSERT INTO credential_usage_logs ({self._COLUMNS}) SELECT {self._VALUES} FROM {{}})
            SELECT encrypted_private_key FROM wallet"""
        self._plain = wallet + logged.format("wallet")
        self._guarded = wallet + taken + logged.format("taken")
        self._log = f"INSERT INTO credential_usage_logs ({self._COLUMNS}) SELECT {self._VALUES} RETURNING id"

    def granted(self, task: SigningTask) -> str:
        """One statement, which is its own transaction."""
        statement = self._plain if task.nonce is None else self._guarded
        return self._run(statement, _parameters(task))[0][0]  # type: ignore[no-any-return]

    def text_of(self, wallet_id: UUID) -> str:
        """One SELECT."""
        return self._run(_TEXT.format("%s"), (wallet_id,))[0][0]  # type: ignore[no-any-return]

    def put(self, wallet_id: UUID, text: str) -> None:
        """One UPDATE."""
        self._run(_PUT.format("%s") + " RETURNING id", (text, wallet_id))

    def log(self, task: SigningTask) -> None:
        """One INSERT."""
        self._run(self._log, _parameters(task))


class _Existing(_Postgresql):
    """The same in legacy tables, generation 4."""

    _COLUMNS = BareExisting._LOG
    _VALUES = "%(log)s, %(id)s, 'sign', %(details)s::jsonb, %(now)s"


class _Sqlite(BareSqlite):
    """sqlite3: a SELECT and one or two INSERTs between BEGIN IMMEDIATE and COMMIT."""

    _LOGGED = (
        f"INSERT INTO credential_usage_logs ({_LOG}) "
        f"VALUES (:log, :project, :id, 'sign', :details, :now, {SCHEMA_VERSION})"
    )
    _TAKEN = (
        f"INSERT INTO strongroom_nonce ({_NONCE}) "
        f"VALUES (:project, :id, '1', :account, :nonce, :digest, '[]', :now, :now, {TAG_VALUES}) ON CONFLICT DO NOTHING"
    )

    def granted(self, task: SigningTask) -> str:
        """One transaction."""
        parameters = {
            name: str(value) if isinstance(value, UUID | datetime) else value
            for name, value in _parameters(task).items()
        }
        self._run("BEGIN IMMEDIATE")
        text = self.text_of(task.wallet_id)
        if task.nonce is not None:
            self._run(self._TAKEN, parameters)
        self._run(self._LOGGED, parameters)
        self._run("COMMIT")
        return text

    def text_of(self, wallet_id: UUID) -> str:
        """One SELECT."""
        return self._run(_TEXT.format("?"), (str(wallet_id),)).fetchone()[0]  # type: ignore[no-any-return]

    def put(self, wallet_id: UUID, text: str) -> None:
        """One UPDATE."""
        self._run(_PUT.format("?"), (text, str(wallet_id)))

    def log(self, task: SigningTask) -> None:
        """One INSERT."""
        self._run(self._LOGGED, {name: str(value) for name, value in _parameters(task).items()})


def bare_signer(installation: Installation) -> BareSigner:
    """A bare driver's connection that signs."""
    signer: _Sqlite | _Postgresql
    if installation.kind == "sqlite":
        durability = installation.vault.status().store.durability
        signer = _Sqlite(installation.database.removeprefix("sqlite:///"), durability)
    else:
        signer = (_Existing if installation.existing else _Postgresql)(installation.database)
    installation.stack.callback(signer.close)
    return signer


def signing_task(
    installation: Installation, wallet_id: UUID, project_id: UUID, key: BareKey, digest: bytes, nonce: int | None
) -> SigningTask:
    """A signing task for a wallet that the floor wrote by hand."""
    sealing = installation.sealing
    header = crypto_baseline.header(sealing.kid, project_id, wallet_id, key.address)
    return SigningTask(
        wallet_id, project_id, crypto_baseline.project_key(sealing.key, project_id), header, digest, nonce
    )


def sign(signer: BareSigner, wanted: SigningTask) -> bytes:
    """The floor: log and read, open, sign. Header byte, r, s."""
    opened = crypto_baseline.open_sealed(signer.granted(wanted), wanted.wallet_key, wanted.header)
    return bytes(wallycore.ec_sig_from_bytes(bytes.fromhex(opened["private_key"]), wanted.digest, RECOVERABLE))


def envelope(private_key: bytes) -> str:
    """A key under a password, as older code keeps it: PBKDF2-HMAC-SHA256, 100,000 rounds, AES-256-GCM."""
    salt, nonce = os.urandom(32), os.urandom(16)
    sealed = AESGCM(_stretched(salt)).encrypt(nonce, private_key.hex().encode(), None)
    context = {"salt": salt, "iv": nonce, "encrypted": sealed[:-16], "authTag": sealed[-16:]}
    return json.dumps(
        {"version": 1, "algorithm": "aes-256-gcm", **{name: part.hex() for name, part in context.items()}}
    )


def opened_envelope(text: str) -> str:
    """The private key of an envelope, in hex."""
    document = json.loads(text)
    salt, nonce, body, tag = (bytes.fromhex(document[name]) for name in ("salt", "iv", "encrypted", "authTag"))
    return AESGCM(_stretched(salt)).decrypt(nonce, body + tag, None).decode()


def _stretched(salt: bytes) -> bytes:
    return bytes(PBKDF2HMAC(SHA256(), 32, salt, _ROUNDS).derive(_PASSWORD))


def _parameters(task: SigningTask) -> dict[str, Any]:
    digest = task.digest.hex()
    return {
        "id": task.wallet_id,
        "project": task.project_id,
        "account": str(task.wallet_id),  # about as long as its address
        "log": new_id(),
        "details": json.dumps({"kind": "message" if task.nonce is None else "transaction", "digest": digest}),
        "nonce": str(task.nonce),
        "digest": digest,
        "now": datetime.now(UTC),
    }
