"""Rows of phrases that were lost or changed: what doctor finds, what a plan does, and what brings words back."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom import ProjectPhrase, Vault
from strongroom.crypto import phrase as phrase_module
from strongroom.crypto import tags
from strongroom.crypto.phrase import Phrase
from strongroom.crypto.phrase_sealing import seal_phrase
from strongroom.networks import TABLE
from strongroom.records.phrases import CreatedPhrase
from strongroom.secret import Secret
from strongroom.store import phrase_pages
from strongroom.store.schema import strongroom_wallet
from strongroom.takeover.doctor.phrase_problems import PhraseProblem
from strongroom.takeover.doctor.phrase_state import PhraseState
from strongroom.takeover.face import read_plan
from strongroom.usecases.phrase_reading import advanced_to
from testbed.command_line import call
from testbed.concurrency import at_once
from testbed.databases.attacked import WHO, Attacked, units
from testbed.repair_choices import choose_all

pytestmark = pytest.mark.parametrize("attacked", ["sqlite", "fresh", "g4"], indirect=True)

WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"
OTHER_WORDS = "letter advice cage absurd amount doctor acoustic avoid letter advice cage above"
CODES = ("phrase-broken", "phrase-label-twice", "phrase-account-wrong", "phrase-index-wrong", "register-mismatch")
SEALED = "eyJraWQiOi" + "A" * 300


def made(attacked: Attacked, *, kept: bool = False, words: str = WORDS) -> tuple[UUID, ProjectPhrase]:
    """A project with a phrase and three wallets; ``kept``: the history keeps a text of the phrase."""
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        phrase = vault.import_phrase(project, mnemonic=words).phrase
        vault.create_many(project, "ethereum", ["a", "b", "c"])
        if kept:
            vault.rotate_sealing_key(**WHO)
            assert all(each.ok for each in vault.rewrap())
    return project, phrase


def found(attacked: Attacked, code: str = "") -> list[dict[str, Any]]:
    """What doctor finds about phrases; each that is automatic is in a plan, or left to people."""
    every = [each for each in attacked.doctor() if each["code"] in CODES]
    document = json.loads(attacked.plan().read_text())
    planned = {(action["code"], action["row"]) for unit in document["units"] for action in unit["actions"]}
    planned |= {(each["code"], each["row"]) for each in document["left_to_people"]}
    assert {(each["code"], each["row"]) for each in every} <= planned
    return [each for each in every if each["code"] == code] if code else every


def one(attacked: Attacked, code: str) -> dict[str, Any]:
    [only] = found(attacked)
    assert only["code"] == code
    return only


def repaired(attacked: Attacked, *, choose: bool = False) -> None:
    path = attacked.plan()
    if choose:
        choose_all(path)
    answer = attacked.apply(path)
    assert answer.code == 0, answer.err
    assert "done" in answer.out
    assert found(attacked) == []


def carry_out(attacked: Attacked, command: str, words: str = WORDS) -> None:
    """Run the command that a finding names, with the words on standard input."""
    name, *arguments = shlex.split(command)
    assert name == "strongroom"
    base = ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)
    group, verb, *rest = arguments
    answer = call(group, verb, *rest, *base, stdin=f"{words}\n".encode())
    assert answer.code == 0, answer.err


def text_of(attacked: Attacked, phrase: ProjectPhrase) -> str:
    [(text,)] = attacked.deployment.execute("SELECT sealed_text FROM strongroom_phrase WHERE phrase_id = ?", phrase.id)
    return str(text)


def apply(attacked: Attacked, path: Path) -> Any:
    """Carry a plan out by the library, in this thread."""
    takeover = strongroom.open_takeover(attacked.deployment.url, root_key=attacked.deployment.root_key)
    return takeover.apply(read_plan(path))


def write_text(attacked: Attacked, phrase: ProjectPhrase, text: str) -> None:
    attacked.deployment.execute("UPDATE strongroom_phrase SET sealed_text = ? WHERE phrase_id = ?", text, phrase.id)


def assert_whole(attacked: Attacked, project: UUID, phrase: ProjectPhrase, words: str = WORDS) -> None:
    """The phrase opens, and derives every wallet of it."""
    with attacked.deployment.open() as vault:
        assert vault.reveal_phrase(project, phrase.id, **WHO).mnemonic.reveal_text() == words
        assert [each.error for each in vault.verify(project_id=project, phrases=True)] == [None] * 3


def test_a_phrase_that_is_as_it_was_is_no_finding(attacked: Attacked) -> None:
    """Nor is one that the history keeps a text of, was replaced, was let go on, or has wallets of several accounts."""
    project, _ = made(attacked, kept=True)
    with attacked.deployment.open() as vault:
        vault.replace_wallet(vault.find_wallet(project, "ethereum", "a") or "")
        vault.create_many(project, "bitcoin", ["a"], account=3)
        vault.create_many(project, "ethereum", ["d"], path="m/44'/60'/0'/{index}")
        vault.replace_phrase(project)
        vault.advance_phrase(project, "ethereum", 7, actor="test", reason="drill")
    assert attacked.doctor() == [] or attacked.deployment.foreign
    assert found(attacked) == []


@pytest.mark.parametrize("text", ["", "MIGRATION_REQUIRED", SEALED, "another's"])
def test_a_text_that_was_overwritten_comes_back_from_the_history(attacked: Attacked, text: str) -> None:
    project, phrase = made(attacked, kept=True)
    _, other = made(attacked, words=OTHER_WORDS)
    write_text(attacked, phrase, text_of(attacked, other) if text == "another's" else text)
    finding = one(attacked, "phrase-broken")
    assert (finding["row"], finding["repair"], finding["automatic"]) == (str(phrase.id), "fill", True)
    assert finding["command"].startswith("strongroom repair --plan")
    repaired(attacked)
    assert_whole(attacked, project, phrase)
    with attacked.deployment.open() as vault:
        kept = vault.history(phrase.id).entries
        is_kept = text in (SEALED, "another's")
        assert {entry.reason for entry in kept} == ({"rewrap", "repair"} if is_kept else {"rewrap"})
        assert vault.create_many(project, "ethereum", ["d"])[0].wallet.phrase_index == 3


def test_a_lost_text_is_said_to_be_lost_and_words_bring_it_back(attacked: Attacked) -> None:
    project, phrase = made(attacked)
    write_text(attacked, phrase, SEALED)
    finding = one(attacked, "phrase-broken")
    assert (finding["repair"], finding["automatic"]) == ("ask", False), "what stands there was not read"
    assert "words on paper bring the phrase back" in finding["evidence"]
    carry_out(attacked, finding["command"])
    assert found(attacked) == []
    assert_whole(attacked, project, phrase)


def test_words_bring_a_replaced_phrase_back_and_it_stays_replaced(attacked: Attacked) -> None:
    project, phrase = made(attacked)
    with attacked.deployment.open() as vault:
        vault.replace_phrase(project)
    write_text(attacked, phrase, SEALED)
    carry_out(attacked, one(attacked, "phrase-broken")["command"])
    assert_whole(attacked, project, phrase)
    with attacked.deployment.open() as vault:
        assert vault.get_phrase(project, phrase.id).status == "replaced"


def test_other_words_do_not_take_its_place(attacked: Attacked) -> None:
    project, phrase = made(attacked)
    write_text(attacked, phrase, SEALED)
    with attacked.deployment.open() as vault, pytest.raises(strongroom.PhraseConflictError):
        vault.import_phrase(project, mnemonic=OTHER_WORDS)
    assert text_of(attacked, phrase) == SEALED


def test_what_is_no_sealed_text_is_not_written_over(attacked: Attacked) -> None:
    """Somebody may have put words there."""
    _, phrase = made(attacked, kept=True)
    write_text(attacked, phrase, OTHER_WORDS)
    finding = one(attacked, "phrase-broken")
    assert (finding["repair"], finding["command"]) == ("ask", "")
    assert not any(word in finding["evidence"].split() for word in ("letter", "advice"))
    assert units(attacked.plan()) == {}


def test_a_row_that_is_gone_comes_back_from_the_history_as_replaced(attacked: Attacked) -> None:
    project, phrase = made(attacked, kept=True)
    attacked.deployment.execute("DELETE FROM strongroom_phrase WHERE phrase_id = ?", phrase.id)
    finding = one(attacked, "phrase-broken")
    assert (finding["row"], finding["repair"], finding["automatic"]) == (str(phrase.id), "fill", True)
    repaired(attacked)
    assert_whole(attacked, project, phrase)
    with attacked.deployment.open() as vault:
        assert vault.find_phrase(project) is None
        assert vault.get_phrase(project, phrase.id).status == "replaced"
        new = vault.create_phrase(project).phrase
        assert vault.create_many(project, "ethereum", ["d"])[0].wallet.phrase_id == new.id


def test_words_of_a_phrase_whose_row_is_gone_go_on_after_its_last_index(attacked: Attacked) -> None:
    """Under another id its first index would be given twice: two customers would have one key."""
    project, phrase = made(attacked)
    attacked.deployment.execute("DELETE FROM strongroom_phrase WHERE phrase_id = ?", phrase.id)
    finding = one(attacked, "phrase-broken")
    assert finding["repair"] == "none"
    carry_out(attacked, finding["command"])
    assert found(attacked) == []
    assert_whole(attacked, project, phrase)
    with attacked.deployment.open() as vault:
        back = vault.get_phrase(project, phrase.id)
        assert back.status == "active"
        assert vault.create_many(project, "ethereum", ["d"], phrase=back)[0].wallet.phrase_index == 3


def test_other_words_get_an_id_of_their_own(attacked: Attacked) -> None:
    project, phrase = made(attacked)
    attacked.deployment.execute("DELETE FROM strongroom_phrase WHERE phrase_id = ?", phrase.id)
    with attacked.deployment.open() as vault:
        assert vault.import_phrase(project, mnemonic=OTHER_WORDS).phrase.id != phrase.id
        assert vault.create_many(project, "ethereum", ["d"])[0].wallet.phrase_index == 0


@pytest.mark.parametrize(
    "change", ["label = 'x'", "words = 24", "version = 9", "kid = 'x'", "tag = ''", "identifier = 'x'"]
)
def test_a_row_that_was_changed_is_taken_out_of_use_by_choice(attacked: Attacked, change: str) -> None:
    project, phrase = made(attacked)
    attacked.deployment.execute(f"UPDATE strongroom_phrase SET {change} WHERE phrase_id = ?", phrase.id)
    finding = one(attacked, "phrase-broken")
    assert (finding["repair"], finding["automatic"]) == ("retire", False)
    assert units(attacked.plan()) == {}
    repaired(attacked, choose=True)
    assert_whole(attacked, project, phrase)
    with attacked.deployment.open() as vault:
        assert vault.get_phrase(project, phrase.id).status == "replaced"
        assert vault.find_phrase(project) is None


def test_a_row_that_was_changed_with_its_text_is_left_to_people(attacked: Attacked) -> None:
    _, phrase = made(attacked, kept=True)
    attacked.deployment.execute(
        "UPDATE strongroom_phrase SET label = 'x', sealed_text = '' WHERE phrase_id = ?", phrase.id
    )
    assert one(attacked, "phrase-broken")["repair"] == "ask"


# --- how far indices are taken -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM strongroom_phrase_account WHERE phrase_id = ?",
        "UPDATE strongroom_phrase_account SET next_index = 1 WHERE phrase_id = ?",
        "UPDATE strongroom_phrase_account SET next_index = 900 WHERE phrase_id = ?",
        "UPDATE strongroom_phrase_account SET tag = 'x', version = 2147483647 WHERE phrase_id = ?",
    ],
)
def test_the_row_of_an_account_is_made_anew_from_the_register(attacked: Attacked, change: str) -> None:
    project, phrase = made(attacked)
    attacked.deployment.execute(change, phrase.id)
    finding = one(attacked, "phrase-account-wrong")
    assert (finding["row"], finding["automatic"]) == (str(phrase.id), True)
    assert finding["evidence"].endswith("next is 3")
    repaired(attacked)
    with attacked.deployment.open() as vault:
        assert [each.next_index for each in vault.list_accounts(project)] == [3]
        assert vault.create_many(project, "ethereum", ["d"])[0].wallet.phrase_index == 3


def test_an_older_row_of_an_account_is_brought_up_to_date(attacked: Attacked) -> None:
    project, phrase = made(attacked)
    columns = "next_index, version, kid, tag"
    sql = f"SELECT {columns} FROM strongroom_phrase_account WHERE phrase_id = ?"
    [row] = attacked.deployment.execute(sql, phrase.id)
    with attacked.deployment.open() as vault:
        vault.create_many(project, "ethereum", ["d", "e"])
    attacked.deployment.execute(
        "UPDATE strongroom_phrase_account SET next_index = ?, version = ?, kid = ?, tag = ? WHERE phrase_id = ?",
        *(*row, phrase.id),
    )
    finding = one(attacked, "phrase-account-wrong")
    assert (finding["repair"], finding["evidence"][-9:]) == ("relabel", "next is 5")
    repaired(attacked)
    with attacked.deployment.open() as vault:
        assert [each.next_index for each in vault.list_accounts(project)] == [5]


def test_what_was_skipped_stays_skipped(attacked: Attacked) -> None:
    """The events say how far somebody let an account go on."""
    project, phrase = made(attacked)
    with attacked.deployment.open() as vault:
        vault.advance_phrase(project, "ethereum", 5000, actor="test", reason="drill")
    attacked.deployment.execute("DELETE FROM strongroom_phrase_account WHERE phrase_id = ?", phrase.id)
    assert "next is 5000, as an event alone says" in one(attacked, "phrase-account-wrong")["evidence"]
    repaired(attacked, choose=True)
    with attacked.deployment.open() as vault:
        assert vault.create_many(project, "ethereum", ["d"])[0].wallet.phrase_index == 5000


def test_each_account_of_a_phrase_is_told_apart(attacked: Attacked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phrase_pages, "PAGE", 2)  # more than one page of them
    project, phrase = made(attacked)
    with attacked.deployment.open() as vault:
        vault.create_many(project, "bitcoin", ["a", "b"])
        vault.create_many(project, "bitcoin", ["c"], account=2)
        vault.create_many(project, "ethereum", ["d", "e"], path="m/44'/60'/0'/{index}")
        before = vault.list_accounts(project)
    assert found(attacked) == []
    attacked.deployment.execute("DELETE FROM strongroom_phrase_account WHERE phrase_id = ?", phrase.id)
    assert len(found(attacked, "phrase-account-wrong")) == 4
    asked: list[PhraseState] = []
    problems = PhraseState.problems

    def counted(self: PhraseState) -> list[PhraseProblem]:
        asked.append(self)
        return problems(self)

    monkeypatch.setattr(PhraseState, "problems", counted)
    repaired(attacked)
    assert len(asked) <= 5  # by doctor and plans before and after, and by the repair once: not for each account
    with attacked.deployment.open() as vault:
        assert set(vault.list_accounts(project)) == set(before)


def test_a_forged_account_of_no_phrase_is_a_mismatch(attacked: Attacked) -> None:
    _, phrase = made(attacked)
    attacked.deployment.execute(
        "UPDATE strongroom_phrase_account SET phrase_id = ? WHERE phrase_id = ?",
        *("00000000-0000-4000-8000-000000000000", phrase.id),
    )
    codes = [each["code"] for each in found(attacked)]
    assert sorted(codes) == ["phrase-account-wrong", "register-mismatch"]


@pytest.mark.parametrize("column", ["network", "template"])
def test_what_a_forged_account_says_is_neither_told_nor_taken(attacked: Attacked, column: str) -> None:
    """It may be anything, also a key."""
    _, phrase = made(attacked)
    garbage = "5a" * 32
    attacked.deployment.execute(
        f"UPDATE strongroom_phrase_account SET {column} = ? WHERE phrase_id = ?", garbage, phrase.id
    )
    plan = attacked.plan()
    assert garbage not in plan.read_text()
    told = found(attacked, "phrase-account-wrong")
    assert sorted(each["repair"] for each in told) == ["ask", "fill"]
    assert not [each for each in told if garbage in json.dumps(each)]
    assert attacked.apply(plan).code == 0
    [left] = found(attacked, "phrase-account-wrong")
    assert (left["repair"], left["automatic"], left["command"]) == ("ask", False, "")


def test_events_are_read_once_however_many_accounts_were_forged(
    attacked: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, phrase = made(attacked)
    with attacked.deployment.open() as vault:
        vault.advance_phrase(project, "ethereum", 7, actor="test", reason="drill")
    columns = "project_id, phrase_id, network, variant, next_index, version, kid"
    for account in range(5):
        attacked.deployment.execute(
            f"INSERT INTO strongroom_phrase_account ({columns}, template, tag) "
            f"SELECT {columns}, ?, 'x' FROM strongroom_phrase_account WHERE phrase_id = ? AND tag <> 'x'",
            *(f"m/44'/60'/{account + 1}'/0/{{index}}", phrase.id),
        )
    attacked.deployment.execute("UPDATE strongroom_phrase_account SET tag = 'x' WHERE phrase_id = ?", phrase.id)
    asked = list[UUID]()

    def counted(context: Any, phrase_id: UUID) -> Any:
        asked.append(phrase_id)
        return advanced_to(context, phrase_id)

    monkeypatch.setattr("strongroom.takeover.doctor.account_problems.advanced_to", counted)
    told = [each for each in attacked.doctor() if each["code"] == "phrase-account-wrong"]
    assert sorted((each["repair"], "next is 7" in each["evidence"]) for each in told) == [
        *[("ask", False)] * 5,
        ("relabel", True),
    ]
    assert asked == [phrase.id]


def test_skipped_indices_are_not_given_again_whatever_else_the_events_say(attacked: Attacked) -> None:
    """Events of other phrases do not get in the way; where there are more of its own than are read, people decide."""
    project, phrase = made(attacked)
    with attacked.deployment.open() as vault:
        vault.advance_phrase(project, "ethereum", 5_000, **WHO)
    template = "m/44'/60'/0'/0/{index}"
    _write_events(attacked, UUID(int=7), template, 10_001)
    attacked.deployment.execute("DELETE FROM strongroom_phrase_account WHERE phrase_id = ?", phrase.id)
    finding = one(attacked, "phrase-account-wrong")
    assert (finding["repair"], finding["automatic"]) == ("fill", False)
    assert "next is 5000, as an event alone says" in finding["evidence"]
    _write_events(attacked, phrase.id, template, 10_001)
    finding = one(attacked, "phrase-account-wrong")
    assert (finding["repair"], finding["automatic"], finding["command"]) == ("ask", False, "")
    assert "more events" in finding["evidence"]
    assert units(attacked.plan()) == {}
    with attacked.deployment.open() as vault:
        assert vault.advance_phrase(project, "ethereum", 5_001, **WHO).next_index == 5_001
        assert vault.create_many(project, "ethereum", ["d"])[0].wallet.phrase_index == 5_001


def test_records_that_somebody_planted_take_no_index(attacked: Attacked) -> None:
    """They keep wallets from being made, which doctor explains; when they are gone, the next index is the next one."""
    project, _ = made(attacked)
    template = "m/44'/60'/0'/0/"
    columns = [column.name for column in strongroom_wallet.c if column.name != "credential_id"]
    planted: list[str] = []

    def plant(index: int) -> None:
        planted.append(str(uuid4()))
        path = (template + str(index)).replace("'", "''")
        values = ", ".join(f"'{path}'" if name == "path" else name for name in columns)
        attacked.deployment.execute(
            f"INSERT INTO strongroom_wallet (credential_id, {', '.join(columns)}) SELECT '{planted[-1]}', {values} "
            "FROM strongroom_wallet WHERE project_id = ? AND path = ?",
            *(project, f"{template}0"),
        )

    with attacked.deployment.open() as vault:
        first = vault.find_wallet(project, "ethereum", "a")
        assert first is not None
        plant(3)
        with pytest.raises(strongroom.IdentityMismatchError, match="path that comes next"):
            vault.create_many(project, "ethereum", ["d"])
        with pytest.raises(strongroom.IdentityMismatchError, match="path that comes next"):
            vault.replace_wallet(first)
        assert [each.next_index for each in vault.list_accounts(project)] == [3]
        for step in range(2, 31):
            plant(2 + (1 << step) - 1)
        with pytest.raises(strongroom.IdentityMismatchError, match="path that comes next"):
            vault.create_many(project, "ethereum", count=4, label_prefix="d-")
        assert {str(each["row"]) for each in found(attacked, "register-mismatch")} >= set(planted)
        attacked.deployment.execute("DELETE FROM strongroom_phrase_account WHERE project_id = ?", project)
        with pytest.raises(strongroom.IdentityMismatchError, match="path that comes next"):
            vault.create_many(project, "ethereum", ["d"])  # where the end of what is taken is looked for
        for wallet_id in planted:
            attacked.deployment.execute(f"DELETE FROM strongroom_wallet WHERE credential_id = '{wallet_id}'")
        assert vault.create_many(project, "ethereum", ["d"])[0].wallet.phrase_index == 3
        assert vault.replace_wallet(first).wallet.phrase_index == 4
    assert found(attacked) == []


def _write_events(attacked: Attacked, phrase_id: UUID, template: str, count: int) -> None:
    """Newer events that let an account go on to 9."""
    details = json.dumps({"phrase_id": str(phrase_id), "network": "ethereum", "template": template, "to": "9"})
    if attacked.deployment.backend == "sqlite":
        sql = (
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
            "INSERT INTO strongroom_events (id, event, details, created_at) SELECT "
            "? || printf('%08d', i), 'phrase-advance', ?, '2099-01-01T00:00:00+00:00' FROM n"
        )
        attacked.deployment.execute(sql, str(phrase_id)[:28], details)
        return
    sql = (
        "INSERT INTO strongroom_events (id, event, details, created_at) SELECT gen_random_uuid(), "
        "'phrase-advance', ?::jsonb, '2099-01-01' FROM generate_series(1, ?::int)"
    )
    attacked.deployment.execute(sql, details, count)


# --- labels, and keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [True, False])
def test_a_row_that_was_copied_into_another_project_hides_no_other_finding(attacked: Attacked, first: bool) -> None:
    """It is left to people, and what is wrong with the phrase's own row or account is planned all the same."""
    project, phrase = made(attacked, kept=True)
    other = UUID(int=0 if first else (1 << 128) - 1)
    columns = "phrase_id, label, words, has_passphrase, identifier, status, version, sealed_text, created_at, kid, tag"
    copy = "INSERT INTO {0} (project_id, {1}) SELECT ?, {1} FROM {0} WHERE phrase_id = ?"
    attacked.deployment.execute(copy.format("strongroom_phrase", columns), other, phrase.id)
    accounts = "phrase_id, network, variant, template, next_index, version, kid, tag"
    attacked.deployment.execute(copy.format("strongroom_phrase_account", accounts), other, phrase.id)
    own = " WHERE phrase_id = ? AND project_id = ?"
    attacked.deployment.execute(f"UPDATE strongroom_phrase SET sealed_text = ''{own}", phrase.id, project)
    told = [(each["code"], each["repair"]) for each in found(attacked)]
    assert sorted(told) == [
        ("phrase-account-wrong", "ask"),
        *(("phrase-broken", repair) for repair in ("ask", "fill")),
    ]
    document = json.loads(attacked.plan().read_text())
    planned = [action["source"] for unit in document["units"] for action in unit["actions"]]
    assert [each.partition(" ")[0] for each in planned] == [str(project)]
    left = [each for each in document["left_to_people"] if each["code"] in CODES]
    assert [(each["code"], each["repair"]) for each in left] == [
        ("phrase-broken", "ask"),
        ("phrase-account-wrong", "ask"),
    ]
    attacked.apply(attacked.plan())
    assert_whole(attacked, project, phrase)


