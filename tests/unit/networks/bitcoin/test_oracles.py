"""embit, bdk and libwally, asked about random PSBTs: the same signatures, accepted and made final."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.networks.bitcoin.psbt import Psbt
from testbed.harness.sizes import examples
from testbed.networks.bitcoin_payloads import (
    ANY,
    FORMS,
    KEY,
    OTHER,
    SIGHASHES,
    In,
    PsbtCase,
    cases,
    chain,
    material,
    point,
    prepare,
    script,
    sign,
    simple,
    wallet,
)
from testbed.networks.known import keys
from tests.unit.networks.bitcoin.oracles import (
    bdk_signed,
    bdk_transaction,
    embit_ec,
    embit_finalizer,
    embit_read,
    from_der,
    wally,
)

SLOW = settings(max_examples=examples(40), deadline=None)


def _embit_differs(form: str, kind: int) -> bool:
    """Where embit 0.8.0 hashes something else than the standards and the other oracles.

    Taproot: SINGLE takes the output, not its hash, ANYONECANPAY the input, not its outpoint. Legacy: SINGLE takes
    2^32 - 1 for the amount of the outputs before, not 2^64 - 1.
    """
    single, alone = kind & 3 == 3, bool(kind & 0x80)
    return (form == "p2tr" and (single or alone)) or (form == "p2pkh" and single)


def signed_by_both(case: PsbtCase, **options: Any) -> bytes:
    """A case, signed by each key, without limits on fees."""
    first = sign(wallet("p2wpkh"), "psbt", case.psbt(), max_fee_sat=case.spent, **ANY, **options)
    if all(each.key == KEY for each in case.inputs):
        return bytes(first.psbt)
    second = wallet("p2tr", OTHER)
    return bytes(sign(second, "psbt", first.psbt, OTHER, max_fee_sat=case.spent, **ANY, **options).psbt)


@SLOW
@given(cases(versions=(0,), one_form=True))
def test_bdk_makes_the_same_signatures_byte_for_byte(case: PsbtCase) -> None:
    form = case.inputs[0].form
    theirs = Psbt.parse(bdk_signed(case.psbt(), (form, KEY), (form, OTHER)))
    for our, their in zip(Psbt.parse(signed_by_both(case)).inputs, theirs.inputs, strict=True):
        signatures = {key: value for key, value in our.items() if key[0] in (0x02, 0x13)}
        assert len(signatures) == 1
        assert signatures.items() <= their.items()  # it signs with keys that do not fit, too


@SLOW
@given(cases(versions=(0,)))
def test_bdk_runs_the_scripts_and_makes_the_transaction_that_we_make(case: PsbtCase) -> None:
    theirs = bdk_transaction(signed_by_both(case))
    first = sign(wallet("p2wpkh"), "psbt", case.psbt(), max_fee_sat=case.spent, finalize=True, **ANY)
    if first.transaction is None:
        second = wallet("p2pkh", OTHER)
        first = sign(second, "psbt", first.psbt, OTHER, max_fee_sat=case.spent, finalize=True, **ANY)
    assert first.complete
    assert first.transaction == theirs
    assert bdk_transaction(first.psbt) == theirs


@pytest.mark.parametrize("kind", SIGHASHES)
@pytest.mark.parametrize("form", FORMS)
def test_every_type_at_every_place_is_accepted_by_bdk_and_hashed_like_libwally(form: str, kind: int) -> None:
    case = simple(*(In(form=form, sighash=kind) for _ in range(4)))
    case = replace(case, outputs=tuple((95_000 + n, script("p2tr", OTHER)) for n in range(4)))
    ours = sign(wallet("p2wpkh"), "psbt", case.psbt(), **ANY)
    final = sign(wallet("p2wpkh"), "psbt", case.psbt(), finalize=True, **ANY)
    assert bdk_transaction(ours.psbt) == final.transaction
    if form == "p2tr":
        return
    spent, theirs = script(form, KEY), wally.tx_from_bytes(case.unsigned(), 0)
    witness = form != "p2pkh"
    code = script("p2pkh", KEY) if witness else spent
    flag = wally.WALLY_TX_FLAG_USE_WITNESS if witness else 0
    made: Any = prepare(wallet("p2wpkh"), "psbt", case.psbt(), **ANY)
    for n, each in enumerate(made.spends):
        assert each.digest == bytes(wally.tx_get_btc_signature_hash(theirs, n, code, 100_000, kind, flag))


@SLOW
@given(cases())
def test_embit_verifies_every_signature_over_its_own_hash(case: PsbtCase) -> None:
    ours = sign(wallet("p2wpkh"), "psbt", case.psbt(), max_fee_sat=case.spent, **ANY)
    theirs = embit_read(case.psbt())
    assert [each.index for each in ours.signatures] == [n for n, each in enumerate(case.inputs) if each.key == KEY]
    for each in ours.signatures:
        raw, kind = bytes.fromhex(each.signature), case.inputs[each.index].sighash
        if _embit_differs(each.form, kind or 0):
            continue
        if each.form == "p2tr":
            digest = theirs.sighash(each.index, sighash=kind or 0)
            key = embit_ec.PublicKey.from_xonly(bytes.fromhex(each.public_key))
            assert key.schnorr_verify(embit_ec.SchnorrSig(raw[:64]), digest)
            assert raw[64:] == (bytes((kind,)) if kind else b"")
        else:
            theirs.inputs[each.index].witness_utxo = None  # embit takes one for a sign of a witness
            digest = theirs.sighash(each.index, sighash=kind or 1)
            key = embit_ec.PublicKey.parse(bytes.fromhex(each.public_key))
            assert key.verify(embit_ec.Signature.parse(raw[:-1]), digest)
            assert raw[-1] == (kind or 1)


@SLOW
@given(cases(any_sighash=False, others=False))
def test_embit_signs_the_same_and_makes_the_same_transaction(case: PsbtCase) -> None:
    ours = sign(wallet("p2wpkh"), "psbt", case.psbt(), max_fee_sat=case.spent)
    theirs = embit_read(case.psbt())
    theirs.sign_with(embit_ec.PrivateKey(KEY), None)
    for each in ours.signatures:
        if each.form != "p2tr":  # its Schnorr signatures have no auxiliary randomness at all, ours 32 zeros
            their = next(iter(theirs.inputs[each.index].partial_sigs.values()))
            if their[3] == 32:  # else it took a short s for a low r
                assert their.hex() == each.signature
    made = sign(wallet("p2wpkh"), "psbt", case.psbt(), max_fee_sat=case.spent, finalize=True)
    if all(each.form != "p2tr" for each in case.inputs):
        assert embit_finalizer.finalize_psbt(embit_read(ours.psbt)).serialize() == made.transaction
    assert embit_finalizer.finalize_psbt(embit_read(made.psbt)).serialize() == made.transaction


@SLOW
@given(cases())
def test_libwally_reads_what_we_write_and_makes_the_same_transaction(case: PsbtCase) -> None:
    ours = signed_by_both(case)
    theirs = wally.psbt_from_bytes(ours, wally.WALLY_PSBT_PARSE_FLAG_STRICT)
    if case.version == 0 and all(each.sighash != 0 for each in case.inputs):  # it drops what is the default
        assert bytes(wally.psbt_to_bytes(theirs, 0)) == ours
    wally.psbt_finalize(theirs, 0)
    made = bytes(wally.tx_to_bytes(wally.psbt_extract(theirs, 0), wally.WALLY_TX_FLAG_USE_WITNESS))
    first = sign(wallet("p2wpkh"), "psbt", case.psbt(), max_fee_sat=case.spent, finalize=True, **ANY)
    if first.transaction is None:
        second = wallet("p2sh-p2wpkh", OTHER)
        first = sign(second, "psbt", first.psbt, OTHER, max_fee_sat=case.spent, finalize=True, **ANY)
    assert first.transaction == made


@SLOW
@given(cases(any_sighash=False))
def test_the_size_that_is_foreseen_is_the_size_that_comes_out(case: PsbtCase) -> None:
    first = sign(wallet("p2wpkh"), "psbt", case.psbt(), max_fee_sat=case.spent, finalize=True)
    if first.transaction is None:
        first = sign(wallet("p2tr", OTHER), "psbt", first.psbt, OTHER, max_fee_sat=case.spent, finalize=True)
    foreseen = first.review.vsize
    made = wally.tx_get_vsize(wally.tx_from_bytes(first.transaction, wally.WALLY_TX_FLAG_USE_WITNESS))
    assert made <= foreseen <= made + len(case.inputs)
    bare = prepare(wallet("p2wpkh"), "psbt", case.psbt(), max_fee_sat=case.spent)
    assert made <= int(bare.review.vsize) <= made + 2 * len(case.inputs)  # type: ignore[attr-defined]


@SLOW
@given(keys(), st.binary(min_size=32, max_size=32))
def test_a_hash_is_signed_as_embit_signs_it(key: bytes, digest: bytes) -> None:
    ours = sign(wallet("p2wpkh", key), "digest", digest, key)
    theirs = embit_ec.PrivateKey(key).sign(digest)
    compact = from_der(ours.signature)
    assert compact is not None
    assert compact[0] < 0x80
    assert embit_ec.PrivateKey(key).get_public_key().verify(embit_ec.Signature.parse(ours.signature), digest)
    if from_der(theirs.serialize())[0] < 0x80:  # type: ignore[index]
        assert ours.signature == theirs.serialize()
    taproot = sign(wallet("p2tr", key), "digest", digest, key)
    tweaked = embit_ec.PrivateKey(key).taproot_tweak()
    assert taproot.public_key == tweaked.xonly().hex()
    assert tweaked.get_public_key().schnorr_verify(embit_ec.SchnorrSig(taproot.signature), digest)


def test_the_wallets_of_the_oracles_are_ours() -> None:
    for form in FORMS:
        assert wallet(form).public_key == point(KEY).hex()
        assert chain().public_half(material().private_key, wallet(form).scheme or "").address == wallet(form).address
