"""From settings to a doctor: what is opened for a run, and closed after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from strongroom import keyring
from strongroom.doctor.comparisons import Fingerprints
from strongroom.doctor.derivation import Derivation
from strongroom.doctor.diagnosis import Diagnosis, Doctor
from strongroom.doctor.notes import Ground
from strongroom.doctor.passwords import Passwords
from strongroom.doctor.sample_wallets import sample_wallets
from strongroom.doctor.schema_probes import schema_findings
from strongroom.keyring import Keyring
from strongroom.networks import TABLE
from strongroom.rootkeys import open_root_key
from strongroom.settings import Settings
from strongroom.store.catalogue import read_catalogue
from strongroom.store.check_trial import trials_of
from strongroom.store.foreign import VAULT
from strongroom.store.inspection import Inspection
from strongroom.store.profile import read_profile
from strongroom.store.read_only import ReadOnlyDatabase


@contextmanager
def open_doctor(settings: Settings, passwords: Passwords, project_id: UUID | None = None) -> Iterator[Doctor]:
    """A doctor for a database, which reads it and changes nothing; needs no init, and no root key.

    With a root key in the settings, and a keyring in the database, sealed texts are opened and proved. Raises
    NotInitializedError and ForeignSchemaError where there are no wallets to look at, RootKeyError where the root key
    does not open the keyring, and StoreError.
    """
    with _database(settings) as database, Diagnosis() as diagnosis:
        profile = read_profile(database)
        profile.require_examinable()
        catalogue = read_catalogue(database, profile, trials_of(sample_wallets(TABLE)))
        inspection = Inspection(database, profile, project_id, hidden=catalogue.hidden)
        keys, kids = _keyring(settings, inspection)
        diagnosis.generation = profile.generation
        diagnosis.schema = schema_findings(catalogue)
        diagnosis.proved = keys is not None
        diagnosis.readable = inspection.readable
        if inspection.readable:
            diagnosis.credentials, diagnosis.vault_records = inspection.count_credentials(), inspection.count_records()
        ground = Ground(
            networks=TABLE,
            derivation=Derivation(TABLE),
            fingerprints=Fingerprints(),
            passwords=passwords,
            kids=kids,
            keyring=keys,
            ours=profile.foreign is None,
            labelled=inspection.has(VAULT, "encryption_method"),
            levelled=inspection.has(VAULT, "access_level"),
        )
        yield Doctor(inspection, ground, diagnosis)


def _keyring(settings: Settings, inspection: Inspection) -> tuple[Keyring | None, frozenset[str]]:
    """The keyring, unwrapped where there is a root key, and the names of its sealing keys."""
    rows = inspection.keyring()
    if rows is None:
        return None, frozenset()
    if settings.root_key is None or not rows.kids:
        return None, frozenset(rows.kids)
    return keyring.unwrap(rows, open_root_key(settings.root_key)), frozenset(rows.kids)


def _database(settings: Settings) -> ReadOnlyDatabase:
    return ReadOnlyDatabase.open(
        settings.database,
        prepared_statements=settings.prepared_statements,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        busy_timeout_seconds=settings.busy_timeout_seconds,
    )
