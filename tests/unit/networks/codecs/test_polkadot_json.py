"""Documents that polkadot-js wrote (@polkadot/keyring), and its answers to refusals."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from strongroom.errors import (
    AddressMismatchError,
    InvalidKeystoreError,
    InvalidPrivateKeyError,
    KeystorePasswordError,
)
from strongroom.networks import TABLE
from strongroom.networks.codecs import keystore, polkadot_json, ss58
from strongroom.networks.polkadot.family import Polkadot
from strongroom.secret import Secret
from strongroom.takeover.doctor.key_texts import KeyTextKind, read
from strongroom.takeover.doctor.passwords import Passwords
from testbed.networks.key_forms import DERIVATION
from testbed.networks.known import phrase

PASSWORD = Secret(b"correct horse battery")
ENCODED = {
    "sr25519, m": "".join(
        (
            "AJezg9Q5uil9Bhvn2H1FtDArSn7430NQbK51jIbWaXMAAAIAAQAAAAgAAAAMhvo/90rPciEiPh8ShrsbF1F3LSN4",
            "wuki272Tzd0iDIYsWk92DmxagHeeQ9zNcBQ54iD5TP56GxU8CNPH8yoZjxt/+hExo6wHEe7lc0TiwTmCryIlTNs6",
            "nJwOa76fHpI0Mh0Wx45/ShUP7RdNsB2YVXX6r0lL1E6dW69JDNqXS+X6Oi4QM+ZPkaoafSBxiuPaQRjdsmTJ6Ox3",
            "6F7q",
        )
    ),
    "sr25519, //1": "".join(
        (
            "zCXhph1HKa1X/JFu6AtkgLjjZ0Xf9RlrzCDOC18zXG4AAAIAAQAAAAgAAAB4xT0miqwfKUoG5WubFAepgtvnKCVy",
            "GJXi+ZsVb7jvMlFV7HwzrzjQdWMkQ8c1kUVgkuILhTE1cpRCNqAnjc6zyVmkcxl+t3xCvTcn+R9N7BG/Lr/yl02t",
            "bXllyE/LMqs5g1SCkoqCdJRlceLKuGrpkGynt9OAPji4OLBUaph4myrN3Ux7f6ECfnMF4HMpIsPwbK90voR9r5cJ",
            "YqFd",
        )
    ),
    "ed25519": "".join(
        (
            "+7WadJG9DucLKH6M/Y3Qgy08EtQGi7nMmPkmpOBRu38AAAIAAQAAAAgAAADbR5/aUb2o2xQZi8YHZd2po0Cc05oc",
            "H0itvScia/TnCJKi+P25B5+YVH1xKVX3ZkDgiX+FiSDrcrY8+xALZAtn5i5sN22ljTctrKuFK/NLiC9koBq6CRWk",
            "YJH9PndAKfg7eLoVV2IjLwMBArUDaTZr7pwfeOuaXyH5Iau9lKvMc3Pr+IE2SQtjNSU6RZ48cA4ow0uCwgAMDsqL",
            "JfqQ",
        )
    ),
}
ADDRESSES = {
    "sr25519, m": "13KVd4f2a4S5pLp4gTTFezyXdPWx27vQ9vS6xBXJ9yWVd7xo",
    "sr25519, //1": "12ES7PTE9a3DKbs9mCsRA6Wge2DS1XK1xFgbTkp47nPV53yG",
    "ed25519": "14HKDhPM8fr6JB9yk9TGZTsBUdk8WJq1AiMbi1YAzUarv1Jp",
}


@pytest.fixture(autouse=True)
def each_document_is_stretched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One scrypt takes half a second and more."""
    derive = keystore.Scrypt.derive

    def remembered(self: keystore.Scrypt, password: Secret) -> Secret | None:
        key = (self.n, self.p, self.salt, password.reveal())
        if key not in _DERIVED:
            _DERIVED[key] = derive(self, password)
        return _DERIVED[key]

    monkeypatch.setattr(keystore.Scrypt, "derive", remembered)


