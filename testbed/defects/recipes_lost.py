"""Defects of one wallet whose key is missing, or of what is stored next to its key: metadata, labels, flags, access."""

from __future__ import annotations

from collections.abc import Callable

from testbed.defects import locked, texts
from testbed.defects.database_builder import REVOKED_AT, DatabaseBuilder
from testbed.defects.ground_truth import MEMBERS, CredentialRow
from testbed.defects.keys import KnownKey, random_phrase
from testbed.defects.recipes import any_account, recipe
from testbed.defects.texts import Text

# --- keys that are missing -----------------------------------------------------------------------------------


def _empty(builder: DatabaseBuilder, credential: CredentialRow) -> None:
    """Either no vault record, or one with a placeholder."""
    if builder.chance(0.5):
        builder.record(
            credential,
            texts.placeholder(builder.rng, null=builder.traits.nulls and builder.chance(0.2)),
            builder.traits.methods[0],
        )


def _mislaid(builder: DatabaseBuilder, key: KnownKey) -> CredentialRow:
    return builder.credential(key, vault_stored=builder.rng.choice((True, False, False)))


@recipe("missing-vault-record")
def no_vault_record(builder: DatabaseBuilder) -> None:
    builder.credential(vault_stored=False)


@recipe("placeholder")
def placeholder(builder: DatabaseBuilder) -> None:
    builder.record(
        builder.credential(vault_stored=False),
        texts.placeholder(builder.rng),
        builder.rng.choice(builder.traits.methods),
    )


@recipe("missing-vault-record")
def lost_with_its_key_in_the_metadata(builder: DatabaseBuilder) -> None:
    key = builder.key()
    credential = _mislaid(builder, key)
    _empty(builder, credential)
    credential.members[builder.rng.choice(MEMBERS)] = texts.clear_key(builder.rng, key, derives=True)


@recipe("missing-vault-record")
def lost_with_another_key_in_the_metadata(builder: DatabaseBuilder) -> None:
    key = builder.key()
    credential = _mislaid(builder, key)
    _empty(builder, credential)
    credential.members[builder.rng.choice(MEMBERS)] = texts.clear_key(
        builder.rng, builder.other_key(key), derives=False
    )


@recipe("missing-vault-record", cost="kdf")
def lost_with_an_envelope_in_the_metadata(builder: DatabaseBuilder) -> None:
    key = builder.key()
    credential = _mislaid(builder, key)
    _empty(builder, credential)
    password = locked.LEGACY_PASSWORD if builder.chance(0.5) else locked.LOST_PASSWORD
    credential.members["private_key_encrypted"] = locked.envelope_of_key(
        builder.rng, key, derives=True, password=password
    )


@recipe("missing-vault-record")
def lost_with_the_name_of_another_vault(builder: DatabaseBuilder) -> None:
    credential = _mislaid(builder, builder.key())
    _empty(builder, credential)
    credential.members["private_key_vault_id"] = texts.unreadable(builder.rng, 14)


@recipe("missing-vault-record")
def lost_and_filed_under_another(builder: DatabaseBuilder) -> None:
    key = builder.key()
    _empty(builder, _mislaid(builder, key))
    builder.record(builder.credential(builder.other_key(key)), texts.clear_key(builder.rng, key, derives=False))


@recipe("missing-vault-record")
def lost_with_a_text_in_the_metadata_that_others_encrypted(builder: DatabaseBuilder) -> None:
    credential = _mislaid(builder, builder.key())
    _empty(builder, credential)
    credential.members["private_key_encrypted"] = texts.encrypted(builder.rng)


@recipe("missing-vault-record")
def lost_with_a_text_in_the_metadata_that_nobody_knows(builder: DatabaseBuilder) -> None:
    credential = _mislaid(builder, builder.key())
    _empty(builder, credential)
    credential.members["private_key_encrypted"] = texts.unreadable(builder.rng, 7)


@recipe("missing-vault-record")
def lost_and_written_otherwise_under_another(builder: DatabaseBuilder) -> None:
    key = builder.key()
    _empty(builder, _mislaid(builder, key))
    write = builder.rng.choice((texts.written_otherwise, texts.written_by_languages))
    builder.record(builder.credential(builder.other_key(key)), write(builder.rng, key, derives=False))


@recipe("unreadable")
def unreadable(builder: DatabaseBuilder) -> None:
    builder.record(builder.credential(), texts.unreadable(builder.rng), builder.rng.choice(builder.traits.methods))


