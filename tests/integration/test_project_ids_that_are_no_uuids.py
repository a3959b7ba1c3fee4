"""Project ids that are texts and no UUIDs: refused at init, told by doctor, and never taken for the nil UUID."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import strongroom
from testbed.command_line import call
from testbed.databases.foreign import address_of
from testbed.databases.rows import execute
from tests.integration import doctors

KEYS = tuple(f"{number:064x}" for number in range(0x5B00, 0x5B06))
WHO: dict[str, Any] = {"actor": "ann", "reason": "to see"}
NIL = str(UUID(int=0))


def add(url: str, project: str, key: str, text: str = "", metadata: dict[str, str] | None = None) -> UUID:
    wallet, address = uuid4(), address_of("ethereum", key)
    execute(url, "INSERT INTO projects (id, name) VALUES (?, 'a project') ON CONFLICT DO NOTHING", (project,))
    execute(
        url,
        "INSERT INTO project_credentials (id, project_id, wallet_address, public_key, key_vault_id, network, metadata) "
        f"VALUES (?, ?, ?, ?, gen_random_uuid(), 'ethereum', '{json.dumps(metadata or {})}')",
        (str(wallet), project, address, address),
    )
    execute(
        url,
        "INSERT INTO credential_vault_storage (id, credential_id, vault_id, encrypted_private_key) "
        "VALUES (?, ?, gen_random_uuid(), ?)",
        (str(uuid4()), str(wallet), text),
    )
    return wallet


def rows(url: str) -> list[tuple[object, ...]]:
    return [
        *execute(url, "SELECT id, project_id, metadata, status FROM project_credentials ORDER BY id"),
        *execute(url, "SELECT id, credential_id, encrypted_private_key FROM credential_vault_storage ORDER BY id"),
    ]


@pytest.mark.parametrize("project", ["user_42", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "{6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11}"])
def test_init_and_doctor_refuse_ids_that_are_no_uuids(
    make_legacy: Callable[..., str], root_key_uri: str, project: str
) -> None:
    url = make_legacy("text_times_and_ids")
    add(url, str(uuid4()), KEYS[0], KEYS[0])
    add(url, project, KEYS[1], KEYS[1])
    with pytest.raises(strongroom.ForeignSchemaError) as caught:
        strongroom.init(url, root_key=root_key_uri)
    assert "project_credentials.project_id is text, and holds values that are no UUIDs" in caught.value.message
    assert "UUIDs in lower case" in caught.value.message
    assert "strongroom projects id" in caught.value.hint
    assert not execute(url, "SELECT 1 FROM pg_tables WHERE starts_with(tablename, 'strongroom')")
    [found] = [each for each in doctors.document(url)["schema"] if each["code"] == "column-type"]
    assert "project_credentials.project_id is text" in found["evidence"]


def test_capitals_are_refused_with_the_sql_that_lowers_them(make_legacy: Callable[..., str], root_key_uri: str) -> None:
    url, project = make_legacy("text_times_and_ids"), str(uuid4()).upper()
    wallet = add(url, project, KEYS[0], KEYS[0])
    with pytest.raises(strongroom.ForeignSchemaError) as caught:
        strongroom.init(url, root_key=root_key_uri)
    [sql] = [line for line in caught.value.hint.splitlines() if line.startswith("UPDATE")]
    execute(url, "ALTER TABLE project_credentials DROP CONSTRAINT project_credentials_project_id_fkey")
    execute(url, sql)
    execute(url, "INSERT INTO projects (id, name) VALUES (?, 'the same')", (project.lower(),))
    with strongroom.init(url, root_key=root_key_uri) as vault:
        assert vault.get_wallet(wallet).project_id == UUID(project)


def test_rows_that_come_later_are_left_to_people(
    make_legacy: Callable[..., str], root_key_uri: str, tmp_path: Path
) -> None:
    url, project = make_legacy("text_times_and_ids"), str(uuid4())
    execute(url, "INSERT INTO projects (id, name) VALUES (?, 'a project')", (project,))
    with strongroom.init(url, root_key=root_key_uri) as vault:
        own = vault.create_wallet(project, "solana").wallet
        texts = {
            add(url, "user_42", KEYS[0], KEYS[0]): KEYS[0],
            add(url, "user_43", KEYS[1], KEYS[1]): KEYS[1],
            add(url, "user_42", KEYS[2], "", {"private_key_encrypted": KEYS[2]}): KEYS[2],
            add(url, project.upper(), KEYS[3], KEYS[3]): KEYS[3],
            add(url, "user_43", KEYS[4], KEYS[5]): KEYS[5],
        }
        before = rows(url)
        found = doctors.document(url, "--root-key", root_key_uri)
        shown: dict[str, str] = {}
        for each in found["findings"]:
            if each["credential_id"] not in map(str, texts):
                continue
            assert not each["automatic"], each
            words = shlex.split(each["command"])
            if words:
                answer = call(*words[1:], "--database", url, "--root-key", root_key_uri)
                assert answer.code == 0, (each, answer)
                shown[each["credential_id"]] = shown.get(each["credential_id"], "") + answer.out
        assert {wallet: key in shown[str(wallet)] for wallet, key in texts.items()} == dict.fromkeys(texts, True)
        plan = tmp_path / "plan.json"
        assert call("repair", "--plan", str(plan), "--database", url, "--root-key", root_key_uri).code in (0, 3, 6)
        if plan.exists():
            call("repair", "--apply", str(plan), "--database", url, "--root-key", root_key_uri)
        assert [row for row in rows(url) if row in before] == before
        for wallet in texts:
            for verb in (
                lambda wallet=wallet: vault.get_wallet(wallet),
                lambda wallet=wallet: vault.reveal(wallet, **WHO),
                lambda wallet=wallet: vault.revoke_wallet(wallet, **WHO),
                lambda wallet=wallet: vault.store_key(wallet, private_key=KEYS[0]),
                lambda wallet=wallet: vault.sign(wallet, "message", b"hello", **WHO),
                lambda wallet=wallet: vault.move_key(wallet, to="history", **WHO),
            ):
                with pytest.raises(strongroom.InvalidProjectError):
                    verb()
        assert [each.id for each in vault.list_wallets().wallets] == [own.id]
        assert [each.code for each in vault.verify()].count("invalid-project") == len(texts)
        for erased in (project, NIL):
            vault.erase_project(erased, **WHO)
        assert [row for row in rows(url) if str(row[0]) in map(str, texts)] == [
            row for row in before if str(row[0]) in map(str, texts)
        ]
        assert NIL not in str(rows(url))
        assert NIL not in str(execute(url, "SELECT * FROM strongroom_wallet"))
        assert vault.get_wallet(own.id).status == "revoked"