_DERIVED: dict[tuple[int, int, bytes, bytes], Secret | None] = {}


def network(name: str = "polkadot") -> Polkadot:
    found = TABLE.get(name)
    assert isinstance(found, Polkadot)
    return found


def document(name: str = "sr25519, m", **changes: Any) -> dict[str, Any]:
    encoding = {"content": ["pkcs8", name[:7]], "type": ["scrypt", "xsalsa20-poly1305"], "version": "3"}
    return {"encoded": ENCODED[name], "encoding": encoding, "address": ADDRESSES[name], "meta": {}, **changes}


def opened(read: object, password: Secret = PASSWORD) -> Secret:
    return network().open_keystore(Secret.from_text(json.dumps(read)), password)


@pytest.mark.parametrize("name", ENCODED)
def test_what_polkadot_js_wrote_opens(name: str) -> None:
    said = network().scheme_of_key(Secret.from_text(json.dumps(document(name))), None)
    assert said == name[:7]
    assert network().public_half(opened(document(name)), said).address == ADDRESSES[name]


def test_a_derived_key_is_the_secret_of_64_bytes_that_polkadot_js_keeps() -> None:
    assert (
        opened(document("sr25519, //1")).reveal() == network().derive(phrase(), "sr25519", "//1").private_key.reveal()
    )


def test_the_address_may_be_of_another_network_or_left_out() -> None:
    read = ss58.decode(ADDRESSES["sr25519, m"])
    assert read is not None
    for address in (ss58.encode(42, read[1]), ss58.encode(2, read[1]), None, ""):
        assert opened(document(address=address))


@pytest.mark.parametrize("scheme", ["sr25519", "ed25519"])
def test_what_is_made_opens_and_is_what_polkadot_js_writes(scheme: str) -> None:
    key = network().derive(phrase(), scheme).private_key
    text = network().make_keystore(key, PASSWORD, scheme)
    made = json.loads(text)
    assert {name: made[name] for name in ("encoding", "meta")} == {
        "encoding": document(scheme if scheme == "ed25519" else "sr25519, m")["encoding"],
        "meta": {},
    }
    assert len(made["encoded"]) == len(ENCODED["ed25519"])
    assert base64.b64decode(made["encoded"])[32:44] == base64.b64decode(ENCODED["ed25519"])[32:44], "N=131072"
    again = network().open_keystore(Secret.from_text(text), PASSWORD)
    assert network().public_half(again, scheme) == network().public_half(key, scheme)
    assert again.reveal() == key.reveal() or scheme == "sr25519", "a mini-secret is expanded"
    assert network().make_keystore(again, PASSWORD, scheme) != text


def test_a_wrong_password_and_a_changed_box_do_not_open() -> None:
    changed = bytearray(base64.b64decode(ENCODED["ed25519"]))
    changed[-1] ^= 1
    with pytest.raises(KeystorePasswordError):
        opened(document(), Secret(b"correct horse batterz"))
    with pytest.raises(KeystorePasswordError):
        opened(document("ed25519", encoded=base64.b64encode(bytes(changed)).decode()))


@pytest.mark.parametrize("password", [b"", b"short", b"\xff" * 20])
def test_a_weak_password_makes_no_document(password: bytes) -> None:
    with pytest.raises(KeystorePasswordError):
        network().make_keystore(Secret(bytes(range(32))), Secret(password), "sr25519")


def test_a_document_that_names_another_address_is_refused() -> None:
    with pytest.raises(AddressMismatchError):
        opened(document(address=ADDRESSES["ed25519"]))


