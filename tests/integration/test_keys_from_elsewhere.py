"""Keys of other wallets come in: phrases wherever wallets keep keys, and Bitcoin keys that are not compressed.

Expected addresses: those that people met, the oracle of tests/unit/networks/test_conventions.py, and bip_utils.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bip_utils import P2PKHAddrEncoder, P2PKHPubKeyModes, Secp256k1PrivateKey, WifEncoder, WifPubKeyModes

import strongroom
from strongroom.cli import main
from strongroom.errors import (
    AddressMismatchError,
    IdentityMismatchError,
    InvalidPathError,
    InvalidPrivateKeyError,
    PhraseCaseWarning,
    UnknownVariantError,
    UnsupportedSigningError,
)
from testbed.databases.rows import execute
from testbed.defects.locked import keystore_text
from testbed.networks.conventions import KNOWN, MNEMONIC, oracle
from testbed.networks.key_forms import address_of

PROJECT = uuid.UUID("6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11")
KEY = bytes.fromhex("c8" * 32)
POINT = Secp256k1PrivateKey.FromBytes(KEY).PublicKey()
WIF = str(WifEncoder.Encode(KEY, b"\x80", WifPubKeyModes.UNCOMPRESSED))
COMPRESSED_WIF = str(WifEncoder.Encode(KEY, b"\x80", WifPubKeyModes.COMPRESSED))
UNCOMPRESSED = str(P2PKHAddrEncoder.EncodeKey(POINT, net_ver=b"\x00", pub_key_mode=P2PKHPubKeyModes.UNCOMPRESSED))
COMPRESSED = str(P2PKHAddrEncoder.EncodeKey(POINT, net_ver=b"\x00"))


@pytest.fixture
def url(tmp_path: Path) -> str:
    tmp_path.chmod(0o700)
    return f"sqlite:///{tmp_path / 'vault.db'}"


@pytest.fixture
def vault(url: str, root_key_uri: str) -> Iterator[strongroom.Vault]:
    with strongroom.init(url, root_key=root_key_uri) as opened:
        yield opened


def proved(vault: strongroom.Vault) -> bool:
    return all(result.ok for result in vault.verify(phrases=True))


@pytest.mark.parametrize("place", KNOWN, ids=str)
def test_a_phrase_is_imported_for_the_address_that_its_wallet_showed(
    vault: strongroom.Vault, place: tuple[str, str, str | None]
) -> None:
    network, scheme, path = place
    wallet, created = vault.import_wallet(PROJECT, network, mnemonic=MNEMONIC, address=KNOWN[place])
    assert (created, wallet.address, wallet.scheme, wallet.path) == (True, KNOWN[place], scheme, path)
    assert vault.import_wallet(PROJECT, network, mnemonic=MNEMONIC, address=KNOWN[place]) == (wallet, False)
    revealed = vault.reveal(wallet, actor="test", reason="test")
    assert revealed.mnemonic is not None
    assert (revealed.mnemonic.reveal_text(), revealed.path, revealed.scheme) == (MNEMONIC, path, scheme)
    vault.rotate_sealing_key(actor="test", reason="test")
    assert all(result.ok for result in vault.rewrap())
    assert proved(vault)


def test_the_scheme_of_the_raw_seed_may_be_named(vault: strongroom.Vault) -> None:
    wallet, _ = vault.import_wallet(PROJECT, "solana", mnemonic=MNEMONIC, variant="raw-seed")
    assert wallet.address == KNOWN["solana", "raw-seed", None]
    with pytest.raises(InvalidPathError):
        vault.import_wallet(PROJECT, "solana", mnemonic=MNEMONIC, variant="raw-seed", path="m/0'", label="other")
    for variant in ("raw-seed", "sollet"):
        with pytest.raises(UnknownVariantError):
            vault.create_wallet(PROJECT, "solana", variant=variant, label="made")
    new, _ = vault.replace_wallet(wallet)
    assert (new.scheme, new.path) == ("slip10", "m/44'/501'/0'/0'")
    assert proved(vault)


def test_paths_may_be_named_and_the_address_chooses_among_them(vault: strongroom.Vault) -> None:
    address = oracle("ethereum", "bip44", "m/44'/60'/0'/0/77")
    with pytest.raises(AddressMismatchError, match=r"No known path derives the given address.*were tried") as refused:
        vault.import_wallet(PROJECT, "ethereum", mnemonic=MNEMONIC, address=address)
    assert "--path" in refused.value.hint
    with pytest.raises(AddressMismatchError, match="None of the paths that were named"):
        vault.import_wallet(PROJECT, "ethereum", mnemonic=MNEMONIC, address=address, path="m/44'/60'/0'/0/76")
    with pytest.raises(InvalidPathError):
        vault.import_wallet(PROJECT, "ethereum", mnemonic=MNEMONIC, path=["m/0", "m/1"])
    paths = [f"m/44'/60'/0'/0/{n}" for n in range(70, 80)]
    wallet, _ = vault.import_wallet(PROJECT, "ethereum", mnemonic=MNEMONIC, address=address, path=paths)
    assert (wallet.address, wallet.path) == (address, "m/44'/60'/0'/0/77")


def test_a_phrase_in_capitals_is_lower_cased_and_this_is_said(vault: strongroom.Vault) -> None:
    with pytest.warns(PhraseCaseWarning, match="lower-cased"):
        wallet, _ = vault.import_wallet(PROJECT, "ethereum", mnemonic=MNEMONIC.upper())
    assert wallet.address == oracle("ethereum", "bip44", "m/44'/60'/0'/0/0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not vault.import_wallet(PROJECT, "ethereum", mnemonic=MNEMONIC).created


# --- a Bitcoin key that is not compressed -------------------------------------------------------------------------


def test_an_uncompressed_wif_is_imported_sealed_opened_and_proved_and_signs_with_a_refusal(
    vault: strongroom.Vault,
) -> None:
    wallet, created = vault.import_wallet(PROJECT, "bitcoin", private_key=WIF)
    assert (created, wallet.address, wallet.scheme) == (True, UNCOMPRESSED, "p2pkh-uncompressed")
    assert wallet.public_key == bytes(POINT.RawUncompressed().ToBytes()).hex()
    assert not vault.import_wallet(PROJECT, "bitcoin", private_key=WIF).created
    assert vault.reveal(wallet, actor="test", reason="test").private_key.reveal_text() == WIF
    vault.rotate_sealing_key(actor="test", reason="test")
    assert all(result.ok for result in vault.rewrap())
    assert proved(vault)
    with pytest.raises(UnsupportedSigningError, match="not compressed"):
        vault.sign_message(wallet, "a message", actor="test")
    new, _ = vault.replace_wallet(wallet)
    assert new.scheme == "bip84"


def test_the_address_or_the_form_says_whether_a_key_is_compressed(vault: strongroom.Vault) -> None:
    for label, key, address, scheme in (
        ("hex", KEY.hex(), UNCOMPRESSED, "p2pkh-uncompressed"),
        ("hex-legacy", KEY.hex(), COMPRESSED, "bip44"),
        ("wif", COMPRESSED_WIF, COMPRESSED, "bip44"),
        ("plain", WIF, UNCOMPRESSED, "p2pkh-uncompressed"),
        ("plain-legacy", WIF, COMPRESSED, "bip44"),
    ):
        wallet, _ = vault.import_wallet(PROJECT, "bitcoin", private_key=key, address=address, label=label)
        assert (wallet.address, wallet.scheme) == (address, scheme), label
    for key, variant in ((WIF, "default"), (WIF, "legacy"), (COMPRESSED_WIF, "uncompressed")):
        with pytest.raises(InvalidPrivateKeyError):
            vault.import_wallet(PROJECT, "bitcoin", private_key=key, variant=variant, label="other")
    with pytest.raises(UnknownVariantError):
        vault.create_wallet(PROJECT, "bitcoin", variant="uncompressed", label="other")


# --- a wallet whose key is missing ---------------------------------------------------------------------------------


@pytest.fixture
def emptied(vault: strongroom.Vault, url: str) -> Callable[..., strongroom.Wallet]:
    """Import a key, then leave a placeholder in its record."""

    def empty(network: str, **given: Any) -> strongroom.Wallet:
        wallet, _ = vault.import_wallet(PROJECT, network, **given)
        statement = "UPDATE credential_vault_storage SET encrypted_private_key = '' WHERE credential_id = ?"
        execute(url, statement, (wallet.id.hex,))
        execute(url, statement, (str(wallet.id),))
        return wallet

    return empty


@pytest.mark.parametrize("place", KNOWN, ids=str)
def test_store_key_takes_the_phrase_of_an_address_at_any_known_place(
    vault: strongroom.Vault, emptied: Callable[..., strongroom.Wallet], place: tuple[str, str, str | None]
) -> None:
    wallet = emptied(place[0], mnemonic=MNEMONIC, address=KNOWN[place])
    stored = vault.store_key(wallet, mnemonic=MNEMONIC)
    assert stored.stored
    assert (stored.wallet.scheme, stored.wallet.path) == place[1:]
    assert proved(vault)


def test_store_key_takes_an_uncompressed_wif(
    vault: strongroom.Vault, emptied: Callable[..., strongroom.Wallet]
) -> None:
    wallet = emptied("bitcoin", private_key=WIF)
    with pytest.raises(AddressMismatchError):
        vault.store_key(wallet, private_key="11" * 32)
    assert vault.store_key(wallet, private_key=WIF).stored
    assert proved(vault)


# --- the command line ----------------------------------------------------------------------------------------------


def imported(url: str, root_key: str, *options: str, stdin: str) -> dict[str, Any]:
    """The document of an import, in a process of its own."""
    command = ["wallet", "import", *options, "--project", str(PROJECT), "--database", url, "--root-key", root_key]
    done = subprocess.run(
        [sys.executable, "-m", "strongroom", *command, "--json"], input=stdin.encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.usefixtures("vault")
def test_the_command_line_reads_marks_paths_capitals_and_the_empty_password(
    url: str, root_key_uri: str, tmp_path: Path
) -> None:
    address = oracle("ethereum", "bip44", "m/44'/60'/0'/0/77")
    listed = tmp_path / "paths.txt"
    listed.write_text("\ufeff# those of the shop\nm/44'/60'/0'/0/76\n\nm/44h/60h/0h/0/77  # this one\n", "utf-8")
    told = imported(
        *(url, root_key_uri, "ethereum", "--mnemonic-stdin", "--address", address, "--paths", str(listed)),
        stdin=f"\ufeff{MNEMONIC.upper()}\n",
    )
    assert (told["wallet"]["address"], told["wallet"]["path"]) == (address, "m/44'/60'/0'/0/77")
    assert told["warnings"] == ["The phrase was given with capitals; it was lower-cased."]
    keystore = tmp_path / "keystore.json"
    keystore.write_text("\ufeff" + keystore_text(KEY, "", bytes(32), bytes(16), PROJECT), "utf-8")
    password = tmp_path / "password"
    for content in ("", "\n", "\ufeff\r\n"):
        password.write_text(content, "utf-8")
        options = ("--keystore", str(keystore), "--keystore-password-file", str(password), "--label", "dev")
        told = imported(url, root_key_uri, "ethereum", *options, stdin="")
        assert told["wallet"]["address"] == address_of(("ethereum", None), KEY)
    piped = ("--keystore", str(keystore), "--keystore-password-stdin", "--label", "dev")
    assert not imported(url, root_key_uri, "ethereum", *piped, stdin="\n")["created"]


# --- a text that nothing explains, or that the legacy application encrypted
# --------------------------------------------


@pytest.mark.parametrize("text", ["nobody knows what this text is", "vault:v1:" + "QUFB" * 20], ids=len)
def test_the_command_that_doctor_names_puts_the_key_in_and_keeps_the_text(
    vault: strongroom.Vault, url: str, root_key_uri: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wallet, _ = vault.import_wallet(PROJECT, "ethereum", private_key=KEY.hex())
    statement = "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?"
    for written in (wallet.id.hex, str(wallet.id)):
        execute(url, statement, (text, written))
    assert main(["doctor", "--database", url]) == 3
    told = capsys.readouterr().out
    assert ("unexplained" in told, "encrypted by Vault" in told) == (text[0] == "n", text[0] == "v")
    assert not re.search("lost +[1-9]", told)
    assert "--archive-current" in told or "docs/doctor.md" in told
    with pytest.raises(IdentityMismatchError):  # in tables of its own only strongroom writes
        vault.store_key(wallet, private_key=KEY.hex())
    with pytest.raises(AddressMismatchError):
        vault.store_key(wallet, private_key="11" * 32, archive_current=True)
    assert vault.store_key(wallet, private_key=KEY.hex(), archive_current=True).stored
    assert not vault.store_key(wallet, private_key=KEY.hex(), archive_current=True).stored
    assert proved(vault)
    entries = vault.history(wallet).entries
    assert text not in [entry.text for entry in entries], "it may be a key that nobody recognised"
    shown = [vault.reveal_kept_text(entry.id, actor="a test", reason="to see it again") for entry in entries]
    assert text in [each.text.reveal_text() for each in shown]


def test_what_was_lost_is_still_called_lost(
    emptied: Callable[..., strongroom.Wallet], url: str, root_key_uri: str, capsys: pytest.CaptureFixture[str]
) -> None:
    emptied("ethereum", private_key=KEY.hex())
    assert main(["doctor", "--database", url, "--root-key", root_key_uri]) == 3
    assert re.search("lost +1 whose key is nowhere", capsys.readouterr().out)
