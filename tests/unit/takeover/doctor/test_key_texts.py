"""Reading key texts: every form of the field, what only looks like one, and that nothing is raised or shown."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from uuid import UUID

import pytest
from bip_utils import Base58Decoder, Base58Encoder
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import example, given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair

from strongroom.crypto.phrase import LANGUAGES, WORD_COUNTS, Phrase
from strongroom.networks import TABLE
from strongroom.networks.codecs import keystore
from strongroom.networks.curves import secp256k1
from strongroom.networks.curves.curve import SECP256K1
from strongroom.secret import Secret
from strongroom.takeover.doctor.key_texts import IN_PLAINTEXT, KeyText, KeyTextKind, read, read_plaintext
from strongroom.takeover.doctor.remainders import holds_more
from testbed.harness.canary import Canary, report
from testbed.harness.sizes import examples
from testbed.networks.key_forms import (
    DERIVATION,
    ENCODINGS,
    FAMILIES,
    SOLANA_FORMS,
    Family,
    address_of,
    forms_of,
    language,
    phrase_address,
    target_of,
)
from testbed.networks.known import keys

KEY = bytes.fromhex("4646464646464646464646464646464646464646464646464646464646464646")
OTHER = bytes.fromhex("1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727")
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
PUBLIC_LOOKING = ("seed as array", "seed in base58")
SPACES = ("", " ", "\n", "\t \r\n", "\u00a0", "\u3000")
SLOW = settings(max_examples=examples(60), deadline=None)

EVERY_FORM = [(family, form) for family in FAMILIES for form in forms_of(family)]


def derives(found: KeyText, family: Family, address: str) -> bool:
    target = target_of(family, address)
    content = DERIVATION.explain(DERIVATION.reading(found, target), target)
    return content is not None and content.derives


@pytest.mark.parametrize(("family", "form"), EVERY_FORM, ids=str)
def test_a_key_in_plaintext_is_read_and_derives_its_address(family: Family, form: str) -> None:
    text = forms_of(family)[form](KEY)
    for space in SPACES:
        found = read(space + text + space)
        assert (found.kind, found.looks_public) == (KeyTextKind.KEY, form in PUBLIC_LOOKING), ascii(space)
        assert found.key is not None
        assert found.key.reveal() == KEY
    assert derives(found, family, address_of(family, KEY))
    assert not derives(found, family, address_of(family, OTHER))


@pytest.mark.parametrize(("family", "form"), EVERY_FORM, ids=str)
def test_a_key_in_base64_is_read_and_derives_its_address(family: Family, form: str) -> None:
    text = forms_of(family)[form](KEY)
    for name, encode in ENCODINGS.items():
        for end in ("", "\n"):
            found = read(encode((text + end).encode()) + end)
            assert (found.kind, found.looks_public) == (KeyTextKind.ENCODED, form in PUBLIC_LOOKING), name
    assert derives(found, family, address_of(family, KEY))


@pytest.mark.parametrize("family", FAMILIES, ids=str)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_raw_bytes_in_base64_are_a_key_only_where_they_derive_the_address(family: Family, encoding: str) -> None:
    for key in (KEY, b"\xfb\xff" + KEY[2:]):
        for data in [key] if family[0] != "solana" else [key, bytes(Keypair.from_seed(key))]:
            text, target = ENCODINGS[encoding](data), target_of(family, address_of(family, key))
            found = DERIVATION.reading(read(text), target)
            pair = data != key
            assert (found.kind, found.looks_public) == (KeyTextKind.ENCODED, not pair)
            assert derives(read(text), family, address_of(family, key))
            assert not derives(read(text), family, address_of(family, OTHER))
            assert (DERIVATION.explain(read(text), None) is None) != pair, "a keypair's halves say what it is"


def test_base64_that_is_base58_too_is_read_as_what_derives_the_address() -> None:
    """One key in seventy, without padding, has no character that base58 does not have."""
    text = base64.b64encode(KEY).decode().rstrip("=")
    other = Base58Decoder.Decode(text)
    family = ("ethereum", None)
    for key, kind in ((KEY, KeyTextKind.ENCODED), (other, KeyTextKind.KEY), (OTHER, KeyTextKind.KEY)):
        found = DERIVATION.reading(read(text), target_of(family, address_of(family, key)))
        assert found.kind is kind
        assert derives(read(text), family, address_of(family, key)) == (key != OTHER)
    assert DERIVATION.reading(read(text), None).kind is KeyTextKind.KEY


@pytest.mark.parametrize("name", LANGUAGES)
@pytest.mark.parametrize("words", WORD_COUNTS)
def test_a_phrase_of_each_language_and_length_is_read(name: str, words: int) -> None:
    rng = random.Random(f"{name}/{words}")
    phrase = language(name).to_mnemonic(rng.randbytes(words * 4 // 3))
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        for text in (phrase, f"  {phrase}\n", phrase.replace(" ", "\u3000"), phrase.replace(" ", "\n")):
            for stray in ("", "0x", "0X", "0x ", "0x\t\n"):
                found = read(unicodedata.normalize(form, stray + text))
                assert found.kind is KeyTextKind.PHRASE, (form, ascii(stray))
                assert found.form == f"phrase of {words} words{' behind a stray 0x' if stray else ''}"
    for encode in ENCODINGS.values():
        assert read(encode(phrase.encode())).kind is KeyTextKind.ENCODED
        assert read(encode(f"0x{phrase}\n".encode())).kind is KeyTextKind.ENCODED


@pytest.mark.parametrize("family", FAMILIES, ids=str)
@pytest.mark.parametrize("place", [(0, 0), (0, 19), (19, 0)], ids=str)
def test_a_phrase_derives_the_first_addresses_of_each_scheme(family: Family, place: tuple[int, int]) -> None:
    account, index = place if family[0] != "solana" else (max(place), 0)
    address = phrase_address(family, PHRASE, account, index)
    for text in (PHRASE, "0x" + PHRASE, base64.b64encode(PHRASE.encode()).decode()):
        assert derives(read(text), family, address)
    beyond = phrase_address(family, PHRASE, 20, 0)
    assert not derives(read(PHRASE), family, beyond)


@SLOW
@given(
    keys(),
    st.sampled_from(EVERY_FORM),
    st.sampled_from([None, *ENCODINGS]),
    st.sampled_from(SPACES),
    st.sampled_from(SPACES),
)
def test_a_random_key_in_a_random_form_derives_its_address(
    key: bytes, written: tuple[Family, str], encoding: str | None, before: str, after: str
) -> None:
    family, form = written
    text = forms_of(family)[form](key)
    if encoding is not None:
        text = ENCODINGS[encoding](text.encode())
    found = read(before + text + after)
    assert found.kind is (KeyTextKind.KEY if encoding is None else KeyTextKind.ENCODED)
    keys = [each.key.reveal() for each in (found, *found.others) if each.key is not None]
    assert key in keys[:1] or (
        key in keys and len(text) in (43, 44)
    )  # base64 of 32 characters is base64 of 32 bytes, too
    assert derives(found, family, address_of(family, key)) or key not in keys[:1]


# --- what is no key ------------------------------------------------------------------------------------------


def damaged(text: str, place: int) -> str:
    """One character of a base58 text changed for another of the alphabet."""
    return text[:place] + ("2" if text[place] != "2" else "3") + text[place + 1 :]


WIF = forms_of(("bitcoin", "default"))["WIF"](KEY)
KEYPAIR = bytes(Keypair.from_seed(KEY))
WRONG_HALVES = KEY + bytes(Keypair.from_seed(OTHER))[32:]
SWAPPED = KEYPAIR[32:] + KEYPAIR[:32]
LAST = PHRASE.rpartition(" ")[0]
NO_KEY = {
    "63 digits": KEY.hex()[:-1],
    "65 digits": KEY.hex() + "4",
    "62 digits": KEY.hex()[:-2],
    "0x and 63 digits": "0x" + KEY.hex()[:-1],
    "64 letters": "g" * 64,
    "64 digits of Arabic": "٤" * 64,
    "128 digits with swapped halves": SWAPPED.hex(),
    "an array with swapped halves": json.dumps(list(SWAPPED)),
    "an array of 63": json.dumps(list(KEYPAIR[:63])),
    "an array of 65": json.dumps([*KEYPAIR, 1]),
    "an array with 256": json.dumps([*KEYPAIR[:63], 256]),
    "an array with a text": json.dumps([*KEYPAIR[:63], "1"]),
    "an array of arrays": json.dumps([[each] for each in KEYPAIR]),
    "base58 with wrong halves": str(Base58Encoder.Encode(WRONG_HALVES)),
    "base58 with swapped halves": str(Base58Encoder.Encode(SWAPPED)),
    "WIF with a wrong checksum": damaged(WIF, 20),
    "WIF with a wrong last character": damaged(WIF, len(WIF) - 1),
    "WIF cut short": WIF[:-1],
    "WIF of another compression byte": "L3p8oAcQTtuokSCRHQ7i4MhjWc9zornvpJLfmg62sYpLRJF9woSv",
    "a phrase with a wrong checksum": f"{LAST} year",
    "a phrase of 11 words": LAST,
    "a phrase of 13 words": f"{PHRASE} year",
    "a phrase with a word of no list": f"{LAST} strongroom",
    "a JWT": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"),
    "a UUID": str(UUID(int=7)),
    "a vault id": f"vault_{UUID(int=7)}",
    "an address of ethereum": address_of(("ethereum", None), KEY),
    "an address of bitcoin": address_of(("bitcoin", "default"), KEY),
    "an old address of bitcoin": address_of(("bitcoin", "legacy"), KEY),
    "a compressed public key": "02" + KEY.hex(),
    "a PEM": "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----",
    "a word": "encrypted",
    "the placeholder in small letters": "migration_required",
    "the placeholder with a space": "MIGRATION_REQUIRED ",
    "a space": " ",
    "an object": "{}",
    "an object that is none": '{"salt": 1',
    "a crypto in an array": '[{"crypto": {}}]',
    "a number": "1e400",
    "a long number": "1" * 5000,
}


WRITTEN_OTHERWISE = {
    "base64 with a zero byte at its end": base64.b64encode(KEY.hex().encode()).decode().rstrip("=") + "AA=",
    "an array whose other half has a negative number": json.dumps([*KEYPAIR[:63], -1]),
    "two 0x": "0x0x" + KEY.hex(),
    "digits in two lines": KEY.hex()[:32] + "\n" + KEY.hex()[32:],
    "a quoted key": f'"{KEY.hex()}"',
    "128 digits with wrong halves": WRONG_HALVES.hex(),
    "an array with wrong halves": json.dumps(list(WRONG_HALVES)),
    "base64 with wrong halves": base64.b64encode(WRONG_HALVES).decode(),
    "a phrase with numbers": " ".join(f"{n}. {word}" for n, word in enumerate(PHRASE.split(), 1)),
    "base64 of base64": base64.b64encode(base64.b64encode(KEY.hex().encode())).decode(),
    "base64 in lines": base64.encodebytes(PHRASE.encode()).decode(),
}
ENCRYPTED = {
    "what openssl enc writes": base64.b64encode(b"Salted__" + bytes(40)).decode(),
    "an object of something else": '{"ciphertext": "00", "nonce": "00"}',
    "three members of an envelope": '{"salt": "00", "iv": "00", "encrypted": "00"}',
}


@pytest.mark.parametrize("text", [f"{PHRASE} 0x", f"my phrase is {PHRASE}, keep it", f"{KEY.hex()} was the key"])
def test_what_stands_between_other_words_is_read_and_more_is_there(text: str) -> None:
    found = read(text)
    assert (found.phrase is not None) == (PHRASE in text)
    assert found.looks_public
    assert found.holds_unread


@pytest.mark.parametrize("name", NO_KEY)
def test_what_only_looks_like_a_key_explains_nothing(name: str) -> None:
    found = read(NO_KEY[name])
    assert found.kind is KeyTextKind.UNREADABLE or found.looks_public
    assert found.phrase is None
    for family in FAMILIES:
        target = target_of(family, address_of(family, KEY))
        assert DERIVATION.explain(DERIVATION.reading(found, target), target) is None
    assert DERIVATION.explain(found, None) is None


@pytest.mark.parametrize("name", WRITTEN_OTHERWISE)
def test_what_is_written_otherwise_than_wallets_do_derives_its_address(name: str) -> None:
    found = read(WRITTEN_OTHERWISE[name])
    phrase = found.phrase is not None
    family = ("solana", None) if "halves" in name else ("ethereum", None)
    assert derives(found, family, phrase_address(family, PHRASE) if phrase else address_of(family, KEY))
    assert not derives(found, family, address_of(family, OTHER))


@pytest.mark.parametrize("name", ENCRYPTED)
def test_what_another_application_encrypted_is_named(name: str) -> None:
    found = read(ENCRYPTED[name])
    assert (found.kind, found.key, found.phrase, found.locked) == (KeyTextKind.ENCRYPTED, None, None, None)
    assert found.form.startswith("encrypted by ") or found.form.startswith("base64 of: encrypted by ")


def test_a_public_key_of_solana_is_a_key_for_nobody() -> None:
    """It looks like a seed; only the address could say that it is one."""
    address = address_of(("solana", None), KEY)
    for text in (address, json.dumps(list(KEYPAIR[32:])), base64.b64encode(KEYPAIR[32:]).decode()):
        found = read(text)
        assert found.looks_public
        assert DERIVATION.explain(found, target_of(("solana", None), address)) is None
        assert DERIVATION.explain(found, None) is None


@pytest.mark.parametrize("number", [0, int("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)])
def test_a_key_that_secp256k1_does_not_take_derives_nothing(number: int) -> None:
    found = read(f"{number:064x}")
    for family in FAMILIES:
        network = TABLE.get(family[0])
        if network.curve(network.scheme(family[1])) != SECP256K1:
            continue
        content = DERIVATION.explain(found, target_of(family, address_of(family, KEY)))
        assert content is not None
        assert not content.derives
    assert found.key is not None
    spaces = {network.address_space.name: network for network in TABLE}
    curves = [network.curve(scheme) for network in spaces.values() for scheme in network.schemes]
    offered = list(DERIVATION.addresses(found.key))
    assert 0 < len(offered) <= len(curves) - curves.count(SECP256K1), "Ed25519 takes any 32 bytes"


@pytest.mark.parametrize("text", [None, "", "MIGRATION_REQUIRED", "PRIVATE_KEY_NOT_RECOVERABLE"])
def test_placeholders_are_exact(text: str | None) -> None:
    assert read(text).kind is KeyTextKind.PLACEHOLDER


def test_a_text_that_begins_like_ours_is_ours() -> None:
    assert read("eyJraWQiOi").kind is KeyTextKind.SEALED
    assert read(" eyJraWQiOi").kind is KeyTextKind.UNREADABLE
    assert read("eyJraWQiOi" + "A" * 100_000).kind is KeyTextKind.SEALED


# --- documents -----------------------------------------------------------------------------------------------

KEYSTORE = keystore.make_document(Secret(KEY), Secret(b"a password"), "00" * 20, lambda length: bytes(length))


@pytest.mark.parametrize("name", ["crypto", "Crypto", "CRYPTO"])
def test_a_keystore_is_read_in_any_case(name: str) -> None:
    found = read(f"\n {KEYSTORE.replace('crypto', name)} ")
    assert (found.kind, found.form) == (KeyTextKind.KEYSTORE, "version 3 keystore")
    assert found.locked is not None


ABSURD = {
    "scrypt of a terabyte": ('"n":262144', '"n":1099511627776'),
    "scrypt of many blocks": ('"p":1', '"p":1000000'),
    "scrypt that is no power of two": ('"n":262144', '"n":262143'),
    "scrypt of nothing": ('"n":262144', '"n":0'),
    "scrypt of less than nothing": ('"n":262144', '"n":-1'),
    "scrypt of a float": ('"n":262144', '"n":262144.5'),
    "scrypt of a number with 5000 digits": ('"n":262144', '"n":' + "9" * 5000),
    "scrypt of infinity": ('"n":262144', '"n":Infinity'),
    "a key of a gigabyte": ('"dklen":32', '"dklen":1073741824'),
    "another kdf": ('"kdf":"scrypt"', '"kdf":"bcrypt"'),
    "another cipher": ("aes-128-ctr", "aes-128-cbc"),
    "a member twice": ('"version":3', '"version":3,"version":3'),
    "version 4": ('"version":3', '"version":4'),
    "a version of another text": ('"version":3', '"version":"03"'),
    "no version": (',"version":3', ""),
    "a nested bomb": ('"version":3', '"x":' + "[" * 5000 + "]" * 5000 + ',"version":3'),
}


@pytest.mark.parametrize("name", ABSURD)
def test_a_keystore_that_asks_for_too_much_is_not_offered_to_any_password(name: str) -> None:
    found = read(KEYSTORE.replace(*ABSURD[name]))
    assert found.locked is None
    assert found.kind in (KeyTextKind.KEYSTORE, KeyTextKind.UNREADABLE)


@pytest.mark.parametrize(
    ("old", "new"), [('"version":3', '"version":"3"'), ('"n":262144', '"n":"262144.0"'), ('"n":262144', '"n":262144.0')]
)
def test_a_keystore_that_writes_its_numbers_otherwise_is_offered(old: str, new: str) -> None:
    found = read(KEYSTORE.replace(old, new))
    assert found.kind is KeyTextKind.KEYSTORE
    assert found.locked is not None


@pytest.mark.parametrize("depth", [*range(400, 1100, 7), 5_000, 30_000])
def test_json_that_is_nested_deeper_than_python_goes_is_read(depth: int) -> None:
    bomb = "[" * depth + "]" * depth
    members = f'"salt": {bomb}, "iv": {bomb}, "encrypted": "", "authTag": ""'
    for text in (bomb, f'{{"crypto": {bomb}}}', f"{{{members}}}", f'{{"algorithm": {bomb}, {members}}}'):
        assert read(text).key is None


# --- nothing is raised, nothing is shown ---------------------------------------------------------------------

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
PIECES = st.sampled_from(
    [KEY.hex(), WIF, PHRASE, KEYSTORE, "0x", " ", "\0", "\ud800", "{", "}", "[", "]", '"crypto":', "eyJraWQiOi", "=="]
)
HARD_TEXT = st.one_of(ANY_TEXT, st.lists(st.one_of(PIECES, ANY_TEXT), max_size=6).map("".join))


@settings(max_examples=examples(400), deadline=None)
@given(HARD_TEXT)
@example("\ud800" * 64)
@example("0x\udcff" + PHRASE)
@example("\0" * 64)
@example(KEY.hex() + "\0")
@example("{" + "\udcff" * 100 + "}")
@example('{"crypto": "\udcff"}')
@example('{"salt": "\udcff", "iv": 1, "encrypted": {}, "authTag": []}')
@example("[" + "\udcff," * 63 + "1]")
@example("é" * 64)
def test_reading_never_raises(text: str) -> None:
    found = read(text)
    DERIVATION.explain(found, target_of(("ethereum", None), address_of(("ethereum", None), KEY)))
    assert read_plaintext(Secret.from_text(text)) is None or found.kind is not KeyTextKind.PLACEHOLDER


@settings(max_examples=examples(200), deadline=None)
@given(st.binary(max_size=300))
def test_what_came_out_of_an_envelope_is_read_whatever_it_is(data: bytes) -> None:
    found = read_plaintext(Secret(data))
    assert found is None or found.kind in IN_PLAINTEXT


@pytest.mark.parametrize("piece", ["4", "z", "0x", "[", "{", '{"crypto":', "abandon ", "1,", "\ud800", "\0", "é", "="])
def test_long_texts_are_not_looked_at(piece: str) -> None:
    text = piece * (70_000 // len(piece) + 1)
    assert read(text).form == "longer than 65,536 characters"
    found = read(text[:65_536])
    assert found.kind is KeyTextKind.UNREADABLE or found.looks_public
    assert read(" " * 65_472 + KEY.hex()).kind is KeyTextKind.KEY, "as long as may be"


def canary() -> Canary:
    return Canary(
        KEY,
        PHRASE.split(),
        {
            "WIF": WIF[:26],
            "keypair": str(Keypair.from_seed(KEY))[:40],
            **{f"base64 {n}": encode(KEY.hex().encode())[:40] for n, encode in ENCODINGS.items()},
        },
    )


@pytest.mark.parametrize(
    "text",
    [
        *(forms_of(family)[form](KEY) for family, form in EVERY_FORM),
        *(encode(each(KEY).encode()) for encode in ENCODINGS.values() for each in SOLANA_FORMS.values()),
        PHRASE,
        f"0x {PHRASE}",
        f"{PHRASE} year",
        KEY.hex()[:-1],
        damaged(WIF, 20),
        json.dumps({"crypto": KEY.hex()}),
        json.dumps({"crypto": {}, "version": KEY.hex()}),
        json.dumps({"salt": KEY.hex(), "iv": KEY.hex()[:32], "encrypted": KEY.hex(), "authTag": KEY.hex()[:32]}),
        KEY.hex() * 2000,
    ],
    ids=lambda text: f"{len(text)} characters",
)
def test_a_text_that_was_read_shows_nothing(text: str) -> None:
    found = read(text)
    content = DERIVATION.explain(found, target_of(("ethereum", None), address_of(("ethereum", None), KEY)))
    leaks = [*canary().in_object(found, "what was read"), *canary().in_object(content, "what it holds")]
    leaks += canary().in_text(found.form, "its form")
    assert leaks == [], report(leaks)


def test_spaces_in_what_looks_like_base64_cost_work_in_proportion() -> None:
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (20, 20))\n"
        "from strongroom.takeover.doctor import wrappings\n"
        "for _ in range(20): assert wrappings.decoded('A' * 20 + ' ' * 65_000 + '!') is None\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_secret_of_which_nothing_was_read_is_told() -> None:
    key = KEY.hex()
    for document, expected in (
        ({"private_key": key}, False),
        ({"private_key": key, "passphrase": "", "path": "m/0", "address": "0x00"}, False),
        ({"mnemonic": PHRASE, "passphrase": "12345"}, True),
        ({"private_key": key, "secret": "in a form, that nobody reads!"}, True),
        ({"private_key": key, "tokens": [{"symbol": "USDC"}]}, False),
        ({"private_key": key, "keystore": {"crypto": {}}}, True),
        ({"private_key": key, **{f"member {number}": "" for number in range(80)}}, True),
    ):
        assert read(json.dumps(document)).holds_unread is expected, list(document)


def test_what_could_be_a_second_key_is_told_whatever_its_name_is() -> None:
    """A name proves nothing: what is long enough for a key has to follow from the key that was read, or be no key."""
    family: Family = ("ethereum", None)
    key, address = KEY.hex(), address_of(family, KEY)
    public = secp256k1.public_key(KEY)
    assert public is not None
    solana = address_of(("solana", None), KEY)
    both = {"private_key": key, "address": address}
    for more, expected in (
        ({"publicKey": public.hex(), "uncompressed": f"0x{secp256k1.decompress(public).hex()}"}, False),
        ({"solana_address": solana, "backup": base64.b64encode(KEY).decode(), "again": list(KEY)}, False),
        ({"contract": "0x" + "11" * 20, "chainId": 1, "path": "m/44'/60'/0'/0/0", "type": "externally owned"}, False),
        ({"createdAt": "2026-11-29T03:00:00.000Z", "id": "6d1f3c68-2f0f-4f0e-8a51-3f1f3a2b9c04", "tags": ["a"]}, False),
        ({"network_private_key": OTHER.hex()}, True),
        ({"address_2": OTHER.hex()}, True),
        ({"publicKey": OTHER.hex()}, True),
        ({"networkKeys": {"private_key": OTHER.hex()}}, True),
        ({"networks": [{"name": "solana", "key": OTHER.hex()}]}, True),
        ({"hash": list(OTHER)}, True),
        ({"salt": int.from_bytes(OTHER)}, True),
        ({"path_words": PHRASE}, True),
        ({"backup": base64.b64encode(OTHER).decode()}, True),
        ({"other": address_of(("solana", None), OTHER)}, True),  # 32 bytes in base58 may be a seed
        ({"note": "what nobody reads, and could be a key"}, True),
        ({"pair": ["first", base64.b64encode(OTHER).decode()]}, True),
        ({"mixed": [1, base64.b64encode(OTHER).decode()]}, True),
        ({"big": 2**300}, True),
    ):
        target = target_of(family, address)
        found = DERIVATION.reading(read(json.dumps(both | more)), target)
        content = DERIVATION.explain(found, target)
        assert content is not None
        assert content.derives, list(more)
        assert holds_more(found, content, DERIVATION) is expected, list(more)


def der(key: bytes) -> bytes:
    """PKCS #8, with the public key in it."""
    private = ec.derive_private_key(int.from_bytes(key), ec.SECP256K1())
    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _two_texts() -> dict[str, tuple[str, bool]]:
    first, second = KEY.hex(), OTHER.hex()
    address = address_of(("ethereum", None), KEY)
    encoded = [base64.b64encode(der(key)).decode() for key in (KEY, OTHER)]
    return {
        "a key for a name": (json.dumps({first: "hot", second: "cold"}), True),
        "a key for the name of a key": (json.dumps({second: first}), True),
        "a key for a name, deeper": (json.dumps({"private_key": first, "others": {second: 1}}), True),
        "a key for a name, in a list": (json.dumps({"private_key": first, "others": [{second: 1}]}), True),
        "names in words": (json.dumps({"private_key": first, "needsBackupBeforeTheNextMigration": 1}), False),
        "its address for a name": (json.dumps({address: first}), False),
        "lines": (f"HOT={first}\nCOLD={second}", True),
        "exported lines": (f"export HOT={first}\nexport COLD='{second}'\n", True),
        "lines with a phrase": (f"KEY: {first}\r\nPHRASE: {PHRASE}\r\n", True),
        "one line, two names": (f"hot: {first}; cold: {second}", True),
        "lines of one key": (f"PRIVATE_KEY={first}\nADDRESS={address}\nNETWORK=ethereum\n", False),
        "two DER in lines": ("\n".join(encoded), True),
        "two DER in one": (base64.b64encode(der(KEY) + der(OTHER)).decode(), True),
        "DER, and bytes after it": (base64.b64encode(der(KEY) + OTHER).decode(), True),
        "DER": (encoded[0], False),
    }


