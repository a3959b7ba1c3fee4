"""Ailments of one wallet whose key is missing, or of what stands beside its key: metadata, labels, flags, access."""

from __future__ import annotations

from collections.abc import Callable

from tests.ailments import locked, texts
from tests.ailments.bed import REVOKED_AT, Bed
from tests.ailments.keys import Key, random_phrase
from tests.ailments.ledger import MEMBERS, Credential
from tests.ailments.recipes import any_account, recipe
from tests.ailments.texts import Text

# --- keys that are missing -----------------------------------------------------------------------------------


def _empty(bed: Bed, credential: Credential) -> None:
    """Either no vault record, or one with a placeholder."""
    if bed.chance(0.5):
        bed.record(credential, texts.placeholder(bed.rng, null=bed.soil.nulls and bed.chance(0.2)), bed.soil.methods[0])


def _mislaid(bed: Bed, key: Key) -> Credential:
    return bed.credential(key, vault_stored=bed.rng.choice((True, False, False)))


@recipe("missing-vault-record")
def no_vault_record(bed: Bed) -> None:
    bed.credential(vault_stored=False)


@recipe("placeholder")
def placeholder(bed: Bed) -> None:
    bed.record(bed.credential(vault_stored=False), texts.placeholder(bed.rng), bed.rng.choice(bed.soil.methods))


@recipe("missing-vault-record")
def lost_with_its_key_in_the_metadata(bed: Bed) -> None:
    key = bed.key()
    credential = _mislaid(bed, key)
    _empty(bed, credential)
    credential.members[bed.rng.choice(MEMBERS)] = texts.clear_key(bed.rng, key, derives=True)


@recipe("missing-vault-record")
def lost_with_another_key_in_the_metadata(bed: Bed) -> None:
    key = bed.key()
    credential = _mislaid(bed, key)
    _empty(bed, credential)
    credential.members[bed.rng.choice(MEMBERS)] = texts.clear_key(bed.rng, bed.other_key(key), derives=False)


@recipe("missing-vault-record", cost="kdf")
def lost_with_an_envelope_in_the_metadata(bed: Bed) -> None:
    key = bed.key()
    credential = _mislaid(bed, key)
    _empty(bed, credential)
    password = locked.LEGACY_PASSWORD if bed.chance(0.5) else locked.LOST_PASSWORD
    credential.members["private_key_encrypted"] = locked.envelope_of_key(bed.rng, key, derives=True, password=password)


@recipe("missing-vault-record")
def lost_with_the_name_of_another_vault(bed: Bed) -> None:
    credential = _mislaid(bed, bed.key())
    _empty(bed, credential)
    credential.members["private_key_vault_id"] = texts.unreadable(bed.rng, 14)


@recipe("missing-vault-record")
def lost_and_filed_under_another(bed: Bed) -> None:
    key = bed.key()
    _empty(bed, _mislaid(bed, key))
    bed.record(bed.credential(bed.other_key(key)), texts.clear_key(bed.rng, key, derives=False))


@recipe("missing-vault-record")
def lost_with_a_text_in_the_metadata_that_others_encrypted(bed: Bed) -> None:
    credential = _mislaid(bed, bed.key())
    _empty(bed, credential)
    credential.members["private_key_encrypted"] = texts.encrypted(bed.rng)


@recipe("missing-vault-record")
def lost_with_a_text_in_the_metadata_that_nobody_knows(bed: Bed) -> None:
    credential = _mislaid(bed, bed.key())
    _empty(bed, credential)
    credential.members["private_key_encrypted"] = texts.unreadable(bed.rng, 7)


@recipe("missing-vault-record")
def lost_and_written_otherwise_under_another(bed: Bed) -> None:
    key = bed.key()
    _empty(bed, _mislaid(bed, key))
    bed.record(bed.credential(bed.other_key(key)), texts.written_otherwise(bed.rng, key, derives=False))


@recipe("unreadable")
def unreadable(bed: Bed) -> None:
    bed.record(bed.credential(), texts.unreadable(bed.rng), bed.rng.choice(bed.soil.methods))


