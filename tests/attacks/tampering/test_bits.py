"""Every bit of what is stored: of sealed texts, of their headers, and of the keyring's rows; in memory.

What the verbs of a vault say to tampered rows is in test_tampering.py.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

import pytest

from strongroom.crypto import jwe, keyring, sealing
from strongroom.crypto.keyring import Keyring
from strongroom.crypto.phrase import Phrase
from strongroom.errors import KeyringCorruptError, RootKeyMismatchError, SealedTextCorruptError, StrongroomError
from strongroom.host.secret_variables import ENVIRONMENT
from strongroom.ports.root_key import RootKey
from strongroom.records.key_material import Identity, KeyMaterial
from strongroom.records.keyring import KeyringRows, WrappedKey
from strongroom.rootkeys import argon2id, local
from strongroom.rootkeys.argon2id import Parameters
from strongroom.rootkeys.passphrase import PassphraseRootKey
from strongroom.secret import Secret
from testbed.harness.canary import Canary
from testbed.harness.sizes import SIZE, seeded
from testbed.sealing.samples import DAMAGE, unused_bits
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally
from tests.attacks.tampering.bits import ATTACK, SecretSearch, end_of, flipped, two_keys

# --- sealed texts --------------------------------------------------------------------------------------------


pytestmark = pytest.mark.sized("rounds")


def texts(number: int) -> Iterator[tuple[str, Identity, Keyring, Canary]]:
    """Sealed texts of keys of their own, with and without a phrase, each in its row."""
    random = seeded("sealed texts")
    for which in range(number):
        sealing_key = Secret(random.randbytes(32))
        kid = keyring.kid_of(sealing_key)
        keys = Keyring(kid, {kid: sealing_key})
        network, address = (("ethereum", "0x" + random.randbytes(20).hex()), ("solana", "So1" + "1" * 40))[which % 2]
        identity = Identity(UUID(int=random.getrandbits(128)), UUID(int=random.getrandbits(128)), network, address)
        key, phrase = random.randbytes(32), Phrase.generate(12, random.randbytes)
        with_phrase = which % 2 == 0
        material = KeyMaterial(
            Secret(key), "bip44", "m/0" if with_phrase else None, phrase.mnemonic if with_phrase else None
        )
        canary = Canary(key, phrase.mnemonic.reveal_text().split())
        yield sealing.seal(material, identity, kid, keys, random.randbytes), identity, keys, canary


def attack_texts(
    row: Tally, where: str, variants: Callable[[str], Iterable[str]], number: int, *ends: type[StrongroomError]
) -> set[type[StrongroomError]]:
    """Open every variant of several texts; what opens at all is unproved."""
    seen = set()
    for text, identity, keys, canary in texts(number):
        search = SecretSearch(row, canary)
        for variant in variants(text):
            if variant == text:
                continue
            row.fault(where)
            try:
                sealing.open_sealed(variant, identity, keys)
            except ends as error:
                seen.add(type(error))
                search(error)
            else:
                row.unproved += 1
    return seen


def test_every_bit_of_sealed_texts(tally: StartTally) -> None:
    row = tally(ATTACK)
    assert attack_texts(row, "sealed texts", flipped, 2 * SIZE.rounds, *DAMAGE) == set(DAMAGE)
    assert row.faults > 2 * 8 * 600 * SIZE.rounds


def test_every_bit_of_headers_in_their_canonical_form(tally: StartTally) -> None:
    """The JSON under the base64url: nothing of it is believed before it authenticates."""

    def headers(text: str) -> Iterator[str]:
        segment, _, rest = text.partition(".")
        for changed in flipped(jwe.decode_segment(segment).decode()):
            yield f"{jwe.encode_segment(changed.encode('latin-1'))}.{rest}"

    row = tally(ATTACK)
    assert attack_texts(row, "headers", headers, SIZE.rounds, *DAMAGE) == set(DAMAGE)
    assert row.faults > 8 * 200 * SIZE.rounds


def spellings(text: str) -> Iterator[str]:
    """The same bytes in other spellings, which lenient readers take: base64url, and serialisations of RFC 7516."""
    segments = text.split(".")
    names = ("protected", "encrypted_key", "iv", "ciphertext", "tag")
    for number, padding in itertools.product(range(5), ("=", "==", "===", "\n", " ", "\r\n", ".")):
        yield ".".join([*segments[:number], segments[number] + padding, *segments[number + 1 :]])
    yield from unused_bits(text)
    yield text.replace("-", "+").replace("_", "/")
    yield text.replace(".", "%2E")
    yield text.encode().hex()
    yield f" {text}"
    yield f"\ufeff{text}"
    yield f"{text}\0"
    yield json.dumps(dict(zip(names, segments, strict=True)))
    flat = dict(zip(names, segments, strict=True))
    key = flat.pop("encrypted_key")
    yield json.dumps({**flat, "recipients": [{"encrypted_key": key}]})
    yield json.dumps({**flat, "recipients": [{"encrypted_key": key, "header": {"alg": "A256KW"}}]})
    yield ".".join([*segments[:3], "", segments[4]])  # detached content
    yield ".".join(segments[:4])
    yield f"{text}.{segments[4]}"


def test_other_spellings_of_sealed_texts(tally: StartTally) -> None:
    row = tally(ATTACK)
    assert SealedTextCorruptError in attack_texts(row, "other spellings", spellings, 4 * SIZE.rounds, *DAMAGE)


def changed_wrap(rows: KeyringRows, **members: str) -> KeyringRows:
    first, second = rows.wraps
    old = {name: getattr(first, name) for name in ("kid", "root_key_uri", "wrapped", "check_value")}
    return KeyringRows(rows.active_kid, (WrappedKey(**{**old, **members}), second), rows.kids)


@pytest.fixture
def root_key() -> RootKey:
    """A root key in memory."""
    return local.LocalRootKey("file:here", Secret(seeded("root key").randbytes(32)))


@pytest.mark.parametrize(
    ("member", "ends"),
    [
        ("wrapped", {KeyringCorruptError}),
        ("kid", {KeyringCorruptError}),
        ("check_value", {None}),  # a hint for messages, no proof
        ("root_key_uri", {None}),  # informative: unwrapping is always tried
    ],
)
def test_every_bit_of_a_keyring_row(
    tally: StartTally, root_key: RootKey, member: str, ends: set[type[StrongroomError] | None]
) -> None:
    row = tally(ATTACK)
    rows, canary = two_keys(root_key)
    search = SecretSearch(row, canary)
    for value in flipped(getattr(rows.wraps[0], member)):
        row.fault("keyring rows")
        assert end_of(changed_wrap(rows, **{member: value}), root_key, search) in ends
    assert ends == {None} or row.faults >= 8 * 22


def test_every_bit_of_a_wrap_whose_check_value_was_changed_too(tally: StartTally, root_key: RootKey) -> None:
    """Then nothing says whose it was: of one key alone, wrong root key or damage; alongside others, damage."""
    row = tally(ATTACK)
    rows, canary = two_keys(root_key)
    search = SecretSearch(row, canary)
    alone = KeyringRows(rows.active_kid, rows.wraps[:1], rows.kids[:1])
    for value in flipped(rows.wraps[0].wrapped):
        row.fault("keyring rows", 2)
        both = {"wrapped": value, "check_value": "A" * 22}
        assert end_of(changed_wrap(rows, **both), root_key, search) is KeyringCorruptError
        one = KeyringRows(alone.active_kid, changed_wrap(rows, **both).wraps[:1], alone.kids)
        assert end_of(one, root_key, search) is RootKeyMismatchError


def test_every_bit_of_the_name_of_the_active_key(tally: StartTally, root_key: RootKey) -> None:
    row = tally(ATTACK)
    rows, canary = two_keys(root_key)
    search = SecretSearch(row, canary)
    for value in flipped(rows.active_kid):
        row.fault("keyring rows", 2)
        assert end_of(KeyringRows(value, rows.wraps, rows.kids), root_key, search) is KeyringCorruptError
        renamed = KeyringRows(value, changed_wrap(rows, kid=value).wraps, (value, rows.kids[1]))
        assert end_of(renamed, root_key, search) is KeyringCorruptError


def test_bits_of_a_passphrase_wrap(tally: StartTally, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the parameters ask for another stretching each, so a sample of these; what stretches nothing, whole."""
    monkeypatch.setenv("ATTACK_PASSPHRASE", "correct horse battery staple")
    monkeypatch.setattr(argon2id, "profile", lambda salt: Parameters(2, 1, 19 * 1024, salt))  # the least that opens
    row = tally(ATTACK)
    key = PassphraseRootKey("passphrase:env:ATTACK_PASSPHRASE", ENVIRONMENT)
    rows, canary = two_keys(key)
    search = SecretSearch(row, canary)
    keyring.unwrap(rows, key)
    header_end = rows.wraps[0].wrapped.index(".")
    variants = list(flipped(rows.wraps[0].wrapped))
    content = variants[8 * header_end :]
    header = seeded("passphrase wrap").sample(variants[: 8 * header_end], min(8 * header_end, 60 * SIZE.rounds))
    for value in content:
        row.fault("keyring rows")
        assert end_of(changed_wrap(rows, wrapped=value), key, search) is KeyringCorruptError
    for value in header:
        row.fault("keyring rows")
        fresh = PassphraseRootKey("passphrase:env:ATTACK_PASSPHRASE", ENVIRONMENT)  # which has stretched no other salts
        assert end_of(changed_wrap(rows, wrapped=value), fresh, search) is KeyringCorruptError