@pytest.mark.parametrize(("text", "expected"), _two_texts().values(), ids=_two_texts().keys())
def test_two_keys_in_one_text_are_seen_in_names_lines_and_der(text: str, expected: bool) -> None:
    target = target_of(("ethereum", None), address_of(("ethereum", None), KEY))
    found = DERIVATION.reading(read(text), target)
    content = DERIVATION.explain(found, target)
    assert content is not None
    assert content.derives
    assert holds_more(found, content, DERIVATION) is expected


@pytest.mark.parametrize("text", [KEY.hex() + OTHER.hex(), f"{PHRASE} {int.from_bytes(OTHER)}"], ids=["seed", "number"])
def test_the_rest_of_a_text_is_told(text: str) -> None:
    assert read(text).holds_unread


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (PHRASE.split(), False),
        (PHRASE.upper().split(), False),
        ({"mnemonic": PHRASE, "seedPhrase": PHRASE}, False),
        ({"mnemonic": PHRASE.split()}, False),
        (
            {
                "mnemonic": PHRASE,
                "seedPhrase": "zoo " * 11 + "wrong",
            },
            True,
        ),
        ({"mnemonic": PHRASE, "private_key": OTHER.hex()}, True),
    ],
    ids=["words", "capitals", "twice", "words of a member", "two phrases", "a key besides"],
)
def test_one_phrase_in_one_text_is_one_however_it_is_written(document: object, expected: bool) -> None:
    material = TABLE.get("ethereum").derive(Phrase.parse(Secret.from_text(PHRASE)), "bip44")
    target = target_of(("ethereum", None), address_of(("ethereum", None), material.private_key.reveal()))
    found = DERIVATION.reading(read(json.dumps(document)), target)
    content = DERIVATION.explain(found, target)
    assert content is not None
    assert content.derives
    assert holds_more(found, content, DERIVATION) is expected


@pytest.mark.parametrize("written", [repr, lambda key: repr({"private_key": key, "index": 0})])
def test_a_key_whose_bytes_are_a_backslash_and_a_letter_is_read(written: Callable[[bytes], str]) -> None:
    key = b"$d(\\E \xad\x95\xbc\xf6\xe4/n\n\x85\x84\xfc\xd9[\xc6\x8c\x7f\xb0\x90{\x1c[\xf0\xb3X$l"
    found = read(written(key))
    assert key in [each.key.reveal() for each in (found, *found.others) if each.key is not None]
