"""Web3 Secret Storage, version 3: the published vectors, eth-account both ways, and documents that are refused."""

from __future__ import annotations

import copy
import json
import time
import unicodedata
import uuid
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.errors import (
    AddressMismatchError,
    InvalidKeystoreError,
    InvalidPrivateKeyError,
    InvalidRequestError,
    KeystorePasswordError,
    StrongroomError,
)
from strongroom.networks import TABLE
from strongroom.networks.codecs import keystore
from strongroom.networks.evm.family import Evm
from strongroom.networks.polkadot.family import Polkadot
from strongroom.networks.tezos.family import Tezos
from strongroom.ports.network import KeystoreNetwork
from strongroom.secret import Secret
from testbed.failure_report import failure_report, forms
from testbed.harness.sizes import examples
from testbed.networks.known import ORDER

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of the libraries that eth-account draws in
    from eth_account import Account

ETHEREUM = TABLE.get("ethereum")
assert isinstance(ETHEREUM, Evm)
EVM: Evm = ETHEREUM
KEY = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
ADDRESS = "008aeeda4d805471df9b2a5b0f38a0c3bcba786b"
PASSWORD = "testpassword"

# The two test vectors of the Web3 Secret Storage Definition.
PBKDF2 = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 262144,
            "dklen": 32,
            "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}
SCRYPT = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
        "kdf": "scrypt",
        "kdfparams": {
            "dklen": 32,
            "n": 262144,
            "r": 1,
            "p": 8,
            "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
        },
        "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}


def text_of(document: Any) -> Secret:
    return Secret.from_text(document if isinstance(document, str) else json.dumps(document))


def opened(document: Any, password: str = PASSWORD) -> str:
    return EVM.open_keystore(text_of(document), Secret.from_text(password)).reveal().hex()


def changed(place: str, value: Any, base: dict[str, Any] = PBKDF2) -> dict[str, Any]:
    """The document with another value at ``a.b.c``; ``...`` removes the member."""
    document = copy.deepcopy(base)
    *way, last = place.split(".")
    inner: Any = document
    for name in way:
        inner = inner[name]
    if value is ...:
        inner.pop(last)
    else:
        inner[last] = value
    return document


def cheap(
    key: str = KEY, password: str | bytes = PASSWORD, iterations: int = 1, address: str | None = ADDRESS, cut: int = 0
) -> dict[str, Any]:
    """A keystore that takes no time; ``cut`` leaves out leading bytes of the key, as some wallets did with zeros."""
    kdf = keystore.Pbkdf2(iterations, b"salt")
    derived = kdf.derive(Secret(password.encode() if isinstance(password, str) else password))
    assert derived is not None
    iv = bytes(range(16))
    stream = keystore._crypt(bytes(32), iv, derived).reveal()
    ciphertext = bytes(one ^ other for one, other in zip(bytes.fromhex(key)[cut:], stream, strict=False))
    return {
        **({} if address is None else {"address": address}),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": iv.hex()},
            "ciphertext": ciphertext.hex(),
            "kdf": "pbkdf2",
            "kdfparams": {"c": iterations, "dklen": 32, "prf": "hmac-sha256", "salt": kdf.salt.hex()},
            "mac": keystore._mac(ciphertext, derived).hex(),
        },
        "id": "3198bc9c-6672-4ab3-9995-4942343ae5b6",
        "version": 3,
    }


