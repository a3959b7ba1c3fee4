"""Several rows at once, changed so that each fits the others: what one cell of the matrix cannot show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from strongroom import StrongroomError, Vault
from tests.attacks.tampering.matrix_backend import MESSAGE, MatrixBackend, MatrixWallet, Statement
from tests.attacks.tampering.matrix_verbs import Answers, Questions

pytestmark = pytest.mark.parametrize("backend", ["sqlite", "g3", "g4"], indirect=True)

DOCUMENTS = Path(__file__).parents[3] / "docs"
_TABLES = ("project_credentials", "credential_vault_storage", "strongroom_wallet")


def ask_everything(backend: MatrixBackend, statements: Iterable[Statement]) -> Answers:
    """What all verbs answer under a combination, of every wallet."""
    answers = Answers()
    statements = list(statements)
    for parts in (("read",), ("repeat", "transactions"), ("change",), ("retire",)):
        with backend.tampered(statements), backend.open() as vault:
            questions = Questions(backend, vault, answers, parts[0])
            for part in parts:
                getattr(questions, part)()
    return answers


def rows_of(backend: MatrixBackend, name: str, *, older: bool = False) -> Iterator[tuple[str, dict[str, object]]]:
    """The rows of a wallet, as they are or as they were before it was retired."""
    for table in _TABLES:
        rows = backend.tables[table].older if older else backend.tables[table].rows
        yield from ((table, row) for row in rows if backend.name_of(row) == name)


def moved(backend: MatrixBackend, name: str, project: str) -> list[Statement]:
    """All rows of a wallet, moved into another project, under the label ``mine``."""
    value = str(backend.projects[project])
    kinds = {"project_credentials": {"credential_type": "ethereum_wallet:mine"}}
    return [
        backend.update(table, row, {"project_id": value, **kinds.get(table, {})})
        for table, row in rows_of(backend, name)
        if "project_id" in row
    ]


def slot(backend: MatrixBackend, project: str, label: str, known: MatrixWallet) -> Statement:
    """A slot that names a wallet, under the tag of its own one."""
    slots = backend.tables["strongroom_slot"].rows
    own = next(row for row in slots if backend.name_of(row) == known.name)
    values = (
        str(backend.projects[project]),
        known.wallet.network,
        label,
        str(known.wallet.id),
        1,
        own["kid"],
        own["tag"],
    )
    columns = "project_id, network, label, credential_id, version, kid, tag"
    return f"INSERT INTO strongroom_slot ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", values


def test_a_wallet_moved_into_another_project_with_all_its_rows_is_none_of_it(backend: MatrixBackend) -> None:
    statements = [*moved(backend, "other", "first"), slot(backend, "first", "mine", backend["other"])]
    answers = ask_everything(backend, statements)
    assert set(answers.deviations) <= {"list: a wallet is missing"}
    with backend.tampered(statements), backend.open() as vault:
        for ask in (vault.create_wallet, vault.find_wallet):
            with pytest.raises(StrongroomError):
                ask(backend.projects["first"], "ethereum", label="mine")


def test_a_planted_slot_gives_no_wallet_a_second_name(backend: MatrixBackend) -> None:
    """On legacy tables the slot joins every row: nothing is shown twice, and nothing under the other label."""
    statements = [slot(backend, "first", "mine", backend["one"])]
    answers = ask_everything(backend, statements)
    assert not answers.deviations
    with backend.tampered(statements), backend.open() as vault:
        for ask in (vault.create_wallet, vault.find_wallet):
            with pytest.raises(StrongroomError):
                ask(backend.projects["first"], "ethereum", label="mine")


def test_wallets_that_sign_together_get_their_own_answers_alongside_a_planted_slot(backend: MatrixBackend) -> None:
    """A statement for several: a row too many must not shift the answers."""
    from concurrent.futures import ThreadPoolExecutor

    names = ["one", "hot", "other", "successor"] * 6
    with backend.tampered([slot(backend, "first", "mine", backend["one"])]), backend.open() as vault:

        def sign(name: str) -> bool:
            try:
                return vault.sign_message(backend[name].wallet.id, MESSAGE).as_dict() == backend[name].signature
            except StrongroomError:
                return True

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(sign, names))


@pytest.mark.thorough(sample=1)
def test_an_attackers_wallet_under_anothers_label_and_address_is_refused(backend: MatrixBackend) -> None:
    """The victim's record taken away, its rows made to say the attacker's address and key."""
    one, hot = backend["one"], backend["hot"]
    (_, theirs), (_, text), (_, record) = rows_of(backend, "hot")
    (credential, row), (vault_table, stored), (register, own) = rows_of(backend, "one")
    faked = {name: theirs[name] for name in ("wallet_address", "public_key", "metadata")}
    statements = [
        backend.update(credential, row, faked),
        backend.update(vault_table, stored, {"encrypted_private_key": text["encrypted_private_key"]}),
        backend.delete(register, own),
    ]
    assert not ask_everything(backend, statements).deviations
    copied = {name: record[name] for name in ("address", "public_key", "kid", "tag")}
    assert not ask_everything(backend, [*statements[:2], backend.update(register, own, copied)]).deviations
    assert (one.wallet.address, hot.wallet.address) == (own["address"], record["address"])


def test_what_was_revoked_is_not_revived_without_its_record(backend: MatrixBackend) -> None:
    older = [
        backend.update(
            table, row, {name: value for name, value in row.items() if name not in backend.tables[table].key}
        )
        for table, row in rows_of(backend, "revoked", older=True)
        if table != "strongroom_wallet"
    ]
    answers = ask_everything(backend, older)
    assert not answers.deviations
    (record,) = (row for table, row in rows_of(backend, "revoked") if table == "strongroom_wallet")
    assert not ask_everything(backend, [*older, backend.delete("strongroom_wallet", record)]).deviations


def test_all_rows_of_an_older_state_are_genuine_and_documented(backend: MatrixBackend) -> None:
    """Rollback: the log that would tell comes later."""
    older = [
        backend.update(
            table, row, {name: value for name, value in row.items() if name not in backend.tables[table].key}
        )
        for table, row in rows_of(backend, "revoked", older=True)
    ]
    with backend.tampered(older), backend.open() as vault:
        assert vault.sign_message(backend["revoked"].wallet.id, MESSAGE)
    threats = " ".join((DOCUMENTS / "threat-model.md").read_text().split())
    assert "An older state of *all* rows of a wallet" in threats
    assert "rollback undoes a revocation" in threats


def test_a_restore_says_of_no_text_that_it_stands_which_does_not_open(backend: MatrixBackend) -> None:
    """The same garbage in the vault record and, as the newest text, in the history."""
    known = backend["one"]
    texts = backend.tables["strongroom_vault_history"].rows
    newest = max((row for row in texts if backend.name_of(row) == "one"), key=lambda row: str(row["created_at"]))
    (_, stored) = next(each for each in rows_of(backend, "one") if each[0] == "credential_vault_storage")
    garbage = str(newest["text"])[:60] + "A" * 60
    statements = [
        backend.update("strongroom_vault_history", newest, {"text": garbage}),
        backend.update("credential_vault_storage", stored, {"encrypted_private_key": garbage}),
    ]
    with backend.tampered(statements), backend.open() as vault:
        assert isinstance(vault, Vault)
        with pytest.raises(StrongroomError):
            vault.restore(known.wallet.id)
