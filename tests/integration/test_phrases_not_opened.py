"""Without the root key no wallet is called lost whose key a phrase of the vault may derive: it is unexplained."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from strongroom import Vault, Wallet
from strongroom.store.inspection import phrases as inspected
from strongroom.takeover.doctor import unopened_phrases
from testbed.command_line import call
from testbed.databases.deployments import BACKENDS, Deployment, open_deployment
from testbed.databases.foreign import run_script
from testbed.databases.guards import put
from testbed.databases.moved_rows import move_all
from testbed.databases.rows import grant_on_all_tables
from tests.integration.doctors import document, finding

WITH_ROOT_KEY = "strongroom doctor --root-key URI"
CODES = {"record": "missing-vault-record", "text": "placeholder"}


@pytest.fixture(params=BACKENDS)
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with open_deployment(request.param, request) as opened:
        yield opened


def derived(deployment: Deployment, vault: Vault) -> Wallet:
    project = deployment.project()
    vault.create_phrase(project)
    return vault.create_wallet(project, "ethereum", phrase="default").wallet


def lose(deployment: Deployment, wallet: Wallet, way: str = "record") -> None:
    if way == "record":
        deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet.id)
    else:
        put(deployment, wallet.id, "MIGRATION_REQUIRED")
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", wallet.id)


def told(deployment: Deployment, wallet: Wallet, code: str = "missing-vault-record") -> tuple[str, str, str]:
    found = finding(document(deployment.url), code, wallet.id)
    return found["repair"], found["command"], found["evidence"].rpartition("; ")[2]


def counted(deployment: Deployment, *options: str) -> dict[str, int]:
    """How many wallets are lost and unexplained, as people are told."""
    lines = call("doctor", "--database", deployment.url, *options).out.splitlines()
    words = [line.split() for line in lines]
    return {each[0]: int(each[1]) for each in words if each[:1] in (["lost"], ["unexplained"])}


LOST = ("none", "strongroom wallet store-key {}", "no key in its metadata")


def unopened(number: str) -> tuple[str, str, str]:
    return "ask", WITH_ROOT_KEY, f"{number} not opened without the root key, and may derive its key"


ONE = unopened("1 phrase of its project was")


@pytest.mark.parametrize("way", CODES)
def test_it_is_unexplained_and_doctor_with_the_root_key_says_the_rest(
    deployment: Deployment, vault_a: Vault, way: str
) -> None:
    wallet = derived(deployment, vault_a)
    lose(deployment, wallet, way)
    assert told(deployment, wallet, CODES[way]) == ONE
    assert counted(deployment) == {"lost": 0, "unexplained": 1}
    said = call("doctor", "--database", deployment.url).out
    assert ("Lost: nothing" in said, "Unexplained: nothing known" in said) == (False, True)
    assert f"repair --plan plan.json    (missing keys: {WITH_ROOT_KEY})\n" in said
    words = ONE[1].replace("URI", deployment.root_key).split()[1:]
    opened = json.loads(call(*words, "--database", deployment.url, "--json").out)
    assert "derives its key" in finding(opened, CODES[way], wallet.id)["evidence"]
    deployment.execute("UPDATE project_credentials SET vault_stored = false")
    said = call("doctor", "--database", deployment.url).out
    assert f"First: open the phrases that may derive missing keys: {WITH_ROOT_KEY}\n" in said


def test_where_the_root_key_is_lost_it_is_unexplained(deployment: Deployment, vault_a: Vault) -> None:
    wallet = derived(deployment, vault_a)
    lose(deployment, wallet)
    gone = ("--root-key", "env:STRONGROOM_NO_SUCH_KEY")
    found = document(deployment.url, *gone)
    assert finding(found, "missing-vault-record", wallet.id)["repair"] == "ask"
    assert finding(found, "missing-vault-record", wallet.id)["command"] == WITH_ROOT_KEY
    assert counted(deployment, *gone) == {"lost": 0, "unexplained": 1}
    assert finding({"findings": found["schema"]}, "root-key-lost", None)


def test_a_wallet_of_a_project_without_a_phrase_is_lost(deployment: Deployment, vault_a: Vault) -> None:
    derived(deployment, vault_a)
    other = vault_a.create_wallet(deployment.project(), "ethereum").wallet
    lose(deployment, other)
    repair, command, why = LOST
    assert told(deployment, other) == (repair, command.format(other.id), why)
    assert counted(deployment) == {"lost": 1}


def test_the_phrases_of_its_project_are_counted_as_far_as_they_are_read(
    deployment: Deployment, vault_a: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet = derived(deployment, vault_a)
    vault_a.create_phrase(wallet.project_id, label="other")
    lose(deployment, wallet)
    assert told(deployment, wallet) == unopened("2 phrases of its project were")
    for module in (inspected, unopened_phrases):
        monkeypatch.setattr(module, "MOST_OF_PROJECT", 1)
    assert told(deployment, wallet) == unopened("more than 1 phrases of its project were")


@pytest.mark.parametrize("blank", ["", " ", "MIGRATION_REQUIRED"])
def test_a_phrase_without_a_text_counts_where_the_history_keeps_it(
    deployment: Deployment, vault_a: Vault, blank: str
) -> None:
    wallet = derived(deployment, vault_a)
    lose(deployment, wallet)
    deployment.execute("UPDATE strongroom_phrase SET sealed_text = ?", blank)
    assert told(deployment, wallet)[0] == "none", "nothing is there that could be opened"
    keep(deployment, wallet)
    assert told(deployment, wallet) == ONE


def keep(deployment: Deployment, wallet: Wallet, phrase_id: UUID | None = None) -> None:
    """What a rewrap keeps of a phrase."""
    deployment.execute(
        "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
        "vault_id, text, form, reason, created_at, schema_version) "
        "VALUES (?, ?, ?, 'phrase', 'x', 'x', '', '', 'eyJraWQiOi', 'sealed', 'rewrap', '2026-01-01T00:00:00Z', 4)",
        *(uuid4(), wallet.project_id, phrase_id or wallet.phrase_id),
    )


def test_a_phrase_whose_row_is_gone_counts_where_the_history_keeps_it(deployment: Deployment, vault_a: Vault) -> None:
    wallet = derived(deployment, vault_a)
    lose(deployment, wallet)
    deployment.execute("DELETE FROM strongroom_phrase")
    assert told(deployment, wallet)[0] == "none"
    keep(deployment, wallet)
    assert told(deployment, wallet) == ONE


def test_what_the_history_keeps_is_read_to_its_end(
    deployment: Deployment, vault_a: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet = derived(deployment, vault_a)
    lose(deployment, wallet)
    deployment.execute("DELETE FROM strongroom_phrase")
    for _ in range(5):
        keep(deployment, wallet, uuid4())
    monkeypatch.setattr(inspected, "_PAGE", 2)
    assert told(deployment, wallet) == unopened("5 phrases of its project were")
    monkeypatch.setattr(unopened_phrases, "_MOST_REMEMBERED", 3)
    assert told(deployment, wallet) == unopened("3 phrases of its project were")
    other = vault_a.create_wallet(deployment.project(), "ethereum").wallet
    lose(deployment, other)
    assert told(deployment, other) == ONE, "nobody can tell which projects have more"


def test_the_phrase_of_another_project_counts_that_its_record_names(deployment: Deployment, vault_a: Vault) -> None:
    wallet = derived(deployment, vault_a)
    lose(deployment, wallet)
    other = deployment.project()
    move_all(deployment, "strongroom_phrase", other)
    assert told(deployment, wallet)[0] == "none"
    move_all(deployment, "strongroom_wallet", other)
    assert told(deployment, wallet) == ONE


def test_another_text_that_may_be_its_key_is_named_first(deployment: Deployment, vault_a: Vault) -> None:
    wallet = derived(deployment, vault_a)
    lose(deployment, wallet)
    another = vault_a.create_wallet(deployment.project(), "ethereum").wallet
    lose(deployment, another, "text")
    locked = json.dumps({"address": wallet.address[2:], **KEYSTORE})
    put(deployment, another.id, locked)
    found = finding(document(deployment.url), "missing-vault-record", wallet.id)
    assert "1 phrase of its project was not opened without the root key" in found["evidence"]
    assert "a text that was not read, and may be its key, is stored in the vault record" in found["evidence"]
    assert ("history reveal" in found["command"], found["repair"]) == (True, "ask")
    assert counted(deployment) == {"lost": 0}


KEYSTORE: dict[str, Any] = {
    "version": 3,
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 262144,
            "dklen": 32,
            "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c67",
        },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    },
}


def test_a_planted_phrase_makes_a_lost_wallet_unexplained_and_no_more(deployment: Deployment, vault_a: Vault) -> None:
    """Who writes to the database can do that: the root key tells."""
    wallet = vault_a.create_wallet(deployment.project(), "ethereum").wallet
    lose(deployment, wallet)
    deployment.execute(
        "INSERT INTO strongroom_phrase (project_id, phrase_id, label, words, has_passphrase, identifier, status, "
        "version, sealed_text, created_at, kid, tag) "
        "VALUES (?, ?, 'x', 12, false, 'x', 'active', 1, 'x', '2026-01-01T00:00:00Z', 'x', 'x')",
        *(wallet.project_id, uuid4()),
    )
    assert told(deployment, wallet) == ONE
    found = document(deployment.url, "--root-key", deployment.root_key)
    assert finding(found, "missing-vault-record", wallet.id)["repair"] == "none"


def test_a_changed_keyring_opens_no_phrase_and_the_root_key_is_not_asked_for(
    deployment: Deployment, vault_a: Vault
) -> None:
    wallet = derived(deployment, vault_a)
    lose(deployment, wallet)
    deployment.execute("UPDATE strongroom_keyring_head SET tag = 'x'")
    found = finding(document(deployment.url, "--root-key", deployment.root_key), "missing-vault-record", wallet.id)
    assert (found["repair"], found["command"]) == ("ask", "")
    assert found["evidence"].endswith("; 1 phrase of its project was not opened, and may derive its key")


def test_a_vault_of_an_older_version_is_read_as_before(deployment: Deployment, vault_a: Vault) -> None:
    wallet = derived(deployment, vault_a)
    lose(deployment, wallet)
    vault_a.close()
    for table in ("strongroom_phrase_account", "strongroom_phrase_branch", "strongroom_phrase"):
        deployment.execute(f"DROP TABLE {table}")
    deployment.execute("UPDATE strongroom_migrations SET version_num = '0003'")
    assert told(deployment, wallet)[0] == "none"


@pytest.mark.parametrize("deployment", ["fresh", "g4"], indirect=True)
def test_where_row_level_security_hides_phrases_no_wallet_is_lost(
    deployment: Deployment, vault_a: Vault, make_role: Callable[[str], str]
) -> None:
    wallet = derived(deployment, vault_a)
    lose(deployment, wallet)
    role = make_role("reader_of_no_phrase")
    run_script(deployment.url, grant_on_all_tables("SELECT", role))
    read_all = "CREATE POLICY all_rows ON {} FOR SELECT TO {} USING (true)"
    for (table,) in deployment.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relrowsecurity AND relname <> 'strongroom_phrase'"
    ):
        deployment.execute(read_all.format(table, role))
    as_role = deployment.url.replace("postgres@", f"{role}@")
    found = finding(document(as_role), "missing-vault-record", wallet.id)
    assert (found["repair"], found["command"]) == ("ask", "")
    assert found["evidence"].endswith("and row-level security hides them from this role")
