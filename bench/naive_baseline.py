"""A vault as one makes it at home: eth-account, AES-GCM under one key, look first and then insert, over the ORM.

Five statements and two commits. It is what strongroom replaces, with its race between the look and the write, and
its credential that is committed before the key is.
"""

from __future__ import annotations

import base64
import json
import os
import uuid
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eth_account import Account
from sqlalchemy import orm

from bench.crypto_baseline import NETWORK
from bench.registering import SCHEMA_VERSION

Account.enable_unaudited_hdwallet_features()


class _Base(orm.DeclarativeBase):
    type_annotation_map = {datetime: sa.DateTime(timezone=True), dict[str, Any]: sa.JSON}  # noqa: RUF012


class NaiveCredential(_Base):
    """The public half."""

    __tablename__ = "project_credentials"

    id: orm.Mapped[uuid.UUID] = orm.mapped_column(primary_key=True)
    project_id: orm.Mapped[uuid.UUID]
    credential_type: orm.Mapped[str]
    network: orm.Mapped[str]
    wallet_address: orm.Mapped[str]
    public_key: orm.Mapped[str]
    key_vault_id: orm.Mapped[str]
    status: orm.Mapped[str]
    is_active: orm.Mapped[bool]
    vault_stored: orm.Mapped[bool]
    details: orm.Mapped[dict[str, Any]] = orm.mapped_column("metadata")
    created_at: orm.Mapped[datetime]
    updated_at: orm.Mapped[datetime]


class VaultRecord(_Base):
    """The sealed half."""

    __tablename__ = "credential_vault_storage"

    id: orm.Mapped[uuid.UUID] = orm.mapped_column(primary_key=True)
    project_id: orm.Mapped[uuid.UUID]
    credential_id: orm.Mapped[uuid.UUID]
    vault_id: orm.Mapped[str]
    encrypted_private_key: orm.Mapped[str]
    encryption_method: orm.Mapped[str]
    access_level: orm.Mapped[str]
    backup_created: orm.Mapped[bool]
    created_at: orm.Mapped[datetime]
    updated_at: orm.Mapped[datetime]


class UsageLog(_Base):
    """Who did what."""

    __tablename__ = "credential_usage_logs"

    id: orm.Mapped[uuid.UUID] = orm.mapped_column(primary_key=True)
    project_id: orm.Mapped[uuid.UUID]
    credential_id: orm.Mapped[uuid.UUID]
    action_type: orm.Mapped[str]
    action_details: orm.Mapped[dict[str, Any]]
    performed_at: orm.Mapped[datetime]
    schema_version: orm.Mapped[int] = orm.mapped_column(default=SCHEMA_VERSION)


def new_account() -> tuple[Any, str]:
    """A key with a phrase of its own, and the phrase."""
    return Account.create_with_mnemonic()  # type: ignore[no-any-return]


class NaiveVault:
    """Look, insert, commit; look again, insert, commit."""

    def __init__(self, engine: sa.Engine) -> None:
        self._sessions = orm.sessionmaker(engine)
        self._cipher = AESGCM(os.urandom(32))

    def create_wallet(self, project_id: uuid.UUID, label: str) -> str:
        """Create a wallet, or return the address of the one that is there."""
        kind = f"{NETWORK}_wallet:{label}"
        with self._sessions() as session:
            credential = session.scalars(
                sa.select(NaiveCredential).where(
                    NaiveCredential.project_id == project_id,
                    NaiveCredential.network == NETWORK,
                    NaiveCredential.credential_type == kind,
                    NaiveCredential.is_active,
                )
            ).first()
            if credential is not None:
                return credential.wallet_address
            account, mnemonic = new_account()
            now, wallet_id = datetime.now(UTC), uuid.uuid4()
            address = str(account.address)
            credential = NaiveCredential(
                id=wallet_id,
                project_id=project_id,
                credential_type=kind,
                network=NETWORK,
                wallet_address=address,
                public_key=account._key_obj.public_key.to_compressed_bytes().hex(),
                key_vault_id=f"vault_{wallet_id}",
                status="active",
                is_active=True,
                vault_stored=True,
                details={},
                created_at=now,
                updated_at=now,
            )
            session.add(credential)
            session.commit()
            present = session.scalars(sa.select(VaultRecord).where(VaultRecord.credential_id == wallet_id)).first()
            if present is None:
                session.add(self._record(project_id, wallet_id, account.key.hex(), mnemonic, now))
            session.add(
                UsageLog(
                    id=uuid.uuid4(),
                    project_id=project_id,
                    credential_id=wallet_id,
                    action_type="create",
                    action_details={},
                    performed_at=now,
                )
            )
            session.commit()
            return address

    def _record(
        self, project_id: uuid.UUID, wallet_id: uuid.UUID, private_key: str, mnemonic: str, now: datetime
    ) -> VaultRecord:
        nonce = os.urandom(12)
        plaintext = json.dumps({"private_key": private_key, "mnemonic": mnemonic}).encode()
        return VaultRecord(
            id=uuid.uuid4(),
            project_id=project_id,
            credential_id=wallet_id,
            vault_id=f"vault_{wallet_id}",
            encrypted_private_key=base64.b64encode(nonce + self._cipher.encrypt(nonce, plaintext, None)).decode(),
            encryption_method="AES-256-GCM",
            access_level="project_admin",
            backup_created=False,
            created_at=now,
            updated_at=now,
        )
