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
from tests.attacks.audit import audit
from tests.attacks.sizes import SIZE, seeded
from tests.attacks.summary import StartTally
from tests.attacks.tally import Tally
from tests.attacks.tampering.bed import SAME, VERBS, Bed
from tests.attacks.tampering.cases import CASES, TEXT, UNSEEN, Tampering
from tests.attacks.tampering.keyring import KEYRING
from tests.attacks.tampering.test_bits import flipped
from tests.integration.children_lifecycle import FEW_GROUNDS, open_place
from tests.integration.children_signing import transaction

DOCUMENTS = Path(__file__).parents[3] / "docs"


@pytest.fixture(params=FEW_GROUNDS)
def bed(request: pytest.FixtureRequest) -> Iterator[Bed]:
    """Wallets that are known, on each ground."""
    with open_place(request.param, request) as place:
        yield Bed(place)


@pytest.fixture
def vault(bed: Bed) -> Iterator[Vault]:
    """A vault that was open before anything was changed, and stays open: as services are."""
    with bed.place.open() as opened:
        yield opened


def expected(bed: Bed, case: Tampering) -> dict[str, dict[str, str]]:
    return {name: {verb: case.ends.get(name, {}).get(verb, SAME) for verb in VERBS} for name in bed.known}


@pytest.mark.thorough(but=("sqlite", "g4"))
def test_rows_that_were_tampered_with_end_as_the_documents_say(bed: Bed, vault: Vault, tally: StartTally) -> None:
    row = tally("rows tampered with", bed.place.ground)
    cases = [case for case in CASES if bed.place.ground in case.grounds] * SIZE.rounds
    seeded(f"rows {bed.place.ground}").shuffle(cases)
    for case in cases:
        with bed.tampered(case.do(bed)):
            row.fault(case.kind)
            assert bed.opens(row) == case.opens, case
            assert bed.answers(vault, row) == expected(bed, case), case
            assert_columns_are_named(bed, vault, case)
    assert_nothing_stays(bed, vault, row)
    audit(row, bed.place.url, bed.place.root_key, {known.id: known.wallet.address for known in bed.known.values()})


def assert_columns_are_named(bed: Bed, vault: Vault, case: Tampering) -> None:
    for name, answers in case.ends.items():
        if answers.get("verify") == "identity-mismatch":
            (result,) = vault.verify(bed[name].id)
            assert isinstance(result.error, IdentityMismatchError)
            columns = case.columns if isinstance(case.columns, frozenset) else case.columns[name]
            assert set(result.error.columns) == columns, case


def assert_nothing_stays(bed: Bed, vault: Vault, row: Tally) -> None:
    """What was put back is as it was, for a vault that saw it all, too."""
    same = {name: dict.fromkeys(VERBS, SAME) for name in bed.known}
    assert bed.answers(vault, row) == same


def test_what_is_not_promised_to_be_seen_is_not_seen_and_is_documented(bed: Bed, vault: Vault) -> None:
    for case in UNSEEN:
        if bed.place.ground in case.grounds:
            with bed.tampered(case.do(bed)):
                assert [result for result in vault.verify(phrases=True) if not result.ok] == [], case
                with bed.place.open() as fresh:
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
    bed: Bed, vault: Vault, tally: StartTally
) -> None:
    row = tally("keyring tampered with", bed.place.ground)
    for case in KEYRING * SIZE.rounds:
        with bed.tampered(case.do(bed)):
            row.fault(case.kind)
            assert bed.opens(row) == case.opens, case
            if case.opens == SAME:
                with bed.place.open() as fresh:
                    assert bed.answers(fresh, row, ["one", "other"]) == {
                        name: dict.fromkeys(VERBS, SAME) for name in ("one", "other")
                    }, case
            assert_no_wallet_is_sealed_that_will_not_open(bed, vault, case)
    assert_nothing_stays(bed, vault, row)
    audit(row, bed.place.url, bed.place.root_key, {known.id: known.wallet.address for known in bed.known.values()})


def assert_no_wallet_is_sealed_that_will_not_open(bed: Bed, vault: Vault, case: Tampering) -> None:
    """A vault that is open goes on; what it makes meanwhile opens with the keyring as it is stored, or was."""
    project = bed["one"].wallet.project_id
    try:
        made, created = vault.create_wallet(project, "ethereum", label="meanwhile")
    except strongroom.StrongroomError as error:
        assert error.code in ("connection-not-supported", case.opens), case
        return
    assert created
    (text,) = bed.place.execute(
        "SELECT encrypted_private_key FROM credential_vault_storage WHERE credential_id = ?", made.id
    )[0]
    with bed.tampered([]):
        pass  # the rows are put back: the wallet is gone with them
    assert text[:40] == bed.text("one")[:40], case


def test_a_nonce_row_that_was_tampered_with_signs_nothing_twice(bed: Bed, vault: Vault, tally: StartTally) -> None:
    row = tally("rows tampered with", bed.place.ground)
    wallet = bed["other"].wallet.id
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
            bed.search(error, row)
            return str(error.code)

    assert (answer(10), answer(20)) == (SAME, "nonce-conflict")
    with bed.tampered([("UPDATE strongroom_nonce SET digest = ?", ("00" * 32,))]):
        assert (answer(10), answer(20)) == ("identity-mismatch", "identity-mismatch")
    for fee in ("[", "{}", '["x"]', "[1e400]", "[" * 500, "[]"):
        with bed.tampered([("UPDATE strongroom_nonce SET fee = ?", (fee,))]):
            assert (answer(10), answer(20), answer(20, replace=True)) == ("identity-mismatch",) * 3
    with bed.tampered([("DELETE FROM strongroom_nonce", ())]):
        assert answer(20) == "other"  # nothing tells that something was signed before


def test_bits_of_a_stored_text_through_every_verb(bed: Bed, vault: Vault, tally: StartTally) -> None:
    """All of them in a long run; test_bits.py has all of them in memory."""
    row = tally("bit flipped", bed.place.ground)
    known, whole = bed["one"], bed.text("one")
    aims = list(flipped(whole))
    # On tables of ours a text that does not begin as ours do is nothing that strongroom wrote.
    codes = {"not-sealed" if bed.place.foreign else "identity-mismatch", "sealed-text-corrupt", "unknown-sealing-key"}
    for text in seeded(f"bits {bed.place.ground}").sample(aims, min(len(aims), 40 * SIZE.rounds**2)):
        bed.tamper([(TEXT, (text, known.id))])
        row.fault("sealed texts in the database")
        assert {bed.ask(vault, verb, known, row) for verb in ("verify", "reveal", "sign")} <= codes
    bed.tamper([(TEXT, (whole, known.id))])
    assert_nothing_stays(bed, vault, row)


def test_a_count_tells_of_a_wallet_that_was_deleted(bed: Bed, vault: Vault) -> None:
    """The one thing that does, for who remembers it: docs/threat-model.md, "Deletion"."""
    (whole,) = (case for case in UNSEEN if case.what == "a whole wallet")
    before = vault.count_wallets()
    with bed.tampered(whole.do(bed)):
        assert vault.count_wallets() == before - 1
        page: WalletPage = vault.list_wallets(bed["one"].wallet.project_id)
        assert bed["one"].wallet.id not in {wallet.id for wallet in page.wallets}
