"""Sessions that end while phrases and their wallets are written: each call ends, and nothing is half done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom import Vault
from testbed.command_line import call
from testbed.databases.deployments import Deployment
from testbed.databases.moved_rows import move_all
from testbed.databases.rows import execute
from testbed.repair_choices import choose_all
from tests.citus.test_sessions_that_end import behind, end_on_the_coordinator, end_on_workers

WHY: dict[str, Any] = {"actor": "operator", "reason": "a test"}
VERBS: dict[str, Callable[[Vault, UUID], Any]] = {
    "create_phrase": lambda vault, project: vault.create_phrase(project, label="other", idempotency_key="k"),
    "create_many": lambda vault, project: vault.create_many(project, "ethereum", ["a", "b", "c"]),
    "create_wallet": lambda vault, project: vault.create_wallet(
        project, "ethereum", label="d", phrase="default", idempotency_key="k"
    ),
    "replace_wallet": lambda vault, project: vault.replace_wallet(
        vault.list_wallets(project).wallets[0], idempotency_key="k"
    ),
    "advance_phrase": lambda vault, project: vault.advance_phrase(project, "ethereum", 50, **WHY),
    "reveal_phrase": lambda vault, project: vault.reveal_phrase(project, "default", **WHY),
}
WRITE_EVENTS = ("create_phrase", "advance_phrase", "reveal_phrase")
WALLETS = {"create_many": 4, "create_wallet": 2, "replace_wallet": 2}
"""How many a project has afterwards; the other verbs leave it at one."""
INDICES = "SELECT phrase_index FROM strongroom.strongroom_wallet WHERE project_id = ?"


@pytest.fixture
def vault(distributed_url: str, root_key_uri: str) -> Iterator[Vault]:
    with strongroom.open(distributed_url, root_key=root_key_uri) as opened:
        yield opened


@pytest.mark.parametrize("end", [end_on_workers, end_on_the_coordinator])
@pytest.mark.parametrize("at", ["COMMIT", "strongroom_events"])
def test_every_verb_of_phrases_comes_to_its_end(
    vault: Vault, distributed_url: str, root_key_uri: str, at: str, end: Callable[[str], int]
) -> None:
    told = {}
    for verb in VERBS if at == "COMMIT" else WRITE_EVENTS:
        project = uuid4()
        vault.create_phrase(project)
        vault.create_wallet(project, "ethereum", label="first", phrase="default")
        with behind(at, lambda: end(distributed_url)) as done:
            try:
                VERBS[verb](vault, project)
            except strongroom.StrongroomError as error:
                told[verb] = error.code, error.retryable
                VERBS[verb](vault, project)
        assert done[0] >= 1, verb
        found = sorted(int(index) for (index,) in execute(distributed_url, INDICES, (project,)))
        assert found == list(range(WALLETS.get(verb, 1))), verb
        assert len(vault.list_phrases(project).phrases) == 1 + (verb == "create_phrase")
    assert told == {"reveal_phrase": ("outcome-unknown", True)}, "nothing is given out that may not be in the log"
    assert [each for each in vault.verify(phrases=True) if not each.ok] == []
    assert call("doctor", "--database", distributed_url, "--root-key", root_key_uri).code == 0


@pytest.mark.parametrize("at", ["DELETE FROM", "INSERT INTO strongroom_phrase", "strongroom_events"])
def test_a_phrase_that_is_brought_back_is_in_one_project(place: Deployment, private_path: Path, at: str) -> None:
    project, other, plan = uuid4(), uuid4(), str(private_path / "plan.json")
    base = ("--database", place.url, "--root-key", place.root_key)
    with place.open() as vault:
        phrase = vault.create_phrase(project).phrase
    move_all(place, "strongroom_phrase", other)
    assert call("repair", "--plan", plan, *base).code == 0
    choose_all(Path(plan))
    with behind(at, lambda: end_on_workers(place.url)) as done:
        assert call("repair", "--apply", plan, *base).code == 0
    assert done[0] >= 1
    with place.open() as vault:
        assert [vault.list_phrases(each).phrases for each in (project, other)] == [(phrase,), ()]
        assert vault.create_wallet(project, "ethereum", phrase="default").created
    assert call("doctor", *base).code == 0