@pytest.fixture
def nothing_is_derived(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("it was computed")

    monkeypatch.setattr(keystore.Scrypt, "derive", refused)
    monkeypatch.setattr(keystore.Pbkdf2, "derive", refused)


# --- what is there opens ------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", [PBKDF2, SCRYPT], ids=["pbkdf2", "scrypt"])
def test_the_published_documents_open(document: dict[str, Any]) -> None:
    assert opened(document) == KEY
    assert opened({**document, "address": ADDRESS}) == KEY


def test_chains_of_the_evm_tezos_and_polkadot_have_keystores() -> None:
    has = {network.name for network in TABLE if isinstance(network, KeystoreNetwork)}
    assert has == {network.name for network in TABLE if isinstance(network, (Evm, Tezos, Polkadot))}


@pytest.mark.parametrize(("kdf", "work"), [("scrypt", 262144), ("scrypt", 4096), ("pbkdf2", 1000)])
def test_what_eth_account_encrypts_opens(kdf: str, work: int) -> None:
    document = Account.encrypt(bytes.fromhex(KEY), PASSWORD, kdf=kdf, iterations=work)  # type: ignore[arg-type]
    assert opened(document) == KEY


def test_eth_account_opens_what_is_made() -> None:
    document = EVM.make_keystore(Secret(bytes.fromhex(KEY)), Secret.from_text(PASSWORD))
    assert bytes(Account.decrypt(document, PASSWORD)).hex() == KEY
    assert opened(document) == KEY


def test_what_is_made_has_the_form_of_geth() -> None:
    one, other = (json.loads(EVM.make_keystore(Secret(bytes.fromhex(KEY)), Secret(b"a" * 8))) for _ in range(2))
    assert sorted(one) == ["address", "crypto", "id", "version"]
    assert one["address"] == ADDRESS
    assert one["version"] == 3
    assert uuid.UUID(one["id"]).version == 4
    assert one["crypto"]["kdf"] == "scrypt"
    parameters = one["crypto"]["kdfparams"]
    assert {name: parameters[name] for name in ("dklen", "n", "r", "p")} == {"dklen": 32, "n": 262144, "r": 8, "p": 1}
    fresh = [
        (it["id"], it["crypto"]["cipherparams"]["iv"], it["crypto"]["kdfparams"]["salt"], it["crypto"]["ciphertext"])
        for it in (one, other)
    ]
    assert not set(fresh[0]) & set(fresh[1])
    assert KEY not in json.dumps(one)


def test_randomness_is_an_argument() -> None:
    made = [
        EVM.make_keystore(Secret(bytes.fromhex(KEY)), Secret(b"a" * 8), random_bytes=lambda size: bytes(size))
        for _ in range(2)
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    "document",
    [
        {"version": 3, "Crypto": cheap()["crypto"]},
        changed("address", "0x" + ADDRESS, cheap()),
        changed("address", EVM.public_half(Secret(bytes.fromhex(KEY)), "bip44").address, cheap()),
        changed("address", ADDRESS.upper(), cheap()),
        changed("crypto.mac", "0x" + cheap()["crypto"]["mac"].upper(), cheap()),
        changed("x-ethers", {"mnemonicCounter": "00"}, cheap()),
        json.dumps(cheap(), indent=4),
        "\ufeff" + json.dumps(cheap()) + "\r\n",
        cheap(address=None),
        changed("address", None, cheap()),
        changed("address", "", cheap()),
        changed("crypto.kdfparams.c", 1.0, cheap()),
        changed("crypto.kdfparams.c", "1", cheap()),
        changed("crypto.kdfparams.dklen", "32", cheap()),
        changed("crypto.kdfparams.dklen", 32.0, cheap()),
        changed("crypto.kdfparams.dklen", "32.0", cheap()),
        changed("crypto.kdfparams.c", "1.0", cheap()),
        changed("version", "3", cheap()),
        changed("version", 3.0, cheap()),
        changed("version", "3.0", cheap()),
    ],
)
def test_forms_that_wallets_write_are_read(document: Any) -> None:
    assert opened(document) == KEY


@pytest.mark.parametrize("zeros", [1, 2, 31])
def test_a_key_without_its_leading_zeros_opens_where_the_address_proves_it(zeros: int) -> None:
    key = "00" * zeros + "2b" * (32 - zeros)
    address = EVM.public_half(Secret(bytes.fromhex(key)), "bip44").address
    assert opened(cheap(key, cut=zeros, address=address)) == key
    assert opened(cheap(key, address=address)) == key
    with pytest.raises(InvalidKeystoreError, match="ciphertext"):
        opened(cheap(key, cut=zeros, address=None))


@pytest.mark.parametrize("form", [str, lambda text: unicodedata.normalize("NFC", text)])
def test_a_password_opens_as_given_and_in_the_forms_that_wallets_use(form: Callable[[str], str]) -> None:
    typed = unicodedata.normalize("NFD", "Grüße ﬁ ²")
    for written in (typed, unicodedata.normalize("NFC", typed), unicodedata.normalize("NFKC", typed)):
        assert opened(cheap(password=written), typed) == KEY
    assert opened(cheap(password=form(typed)), form(typed)) == KEY


def test_a_password_that_is_not_text_is_taken_as_it_is() -> None:
    document = cheap(password=b"\xff\xfe\xfd")
    assert EVM.open_keystore(text_of(document), Secret(b"\xff\xfe\xfd")).reveal().hex() == KEY
    with pytest.raises(KeystorePasswordError):
        EVM.open_keystore(text_of(document), Secret(b"\xff\xfe"))


# --- passwords and damage -----------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["", "Testpassword", "testpassword ", "testpassword\n", "тестпароль"])
def test_a_wrong_password_is_told(password: str) -> None:
    with pytest.raises(KeystorePasswordError):
        opened(cheap(), password)
    with pytest.raises(KeystorePasswordError):
        opened(PBKDF2, password)


@pytest.mark.parametrize("password", [b"", b"1234567", "é".encode() * 7, b"\xff" * 20])
def test_a_new_keystore_needs_a_password_of_eight_characters(password: bytes) -> None:
    with pytest.raises(KeystorePasswordError):
        EVM.make_keystore(Secret(bytes.fromhex(KEY)), Secret(password))


@pytest.mark.parametrize("number", [0, ORDER, 2**256 - 1])
def test_a_key_that_is_none_is_neither_read_nor_written(number: int) -> None:
    with pytest.raises(InvalidPrivateKeyError):
        opened(cheap(f"{number:064x}"))
    with pytest.raises(InvalidPrivateKeyError):
        EVM.make_keystore(Secret(number.to_bytes(32)), Secret(b"a" * 8))
    with pytest.raises(InvalidPrivateKeyError):
        EVM.make_keystore(Secret(b"\1" * 31), Secret(b"a" * 8))


def test_the_address_of_another_key_is_refused() -> None:
    with pytest.raises(AddressMismatchError):
        opened(changed("address", "9858effd232b4033e47d90003d41ec34ecaeda94", cheap()))


@pytest.mark.parametrize(
    "place", ["crypto.cipherparams.iv", "crypto.ciphertext", "crypto.mac", "crypto.kdfparams.salt"]
)
def test_no_bit_of_a_keystore_can_be_flipped(place: str) -> None:
    """The initialisation vector is covered by nothing but the address."""
    document: Any = cheap()
    for name in place.split("."):
        document = document[name]
    for bit in range(4 * len(document)):
        flipped = f"{int(document, 16) ^ 1 << bit:0{len(document)}x}"
        with pytest.raises(AddressMismatchError if place.endswith("iv") else KeystorePasswordError):
            opened(changed(place, flipped, cheap()))


# --- documents that are refused, and nothing computed ---------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("version", 4),
        ("version", 1),
        ("version", "03"),
        ("version", " 3"),
        ("version", "3.00"),
        ("version", "v3"),
        ("version", "3.1"),
        ("version", 3.1),
        ("version", True),
        ("version", None),
        ("version", ...),
        ("crypto", ...),
        ("crypto", []),
        ("crypto", "x"),
        ("crypto.cipher", "aes-256-ctr"),
        ("crypto.cipher", ...),
        ("crypto.cipherparams", ...),
        ("crypto.cipherparams.iv", "00" * 15),
        ("crypto.cipherparams.iv", "00" * 17),
        ("crypto.cipherparams.iv", "0" * 31),
        ("crypto.cipherparams.iv", 0),
        ("crypto.ciphertext", ""),
        ("crypto.ciphertext", "ab" * 31),
        ("crypto.ciphertext", "ab" * 33),
        ("crypto.ciphertext", "zz" * 32),
        ("crypto.ciphertext", "ab" * 31 + "٣٣"),
        ("crypto.ciphertext", " " + "ab" * 32),
        ("crypto.mac", "ab" * 31),
        ("crypto.mac", None),
        ("crypto.kdf", "argon2id"),
        ("crypto.kdf", {}),
        ("crypto.kdf", "Scrypt"),
        ("crypto.kdfparams", None),
        ("crypto.kdfparams.prf", "hmac-sha1"),
        ("crypto.kdfparams.prf", ...),
        ("crypto.kdfparams.dklen", 31),
        ("crypto.kdfparams.dklen", 10**9),
        ("crypto.kdfparams.dklen", ...),
        ("crypto.kdfparams.salt", ""),
        ("crypto.kdfparams.salt", "ab" * 65),
        ("crypto.kdfparams.c", 0),
        ("crypto.kdfparams.c", -1),
        ("crypto.kdfparams.c", True),
        ("crypto.kdfparams.c", 1.5),
        ("crypto.kdfparams.c", " 262144"),
        ("crypto.kdfparams.c", "0x40000"),
        ("crypto.kdfparams.c", "1e5"),
        ("crypto.kdfparams.c", "262.000"),
        ("crypto.kdfparams.c", "262144.00"),
        ("crypto.kdfparams.c", "262144."),
        ("crypto.kdfparams.c", "262,144"),
        ("crypto.kdfparams.c", "0.0"),
        ("crypto.kdfparams.c", "٣"),
        ("crypto.kdfparams.c", 1e300),
        ("crypto.kdfparams.c", 10**7 + 1),
        ("crypto.kdfparams.c", 2**63),
        ("crypto.kdfparams.c", 10**4000),
        ("address", "0x"),
        ("address", ADDRESS[:-2]),
        ("address", ADDRESS + "00"),
        ("address", "one1qz92akjdsp28rhe2fdds7w9qc0nkncmgtk9wj7"),
    ],
)
@pytest.mark.usefixtures("nothing_is_derived")
def test_another_document_is_refused_and_nothing_computed(place: str, value: Any) -> None:
    with pytest.raises(InvalidKeystoreError):
        opened(changed(place, value))


