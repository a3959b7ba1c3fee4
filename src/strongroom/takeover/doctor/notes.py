"""What is written down about one wallet while it is examined."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from strongroom.crypto.keyring import Keyring
from strongroom.ports.network import Networks
from strongroom.records.vault_texts import KEY_MEMBERS
from strongroom.store.inspection.inspection import FoundCredential, FoundRecord
from strongroom.takeover.doctor.cross_row_index import Fingerprints, MatchKey
from strongroom.takeover.doctor.derivation import Content, Derivation, Target
from strongroom.takeover.doctor.findings import CREDENTIALS, VAULT, Finding, Repair
from strongroom.takeover.doctor.kept_parts import KeptParts
from strongroom.takeover.doctor.key_kinds import IN_PLAINTEXT, TOO_LONG, UNOPENED, KeyText, KeyTextKind, is_too_long
from strongroom.takeover.doctor.passwords import Passwords
from strongroom.takeover.doctor.sealed_texts import OpenedText, SealedHeader
from strongroom.takeover.doctor.spool import Offer
from strongroom.takeover.doctor.state import State
from strongroom.takeover.doctor.unopened import Unopened
from strongroom.takeover.doctor.wallet_owners import WalletOwners
from strongroom.usecases.keys_of_others import KeysOfOthers


@dataclass(frozen=True, slots=True)
class ExaminationContext:
    """What is the same for every wallet of a database."""

    networks: Networks
    derivation: Derivation
    fingerprints: Fingerprints
    passwords: Passwords
    kids: frozenset[str]
    """The sealing keys of the database's keyring."""
    keyring: Keyring | None
    """The keyring, unwrapped, where there is a root key."""
    ours: bool
    """Whether strongroom made the tables."""
    has_encryption_method: bool = True
    """Whether vault records have ``encryption_method``."""
    has_access_level: bool = True
    """Whether vault records have ``access_level``."""
    owners: WalletOwners = field(default_factory=WalletOwners)
    """Whose the texts of wallets are that were looked up."""
    kept_parts: KeptParts = field(default_factory=KeptParts)
    """Parts of long texts in the history, until all of one were seen."""
    unopened: Unopened = field(default_factory=lambda: Unopened(has_keyring=False))
    """What a run leaves open."""
    keys_of_others: KeysOfOthers | None = None
    """Which keys are those of other projects' wallets; None where no vault is open."""

    def says_network(self, network: str | None, target: Target | None) -> bool:
        """Whether a row says on which network its key is one: by its address, or by name."""
        return target is not None or network in self.networks

    def owner(self, credential: FoundCredential) -> str | None:
        """The project that a wallet's texts belong to."""
        return self.owners.of(credential)


@dataclass(slots=True)
class ExaminedRecord:
    """A vault record, read and, where that was possible, opened."""

    record: FoundRecord
    read: KeyText
    content: Content | None = None
    note: str = ""
    """What happened to an envelope or keystore, for people."""
    header: SealedHeader | None = None
    opened: OpenedText | None = None
    belongs: bool = False
    """Whether it is a sealed text whose header says just this row."""
    fits: bool = False
    """Whether it belongs here, and its sealing key is in the keyring; it was opened if that could be done."""
    explained: bool = True
    """Whether anything is known about what it holds."""

    @property
    def sealed_text(self) -> str:
        """The sealed text that stands there, without what is around it."""
        return self.record.text or "" if self.read.sealed is None else self.read.sealed.reveal_text()

    @property
    def known(self) -> bool:
        """Whether the row's own key is in it."""
        return self.fits or (self.content is not None and self.content.derives)

    @property
    def proved(self) -> bool:
        """Whether the row's own key is in it, and was seen."""
        return self.known and (self.content is not None or self.opened is not None)

    @property
    def holds_text(self) -> bool:
        """Whether there is anything in it."""
        return self.read.kind is not KeyTextKind.PLACEHOLDER


