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
from testbed.networks.key_forms import BITCOIN_FORMS, SOLANA_FORMS, address_of

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
    numbered = dict(enumerate(given.split(), 1))
    named = {f"word{number}": word for number, word in numbered.items()}
    for text in (
        *(given, json.dumps(given.split()), given.replace(" ", ", ")),
        *(json.dumps(numbered), json.dumps(named), "\n".join(given.split())),
    ):
        with pytest.raises(InvalidMnemonicError) as refused:
            vault.import_wallet(uuid4(), "ethereum", mnemonic=text)
        assert "too many" in refused.value.hint
    assert vault.count_wallets() == 0
    last = " ".join(given.split()[1:])
    address = vault.import_wallet(uuid4(), "ethereum", mnemonic=last).wallet.address
    assert vault.import_wallet(uuid4(), "ethereum", mnemonic=given, address=address).wallet.address == address


@pytest.mark.parametrize("form", ["WIF", "WIF, uncompressed"])
def test_a_wif_in_other_things_is_the_wallet_that_it_is_by_itself(vault: Vault, form: str) -> None:
    text = BITCOIN_FORMS[form](KEY)
    expected = vault.import_wallet(uuid4(), "bitcoin", private_key=text).wallet.address
    for written in (f'"{text}"', json.dumps({"wif": text}), base64.b64encode(text.encode()).decode(), f"KEY={text}"):
        assert vault.import_wallet(uuid4(), "bitcoin", private_key=written).wallet.address == expected


ELSEWHERE = {
    "WIF of a testnet": ("bitcoin", BITCOIN_FORMS["WIF of a testnet"](KEY)),
    "WIF, for ethereum": ("ethereum", BITCOIN_FORMS["WIF"](KEY)),
    "WIF, for solana": ("solana", BITCOIN_FORMS["WIF, uncompressed"](KEY)),
    "keypair in base58": ("ethereum", SOLANA_FORMS["keypair in base58"](KEY)),
    "keypair in hex": ("bitcoin", SOLANA_FORMS["keypair in hex"](KEY)),
    "keypair as array": ("ethereum", SOLANA_FORMS["keypair as array"](KEY)),
}


@pytest.mark.parametrize("form", ELSEWHERE)
def test_a_key_of_another_network_by_its_form_is_taken_with_an_address_alone(vault: Vault, form: str) -> None:
    network, text = ELSEWHERE[form]
    for written in (text, json.dumps({"value": text})):
        with pytest.raises(InvalidPrivateKeyError) as refused:
            vault.import_wallet(uuid4(), network, private_key=written)
        assert "--address" in refused.value.hint
        address = address_of((network, None), KEY)
        assert vault.import_wallet(uuid4(), network, private_key=written, address=address).wallet.address == address


def test_of_a_text_that_names_a_path_no_other_wallet_is_made(vault: Vault) -> None:
    for path, usual in (("m/44'/60'/0'/0/3", True), ("m/44'/60'/77'/5/900", False)):
        far = vault.import_wallet(uuid4(), "ethereum", mnemonic=PHRASE, path=path).wallet.address
        text = json.dumps({"mnemonic": PHRASE, "path": path})
        with pytest.raises(InvalidMnemonicError) as refused:
            vault.import_wallet(uuid4(), "ethereum", mnemonic=text)
        assert "--path" in refused.value.hint
        for named in ({"path": path}, {"address": far}):
            assert vault.import_wallet(uuid4(), "ethereum", mnemonic=text, **named).wallet.address == far, usual
    text = json.dumps({"mnemonic": PHRASE, "path": "m/44'/60'/0'/0/0"})
    expected = vault.import_wallet(uuid4(), "ethereum", mnemonic=PHRASE).wallet.address
    assert vault.import_wallet(uuid4(), "ethereum", mnemonic=text).wallet.address == expected


def test_of_a_text_that_names_an_address_no_other_wallet_is_made(vault: Vault) -> None:
    far = vault.import_wallet(uuid4(), "ethereum", mnemonic=PHRASE, path="m/44'/60'/0'/0/3").wallet.address
    text = json.dumps({"mnemonic": PHRASE, "address": far})
    taproot = address_of(("bitcoin", "taproot"), KEY)
    key = json.dumps({"privateKey": KEY.hex(), "address": taproot})
    for network, given, address in (
        ("ethereum", {"mnemonic": text}, far),
        ("ethereum", {"private_key": json.dumps({"privateKey": KEY.hex(), "address": far})}, ""),
        ("bitcoin", {"private_key": key}, taproot),
    ):
        with pytest.raises((InvalidMnemonicError, InvalidPrivateKeyError)) as refused:
            vault.import_wallet(uuid4(), network, **given)
        assert "--address" in refused.value.hint
        if address:
            assert vault.import_wallet(uuid4(), network, **given, address=address).wallet.address == address
    assert vault.import_wallet(uuid4(), "bitcoin", private_key=key, variant="taproot").wallet.address == taproot


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