@recipe("unreadable")
def unreadable_with_its_key_in_the_metadata(builder: DatabaseBuilder) -> None:
    key = builder.key()
    credential = builder.credential(key)
    builder.record(credential, texts.unreadable(builder.rng), builder.traits.methods[0])
    credential.members[builder.rng.choice(MEMBERS)] = texts.clear_key(builder.rng, key, derives=True)


# --- metadata, labels, flags, access -------------------------------------------------------------------------


@recipe("key-in-metadata")
def key_in_metadata_too(builder: DatabaseBuilder) -> None:
    key = builder.key()
    credential = builder.credential(key)
    for member in builder.rng.sample(MEMBERS, builder.rng.randint(1, 3)):
        credential.members[member] = texts.clear_key(builder.rng, key, derives=True)
    builder.record(credential, texts.clear_key(builder.rng, key, derives=True))


@recipe("key-in-metadata", cost="phrase")
def phrase_in_metadata(builder: DatabaseBuilder) -> None:
    phrase = random_phrase(builder.rng)
    key = any_account(builder, phrase)
    credential = builder.credential(key)
    credential.members["vault_storage"] = texts.clear_phrase(builder.rng, phrase)
    builder.record(credential, texts.clear_key(builder.rng, key, derives=True))


@recipe("key-in-metadata", cost="kdf")
def locked_text_in_metadata(builder: DatabaseBuilder) -> None:
    key = builder.key("evm")
    credential = builder.credential(key)
    locks: list[Callable[[], Text]] = [
        lambda: locked.keystore(builder.rng, key),
        lambda: locked.envelope_of_key(builder.rng, key, derives=True),
    ]
    credential.members["private_key_encrypted"] = builder.rng.choice(locks)()
    builder.record(credential, texts.clear_key(builder.rng, key, derives=True))


@recipe("")
def metadata_that_names_another_vault(builder: DatabaseBuilder) -> None:
    key = builder.key()
    credential = builder.credential(key)
    credential.members["private_key_vault_id"] = texts.unreadable(builder.rng, 14)
    credential.members["private_key_encrypted"] = texts.placeholder(builder.rng)
    builder.record(credential, texts.clear_key(builder.rng, key, derives=True))


@recipe("wrong-label")
def wrong_label(builder: DatabaseBuilder) -> None:
    key = builder.key()
    text = (texts.clear_key if builder.chance(0.5) else texts.encoded)(builder.rng, key, derives=True)
    builder.record(builder.credential(key), text, builder.rng.choice(builder.traits.methods[:3]))


@recipe("wrong-label", cost="kdf")
def wrong_label_of_a_locked_text(builder: DatabaseBuilder) -> None:
    key = builder.key("evm")
    text = (
        locked.keystore(builder.rng, key)
        if builder.chance(0.3)
        else locked.envelope_of_key(builder.rng, key, derives=True)
    )
    builder.record(builder.credential(key), text, "AES-256-CBC")


@recipe("stored-flag-wrong")
def flag_says_stored(builder: DatabaseBuilder) -> None:
    _empty(builder, builder.credential(vault_stored=True))


@recipe("stored-flag-wrong")
def flag_says_not_stored(builder: DatabaseBuilder) -> None:
    key = builder.key()
    builder.record(builder.credential(key, vault_stored=False), texts.clear_key(builder.rng, key, derives=True))


@recipe("")
def flag_that_is_right(builder: DatabaseBuilder) -> None:
    flag = None if not builder.traits.ours and builder.chance(0.5) else False
    builder.record(builder.credential(vault_stored=flag), texts.unreadable(builder.rng), builder.traits.methods[0])


@recipe("live-after-revoke")
def live_after_revoke(builder: DatabaseBuilder) -> None:
    key = builder.key()
    credential = builder.credential(key, status=builder.rng.choice(("active", "revoked", "inactive")))
    credential.is_active = builder.rng.choice((False, True))
    credential.revoked_at = REVOKED_AT if credential.is_active or builder.chance(0.5) else None
    access = builder.rng.choice(("project_admin", "project_member"))
    builder.record(credential, texts.clear_key(builder.rng, key, derives=True), access=access)


@recipe("")
def revoked_as_it_should_be(builder: DatabaseBuilder) -> None:
    key = builder.key()
    status, access = builder.rng.choice((("revoked", "revoked"), ("replaced", "project_admin"), ("active", "revoked")))
    credential = builder.credential(key, status=status, is_active=False)
    builder.record(credential, texts.clear_key(builder.rng, key, derives=True), access=access)
