"""Defects of the text in one vault record: keys in plaintext, encoded, and under a password."""

from __future__ import annotations

from testbed.defects import locked, texts
from testbed.defects.database_builder import DatabaseBuilder
from testbed.defects.keys import other_wallets_key, phrase_key, random_phrase, uncompressed_key
from testbed.defects.recipes import any_account, no_address, recipe, stranger

# --- keys in plaintext -------------------------------------------------------------------------------------------


@recipe("plaintext-key")
def key_in_plaintext(builder: DatabaseBuilder) -> None:
    key = builder.key()
    builder.record(builder.credential(key), texts.clear_key(builder.rng, key, derives=True))


@recipe("plaintext-key")
def key_in_plaintext_without_an_address(builder: DatabaseBuilder) -> None:
    builder.record(no_address(builder), texts.clear_key(builder.rng, builder.key(), derives=False))


@recipe("address-mismatch")
def key_of_another_address(builder: DatabaseBuilder) -> None:
    key = builder.key()
    builder.record(builder.credential(key), texts.clear_key(builder.rng, builder.other_key(key), derives=False))


@recipe("plaintext-mnemonic", cost="phrase")
def phrase_in_plaintext(builder: DatabaseBuilder) -> None:
    phrase = random_phrase(builder.rng)
    builder.record(builder.credential(any_account(builder, phrase)), texts.clear_phrase(builder.rng, phrase))


@recipe("plaintext-mnemonic", cost="phrase")
def one_phrase_for_two_networks(builder: DatabaseBuilder) -> None:
    phrase, project = random_phrase(builder.rng), builder.uuid()
    for kind in ("evm", "solana"):
        credential = builder.credential(phrase_key(phrase, kind), project=project, credential_type=f"{kind}_wallet")
        builder.record(credential, texts.clear_phrase(builder.rng, phrase))


@recipe("phrase-does-not-derive-key", cost="phrase")
def phrase_next_to_another_key(builder: DatabaseBuilder) -> None:
    phrase = random_phrase(builder.rng)
    builder.record(builder.credential(stranger(builder, phrase)), texts.clear_phrase(builder.rng, phrase))


@recipe("encoded-key")
def encoded_key(builder: DatabaseBuilder) -> None:
    key = builder.key()
    builder.record(builder.credential(key), texts.encoded(builder.rng, key, derives=True))


@recipe("encoded-key")
def encoded_key_of_another_address(builder: DatabaseBuilder) -> None:
    key = builder.key()
    builder.record(builder.credential(key), texts.encoded(builder.rng, builder.other_key(key), derives=False))


@recipe("encoded-key", cost="phrase")
def encoded_phrase(builder: DatabaseBuilder) -> None:
    phrase = random_phrase(builder.rng)
    key = any_account(builder, phrase) if builder.chance(0.6) else stranger(builder, phrase)
    builder.record(builder.credential(key), texts.encoded(builder.rng, key, derives=True, phrase=phrase))


@recipe("plaintext-key")
def key_written_otherwise(builder: DatabaseBuilder) -> None:
    key = builder.key(builder.rng.choice(("evm", "solana", "bitcoin")))
    builder.record(builder.credential(key), texts.written_otherwise(builder.rng, key, derives=True))


@recipe("unreadable")
def another_key_written_otherwise(builder: DatabaseBuilder) -> None:
    key = builder.key()
    builder.record(builder.credential(key), texts.written_otherwise(builder.rng, builder.other_key(key), derives=False))


@recipe("plaintext-key")
def key_written_by_a_language(builder: DatabaseBuilder) -> None:
    key = builder.key(builder.rng.choice(("evm", "solana", "bitcoin")))
    builder.record(builder.credential(key), texts.written_by_languages(builder.rng, key, derives=True))


@recipe("unreadable")
def another_key_written_by_a_language(builder: DatabaseBuilder) -> None:
    key = builder.other_key(builder.key())
    builder.record(builder.credential(), texts.written_by_languages(builder.rng, key, derives=False))


@recipe("plaintext-mnemonic", cost="phrase")
def phrase_written_otherwise(builder: DatabaseBuilder) -> None:
    phrase = random_phrase(builder.rng, "english")
    key = any_account(builder, phrase) if builder.chance(0.7) else stranger(builder, phrase)
    builder.record(builder.credential(key), texts.phrase_written_otherwise(builder.rng, phrase))


@recipe("plaintext-mnemonic", cost="phrase")
def phrase_of_another_wallet(builder: DatabaseBuilder) -> None:
    phrase = random_phrase(builder.rng)
    key = other_wallets_key(builder.rng, phrase, unambiguous=builder.traits.base == "g1")
    builder.record(builder.credential(key), texts.clear_phrase(builder.rng, phrase))


@recipe("plaintext-key")
def key_that_is_not_compressed(builder: DatabaseBuilder) -> None:
    key = uncompressed_key(builder.rng, "litecoin" if builder.traits.base == "g1" else "bitcoin")
    written = texts.spelled(key.secret, builder.rng.choice(("wif uncompressed", "wif uncompressed", "hex")))
    builder.record(builder.credential(key), texts.Text("key", written, secret=key.secret))


# --- texts under a password ----------------------------------------------------------------------------------


@recipe("legacy-envelope", cost="kdf")
def envelope(builder: DatabaseBuilder) -> None:
    key = builder.key()
    builder.record(builder.credential(key), locked.envelope_of_key(builder.rng, key, derives=True))


@recipe("legacy-envelope", cost="kdf")
def envelope_of_a_phrase(builder: DatabaseBuilder) -> None:
    phrase = random_phrase(builder.rng)
    key = any_account(builder, phrase) if builder.chance(0.5) else stranger(builder, phrase)
    builder.record(builder.credential(key), locked.envelope_of_phrase(builder.rng, phrase))


@recipe("legacy-envelope", cost="kdf")
def envelope_of_another_address(builder: DatabaseBuilder) -> None:
    key = builder.key()
    builder.record(builder.credential(key), locked.envelope_of_key(builder.rng, builder.other_key(key), derives=False))


@recipe("legacy-envelope", cost="kdf")
def envelope_whose_password_is_lost(builder: DatabaseBuilder) -> None:
    key = builder.key()
    sealed = locked.envelope_of_key(builder.rng, key, derives=True, password=locked.LOST_PASSWORD)
    builder.record(builder.credential(key), sealed)


@recipe("keystore", cost="kdf")
def keystore(builder: DatabaseBuilder) -> None:
    key = builder.key(builder.rng.choice(("evm", "evm", "evm", "bitcoin")))
    builder.record(builder.credential(key), locked.keystore(builder.rng, key))


@recipe("keystore", cost="kdf")
def keystore_of_another_address(builder: DatabaseBuilder) -> None:
    builder.record(builder.credential(builder.key("evm")), locked.keystore(builder.rng, builder.key("evm")))


@recipe("keystore", cost="kdf")
def keystore_whose_password_is_lost(builder: DatabaseBuilder) -> None:
    key = builder.key("evm")
    builder.record(builder.credential(key), locked.keystore(builder.rng, key, password=locked.LOST_PASSWORD))


@recipe("encrypted-elsewhere")
def encrypted_elsewhere(builder: DatabaseBuilder) -> None:
    builder.record(builder.credential(), texts.encrypted(builder.rng), builder.rng.choice(builder.traits.methods))
