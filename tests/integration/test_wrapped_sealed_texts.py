"""Sealed texts with something around them, and in metadata: whose they are is seen, and each gets out."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import strongroom
from strongroom import Vault, Wallet
from testbed.databases.deployments import Deployment
from testbed.databases.guards import key_of, put, rows_gone
from tests.integration.doctors import codes, document, finding
from tests.integration.test_keys_in_metadata import ask, counted, run
from tests.integration.test_keys_in_pieces import repair

WHO: dict[str, Any] = {"actor": "test", "reason": "to compare"}
AROUND: dict[str, Callable[[str], str]] = {
    "a line end": lambda text: f"{text}\n",
    "blanks": lambda text: f" {text} ",
    "a byte order mark": lambda text: f"\ufeff{text}",
    "lines": lambda text: "\n".join(text[start : start + 76] for start in range(0, len(text), 76)),
    "quotes": lambda text: f'"{text}"',
    "single quotes": lambda text: f"'{text}'",
    "JSON": lambda text: json.dumps({"encrypted": text}),
    "a list": lambda text: json.dumps([text]),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "a name": lambda text: f"PRIVATE_KEY={text}",
    "quotes and JSON": lambda text: json.dumps(json.dumps({"jwe": text})),
}


def put_into_metadata(deployment: Deployment, wallet: UUID, member: str, text: str) -> None:
    value = f"metadata::jsonb || jsonb_build_object('{member}', ?::text)"
    if deployment.backend == "sqlite":
        value = f"json_set(metadata, '$.{member}', ?)"
    deployment.execute(f"UPDATE project_credentials SET metadata = {value} WHERE id = ?", text, wallet)


def made(deployment: Deployment, vault: Vault) -> tuple[Wallet, str, str]:
    """A wallet, its key, and its sealed text, of which nothing else is kept."""
    wallet = vault.create_wallet(deployment.project(), "ethereum").wallet
    key, text = key_of(vault, wallet), deployment.texts()[wallet.id]
    deployment.execute("DELETE FROM strongroom_vault_history")
    return wallet, key, text


def record_of(deployment: Deployment, wallet: Wallet) -> str:
    return str(deployment.execute("SELECT id FROM credential_vault_storage WHERE credential_id = ?", wallet.id)[0][0])


@pytest.mark.crossed(10)
@pytest.mark.parametrize("around", AROUND)
def test_a_wrapped_text_is_revealed_and_put_back(
    core_deployments: Deployment, core_vault: Vault, around: str, tmp_path: Path
) -> None:
    wallet, key, text = made(core_deployments, core_vault)
    put(core_deployments, wallet.id, AROUND[around](text))
    found = ask(core_deployments)
    told = finding(found, "encoded-key", wallet.id)
    assert (told["repair"], told["automatic"], "sealed text" in told["evidence"]) == ("seal", True, True)
    assert codes(found, wallet.id)["unreadable"] == codes(found, wallet.id)["encrypted-elsewhere"] == 0
    assert (counted(core_deployments, "lost"), counted(core_deployments, "in plaintext")) == (0, 0)
    named = record_of(core_deployments, wallet)
    assert key in run(core_deployments, f"strongroom history reveal {named} --reveal")
    without = finding(document(core_deployments.url), "encoded-key", wallet.id)
    assert (without["repair"], without["command"]) == ("ask", f"strongroom history reveal {named} --reveal")
    repair(core_deployments, tmp_path)
    assert key_of(core_vault, wallet) == key
    assert codes(ask(core_deployments), wallet.id) == {}


@pytest.mark.crossed(10)
@pytest.mark.parametrize("member", ["private_key_encrypted", "backup"])
@pytest.mark.parametrize("around", ["nothing", "a line end", "JSON", "base64"])
def test_a_wallets_own_text_in_its_metadata_comes_back(
    core_deployments: Deployment, core_vault: Vault, around: str, member: str, tmp_path: Path
) -> None:
    wallet, key, text = made(core_deployments, core_vault)
    put_into_metadata(core_deployments, wallet.id, member, AROUND.get(around, str)(text))
    put(core_deployments, wallet.id, "MIGRATION_REQUIRED")
    found = ask(core_deployments)
    assert finding(found, "key-in-metadata", wallet.id)["automatic"]
    assert finding(found, "placeholder", wallet.id)["repair"] == "fill"
    place = f"metadata:{wallet.id}/{member}"
    assert key in run(core_deployments, f"strongroom history reveal {place} --reveal")
    without = finding(document(core_deployments.url), "key-in-metadata", wallet.id)
    assert without["command"] == f"strongroom history reveal {place} --reveal"
    repair(core_deployments, tmp_path)
    assert key_of(core_vault, wallet) == key
    assert codes(ask(core_deployments), wallet.id) == {}


def test_a_text_of_a_wallet_that_is_gone_is_revealed_in_its_own_project(
    core_deployments: Deployment, core_vault: Vault
) -> None:
    gone, key, text = made(core_deployments, core_vault)
    wallet = core_vault.create_wallet(gone.project_id, "ethereum", label="second").wallet
    put_into_metadata(core_deployments, wallet.id, "private_key_encrypted", text)
    still_there = finding(ask(core_deployments), "key-in-metadata", wallet.id)["command"]
    assert f"--wallet {gone.id}" in still_there
    assert key in run(core_deployments, still_there)
    with pytest.raises(strongroom.IdentityMismatchError):
        core_vault.reveal_kept(f"metadata:{wallet.id}", **WHO)
    rows_gone(core_deployments, gone.id)
    core_deployments.execute("DELETE FROM strongroom_vault_history")
    told = finding(ask(core_deployments), "key-in-metadata", wallet.id)
    assert str(gone.id) in told["evidence"]
    assert key in run(core_deployments, told["command"])
    assert core_vault.reveal_kept(f"metadata:{wallet.id}", **WHO).wallet_id == gone.id


@pytest.mark.parametrize("around", ["nothing", "JSON"])
def test_a_text_of_another_project_is_given_out_as_its_own_wallets_alone(
    core_deployments: Deployment, core_vault: Vault, around: str
) -> None:
    gone, key, text = made(core_deployments, core_vault)
    wallet = core_vault.create_wallet(core_deployments.project(), "ethereum").wallet
    wrapped = AROUND.get(around, str)(text)
    put_into_metadata(core_deployments, wallet.id, "private_key_encrypted", wrapped)
    own = core_deployments.texts()[wallet.id]
    put(core_deployments, wallet.id, wrapped)
    for _ in ("there", "gone"):
        for place in (f"metadata:{wallet.id}", record_of(core_deployments, wallet)):
            with pytest.raises(strongroom.IdentityMismatchError):
                core_vault.reveal_kept(place, **WHO)
        rows_gone(core_deployments, gone.id)
    put(core_deployments, wallet.id, own)
    command = finding(ask(core_deployments), "key-in-metadata", wallet.id)["command"]
    assert f"--wallet {gone.id}" in command
    assert key in run(core_deployments, command)
    for named in ({"wallet": wallet}, {"wallet": gone, "project_id": wallet.project_id}):
        with pytest.raises((strongroom.WalletNotFoundError, strongroom.IdentityMismatchError)):
            core_vault.reveal_kept(f"metadata:{wallet.id}", **named, **WHO)


def test_a_changed_text_with_something_around_it_gives_nothing(core_deployments: Deployment, core_vault: Vault) -> None:
    wallet, _, text = made(core_deployments, core_vault)
    changed = f"{text[:-6]}AAAA{text[-2:]}"
    for around in ("a line end", "JSON"):
        put(core_deployments, wallet.id, AROUND[around](changed))
        assert finding(ask(core_deployments), "unreadable", wallet.id)["repair"] == "ask"
        with pytest.raises(strongroom.SealedTextCorruptError):
            core_vault.reveal_kept(record_of(core_deployments, wallet), **WHO)


def test_a_second_text_next_to_it_is_not_lost(core_deployments: Deployment, core_vault: Vault) -> None:
    wallet, key, text = made(core_deployments, core_vault)
    other = core_vault.create_wallet(wallet.project_id, "ethereum", label="second").wallet
    both = json.dumps({"new": text, "old": core_deployments.texts()[other.id]})
    put(core_deployments, wallet.id, both)
    told = finding(ask(core_deployments), "encoded-key", wallet.id)
    assert (told["repair"], told["automatic"]) == ("ask", False)
    assert key in run(core_deployments, told["command"])
    assert both in run(core_deployments, told["command"].replace("--reveal", "--text --reveal"))
