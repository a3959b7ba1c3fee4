"""A missing key is not lost while a text that was not read is stored with its address, in whatever row; and keys in
plaintext count where the history alone has them, and where a healthy wallet's metadata do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from strongroom import Vault
from testbed.command_line import call
from testbed.databases.attacked import KEY, Attacked, address_of
from testbed.databases.deployments import Deployment
from testbed.databases.guards import install, put, rows_gone
from testbed.defects.locked import LEGACY_PASSWORD, envelope_text, keystore_text
from testbed.networks.key_forms import BITCOIN_FORMS, SOLANA_FORMS
from tests.integration.test_commands_that_work import put_member
from tests.integration.test_keys_in_metadata import ask, counted, run

BOTH = pytest.mark.parametrize("core_deployments", ["sqlite", "g4"], indirect=True)
FOREIGN = pytest.mark.parametrize("core_deployments", ["g2", "g4"], indirect=True)
MISSING = ("placeholder", "missing-vault-record")
OTHER = bytes.fromhex("5c" * 32)
TEXTS = {
    "envelope": envelope_text(KEY, LEGACY_PASSWORD, bytes(32), bytes(16)),
    "encrypted": "U2FsdGVkX1" + "Zm9vYmFyYmF6" * 6,
    "unexplained": "what the person wrote who set this wallet up, in 2019",
}


def missing(deployment: Deployment, wallet: Any, *options: str, stdin: bytes = b"") -> dict[str, Any]:
    base = ("--database", deployment.url, "--root-key", deployment.root_key, "--json")
    answer = call("doctor", *base, *options, stdin=stdin)
    found = json.loads(answer.out)["findings"]
    [told] = [each for each in found if each["credential_id"] == str(wallet) and each["code"] in MISSING]
    return dict(told)


@pytest.mark.parametrize("text", TEXTS)
@FOREIGN
def test_a_text_of_another_row_with_the_address_may_be_the_key(
    core_deployments: Deployment, private_path: Path, text: str
) -> None:
    """The application made the credential anew, under another id."""
    deployment, attacked = core_deployments, Attacked(core_deployments, private_path)
    old = attacked.credential(project := deployment.project(), address_of(KEY))
    attacked.record(old, TEXTS[text], project)
    new = attacked.credential(project, address_of(KEY).lower())
    attacked.record(new, "MIGRATION_REQUIRED", project)
    told = missing(deployment, new)
    assert (told["repair"], "may be its key" in told["evidence"]) == ("ask", True), told
    assert counted(deployment, "lost") == 0
    assert TEXTS[text][:40] in run(deployment, told["command"])
    if text == "envelope":
        opened = missing(deployment, new, "--legacy-password-stdin", stdin=LEGACY_PASSWORD.encode())
        assert opened["repair"] == "fill", "with the password it is known"


@pytest.mark.parametrize("text", TEXTS)
@BOTH
def test_so_may_one_of_the_history_of_a_wallet_that_is_gone(
    core_deployments: Deployment, core_vault: Vault, private_path: Path, text: str
) -> None:
    deployment, attacked = core_deployments, Attacked(core_deployments, private_path)
    wallet = core_vault.import_wallet(deployment.project(), "ethereum", private_key=KEY).wallet
    put(deployment, wallet.id, "MIGRATION_REQUIRED")
    deployment.execute("DELETE FROM strongroom_vault_history")
    attacked.entry(uuid4(), TEXTS[text], wallet.project_id, wallet.address, "foreign")
    told = missing(deployment, wallet.id)
    assert (told["repair"], "may be its key" in told["evidence"]) == ("ask", True), told
    assert TEXTS[text][:40] in run(deployment, told["command"])


@pytest.mark.parametrize("place", ["metadata", "history", "record"])
@BOTH
def test_a_keystore_says_whose_it_is(
    core_deployments: Deployment, core_vault: Vault, private_path: Path, place: str
) -> None:
    deployment, attacked = core_deployments, Attacked(core_deployments, private_path)
    project = deployment.project()
    wallet = core_vault.import_wallet(project, "ethereum", private_key=KEY).wallet
    holder = core_vault.create_wallet(project, "ethereum", label="b").wallet
    text = keystore_text(bytes.fromhex(KEY), "password", bytes(32), bytes(16), uuid4())
    document = {**json.loads(text), "address": wallet.address[2:].lower()}
    text = json.dumps(document)
    put(deployment, wallet.id, "MIGRATION_REQUIRED")
    if place == "record":
        put(deployment, holder.id, text)
    deployment.execute("DELETE FROM strongroom_vault_history")
    if place == "metadata":
        put_member(deployment, holder, "backup", document)
    if place == "history":
        attacked.entry(holder.id, text, project, holder.address, "foreign")
    told = missing(deployment, wallet.id)
    assert (told["repair"], "may be its key" in told["evidence"]) == ("ask", True), told
    assert document["id"] in run(deployment, told["command"])


@pytest.mark.parametrize("text", TEXTS)
@BOTH
def test_so_may_one_of_another_address_in_the_same_project(
    core_deployments: Deployment, core_vault: Vault, text: str
) -> None:
    project = core_deployments.project()
    wallet = core_vault.create_wallet(project, "ethereum").wallet
    other = core_vault.create_wallet(project, "solana").wallet
    put(core_deployments, wallet.id, "MIGRATION_REQUIRED")
    put(core_deployments, other.id, TEXTS[text])
    core_deployments.execute("DELETE FROM strongroom_vault_history")
    told = missing(core_deployments, wallet.id)
    assert (told["repair"], "may be its key" in told["evidence"]) == ("ask", True), told
    assert TEXTS[text][:40] in run(core_deployments, told["command"])
    assert counted(core_deployments, "lost") == 0


@BOTH
def test_beside_such_a_text_of_another_project_it_is_lost(core_deployments: Deployment, core_vault: Vault) -> None:
    wallet = core_vault.create_wallet(core_deployments.project(), "ethereum").wallet
    other = core_vault.create_wallet(core_deployments.project(), "ethereum").wallet
    put(core_deployments, wallet.id, "MIGRATION_REQUIRED")
    put(core_deployments, other.id, TEXTS["envelope"])
    core_deployments.execute("DELETE FROM strongroom_vault_history")
    assert missing(core_deployments, wallet.id)["repair"] == "none"
    assert counted(core_deployments, "lost") == 1


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("times", [1, 3])
@BOTH
def test_a_key_in_plaintext_that_the_history_alone_has_is_counted(
    core_deployments: Deployment, core_vault: Vault, private_path: Path, times: int, gone: bool
) -> None:
    deployment, attacked = core_deployments, Attacked(core_deployments, private_path)
    wallet = core_vault.import_wallet(deployment.project(), "ethereum", private_key=KEY).wallet
    assert counted(deployment, "in plaintext") == 0
    install(deployment)
    for number in range(times):
        text = f"0x{KEY}" if number == 0 else f"{number:064x}"
        attacked.entry(wallet.id, text, wallet.project_id, wallet.address, "foreign")
    if gone:
        rows_gone(deployment, wallet.id)
        core_vault.create_wallet(wallet.project_id, "solana")  # what is left to look at
    assert counted(deployment, "in plaintext") == 1
    told = call("doctor", "--database", deployment.url, "--root-key", deployment.root_key).out
    assert "First: treat the keys in plaintext as seen" in told
    if not gone:
        put(deployment, wallet.id, KEY)
        assert counted(deployment, "in plaintext") == 1, "one wallet counts once"


@pytest.mark.parametrize("listed", ["list", "pairs", "lines"])
@BOTH
def test_the_own_key_in_a_list_next_to_a_sealed_one_is_told(
    core_deployments: Deployment, core_vault: Vault, listed: str
) -> None:
    """It had been called healthy."""
    wallet = core_vault.import_wallet(core_deployments.project(), "ethereum", private_key=KEY).wallet
    keys = [f"0x{number:064x}" for number in (7001, 7002)]
    keys.insert(1, f"0x{KEY}")
    values = {"list": keys, "pairs": [[address_of(key[2:]), key] for key in keys], "lines": "\n".join(keys)}
    put_member(core_deployments, wallet, "accounts", values[listed])
    [found] = [each for each in ask(core_deployments)["findings"] if each["code"] == "key-in-metadata"]
    assert "derives the stored address" in found["evidence"]
    assert counted(core_deployments, "in plaintext") == 1
    shown = run(core_deployments, found["command"])
    assert all(key in shown for key in keys)


@pytest.mark.parametrize("form", ["WIF", "WIF, uncompressed", "keypair"])
@BOTH
def test_a_key_of_another_wallet_that_its_form_proves_is_told_under_any_name(
    core_deployments: Deployment, core_vault: Vault, form: str
) -> None:
    wallet = core_vault.create_wallet(core_deployments.project(), "ethereum").wallet
    text = SOLANA_FORMS["keypair in base58"](OTHER) if form == "keypair" else BITCOIN_FORMS[form](OTHER)
    put_member(core_deployments, wallet, "backup", text)
    [found] = [each for each in ask(core_deployments)["findings"] if each["code"] == "key-in-metadata"]
    assert found["repair"] == "ask"
    assert counted(core_deployments, "in plaintext") == 1
    run(core_deployments, found["command"])
