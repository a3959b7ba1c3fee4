"""What a doctor is given: the catalogue, the keyring, and what is the same for every wallet of a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple, cast
from uuid import UUID

from strongroom.crypto import keyring
from strongroom.crypto.keyring import Keyring
from strongroom.errors import (
    InvalidRequestError,
    KeyringCorruptError,
    RootKeyError,
    RootKeyMalformedError,
    RootKeyMissingError,
    UpgradeNeededError,
)
from strongroom.networks import TABLE
from strongroom.ports.network import Network
from strongroom.ports.root_key import RootKey
from strongroom.records.keyring import KeyringRows
from strongroom.store.catalog.foreign_schema import VAULT
from strongroom.store.catalog.profile import Profile, read_profile
from strongroom.store.catalog.safety_facts import Catalogue, read_catalogue
from strongroom.store.catalog.surroundings import read_surroundings
from strongroom.store.connection.database import Database
from strongroom.store.connection.read_only import ReadOnlyDatabase
from strongroom.store.context import StoreContext
from strongroom.store.inspection.inspection import Inspection
from strongroom.store.inspection.oddities import Oddities
from strongroom.store.sql_store import SqlStore
from strongroom.takeover.doctor.acknowledgements import Acknowledgements
from strongroom.takeover.doctor.cross_row_index import Fingerprints
from strongroom.takeover.doctor.derivation import Derivation
from strongroom.takeover.doctor.diagnosis import Diagnosis
from strongroom.takeover.doctor.doctor import Doctor
from strongroom.takeover.doctor.field_texts import FieldTexts
from strongroom.takeover.doctor.findings import Finding
from strongroom.takeover.doctor.kept_keys import KeptKeys
from strongroom.takeover.doctor.notes import ExaminationContext
from strongroom.takeover.doctor.other_ids import OtherIds
from strongroom.takeover.doctor.others_keys import KeysAcross
from strongroom.takeover.doctor.passwords import Passwords
from strongroom.takeover.doctor.phrase_offers import PhraseOffers
from strongroom.takeover.doctor.phrase_probes import PhraseProbes
from strongroom.takeover.doctor.register_probes import RegisterProbes
from strongroom.takeover.doctor.rows_gone import RowsGone
from strongroom.takeover.doctor.sample_wallets import sample_rows
from strongroom.takeover.doctor.schema_probes import node_notes, schema_findings
from strongroom.takeover.doctor.surrounding_probes import notes, shadow_findings
from strongroom.takeover.doctor.unopened import Unopened
from strongroom.takeover.doctor.wallet_owners import WalletOwners
from strongroom.takeover.doctor.ways_out import WaysOut
from strongroom.usecases.context import VaultContext
from strongroom.usecases.initialise import require_kid
from strongroom.usecases.keys_of_others import KeysOfOthers
from strongroom.usecases.stray_phrases import StrayPhrases

HEAD = "strongroom_keyring_head"
WRAP = "strongroom_keyring_wrap"
_LIKE_KEYS = ("0x" + "46" * 32, "46" * 32)


class Reading(NamedTuple):
    """What is read of a database before its wallets are looked at: all of it in one snapshot, on PostgreSQL."""

    database: ReadOnlyDatabase
    profile: Profile
    catalogue: Catalogue
    inspection: Inspection
    rows: KeyringRows | None
    """The keyring as stored; None where there is none, or where it is hidden."""
    project_id: UUID | None


def read(database: ReadOnlyDatabase, project_id: UUID | None = None) -> Reading:
    """Read the catalogue and the keyring. Raises NotInitializedError and ForeignSchemaError where there are no wallets
    to look at, KeyringCorruptError, StoreError.
    """
    profile = read_profile(database)
    profile.require_examinable()
    catalogue = read_catalogue(database, profile, sample_rows(TABLE))
    inspection = Inspection(database, profile, project_id, hidden=catalogue.hidden)
    return Reading(database, profile, catalogue, inspection, inspection.keyring(), project_id)


@contextmanager
def examining(
    reading: Reading,
    unlocked: Unlocked | None,
    open_root_key: Callable[[str], RootKey],
    passwords: Passwords,
    paths: Sequence[str] = (),
) -> Iterator[Doctor]:
    """A doctor for what was read; ``unlocked`` is its keyring, None where no root key was given."""
    inspection, profile = reading.inspection, reading.profile
    opened = Unlocked.without_root_key(reading.rows) if unlocked is None else unlocked
    keys = opened.keys
    with Diagnosis() as diagnosis:
        diagnosis.generation = profile.generation
        surroundings = read_surroundings(reading.database, profile)
        diagnosis.schema = [*schema_findings(reading.catalogue), *shadow_findings(surroundings), *opened.findings]
        diagnosis.notes = [*notes(surroundings), *node_notes(reading.catalogue)]
        diagnosis.notes += [*opened.notes, *_collisions(inspection)]
        if opened.authenticated and keys is not None:
            diagnosis.acknowledged = Acknowledgements.read(inspection.acknowledgements(), keys, _now())
        diagnosis.proved = keys is not None
        diagnosis.readable = inspection.readable
        if inspection.readable:
            diagnosis.credentials, diagnosis.vault_records = inspection.count_credentials(), inspection.count_records()
        oddities = Oddities(reading.database, profile, reading.catalogue.hidden, _hex_networks)
        unopened = Unopened(
            keys.kids if keys is not None else (),
            has_keyring=keys is not None,
            hidden=bool(reading.catalogue.hidden),
            partial=reading.project_id is not None,
        )
        if keys is None and (opened.kids or oddities.any_phrase()):
            unopened.note_sealed()
        elif opened.kids and not opened.authenticated:
            unopened.note_phrases()
        examination_context = make_examination_context(profile, passwords, keys, opened.kids, paths)
        examination_context = replace(examination_context, unopened=unopened)
        vault_context, ways_out, register, gone, phrases = None, None, None, None, None
        other_ids = profile.foreign is not None and profile.foreign.has_other_ids
        blocked = profile.version is None and profile.foreign is not None and bool(profile.foreign.problems)
        schemas = None if profile.foreign is None else profile.schemas
        diagnosis.spool.other_ids = OtherIds(other_ids, schemas, blocked, _lacking(profile))
        if opened.authenticated and keys is not None and opened.root_key is not None and not other_ids:
            context = StoreContext(cast(Database, reading.database), profile)  # only reading verbs are used
            store = SqlStore(context)
            vault_context = VaultContext(store, keys, TABLE, _now, opened.root_key, open_root_key, FieldTexts(TABLE))
            strays = StrayPhrases(vault_context)
            probes = PhraseProbes(vault_context, reading.project_id, strays)
            register = RegisterProbes(vault_context, reading.project_id, probes)
            phrases = PhraseOffers(vault_context, strays, probes)
            ways_out = WaysOut(inspection, vault_context, strays, phrases)
            gone = RowsGone(inspection, vault_context, reading.project_id, ways_out)
            owners, others = WalletOwners(vault_context), KeysOfOthers(vault_context)
            examination_context = replace(examination_context, owners=owners, keys_of_others=others)
            diagnosis.spool.leads_across = KeysAcross(inspection, vault_context, others).leads
        elif opened.root_key is not None:
            diagnosis.spool.leads_across = _untold
        yield Doctor(
            inspection,
            examination_context,
            diagnosis,
            register,
            gone,
            KeptKeys(inspection, examination_context, vault_context, ways_out),
            unopened,
            phrases,
            oddities,
        )


def _hex_networks() -> list[str]:
    """The networks whose addresses are as long as keys, in hexadecimal digits: what looks so there is no key."""
    return [name for name in sorted(TABLE.names) if any(_takes(TABLE.get(name), text) for text in _LIKE_KEYS)]


def _takes(network: Network, text: str) -> bool:
    try:
        network.parse_address(text)
    except InvalidRequestError:
        return False
    return True


def _lacking(profile: Profile) -> frozenset[str]:
    """The words that enums of the legacy tables lack."""
    missing = {} if profile.foreign is None else profile.foreign.missing_words()
    return frozenset(word for words in missing.values() for word in words)


def make_examination_context(
    profile: Profile,
    passwords: Passwords,
    keys: Keyring | None,
    kids: frozenset[str],
    paths: Sequence[str] = (),
) -> ExaminationContext:
    """What is the same for every wallet of a database."""
    foreign = profile.foreign
    return ExaminationContext(
        networks=TABLE,
        derivation=Derivation(TABLE, paths),
        fingerprints=Fingerprints(),
        passwords=passwords,
        kids=kids,
        keyring=keys,
        ours=foreign is None,
        has_encryption_method=foreign is None or foreign.has(VAULT, "encryption_method"),
        has_access_level=foreign is None or foreign.has(VAULT, "access_level"),
    )


@dataclass(frozen=True, slots=True)
class Unlocked:
    """The keyring, unwrapped where there is a root key, and what is to be said of it."""

    kids: frozenset[str] = frozenset()
    """The names of its sealing keys."""
    keys: Keyring | None = None
    root_key: RootKey | None = None
    authenticated: bool = False
    """Whether its head's tag fits, so that the register can be looked at."""
    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()

    @classmethod
    def without_root_key(cls, rows: KeyringRows | None) -> Unlocked:
        """A keyring that stays wrapped."""
        return cls() if rows is None else cls(frozenset(rows.kids))


