"""Phrases of projects and their indices: no row, and no other phrase or path, gives one key to two wallets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import strongroom
from strongroom.crypto.phrase import Phrase
from strongroom.networks import TABLE
from strongroom.ports.phrase_store import PhraseBatch
from strongroom.records.key_material import KeyMaterial
from strongroom.records.phrases import AccountRecord, TaggedAccount
from strongroom.secret import Secret
from strongroom.store.phrase_store import SqlPhraseStore
from strongroom.store.wallet_store import SqlWalletStore
from strongroom.usecases import derive, recorded_places
from strongroom.usecases.phrase_accounts import key_of
from testbed.command_line import call
from testbed.databases.attacked import Attacked
from testbed.databases.deployments import CORE_BACKENDS, Deployment, open_deployment
from testbed.defects.locked import envelope_text
from testbed.processes.wallets import PHRASE

PASSWORD = "an operator's password"
ENVELOPE = envelope_text(PHRASE, PASSWORD, bytes(16), bytes(16))
OPENED = ("--legacy-password-stdin",)
LEDGER_LIVE = "m/44'/60'/{index}'/0/0"
PLANTED_ACCOUNT = (
    "INSERT INTO strongroom_phrase_account (project_id, phrase_id, network, variant, template, next_index, version, "
    "kid, tag) SELECT project_id, phrase_id, network, variant, ?, 0, 1, kid, tag FROM strongroom_phrase_account"
)


@pytest.fixture(params=CORE_BACKENDS)
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with open_deployment(request.param, request) as opened:
        yield opened


@pytest.fixture
def attacked(request: pytest.FixtureRequest, private_path: Path) -> Iterator[Attacked]:
    with open_deployment("g3", request) as opened:
        yield Attacked(opened, private_path)


def address_at(number: int) -> str:
    network = TABLE.get("ethereum")
    material = network.derive(Phrase.parse(Secret.from_text(PHRASE)), "bip44", f"m/44'/60'/0'/0/{number}")
    return network.public_half(material.private_key, "bip44").address


# --- one key, one wallet -------------------------------------------------------------------------------------


def test_paths_of_two_templates_that_meet_give_one_key_once(deployment: Deployment) -> None:
    project = deployment.project()
    with deployment.open() as vault:
        vault.create_phrase(project)
        made = vault.create_many(project, "ethereum", ["a", "b"], path=LEDGER_LIVE)
        other = vault.create_many(project, "ethereum", ["c"], account=1)[0].wallet
        again = vault.create_many(project, "ethereum", ["d"], path=LEDGER_LIVE)[0].wallet
        assert [each.wallet.path for each in made] == ["m/44'/60'/0'/0/0", "m/44'/60'/1'/0/0"]
        assert (other.path, again.path) == ("m/44'/60'/1'/0/1", "m/44'/60'/2'/0/0")
        deployment.assert_sound(vault)


def test_variants_of_a_network_give_no_key_twice(deployment: Deployment) -> None:
    """Their keys are those of the path, whatever the addresses look like."""
    project = deployment.project()
    with deployment.open() as vault:
        vault.create_phrase(project)
        segwit = "m/84'/0'/0'/0/{index}"
        made = vault.create_many(project, "bitcoin", ["a", "b"])
        made += vault.create_many(project, "bitcoin", ["c", "d"], variant="taproot", path=segwit)
        made += vault.create_many(project, "bitcoin", ["e"])
        made += vault.create_many(project, "bitcoin", ["f"], variant="legacy", path="m/84'/0'/{index}'/0/0")
        assert [(each.wallet.phrase_index, each.wallet.scheme) for each in made] == [
            *((0, "bip84"), (1, "bip84"), (2, "bip86"), (3, "bip86"), (4, "bip84"), (1, "bip44"))
        ]
        keys = [vault.reveal(each.wallet.id, actor="a", reason="r").private_key.reveal() for each in made]
        assert len(set(keys)) == len(made)
        deployment.assert_sound(vault)


@pytest.mark.parametrize("backend", ["fresh", "g4"])
@pytest.mark.parametrize("how", ["commit", "rollback"])
def test_accounts_that_take_one_path_at_once_give_it_to_one(
    how: str, backend: str, request: pytest.FixtureRequest
) -> None:
    """Each has its own lock: the unique index of the register decides, and the other one goes on after it."""
    asked: dict[str, Any] = {"variant": "taproot", "path": "m/84'/0'/0'/0/{index}"}
    with open_deployment(backend, request) as deployment, deployment.open() as vault, ThreadPoolExecutor(2) as others:
        project, other_project = deployment.project(), deployment.project()
        for each in (project, other_project):
            vault.create_phrase(each)
        old = vault.create_many(other_project, "bitcoin", ["c"], **asked)[0].wallet
        engine = strongroom.create_engine(deployment.url)
        with engine.connect() as connection:
            first = vault.create_many(project, "bitcoin", ["a", "b"], connection=connection)
            vault.create_many(other_project, "bitcoin", ["a", "b"], connection=connection)
            made = others.submit(vault.create_many, project, "bitcoin", ["c"], **asked)
            replaced = others.submit(vault.replace_wallet, old.id)
            for waiting in (made, replaced):
                with pytest.raises(TimeoutError):
                    waiting.result(1)
            getattr(connection, how)()
        engine.dispose()
        assert first[1].wallet.phrase_index == 1
        assert made.result(30)[0].wallet.phrase_index == (2 if how == "commit" else 0)
        assert replaced.result(30).wallet.phrase_index == (3 if how == "commit" else 1)
        deployment.assert_sound(vault)


def test_a_template_is_one_account_however_it_is_spelled(deployment: Deployment) -> None:
    project = deployment.project()
    with deployment.open() as vault:
        vault.create_phrase(project)
        vault.create_many(project, "ethereum", ["a", "b"])
        third = vault.create_many(project, "ethereum", ["c"], path="m/44h/60H/0h/0/{index}")[0].wallet
        fourth = vault.replace_wallet(third.id).wallet
        assert [each.phrase_index for each in (third, fourth)] == [2, 3]
        assert [each.next_index for each in vault.list_accounts(project)] == [4]


def test_a_planted_account_sends_no_successor_to_another_path(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row is there when the template is looked for, and gone when the index is."""
    project = deployment.project()
    account = SqlPhraseStore.account
    asked: list[str] = []

    def read(self: SqlPhraseStore, record: AccountRecord) -> TaggedAccount | None:
        asked.append(record.template)
        deployment.execute("DELETE FROM strongroom_phrase_account WHERE template <> ?", LEDGER_LIVE)
        found = account(self, record)
        if record.template == LEDGER_LIVE:
            deployment.execute("DELETE FROM strongroom_phrase_account")
        return found

    def without_place(*given: Any) -> KeyMaterial:
        return replace(key_of(*given), phrase_place=None)

    with deployment.open() as vault:
        vault.create_phrase(project)
        monkeypatch.setattr(derive, "key_of", without_place)  # else its sealed text says its account, and no row does
        first = vault.create_wallet(project, "ethereum", phrase="default").wallet
        monkeypatch.undo()
        said = vault.create_wallet(project, "polygon", phrase="default").wallet
        deployment.execute(PLANTED_ACCOUNT, LEDGER_LIVE)
        assert vault.replace_wallet(said.id).wallet.path == "m/44'/60'/0'/0/1"
        monkeypatch.setattr(SqlPhraseStore, "account", read)
        with pytest.raises(strongroom.IdentityMismatchError, match="counts the indices"):
            vault.replace_wallet(first.id)
        assert asked[-1] == LEDGER_LIVE
        monkeypatch.undo()
        assert vault.replace_wallet(first.id).wallet.path == "m/44'/60'/0'/0/1"