def test_of_two_phrases_of_one_label_the_newer_one_stays(attacked: Attacked) -> None:
    """Who writes rows put an older one back, behind an index that was dropped."""
    project, phrase = made(attacked)
    columns = "label, words, has_passphrase, identifier, status, version, kid, tag"
    [row] = attacked.deployment.execute(f"SELECT {columns} FROM strongroom_phrase WHERE phrase_id = ?", phrase.id)
    with attacked.deployment.open() as vault:
        new = vault.replace_phrase(project).phrase
    attacked.deployment.execute("DROP INDEX strongroom_phrase_label")
    attacked.deployment.execute(
        "UPDATE strongroom_phrase SET label = ?, words = ?, has_passphrase = ?, identifier = ?, status = ?, "
        "version = ?, kid = ?, tag = ? WHERE phrase_id = ?",
        *(*row, phrase.id),
    )
    finding = one(attacked, "phrase-label-twice")
    assert (finding["row"], finding["repair"], finding["automatic"]) == (str(phrase.id), "retire", True)
    with attacked.deployment.open() as vault:
        assert vault.find_phrase(project) == new
    repaired(attacked)
    assert_whole(attacked, project, phrase)
    with attacked.deployment.open() as vault:
        assert vault.get_phrase(project, phrase.id).status == "replaced"


