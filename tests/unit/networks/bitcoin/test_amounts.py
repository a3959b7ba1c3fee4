"""Amounts that could be lies: which input must be proven for which signature, and what several requests add up to."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.errors import SignatureRefusedError, SigningError
from strongroom.networks.bitcoin import psbt_fields as fields
from strongroom.networks.bitcoin import signer
from strongroom.networks.bitcoin.psbt import Psbt
from strongroom.networks.bitcoin.scripts import ScriptForm
from strongroom.networks.bitcoin.sighash import Sighashes
from strongroom.networks.bitcoin.transaction import TransactionOutput
from strongroom.networks.wally import hash160
from strongroom.records.wallets import Wallet
from testbed.harness.sizes import examples
from testbed.networks.bitcoin_lies import COIN, LIE_SAT, THIRD, TO_OTHERS, Held, Told, told
from testbed.networks.bitcoin_payloads import (
    KEY,
    OTHER,
    SCHEMES,
    In,
    PsbtCase,
    point,
    prepare,
    script,
    sign,
    simple,
    transaction,
    txid,
    wallet,
    write_map,
)
from tests.unit.networks.bitcoin.oracles import from_der


def signed_inputs(psbt: bytes, held: Sequence[Held]) -> set[int]:
    """The inputs whose signature in a PSBT is one of the transaction as it is, with the amounts that there are."""
    read = Psbt.parse(psbt)
    hashes = Sighashes(read.tx, [TransactionOutput(each.amount, script(each.form, each.key)) for each in held])
    found = set()
    for index, (each, one) in enumerate(zip(read.inputs, held, strict=True)):
        public = point(one.key)
        data = each.get(fields.TAP_KEY_SIG if one.form == "p2tr" else fields.PARTIAL_SIG + public)
        if data is None:  # none, or one of another kind than the output takes
            continue
        if one.form == "p2tr":
            kind = data[64] if len(data) == 65 else 0
            output_key = signer.output_key(public) or b""
            good = signer.verifies_schnorr(output_key, hashes.taproot(index, kind), data[:64])
        else:
            kind = data[-1]
            digest = (
                hashes.legacy(index, script(one.form, one.key), kind)
                if one.form == "p2pkh"
                else hashes.version_0(index, b"\x76\xa9\x14" + hash160(public) + b"\x88\xac", one.amount, kind)
            )
            good = signer.verifies_ecdsa(public, digest, from_der(data[:-1]) or b"")
        if good:
            found.add(index)
    return found


def gained(asked: Sequence[tuple[Wallet, bytes, bytes]], held: Sequence[Held], **options: Any) -> set[int]:
    """The inputs of one transaction that somebody gets good signatures of, by requests; refusals give none."""
    found: set[int] = set()
    for who, key, payload in asked:
        try:
            found |= signed_inputs(sign(who, "psbt", payload, key, **options).psbt, held)
        except SigningError:
            continue
    return found


# --- the attack ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forms", list(itertools.product(("p2wpkh", "p2sh-p2wpkh"), repeat=2)))
def test_two_requests_that_swap_the_unproven_input_do_not_sign_a_fee_that_nobody_was_shown(
    forms: tuple[str, str],
) -> None:
    """Each request proves one input and lies about the other; together they would pay a fee of 10 BTC."""
    held = [Held(forms[0], KEY, 1), Held(forms[1], KEY, 2)]
    paid = 10 * COIN
    for lie in (LIE_SAT, 0):
        first = told([Told(held[0]), Told(held[1], lie)], paid)
        second = told([Told(held[0], lie), Told(held[1])], paid)
        for finals in ((False, False), (True, False), (False, True)):
            third = told([Told(held[0], None, final=finals[0]), Told(held[1], lie, final=finals[1])], paid)
            fourth = told([Told(held[0], lie, final=finals[0]), Told(held[1], None, final=finals[1])], paid)
            asked = [(wallet("p2wpkh"), KEY, each) for each in (first, second, third, fourth)]
            assert gained(asked, held) != {0, 1}


@pytest.mark.parametrize("forms", list(itertools.product(("p2wpkh", "p2sh-p2wpkh"), repeat=2)))
def test_two_wallets_that_are_told_different_lies_do_not_sign_a_fee_that_nobody_was_shown(
    forms: tuple[str, str],
) -> None:
    held = [Held(forms[0], KEY, 1), Held(forms[1], OTHER, 2)]
    paid = 10 * COIN
    asked = [
        (wallet(forms[0]), KEY, told([Told(held[0]), Told(held[1], LIE_SAT)], paid)),
        (wallet(forms[1], OTHER), OTHER, told([Told(held[0], LIE_SAT), Told(held[1])], paid)),
    ]
    assert gained(asked, held) == set()


@pytest.mark.parametrize("form", SCHEMES)
def test_a_coin_of_somebody_else_that_is_said_to_be_ours_vouches_for_no_other_signature(form: str) -> None:
    """Its owner needs no signature of ours to spend it, so that no signature of ours has to be good."""
    held = [Held("p2wpkh", OTHER, 3, 10_000), Held(form, KEY, 1), Held(form, KEY, 2)]
    lie = Told(held[0], held[0].amount, as_if=("p2tr", KEY))
    ways = [[Told(each), Told(each, LIE_SAT), Told(each, each.amount)] for each in held[1:]]
    asked = [
        (wallet(signs), KEY, told([lie, *inputs], 10 * COIN))
        for inputs in itertools.product(*ways)
        for signs in (form, "p2tr")
    ]
    assert not gained(asked, held) >= {1, 2}


_held = st.tuples(st.sampled_from(sorted(SCHEMES)), st.sampled_from([KEY, OTHER]))


def _ways(each: Held) -> st.SearchStrategy[tuple[Told, ...]]:
    """What an adversary tells of an input, now this and now that: the truth, proven or not, and a lie."""
    said_to_be = st.sampled_from([("p2tr", KEY), ("p2tr", OTHER), *[None] * 2 * (each.key != THIRD)])
    truth = st.builds(Told, st.just(each), st.sampled_from([None, each.amount]))
    lie = st.builds(Told, st.just(each), st.sampled_from([LIE_SAT, 0, each.amount]), as_if=said_to_be)
    return st.tuples(truth, lie) if each.key != THIRD else st.tuples(lie)


@settings(max_examples=examples(150), deadline=None)
@given(forms=st.lists(_held, min_size=2, max_size=3), stranger=st.booleans(), data=st.data())
def test_whatever_requests_tell_of_inputs_they_add_up_to_no_fee_above_the_limit(
    forms: list[tuple[str, bytes]], stranger: bool, data: st.DataObject
) -> None:
    """Two wallets are asked as often as one likes; a coin of the adversary's own may stand alongside theirs."""
    held = [Held(form, key, salt) for salt, (form, key) in enumerate(forms, 1)]
    ours = set(range(len(held)))
    if stranger:
        held.append(Held("p2wpkh", THIRD, 9, 10_000))
    tellings = itertools.product(*(data.draw(_ways(each)) for each in held))
    asked = [(wallet(form, key), key, told(inputs, 10 * COIN)) for inputs in tellings for form, key in sorted({*forms})]
    assert not gained(asked, held) >= ours


