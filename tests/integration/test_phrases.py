"""Phrases of a project, and wallets that take the next index of one; two real vaults for each race."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
import wallycore
from eth_account import Account

import strongroom
from strongroom import Vault
from strongroom.records.phrases import CreatedPhrase
from strongroom.records.wallets import Created
from strongroom.usecases import phrase_labels
from testbed.concurrency import at_once
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.older_versions import take_back, upgrade

WORDS = "test test test test test test test test test test test junk"
BY: dict[str, Any] = {"actor": "test", "reason": "to compare"}
Account.enable_unaudited_hdwallet_features()


def paths_of(deployment: Deployment, project: UUID, network: str = "ethereum") -> list[int]:
    """The indices of a project's derived wallets, as the register has them."""
    sql = (
        "SELECT phrase_index FROM strongroom_wallet WHERE project_id = ? AND network = ? AND phrase_id IS NOT NULL "
        "ORDER BY phrase_index"
    )
    return [int(index) for (index,) in deployment.execute(sql, project, network)]


def address_at(vault: Vault, project: UUID, path: str | None) -> str:
    """The address that another library derives from the project's phrase."""
    words = vault.reveal_phrase(project, **BY).mnemonic.reveal_text()
    return str(Account.from_mnemonic(words, account_path=str(path)).address)


def fingerprint_of(words: str) -> str:
    """The fingerprint that another library computes."""
    seed = wallycore.bip39_mnemonic_to_seed512(words, None)
    root = wallycore.bip32_key_from_seed(seed, wallycore.BIP32_VER_MAIN_PRIVATE, 0)
    return str(bytes(wallycore.bip32_key_get_fingerprint(root)).hex())


# --- the phrase itself ---------------------------------------------------------------------------------------


def test_one_phrase_is_made_however_many_ask(deployment: Deployment, vault_a: Vault, vault_b: Vault) -> None:
    project = deployment.project()
    calls: list[Callable[[], CreatedPhrase]] = [
        partial(vault.create_phrase, project) for vault in (vault_a, vault_b) for _ in range(4)
    ]
    made = [each for each in at_once(calls) if not isinstance(each, strongroom.StrongroomError)]
    assert len(made) == 8
    assert len({each.phrase.id for each in made}) == 1
    assert [each.created for each in made].count(True) == 1
    assert vault_a.find_phrase(project) == vault_b.find_phrase(project)


