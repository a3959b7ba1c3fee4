"""Ailments of single wallets, one function each: what it plants shows itself, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.ailments import locked, texts
from tests.ailments.bed import REVOKED_AT, Bed, Soil
from tests.ailments.keys import KINDS, LAST_INDEX, Key, phrase_key, random_phrase
from tests.ailments.ledger import MEMBERS, Credential
from tests.ailments.texts import Text

Cost = Literal["cheap", "phrase", "kdf"]


@dataclass(frozen=True)
class Recipe:
    """How to plant an ailment."""

    name: str
    code: str
    """The finding that it is there for; empty where nothing is wrong."""
    plant: Callable[[Bed], None]
    cost: Cost
    fits: Callable[[Soil], bool]


RECIPES: dict[str, Recipe] = {}


def has_vault(soil: Soil) -> bool:
    """Whether there is a vault table."""
    return soil.base != "g1"


def recipe(
    code: str, *, cost: Cost = "cheap", fits: Callable[[Soil], bool] = has_vault
) -> Callable[[Callable[[Bed], None]], Callable[[Bed], None]]:
    """Enter a function into the table of recipes, under its name."""

    def enter(plant: Callable[[Bed], None]) -> Callable[[Bed], None]:
        name = plant.__name__.replace("_", "-")
        RECIPES[name] = Recipe(name, code, plant, cost, fits)
        return plant

    return enter


def account(bed: Bed, phrase: str) -> Key:
    """A key of a phrase, at a path that is tried."""
    kind = bed.rng.choice(["evm", "evm", "solana", *KINDS])
    return phrase_key(phrase, kind, bed.rng.choice((0, 0, 1, 7, LAST_INDEX)))


def stranger(bed: Bed, phrase: str) -> Key:
    """A key that the phrase does not derive, or only where nobody looks."""
    if bed.chance(0.5):
        return bed.key()
    kind = bed.rng.choice(("evm", "solana", "bitcoin"))
    if bed.chance(0.5):
        return phrase_key(phrase, kind, LAST_INDEX + 1)
    return phrase_key(phrase, kind, 0, passphrase="a passphrase")


def no_address(bed: Bed) -> Credential:
    """A credential whose stored address is of no network; public_key may hold a good one, and does not count."""
    key = bed.key("evm")
    wrong = ("pending", key.address[:-1], "0x" + key.address[2:].swapcase(), "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH")
    credential = bed.credential(invalid=bed.rng.choice(wrong))
    if bed.soil.base != "g1" and credential.wallet_address and bed.chance(0.5):
        credential.public_key = key.address
    return credential


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
    bed.record(bed.credential(account(bed, phrase)), texts.clear_phrase(bed.rng, phrase))


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
    key = account(bed, phrase) if bed.chance(0.6) else stranger(bed, phrase)
    bed.record(bed.credential(key), texts.encoded(bed.rng, key, derives=True, phrase=phrase))


# --- texts under a password ----------------------------------------------------------------------------------


@recipe("legacy-envelope", cost="kdf")
def envelope(bed: Bed) -> None:
    key = bed.key()
    bed.record(bed.credential(key), locked.envelope_of_key(bed.rng, key, derives=True))


@recipe("legacy-envelope", cost="kdf")
def envelope_of_a_phrase(bed: Bed) -> None:
    phrase = random_phrase(bed.rng)
    key = account(bed, phrase) if bed.chance(0.5) else stranger(bed, phrase)
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


# --- keys that are missing -----------------------------------------------------------------------------------


def _empty(bed: Bed, credential: Credential) -> None:
    """Either no vault record, or one with a placeholder."""
    if bed.chance(0.5):
        bed.record(
            credential, texts.placeholder(bed.rng, null=bed.soil.keyless and bed.chance(0.2)), bed.soil.methods[0]
        )


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
    key = account(bed, phrase)
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


@recipe("", fits=has_vault)
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
