"""The public facts of wallets, as the verbs of a vault return them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

from strongroom.errors import StrongroomError

Custody = Literal["ours", "foreign"]

ENCRYPTION_METHOD = "AES-256-GCM"
ACCESS_LEVEL = "project_admin"
STATUS = "active"
REPLACED = "replaced"
REVOKED = "revoked"
DEFAULT_LABEL = "default"


@dataclass(frozen=True, slots=True)
class Wallet:
    """The public facts of a wallet: a credential and its vault record, as the API returns them."""

    id: UUID
    """The credential's id; names the wallet in every verb."""
    project_id: UUID
    """The tenant that owns the wallet."""
    network: str
    """The network's name as it is stored, such as ``ethereum``, and ``evm:4242`` of a chain that had no name."""
    label: str
    """Distinguishes several wallets of one project on one network."""
    address: str
    """The address in the network's canonical form (EIP-55, bech32, base58)."""
    public_key: str
    """Lower-case hex: the compressed SEC 1 point (33 bytes), or the Ed25519 key (32 bytes)."""
    vault_id: str
    """Names the vault record; equals the credential's ``key_vault_id``."""
    status: str
    """``active``, ``replaced`` or ``revoked``."""
    access_level: str | None
    """``project_admin``, ``project_member`` or ``revoked``; None where the vault record is missing."""
    encryption_method: str | None
    """What the vault record is sealed with: ``AES-256-GCM``; None where the vault record is missing."""
    custody: Custody | None
    """``ours``: sealed by strongroom; ``foreign``: the legacy application's text; None: no vault record."""
    scheme: str | None
    """The derivation scheme and address kind, such as ``bip44``, ``bip84``, ``bip86``, ``slip10``."""
    path: str | None
    """The derivation path, or None where the wallet came from a private key alone."""
    created_at: datetime | None
    """When the wallet was created, UTC; None where the legacy application did not say."""
    durable: bool
    """False only inside a caller's own transaction, until the caller commits."""
    proved: bool = True
    """Whether strongroom vouches for it: its tagged record in the register says all of the above but ``created_at`` and
    ``encryption_method``, which are told by the database. False: the row alone says so, and it may be anybody's."""
    phrase_id: UUID | None = None
    """The project's phrase that the wallet was derived from; None where its key stands alone or has a phrase of its
    own."""
    phrase_index: int | None = None
    """Which of that phrase's keys it is, at ``path``."""

    def as_dict(self) -> dict[str, Any]:
        """The wallet as JSON-ready values: UUIDs as text, the time in ISO 8601."""
        return {
            **asdict(self),
            "id": str(self.id),
            "project_id": str(self.project_id),
            "phrase_id": None if self.phrase_id is None else str(self.phrase_id),
            "created_at": None if self.created_at is None else self.created_at.isoformat(),
        }


class Created(NamedTuple):
    """What a create or import returns: the wallet, and whether this call made it."""

    wallet: Wallet
    created: bool


class Stored(NamedTuple):
    """What ``store_key`` and ``restore`` return: the wallet, and whether this call put the key there."""

    wallet: Wallet
    stored: bool


@dataclass(frozen=True, slots=True)
class CreateResult:
    """The result of one network of ``create_wallets``: a wallet or an error."""

    network: str
    wallet: Wallet | None = None
    created: bool = False
    error: StrongroomError | None = None


@dataclass(frozen=True, slots=True)
class WalletPage:
    """One page of a list, in the order of the ids; those that strongroom chose sort by the millisecond of creation."""

    wallets: tuple[Wallet, ...]
    next: str | None
    """The cursor of the next page, or None on the last one."""


class WalletPlace(NamedTuple):
    """Behind which wallet a page begins, in the order of ids; a copied row of another project may have one, too."""

    wallet_id: UUID
    project_id: UUID = UUID(int=(1 << 128) - 1)
    """The last one of all: behind every wallet that has the id."""


def credential_type_of(network: str, label: str) -> str:
    """``<network>_wallet`` for the default label, else ``<network>_wallet:<label>``.

    The colon of a network's name is written as a dot, since a colon separates the label: ``evm.4242_wallet:hot``.
    """
    kind = f"{network.replace(':', '.')}_wallet"
    return kind if label == DEFAULT_LABEL else f"{kind}:{label}"


def network_of_type(credential_type: str) -> str:
    """The network that a credential type says, whatever wrote it."""
    return credential_type.partition("_wallet")[0].replace(".", ":", 1)


def vault_id_of(wallet_id: UUID, *, plain: bool = False) -> str:
    """The vault id that a wallet of ours has; ``plain``: its id alone, where a column takes nothing else."""
    return str(wallet_id) if plain else f"vault_{wallet_id}"


def vouch_for(wallet: Wallet) -> Wallet:
    """Mark a wallet as proved that was just checked; who else has it read the same row, and checked it as well.

    To make a second one would take longer than to check it.
    """
    object.__setattr__(wallet, "proved", True)
    return wallet


def name_phrase(wallet: Wallet, phrase_id: UUID, phrase_index: int | None) -> None:
    """Say of a wallet that was just read, and that nobody else holds yet, which key of which phrase it is."""
    object.__setattr__(wallet, "phrase_id", phrase_id)
    object.__setattr__(wallet, "phrase_index", phrase_index)


class WalletOfProject(NamedTuple):
    """A wallet by its id, where it is one of a project's; of any other project it is not found."""

    id: UUID | str
    project_id: UUID


WalletReference: TypeAlias = UUID | str | Wallet | WalletOfProject
"""What a caller names a wallet by: its id, its id in a project, or the wallet as a verb returned it."""
