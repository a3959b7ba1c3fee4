"""Keys in other notations than the network's own, given to import and store-key: read, or refused with what to do."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from uuid import uuid4

import pytest

import strongroom
from strongroom import InvalidMnemonicError, InvalidPrivateKeyError, Secret, Vault
from strongroom.crypto.phrase import Phrase, words_of
from testbed.command_line import call
from testbed.networks.key_forms import address_of

KEY = bytes.fromhex("1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727")
OTHER = bytes.fromhex("2bc42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b728")
ADDRESS = address_of(("ethereum", None), KEY)
PHRASE = "enlist essence novel wonder give inquiry saddle frog immune real tent couch"
CERTAIN = {
    "JSON": json.dumps({"privateKey": KEY.hex(), "address": ADDRESS}),
    "repr": repr({"privateKey": f"0x{KEY.hex()}"}),
    "a call": f"HexBytes('0x{KEY.hex()}')",
    "quotes": f'"{KEY.hex()}"',
    "base64 of hex": base64.b64encode(KEY.hex().encode()).decode(),
}
BY_ADDRESS = {
    "decimal": str(int.from_bytes(KEY)),
    "base64": base64.b64encode(KEY).decode(),
    "base32": base64.b32encode(KEY).decode(),
    "CSV": f"{ADDRESS},{KEY.hex()}",
    "bytes": repr(KEY),
    "a list": json.dumps(list(KEY)),
}


@pytest.fixture
def vault(private_path: Path, root_key_uri: str) -> Vault:
    return strongroom.init(f"sqlite:///{private_path / 'vault.db'}", root_key=root_key_uri)


@pytest.mark.parametrize("form", [*CERTAIN, *BY_ADDRESS])
def test_a_key_is_imported_where_its_address_is_given(vault: Vault, form: str) -> None:
    text = {**CERTAIN, **BY_ADDRESS}[form]
    wallet, created = vault.import_wallet(uuid4(), "ethereum", private_key=text, address=ADDRESS)
    assert (wallet.address, created) == (ADDRESS, True)
    assert vault.reveal(wallet.id, actor="a", reason="r").private_key.reveal_text() == f"0x{KEY.hex()}"


@pytest.mark.parametrize("form", CERTAIN)
def test_what_can_be_nothing_but_a_key_needs_no_address(vault: Vault, form: str) -> None:
    assert vault.import_wallet(uuid4(), "ethereum", private_key=CERTAIN[form]).wallet.address == ADDRESS


@pytest.mark.parametrize("form", BY_ADDRESS)
def test_what_may_be_something_else_asks_for_the_address(vault: Vault, form: str) -> None:
    with pytest.raises(InvalidPrivateKeyError) as refused:
        vault.import_wallet(uuid4(), "ethereum", private_key=BY_ADDRESS[form])
    assert "--address" in refused.value.hint
    with pytest.raises(InvalidPrivateKeyError):
        vault.import_wallet(
            uuid4(), "ethereum", private_key=BY_ADDRESS[form], address=address_of(("ethereum", None), OTHER)
        )


def test_a_phrase_with_numbers_or_in_json_is_imported(vault: Vault) -> None:
    expected = vault.import_wallet(uuid4(), "ethereum", mnemonic=PHRASE).wallet.address
    words = PHRASE.split()
    for text in (", ".join(words), json.dumps(words), "\n".join(f"{n}. {word}" for n, word in enumerate(words, 1))):
        assert vault.import_wallet(uuid4(), "ethereum", mnemonic=text).wallet.address == expected
    path = "m/44'/60'/0'/0/3"
    far = vault.import_wallet(uuid4(), "ethereum", mnemonic=PHRASE, path=path).wallet.address
    assert vault.import_wallet(uuid4(), "ethereum", mnemonic=json.dumps(words), path=path).wallet.address == far


@pytest.mark.parametrize("where", ["behind", "before"])
def test_of_a_word_too_many_no_other_phrase_is_made(vault: Vault, where: str) -> None:
    """Of thirteen words the other twelve are a phrase one time in sixteen."""
    words = PHRASE.split()
    others = ([*words[1:], word] if where == "behind" else [word, *words[:-1]] for word in words_of("english"))
    other = next(each for each in others if _is_phrase(each))
    given = " ".join([words[0], *other] if where == "behind" else [*other, words[-1]])
    for text in (given, json.dumps(given.split()), given.replace(" ", ", ")):
        with pytest.raises(InvalidMnemonicError) as refused:
            vault.import_wallet(uuid4(), "ethereum", mnemonic=text)
        assert "too many" in refused.value.hint
    assert vault.count_wallets() == 0
    last = " ".join(given.split()[1:])
    address = vault.import_wallet(uuid4(), "ethereum", mnemonic=last).wallet.address
    assert vault.import_wallet(uuid4(), "ethereum", mnemonic=given, address=address).wallet.address == address


def _is_phrase(words: list[str]) -> bool:
    try:
        Phrase.parse(Secret.from_text(" ".join(words)))
    except InvalidMnemonicError:
        return False
    return True


def test_what_was_given_as_something_else_is_said(vault: Vault) -> None:
    two = json.dumps({"a": KEY.hex(), "b": OTHER.hex()})
    for given, kind, said in (
        ({"private_key": PHRASE}, InvalidPrivateKeyError, "--mnemonic-stdin"),
        ({"mnemonic": KEY.hex()}, InvalidMnemonicError, "--private-key-stdin"),
        (
            {"private_key": two, "address": ADDRESS},
            InvalidPrivateKeyError,
            "Another",
        ),
        ({"private_key": json.dumps({"version": 3, "crypto": {}})}, InvalidPrivateKeyError, ""),
        ({"private_key": "nothing at all"}, InvalidPrivateKeyError, ""),
    ):
        with pytest.raises(kind) as refused:
            vault.import_wallet(uuid4(), "ethereum", **given)
        assert said in refused.value.hint
        assert KEY.hex() not in f"{refused.value.message} {refused.value.hint}"


def test_the_command_line_takes_them(vault: Vault, private_path: Path, root_key_uri: str) -> None:
    options = ("--database", f"sqlite:///{private_path / 'vault.db'}", "--root-key", root_key_uri)
    words = ("wallet", "import", "ethereum", "--project", str(uuid4()), "--private-key-stdin", "--address", ADDRESS)
    answer = call(*words, "--json", *options, stdin=BY_ADDRESS["CSV"].encode() + b"\n")
    assert answer.code == 0, answer.err
    assert answer.document["wallet"]["address"] == ADDRESS