def test_a_phrase_is_told_by_its_label_and_its_fingerprint(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    imported, created = vault_a.import_phrase(project, mnemonic=WORDS, label="cold")
    assert created
    assert (imported.fingerprint, imported.words, imported.has_passphrase) == (fingerprint_of(WORDS), 12, False)
    other, _ = vault_a.create_phrase(project, words=12)
    assert [each.label for each in vault_a.list_phrases(project).phrases] == ["cold", "default"]
    assert other.fingerprint != imported.fingerprint
    assert vault_a.find_phrase(project, "none") is None
    assert vault_a.reveal_phrase(project, "cold", **BY).mnemonic.reveal_text() == WORDS


def test_a_phrase_that_is_there_is_not_taken_in_under_another_label(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    first, _ = vault_a.import_phrase(project, mnemonic=WORDS)
    assert vault_a.import_phrase(project, mnemonic=WORDS.upper()) == (first, False)
    with pytest.raises(strongroom.PhraseConflictError, match="under the label default"):
        vault_a.import_phrase(project, mnemonic=WORDS, label="again")
    with pytest.raises(strongroom.PhraseConflictError, match="Another phrase"):
        vault_a.import_phrase(project, mnemonic=WORDS, passphrase="other")
    assert len(vault_a.list_phrases(project).phrases) == 1


def test_an_idempotency_key_names_the_phrase_that_it_made(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    made, _ = vault_a.create_phrase(project, idempotency_key="k")
    assert vault_a.create_phrase(project, idempotency_key="k") == (made, False)
    with pytest.raises(strongroom.IdempotencyConflictError):
        vault_a.create_phrase(project, words=12, idempotency_key="k")
    with pytest.raises(strongroom.IdempotencyConflictError):
        vault_a.create_wallet(project, "ethereum", idempotency_key="k")


def test_nothing_is_revealed_without_an_event(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    made, _ = vault_a.create_phrase(project)
    vault_a.reveal_phrase(project, made, **BY)
    (record, *_) = vault_a.list_log(action="phrase-export").records
    assert (record.actor, record.details["phrase_id"]) == ("test", str(made.id))
    with pytest.raises(strongroom.PhraseNotFoundError):
        vault_a.reveal_phrase(deployment.project(), made.id, **BY)


def test_a_phrase_that_was_replaced_stays_and_derives_no_more(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    old, _ = vault_a.create_phrase(project)
    before = vault_a.create_wallet(project, "ethereum", phrase="default").wallet
    new, _ = vault_a.replace_phrase(project)
    assert vault_a.find_phrase(project) == new
    assert vault_a.reveal_phrase(project, old.id, **BY).mnemonic.reveal_text()
    with pytest.raises(strongroom.PhraseConflictError, match="replaced"):
        vault_a.create_wallet(project, "ethereum", label="b", phrase=old.id)
    assert vault_a.create_wallet(project, "ethereum", label="b", phrase="default").wallet.phrase_id == new.id
    assert vault_a.get_wallet(before.id).phrase_id == old.id
    assert [result.error for result in vault_a.verify(project_id=project, phrases=True)] == [None, None]


def test_a_row_that_was_changed_is_no_phrase(deployment: Deployment, vault_a: Vault) -> None:
    project, other = deployment.project(), deployment.project()
    vault_a.create_phrase(project, label="a")
    vault_a.create_phrase(other, label="b")
    deployment.execute("UPDATE strongroom_phrase SET label = 'c' WHERE project_id = ?", project)
    with pytest.raises(strongroom.IdentityMismatchError):
        vault_a.find_phrase(project, "c")
    deployment.execute("UPDATE strongroom_phrase SET label = 'a' WHERE project_id = ?", project)
    ((text,),) = deployment.execute("SELECT sealed_text FROM strongroom_phrase WHERE project_id = ?", other)
    deployment.execute("UPDATE strongroom_phrase SET sealed_text = ? WHERE project_id = ?", text, project)
    with pytest.raises(strongroom.IdentityMismatchError, match="project_id"):
        vault_a.create_wallet(project, "ethereum", phrase="a")
    assert paths_of(deployment, project) == []


def test_an_idempotency_key_of_a_derived_wallet_answers_with_it_alone(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    vault_a.create_phrase(project)
    made = vault_a.create_wallet(project, "ethereum", label="a", phrase="default", idempotency_key="k")
    again = vault_a.create_wallet(project, "ethereum", label="a", phrase="default", idempotency_key="k")
    assert (again.wallet, made.created, again.created) == (made.wallet, True, False)
    with pytest.raises(strongroom.IdempotencyConflictError, match="label"):
        vault_a.create_wallet(project, "ethereum", label="b", phrase="default", idempotency_key="k")
    with pytest.raises(strongroom.IdempotencyConflictError):
        vault_a.create_wallet(project, "ethereum", label="a", idempotency_key="k")
    assert paths_of(deployment, project) == [0]


@pytest.mark.parametrize(("phrases", "limit", "pages"), [(0, 2, [0]), (2, 2, [2]), (4, 2, [2, 2]), (3, 2, [2, 1])])
def test_the_last_page_of_phrases_says_that_it_is_the_last(
    deployment: Deployment, vault_a: Vault, phrases: int, limit: int, pages: list[int]
) -> None:
    project = deployment.project()
    made = [vault_a.create_phrase(project, words=12, label=f"p-{number}").phrase for number in range(phrases)]
    page = vault_a.list_phrases(project, limit=limit)
    every = [page]
    while page.next is not None:
        page = vault_a.list_phrases(project, limit=limit, after=page.next)
        every.append(page)
    assert [len(each.phrases) for each in every] == pages
    assert [phrase for each in every for phrase in each.phrases] == made


# --- wallets of it -------------------------------------------------------------------------------------------


def test_wallets_take_one_index_after_another(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    vault_a.create_phrase(project)
    made = vault_a.create_many(project, "ethereum", count=12, label_prefix="c-")
    assert [each.wallet.path for each in made] == [f"m/44'/60'/0'/0/{index}" for index in range(12)]
    assert made[11].wallet.address == address_at(vault_a, project, made[11].wallet.path)
    again = vault_a.create_many(project, "ethereum", count=14, label_prefix="c-")
    assert [each.created for each in again] == [False] * 12 + [True] * 2
    assert [each.wallet for each in again[:12]] == [each.wallet for each in made]
    assert [each.error for each in vault_a.verify(project_id=project, phrases=True)] == [None] * 14
    found = vault_a.get_wallet(again[13].wallet.id)
    assert (found.phrase_index, found.label) == (13, "c-13")
    assert found == again[13].wallet


def test_a_count_takes_a_prefix_or_an_idempotency_key(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    vault_a.create_phrase(project)
    made = vault_a.create_many(project, "ethereum", count=2, idempotency_key="order 7")
    again = vault_a.create_many(project, "ethereum", count=3, idempotency_key="order 7")
    assert [each.wallet for each in again[:2]] == [each.wallet for each in made]
    assert [each.created for each in again] == [False, False, True]
    assert vault_a.create_many(project, "ethereum", count=1, idempotency_key="order 8")[0].wallet.phrase_index == 3
    for wrong in ({"count": 2}, {"count": 2, "label_prefix": "a", "idempotency_key": "k"}, {"label_prefix": "a"}):
        with pytest.raises(strongroom.InvalidLabelError):
            vault_a.create_many(project, "ethereum", **wrong)
    with pytest.raises(strongroom.InvalidLabelError):
        vault_a.create_many(project, "ethereum", ["a"], count=1)


@pytest.mark.parametrize(
    ("network", "path"),
    [("bitcoin", "m/84'/0'/0'/0/1"), ("solana", "m/44'/501'/1'/0'"), ("polygon", "m/44'/60'/0'/0/1")],
)
def test_the_index_stands_where_the_network_has_it(
    deployment: Deployment, vault_a: Vault, network: str, path: str
) -> None:
    project = deployment.project()
    vault_a.create_phrase(project)
    assert vault_a.create_many(project, network, ["a", "b"])[1].wallet.path == path


def test_an_account_and_a_path_of_ones_own_count_for_themselves(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    vault_a.create_phrase(project)
    first = vault_a.create_many(project, "ethereum", ["a", "b"])
    second = vault_a.create_many(project, "ethereum", ["c"], account=7)
    third = vault_a.create_many(project, "ethereum", ["d"], path="m/44'/60'/0'/{index}")
    paths = [each.wallet.path for each in (*first, *second, *third)]
    assert paths == ["m/44'/60'/0'/0/0", "m/44'/60'/0'/0/1", "m/44'/60'/7'/0/0", "m/44'/60'/0'/0"]
    with pytest.raises(strongroom.InvalidPathError):
        vault_a.create_many(project, "solana", ["a"], account=1)
    with pytest.raises(strongroom.InvalidPathError):
        vault_a.create_many(project, "ethereum", ["e"], path="m/44'/60'")


def test_indices_have_no_gaps_and_no_repetition_whoever_takes_them(
    deployment: Deployment, vault_a: Vault, vault_b: Vault
) -> None:
    """Two vaults make overlapping wallets at once, one by one and in batches."""
    project = deployment.project()
    vault_a.create_phrase(project)
    calls: list[Callable[[], list[Created]]] = [
        *(partial(vault.create_many, project, "ethereum", count=9, label_prefix="a-") for vault in (vault_a, vault_b)),
        partial(vault_a.create_many, project, "ethereum", [f"a-{number}" for number in range(12, 4, -1)]),
        *(partial(_one, vault, project, f"b-{n}") for n in range(3) for vault in (vault_a, vault_b)),
    ]
    results = at_once(calls)
    assert [each for each in results if isinstance(each, strongroom.StrongroomError)] == []
    assert paths_of(deployment, project) == list(range(13 + 3))
    deployment.assert_sound(vault_a)
    assert [each.error for each in vault_a.verify(project_id=project, phrases=True)] == [None] * 16


def _one(vault: Vault, project: UUID, label: str) -> list[Created]:
    return [vault.create_wallet(project, "ethereum", label=label, phrase="default")]


def test_a_callers_transaction_that_rolls_back_took_no_index(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    vault_a.create_phrase(project)
    engine = strongroom.create_engine(deployment.url)
    try:
        with engine.connect() as connection:
            made = vault_a.create_many(project, "ethereum", ["a", "b"], connection=connection)
            assert not made[0].wallet.durable
            connection.rollback()
        assert paths_of(deployment, project) == []
        with engine.connect() as connection:
            vault_a.create_many(project, "ethereum", ["b", "c"], connection=connection)
            connection.commit()
    finally:
        engine.dispose()
    assert paths_of(deployment, project) == [0, 1]
    assert vault_a.create_many(project, "ethereum", ["a"])[0].wallet.phrase_index == 2


def test_a_wallet_that_is_there_is_not_taken_for_one_of_the_phrase(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    vault_a.create_phrase(project)
    vault_a.create_wallet(project, "ethereum", label="a")
    with pytest.raises(strongroom.PhraseConflictError, match="was not derived"):
        vault_a.create_many(project, "ethereum", ["a"])
    with pytest.raises(strongroom.PhraseConflictError):
        vault_a.create_many(project, "ethereum", ["b", "a", "c"])
    with pytest.raises(strongroom.PhraseNotFoundError):
        vault_a.create_wallet(project, "ethereum", label="z", phrase="none")


def test_an_account_whose_row_is_gone_goes_on_where_it_was(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    vault_a.create_phrase(project)
    vault_a.create_many(project, "ethereum", count=21, label_prefix="a-")
    deployment.execute("DELETE FROM strongroom_phrase_account WHERE project_id = ?", project)
    assert vault_a.create_many(project, "ethereum", ["b"])[0].wallet.phrase_index == 21
    deployment.execute("UPDATE strongroom_phrase_account SET next_index = 4 WHERE project_id = ?", project)
    with pytest.raises(strongroom.IdentityMismatchError, match="counts the indices"):
        vault_a.create_many(project, "ethereum", ["c"])
    assert paths_of(deployment, project) == list(range(22))


def test_skipped_indices_are_never_taken(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    vault_a.create_phrase(project)
    assert vault_a.advance_phrase(project, "ethereum", 5, actor="test", reason="an older backup").next_index == 5
    assert vault_a.advance_phrase(project, "ethereum", 3, actor="test", reason="an older backup").next_index == 5
    assert vault_a.create_many(project, "ethereum", ["a"])[0].wallet.phrase_index == 5
    assert vault_a.list_log(action="phrase-advance").records[0].details["to"] == "5"


def test_a_replaced_wallet_gives_way_to_the_next_index(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    vault_a.create_phrase(project)
    first, second = (each.wallet for each in vault_a.create_many(project, "ethereum", ["a", "b"]))
    new = vault_a.replace_wallet(first.id).wallet
    assert (new.phrase_index, new.path, new.label) == (2, "m/44'/60'/0'/0/2", "a")
    assert vault_a.replace_wallet(first.id).wallet == new
    assert vault_a.create_many(project, "ethereum", ["c"])[0].wallet.phrase_index == 3
    assert second.phrase_index == 1
    assert paths_of(deployment, project) == [0, 1, 2, 3]
    deployment.assert_sound(vault_a)


def test_replacing_and_skipping_get_through_while_others_derive(request: pytest.FixtureRequest) -> None:
    """They take indices under the lock that those who derive wait for: they wait, too, and are not refused."""
    for backend in ("fresh", "g4"):
        with open_deployment(backend, request) as deployment, deployment.open() as vault:
            project = deployment.project()
            vault.create_phrase(project)
            made = vault.create_many(project, "ethereum", count=6, label_prefix="w-")
            begun, stop = threading.Event(), threading.Event()
            with ThreadPoolExecutor(2) as derivers:
                running = [
                    derivers.submit(_derive_until, deployment, project, name, begun, stop) for name in ("a", "b")
                ]
                try:
                    assert begun.wait(30)
                    replaced = [vault.replace_wallet(each.wallet.id).wallet.phrase_index for each in made]
                finally:
                    stop.set()
                assert all(each.result() > 1 for each in running)
            taken = paths_of(deployment, project)
            assert taken == list(range(len(taken)))
            assert len(set(replaced)) == 6
            assert min(each for each in replaced if each is not None) > 5
            begun.clear()
            stop.clear()
            with ThreadPoolExecutor(1) as derivers:
                deriver = derivers.submit(_derive_until, deployment, project, "c", begun, stop)
                try:
                    assert begun.wait(30)
                    for ahead in range(10_000, 10_400, 100):
                        assert vault.advance_phrase(project, "ethereum", ahead, **BY).next_index >= ahead
                finally:
                    stop.set()
                assert deriver.result() > 1
            deployment.assert_sound(vault)


def _derive_until(
    deployment: Deployment, project: UUID, name: str, begun: threading.Event, stop: threading.Event
) -> int:
    """Derive small batches through a vault of one's own until told to stop; how many there were."""
    number = 0
    with deployment.open() as vault:
        while not stop.is_set():
            vault.create_many(project, "ethereum", count=5, label_prefix=f"{name}{number}-")
            number += 1
            if number == 2:
                begun.set()
    return number


def test_rewrap_moves_phrases_too_before_a_key_is_retired(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    made, _ = vault_a.create_phrase(project)
    vault_a.create_many(project, "ethereum", ["a", "b"])
    vault_a.rotate_sealing_key()
    assert vault_a.count_pending_rewraps() == 3
    assert [result.error for result in vault_a.rewrap()] == [None] * 3
    assert sorted(deployment.states().values()) == ["active", "retired"]
    assert vault_a.reveal_phrase(project, made, **BY).mnemonic.reveal_text()
    assert vault_a.create_many(project, "ethereum", ["c"])[0].wallet.phrase_index == 2
    with deployment.open() as other:
        assert [each.error for each in other.verify_phrases(project)] == [None]
        [kept] = other.history(made.id).entries
    assert (kept.reason, kept.form, kept.label) == ("rewrap", "sealed", f"erased-{made.id.hex[-12:]}")
    with pytest.raises(strongroom.StrongroomError):
        vault_a.reveal_kept(kept.id, **BY)


@pytest.mark.parametrize("backend", ["g2", "g3", "g4"])
def test_a_wallet_that_lost_its_slot_and_its_record_keeps_its_phrase_and_index(
    backend: str, request: pytest.FixtureRequest
) -> None:
    """Its sealed text says both; that it is the project's own, a person says who looked at it."""
    with open_deployment(backend, request) as deployment, deployment.open() as vault:
        project = deployment.project()
        phrase, _ = vault.create_phrase(project)
        [first, second] = vault.create_many(project, "ethereum", ["a", "b"])
        deployment.execute("DELETE FROM strongroom_slot WHERE project_id = ?", project)
        deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", second.wallet.id)
        with pytest.raises(strongroom.IdentityMismatchError, match="no record"):
            vault.create_many(project, "ethereum", ["b"])
        takeover = strongroom.open_takeover(deployment.url, root_key=deployment.root_key)
        assert takeover.upgrade(accept=[second.wallet.id]).undecided == ()
        [again] = vault.create_many(project, "ethereum", ["b"])
        assert (again.wallet.id, again.created) == (second.wallet.id, False)
        assert (again.wallet.phrase_id, again.wallet.phrase_index) == (phrase.id, 1)
        assert vault.create_wallet(project, "ethereum", label="a", phrase=phrase).wallet.id == first.wallet.id
        assert vault.create_many(project, "ethereum", ["c"])[0].wallet.phrase_index == 2
        assert [each.error for each in vault.verify(project_id=project, phrases=True)] == [None] * 3
        deployment.assert_sound(vault)


@pytest.mark.parametrize("backend", ["g2", "g3", "g4"])
def test_wallets_that_no_slot_names_are_adopted_and_take_no_index(backend: str, request: pytest.FixtureRequest) -> None:
    with open_deployment(backend, request) as deployment, deployment.open() as vault:
        project = deployment.project()
        vault.create_phrase(project)
        made = vault.create_many(project, "ethereum", ["a", "b"])
        other = vault.create_wallet(project, "ethereum", label="d").wallet
        deployment.execute("DELETE FROM strongroom_slot WHERE project_id = ?", project)
        again = vault.create_many(project, "ethereum", ["c", "b", "a"])
        assert [each.wallet.phrase_index for each in again] == [2, 1, 0]
        assert {each.wallet.id for each in again} > {each.wallet.id for each in made}
        with pytest.raises(strongroom.PhraseConflictError, match="was not derived"):
            vault.create_many(project, "ethereum", ["d", "e"])
        assert vault.find_wallet(project, "ethereum", "d") is None  # nothing is adopted by a call that is refused
        assert vault.create_wallet(project, "ethereum", label="d") == (other, False)
        assert vault.create_many(project, "ethereum", ["e"])[0].wallet.phrase_index == 3
        deployment.assert_sound(vault)


def test_a_vault_from_before_phrases_is_brought_up_to_date(vault_url: str, root_key_uri: str) -> None:
    project = uuid4()
    with strongroom.open(vault_url, root_key=root_key_uri) as vault:
        old = vault.create_wallet(project, "ethereum").wallet
    take_back(vault_url, "0003")
    with pytest.raises(strongroom.UpgradeNeededError):
        strongroom.open(vault_url, root_key=root_key_uri)
    upgrade(vault_url, root_key_uri)
    with strongroom.open(vault_url, root_key=root_key_uri) as vault:
        vault.create_phrase(project)
        assert vault.create_many(project, "ethereum", ["a", "b"])[1].wallet.phrase_index == 1
        assert vault.get_wallet(old.id) == old
        assert [result.error for result in vault.verify(phrases=True)] == [None] * 3


def test_two_accounts_that_meet_in_a_path_make_one_wallet_of_it(deployment: Deployment, vault_a: Vault) -> None:
    """m/44'/60'/{index}'/0/5 and m/44'/60'/0'/0/{index} meet at m/44'/60'/0'/0/5, whoever is first."""
    for first, second in (("own", None), (None, "own")):
        project = deployment.project()
        vault_a.create_phrase(project)
        own = "m/44'/60'/{index}'/0/5"
        for path in (first, second):
            vault_a.create_many(
                project, "ethereum", count=8, label_prefix=f"{path}-".lower(), path=own if path else None
            )
        sql = "SELECT address, path FROM strongroom_wallet WHERE project_id = ?"
        found = deployment.execute(sql, project)
        assert len({address for address, _ in found}) == len({path for _, path in found}) == 16
        deployment.assert_sound(vault_a)


def test_a_path_of_ones_own_has_one_spelling(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    vault_a.create_phrase(project)
    first = vault_a.create_wallet(project, "ethereum", label="a", phrase="default", path="m/44h/60H/9'/0/{index}")
    second = vault_a.create_wallet(project, "ethereum", label="b", phrase="default", account=9)
    assert [first.wallet.path, second.wallet.path] == ["m/44'/60'/9'/0/0", "m/44'/60'/9'/0/1"]
    for wrong in (
        "m/44'/60'/1{index}",
        "m/44'/{index}/{index}",
        "m/44'/60'",
        "{index}",
        "m/{index}''",
        "m//{index}",
        7,
    ):
        with pytest.raises(strongroom.InvalidPathError):
            vault_a.create_wallet(project, "ethereum", label="c", phrase="default", path=wrong)  # type: ignore[arg-type]
    with pytest.raises(strongroom.InvalidPathError, match="goes with a phrase"):
        vault_a.create_wallet(project, "ethereum", label="c", account=1)


def test_to_skip_nothing_makes_no_account(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    vault_a.create_phrase(project)
    assert vault_a.advance_phrase(project, "ethereum", 0, actor="ann", reason="a test").next_index == 0
    assert vault_a.list_accounts(project) == ()


def test_a_label_of_a_named_account_is_no_other_accounts(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    vault_a.create_phrase(project)
    made = vault_a.create_wallet(project, "ethereum", label="a", phrase="default", account=3)
    assert vault_a.create_wallet(project, "ethereum", label="a", phrase="default", account=3) == (made.wallet, False)
    assert vault_a.create_wallet(project, "ethereum", label="a", phrase="default") == (made.wallet, False)
    others: list[dict[str, Any]] = [{"variant": "default"}, {"account": 4}, {"path": "m/44'/60'/3'/{index}"}]
    for how in others:
        with pytest.raises(strongroom.PhraseConflictError, match="another account"):
            vault_a.create_many(project, "ethereum", ["a"], **how)


def test_more_labels_than_a_call_may_have_are_refused_without_reading_them_all(
    deployment: Deployment, vault_a: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = deployment.project()
    vault_a.create_phrase(project)
    monkeypatch.setattr(phrase_labels, "_MOST", 10)
    endless: Any = (f"l{number}" for number in itertools.count())
    for labels in (endless, [f"l{number}" for number in range(11)]):
        with pytest.raises(strongroom.InvalidLabelError, match="More than 10 labels"):
            vault_a.create_many(project, "ethereum", labels)
    assert len(vault_a.create_many(project, "ethereum", [f"l{number}" for number in range(10)])) == 10