def test_a_wallet_whose_key_the_phrase_does_not_derive_is_told(attacked: Attacked) -> None:
    """Only who has the keyring can write such a phrase."""
    project, phrase = made(attacked)
    with attacked.deployment.open() as vault:
        _give_other_words(attacked, vault, project, phrase)
        assert [each.code for each in vault.verify(project_id=project, phrases=True)] == ["phrase-mismatch"] * 3
        wallets = {str(each.id) for each in vault.list_wallets(project).wallets}
    told = found(attacked, "phrase-index-wrong")
    assert {each["row"] for each in told} == wallets
    assert {each["repair"] for each in told} == {"ask"}
    base = ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)
    assert call(*shlex.split(told[0]["command"])[1:], *base, "--reason", "test").code == 0


def _give_other_words(attacked: Attacked, vault: Vault, project: UUID, phrase: ProjectPhrase) -> None:
    context = vault._context
    stored = context.store.phrases.get(project, phrase.id)
    assert stored is not None
    other = Phrase.parse(Secret.from_text(OTHER_WORDS))
    record = stored.record._replace(identifier=TABLE.identifier(other))
    text = seal_phrase(other, record, context.keyring.active_kid, context.keyring)
    tag = tags.make("phrase", record.fields(), context.keyring)
    attacked.deployment.execute(
        "UPDATE strongroom_phrase SET sealed_text = ?, identifier = ?, tag = ? WHERE phrase_id = ?",
        *(text, record.identifier, tag.value, phrase.id),
    )


