"""No wallet is called lost while something was not opened, read or looked at that may hold its key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from strongroom import Vault, Wallet
from testbed.command_line import call
from testbed.databases.deployments import BACKENDS, Deployment, open_deployment
from testbed.databases.foreign import run_script
from testbed.databases.guards import put, rows_gone
from testbed.databases.rows import grant_on_all_tables
from tests.integration.doctors import document, finding

WITH_ROOT_KEY = "strongroom doctor --root-key URI"
CODES = {"record": "missing-vault-record", "text": "placeholder"}
NOT_OPENED = "sealed texts and phrases were not opened without the root key, and one may hold its key"
UNKNOWN = "texts are sealed by keys that are not in this database's keyring, and one may hold its key"
OTHERS = "other wallets were not looked at in this run, and their rows may hold its key"


@pytest.fixture(params=BACKENDS)
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with open_deployment(request.param, request) as opened:
        yield opened


def lose(deployment: Deployment, wallet: Wallet, way: str = "record") -> None:
    if way == "record":
        deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet.id)
    else:
        put(deployment, wallet.id, "MIGRATION_REQUIRED")
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", wallet.id)


def a_lost_one(deployment: Deployment, vault: Vault, way: str = "record") -> Wallet:
    """The only wallet of the database, whose key is nowhere."""
    wallet = vault.create_wallet(deployment.project(), "ethereum").wallet
    lose(deployment, wallet, way)
    return wallet


def told(deployment: Deployment, wallet: Wallet, *options: str, code: str = "missing-vault-record") -> tuple[str, ...]:
    found = finding(document(deployment.url, *options), code, wallet.id)
    return found["repair"], found["command"], found["evidence"].rpartition("; ")[2]


def counted(deployment: Deployment, *options: str) -> dict[str, int]:
    """How many wallets are lost and unexplained, as people are told."""
    lines = call("doctor", "--database", deployment.url, *options).out.splitlines()
    words = [line.split() for line in lines]
    return {each[0]: int(each[1]) for each in words if each[:1] in (["lost"], ["unexplained"])}


@pytest.mark.parametrize("way", CODES)
def test_where_nothing_else_is_there_it_is_lost(deployment: Deployment, vault_a: Vault, way: str) -> None:
    wallet = a_lost_one(deployment, vault_a, way)
    options = ("--root-key", deployment.root_key)
    said = told(deployment, wallet, *options, code=CODES[way])
    assert said == ("none", f"strongroom wallet store-key {wallet.id}", "no key in its metadata")
    assert counted(deployment, *options) == {"lost": 1}
    assert told(deployment, wallet, code=CODES[way]) == ("ask", WITH_ROOT_KEY, NOT_OPENED)


@pytest.mark.parametrize("what", ["a wallet of another project", "its phrase", "the phrase of another project", "kept"])
@pytest.mark.parametrize("way", CODES)
def test_without_the_root_key_it_is_unexplained_where_anything_sealed_is_there(
    deployment: Deployment, vault_a: Vault, way: str, what: str
) -> None:
    wallet = a_lost_one(deployment, vault_a, way)
    if what == "its phrase":
        vault_a.create_phrase(wallet.project_id)
    elif what == "the phrase of another project":
        vault_a.create_phrase(deployment.project())
    else:
        other = vault_a.create_wallet(deployment.project(), "solana").wallet
        if what == "kept":
            vault_a.rotate_sealing_key(actor="a", reason="b")
            assert all(each.ok for each in vault_a.rewrap())
            rows_gone(deployment, other.id)
    assert told(deployment, wallet, code=CODES[way]) == ("ask", WITH_ROOT_KEY, NOT_OPENED)
    assert counted(deployment)["lost"] == 0
    opened = ("--root-key", deployment.root_key)
    assert told(deployment, wallet, *opened, code=CODES[way])[0] == "none"
    assert counted(deployment, *opened) == {"lost": 1}


def test_people_are_told_what_opens_them(deployment: Deployment, vault_a: Vault) -> None:
    wallet = a_lost_one(deployment, vault_a)
    vault_a.create_phrase(wallet.project_id)
    said = call("doctor", "--database", deployment.url).out
    assert ("Lost: nothing" in said, "Unexplained: nothing known" in said) == (False, True)
    assert f"repair --plan plan.json    (missing keys: {WITH_ROOT_KEY})\n" in said
    deployment.execute("UPDATE project_credentials SET vault_stored = false")
    said = call("doctor", "--database", deployment.url).out
    assert f"First: look further for the missing keys: {WITH_ROOT_KEY}\n" in said


def test_where_the_root_key_is_lost_it_is_unexplained(deployment: Deployment, vault_a: Vault) -> None:
    wallet = a_lost_one(deployment, vault_a)
    vault_a.create_phrase(wallet.project_id)
    gone = ("--root-key", "env:STRONGROOM_NO_SUCH_KEY")
    assert told(deployment, wallet, *gone) == ("ask", WITH_ROOT_KEY, NOT_OPENED)
    assert counted(deployment, *gone) == {"lost": 0, "unexplained": 1}


def test_another_text_that_may_be_its_key_is_named_first(deployment: Deployment, vault_a: Vault) -> None:
    wallet = a_lost_one(deployment, vault_a)
    vault_a.create_phrase(wallet.project_id)
    another = vault_a.create_wallet(deployment.project(), "ethereum").wallet
    lose(deployment, another, "text")
    put(deployment, another.id, json.dumps({"address": wallet.address[2:], **KEYSTORE}))
    found = finding(document(deployment.url), "missing-vault-record", wallet.id)
    assert "a text that was not read, and may be its key, is stored in the vault record" in found["evidence"]
    assert ("history reveal" in found["command"], found["repair"]) == (True, "ask")
    assert counted(deployment)["lost"] == 0


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


@pytest.mark.parametrize("where", ["record", "metadata", "history"])
def test_a_text_of_an_unknown_sealing_key_leaves_it_unexplained(
    deployment: Deployment, vault_a: Vault, where: str
) -> None:
    wallet = a_lost_one(deployment, vault_a)
    other = vault_a.create_wallet(deployment.project(), "solana").wallet
    [(text,)] = deployment.execute(
        "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = ?", other.id
    )
    foreign = "eyJraWQiOiJBQUFBQUFBQUFBQUFBQUFBQUFBQUFB" + text[40:]
    if where == "record":
        put(deployment, other.id, foreign)
    elif where == "metadata":
        cast = "?" if deployment.backend == "sqlite" else "CAST(? AS jsonb)"
        sql = f"UPDATE project_credentials SET metadata = {cast} WHERE id = ?"
        deployment.execute(sql, json.dumps({"backup": foreign}), other.id)
    else:
        put(deployment, other.id, foreign)
        put(deployment, other.id, text)
        deployment.execute(
            "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
            "vault_id, text, form, reason, created_at, schema_version) "
            "SELECT ?, project_id, id, 'solana', 'x', 'x', '', '', ?, 'sealed', 'rewrap', '2026-01-01T00:00:00Z', 4 "
            "FROM project_credentials WHERE id = ?",
            "0190a5e0-0000-7000-8000-00000000000a",
            foreign,
            other.id,
        )
    assert told(deployment, wallet, "--root-key", deployment.root_key) == ("ask", "", UNKNOWN)
    assert counted(deployment, "--root-key", deployment.root_key)["lost"] == 0


@pytest.mark.parametrize("options", [("--project", "{project}"), ("--since", "00000000-0000-0000-0000-000000000001")])
def test_a_run_over_a_part_calls_nothing_lost(deployment: Deployment, vault_a: Vault, options: tuple[str, str]) -> None:
    wallet = a_lost_one(deployment, vault_a)
    given = (options[0], options[1].format(project=wallet.project_id), "--root-key", deployment.root_key)
    assert told(deployment, wallet, *given) == ("ask", "strongroom doctor", OTHERS)
    assert counted(deployment, *given) == {"lost": 0, "unexplained": 1}


def test_rows_that_are_gone_are_not_lost_with_another_sealing_key_about(deployment: Deployment, vault_a: Vault) -> None:
    wallet = a_lost_one(deployment, vault_a)
    rows_gone(deployment, wallet.id)
    opened = ("--root-key", deployment.root_key)
    found = finding(document(deployment.url, *opened), "wallet-rows-gone", wallet.id)
    assert (found["repair"], "in no table of this database" in found["evidence"]) == ("none", True)
    found = finding(
        document(deployment.url, *opened, "--project", str(wallet.project_id)), "wallet-rows-gone", wallet.id
    )
    assert (found["repair"], "in no table of this database" in found["evidence"]) == ("ask", False)
    assert OTHERS in found["evidence"]


def test_a_changed_keyring_opens_no_phrase_and_the_root_key_is_not_asked_for(
    deployment: Deployment, vault_a: Vault
) -> None:
    wallet = a_lost_one(deployment, vault_a)
    vault_a.create_phrase(wallet.project_id)
    deployment.execute("UPDATE strongroom_keyring_head SET tag = 'x'")
    said = told(deployment, wallet, "--root-key", deployment.root_key)
    assert said == ("ask", "", "phrases of projects were not opened, and one may derive its key")


def test_a_vault_of_an_older_version_is_read_as_before(deployment: Deployment, vault_a: Vault) -> None:
    wallet = a_lost_one(deployment, vault_a)
    vault_a.close()
    for table in ("strongroom_phrase_account", "strongroom_phrase_branch", "strongroom_phrase"):
        deployment.execute(f"DROP TABLE {table}")
    deployment.execute("UPDATE strongroom_migrations SET version_num = '0003'")
    assert told(deployment, wallet)[0] == "ask"


@pytest.mark.parametrize("deployment", ["fresh", "g4"], indirect=True)
@pytest.mark.parametrize("hidden", ["strongroom_phrase", "strongroom_vault_history"])
def test_where_row_level_security_hides_rows_nothing_is_lost(
    deployment: Deployment, vault_a: Vault, make_role: Callable[[str], str], hidden: str
) -> None:
    wallet = a_lost_one(deployment, vault_a)
    role = make_role(f"reader_without_{hidden[-10:]}")
    run_script(deployment.url, grant_on_all_tables("SELECT", role))
    read_all = "CREATE POLICY all_rows ON {} FOR SELECT TO {} USING (true)"
    for (table,) in deployment.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relrowsecurity AND relname <> ?", hidden
    ):
        deployment.execute(read_all.format(table, role))
    as_role = deployment.url.replace("postgres@", f"{role}@")
    found = finding(document(as_role), "missing-vault-record", wallet.id)
    assert (found["repair"], found["command"]) == ("ask", "")
    assert found["evidence"].endswith("row-level security hides rows from this role, and one may hold its key")


@pytest.mark.parametrize("where", ["cross_rows.CrossRows.compare", "missing_keys.MissingKeys.look_further"])
def test_a_run_that_was_stopped_calls_nothing_lost(
    deployment: Deployment, vault_a: Vault, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    wallet = a_lost_one(deployment, vault_a)

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"strongroom.takeover.doctor.{where}", interrupted)
    base = ("--database", deployment.url, "--root-key", deployment.root_key)
    answer = call("doctor", *base, "--json")
    assert answer.code == 130
    found = finding(json.loads(answer.out), "missing-vault-record", wallet.id)
    assert found["evidence"].endswith("the run was stopped, and a row behind that may hold its key")
    [lost] = [line.split() for line in call("doctor", *base).out.splitlines() if line.startswith("lost ")]
    assert lost[:2] == ["lost", "0"]
