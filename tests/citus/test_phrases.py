"""Phrases of projects on Citus: every verb, callers who race for indices, older vaults, nothing left behind."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault
from testbed.command_line import call
from testbed.databases.older_versions import take_back
from tests.citus.conftest import CITUS_URL, with_path

WHY: dict[str, Any] = {"actor": "operator", "reason": "a test"}
WORDS = "test test test test test test test test test test test junk"


def indices(project: UUID) -> list[int]:
    sql = "SELECT phrase_index FROM strongroom.strongroom_wallet WHERE project_id = %s AND phrase_id IS NOT NULL"
    with psycopg.connect(CITUS_URL) as connection:
        return sorted(int(index) for (index,) in connection.execute(sql, (project,)).fetchall())


def test_every_verb_of_phrases_works(distributed_url: str, root_key_uri: str) -> None:
    project = uuid4()
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault:
        phrase = vault.create_phrase(project, idempotency_key="p").phrase
        assert vault.create_phrase(project, idempotency_key="p") == (phrase, False)
        assert vault.find_phrase(project) == vault.get_phrase(project, phrase.id) == phrase
        first = vault.create_wallet(project, "ethereum", phrase="default", idempotency_key="w").wallet
        assert vault.create_wallet(project, "ethereum", phrase="default", idempotency_key="w") == (first, False)
        made = vault.create_many(project, "ethereum", count=40, label_prefix="c-")
        assert [each.created for each in made] == [True] * 40
        assert [each.wallet for each in vault.create_many(project, "ethereum", count=40, label_prefix="c-")] == [
            each.wallet for each in made
        ]
        assert indices(project) == list(range(41))
        assert vault.advance_phrase(project, "ethereum", 50, **WHY).next_index == 50
        assert vault.create_wallet(project, "ethereum", label="x", phrase="default").wallet.phrase_index == 50
        assert [each.next_index for each in vault.list_accounts(project)] == [51]
        imported = vault.import_phrase(project, mnemonic=WORDS, label="second").phrase
        assert vault.reveal_phrase(project, "second", **WHY).mnemonic.reveal_text() == WORDS
        new = vault.replace_phrase(project, "second").phrase
        assert {each.id for each in vault.list_phrases(project).phrases} == {phrase.id, imported.id, new.id}
        assert vault.replace_wallet(first).created
        vault.rotate_sealing_key()
        assert all(result.ok for result in vault.rewrap())
        assert [key.state for key in vault.status().sealing_keys] == ["retired", "active"]
        assert all(result.error is None for result in vault.verify_phrases(project))
        assert [result for result in vault.verify(phrases=True) if not result.ok] == []
        assert vault.erase_project(project, **WHY).complete
    assert call("doctor", "--database", distributed_url, "--root-key", root_key_uri).code == 0


def test_accounts_that_take_one_path_at_once_give_it_to_one(distributed_url: str, root_key_uri: str) -> None:
    """The node's unique index refuses the second one, which looks again; so it is with a replacement."""
    asked: dict[str, Any] = {"variant": "taproot", "path": "m/84'/0'/0'/0/{index}"}
    one, other = uuid4(), uuid4()
    engine = strongroom.create_engine(distributed_url)
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault, ThreadPoolExecutor(2) as others:
        for project in (one, other):
            vault.create_phrase(project)
        old = vault.create_many(other, "bitcoin", ["c"], **asked)[0].wallet
        with engine.connect() as connection:
            vault.create_many(one, "bitcoin", ["a", "b"], connection=connection)
            made = others.submit(vault.create_many, one, "bitcoin", ["c"], **asked)
            with pytest.raises(TimeoutError):
                made.result(2)
            connection.commit()
        assert made.result(30)[0].wallet.phrase_index == 2
        with engine.connect() as connection:
            vault.create_many(other, "bitcoin", ["a", "b"], connection=connection)
            replaced = others.submit(vault.replace_wallet, old.id)
            with pytest.raises(TimeoutError):
                replaced.result(2)
            connection.commit()
        assert replaced.result(30).wallet.phrase_index == 3
        assert [result for result in vault.verify(phrases=True) if not result.ok] == []
    engine.dispose()


