"""What a generation of the schema allows, and healthy rows to damage."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from testbed.defects.ground_truth import CredentialRow, Entry, GroundTruth, Record
from testbed.defects.keys import KnownKey, kind_of, random_key
from testbed.defects.texts import Header, Text, random_kid

REVOKED_AT = datetime(2025, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class SchemaTraits:
    """What the wallet tables of a generation allow."""

    base: str
    """``g1`` to ``g4``, ``fresh`` or ``sqlite``: who makes the wallet tables."""
    initialised: bool = False
    orphans: bool = False
    """Whether vault records may name no credential."""
    nulls: bool = False
    """Whether a vault record may hold NULL."""
    several: bool = False
    """Whether several vault records may name one credential."""

    @property
    def ours(self) -> bool:
        """Whether strongroom made the wallet tables: stricter columns, no projects."""
        return self.base in ("fresh", "sqlite")

    @property
    def history(self) -> bool:
        """Whether strongroom keeps every text a second time."""
        return self.initialised and not self.ours

    @property
    def methods(self) -> tuple[str | None, ...]:
        """The values of encryption_method that no CHECK refuses; the first is the column's default."""
        values: tuple[str | None, ...] = ("AES-256-GCM", "ChaCha20-Poly1305", "AES-256-CBC")
        if self.base == "g4":
            values = ("AES256", *values)
        return values if self.ours else (*values, None)


GENERATIONS = {
    "g1": SchemaTraits("g1"),
    "g2": SchemaTraits("g2", several=True),
    "g2-without-foreign-key": SchemaTraits("g2", several=True, orphans=True, nulls=True),
    "g3": SchemaTraits("g3"),
    "g4": SchemaTraits("g4"),
    "g2-vault": SchemaTraits("g2", initialised=True, several=True),
    "g3-vault": SchemaTraits("g3", initialised=True),
    "g4-vault": SchemaTraits("g4", initialised=True),
    "fresh": SchemaTraits("fresh", initialised=True),
    "sqlite": SchemaTraits("sqlite", initialised=True, orphans=True),
}


@dataclass(eq=False)
class Ours:
    """A wallet that strongroom made in this database."""

    credential: CredentialRow
    record: Record
    entries: list[Entry]
    plain: bool
    """Whether it is live and as created, so that it may be spoiled."""


