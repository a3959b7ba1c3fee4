"""The records that travel between the parts. Frozen, and free of secrets unless a type says Secret."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from strongroom import bounded_json
from strongroom.errors import InvalidActorError, StrongroomError
from strongroom.register import Registered, Registration, TaggedHead, TaggedSlot
from strongroom.secret import Secret
from strongroom.tags import Tag

Custody = Literal["ours", "foreign"]

ENCRYPTION_METHOD = "AES-256-GCM"
ACCESS_LEVEL = "project_admin"
STATUS = "active"
REPLACED = "replaced"
REVOKED = "revoked"
DEFAULT_LABEL = "default"
SHARED_KEY = "shared-key"
ACROSS_PROJECTS = "shared-key-across-projects"
"""Warnings: another wallet has the same key. Of one project the nonce guard covers both, of several it does not."""
NOT_RECOVERABLE = "PRIVATE_KEY_NOT_RECOVERABLE"
PLACEHOLDERS = frozenset({"", "MIGRATION_REQUIRED", NOT_RECOVERABLE})
"""Texts of a vault record that hold no key."""
SEALED_PREFIX = "eyJraWQiOi"
"""What every sealed text begins with (docs/format.md): whole characters of the base64url of ``{"kid":"``. A store, the
guard and the CHECKs of legacy tables tell sealed texts from others by it, and open none."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """The public facts of a wallet: a credential and its vault record, as the API returns them."""

    id: UUID
    """The credential's id; names the wallet in every verb."""
    project_id: UUID
    """The tenant that owns the wallet."""
    network: str
    """A registered network, such as ``ethereum``."""
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
    """``ours``: sealed by strongroom; ``foreign``: another application's text; None: no vault record."""
    scheme: str | None
    """The derivation scheme and address kind, such as ``bip44``, ``bip84``, ``bip86``, ``slip10``."""
    path: str | None
    """The derivation path, or None where the wallet came from a private key alone."""
    created_at: datetime | None
    """When the wallet was created, UTC; None where other code did not say."""
    durable: bool
    """False only inside a caller's own transaction, until the caller commits."""
    proved: bool = True
    """Whether strongroom vouches for it: its tagged record in the register says all of the above but ``created_at`` and
    ``encryption_method``, which are told by the database. False: the row alone says so, and it may be anybody's."""

    def as_dict(self) -> dict[str, Any]:
        """The wallet as JSON-ready values: UUIDs as text, the time in ISO 8601."""
        return {
            **asdict(self),
            "id": str(self.id),
            "project_id": str(self.project_id),
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


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """One page of what was kept of a wallet, oldest first."""

    entries: tuple[HistoryEntry, ...]
    next: str | None
    """The cursor of the next page, or None on the last one."""


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What ``verify`` found of one wallet."""

    id: UUID
    """The wallet's id."""
    error: StrongroomError | None = None
    """What is wrong, or None."""
    warnings: tuple[str, ...] = ()
    """What is right and should be known: ``shared-key`` or ``shared-key-across-projects``, where another wallet has
    the same key."""

    @property
    def ok(self) -> bool:
        """Whether the wallet opened, derived and compared equal."""
        return self.error is None

    @property
    def code(self) -> str | None:
        """The error's stable code, or None."""
        return None if self.error is None else self.error.code


@dataclass(frozen=True, slots=True)
class RewrapResult:
    """What ``rewrap`` did with one wallet."""

    id: UUID
    rewrapped: bool
    """False where the row changed meanwhile, or did not prove; it was left as it is."""
    error: StrongroomError | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with the wallet."""
        return self.error is None

    @property
    def code(self) -> str | None:
        """The error's stable code, or None."""
        return None if self.error is None else self.error.code


@dataclass(frozen=True, slots=True)
class Revealed:
    """The plaintext of a wallet, as ``reveal`` returns it; each part still asks for ``reveal_text()``."""

    private_key: Secret
    """The private key in the text form of its network."""
    mnemonic: Secret | None
    """The BIP-39 phrase, where there is one."""
    passphrase: Secret | None
    """The BIP-39 passphrase, where one was imported; the phrase alone does not restore the wallet then."""
    path: str | None
    """The derivation path."""
    scheme: str
    """The derivation scheme."""


class KeptKey(NamedTuple):
    """A kept key, as ``reveal_kept`` returns it."""

    network: str
    address: str
    """The address that the key derives."""
    revealed: Revealed
    project_id: UUID | None = None
    """Of a sealed text what its header says; of any other what its row says; None where that says none."""
    wallet_id: UUID | None = None
    """The wallet that the text was sealed for, or that its row belongs to."""


class RevealedText(NamedTuple):
    """A kept text as it is, as ``reveal_kept_text`` returns it."""

    text: Secret
    network: str
    address: str
    """What is said of the wallet that it was kept for; a text that is not sealed proves neither."""
    project_id: UUID | None = None
    wallet_id: UUID | None = None
    part: int = 1
    """Which part of a long text it is; each part is an entry of the history."""
    parts: int = 1


class MovedKey(NamedTuple):
    """What ``move_key`` did."""

    addresses: tuple[str, ...]
    """The addresses that the moved keys derive."""
    wallet: Wallet | None
    """The wallet that was made for the key; None where it went into the history."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a sealed text is bound to: the row that it stands in."""

    project_id: UUID
    credential_id: UUID
    network: str
    address: str


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """The plaintext payload of a sealed text."""

    private_key: Secret
    """The raw private key as the network takes it: 32 bytes; several keys one after another where it has several."""
    scheme: str
    path: str | None = None
    mnemonic: Secret | None = None
    passphrase: Secret | None = None


@dataclass(frozen=True, slots=True)
class PublicHalf:
    """What a private key shows to the world: its public key and its address."""

    public_key: str
    """Hexadecimal digits. Where an address is made of several keys: all of them one after another, as ``of`` writes."""
    address: str

    @classmethod
    def of(cls, public_keys: Sequence[bytes], address: str) -> PublicHalf:
        """Make one of the public keys that an address is made of, the one that signs transactions first."""
        return cls(b"".join(public_keys).hex(), address)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it and why, for the usage log."""

    actor: str | None = None
    reason: str | None = None

    @classmethod
    def of(cls, actor: UUID | str | None, reason: str | None, *, required: bool = False) -> Actor:
        """Check and make one. Raises InvalidActorError; with ``required`` also for a missing part."""
        if required and not (actor and reason):
            raise InvalidActorError("This takes an actor and a reason; both go into the usage log.")
        text = str(actor) if isinstance(actor, UUID) else actor
        for part, longest in ((text, 255), (reason, 1000)):
            if part is not None and not (isinstance(part, str) and 0 < len(part) <= longest and part.isprintable()):
                raise InvalidActorError("The actor or the reason is empty, too long, or not printable text.")
        return cls(text, reason)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One row of the usage log."""

    action: str
    actor: Actor
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One row of the usage log or of the events, as it is stored: no tag covers it."""

    id: str
    source: str
    """``usage``: done with a wallet; ``event``: done with the vault."""
    at: datetime | None
    """When, UTC; None where the row holds no time."""
    action: str
    """Such as ``create``, ``sign``, ``export``; ``rotate`` or ``init`` of an event; legacy applications have others."""
    wallet_id: str | None
    """The wallet's id as text, or None for an event."""
    project_id: str | None
    actor: str | None
    """Who did it, or None where nobody was named."""
    reason: str | None
    details: Mapping[str, Any]
    """What else was recorded, such as ``digest`` and ``chain_id`` of a signature."""
    ip_address: str | None = None
    user_agent: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The record as JSON-ready values, the time in ISO 8601."""
        return {**asdict(self), "at": None if self.at is None else self.at.isoformat()}


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page of the log, newest first."""

    records: tuple[LogRecord, ...]
    next: str | None
    """The cursor of the next page, or None on the last one."""


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What is asked of the log: None is no limit."""

    limit: int
    wallet_id: UUID | None = None
    project_id: UUID | None = None
    actor: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, str] | None = None
    """Time and id of the last record of the page before."""


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """One project, as the rows of its wallets say it."""

    id: UUID
    wallets: int
    """How many wallets it has, retired ones included."""


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """One page of projects, in the order of their ids."""

    projects: tuple[ProjectSummary, ...]
    next: str | None
    """The cursor of the next page, or None on the last one."""


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the events: what has no credential."""

    event: str
    actor: Actor
    details: Mapping[str, str] = field(default_factory=dict)


class Acknowledgement(NamedTuple):
    """That a person knows of a finding of doctor's, until it expires."""

    finding: str
    """The finding's name: code and place."""
    evidence: str
    """Sixteen hexadecimal digits of the SHA-256 of what it says: what says something else is new."""
    until: datetime
    actor: str
    reason: str

    def fields(self) -> tuple[str, ...]:
        """What its tag covers, in order."""
        return self.finding, self.evidence, self.until.isoformat(), self.actor, self.reason

    def as_dict(self) -> dict[str, str]:
        """The acknowledgement as JSON-ready values."""
        return {"until": self.until.isoformat(), "actor": self.actor, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Request:
    """The public facts of a create or import, as an idempotency key remembers them."""

    operation: str
    network: str
    label: str
    facts: Mapping[str, str]

    def as_json(self) -> str:
        """The canonical form that is stored and compared."""
        return json.dumps(
            {"operation": self.operation, "network": self.network, "label": self.label, **self.facts},
            sort_keys=True,
            separators=(",", ":"),
        )

    def differing_fields(self, stored: str) -> tuple[str, ...]:
        """The names of the facts that differ from a stored request, sorted; all of them where it cannot be read."""
        ours, theirs = json.loads(self.as_json()), _facts_of(stored)
        return tuple(sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)))


def asked_for(stored: str) -> tuple[Any, Any]:
    """Network and label of a stored request; None where it cannot be read."""
    facts = _facts_of(stored)
    return facts.get("network"), facts.get("label")


def _facts_of(request: object) -> dict[str, Any]:
    try:
        facts = bounded_json.loads(request) if isinstance(request, str) else None
    except ValueError:
        facts = None
    return facts if isinstance(facts, dict) else {}


def credential_type_of(network: str, label: str) -> str:
    """``<network>_wallet`` for the default label, else ``<network>_wallet:<label>``."""
    return f"{network}_wallet" if label == DEFAULT_LABEL else f"{network}_wallet:{label}"


def vault_id_of(wallet_id: UUID, *, plain: bool = False) -> str:
    """The vault id that a wallet of ours has; ``plain``: its id alone, where a column takes nothing else."""
    return str(wallet_id) if plain else f"vault_{wallet_id}"


def wallet_of_key(
    wallet_id: UUID, project_id: UUID, network: str, label: str, material: KeyMaterial, half: PublicHalf, now: datetime
) -> Wallet:
    """The wallet that a new key becomes: live, and sealed by us."""
    return Wallet(
        id=wallet_id,
        project_id=project_id,
        network=network,
        label=label,
        address=half.address,
        public_key=half.public_key,
        vault_id=vault_id_of(wallet_id),
        status=STATUS,
        access_level=ACCESS_LEVEL,
        encryption_method=ENCRYPTION_METHOD,
        custody="ours",
        scheme=material.scheme,
        path=material.path,
        created_at=now,
        durable=True,
    )


def vouch_for(wallet: Wallet) -> Wallet:
    """Mark a wallet as proved that was just read and checked, and that nobody else holds yet.

    To make a second one would take longer than to check it.
    """
    object.__setattr__(wallet, "proved", True)
    return wallet


def registration_of(wallet: Wallet, variant: str | None, version: int = 1) -> Registration:
    """The record of a wallet as it stands; an access level that is none of ours counts as the one we give."""
    known = ("project_admin", "project_member", REVOKED)
    return Registration(
        project_id=wallet.project_id,
        credential_id=wallet.id,
        network=wallet.network,
        variant=variant,
        label=wallet.label,
        vault_id=wallet.vault_id,
        address=wallet.address,
        public_key=wallet.public_key,
        scheme=wallet.scheme,
        path=wallet.path,
        access_level=wallet.access_level if wallet.access_level in known else ACCESS_LEVEL,
        status=wallet.status,
        version=version,
    )


@dataclass(frozen=True, slots=True)
class NewWallet:
    """A proved and sealed wallet, ready to be written."""

    wallet: Wallet
    sealed_text: str
    kid: str
    """The sealing key of the text: the database that takes the wallet must have it in its keyring."""
    log: LogEntry
    idempotency_key: str | None
    request: Request
    created_at: datetime
    registered: Registered
    """The record of the register."""
    slot_tag: Tag
    """Of the slot that names the new wallet, version 1."""
    idempotency_tag: Tag | None = None
    """Of the row of ``idempotency_key``, where there is one."""


class Adoption(NamedTuple):
    """What lets a slot name a wallet that was there: tags over the slot and the key, and a record if there was none."""

    slot_tag: Tag
    idempotency_tag: Tag | None = None
    registered: Registered | None = None


class Retirement(NamedTuple):
    """What retires a wallet in the register, compared and set on what was read."""

    old: Registered | None
    """The record that is there; None: there is none yet, and ``new`` is inserted."""
    new: Registered
    """The record afterwards; the same as ``old`` where the wallet is retired already."""
    slot: TaggedSlot | None
    """The slot as it was read; None where there is none."""
    slot_tag: Tag
    """Of the slot afterwards: moved to the successor, or taken where there is none."""


class RowSaid(NamedTuple):
    """What a credential's row says of its name and state, before anybody made something of it."""

    credential_type: str | None
    status: str | None
    is_active: Any
    revoked: bool
    """Whether it has a time of revocation."""


@dataclass(frozen=True, slots=True)
class StoredWallet:
    """A wallet as read, with its sealed text."""

    wallet: Wallet
    sealed_text: str | None = field(repr=False)
    """None where the vault record is missing; another application may have put a key in clear here."""
    named: str | None = None
    """The network that the slot or the row names; the wallet's own may be another, where the row's is a default."""
    key_in_metadata: bool = False
    """Whether the credential's metadata has a member in which other code is known to have kept key texts."""
    registered: Registered | None = None
    """Its record in the register, as read: nothing is checked yet."""
    slot: TaggedSlot | None = None
    """The slot that it was found by, as read."""
    row: Wallet | None = None
    """The wallet as its rows say it, where ``wallet`` is what the register says."""
    said: RowSaid | None = None
    """What its row says of its state and name, as it stands."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A text that stands, or stood, in a vault record, with the whole identity of its wallet."""

    id: UUID
    project_id: UUID
    wallet_id: UUID
    network: str
    label: str
    address: str
    public_key: str
    vault_id: str
    text: str = field(repr=False)
    form: str
    """``sealed``: a sealed text of ours; ``foreign``: another application's text."""
    reason: str
    """What wrote it: ``create``, ``import``, ``fill``, ``rewrap``, ``repair``; or what the guard caught:
    ``guard-update``, ``guard-delete``, ``guard-truncate``, ``guard-replace``."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class IdempotentRecord:
    """What an idempotency key was used for."""

    request: str
    stored: StoredWallet | None
    credential_id: UUID
    tag: Tag | None = None
    """None where a version of strongroom that made none wrote it."""


@dataclass(frozen=True, slots=True)
class WrapContext:
    """What a wrap is bound to. Each root key authenticates it, in the form that fits it best; docs/format.md."""

    kid: str
    """The name of the sealing key."""

    def members(self) -> dict[str, str]:
        """For services that take a map, such as the encryption context of a KMS."""
        return {"strongroom": "sealing-key", "kid": self.kid}

    def encoded(self) -> bytes:
        """For services that take bytes, as additional authenticated data."""
        return f"strongroom/v1/sealing-key/{self.kid}".encode()


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A sealing key as one root key wrapped it."""

    kid: str
    root_key_uri: str
    wrapped: str
    check_value: str
    """What a CheckedRootKey says of itself; empty where a root key says nothing."""

    @property
    def context(self) -> WrapContext:
        """What the wrap must be bound to, by its row."""
        return WrapContext(self.kid)


@dataclass(frozen=True, slots=True)
class KeyringRows:
    """The keyring as stored: which key seals now, and every wrap."""

    active_kid: str
    wraps: tuple[WrappedKey, ...]
    kids: tuple[str, ...]
    states: Mapping[str, str] = field(default_factory=dict)
    version: int = 1
    """Counts changes; every change is a compare-and-set on it."""
    head: TaggedHead | None = None
    """The authenticated head, as read; None where a version of strongroom that made no tags wrote it."""


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What ``status`` reports of a database."""

    database: str
    """The URL without its password."""
    engine: str
    """The engine and its version, such as ``SQLite 3.45.1``."""
    schema_version: str
    """The migration that the schema is at."""
    generation: str
    """``fresh``, or ``g2``, ``g3``, ``g4`` where other code made the wallet tables."""
    wallets: Mapping[str, int]
    """Number of credentials by status."""
    custody: Mapping[str, int]
    """Number of vault records by custody: ``ours``, ``foreign``, ``placeholder``; ``missing`` without one."""
    durability: Mapping[str, str]
    """The settings that decide whether a commit survives a crash."""
    warnings: tuple[str, ...] = ()
    """What works, and should not stay as it is."""


@dataclass(frozen=True, slots=True)
class SealingKeyStatus:
    """One sealing key of the keyring and the root keys that wrap it."""

    kid: str
    state: str
    """``active`` seals and opens, ``opening`` opens, ``retired`` seals no row any more."""
    rows: int
    """How many vault records name it."""
    root_keys: tuple[str, ...]

    @property
    def active(self) -> bool:
        """Whether it seals now."""
        return self.state == "active"


@dataclass(frozen=True, slots=True)
class VaultStatus:
    """What ``vault.status()`` returns."""

    store: StoreStatus
    sealing_keys: tuple[SealingKeyStatus, ...]

    def as_dict(self) -> dict[str, Any]:
        """The status as JSON-ready values."""
        return {
            **asdict(self.store),
            "warnings": list(self.store.warnings),
            "sealing_keys": [
                {**asdict(key), "active": key.active, "root_keys": list(key.root_keys)} for key in self.sealing_keys
            ],
        }


@dataclass(frozen=True, slots=True)
class GuardPart:
    """A trigger or function of the guard."""

    kind: str
    """``trigger`` or ``function``."""
    table: str
    """The table of a trigger; empty for a function."""
    name: str
    state: str
    """``intact``, ``missing``, ``disabled``, or ``altered``: not what this version makes for these tables."""


@dataclass(frozen=True, slots=True)
class EventTriggers:
    """The guard's event triggers, which only a superuser of PostgreSQL may make."""

    states: Mapping[str, str]
    """By name: ``intact``, ``missing``, ``disabled`` or ``altered``."""
    sql: str | None
    """What a superuser would run to make them; None where all are intact."""


@dataclass(frozen=True, slots=True)
class GuardStatus:
    """What is installed of the guard."""

    state: str
    """``installed``: every part is intact; ``absent``: none is there; else ``partly``."""
    mode: str | None
    """``archive`` or ``refuse``; None where nothing says it, or parts differ."""
    parts: tuple[GuardPart, ...]
    warnings: tuple[str, ...] = ()
    event_triggers: EventTriggers | None = None
    """None on SQLite. ``state`` does not count them: the role may have no right to make them."""

    def as_dict(self) -> dict[str, Any]:
        """The status as JSON-ready values."""
        return {
            "state": self.state,
            "mode": self.mode,
            "triggers": [
                {"table": part.table, "name": part.name, "state": part.state}
                for part in self.parts
                if part.kind == "trigger"
            ],
            "functions": [{"name": part.name, "state": part.state} for part in self.parts if part.kind == "function"],
            "event_triggers": None
            if self.event_triggers is None
            else {"states": dict(self.event_triggers.states), "sql": self.event_triggers.sql},
            "warnings": list(self.warnings),
        }
