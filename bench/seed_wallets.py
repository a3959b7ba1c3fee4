"""Wallets as they are found in the field, many of them quickly, for doctor to look at.

Rows go in by COPY, past triggers, with keys of their own: two rows with one key would be a finding. What costs work to
open costs none to write: the rows of one database share a salt, and doctor derives for each of them all the same.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from bench import crypto_baseline
from bench.backends import Installation
from bench.crypto_baseline import NETWORK, PATH, SCHEME, BareKey, BareWallet
from bench.registering import KID, TAG, TAG_COLUMNS, register_all
from strongroom.crypto.sealing import is_sealed

PASSWORD = b"correct horse battery staple"
"""Of envelopes and keystores; it guards nothing."""
_ROUNDS = 100_000
_SALT = os.urandom(32)
_EACH = 100
_CIPHER = "AES-256-GCM"
_CREDENTIAL = (
    "id, project_id, credential_type, network, wallet_address, public_key, key_vault_id, status, is_active, "
    "vault_stored, metadata, created_at, updated_at"
)
_RECORD = (
    "id, credential_id, vault_id, encrypted_private_key, encryption_method, access_level, backup_created, created_at, "
    "updated_at"
)
_SLOT = f"project_id, network, label, credential_id, version, {TAG_COLUMNS}"


class SeedWallet(NamedTuple):
    """A wallet to be planted."""

    id: UUID
    project_id: UUID
    label: str
    key: BareKey
    text: str | None
    """What its vault record holds; None where it has none."""
    method: str | None
    in_metadata: str | None = None
    """A key text in its metadata."""

    @property
    def vault_id(self) -> str:
        """The id that the legacy application gave the vault record."""
        return f"vault_{self.id}"


Recipe = Callable[[Installation, UUID, UUID, BareKey], tuple[str | None, str | None, str | None]]
"""Text, ``encryption_method`` and key text in the metadata of a wallet."""


def seed_wallets(
    installation: Installation, recipes: Sequence[Recipe], keys: Iterable[BareKey]
) -> Iterator[SeedWallet]:
    """A wallet for each key; the recipes take turns."""
    projects: list[UUID] = []
    for turn, key in enumerate(keys):
        if turn % _EACH == 0:
            projects = installation.new_projects(1)
        wallet_id = crypto_baseline.new_id()
        made = recipes[turn % len(recipes)](installation, projects[0], wallet_id, key)
        yield SeedWallet(wallet_id, projects[0], f"label-{turn % _EACH}", key, *made)


def write(installation: Installation, wallets: Iterable[SeedWallet]) -> None:
    """Write wallets: by COPY on PostgreSQL, by the floor's statements on SQLite, where all of them are healthy."""
    if installation.kind == "sqlite":
        installation.bare().write_all(
            BareWallet(each.id, each.project_id, each.label, each.key, each.text or "") for each in wallets
        )
        register_all(installation)
        return
    import psycopg

    every, now = list(wallets), datetime.now(UTC)
    with psycopg.connect(installation.database) as connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        _copy(cursor, "project_credentials", _CREDENTIAL, (_credential(each, now) for each in every))
        project = "" if installation.existing else ", project_id"
        _copy(
            cursor,
            "credential_vault_storage",
            _RECORD + project,
            (
                (*_record(each, now), each.project_id)[: None if project else -1]
                for each in every
                if each.text is not None
            ),
        )
        ours = (each for each in every if each.text is not None and is_sealed(each.text))
        slots = ((each.project_id, NETWORK, each.label, each.id, 1, KID, TAG) for each in ours)
        _copy(cursor, "strongroom_slot", _SLOT, slots)
    with psycopg.connect(installation.database, autocommit=True) as connection:
        register_all(installation)
        connection.execute("VACUUM ANALYZE")


