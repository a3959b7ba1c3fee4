"""Rows of a phrase's accounts, and events about them, that somebody wrote: no repair takes them at their word."""

from __future__ import annotations

import json
import tracemalloc
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom.takeover.doctor import account_problems
from strongroom.takeover.doctor.phrase_probes import phrases_of
from strongroom.usecases.stray_phrases import StrayPhrases
from testbed.databases.attacked import WHO, Attacked, units
from testbed.repair_choices import choose_all
from tests.integration.test_phrases_in_repair import found, made, one, repaired

pytestmark = pytest.mark.parametrize("attacked", ["sqlite", "fresh", "g4"], indirect=True)
TEMPLATE = "m/44'/60'/0'/0/{index}"
LAST = (1 << 31) - 1


def write_event(attacked: Attacked, phrase_id: UUID, to: object) -> None:
    """An event as `phrase advance` writes it, which anyone can write as well."""
    details = json.dumps({"phrase_id": str(phrase_id), "network": "ethereum", "template": TEMPLATE, "to": str(to)})
    value = "?" if attacked.deployment.backend == "sqlite" else "?::text::jsonb"
    attacked.deployment.execute(
        f"INSERT INTO strongroom_events (id, event, details, created_at) VALUES (?, 'phrase-advance', {value}, ?)",
        *(uuid4(), details, "2026-01-01T00:00:00+00:00"),
    )


def break_tags(attacked: Attacked) -> None:
    attacked.deployment.execute("UPDATE strongroom_phrase_account SET tag = 'x'")


@pytest.mark.parametrize("to", [LAST + 1, 1 << 32, 9_999_999_999, "1e9", -1])
def test_an_event_that_no_verb_writes_says_nothing(attacked: Attacked, to: object) -> None:
    project, phrase = made(attacked)
    write_event(attacked, phrase.id, to)
    break_tags(attacked)
    finding = one(attacked, "phrase-account-wrong")
    assert (finding["automatic"], finding["evidence"].endswith("next is 3")) == (True, True)
    repaired(attacked)
    with attacked.deployment.open() as vault:
        assert vault.create_many(project, "ethereum", ["d"])[0].wallet.phrase_index == 3


@pytest.mark.parametrize("to", [1_004, 500_000, LAST])
@pytest.mark.parametrize(
    "change", ["UPDATE strongroom_phrase_account SET tag = 'x'", "DELETE FROM strongroom_phrase_account"]
)
def test_what_an_event_alone_says_is_asked_about(attacked: Attacked, to: int, change: str) -> None:
    """Where it was forged, the row is deleted, and the account goes on after its last wallet."""
    project, phrase = made(attacked)
    write_event(attacked, phrase.id, to)
    attacked.deployment.execute(change)
    finding = one(attacked, "phrase-account-wrong")
    assert (finding["automatic"], f"next is {to}, as an event alone says" in finding["evidence"]) == (False, True)
    assert "the next wallet takes 3" in finding["evidence"]
    path = attacked.plan()
    assert units(path) == {}, "nothing is done without a person"
    assert attacked.apply(path).code == 0
    attacked.deployment.execute("DELETE FROM strongroom_phrase_account")
    with attacked.deployment.open() as vault:
        assert vault.create_many(project, "ethereum", ["d"])[0].wallet.phrase_index == 3
    assert found(attacked) == []


def test_a_few_indices_are_skipped_unasked_and_many_by_choice(attacked: Attacked) -> None:
    project, phrase = made(attacked)
    write_event(attacked, phrase.id, 1_003)
    break_tags(attacked)
    repaired(attacked)
    with attacked.deployment.open() as vault:
        assert [each.next_index for each in vault.list_accounts(project)] == [1_003]
        vault.create_many(project, "ethereum", ["d"])
    write_event(attacked, phrase.id, 70_000)
    break_tags(attacked)
    path = attacked.plan()
    choose_all(path)
    assert attacked.apply(path).code == 0
    with attacked.deployment.open() as vault:
        assert vault.create_many(project, "ethereum", ["e"])[0].wallet.phrase_index == 70_000


def test_an_index_that_no_path_has_is_found_and_mended(attacked: Attacked, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older version signed what an event said."""
    project, phrase = made(attacked)
    write_event(attacked, phrase.id, 9_999_999_999)
    break_tags(attacked)
    with monkeypatch.context() as before:
        before.setattr(account_problems, "advanced_to", lambda *_: {("ethereum", TEMPLATE): 9_999_999_999})
        path = attacked.plan()
        choose_all(path)
        assert attacked.apply(path).code == 0
    with attacked.deployment.open() as vault, pytest.raises(strongroom.InvalidPathError):
        vault.create_many(project, "ethereum", ["d"])
    finding = one(attacked, "phrase-account-wrong")
    assert "says 9999999999, which no path has; next is 3" in finding["evidence"]
    repaired(attacked)
    with attacked.deployment.open() as vault:
        assert vault.create_many(project, "ethereum", ["d"])[0].wallet.phrase_index == 3


def plant_accounts(attacked: Attacked, count: int) -> None:
    """So many rows of accounts that no wallet has."""
    columns = "project_id, phrase_id, network, variant, next_index, version, kid, tag"
    of_one = "(SELECT * FROM strongroom_phrase_account WHERE template = ?) a"
    named = ", ".join(f"a.{name}" for name in columns.split(", "))
    numbers = (
        f"(WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < {count}) SELECT i FROM g) g"
        if attacked.deployment.backend == "sqlite"
        else f"generate_series(1, {count}) g(i)"
    )
    attacked.deployment.execute(
        f"INSERT INTO strongroom_phrase_account ({columns}, template) SELECT {named}, "
        f"'m/0''/60''/' || CAST(g.i AS text) || '''/0/{{index}}' FROM {of_one}, {numbers}",
        TEMPLATE,
    )


def test_an_account_that_nothing_speaks_for_is_left_to_people(attacked: Attacked) -> None:
    project, _ = made(attacked)
    plant_accounts(attacked, 3)
    told = found(attacked, "phrase-account-wrong")
    assert [(each["repair"], each["automatic"], each["command"]) for each in told] == [("ask", False, "")] * 3
    assert all("delete it" in each["evidence"] for each in told)
    assert units(attacked.plan()) == {}
    with attacked.deployment.open() as vault:
        assert vault.create_many(project, "ethereum", ["d"])[0].wallet.phrase_index == 3, "the others go on"


def test_any_number_of_forged_accounts_takes_bounded_memory(
    attacked: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the account that has wallets is mended all the same, wherever its row comes among them."""
    monkeypatch.setattr(account_problems, "_MOST_FORGED", 10)
    project, _ = made(attacked)
    plant_accounts(attacked, 6_000)
    attacked.deployment.execute("UPDATE strongroom_phrase_account SET tag = 'x' WHERE template = ?", TEMPLATE)
    with attacked.deployment.open() as vault:
        context = vault._context
        tracemalloc.start()
        for state in phrases_of(context, StrayPhrases(context), project):
            told = [problem.finding for problem in state.problems()]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 5_000_000
    assert any("more rows that count indices" in each.evidence for each in told)
    [fixed] = [each for each in told if each.automatic]
    assert fixed.evidence.endswith("next is 3")
    assert len(told) == 12
    assert attacked.apply(attacked.plan()).code == 0
    with attacked.deployment.open() as vault:
        assert vault.create_many(project, "ethereum", ["d"])[0].wallet.phrase_index == 3
        assert vault.advance_phrase(project, "ethereum", 9, **WHO).next_index == 9