@pytest.mark.parametrize(
    "parameters",
    [
        {"n": 2**22, "r": 1, "p": 1},
        {"n": 2**40},
        {"n": 524288},
        {"n": 262144, "p": 2},
        {"n": 262144, "r": 9},
        {"n": 2, "r": 2**20},
        {"n": 2, "r": 1, "p": 2**20},
        {"n": 2**21, "r": 8, "p": 1},
        {"n": 0},
        {"n": 1},
        {"n": -2},
        {"n": 262143},
        {"n": 3},
        {"r": 0},
        {"p": 0},
        {"n": 262143.0},
        {"n": "262143"},
        {"n": 524288.0},
        {"n": "524288"},
        {"n": float("inf")},
        {"n": float("nan")},
        {"n": None},
    ],
)
@pytest.mark.usefixtures("nothing_is_derived")
def test_absurd_scrypt_is_refused_and_nothing_computed(parameters: dict[str, Any]) -> None:
    document = copy.deepcopy(SCRYPT)
    document["crypto"]["kdfparams"] = {"dklen": 32, "n": 262144, "r": 8, "p": 1, "salt": "ab" * 32, **parameters}  # type: ignore[index]
    with pytest.raises(InvalidKeystoreError):
        opened(document)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "3",
        '"keystore"',
        "[]",
        "{}",
        "[" * 16_384,
        '{"a":' * 3_000,
        '{"version":3,"crypto":' + "[" * 8_000 + "]" * 8_000 + "}",
        "9" * 16_384,
        '{"version":' + "3" * 5_000 + "}",
        '{"version":3,"version":3}',
        '{"version":3,"Version":3}',
        json.dumps(PBKDF2)[:-1],
        json.dumps(PBKDF2) + "}",
        json.dumps(PBKDF2).replace('"kdf"', '"mac": "00", "kdf"'),
        json.dumps(PBKDF2).replace('"crypto"', '"Crypto": {}, "crypto"'),
        json.dumps(PBKDF2) + " " * 16_384,
        "{" + " " * 1_000_000 + "}",
        "\0" + json.dumps(PBKDF2),
        json.dumps(PBKDF2).replace('"', "'"),
        KEY,
        "\ud800",
    ],
)
@pytest.mark.usefixtures("nothing_is_derived")
def test_what_is_not_a_keystore_is_refused_in_no_time(text: str) -> None:
    start = time.process_time()
    with pytest.raises(InvalidKeystoreError):
        opened(text)
    assert time.process_time() - start < 1


