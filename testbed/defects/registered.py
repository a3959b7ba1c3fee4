"""docs/findings.md, "What the register says", as a function of the truth: findings that no row shows by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from testbed.defects.ground_truth import CredentialRow, Record
    from testbed.defects.keys import KnownKey

_SEALED = "eyJraWQiOi"
_OURS = ("fresh", "sqlite")
_LIKE = {"revoked": ("inactive",)}
"""Words of the legacy application that do not contradict a state."""


@dataclass(frozen=True)
class RecordedWallet:
    """What strongroom recorded of a wallet, in the words of the rows as they were then."""

    project: UUID
    address: str
    status: str
    scheme: str | None
    path: str | None
    columns: tuple[object, ...]
    """Of tables of ours: every column that the record must agree with."""
    access_level: str | None

    @classmethod
    def of(cls, row: dict[str, Any], credential: CredentialRow, record: Record) -> RecordedWallet:
        """From the register's row, and the rows that strongroom wrote with it."""
        return cls(
            project=UUID(str(row["project_id"])),
            address=row["address"],
            status=row["status"],
            scheme=row["scheme"],
            path=row["path"],
            columns=columns_of(credential),
            access_level=record.access_level,
        )


def register_codes(generation: str, credential: CredentialRow, records: Sequence[Record]) -> Iterator[str]:
    """The findings about the record of a wallet, where there is a root key."""
    registered = credential.registered
    if generation in _OURS:
        if registered is None or _differs(registered, credential, records):
            yield "register-mismatch"
    elif registered is None:
        if any((record.text.value or "").startswith(_SEALED) for record in records):
            yield "register-mismatch"
    elif _contradicts(registered, credential):
        yield "register-mismatch"
    elif _state(credential) not in (registered.status, *_LIKE.get(registered.status, ())):
        yield "status-differs"


def columns_of(credential: CredentialRow) -> tuple[object, ...]:
    """The columns of tables of ours that a record must agree with, as they are."""
    return (
        *(credential.project, credential.network, credential.credential_type, credential.vault_id),
        *(credential.wallet_address, credential.public_key, _facts(credential), credential.status),
        *(credential.is_active, credential.revoked_at is not None),
    )


def _facts(credential: CredentialRow) -> tuple[object, object]:
    metadata = credential.metadata or {}
    return metadata.get("scheme"), metadata.get("path")


def _state(credential: CredentialRow) -> str:
    if credential.revoked_at is not None:
        return "revoked"
    if credential.status not in (None, "active"):
        return str(credential.status)
    return "active" if credential.live else "revoked"


def _differs(registered: RecordedWallet, credential: CredentialRow, records: Iterable[Record]) -> bool:
    """Tables of ours say nothing but what was recorded, in the same words."""
    if columns_of(credential) != registered.columns:
        return True
    return any(
        record.access_level != registered.access_level
        or not (record.text.form == "placeholder" or (record.text.value or "").startswith(_SEALED))
        for record in records
    )


def _contradicts(registered: RecordedWallet, credential: CredentialRow) -> bool:
    """Legacy tables may be silent; project, address and derivation must not say something else."""
    address = credential.wallet_address or credential.public_key
    others = zip(_facts(credential), (registered.scheme, registered.path), strict=True)
    return (
        credential.project != registered.project
        or bool(address and not _is(credential.key, address, registered.address))
        or any(said is not None and said != recorded for said, recorded in others)
    )


def _is(key: KnownKey | None, address: str, recorded: str) -> bool:
    """Whether two addresses are one: the key that derives what is stored derives what was recorded."""
    return key is not None and address.lower() == key.address.lower() and recorded.lower() == key.address.lower()