@pytest.mark.parametrize("keys", [(KEY, KEY), (KEY, OTHER)], ids=["one wallet", "two wallets"])
@pytest.mark.parametrize("forms", list(itertools.product(SCHEMES, repeat=2)))
def test_no_requests_add_up_to_a_transaction_whose_fee_is_above_the_limit(
    forms: tuple[str, str], keys: tuple[bytes, bytes]
) -> None:
    """Every way to tell of two inputs, to each of their wallets."""
    held = [Held(form, key, salt) for salt, (form, key) in enumerate(zip(forms, keys, strict=True), 1)]
    ways = [[Told(each), Told(each, LIE_SAT), Told(each, 0), Told(each, each.amount)] for each in held]
    asked = [
        (wallet(one.form, one.key), one.key, told(inputs, 10 * COIN))
        for inputs in itertools.product(*ways)
        for one in held
    ]
    assert gained(asked, held) != {0, 1}
    honest = [(who, key, told([Told(each) for each in held], 20 * COIN - 5000)) for who, key, _ in asked[:2]]
    assert gained(honest, held) == {0, 1}, "a transaction whose fee is below the limit is signed"


def test_a_taproot_signature_that_leaves_the_outputs_open_vouches_for_no_other_signature() -> None:
    """Its amounts are true in a request of its own, where other outputs made the fee look small."""
    held = [Held("p2tr", KEY, 2), Held("p2wpkh", KEY, 1), Held("p2wpkh", OTHER, 3)]
    for kind, name in ((2, "NONE"), (3, "SINGLE")):
        lies = told([Told(held[0], sighash=kind), Told(held[1]), Told(held[2], LIE_SAT)], 20 * COIN)
        with pytest.raises(SignatureRefusedError, match="previous transactions"):
            prepare(wallet("p2wpkh"), "psbt", lies, sighash_allowed=[name])


def test_a_taproot_input_that_scripts_can_spend_too_vouches_for_no_other_signature() -> None:
    root = bytes(range(32))
    output_key = signer.output_key(point(KEY), root)
    assert output_key is not None
    with_scripts = b"\x51\x20" + output_key
    previous = transaction([(bytes(32), 0, 0)], [(COIN, with_scripts)])
    ours, others = Held("p2wpkh", KEY, 1, COIN), Held("p2wpkh", OTHER, 2, COIN)
    spent = [(txid(each), 0, 0) for each in (ours.previous(), previous, others.previous())]
    taproot = {b"\x00": previous, b"\x17": point(KEY)[1:], b"\x18": root}

    def payload(other: dict[bytes, bytes]) -> bytes:
        unsigned = {b"\x00": transaction(spent, [(3 * COIN - 1000, TO_OTHERS)])}
        return b"psbt\xff" + b"".join(map(write_map, (unsigned, Told(ours).fields(), taproot, other, {})))

    assert len(sign(wallet("p2tr"), "psbt", payload(Told(others).fields())).signatures) == 2
    with pytest.raises(SignatureRefusedError, match="signature of input 0"):
        prepare(wallet("p2tr"), "psbt", payload(Told(others, COIN).fields()))