def test_a_document_that_says_another_scheme_than_its_key_has_is_refused() -> None:
    encoding = {**document()["encoding"], "content": ["pkcs8", "ed25519"]}
    with pytest.raises((InvalidKeystoreError, AddressMismatchError)):
        opened(document(encoding=encoding))
    encoding = {**document("ed25519")["encoding"], "content": ["pkcs8", "sr25519"]}
    with pytest.raises((InvalidPrivateKeyError, AddressMismatchError)):
        opened(document("ed25519", encoding=encoding))


@pytest.mark.parametrize("scheme", ["ed25519", "sr25519"])
def test_another_variant_than_the_documents_is_refused(scheme: str) -> None:
    name = "ed25519" if scheme == "sr25519" else "sr25519, m"
    with pytest.raises(InvalidPrivateKeyError):
        network().scheme_of_key(Secret.from_text(json.dumps(document(name))), scheme)


def cost(n: int, p: int, r: int) -> str:
    data = bytearray(base64.b64decode(ENCODED["sr25519, m"]))
    data[32:44] = b"".join(each.to_bytes(4, "little") for each in (n, p, r))
    return base64.b64encode(bytes(data)).decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"encoded": ""},
        {"encoded": None},
        {"encoded": ENCODED["sr25519, m"][:-4]},
        {"encoded": ENCODED["sr25519, m"] + "AAAA"},
        {"encoded": ENCODED["sr25519, m"][:-1] + "\n"},
        {"encoded": "é" + ENCODED["sr25519, m"][1:]},
        {"encoded": cost(1 << 20, 1, 8)},
        {"encoded": cost(131_072, 1, 9)},
        {"encoded": cost(131_073, 1, 8)},
        {"encoded": cost(0, 0, 0)},
        {"encoding": None},
        {"encoding": []},
        {"encoding": {**document()["encoding"], "version": "2"}},
        {"encoding": {**document()["encoding"], "version": 3}},
        {"encoding": {**document()["encoding"], "type": ["none"]}},
        {"encoding": {**document()["encoding"], "type": ["xsalsa20-poly1305"]}},
        {"encoding": {**document()["encoding"], "type": ["scrypt", "xsalsa20-poly1305", "x"]}},
        {"encoding": {**document()["encoding"], "content": ["pkcs8", "ecdsa"]}},
        {"encoding": {**document()["encoding"], "content": ["pkcs8", "ethereum"]}},
        {"encoding": {**document()["encoding"], "content": ["pkcs8"]}},
        {"encoding": {**document()["encoding"], "content": ["pkcs8", ["sr25519"]]}},
        {"address": "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"},
        {"address": 5},
        {"meta": "x" * 70_000},
    ],
)
def test_what_is_no_document_is_refused_before_anything_is_computed(changes: dict[str, Any]) -> None:
    text = Secret.from_text(json.dumps(document(**changes)))
    assert polkadot_json.refusal(text)
    assert polkadot_json.cost(text) == 0
    with pytest.raises(InvalidKeystoreError):
        network().open_keystore(text, PASSWORD)
    assert network().scheme_of_key(text, None) == "sr25519", "the default"


@pytest.mark.parametrize("text", ["", "[]", "5", "{", '{"encoded":1,"encoded":2}', "\udc80", "[" * 5000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidKeystoreError):
        network().open_keystore(Secret.from_text(text), PASSWORD)


@pytest.mark.parametrize("name", ENCODED)
def test_doctor_knows_a_document_and_opens_it(name: str) -> None:
    found = read(json.dumps(document(name)))
    assert (found.kind, found.form) == (KeyTextKind.KEYSTORE, "JSON of polkadot-js")
    target = DERIVATION.target("polkadot", ADDRESSES[name])
    key, note = Passwords(keystores=PASSWORD).open(found)
    assert note == "opened"
    assert key is not None
    content = DERIVATION.explain(key, target)
    assert content is not None
    assert content.material is not None
    assert content.material.scheme == name[:7]
    assert Passwords(keystores=Secret(b"another password")).open(found)[0] is None
    assert read(json.dumps(document(name, encoded=""))).locked is None
