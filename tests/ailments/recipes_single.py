"""Ailments of the text in one vault record: keys in clear, encoded, and under a password."""

from __future__ import annotations

from tests.ailments import locked, texts
from tests.ailments.bed import Bed
from tests.ailments.keys import other_wallets_key, phrase_key, random_phrase, uncompressed_key
from tests.ailments.recipes import any_account, no_address, recipe, stranger

# --- keys in clear -------------------------------------------------------------------------------------------


@recipe("plaintext-key")
def key_in_clear(bed: Bed) -> None:
    key = bed.key()
    bed.record(bed.credential(key), texts.clear_key(bed.rng, key, derives=True))


@recipe("plaintext-key")
def key_in_clear_without_an_address(bed: Bed) -> None:
    bed.record(no_address(bed), texts.clear_key(bed.rng, bed.key(), derives=False))


@recipe("address-mismatch")
def key_of_another_address(bed: Bed) -> None:
    key = bed.key()
    bed.record(bed.credential(key), texts.clear_key(bed.rng, bed.other_key(key), derives=False))


@recipe("plaintext-mnemonic", cost="phrase")
def phrase_in_clear(bed: Bed) -> None:
    phrase = random_phrase(bed.rng)
    bed.record(bed.credential(any_account(bed, phrase)), texts.clear_phrase(bed.rng, phrase))


@recipe("plaintext-mnemonic", cost="phrase")
def one_phrase_for_two_networks(bed: Bed) -> None:
    phrase, project = random_phrase(bed.rng), bed.uuid()
    for kind in ("evm", "solana"):
        credential = bed.credential(phrase_key(phrase, kind), project=project, credential_type=f"{kind}_wallet")
        bed.record(credential, texts.clear_phrase(bed.rng, phrase))


@recipe("phrase-does-not-derive-key", cost="phrase")
def phrase_beside_another_key(bed: Bed) -> None:
    phrase = random_phrase(bed.rng)
    bed.record(bed.credential(stranger(bed, phrase)), texts.clear_phrase(bed.rng, phrase))


@recipe("encoded-key")
def encoded_key(bed: Bed) -> None:
    key = bed.key()
    bed.record(bed.credential(key), texts.encoded(bed.rng, key, derives=True))


@recipe("encoded-key")
def encoded_key_of_another_address(bed: Bed) -> None:
    key = bed.key()
    bed.record(bed.credential(key), texts.encoded(bed.rng, bed.other_key(key), derives=False))


@recipe("encoded-key", cost="phrase")
def encoded_phrase(bed: Bed) -> None:
    phrase = random_phrase(bed.rng)
    key = any_account(bed, phrase) if bed.chance(0.6) else stranger(bed, phrase)
    bed.record(bed.credential(key), texts.encoded(bed.rng, key, derives=True, phrase=phrase))


@recipe("plaintext-key")
def key_written_otherwise(bed: Bed) -> None:
    key = bed.key(bed.rng.choice(("evm", "solana", "bitcoin")))
    bed.record(bed.credential(key), texts.written_otherwise(bed.rng, key, derives=True))


@recipe("unreadable")
def another_key_written_otherwise(bed: Bed) -> None:
    key = bed.key()
    bed.record(bed.credential(key), texts.written_otherwise(bed.rng, bed.other_key(key), derives=False))


@recipe("plaintext-mnemonic", cost="phrase")
def phrase_written_otherwise(bed: Bed) -> None:
    phrase = random_phrase(bed.rng, "english")
    key = any_account(bed, phrase) if bed.chance(0.7) else stranger(bed, phrase)
    bed.record(bed.credential(key), texts.phrase_written_otherwise(bed.rng, phrase))


@recipe("plaintext-mnemonic", cost="phrase")
def phrase_of_another_wallet(bed: Bed) -> None:
    phrase = random_phrase(bed.rng)
    bed.record(bed.credential(other_wallets_key(bed.rng, phrase)), texts.clear_phrase(bed.rng, phrase))


@recipe("plaintext-key")
def key_that_is_not_compressed(bed: Bed) -> None:
    key = uncompressed_key(bed.rng)
    written = texts.spelled(key.secret, bed.rng.choice(("wif uncompressed", "wif uncompressed", "hex")))
    bed.record(bed.credential(key), texts.Text("key", written, secret=key.secret))


# --- texts under a password ----------------------------------------------------------------------------------


@recipe("legacy-envelope", cost="kdf")
def envelope(bed: Bed) -> None:
    key = bed.key()
    bed.record(bed.credential(key), locked.envelope_of_key(bed.rng, key, derives=True))


@recipe("legacy-envelope", cost="kdf")
def envelope_of_a_phrase(bed: Bed) -> None:
    phrase = random_phrase(bed.rng)
    key = any_account(bed, phrase) if bed.chance(0.5) else stranger(bed, phrase)
    bed.record(bed.credential(key), locked.envelope_of_phrase(bed.rng, phrase))


@recipe("legacy-envelope", cost="kdf")
def envelope_of_another_address(bed: Bed) -> None:
    key = bed.key()
    bed.record(bed.credential(key), locked.envelope_of_key(bed.rng, bed.other_key(key), derives=False))


@recipe("legacy-envelope", cost="kdf")
def envelope_whose_password_is_lost(bed: Bed) -> None:
    key = bed.key()
    sealed = locked.envelope_of_key(bed.rng, key, derives=True, password=locked.LOST_PASSWORD)
    bed.record(bed.credential(key), sealed)


@recipe("keystore", cost="kdf")
def keystore(bed: Bed) -> None:
    key = bed.key(bed.rng.choice(("evm", "evm", "evm", "bitcoin")))
    bed.record(bed.credential(key), locked.keystore(bed.rng, key))


@recipe("keystore", cost="kdf")
def keystore_of_another_address(bed: Bed) -> None:
    bed.record(bed.credential(bed.key("evm")), locked.keystore(bed.rng, bed.key("evm")))


@recipe("keystore", cost="kdf")
def keystore_whose_password_is_lost(bed: Bed) -> None:
    key = bed.key("evm")
    bed.record(bed.credential(key), locked.keystore(bed.rng, key, password=locked.LOST_PASSWORD))


@recipe("encrypted-elsewhere")
def encrypted_elsewhere(bed: Bed) -> None:
    bed.record(bed.credential(), texts.encrypted(bed.rng), bed.rng.choice(bed.soil.methods))