def test_nothing_of_a_phrase_stays_behind_on_the_coordinator(citus_url: str, root_key_uri: str) -> None:
    project = uuid4()
    with strongroom.open(citus_url, root_key=root_key_uri) as vault:
        vault.create_phrase(project)
        vault.create_many(project, "ethereum", count=3, label_prefix="c-")
    assert call("distribute", "--apply", "--database", citus_url).code == 0
    with psycopg.connect(citus_url) as connection:
        placed = connection.execute(
            "SELECT logicalrelid::text, colocationid, pg_relation_size(logicalrelid) FROM pg_dist_partition "
            "WHERE logicalrelid::text ~ 'phrase|credentials' AND partmethod = 'h'"
        ).fetchall()
    assert {name.partition(".")[2] for name, _, _ in placed} == {
        *("strongroom_phrase", "strongroom_phrase_account", "strongroom_phrase_branch", "project_credentials")
    }
    assert len({group for _, group, _ in placed}) == 1
    assert [size for _, _, size in placed] == [0] * len(placed)
    with strongroom.open(citus_url, root_key=root_key_uri) as vault:
        assert all(result.error is None for result in vault.verify_phrases(project))
        assert vault.create_wallet(project, "ethereum", phrase="default").wallet.phrase_index == 3


def test_a_vault_that_was_distributed_before_there_were_phrases_gets_them(
    distributed_url: str, root_key_uri: str
) -> None:
    project = uuid4()
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
    take_back(with_path(distributed_url), "0003")
    with pytest.raises(strongroom.UpgradeNeededError):
        strongroom.open(distributed_url, root_key=root_key_uri)
    assert call("upgrade", "--database", distributed_url, "--root-key", root_key_uri).code == 0
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault:
        (warning,) = [remark for remark in vault.status().store.warnings if "distribute" in remark]
        assert "strongroom_phrase" in warning
        assert vault.get_wallet(wallet.id) == wallet
        assert vault.create_wallet(project, "solana").created
        vault.create_phrase(project)  # so far it is on the coordinator
        assert vault.create_wallet(project, "ethereum", label="d", phrase="default").created
    assert call("distribute", "--apply", "--database", distributed_url).code == 0
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault:
        assert [remark for remark in vault.status().store.warnings if "distribute" in remark] == []
        assert all(result.error is None for result in vault.verify_phrases(project))
        assert vault.create_wallet(project, "ethereum", label="e", phrase="default").created
    assert indices(project) == [0, 1]
    with psycopg.connect(distributed_url) as connection:
        sizes = connection.execute("SELECT pg_relation_size('strongroom.strongroom_phrase')").fetchone()
    assert sizes == (0,)


def test_who_races_for_indices_leaves_no_gap_and_no_repetition(distributed_url: str, root_key_uri: str) -> None:
    project = uuid4()
    vaults = [strongroom.open(distributed_url, root_key=root_key_uri) for _ in range(4)]
    failed: list[BaseException] = []

    def run(number: int, vault: Vault) -> None:
        try:
            for turn in range(5):
                vault.create_wallet(project, "ethereum", label=f"one-{number}-{turn}", phrase="default")
                vault.create_many(project, "ethereum", count=3, label_prefix=f"many-{turn}-")
        except strongroom.StrongroomError as error:
            failed.append(error)

    try:
        vaults[0].create_phrase(project)
        threads = [threading.Thread(target=run, args=each) for each in enumerate(vaults)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
        assert failed == []
        assert indices(project) == list(range(4 * 5 + 5 * 3))
        assert [result for result in vaults[0].verify(phrases=True) if not result.ok] == []
    finally:
        for vault in vaults:
            vault.close()


PROCESS = """
import sys, strongroom
url, root_key, project, number = sys.argv[1:]
with strongroom.open(url, root_key=root_key) as vault:
    for turn in range(3):
        wallet = vault.create_wallet(project, "ethereum", label=f"w-{number}-{turn}", phrase="default").wallet
        vault.create_many(project, "ethereum", count=3, label_prefix=f"many-{turn}-")
        vault.replace_wallet(wallet)
    (account,) = vault.list_accounts(project)
    vault.advance_phrase(project, "ethereum", account.next_index + 5, actor="operator", reason="a test")
"""


def test_processes_that_create_replace_and_advance_take_no_index_twice(distributed_url: str, root_key_uri: str) -> None:
    project = uuid4()
    with strongroom.open(distributed_url, root_key=root_key_uri) as vault:
        vault.create_phrase(project)
        given = [distributed_url, root_key_uri, str(project)]
        processes = [
            subprocess.Popen([sys.executable, "-c", PROCESS, *given, str(number)], stderr=subprocess.PIPE, text=True)
            for number in range(4)
        ]
        told = [(process.communicate(timeout=120)[1], process.returncode) for process in processes]
        assert [error for error, code in told if code != 0] == []
        taken = indices(project)
        assert len(taken) == len(set(taken)) == 4 * 3 * 2 + 3 * 3
        (account,) = vault.list_accounts(project)
        assert account.next_index > taken[-1]
        assert [result for result in vault.verify(phrases=True) if not result.ok] == []
