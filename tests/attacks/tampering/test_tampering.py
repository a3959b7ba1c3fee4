"""Somebody writes to the database: rows are swapped, removed, rolled back and changed behind the vault's back.

Each ends as docs/threat-model.md says: in a typed error that names what differs, or, where nothing is promised, unseen;
and never with another wallet's key as this row's key.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import strongroom
from strongroom import IdentityMismatchError, Vault, WalletPage
from testbed.harness.sizes import SIZE, seeded
from testbed.processes.signing import transaction
from tests.attacks.audit import audit
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally
from tests.attacks.tampering.bits import flipped
from tests.attacks.tampering.cases import CASES, TEXT, UNSEEN, Tampering
from tests.attacks.tampering.keyring import KEYRING
from tests.attacks.tampering.tampered_database import SAME, VERBS, TamperedDatabase

pytestmark = pytest.mark.sized("rounds")

DOCUMENTS = Path(__file__).parents[3] / "docs"


@pytest.fixture
def vault(tampered: TamperedDatabase) -> Iterator[Vault]:
    """A vault that was open before anything was changed, and stays open: as services are."""
    with tampered.deployment.open() as opened:
        yield opened


def expected(tampered: TamperedDatabase, case: Tampering) -> dict[str, dict[str, str]]:
    return {name: {verb: case.ends.get(name, {}).get(verb, SAME) for verb in VERBS} for name in tampered.known}


@pytest.mark.thorough(but=("sqlite", "g4"))
def test_rows_that_were_tampered_with_end_as_the_documents_say(
    tampered: TamperedDatabase, vault: Vault, tally: StartTally
) -> None:
    row = tally("rows tampered with", tampered.deployment.backend)
    cases = [case for case in CASES if tampered.deployment.backend in case.backends] * SIZE.rounds
    seeded(f"rows {tampered.deployment.backend}").shuffle(cases)
    for case in cases:
        with tampered.tampered(case.do(tampered)):
            row.fault(case.kind)
            assert tampered.opens(row) == case.opens, case
            assert tampered.answers(vault, row) == expected(tampered, case), case
            assert_columns_are_named(tampered, vault, case)
    assert_nothing_stays(tampered, vault, row)
    audit(
        row,
        tampered.deployment.url,
        tampered.deployment.root_key,
        {known.id: known.wallet.address for known in tampered.known.values()},
    )


def assert_columns_are_named(tampered: TamperedDatabase, vault: Vault, case: Tampering) -> None:
    for name, answers in case.ends.items():
        if answers.get("verify") == "identity-mismatch":
            (result,) = vault.verify(tampered[name].id)
            assert isinstance(result.error, IdentityMismatchError)
            columns = case.columns if isinstance(case.columns, frozenset) else case.columns[name]
            assert set(result.error.columns) == columns, case


def assert_nothing_stays(tampered: TamperedDatabase, vault: Vault, row: Tally) -> None:
    """What was put back is as it was, for a vault that saw it all, too."""
    same = {name: dict.fromkeys(VERBS, SAME) for name in tampered.known}
    assert tampered.answers(vault, row) == same


def test_what_is_not_promised_to_be_seen_is_not_seen_and_is_documented(
    tampered: TamperedDatabase, vault: Vault
) -> None:
    for case in UNSEEN:
        if tampered.deployment.backend in case.backends:
            with tampered.tampered(case.do(tampered)):
                assert [result for result in vault.verify(phrases=True) if not result.ok] == [], case
                with tampered.deployment.open() as fresh:
                    assert [result for result in fresh.verify(phrases=True) if not result.ok] == [], case
    limitations = " ".join((DOCUMENTS / "limitations.md").read_text().split())
    assert "can delete a wallet with all its rows, or put older rows of it back, with their tags" in limitations
    assert "Neither shows" in limitations
    threats = " ".join((DOCUMENTS / "threat-model.md").read_text().split())
    assert "An older sealed text of the same credential is genuine and derives the same address" in threats
    assert "That a whole wallet was deleted, with slot, record, credential and logs, is not seen" in threats
    assert "that a usage log, the history, an idempotency key or the row of a nonce was deleted" in threats
    assert "that can undo a revocation" in limitations
    assert "a slot that names the wallet before the last replacement is noticed" in threats


def test_a_keyring_that_was_tampered_with_is_refused_or_opens_what_it_did(
    tampered: TamperedDatabase, vault: Vault, tally: StartTally
) -> None:
    row = tally("keyring tampered with", tampered.deployment.backend)
    for case in KEYRING * SIZE.rounds:
        with tampered.tampered(case.do(tampered)):
            row.fault(case.kind)
            assert tampered.opens(row) == case.opens, case
            if case.opens == SAME:
                with tampered.deployment.open() as fresh:
                    assert tampered.answers(fresh, row, ["one", "other"]) == {
                        name: dict.fromkeys(VERBS, SAME) for name in ("one", "other")
                    }, case
            assert_no_wallet_is_sealed_that_will_not_open(tampered, vault, case)
    assert_nothing_stays(tampered, vault, row)
    audit(
        row,
        tampered.deployment.url,
        tampered.deployment.root_key,
        {known.id: known.wallet.address for known in tampered.known.values()},
    )


def assert_no_wallet_is_sealed_that_will_not_open(tampered: TamperedDatabase, vault: Vault, case: Tampering) -> None:
    """A vault that is open goes on; what it makes meanwhile opens with the keyring as it is stored, or was."""
    project = tampered["one"].wallet.project_id
    try:
        made, created = vault.create_wallet(project, "ethereum", label="meanwhile")
    except strongroom.StrongroomError as error:
        assert error.code in ("connection-not-supported", case.opens), case
        return
    assert created
    (text,) = tampered.deployment.execute(
        "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = ?", made.id
    )[0]
    with tampered.tampered([]):
        pass  # the rows are put back: the wallet is gone with them
    assert text[:40] == tampered.text("one")[:40], case


def test_a_nonce_row_that_was_tampered_with_signs_nothing_twice(
    tampered: TamperedDatabase, vault: Vault, tally: StartTally
) -> None:
    row = tally("rows tampered with", tampered.deployment.backend)
    wallet = tampered["other"].wallet.id
    first = vault.sign_transaction(wallet, transaction(1, 10)).as_dict()

    def answer(fee: int, *, replace: bool = False) -> str:
        row.fault("nonce")
        try:
            return (
                SAME
                if vault.sign_transaction(wallet, transaction(1, fee), replace=replace).as_dict() == first
                else "other"
            )
        except strongroom.StrongroomError as error:
            tampered.search(error, row)
            return str(error.code)

    assert (answer(10), answer(20)) == (SAME, "nonce-conflict")
    with tampered.tampered([("UPDATE strongroom_nonce SET digest = ?", ("00" * 32,))]):
        assert (answer(10), answer(20)) == ("identity-mismatch", "identity-mismatch")
    for fee in ("[", "{}", '["x"]', "[1e400]", "[" * 500, "[]"):
        with tampered.tampered([("UPDATE strongroom_nonce SET fee = ?", (fee,))]):
            assert (answer(10), answer(20), answer(20, replace=True)) == ("identity-mismatch",) * 3
    with tampered.tampered([("DELETE FROM strongroom_nonce", ())]):
        assert answer(20) == "other"  # nothing tells that something was signed before


def test_bits_of_a_stored_text_through_every_verb(tampered: TamperedDatabase, vault: Vault, tally: StartTally) -> None:
    """All of them in a long run; test_bits.py has all of them in memory."""
    row = tally("bit flipped", tampered.deployment.backend)
    known, whole = tampered["one"], tampered.text("one")
    aims = list(flipped(whole))
    # On tables of ours a text that does not begin as ours do is nothing that strongroom wrote.
    codes = {
        "not-sealed" if tampered.deployment.foreign else "identity-mismatch",
        "sealed-text-corrupt",
        "unknown-sealing-key",
    }
    for text in seeded(f"bits {tampered.deployment.backend}").sample(aims, min(len(aims), 40 * SIZE.rounds**2)):
        tampered.tamper([(TEXT, (text, known.id))])
        row.fault("sealed texts in the database")
        assert {tampered.ask(vault, verb, known, row) for verb in ("verify", "reveal", "sign")} <= codes
    tampered.tamper([(TEXT, (whole, known.id))])
    assert_nothing_stays(tampered, vault, row)


def test_a_count_tells_of_a_wallet_that_was_deleted(tampered: TamperedDatabase, vault: Vault) -> None:
    """The one thing that does, for who remembers it: docs/threat-model.md, "Deletion"."""
    (whole,) = (case for case in UNSEEN if case.what == "a whole wallet")
    before = vault.count_wallets()
    with tampered.tampered(whole.do(tampered)):
        assert vault.count_wallets() == before - 1
        page: WalletPage = vault.list_wallets(tampered["one"].wallet.project_id)
        assert tampered["one"].wallet.id not in {wallet.id for wallet in page.wallets}