# --- what must be proven for which signature -----------------------------------------------------------------

NAMES = {2: "NONE", 3: "SINGLE", 0x81: "ALL|ANYONECANPAY", 0x82: "NONE|ANYONECANPAY", 0x83: "SINGLE|ANYONECANPAY"}
OPEN = tuple(NAMES)
OWN, ANOTHER = In(), In(key=OTHER)


def unproven(each: In, **changes: Any) -> In:
    return replace(each, proven=False, **changes)


def shown(each: In) -> str:
    parts = (
        each.form,
        "" if each.key == KEY else "other's",
        "" if each.proven else "unproven",
        NAMES.get(each.sighash or 0),
    )
    return " ".join(part for part in parts if part)


@pytest.mark.parametrize(
    ("inputs", "signed"),
    [
        ([unproven(OWN)], True),
        ([unproven(OWN), ANOTHER], True),
        ([unproven(OWN), OWN], False),
        ([OWN, unproven(ANOTHER)], False),
        ([unproven(OWN), unproven(ANOTHER)], False),
        ([unproven(In("p2sh-p2wpkh")), ANOTHER], True),
        ([In("p2sh-p2wpkh"), unproven(ANOTHER)], False),
        ([In("p2pkh"), ANOTHER], True),
        ([In("p2pkh"), unproven(ANOTHER)], False),
        ([In("p2pkh"), unproven(OWN)], False),
        ([unproven(In("p2tr"))], True),
        ([unproven(In("p2tr")), unproven(ANOTHER)], True),
        ([unproven(In("p2tr")), unproven(OWN), unproven(ANOTHER)], False),
        ([In("p2tr"), unproven(OWN), unproven(ANOTHER)], True),
        ([unproven(In("p2tr")), In("p2pkh"), unproven(ANOTHER)], False),
        ([In("p2tr"), In("p2pkh"), unproven(ANOTHER)], True),
        ([unproven(In("p2tr", sighash=1)), unproven(OWN)], False),
        ([In("p2tr", sighash=1), unproven(OWN)], True),
        ([unproven(In("p2tr", key=OTHER)), OWN], False),
        ([In("p2tr", key=OTHER), unproven(OWN)], True),
        *[([unproven(In("p2tr", sighash=kind)), unproven(ANOTHER)], True) for kind in (2, 3)],
        *[([unproven(In("p2tr", sighash=kind)), OWN], False) for kind in OPEN],
        *[([unproven(In("p2tr", sighash=kind)), ANOTHER], True) for kind in OPEN],
        *[([In("p2tr", sighash=kind), unproven(ANOTHER)], False) for kind in (0x81, 0x82, 0x83)],
        *[([unproven(In(sighash=kind)), ANOTHER], True) for kind in OPEN],
        *[([In(sighash=kind), unproven(ANOTHER)], False) for kind in OPEN],
        *[([unproven(In(sighash=kind)), In("p2tr")], True) for kind in OPEN],
        *[([In(sighash=kind), In("p2tr"), unproven(ANOTHER)], True) for kind in (2, 3)],
        *[([In(sighash=kind), In("p2tr"), unproven(ANOTHER)], False) for kind in (0x81, 0x82, 0x83)],
        *[([In("p2pkh", sighash=kind), unproven(ANOTHER)], False) for kind in OPEN],
    ],
    ids=lambda value: "+".join(map(shown, value)) if isinstance(value, list) else str(value),
)
def test_what_a_signature_does_not_bind_must_be_proven(inputs: list[In], signed: bool) -> None:
    case = simple(*inputs)
    case = replace(case, outputs=((case.spent - 3000, TO_OTHERS), *[(1000, TO_OTHERS)] * 2))
    options: dict[str, Any] = {"sighash_allowed": list(NAMES.values())}
    if signed:
        assert sign(wallet("p2wpkh"), "psbt", case.psbt(), **options).signatures
        return
    with pytest.raises(SignatureRefusedError, match="does not bind") as refused:
        prepare(wallet("p2wpkh"), "psbt", case.psbt(), **options)
    assert "trust_witness_utxo=True" in refused.value.hint
    assert sign(wallet("p2wpkh"), "psbt", case.psbt(), trust_witness_utxo=True, **options).signatures


@pytest.mark.parametrize("form", ["p2wpkh", "p2tr", "p2pkh", "p2sh-p2wpkh"])
def test_what_is_paid_to_the_wallets_own_key_in_any_form_raises_no_limit_of_the_fee(form: ScriptForm) -> None:
    payload = PsbtCase((In(amount=1_100_000_000),), ((1_000_000_000, script(form, KEY)),)).psbt()
    with pytest.raises(SignatureRefusedError, match="above the limit of 100000 sat"):
        prepare(wallet("p2wpkh"), "psbt", payload)