def test_the_largest_work_that_is_allowed_is_that_of_geth() -> None:
    assert keystore.MAX_SCRYPT_BYTES == 128 * 262144 * 8 * 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["ab" * 16]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
PLACES = st.sampled_from(
    [
        "address",
        "version",
        "id",
        "crypto",
        *(f"crypto.{name}" for name in ("cipher", "cipherparams", "ciphertext", "kdf", "kdfparams", "mac")),
        *(f"crypto.kdfparams.{name}" for name in ("c", "dklen", "prf", "salt")),
    ]
)


@settings(max_examples=examples(300))
@given(PLACES, JSON | st.just(...))
def test_a_document_opens_or_is_a_typed_refusal(place: str, value: Any) -> None:
    if place == "crypto.kdfparams.c" and type(value) is int and value > 1000:
        return  # allowed, and slow
    try:
        key = opened(changed(place, value, cheap()))
    except InvalidRequestError:
        return
    assert key == KEY


@settings(max_examples=examples(200))
@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass")))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidKeystoreError):
        EVM.open_keystore(Secret(data), Secret(b"password"))


# --- what the machine cannot do, and what is shown ----------------------------------------------------------


def test_too_little_memory_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keystore.Scrypt, "derive", lambda *_: None)
    with pytest.raises(InvalidKeystoreError, match="memory"):
        opened(SCRYPT)
    with pytest.raises(InvalidKeystoreError, match="memory"):
        EVM.make_keystore(Secret(bytes.fromhex(KEY)), Secret(b"a" * 8))