class MetadataKey(NamedTuple):
    """A key text in a credential's metadata."""

    name: str
    read: KeyText
    content: Content | None
    note: str
    is_name: bool
    """Whether it is too short to hold a key, or a UUID: then it names something."""
    says_secret: bool = False
    """Whether its name says that it is a secret, or that of a member in it does."""

    @property
    def counts(self) -> bool:
        """Whether it is a key text at all: some of these members name vault records."""
        known = self.content is not None or self.read.named_only
        if self.read.kind in UNOPENED or self.read.kind is KeyTextKind.SEALED:
            return True
        return self.read.kind in IN_PLAINTEXT and known

    @property
    def unexplained(self) -> bool:
        """Whether it is a text that could hold a key, and nothing known explains it."""
        return not self.counts and self.read.kind is not KeyTextKind.PLACEHOLDER and not self.is_name

    @property
    def may_be_key(self) -> bool:
        """Whether it is no key of the row and may be another one, as an unexplained text of a vault record may."""
        if self.counts or self.is_name:
            return False
        in_its_place = self.read.kind is KeyTextKind.UNREADABLE and self.name in KEY_MEMBERS[:2]
        return in_its_place or (self.says_secret and self.read.kind in IN_PLAINTEXT)

    @property
    def derives(self) -> bool:
        """Whether the stored address comes out."""
        return self.content is not None and self.content.derives


@dataclass(slots=True)
class Examination:
    """What came of one wallet."""

    credential: FoundCredential | None
    target: Target | None = None
    wallet_id: str | None = None
    """The credential's id, be the credential there or not."""
    findings: list[Finding] = field(default_factory=list)
    conditional: list[Finding] = field(default_factory=list)
    """Findings whose repair depends on whether the key stands anywhere else."""
    match_keys: list[MatchKey] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    """Keys and sealed texts in its rows, of whatever wallet they are, and what prints each."""
    deferred: bool = False
    """Whether its texts may hold more keys: they are derived where one is missing."""
    records: tuple[ExaminedRecord, ...] = ()
    members: tuple[MetadataKey, ...] = ()
    candidates: tuple[str, ...] = ()
    """The networks that its address may be one of, where that stays ambiguous."""
    state: State | None = None
    """None where there is no credential."""
    exposed: bool = False
    """Whether a key is in plaintext."""
    registered: bool = False
    """Whether an authenticated record says that this wallet is the live one of its project, network and label."""

    @property
    def credential_id(self) -> str | None:
        """The credential's id as text; None where only records name it."""
        return None if self.credential is None else self.credential.id

    def about(
        self,
        held: ExaminedRecord,
        code: str,
        evidence: str,
        repair: Repair,
        *,
        automatic: bool | None = None,
        source: str | None = None,
        holds_more: bool = False,
        command: str = "",
    ) -> None:
        """Write down a finding about a vault record; about what belongs to no wallet nothing is decided.

        ``command``: where the code alone does not tell which one gets the key out.
        """
        if self.credential is None:
            repair, automatic = "ask", False
        decided = repair != "ask" if automatic is None else automatic
        place = (VAULT, held.record.id, held.record.credential_id)
        orphan = self.credential is None
        self.findings.append(
            Finding(code, *place, evidence, repair, decided, source, command, orphan=orphan, holds_more=holds_more)
        )

    def on_credential(
        self,
        code: str,
        evidence: str,
        repair: Repair,
        *,
        automatic: bool | None = None,
        source: str | None = None,
        holds_more: bool = False,
        command: str = "",
        by_hand: bool = False,
        members: tuple[str, ...] = (),
        apart: bool = False,
    ) -> None:
        """Write down a finding about the credential."""
        decided = repair != "ask" if automatic is None else automatic
        place = (CREDENTIALS, self.credential_id, self.credential_id)
        self.findings.append(
            Finding(
                *(code, *place, evidence, repair, decided, source, command),
                holds_more=holds_more,
                by_hand=by_hand,
                members=members,
                apart=apart,
            )
        )

    def unreadable(self, held: ExaminedRecord, why: str) -> None:
        """Write down that nothing explains a text."""
        held.explained = False
        long = is_too_long(held.record.text)
        why = f"{why}; {TOO_LONG}" if long else why
        if self.credential is None:
            self.about(held, "unreadable", why, "ask")
            self.findings[-1] = replace(self.findings[-1], by_hand=long)
            return
        place = (VAULT, held.record.id, held.record.credential_id)
        self.conditional.append(Finding("unreadable", *place, why, "ask", by_hand=long))