@recipe("unreadable")
def unreadable_with_its_key_in_the_metadata(bed: Bed) -> None:
    key = bed.key()
    credential = bed.credential(key)
    bed.record(credential, texts.unreadable(bed.rng), bed.soil.methods[0])
    credential.members[bed.rng.choice(MEMBERS)] = texts.clear_key(bed.rng, key, derives=True)


# --- metadata, labels, flags, access -------------------------------------------------------------------------


@recipe("key-in-metadata")
def key_in_metadata_too(bed: Bed) -> None:
    key = bed.key()
    credential = bed.credential(key)
    for member in bed.rng.sample(MEMBERS, bed.rng.randint(1, 3)):
        credential.members[member] = texts.clear_key(bed.rng, key, derives=True)
    bed.record(credential, texts.clear_key(bed.rng, key, derives=True))


@recipe("key-in-metadata", cost="phrase")
def phrase_in_metadata(bed: Bed) -> None:
    phrase = random_phrase(bed.rng)
    key = any_account(bed, phrase)
    credential = bed.credential(key)
    credential.members["vault_storage"] = texts.clear_phrase(bed.rng, phrase)
    bed.record(credential, texts.clear_key(bed.rng, key, derives=True))


@recipe("key-in-metadata", cost="kdf")
def locked_text_in_metadata(bed: Bed) -> None:
    key = bed.key("evm")
    credential = bed.credential(key)
    locks: list[Callable[[], Text]] = [
        lambda: locked.keystore(bed.rng, key),
        lambda: locked.envelope_of_key(bed.rng, key, derives=True),
    ]
    credential.members["private_key_encrypted"] = bed.rng.choice(locks)()
    bed.record(credential, texts.clear_key(bed.rng, key, derives=True))


@recipe("")
def metadata_that_names_another_vault(bed: Bed) -> None:
    key = bed.key()
    credential = bed.credential(key)
    credential.members["private_key_vault_id"] = texts.unreadable(bed.rng, 14)
    credential.members["private_key_encrypted"] = texts.placeholder(bed.rng)
    bed.record(credential, texts.clear_key(bed.rng, key, derives=True))


@recipe("wrong-label")
def wrong_label(bed: Bed) -> None:
    key = bed.key()
    text = (texts.clear_key if bed.chance(0.5) else texts.encoded)(bed.rng, key, derives=True)
    bed.record(bed.credential(key), text, bed.rng.choice(bed.soil.methods[:3]))


@recipe("wrong-label", cost="kdf")
def wrong_label_of_a_locked_text(bed: Bed) -> None:
    key = bed.key("evm")
    text = locked.keystore(bed.rng, key) if bed.chance(0.3) else locked.envelope_of_key(bed.rng, key, derives=True)
    bed.record(bed.credential(key), text, "AES-256-CBC")


@recipe("stored-flag-wrong")
def flag_says_stored(bed: Bed) -> None:
    _empty(bed, bed.credential(vault_stored=True))


@recipe("stored-flag-wrong")
def flag_says_not_stored(bed: Bed) -> None:
    key = bed.key()
    bed.record(bed.credential(key, vault_stored=False), texts.clear_key(bed.rng, key, derives=True))


@recipe("")
def flag_that_is_right(bed: Bed) -> None:
    flag = None if not bed.soil.ours and bed.chance(0.5) else False
    bed.record(bed.credential(vault_stored=flag), texts.unreadable(bed.rng), bed.soil.methods[0])


@recipe("live-after-revoke")
def live_after_revoke(bed: Bed) -> None:
    key = bed.key()
    credential = bed.credential(key, status=bed.rng.choice(("active", "revoked", "inactive")))
    credential.is_active = bed.rng.choice((False, True))
    credential.revoked_at = REVOKED_AT if credential.is_active or bed.chance(0.5) else None
    access = bed.rng.choice(("project_admin", "project_member"))
    bed.record(credential, texts.clear_key(bed.rng, key, derives=True), access=access)


@recipe("")
def revoked_as_it_should_be(bed: Bed) -> None:
    key = bed.key()
    status, access = bed.rng.choice((("revoked", "revoked"), ("replaced", "project_admin"), ("active", "revoked")))
    credential = bed.credential(key, status=status, is_active=False)
    bed.record(credential, texts.clear_key(bed.rng, key, derives=True), access=access)