# --- what is asked for while something else happens ----------------------------------------------------------


@pytest.mark.parametrize("keyed", [False, True])
def test_an_idempotency_key_never_names_a_wallet_that_was_not_made(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, keyed: bool
) -> None:
    """Another caller takes the slot between the look and the write."""
    project = deployment.project()
    derived = SqlPhraseStore.derive
    others: dict[str, Any] = {"idempotency_key": "other"} if keyed else {}

    def after_another(self: SqlPhraseStore, batch: PhraseBatch) -> frozenset[str]:
        monkeypatch.undo()
        with deployment.open() as other:
            other.create_wallet(project, "ethereum", label="a", phrase="default", **others)
        return derived(self, batch)

    with deployment.open() as vault:
        vault.create_phrase(project)
        monkeypatch.setattr(SqlPhraseStore, "derive", after_another)
        wanted: dict[str, Any] = {"label": "a", "phrase": "default", "idempotency_key": "mine"}
        made = vault.create_wallet(project, "ethereum", **wanted)
        assert (made.created, made.wallet.phrase_index) == (False, 0)
        assert vault.create_wallet(project, "ethereum", **wanted) == made
        deployment.assert_sound(vault)


def test_an_idempotency_key_of_a_phrase_answers_one_request(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another request takes the key while it is bound to a phrase that was there."""
    project = deployment.project()
    bind = SqlWalletStore.bind_idempotency

    def after_another(self: SqlWalletStore, *bound: Any) -> None:
        monkeypatch.undo()
        with deployment.open() as other:
            other.create_phrase(project, label="other", idempotency_key="mine")
        bind(self, *bound)

    with deployment.open() as vault:
        vault.create_phrase(project)
        monkeypatch.setattr(SqlWalletStore, "bind_idempotency", after_another)
        with pytest.raises(strongroom.IdempotencyConflictError, match="label"):
            vault.create_phrase(project, idempotency_key="mine")


def test_an_idempotency_key_names_the_wallet_that_was_adopted(attacked: Attacked) -> None:
    deployment = attacked.deployment
    project = deployment.project()
    wanted: dict[str, Any] = {"label": "a", "phrase": "default", "idempotency_key": "mine"}
    with deployment.open() as vault:
        vault.create_phrase(project)
        made = vault.create_wallet(project, "ethereum", label="a", phrase="default").wallet
        deployment.execute("DELETE FROM strongroom_slot WHERE project_id = ?", project)
        assert vault.create_wallet(project, "ethereum", **wanted) == (made, False)
        assert vault.create_wallet(project, "ethereum", **wanted) == (made, False)
        other = vault.create_wallet(project, "ethereum", label="b").wallet
        deployment.execute("DELETE FROM strongroom_slot WHERE label = 'b'")
        wanted |= {"label": "b", "idempotency_key": "another"}
        for _ in range(2):
            with pytest.raises(strongroom.PhraseConflictError, match=str(other.id)):
                vault.create_wallet(project, "ethereum", **wanted)
        assert vault.create_wallet(project, "ethereum", label="b") == (other, False)  # it was not adopted by them
        deployment.assert_sound(vault)


def test_a_phrase_that_is_replaced_meanwhile_derives_no_further_batch(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = deployment.project()
    derived = SqlPhraseStore.derive
    batches: list[frozenset[str]] = []

    def then_replaced(self: SqlPhraseStore, batch: PhraseBatch) -> frozenset[str]:
        batches.append(derived(self, batch))
        if len(batches) == 1:
            with deployment.open() as other:
                other.replace_phrase(project)
        return batches[-1]

    with deployment.open() as vault:
        old = vault.create_phrase(project).phrase
        monkeypatch.setattr(derive, "LARGEST_BATCH", 2)
        monkeypatch.setattr(SqlPhraseStore, "derive", then_replaced)
        with pytest.raises(strongroom.PhraseConflictError, match="was replaced"):
            vault.create_many(project, "ethereum", count=5, label_prefix="c-")
        assert [wallet.phrase_id for wallet in vault.list_wallets(project).wallets] == [old.id] * 2


# --- a phrase of a project is no other project's -------------------------------------------------------------


def plant(attacked: Attacked, project: UUID, number: int) -> UUID:
    wallet = attacked.credential(project, address_at(number), kind="ethereum_wallet:x")
    attacked.record(wallet, ENVELOPE, project)
    return wallet


def repair(attacked: Attacked, options: Sequence[str] = ()) -> None:
    plan = attacked.plan(*OPENED, *options, stdin=PASSWORD.encode())
    attacked.apply(plan, *OPENED, *options, stdin=PASSWORD.encode())


@pytest.mark.parametrize("passphrase", [None, "extra"])
def test_a_copied_envelope_of_a_projects_phrase_gives_its_keys_to_no_other_project(
    attacked: Attacked, passphrase: str | None
) -> None:
    """No wallet of it is anywhere yet: the sealed phrase itself says whose it is, whatever its row says."""
    deployment = attacked.deployment
    theirs, project = deployment.project(), deployment.project()
    with deployment.open() as vault:
        vault.import_phrase(theirs, mnemonic=PHRASE, passphrase=passphrase)
    deployment.execute("UPDATE strongroom_phrase SET project_id = ?, identifier = 'x', status = 'y'", project)
    planted = plant(attacked, project, 40)
    path = "m/44'/60'/0'/0/40"
    repair(attacked, ("--path", path))
    attacked.assert_keyless(planted)
    ((record,),) = deployment.execute("SELECT id FROM credential_vault_storage WHERE credential_id = ?", planted)
    base = ("--database", deployment.url, "--root-key", deployment.root_key, "--path", path)
    asked = ("history", "reveal", *base, str(record), *OPENED, "--reveal", "--actor", "a", "--reason", "r")
    answer = call(*asked, stdin=PASSWORD.encode())
    assert "identity-mismatch" in answer.err, answer.err
    assert "another project" in answer.err
    assert PHRASE not in answer.out


def test_any_number_of_wallets_of_another_projects_phrase_stands_in_no_ones_way(
    attacked: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded_places, "MOST_RECORDED", 3)
    deployment = attacked.deployment
    theirs, project = deployment.project(), deployment.project()
    with deployment.open() as vault:
        vault.create_phrase(theirs)
        vault.create_many(theirs, "ethereum", count=5, label_prefix="c-")
    own = plant(attacked, project, 0)
    repair(attacked)
    with deployment.open() as vault:
        assert vault.get_wallet(own).address == address_at(0)
        assert vault.sign_message(own, b"hello")