# --- what it costs, and what is erased -------------------------------------------------------------------------


def test_the_seed_of_a_phrase_is_computed_once_however_many_wallets_are_proved(
    attacked: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = made(attacked)
    computed: list[bool] = []
    stretch = phrase_module._stretch

    def counting(mnemonic: Secret, passphrase: Secret | None) -> Secret:
        if mnemonic.reveal_text() == WORDS:  # doctor makes wallets of its own
            computed.append(True)
        return stretch(mnemonic, passphrase)

    monkeypatch.setattr(phrase_module, "_stretch", counting)
    with attacked.deployment.open() as vault:
        assert [each.error for each in vault.verify(project_id=project, phrases=True)] == [None] * 3
    assert len(computed) == 1
    assert not [each for each in attacked.doctor() if each["code"] in CODES]
    assert len(computed) == 2


def test_an_erased_project_keeps_no_label_with_the_texts_of_its_phrase(attacked: Attacked) -> None:
    project, phrase = made(attacked, kept=True)
    with attacked.deployment.open() as vault:
        assert not vault.erase_project(project, **WHO).failed
        [kept] = vault.history(phrase.id).entries
    assert kept.label == f"erased-{phrase.id.hex[-12:]}"
    write_text(attacked, phrase, "")
    assert one(attacked, "phrase-broken")["automatic"]
    repaired(attacked)
    assert_whole(attacked, project, phrase)


# --- two at once ---------------------------------------------------------------------------------------------


def test_two_who_apply_a_plan_at_once_do_it_once(attacked: Attacked) -> None:
    project, phrase = made(attacked, kept=True)
    write_text(attacked, phrase, SEALED)
    attacked.deployment.execute("DELETE FROM strongroom_phrase_account WHERE phrase_id = ?", phrase.id)
    answers = at_once([partial(apply, attacked, attacked.plan()) for _ in range(2)])
    assert not any(isinstance(each, strongroom.StrongroomError) for each in answers)
    assert found(attacked) == []
    assert_whole(attacked, project, phrase)
    with attacked.deployment.open() as vault:
        done = [each.details["did"] for each in vault.list_log(action="phrase-repair").records]
        assert sorted(done) == ["account", "text"]
        assert [entry.reason for entry in vault.history(phrase.id).entries] == ["rewrap", "repair"]


def test_wallets_that_are_made_while_an_account_is_repaired_have_no_gaps(attacked: Attacked) -> None:
    project, phrase = made(attacked)
    attacked.deployment.execute("DELETE FROM strongroom_phrase_account WHERE phrase_id = ?", phrase.id)
    path = attacked.plan()
    with attacked.deployment.open() as one_vault, attacked.deployment.open() as other_vault:
        at_once(
            [
                partial(apply, attacked, path),
                partial(one_vault.create_many, project, "ethereum", count=5, label_prefix="x-"),
                partial(other_vault.create_many, project, "ethereum", count=5, label_prefix="y-"),
            ]
        )
        indices = sorted(each.phrase_index or 0 for each in one_vault.list_wallets(project, limit=1000).wallets)
        assert indices == list(range(13))
        assert [each.next_index for each in one_vault.list_accounts(project)] == [13]
    assert found(attacked) == []


def test_two_who_bring_the_words_at_once_write_one_text(attacked: Attacked) -> None:
    project, phrase = made(attacked)
    write_text(attacked, phrase, SEALED)
    with attacked.deployment.open() as one_vault, attacked.deployment.open() as other_vault:
        calls: list[Callable[[], CreatedPhrase]] = [
            partial(vault.import_phrase, project, mnemonic=WORDS) for vault in (one_vault, other_vault)
        ]
        answers = at_once(calls)
        assert [each for each in answers if isinstance(each, strongroom.StrongroomError)] == []
        assert len(one_vault.list_log(action="phrase-repair").records) == 1
    assert_whole(attacked, project, phrase)
