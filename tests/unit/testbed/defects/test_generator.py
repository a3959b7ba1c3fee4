"""The generator by itself: what it plants is what it says, since doctor is measured by it."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from eth_account import Account

from testbed.defects import locked, texts
from testbed.defects.by_hand_cases import CASES
from testbed.defects.database_builder import GENERATIONS, DatabaseBuilder
from testbed.defects.definition import findings, recoverable
from testbed.defects.finding import CODES, EVERYTHING, Access
from testbed.defects.keys import KINDS, key_of, kind_of, phrase_key, random_key, random_phrase
from testbed.defects.recipes import RECIPES
from testbed.defects.write import WrittenDatabase, apply_recipes, chosen, write_database
from testbed.servers.postgres import PostgresServer

PHRASE = " ".join(["abandon"] * 11 + ["about"])
KNOWN = {
    "evm": "0x9858EfFD232B4033E47d90003D41EC34EcaEda94",
    "bitcoin": "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu",
    "bitcoin taproot": "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
    "bitcoin legacy": "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA",
    "bitcoin nested": "37VucYSaXLCAsxYyAPfbSi9eh4iEcbShgf",
    "testnet": "tb1q6rz28mcfaxtmd6v789l9rrlrusdprr9pqcpvkl",
    "solana": "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk",
}
OTHERS = {"g1", "g2", "g2-without-foreign-key", "g3", "g4"}
"""Generations whose defects need no wallet of ours: their rows can be made without a database."""


def generated(generation: str, seed: int, wallets: int, defects: set[str] | None = None) -> DatabaseBuilder:
    """A builder without a database, and so without wallets of ours."""
    builder = DatabaseBuilder.of(generation, seed)
    apply_recipes(builder, wallets, defects)
    return builder


@pytest.mark.parametrize("kind", KNOWN)
def test_keys_derive_the_published_addresses(kind: str) -> None:
    key = phrase_key(PHRASE, kind)
    assert key.address == KNOWN[kind]
    assert key_of(key.secret, kind).address == key.address


def test_a_phrase_knows_the_keys_that_are_looked_for_and_no_others() -> None:
    assert phrase_key(PHRASE, "solana", 19).phrase == phrase_key(PHRASE, "evm", account=19).phrase == PHRASE
    for far in (phrase_key(PHRASE, "evm", 20), phrase_key(PHRASE, account=20), phrase_key(PHRASE, "evm", 7, 7)):
        assert far.phrase is None
    assert phrase_key(PHRASE, passphrase="x").phrase is None


def test_kinds_of_address_are_told_apart() -> None:
    for name, kind in KINDS.items():
        assert KINDS[kind_of(random_key(Random(1), name))].networks == kind.networks


def test_a_keystore_is_one_that_eth_account_opens() -> None:
    rng = Random(1)
    for _ in range(8):
        key = random_key(rng, "evm")
        document = json.loads(locked.keystore(rng, key).value or "")
        assert bytes(Account.decrypt(document, locked.KEYSTORE_PASSWORD)) == key.secret


def test_an_envelope_opens_by_the_scheme_that_was_found_in_the_field() -> None:
    envelope = locked.envelope_of_phrase(Random(1), PHRASE)
    parts = json.loads(envelope.value or "")
    found = {name: bytes.fromhex(parts[name]) for name in ("salt", "iv", "encrypted", "authTag")}
    key = PBKDF2HMAC(SHA256(), 32, found["salt"], 100_000).derive(locked.LEGACY_PASSWORD.encode())
    assert AESGCM(key).decrypt(found["iv"], found["encrypted"] + found["authTag"], None) == PHRASE.encode()
    assert [len(found[name]) for name in ("salt", "iv", "authTag")] == [32, 16, 16]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_one_seed_makes_the_same_rows_again_and_another_makes_others(generation: str) -> None:
    few = {"plaintext-key", "shared-key", "duplicate-live", "unreadable", "plaintext-mnemonic"}
    if generation == "g1":
        few = {"duplicate-live"}
    one, same, other = (generated(generation, seed, 40, few) for seed in (1, 1, 2))
    assert findings(one.truth, EVERYTHING) == findings(same.truth, EVERYTHING)
    assert [row.text.value for row in one.truth.records] == [row.text.value for row in same.truth.records]
    assert findings(one.truth, EVERYTHING) != findings(other.truth, EVERYTHING)


def test_each_finding_can_be_planted_as_often_as_one_likes() -> None:
    for code in CODES:
        generation = "sqlite" if code == "foreign-history" else "g2-without-foreign-key"
        # some recipes leave it to chance whether a record is missing or holds a placeholder
        found = Counter(
            each.code for each in findings(generated(generation, 1, 50, {code}).truth, EVERYTHING).elements()
        )
        assert found[code] >= 20, code


def test_the_default_run_has_each_finding_at_least_twenty_times() -> None:
    found: Counter[str] = Counter()
    for generation in GENERATIONS:
        found.update(each.code for each in findings(generated(generation, 1, 150).truth, Access()).elements())
    assert {code: found[code] for code in CODES if found[code] < 20} == {}


@pytest.mark.parametrize("name", [name for name, entry in RECIPES.items() if entry.code])
def test_what_a_recipe_plants_shows_itself(name: str) -> None:
    entry = RECIPES[name]
    fitting = [generation for generation, traits in GENERATIONS.items() if entry.fits(traits)]
    assert fitting
    if not OTHERS.isdisjoint(fitting):
        shown = findings(generated("g2-without-foreign-key", 3, 8, {name}).truth, EVERYTHING)
        either = {entry.code, "placeholder"} if entry.code == "missing-vault-record" else {entry.code}
        assert either & {each.code for each in shown}


def test_no_finding_is_expected_twice() -> None:
    for generation in ("g2-without-foreign-key", "sqlite"):
        truth = generated(generation, 5, 200).truth
        assert set(findings(truth, EVERYTHING).values()) == {1}


def test_what_is_given_makes_more_wallets_whole() -> None:
    truth = generated("g2", 1, 100).truth
    sealed = [sum(each.repair == "seal" for each in findings(truth, given)) for given in (Access(), EVERYTHING)]
    assert sealed[0] < sealed[1]
    assert 0 < sum(recoverable(truth).values()) < len(truth.credentials)


def test_defects_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="no defect gout"):
        chosen(GENERATIONS["g2"], {"gout"})


def test_each_finding_about_a_row_has_a_fixture_by_hand() -> None:
    assert {case.code for case in CASES} - {""} == set(CODES)
    assert len({case.title for case in CASES}) == len(CASES)
    for case in CASES:
        assert case.code in {"", *(each.code for each in case.expected)}


def test_nothing_that_is_printed_holds_a_key(postgres: PostgresServer) -> None:
    planted = write_database(
        postgres.create_database("defects_printed"), "g2", 1, 20, {"plaintext-key", "plaintext-mnemonic"}
    )
    assert isinstance(planted, WrittenDatabase)
    shown = repr(planted) + repr(planted.truth) + repr(list(planted.wallets.values())) + repr(planted.truth.records)
    for credential in planted.truth.credentials:
        if credential.key is not None:
            assert credential.key.secret.hex() not in shown
            assert repr(credential.key.secret) not in shown
    for record in planted.truth.records:
        assert record.text.value == "" or repr(record.text.value) not in shown
    assert not any(phrase in shown for phrase in (random_phrase(Random(1)), planted.legacy_password))
    assert texts.PLACEHOLDERS[0] == ""