def _copy(cursor: Any, table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _credential(each: SeedWallet, now: datetime) -> tuple[Any, ...]:
    facts = {"scheme": SCHEME, "path": PATH}
    if each.in_metadata is not None:
        facts["private_key_encrypted"] = each.in_metadata
    kind, key = f"{NETWORK}_wallet:{each.label}", each.key
    row = (each.id, each.project_id, kind, NETWORK, key.address, key.public_key, each.vault_id, "active", True)
    return *row, bool(each.text), json.dumps(facts), now, now


def _record(each: SeedWallet, now: datetime) -> tuple[Any, ...]:
    row = (crypto_baseline.new_id(), each.id, each.vault_id, each.text, each.method, "project_admin", False)
    return *row, now, now


# --- recipes ----------------------------------------------------------------------------------------------------


def healthy(installation: Installation, project_id: UUID, wallet_id: UUID, key: BareKey) -> tuple[str, str, None]:
    """Sealed by strongroom."""
    return crypto_baseline.seal(key, wallet_id, project_id, installation.sealing), _CIPHER, None


def plaintext(installation: Installation, project_id: UUID, wallet_id: UUID, key: BareKey) -> tuple[str, None, None]:
    """The key in hexadecimal digits."""
    return f"0x{key.private_key.hex()}", None, None


def encoded(installation: Installation, project_id: UUID, wallet_id: UUID, key: BareKey) -> tuple[str, None, None]:
    """The key's digits in base64."""
    return base64.b64encode(key.private_key.hex().encode()).decode(), None, None


def phrase(installation: Installation, project_id: UUID, wallet_id: UUID, key: BareKey) -> tuple[str, None, None]:
    """The phrase in plaintext; the key has to be that of its phrase."""
    return key.mnemonic, None, None


def envelope(installation: Installation, project_id: UUID, wallet_id: UUID, key: BareKey) -> tuple[str, str, None]:
    """PBKDF2, 100,000 rounds, and AES-GCM."""
    iv = os.urandom(16)
    sealed = AESGCM(_envelope_key()).encrypt(iv, key.private_key.hex().encode(), None)
    context = {"salt": _SALT, "iv": iv, "encrypted": sealed[:-16], "authTag": sealed[-16:]}
    members = {"version": 1, "algorithm": "aes-256-gcm", **{name: part.hex() for name, part in context.items()}}
    return json.dumps(members), _CIPHER, None


def keystore(n: int, p: int) -> Recipe:
    """Web3 Secret Storage, scrypt with r=8."""

    def made(installation: Installation, project_id: UUID, wallet_id: UUID, key: BareKey) -> tuple[str, None, None]:
        derived, iv = _keystore_key(n, p), os.urandom(16)
        ciphertext = Cipher(AES(derived[:16]), CTR(iv)).encryptor().update(key.private_key)
        crypto = {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": iv.hex()},
            "ciphertext": ciphertext.hex(),
            "kdf": "scrypt",
            "kdfparams": {"dklen": 32, "n": n, "r": 8, "p": p, "salt": _SALT.hex()},
            "mac": crypto_baseline.keccak_256(derived[16:] + ciphertext),
        }
        return json.dumps({"version": 3, "address": key.address[2:].lower(), "crypto": crypto}), None, None

    return made


def placeholder(installation: Installation, project_id: UUID, wallet_id: UUID, key: BareKey) -> tuple[str, str, None]:
    """What the trigger of generation 4 leaves: no key anywhere."""
    return "", _CIPHER, None


def only_in_metadata(
    installation: Installation, project_id: UUID, wallet_id: UUID, key: BareKey
) -> tuple[None, None, str]:
    """No vault record, and the key in the metadata."""
    return None, None, key.private_key.hex()


def unreadable(installation: Installation, project_id: UUID, wallet_id: UUID, key: BareKey) -> tuple[str, str, None]:
    """A text that nothing explains."""
    return f"{hashlib.sha256(key.private_key).hexdigest()}:{key.address}", _CIPHER, None


# --- what opening one of them takes, bare -----------------------------------------------------------------------


def stretch_phrase(_: object = None) -> bytes:
    """PBKDF2-HMAC-SHA512, 2,048 rounds."""
    return crypto_baseline.seed_of("legal winner thank year wave sausage worth useful legal winner thank yellow")


def stretch_envelope(_: object = None) -> bytes:
    """PBKDF2-HMAC-SHA256, 100,000 rounds."""
    return PBKDF2HMAC(SHA256(), 32, _SALT, _ROUNDS).derive(PASSWORD)


def stretch_keystore(n: int, p: int) -> Callable[[object], bytes]:
    """Scrypt with r=8."""
    return lambda _: Scrypt(salt=_SALT, length=32, n=n, r=8, p=p).derive(PASSWORD)


@cache
def _envelope_key() -> bytes:
    return stretch_envelope()


@cache
def _keystore_key(n: int, p: int) -> bytes:
    return stretch_keystore(n, p)(None)