@dataclass(eq=False)
class DatabaseBuilder:
    """The rows so far, and how to add one."""

    generation: str
    rng: random.Random
    truth: GroundTruth
    traits: SchemaTraits
    wallets: list[Ours] = field(default_factory=list)
    """Wallets of ours that nothing happened to yet."""
    touched: set[UUID] = field(default_factory=set)
    """Credentials of ours whose rows have to be written again."""
    slots: list[tuple[UUID, str, str, UUID]] = field(default_factory=list)
    """Project, network, label, credential: slots to be added."""
    recipe: str = ""
    """The recipe that is at work."""
    taken: set[str] = field(default_factory=set)
    """The vault ids of vault records, which are unique."""

    @classmethod
    def of(cls, generation: str, seed: int) -> DatabaseBuilder:
        """A builder of an empty database."""
        traits = GENERATIONS[generation]
        return cls(generation, random.Random(f"{generation}/{seed}"), GroundTruth(traits.base), traits)

    def uuid(self) -> UUID:
        """A new id."""
        return UUID(bytes=self.rng.randbytes(16), version=4)

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return self.rng.random() < probability

    def key(self, kind: str | None = None) -> KnownKey:
        """A new key; where rows name no network, one whose address is not ambiguous."""
        return random_key(self.rng, kind, unambiguous=self.traits.base == "g1")

    def other_key(self, key: KnownKey) -> KnownKey:
        """A new key with an address of the same kind."""
        return self.key(kind_of(key))

    def credential(self, key: KnownKey | None = None, *, invalid: str | None = None, **changes: Any) -> CredentialRow:
        """A new live credential of a new project, spelled in one of the ways of the field.

        ``invalid`` is an address of no network.
        """
        if key is None and invalid is None:
            key = self.key()
        identifier = self.uuid()
        address = (key.address if key else invalid) or ""
        stored, public = self._spelled(address, key)
        credential = CredentialRow(
            id=identifier,
            project=changes.pop("project", None) or self.uuid(),
            key=key,
            wallet_address=None if self.traits.base == "g1" else stored,
            public_key=address if self.traits.base == "g1" else public,
            vault_id=f"vault_{identifier}",
            network=self.network(key),
            metadata=self.flags(),
            origin=self.recipe,
        )
        for name, value in changes.items():
            setattr(credential, name, value)
        self.truth.credentials.append(credential)
        return credential

    def network(self, key: KnownKey | None) -> str | None:
        """What is in the network column: mostly right, often the column's default where the address says enough."""
        if self.traits.base == "g1":
            return None
        if key is not None and key.ambiguous:
            return key.networks[0]
        rest = ["ethereum", "a-chain-of-the-future"] + ([] if self.traits.ours else [None])
        if key is None or self.chance(0.15):
            return self.rng.choice(rest)
        if key.networks[0] == "ethereum":
            return "ethereum" if self.chance(0.6) else self.rng.choice(key.networks)
        return key.networks[0] if self.chance(0.6) else "ethereum"

    def flags(self) -> dict[str, Any]:
        """Flags of the metadata, which say nothing that counts."""
        noise = {"requires_vault_migration": True, "fallback_storage": True, "created_via": "api", "attempt": 2}
        return {name: value for name, value in noise.items() if self.chance(0.2)}

    def record(
        self, credential: CredentialRow | UUID, text: Text, method: str | None = "bare", access: str = "project_admin"
    ) -> Record:
        """A vault record. The method ``bare`` is NULL where the column takes it, else the column's default."""
        owner = credential if isinstance(credential, UUID) else credential.id
        if method == "bare":
            method = "AES-256-GCM" if text.form in ("sealed", "envelope") or self.traits.ours else None
        named = credential.vault_id if isinstance(credential, CredentialRow) else None
        vault_id = f"vault_{self.uuid()}" if named is None or named in self.taken else named
        self.taken.add(vault_id)
        record = Record(
            id=self.uuid(),
            credential=owner,
            text=text,
            vault_id=vault_id,
            method=method,
            access_level=access,
            origin=self.recipe,
        )
        self.truth.records.append(record)
        return record

    def entry(self, credential: CredentialRow, text: Text, key: KnownKey | None = None, form: str = "foreign") -> Entry:
        """An entry of the history of a credential, by default under its address."""
        named = key or credential.key
        entry = Entry(
            id=self.uuid(),
            project=credential.project,
            credential=credential.id,
            key=named,
            address=named.address if named else credential.wallet_address or "",
            text=text,
            form=form,
            network=credential.network_of_address or "ethereum",
            origin=self.recipe,
        )
        self.truth.entries.append(entry)
        return entry

    def header(self, credential: CredentialRow) -> Header:
        """What a sealed text of a wallet would say of it."""
        key = credential.key
        address = key.address if key else ""
        stored = credential.wallet_address or credential.public_key  # a row's own spelling is what strongroom seals
        spelled = stored if key is not None and stored.lower() == address.lower() else address
        network = credential.network_of_address or "ethereum"
        return Header(random_kid(self.rng), credential.project, credential.id, network, spelled)

    def ours(self) -> Ours | None:
        """A live wallet of ours to be spoiled, or None where there are no more."""
        for place, wallet in enumerate(self.wallets):
            if wallet.plain:
                del self.wallets[place]
                self.touched.add(wallet.credential.id)
                wallet.credential.origin = wallet.record.origin = self.recipe
                return wallet
        return None

    def forget(self, rows: Sequence[Record | Entry]) -> None:
        """Take rows of ours out again; their credential has to be touched."""
        gone = set(map(id, rows))
        self.truth.records = [row for row in self.truth.records if id(row) not in gone]
        self.truth.entries = [row for row in self.truth.entries if id(row) not in gone]

    def _spelled(self, address: str, key: KnownKey | None) -> tuple[str | None, str]:
        """The columns wallet_address and public_key."""
        empty = "" if self.traits.ours or self.chance(0.3) else None
        if key is not None and self.chance(0.12):
            return empty, address
        spelled = address.lower() if key is not None and "polygon" in key.networks and self.chance(0.3) else address
        return spelled, self.rng.choice((spelled, "", "04" + "00" * 32))
