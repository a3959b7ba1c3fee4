"""Wallets whose ids are no UUIDs: strongroom's commands cannot name them, and doctor names what gets their keys out."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

import strongroom
from testbed.command_line import call
from testbed.databases.foreign import address_of
from testbed.databases.rows import execute
from tests.integration import doctors

KEYS = tuple(f"{number:064x}" for number in range(0x4600, 0x4608))
OTHER = "57" * 32
PHRASE = "enlist essence novel wonder give inquiry saddle frog immune real tent couch"
TEXTS = (KEYS[0], OTHER, PHRASE, "U2FsdGVkX18xMjM0NTY3OKbtMtQwrYvkCmRqSGLkZEY=", "nobody knows", "MIGRATION_REQUIRED")
"""A key of the address, one of another, a phrase that does not derive it, three that hold no key that is read."""

ABOUT_COLUMNS = {"duplicate-live", "stored-flag-wrong", "wrong-label"}


def add(url: str, wallet: str, project: str, key: str, text: str | None, metadata: dict[str, Any]) -> None:
    address = address_of("ethereum", key)
    execute(
        url,
        "INSERT INTO project_credentials (id, project_id, wallet_address, public_key, key_vault_id, network, metadata) "
        f"VALUES (?, ?, ?, ?, gen_random_uuid(), 'ethereum', '{json.dumps(metadata)}')",
        (wallet, project, address, address),
    )
    if text is not None:
        execute(
            url,
            "INSERT INTO credential_vault_storage (id, credential_id, vault_id, encrypted_private_key) "
            "VALUES (?, ?, gen_random_uuid(), ?)",
            (wallet, wallet, text),
        )


def plant(url: str, ids: tuple[str, ...], project: str) -> dict[str, str]:
    """Wallets with each text, one with its key in the metadata, one with none; what must come out, by id."""
    execute(url, "INSERT INTO projects (id, name) VALUES (?, 'a project')", (project,))
    for wallet, key, text in zip(ids, KEYS, TEXTS, strict=False):
        add(url, wallet, project, key, text, {})
    add(url, ids[6], project, KEYS[6], None, {"private_key_encrypted": KEYS[6]})
    add(url, ids[7], project, KEYS[7], None, {})
    return {**dict(zip(ids, TEXTS[:5], strict=False)), ids[6]: KEYS[6]}


def shown(url: str, command: str, root_key: str) -> str:
    """What a command prints; SQL is run as psql would, with the connection that the tests have."""
    words = shlex.split(command)
    if words[0] == "psql":
        assert words[1:3] == ["$STRONGROOM_DATABASE_URL", "--command"]
        return str(execute(url, words[3])[0][0])
    answer = call(*words[1:], "--database", url, "--root-key", root_key)
    assert answer.code == 0, answer
    return answer.out


@pytest.mark.parametrize("backend", ["bigint_ids", "text_times_and_ids"])
def test_each_text_comes_out_by_the_command_that_its_finding_names(
    make_legacy: Callable[..., str], root_key_uri: str, backend: str
) -> None:
    url = make_legacy(backend)
    numbers = backend == "bigint_ids"
    if not numbers:
        strongroom.init(url, root_key=root_key_uri).close()
    ids = tuple(str(number) if numbers else f"user_{number}" for number in range(41, 49))
    expected = plant(url, ids, "7" if numbers else "org_7")
    found = doctors.document(url, *([] if numbers else ["--root-key", root_key_uri]))
    came_out: dict[str, set[str]] = {}
    for each in found["findings"]:
        if each["credential_id"] not in ids or each["code"] in ABOUT_COLUMNS:
            continue
        assert not each["automatic"]
        if each["command"]:
            came_out.setdefault(each["credential_id"], set()).add(shown(url, each["command"], root_key_uri))
        else:
            assert each["code"] in ("placeholder", "missing-vault-record"), each
            assert numbers or "no UUID" in each["evidence"]
    assert set(came_out) == set(expected)
    for wallet, texts in came_out.items():
        assert all(expected[wallet] in text for text in texts), wallet


def test_verify_and_an_erasure_say_that_they_left_them(make_legacy: Callable[..., str], root_key_uri: str) -> None:
    url, project = make_legacy("text_times_and_ids"), str(uuid4())
    with strongroom.init(url, root_key=root_key_uri) as vault:
        plant(url, tuple(f"user_{number}" for number in range(41, 49)), project)
        own = vault.create_wallet(project, "solana").wallet
        assert [each.code for each in vault.verify()].count("invalid-wallet-id") == 8
        erased = vault.erase_project(project, actor="a person", reason="asked for")
        assert (erased.wallets, erased.complete) == (1, False)
        [(_, error)] = erased.failed
        assert (error.code, error.message[:9]) == ("invalid-wallet-id", "8 wallets")
        assert vault.get_wallet(own.id).status == "revoked"
    answer = call("projects", "erase", project, "--yes", "--database", url, "--root-key", root_key_uri)
    assert (answer.code, "8 wallets have ids that are no UUIDs" in " ".join(answer.err.split())) == (6, True)


def test_what_to_do_first_about_ids_that_hold_no_uuid_is_no_migration(make_legacy: Callable[..., str]) -> None:
    url = make_legacy("bigint_ids")
    first = next(line for line in call("doctor", "--database", url).out.splitlines() if line.startswith("First:"))
    assert "column-type" in first
    assert "migrate" not in first


def test_a_migration_of_such_tables_only_protects_what_is_there(make_legacy: Callable[..., str]) -> None:
    url = make_legacy("bigint_ids")
    plant(url, tuple(map(str, range(41, 49))), "7")
    assert "CREATE UNIQUE INDEX" not in call("migrate", "--print", "--database", url).out
    answer = call("migrate", "--apply", "--database", url)
    assert answer.code == 0, answer
    codes = {each["code"] for each in doctors.document(url)["schema"]}
    assert codes == {"column-type", "no-unique-live"}


@pytest.mark.parametrize(
    "word", ["alice@example.com", "user 41", "org/7", "o'brien", "w" * 44, "a$(id)b", "\u043a\u043b\u044e\u0447"]
)
@pytest.mark.parametrize("where", ["record", "metadata"])
def test_an_id_that_is_not_printed_has_a_command_all_the_same(
    make_legacy: Callable[..., str], root_key_uri: str, word: str, where: str
) -> None:
    url, project = make_legacy("text_times_and_ids"), str(uuid4())
    strongroom.init(url, root_key=root_key_uri).close()
    execute(url, "INSERT INTO projects (id, name) VALUES (?, 'a project')", (project,))
    metadata = {"private_key_encrypted": OTHER} if where == "metadata" else {}
    add(url, word, project, KEYS[0], OTHER if where == "record" else None, metadata)
    found = doctors.document(url, "--root-key", root_key_uri)
    told = [each for each in found["findings"] if each["code"] in ("plaintext-key", "key-in-metadata")]
    assert [OTHER in shown(url, each["command"], root_key_uri) for each in told] == [True]
    if "@" not in word:
        assert word not in json.dumps(found, ensure_ascii=False)
        assert "MD5" in told[0]["evidence"]
