"""Keys and phrases in the forms that applications leave behind: any notation in any wrapping derives its address.

What a form holds is known here because it was written here; addresses come from eth-keys, solders and bip_utils.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Mapping

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair

from strongroom.networks.codecs import base58
from strongroom.takeover.doctor.key_texts import KeyText, KeyTextKind, read
from testbed.harness.canary import Canary, report
from testbed.harness.sizes import examples
from testbed.networks.key_forms import DERIVATION, FAMILIES, Family, address_of, language, phrase_address, target_of

PHRASE = "enlist essence novel wonder give inquiry saddle frog immune real tent couch"
ETHEREUM: Family = ("ethereum", None)
SOLANA: Family = ("solana", None)
KEYS = [bytes.fromhex(f"{'00' * zeros}{'c8' * (32 - zeros)}") for zeros in (0, 1, 2)]
KEYS.append(b"\x05" + KEYS[0][1:])
WORDS = PHRASE.split()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _number(key: bytes) -> int:
    return int.from_bytes(key)


NOTATIONS: Mapping[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "hex without leading zeros": lambda key: f"{_number(key):x}",
    "0x hex without leading zeros": lambda key: hex(_number(key)),
    "0X HEX": lambda key: "0X" + key.hex().upper(),
    "66 digits": lambda key: "00" + key.hex(),
    "0x00": lambda key: "0x00" + key.hex(),
    "bytea": lambda key: "\\x" + key.hex(),
    "bytea, escaped": lambda key: "\\\\x" + key.hex(),
    "decimal": lambda key: str(_number(key)),
    "decimal, signed": lambda key: str(int.from_bytes(key, signed=True)),
    "BigInt": lambda key: f"{_number(key)}n",
    "base64": _b64,
    "base64url": lambda key: base64.urlsafe_b64encode(key).decode().rstrip("="),
    "list": lambda key: ",".join(map(str, key)),
    "list in brackets": lambda key: json.dumps(list(key)),
    "list with blanks": lambda key: " ".join(map(str, key)),
    "signed bytes": lambda key: json.dumps([each - 256 if each > 127 else each for each in key]),
    "signed bytes without brackets": lambda key: ", ".join(str(each - 256 if each > 127 else each) for each in key),
    "Uint8Array": lambda key: f"Uint8Array(32) [ {', '.join(map(str, key))} ]",
    "Buffer, printed": lambda key: f"<Buffer {key.hex(' ')}>",
    "hex pairs": lambda key: key.hex(":"),
    "hex pairs with 0x": lambda key: ", ".join(f"0x{each:02x}" for each in key),
    "Buffer": lambda key: json.dumps({"type": "Buffer", "data": list(key)}),
    "numbered": lambda key: json.dumps({str(place): each for place, each in enumerate(key)}),
    "privateKey": lambda key: json.dumps({"address": "0x" + "11" * 20, "privateKey": "0x" + key.hex()}),
    "privateKey as a number": lambda key: json.dumps({"privateKey": _number(key)}),
    "private_key, deep": lambda key: json.dumps({"wallet": {"keys": {"private_key": key.hex()}}}),
    "JWK": lambda key: json.dumps({"kty": "EC", "crv": "secp256k1", "d": base64.urlsafe_b64encode(key).decode()[:43]}),
    "environment": lambda key: f"PRIVATE_KEY=0x{key.hex()}",
}
KEYPAIRS: Mapping[str, Callable[[bytes], str]] = {
    "list": lambda key: ",".join(map(str, bytes(Keypair.from_seed(key)))),
    "signed": lambda key: json.dumps([(each + 128) % 256 - 128 for each in bytes(Keypair.from_seed(key))]),
    "Buffer": lambda key: json.dumps({"type": "Buffer", "data": list(bytes(Keypair.from_seed(key)))}),
    "numbered": lambda key: json.dumps({str(n): each for n, each in enumerate(bytes(Keypair.from_seed(key)))}),
    "secretKey": lambda key: json.dumps({"publicKey": [1, 2], "secretKey": list(bytes(Keypair.from_seed(key)))}),
    "base64": lambda key: _b64(bytes(Keypair.from_seed(key))),
    "bytea": lambda key: "\\x" + bytes(Keypair.from_seed(key)).hex(),
}
WRAPPINGS: Mapping[str, Callable[[str], str]] = {
    "nothing": str,
    "quotes": lambda text: json.dumps(text),
    "single quotes": lambda text: f"'{text}'",
    "a mark": lambda text: "\ufeff" + text,
    "a mark, read as Latin-1": lambda text: "\u00ef\u00bb\u00bf" + text,
    "blanks and a mark": lambda text: f"\n \ufeff{text}\r\n",
    "base64": lambda text: _b64(text.encode()),
    "base64 with a mark": lambda text: _b64(b"\xef\xbb\xbf" + text.encode()),
    "base64 of UTF-16": lambda text: _b64(text.encode("utf-16")),
    "base64 twice": lambda text: _b64(_b64(text.encode()).encode()),
    "base64url, unpadded": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "hex": lambda text: text.encode().hex(),
    "bytea": lambda text: "\\x" + text.encode().hex(),
    "JSON": lambda text: json.dumps({"network": "ethereum", "secret": text}),
    "JSON in quotes": lambda text: json.dumps(json.dumps({"value": text})),
}
PHRASES: Mapping[str, str] = {
    "capitals": PHRASE.upper(),
    "a capital each": PHRASE.title(),
    "quotes": f'"{PHRASE}"',
    "commas": ",".join(WORDS),
    "commas and blanks": ", ".join(WORDS),
    "lines": "\n".join(WORDS),
    "numbered lines": "\n".join(f"{n}. {word}" for n, word in enumerate(WORDS, 1)),
    "a JSON array": json.dumps(WORDS),
    "a JSON array in lines": json.dumps(WORDS, indent=2),
    "a JSON object": json.dumps({"mnemonic": PHRASE}),
    "a JSON object with an array": json.dumps({"mnemonic": {"words": WORDS}}),
    "four letters": " ".join(word[:4] for word in WORDS),
    "four letters in capitals": " ".join(word[:4] for word in WORDS).upper(),
    "a label": f"mnemonic: {PHRASE}",
    "dashes": " - ".join(WORDS),
}


def found_for(text: str, family: Family, address: str) -> tuple[KeyText, bool]:
    target = target_of(family, address)
    found = DERIVATION.reading(read(text), target)
    content = DERIVATION.explain(found, target)
    return found, content is not None and content.derives


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_key_in_any_notation_and_wrapping_derives_its_address_and_no_other(notation: str, wrapping: str) -> None:
    for key in KEYS:
        text = WRAPPINGS[wrapping](NOTATIONS[notation](key))
        for family in (ETHEREUM, SOLANA):
            found, derives = found_for(text, family, address_of(family, key))
            assert derives, (key.hex()[:6], family)
            assert found.kind in (KeyTextKind.KEY, KeyTextKind.ENCODED)
            assert not found_for(text, family, address_of(family, bytes(31) + b"\x07"))[1]


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("notation", KEYPAIRS)
def test_a_keypair_in_any_notation_and_wrapping_derives_its_address(notation: str, wrapping: str) -> None:
    found, derives = found_for(WRAPPINGS[wrapping](KEYPAIRS[notation](KEYS[0])), SOLANA, address_of(SOLANA, KEYS[0]))
    assert derives
    assert not found.looks_public, "its halves say what it is"


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("form", PHRASES)
def test_a_phrase_in_any_form_and_wrapping_derives_its_address(form: str, wrapping: str) -> None:
    found, derives = found_for(WRAPPINGS[wrapping](PHRASES[form]), ETHEREUM, phrase_address(ETHEREUM, PHRASE))
    assert derives
    assert found.phrase is not None
    assert found.phrase.mnemonic.reveal_text() == PHRASE


@pytest.mark.parametrize("name", ["czech", "french", "italian", "japanese", "korean", "portuguese", "spanish"])
def test_a_phrase_of_another_language_is_read_in_capitals_and_with_commas(name: str) -> None:
    phrase = language(name).to_mnemonic(random.Random(name).randbytes(16))
    for text in (phrase.upper(), ",".join(phrase.split()), json.dumps(phrase.split())):
        found = read(text)
        assert found.phrase is not None
        assert found.phrase.mnemonic.reveal_text() == " ".join(language(name).normalize_string(phrase).split())


@settings(max_examples=examples(150), deadline=None)
@given(
    st.binary(min_size=32, max_size=32).filter(lambda key: 0 < int.from_bytes(key) < 2**255),
    st.sampled_from(list(NOTATIONS)),
    st.lists(st.sampled_from(list(WRAPPINGS)), max_size=3),
)
def test_notations_and_wrappings_compose(key: bytes, notation: str, wrappings: list[str]) -> None:
    text = NOTATIONS[notation](key)
    for wrapping in wrappings[:2]:
        text = WRAPPINGS[wrapping](text)
    assert found_for(text, SOLANA, address_of(SOLANA, key))[1]


# --- what others encrypted ---------------------------------------------------------------------------------------

NOISE = random.Random(1).randbytes(400)
ENCRYPTED = {
    "CryptoJS": _b64(b"Salted__" + NOISE[:56]),
    "CryptoJS in hex": (b"Salted__" + NOISE[:56]).hex(),
    "iv:tag:ciphertext, hex": f"{NOISE[:12].hex()}:{NOISE[12:28].hex()}:{NOISE[28:92].hex()}",
    "iv:ciphertext, hex": f"{NOISE[:16].hex()}:{NOISE[28:92].hex()}",
    "iv:tag:ciphertext, base64": f"{_b64(NOISE[:12])}:{_b64(NOISE[12:28])}:{_b64(NOISE[28:92])}",
    "iv.ciphertext.tag, base64": f"{_b64(NOISE[:12])}.{_b64(NOISE[28:92])}.{_b64(NOISE[12:28])}",
    "v1:iv:tag:ciphertext": f"v1:aes-256-gcm:{NOISE[:12].hex()}:{NOISE[12:28].hex()}:{NOISE[28:92].hex()}",
    "Rails": f"{_b64(NOISE[28:92])}--{_b64(NOISE[:12])}--{_b64(NOISE[12:28])}",
    "Fernet": Fernet(Fernet.generate_key()).encrypt(b"0x" + KEYS[0].hex().encode()).decode(),
    "Vault": "vault:v1:" + _b64(NOISE[:80]),
    "AWS KMS": _b64(bytes.fromhex("01020200780000000000") + NOISE[:120]),
    "Google KMS": _b64(b"\x0a\x24\x00" + NOISE[:120]),
    "PGP": f"-----BEGIN PGP MESSAGE-----\n\n{_b64(NOISE[:90])}\n=abcd\n-----END PGP MESSAGE-----",
    "pgcrypto": "\\x" + (bytes.fromhex("c30d040703021122334455667788") + NOISE[:60]).hex(),
    "age": "-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24ub3Jn\n-----END AGE ENCRYPTED FILE-----",
    "age in base64": _b64(b"age-encryption.org/v1\n-> X25519 " + NOISE[:60]),
    # RFC 7516, appendix A.1
    "JWE": (
        "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZKTyKOMTYUmKoTCVJRgckCL9kiMT0"
        ".48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6ji.XFBoMYUZodetZdvTiFvSkQ"
    ),
    # BIP-38, test vectors "No compression, no EC multiply" and "EC multiply, no compression"
    "BIP-38": "6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg",
    "BIP-38, EC multiplied": "6PfQu77ygVyJLZjfvMLyhLMQbYnu5uguoJJ4kMCLqWwPEdfpwANVS76gTX",
    "JSON with iv": json.dumps({"iv": NOISE[:16].hex(), "content": NOISE[16:64].hex()}),
    "Laravel": _b64(json.dumps({"iv": _b64(NOISE[:16]), "value": _b64(NOISE[:48]), "mac": NOISE[:32].hex()}).encode()),
    "MetaMask": json.dumps({"data": _b64(NOISE[:200]), "iv": _b64(NOISE[:16]), "salt": _b64(NOISE[:32])}),
    "JWE in JSON": json.dumps({"protected": "e30", "iv": "AA", "ciphertext": "AA", "tag": "AA", "encrypted_key": "AA"}),
}


@pytest.mark.parametrize("wrapping", ["nothing", "quotes", "a mark", "base64", "base64 twice", "JSON in quotes"])
@pytest.mark.parametrize("name", ENCRYPTED)
def test_what_another_application_encrypted_is_named_and_not_opened(name: str, wrapping: str) -> None:
    found = read(WRAPPINGS[wrapping](ENCRYPTED[name]))
    assert (found.kind, found.key, found.phrase, found.locked) == (KeyTextKind.ENCRYPTED, None, None, None)
    assert "encrypted by " in found.form


@pytest.mark.parametrize(
    ("text", "version"),
    [  # from Electrum's own tests: tests/test_wallet_vertical.py in its repository
        ("cycle rocket west magnet parrot shuffle foot correct salt library feed song", "standard"),
        ("bitter grass shiver impose acquire brush forget axis eager alone wine silver", "segwit"),
    ],
)
def test_the_seed_of_an_electrum_wallet_is_named(text: str, version: str) -> None:
    for each in (text, text.upper(), f'"{text}"'):
        found = read(each)
        assert (found.kind, found.named_only, found.key, found.phrase) == (KeyTextKind.PHRASE, True, None, None)
        assert found.form.removesuffix(", in quotes") == f"phrase of 12 words of an Electrum wallet ({version})"


# --- bounds, and what is shown -----------------------------------------------------------------------------------

BOMBS = {
    "quotes in quotes": "'" * 30_000 + "x" + "'" * 30_000,
    "numbers": ",".join(["1"] * 30_000),
    "words": "abandon " * 8_000,
    "members": json.dumps({f"secret{n}": "46" * 32 for n in range(600)}),
    "lists": json.dumps([["46" * 32]] * 800),
    "colons": ":" * 65_000,
    "names": "a=" * 30_000,
    "base64 of much": _b64(NOISE * 120),
    "many phrases": json.dumps({f"seed{n}": PHRASE for n in range(700)}),
    "hex": "46" * 32_000,
    "digits": "7" * 65_000,
    "PEM": "-----BEGIN A" * 5_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_the_work_for_one_text_is_bounded(name: str) -> None:
    found = read(BOMBS[name])
    DERIVATION.explain(DERIVATION.reading(found, target_of(ETHEREUM, address_of(ETHEREUM, KEYS[0]))), None)
    assert len(found.others) <= 32
    assert sum(each.phrase is not None for each in (found, *found.others)) <= 3


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_nothing_that_was_read_is_shown(wrapping: str) -> None:
    canary = Canary(KEYS[3], WORDS)
    for text in (*(write(KEYS[3]) for write in NOTATIONS.values()), *PHRASES.values(), *ENCRYPTED.values()):
        found = read(WRAPPINGS[wrapping](text))
        leaks = [*canary.in_object(found, "what was read"), *canary.in_text(found.form, "its form")]
        assert leaks == [], report(leaks)


def test_every_family_reads_a_key_that_lost_its_zeros() -> None:
    key = KEYS[2]
    for family in FAMILIES:
        assert found_for(hex(_number(key)), family, address_of(family, key))[1], family


@pytest.mark.parametrize("version", ["0488ade4", "049d7878", "04b2430c", "04358394", "02aa7a99"])
@pytest.mark.parametrize("written", ["{}", '"{}"', '{{"privateKey": "{}"}}', "account={}"])
def test_an_extended_private_key_is_named(version: str, written: str) -> None:
    """BIP-32, test vector 1, with the versions of SLIP-132."""
    root = (
        "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPP"
        "qjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
    )
    text = base58.encode_check(bytes.fromhex(version) + (base58.decode_check(root) or b"")[4:])
    found = read(written.format(text))
    assert found.form.startswith(f"extended private key ({text[:4]}, depth 0)") or "extended private key" in found.form
    assert (found.named_only, found.looks_public) == (True, False)
    assert read(written.format(text[:-1] + "1")).kind is KeyTextKind.UNREADABLE, "its checksum is wrong"


def test_an_extended_public_key_is_no_key() -> None:
    public = (
        "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhe"
        "PY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
    )
    assert read(public).kind is KeyTextKind.UNREADABLE
