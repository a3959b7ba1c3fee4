"""Texts of which no key is read: archived sealed, printed as they are, and never a key of any wallet."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

import strongroom
from testbed.command_line import CommandResult, call
from testbed.databases.deployments import Deployment
from testbed.databases.guards import install, put
from tests.integration.doctors import document

WHO: dict[str, Any] = {"actor": "ann", "reason": "to look"}
NOTE = "it is in the drawer, behind the third folder: ask \u00e9lodie"
LONG = "".join(f"line {number} of a long text, \u20ac {number * 7}\n" for number in range(1500))
BROKEN_KEYSTORE = '{"crypto": {"cipher": "none"}, "version": 3, "note": "the password is on paper"}'
CIPHERTEXT = "U2FsdGVkX1" + "Zm9vYmFyYmF6" * 6


def reveal(deployment: Deployment, text_id: object, *more: str) -> CommandResult:
    words = ("history", "reveal", str(text_id), "--reveal", *more)
    return call(*words, "--database", deployment.url, "--root-key", deployment.root_key)


@pytest.mark.crossed(10)
@pytest.mark.parametrize(
    "text", [NOTE, LONG, BROKEN_KEYSTORE, CIPHERTEXT], ids=["note", "long", "keystore", "encrypted"]
)
@pytest.mark.parametrize("how", ["restore", "store-key"])
@pytest.mark.one_server
def test_a_text_that_is_archived_is_sealed_and_printed_whole(core_deployments: Deployment, how: str, text: str) -> None:
    with core_deployments.open() as vault:
        install(core_deployments)
        wallet = vault.create_wallet(core_deployments.project(), "ethereum").wallet
        key = vault.reveal(wallet.id, **WHO).private_key.reveal_text()
        put(core_deployments, wallet.id, text)
        if how == "restore":
            assert vault.restore(wallet.id, archive_current=True).stored
        else:
            assert vault.store_key(wallet.id, private_key=key, archive_current=True).stored
        assert text[:40] not in str(core_deployments.execute("SELECT text FROM strongroom_vault_history"))
        notes = [
            each
            for each in document(core_deployments.url, "--root-key", core_deployments.root_key)["notes"]
            if each["code"] == "kept-text"
        ]
        assert len(notes) == (1 if text is not LONG else 8)
        printed = {}
        for each in notes:
            assert each["command"] == f"strongroom history reveal {each['row']} --text --reveal"
            shown = vault.reveal_kept_text(each["row"], **WHO)
            assert (shown.wallet_id, shown.address, shown.parts) == (wallet.id, wallet.address, len(notes))
            printed[shown.part] = shown.text.reveal_text()
        assert "".join(printed[part] for part in sorted(printed)) == text
        answer = reveal(core_deployments, notes[0]["row"], "--text")
        assert (answer.code, answer.out) == (
            0,
            vault.reveal_kept_text(notes[0]["row"], **WHO).text.reveal_text() + "\n",
        )
        exports = [each for each in vault.list_log(wallet=wallet.id, limit=1000).records if each.action == "export"]
        assert len(exports) == 1 + len(notes) + 2, "each was logged"


@pytest.mark.one_server
def test_a_sealed_text_is_the_key_of_no_wallet(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        install(core_deployments)
        wallet = vault.create_wallet(core_deployments.project(), "ethereum").wallet
        own = core_deployments.texts()[wallet.id]
        put(core_deployments, wallet.id, NOTE)
        vault.restore(wallet.id, archive_current=True)
        [entry] = [each for each in vault.history(wallet.id).entries if each.reason == "archive"]
        with pytest.raises(strongroom.KeyMissingError) as caught:
            vault.reveal_kept(entry.id, **WHO)
        assert "--text" in caught.value.hint
        put(core_deployments, wallet.id, entry.text)
        with pytest.raises(strongroom.SealedTextCorruptError):
            vault.reveal(wallet.id, **WHO)
        assert vault.restore(wallet.id, archive_current=True).stored
        assert core_deployments.texts()[wallet.id] == own


@pytest.mark.one_server
def test_texts_in_plaintext_are_printed_from_wherever_they_are(core_deployments: Deployment) -> None:
    """An entry of the guard, or of an older version; a vault record; the metadata of a credential."""
    with core_deployments.open() as vault:
        install(core_deployments)
        wallet = vault.create_wallet(core_deployments.project(), "ethereum").wallet
        put(core_deployments, wallet.id, NOTE)
        put(core_deployments, wallet.id, "another note, of more than thirty-two characters")
        value = "metadata::jsonb || jsonb_build_object('private_key_encrypted', ?::text)"
        if core_deployments.backend == "sqlite":
            value = "json_set(metadata, '$.private_key_encrypted', ?)"
        core_deployments.execute(
            f"UPDATE project_credentials SET metadata = {value} WHERE id = ?", f"{NOTE}, too", wallet.id
        )
        [entry] = [row for row in vault.history(wallet.id).entries if row.form == "foreign"]
        record = core_deployments.execute("SELECT id FROM credential_vault_storage WHERE credential_id = ?", wallet.id)[
            0
        ][0]
        for text_id, text in (
            (entry.id, NOTE),
            (record, "another note, of more than thirty-two characters"),
            (f"metadata:{wallet.id}", f"{NOTE}, too"),
            (f"metadata:{wallet.id}/private_key_encrypted", f"{NOTE}, too"),
        ):
            assert reveal(core_deployments, text_id, "--text").out == f"{text}\n"
            assert vault.reveal_kept_text(text_id, **WHO).text.reveal_text() == text


@pytest.mark.one_server
def test_what_cannot_be_printed_is_named(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        install(core_deployments)
        wallet = vault.create_wallet(core_deployments.project(), "ethereum").wallet
        record = core_deployments.execute("SELECT id FROM credential_vault_storage WHERE credential_id = ?", wallet.id)[
            0
        ][0]
        for text in ("x" * 70_000, ""):
            put(core_deployments, wallet.id, text)
            with pytest.raises(strongroom.KeyMissingError):
                vault.reveal_kept_text(record, **WHO)
        for unknown in (
            uuid4(),
            f"metadata:{uuid4()}",
            f"metadata:{wallet.id}",
            "metadata:",
            f"metadata:{wallet.id}/other",
        ):
            with pytest.raises(strongroom.WalletNotFoundError):
                vault.reveal_kept_text(unknown, **WHO)
        assert reveal(core_deployments, record, "--text", "--network", "ethereum").code == 2


@pytest.mark.one_server
def test_a_copied_text_of_another_wallet_is_not_printed_as_this_ones(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        install(core_deployments)
        mine, theirs = (vault.create_wallet(core_deployments.project(), "ethereum").wallet for _ in range(2))
        put(core_deployments, theirs.id, NOTE)
        vault.restore(theirs.id, archive_current=True)
        [entry] = [each for each in vault.history(theirs.id).entries if each.reason == "archive"]
        put(core_deployments, mine.id, entry.text)
        record = core_deployments.execute("SELECT id FROM credential_vault_storage WHERE credential_id = ?", mine.id)[
            0
        ][0]
        with pytest.raises(strongroom.IdentityMismatchError):
            vault.reveal_kept_text(str(record), **WHO)
        kid, rest = entry.text.split(".", 1)
        put(core_deployments, mine.id, f"{kid}.{rest[:-4]}AAAA")
        with pytest.raises(strongroom.SealedTextCorruptError):
            vault.reveal_kept_text(str(record), **WHO)


def test_the_seed_of_an_electrum_wallet_is_printed_by_the_command_of_its_finding(core_deployments: Deployment) -> None:
    seed = "cycle rocket west magnet parrot shuffle foot correct salt library feed song"
    with core_deployments.open() as vault:
        wallet = vault.create_wallet(core_deployments.project(), "bitcoin").wallet
    put(core_deployments, wallet.id, seed)
    found = document(core_deployments.url, "--root-key", core_deployments.root_key)["findings"]
    [finding] = [each for each in found if each["code"] == "plaintext-mnemonic"]
    assert "Electrum" in finding["evidence"]
    shown, back = f"reveal {finding['row']} --text --reveal", f"restore {wallet.id} --archive-current"
    kept = core_deployments.foreign  # the history has the wallet's own key there
    assert finding["command"] == f"strongroom history {back if kept else shown}"
    answer = reveal(core_deployments, finding["row"], "--text")
    assert (answer.code, answer.out) == (0, seed + "\n")


@pytest.mark.parametrize("name", ["account", "privateKey"])
def test_an_extended_key_in_the_metadata_is_told_and_printed(core_deployments: Deployment, name: str) -> None:
    """Next to a wallet that has its own key: it had been called healthy."""
    text = (
        "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPP"
        "qjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
    )
    with core_deployments.open() as vault:
        wallet = vault.create_wallet(core_deployments.project(), "bitcoin").wallet
    value = f"metadata::jsonb || jsonb_build_object('{name}', ?::text)"
    if core_deployments.backend == "sqlite":
        value = f"json_set(metadata, '$.{name}', ?)"
    core_deployments.execute(f"UPDATE project_credentials SET metadata = {value} WHERE id = ?", text, wallet.id)
    found = document(core_deployments.url, "--root-key", core_deployments.root_key)["findings"]
    [finding] = [each for each in found if each["code"] == "key-in-metadata"]
    assert "extended private key (xprv, depth 0)" in finding["evidence"]
    assert finding["command"] == f"strongroom history reveal metadata:{wallet.id}/{name} --text --reveal"
    answer = reveal(core_deployments, f"metadata:{wallet.id}/{name}", "--text")
    assert answer.code == 0
    assert text in answer.out