def test_the_library_that_runs_out_of_memory_says_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.primitives.kdf import scrypt

    def failing(**_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(scrypt, "Scrypt", failing)
    assert keystore.Scrypt(2, 8, 1, b"salt").derive(Secret(b"x")) is None


@pytest.mark.parametrize(("n", "r", "p"), [(16, 1, 1), (1024, 8, 16), (16384, 1, 2), (32768, 1, 1)])
def test_both_libraries_derive_the_same(n: int, r: int, p: int) -> None:
    from strongroom.networks.wally import scrypt_beyond_rfc7914

    derived = keystore.Scrypt(n, r, p, b"NaCl" * 4).derive(Secret(b"password"))
    other = scrypt_beyond_rfc7914(Secret(b"password"), b"NaCl" * 4, n, r, p)
    assert derived is not None
    assert other is not None
    assert derived.reveal() == other.reveal()


def test_the_answer_of_rfc_7914() -> None:
    derived = keystore.Scrypt(1024, 8, 16, b"NaCl").derive(Secret(b"password"))
    assert derived is not None
    assert derived.reveal().hex() == "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"


FAILURES: dict[str, Callable[[], object]] = {
    "password": lambda: EVM.open_keystore(text_of(cheap()), Secret(b"correct horse battery")),
    "address": lambda: EVM.open_keystore(text_of(changed("address", "00" * 20, cheap())), Secret(PASSWORD.encode())),
    "range": lambda: EVM.open_keystore(text_of(cheap("ff" * 32)), Secret(PASSWORD.encode())),
    "form": lambda: EVM.open_keystore(text_of(json.dumps(PBKDF2) + KEY), Secret(PASSWORD.encode())),
    "twice": lambda: EVM.open_keystore(text_of(f'{{"{KEY}":1,"{KEY}":2}}'), Secret(PASSWORD.encode())),
    "short": lambda: EVM.make_keystore(Secret(bytes.fromhex(KEY)), Secret(b"hunter2")),
    "no text": lambda: EVM.make_keystore(Secret(bytes.fromhex(KEY)), Secret(b"hunter2hunter2\xff")),
    "no key": lambda: EVM.make_keystore(Secret(bytes.fromhex("ff" * 32)), Secret(PASSWORD.encode())),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_shows_neither_key_nor_password(failure: str) -> None:
    report = failure_report(FAILURES[failure])
    ours = report[report.index("/strongroom/networks/") :]  # without the line above that calls
    derived = keystore.Pbkdf2(1, b"salt").derive(Secret(PASSWORD.encode()))
    assert derived is not None
    for secret in (bytes.fromhex(KEY), b"\xff" * 32, b"hunter2", b"correct horse", derived.reveal()):
        for form in forms(secret):
            assert form not in ours
    for form in (json.dumps(PBKDF2)[:60], PASSWORD):
        assert form not in ours


def test_every_refusal_is_a_request_error() -> None:
    for kind in (InvalidKeystoreError, KeystorePasswordError):
        assert issubclass(kind, InvalidRequestError)
        assert issubclass(kind, StrongroomError)