def unlock(rows: KeyringRows | None, open_root_key: Callable[[], RootKey], kid: str | None = None) -> Unlocked:
    """Unwrap a keyring that was read before; call it while no transaction is open.

    ``kid``: a sealing key that it must have, as the settings say.

    A root key that is missing or damaged is a finding. Raises any other RootKeyError.
    """
    if rows is None or not rows.kids:
        return Unlocked.without_root_key(rows)
    kids = frozenset(rows.kids)
    root_key = open_root_key()
    try:
        keys = keyring.unwrap(rows, root_key)
    except (RootKeyMissingError, RootKeyMalformedError) as error:  # lost: the day on which doctor is needed
        return Unlocked(kids, findings=(_lost(error, rows),))
    try:
        require_kid(keys, kid)
        return Unlocked(kids, keyring.authenticate(rows, keys), root_key, authenticated=True)
    except UpgradeNeededError as error:
        needed = Finding("upgrade-needed", HEAD, None, None, f"{error.message} {error.hint}", "ask")
        return Unlocked(kids, keys, root_key, notes=(needed,))
    except KeyringCorruptError as error:
        changed = Finding("keyring-changed", HEAD, None, None, error.message, "ask")
        return Unlocked(kids, keys, root_key, findings=(changed,))


def _lost(error: RootKeyError, rows: KeyringRows) -> Finding:
    uris = ", ".join(dict.fromkeys(wrap.root_key_uri for wrap in rows.wraps)) or "none"
    evidence = (
        f"{error.message} No sealed text was opened, and the register was not looked at. The keyring says that these "
        f"root keys open it: {uris}."
    )
    return Finding("root-key-lost", WRAP, None, None, evidence, "ask", automatic=False)


def _collisions(inspection: Inspection) -> Iterator[Finding]:
    """Nonces under which two payloads were signed before nonces were kept by account; the one that paid more stayed."""
    for wallet_id, chain_id, nonce in inspection.nonce_collisions():
        evidence = f"two payloads were signed under nonce {nonce} on chain {chain_id}; the one that paid more is kept"
        yield Finding("nonce-collision", "strongroom_nonce", None, wallet_id, evidence, "ask")


def _now() -> datetime:
    return datetime.now(UTC)


def _untold(_finding: Finding, _owner: str | None) -> bool:
    """Where a keyring does not fit, no other command tells more of a key than the one that prints it."""
    return False
