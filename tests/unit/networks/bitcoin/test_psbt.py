"""What is signed of a PSBT, what is shown of it, and what is refused."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from strongroom.errors import MalformedPayloadError, SignatureRefusedError, UnsupportedSigningError
from strongroom.networks.bitcoin import psbt_fields as fields
from strongroom.networks.bitcoin.psbt import MAX_BYTES, Psbt
from strongroom.networks.codecs import segwit_address
from strongroom.networks.wally import hash160
from strongroom.records.signing import SigningRequest
from testbed.networks import preparing
from testbed.networks.bitcoin_payloads import (
    FORMS,
    KEY,
    OTHER,
    In,
    PsbtCase,
    chain,
    material,
    output_bytes,
    point,
    prepare,
    script,
    sign,
    simple,
    transaction,
    u32,
    wallet,
    write_map,
)

ONE = simple(In())


def refused(case: PsbtCase | bytes, reason: str, **options: Any) -> str:
    with pytest.raises(SignatureRefusedError, match=reason) as caught:
        prepare(wallet("p2wpkh"), "psbt", case if isinstance(case, bytes) else case.psbt(), **options)
    return caught.value.hint


# --- what is signed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [0, 2])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scheme_form", FORMS)
def test_the_key_of_a_wallet_signs_every_form_of_its_own(form: str, scheme_form: str, version: int) -> None:
    case = simple(In(form=form), In(form=form, key=OTHER), version=version)
    made = sign(wallet(scheme_form), "psbt", case.psbt())
    assert [(each.index, each.form) for each in made.signatures] == [(0, form)]
    assert made.version == version
    assert not made.complete
    before, after = Psbt.parse(case.psbt()), Psbt.parse(made.psbt)
    assert after.inputs[1] == before.inputs[1]
    key = fields.TAP_KEY_SIG if form == "p2tr" else fields.PARTIAL_SIG + point(KEY)
    assert set(after.inputs[0]) - set(before.inputs[0]) == {key}
    assert list(after.inputs[0]) == sorted(after.inputs[0])
    assert after.globals == before.globals
    assert sign(wallet(scheme_form), "psbt", made.psbt).psbt == made.psbt, "the same request gives the same bytes"


@pytest.mark.parametrize("form", FORMS)
def test_base64_text_is_read_like_bytes(form: str) -> None:
    psbt = simple(In(form=form)).psbt()
    text = base64.b64encode(psbt).decode()
    made = sign(wallet(form), "psbt", psbt)
    assert sign(wallet(form), "psbt", f"\n{text[:40]}\r\n{text[40:]}\n") == made
    assert made.as_dict()["psbt"] == base64.b64encode(made.psbt).decode()


def test_a_nested_input_without_its_redeem_script_gets_it() -> None:
    case = simple(In(form="p2sh-p2wpkh"))
    bare = Psbt.parse(case.psbt())
    without = {key: value for key, value in bare.inputs[0].items() if key != fields.REDEEM_SCRIPT}
    psbt = replace(bare, inputs=(without,)).serialise()
    assert sign(wallet("p2sh-p2wpkh"), "psbt", psbt).psbt == sign(wallet("p2sh-p2wpkh"), "psbt", case.psbt()).psbt


def test_fields_that_are_unknown_stay_where_they_are() -> None:
    strange = {b"\xf0abc": b"1", b"\xfc\x05other\x00": b"2", b"\x00": In(salt=1).previous()}
    psbt = b"psbt\xff" + b"".join(
        map(write_map, ({b"\xefx": b"y", b"\x00": simple(In()).unsigned()}, strange, {b"\xee": b""}))
    )
    assert Psbt.parse(psbt).serialise() == psbt
    made = Psbt.parse(sign(wallet("p2wpkh"), "psbt", psbt, finalize=True).psbt)
    assert list(made.globals) == [b"\xefx", b"\x00"]
    assert set(made.inputs[0]) == {*strange, fields.FINAL_WITNESS}
    assert made.outputs == ({b"\xee": b""},)


def test_finalize_clears_what_signers_needed_and_gives_the_transaction() -> None:
    case = simple(In(form="p2sh-p2wpkh", sighash=1, said=True), version=2)
    made = sign(wallet("p2sh-p2wpkh"), "psbt", case.psbt(), finalize=True)
    assert made.complete
    assert set(Psbt.parse(made.psbt).inputs[0]) == {b"\x00", b"\x01", b"\x07", b"\x08", b"\x0e", b"\x0f", b"\x10"}
    assert made.as_dict()["transaction"] == made.transaction.hex()
    assert made.as_dict()["txid"] == made.txid
    with pytest.raises(SignatureRefusedError, match="final already"):
        prepare(wallet("p2sh-p2wpkh"), "psbt", made.psbt)


def test_without_finalize_there_is_no_transaction() -> None:
    made = sign(wallet("p2wpkh"), "psbt", ONE.psbt())
    assert (made.complete, made.transaction, made.txid) == (False, None, None)


@pytest.mark.parametrize(
    ("flags", "kinds", "after"),
    [(3, [None], 0), (3, [0x81], 1), (3, [2], 2), (3, [0x82], 3), (3, [0x83], 5), (7, [1], 4), (0xFF, [1, 0x83], 0xFC)],
)
def test_what_a_signature_binds_is_not_modifiable_any_more(flags: int, kinds: list[int | None], after: int) -> None:
    """BIP-370."""
    case = simple(*(In(sighash=kind) for kind in kinds), version=2, shared={b"\x06": bytes((flags,))})
    case = replace(case, outputs=case.outputs * len(kinds)) if len(kinds) == 1 else case
    case = replace(case, outputs=tuple((1000, each) for _, each in case.outputs * 2))
    made = sign(
        wallet("p2wpkh"),
        "psbt",
        case.psbt(),
        max_fee_sat=10**9,
        sighash_allowed=["NONE", "ALL|ANYONECANPAY", "NONE|ANYONECANPAY", "SINGLE|ANYONECANPAY"],
    )
    assert Psbt.parse(made.psbt).globals[fields.TX_MODIFIABLE] == bytes((after,))


def test_a_legacy_wallet_is_signed_for_by_its_address() -> None:
    for form in FORMS:
        for public_key in ("", "not hex", wallet(form).public_key, f"0x{wallet(form).public_key}", point(OTHER).hex()):
            who = wallet(form, scheme=None, public_key=public_key)
            case = simple(In(form=form))
            assert sign(who, "psbt", case.psbt()) == sign(wallet(form), "psbt", case.psbt())
            assert sign(who, "digest", bytes(32)) == sign(wallet(form), "digest", bytes(32))


@pytest.mark.parametrize(
    "changes",
    [
        {"address": wallet("p2wpkh", OTHER).address},
        {"public_key": point(OTHER).hex()},
        {"scheme": "bip44"},
        {"network": "bitcoin-testnet"},
        {"address": "nonsense"},
        {"address": wallet("p2wpkh", network="bitcoin-testnet").address},
    ],
)
def test_a_wallet_whose_public_half_does_not_fit_signs_nothing(changes: dict[str, Any]) -> None:
    who = wallet("p2wpkh", **changes)
    with pytest.raises(SignatureRefusedError):
        preparing.prepare(chain(), who, SigningRequest("psbt", ONE.psbt()))


def test_an_address_that_several_keys_spend_is_not_supported() -> None:
    who = wallet("p2wpkh", address=segwit_address.encode("bc", 0, bytes(32)), scheme=None)
    with pytest.raises(UnsupportedSigningError):
        prepare(who, "psbt", ONE.psbt())


@pytest.mark.parametrize("kind", ["transaction", "typed-data", "authorization"])
def test_other_kinds_are_not_supported(kind: Any) -> None:
    with pytest.raises(UnsupportedSigningError):
        prepare(wallet("p2wpkh"), kind, b"")


def test_another_key_than_the_wallets_signs_nothing() -> None:
    for kind, payload in (("psbt", ONE.psbt()), ("message", "hello"), ("digest", bytes(32))):
        made = prepare(wallet("p2wpkh"), kind, payload)
        with pytest.raises(SignatureRefusedError, match="does not derive"):
            made.sign(material(OTHER))


# --- what is shown -------------------------------------------------------------------------------------------


def test_the_review_says_who_pays_what_to_whom() -> None:
    case = simple(
        In(amount=60_000),
        In(form="p2tr", key=OTHER, amount=50_000),
        outputs=(
            (70_000, script("p2pkh", OTHER)),
            (38_000, script("p2wpkh", KEY)),
            (500, script("p2tr", KEY)),
            (0, b"\x6a\x02hi"),
        ),
        locktime=800_000,
    )
    made: Any = prepare(wallet("p2wpkh"), "psbt", case.psbt())
    assert made.intent.summary() == {
        "psbt_version": "0",
        "inputs": "2",
        "inputs_own": "1",
        "inputs_signed": "1",
        "sighash": "ALL",
        "own_sat": "60000",
        "paid_sat": "70500",
        "change_sat": "38000",
        "outputs": f"{wallet('p2pkh', OTHER).address}=70000; {wallet('p2wpkh').address}=38000 (change); "
        f"{wallet('p2tr').address}=500; 6a026869=0",
        "fee_sat": "1500",
        "fee_rate_sat_vb": f"{1500 / made.review.vsize:.1f}",
        "locktime": "800000",
    }
    shown = made.review.as_dict()
    assert [(each["own"], each["sighash"], each["address"]) for each in shown["inputs"]] == [
        (True, "ALL", wallet("p2wpkh").address),
        (False, None, wallet("p2tr", OTHER).address),
    ]
    assert [each["change"] for each in shown["outputs"]] == [False, True, False, False]
    assert made.kind == "psbt"
    assert made.replay_scope is None
    assert len(made.digest) == 32


def test_long_lists_of_outputs_are_cut_in_the_summary_only() -> None:
    case = simple(In(amount=10**6), outputs=tuple((10_000 + n, script("p2tr", OTHER)) for n in range(90)))
    made: Any = prepare(wallet("p2wpkh"), "psbt", case.psbt())
    assert made.intent.summary()["outputs"].endswith("; and 70 more")
    assert len(made.review.outputs) == 90


def test_the_digest_stands_for_what_is_signed() -> None:
    one, two = (prepare(wallet("p2wpkh"), "psbt", simple(*inputs).psbt()) for inputs in ([In()], [In(), In()]))
    assert one.digest != two.digest
    assert one.digest == one.spends[0].digest  # type: ignore[attr-defined]
    metadata = replace(ONE, shared={b"\xef": b"x"}).psbt()
    assert prepare(wallet("p2wpkh"), "psbt", metadata).digest == one.digest


# --- fees ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paid", "change", "fee", "good"),
    [
        (10_000, 0, 100_000, True),
        (10_000, 0, 100_001, False),
        (5_000_000, 0, 500_000, True),
        (5_000_000, 0, 500_001, False),
        (10_000, 10**9, 100_001, False),
    ],
)
def test_a_fee_above_the_limit_is_refused_unless_told(paid: int, change: int, fee: int, good: bool) -> None:
    outputs = ((paid, script("p2tr", OTHER)), (change, script("p2wpkh", KEY)))
    case = simple(In(amount=paid + change + fee), outputs=outputs)
    if good:
        assert prepare(wallet("p2wpkh"), "psbt", case.psbt()).intent.summary()["fee_sat"] == str(fee)
    else:
        assert f"max_fee_sat={fee}" in refused(case, f"fee of {fee} sat")
        prepare(wallet("p2wpkh"), "psbt", case.psbt(), max_fee_sat=fee)
    refused(case, "fee", max_fee_sat=fee - 1)


def test_outputs_that_pay_more_than_the_inputs_hold_are_refused_unless_others_may_add_inputs() -> None:
    refused(simple(In(), fee=-1), "more than the inputs")
    open_one = simple(In(sighash=0x83), fee=-50_000)
    made = sign(wallet("p2wpkh"), "psbt", open_one.psbt(), sighash_allowed=["SINGLE|ANYONECANPAY"])
    assert made.review.fee_sat == -50_000
    assert made.review.fee_rate is None


def test_an_unknown_amount_is_refused() -> None:
    case = simple(In(), In(key=OTHER))
    bare = Psbt.parse(case.psbt())
    refused(replace(bare, inputs=(bare.inputs[0], {})).serialise(), "Input 1 does not say what it spends")


# --- amounts that could be lies ------------------------------------------------------------------------------


def test_every_other_input_of_a_version_0_signature_is_proven_unless_told() -> None:
    unproven = In(proven=False)
    sign(wallet("p2wpkh"), "psbt", simple(unproven).psbt())
    sign(wallet("p2wpkh"), "psbt", simple(unproven, In(key=OTHER)).psbt())
    for first in (unproven, In()):
        for second in (unproven, In(proven=False, key=OTHER), In(form="p2sh-p2wpkh", proven=False)):
            case = simple(first, second)
            assert "trust_witness_utxo=True" in refused(case, "previous transactions")
            sign(wallet("p2wpkh"), "psbt", case.psbt(), trust_witness_utxo=True)


def test_a_taproot_signature_binds_every_amount() -> None:
    inputs = In(proven=False), In(proven=False, key=OTHER)
    sign(wallet("p2tr"), "psbt", simple(In(form="p2tr"), *inputs).psbt())
    sign(wallet("p2tr"), "psbt", simple(In(form="p2tr", proven=False), inputs[1]).psbt())
    refused(simple(In(form="p2tr", proven=False), *inputs), "previous transactions")
    refused(simple(In(form="p2tr", proven=False, key=OTHER), *inputs), "previous transactions")
    alone = simple(In(form="p2tr", proven=False, sighash=0x81), *inputs)
    refused(alone, "previous transactions", sighash_allowed=["ALL|ANYONECANPAY"])


# --- what a signer must refuse -------------------------------------------------------------------------------


def with_fields(form: str = "p2wpkh", **more: Any) -> PsbtCase:
    return simple(In(form=form, **more))


@pytest.mark.parametrize("key", [KEY, OTHER])
def test_a_previous_transaction_that_is_another_is_refused(key: bytes) -> None:
    wrong = In(key=key, salt=9).previous()
    refused(simple(In(), In(key=key, more={b"\x00": wrong})), "Input 1|input 1")


def test_an_output_that_the_previous_transaction_does_not_have_is_refused() -> None:
    psbt = Psbt.parse(ONE.psbt())
    spent = psbt.tx.inputs[0]
    unsigned = transaction([(spent.txid, 7, 0)], ONE.outputs)
    refused(replace(psbt, globals={b"\x00": unsigned}).serialise(), "does not have")


@pytest.mark.parametrize("form", ["p2wpkh", "p2tr", "p2sh-p2wpkh"])
def test_two_utxos_that_differ_are_refused(form: str) -> None:
    refused(with_fields(form, more={b"\x01": output_bytes(100_001, script(form, KEY))}), "two things")


def test_a_witness_utxo_for_an_input_without_a_witness_is_refused() -> None:
    utxo = {b"\x01": output_bytes(100_000, script("p2pkh", KEY))}
    refused(with_fields("p2pkh", more=utxo), "without a witness")
    others = simple(In(), In(form="p2pkh", key=OTHER, more={b"\x01": output_bytes(100_000, script("p2pkh", OTHER))}))
    sign(wallet("p2wpkh"), "psbt", others.psbt())  # the previous transaction is there, and the signature another's


def test_scripts_that_do_not_fit_are_refused_also_of_others() -> None:
    for key in (KEY, OTHER):
        for form in FORMS:
            refused(simple(In(), In(form=form, key=key, more={b"\x04": b"\x00\x14" + bytes(20)})), "redeem script")
            refused(simple(In(), In(form=form, key=key, more={b"\x05": b"\x51"})), "witness script")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", [0, 2, 3, 0x81, 0x82, 0x83, 4, 0x41, 0x80, 0xFF, 0x101, 2**32 - 1])
def test_an_unsafe_type_is_refused_unless_told(form: str, kind: int) -> None:
    case = with_fields(form, sighash=kind)
    if form == "p2tr" and kind == 0:
        return
    hint = refused(case, "type")
    if kind in (2, 3, 0x81, 0x82, 0x83):
        assert "sighash_allowed" in hint
        name = hint.split("'")[1]
        made = sign(wallet("p2wpkh"), "psbt", case.psbt(), sighash_allowed=[name])
        assert made.signatures[0].sighash == name
    every = ["DEFAULT", "ALL", "NONE", "SINGLE", "ALL|ANYONECANPAY", "NONE|ANYONECANPAY", "SINGLE|ANYONECANPAY"]
    if kind not in (2, 3, 0x81, 0x82, 0x83):
        refused(case, "type", sighash_allowed=every)


@pytest.mark.parametrize("form", FORMS)
def test_single_without_a_matching_output_is_refused(form: str) -> None:
    refused(simple(In(), In(form=form, sighash=3)), "no matching output", sighash_allowed=["SINGLE"])


def test_a_transaction_of_others_is_refused() -> None:
    refused(simple(In(key=OTHER)), "No input")
    refused(Psbt.parse(bytes.fromhex("70736274ff01000a0000000000000000000000")).serialise(), "No input")


def test_a_multisig_of_which_the_key_is_a_part_is_not_signed() -> None:
    multisig = b"\x51\x21" + point(KEY) + b"\x51\xae"
    program = b"\x00\x20" + hashlib.sha256(multisig).digest()
    psbt = b"psbt\xff" + b"".join(
        map(
            write_map,
            (
                {b"\x00": transaction([(bytes(32), 0, 0)], ONE.outputs)},
                {b"\x01": output_bytes(100_000, program), b"\x05": multisig},
                {},
            ),
        )
    )
    refused(psbt, "No input")
    nested = {b"\x01": output_bytes(100_000, b"\xa9\x14" + hash160(program) + b"\x87"), b"\x05": multisig}
    shared = {b"\x00": transaction([(bytes(32), 0, 0)], ONE.outputs)}
    refused(b"psbt\xff" + b"".join(map(write_map, (shared, nested, {}))), "No input")


def test_a_message_in_the_shape_of_a_transaction_is_refused() -> None:
    refused(replace(ONE, shared={b"\x09": b"hello"}), "message")
    refused(simple(In(amount=0), In()), "message")


# --- what cannot be read -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload", [None, 1, 1.5, [], {}, object(), "", b"", "é", "cHNidP8", "\ud800", b"psbt\xff", b"psbt", "=" * 9]
)
def test_what_is_no_psbt_is_malformed(payload: object) -> None:
    with pytest.raises(MalformedPayloadError):
        prepare(wallet("p2wpkh"), "psbt", payload)


@pytest.mark.parametrize("version", [0, 2])
def test_what_is_truncated_anywhere_is_malformed(version: int) -> None:
    psbt = simple(In(), In(form="p2tr"), version=version).psbt()
    for length in range(len(psbt)):
        with pytest.raises(MalformedPayloadError):
            prepare(wallet("p2wpkh"), "psbt", psbt[:length])
    with pytest.raises(MalformedPayloadError):
        prepare(wallet("p2wpkh"), "psbt", psbt + b"\0")


def test_what_is_too_large_is_malformed() -> None:
    many = tuple((1, script("p2tr", OTHER)) for _ in range(2_400))
    counts = {b"\x02": u32(2), b"\x04": b"\xfe" + u32(10**6), b"\x05": b"\x00", b"\xfb": u32(2)}
    for payload in (
        b"psbt\xff" + bytes(MAX_BYTES),
        base64.b64encode(b"psbt\xff" + bytes(MAX_BYTES + 1024)).decode(),
        simple(In(), outputs=many).psbt(),
        simple(In(), outputs=many, version=2).psbt(),
        b"psbt\xff" + write_map(counts) + bytes(10**6),
    ):
        with pytest.raises(MalformedPayloadError, match="larger"):
            prepare(wallet("p2wpkh"), "psbt", payload)


def test_an_output_that_is_spent_twice_is_malformed() -> None:
    case = replace(ONE, inputs=ONE.inputs * 2)
    with pytest.raises(MalformedPayloadError, match="twice"):
        prepare(wallet("p2wpkh"), "psbt", case.psbt())


@pytest.mark.parametrize(
    "options",
    [
        {"max_fee": 5},
        {"max_fee_sat": "5"},
        {"max_fee_sat": -1},
        {"max_fee_sat": True},
        {"max_fee_sat": 1.5},
        {"finalize": 1},
        {"trust_witness_utxo": None},
        {"sighash_allowed": "ALL"},
        {"sighash_allowed": ["all"]},
        {"sighash_allowed": [1]},
        {"sighash_allowed": [[]]},
    ],
)
def test_options_that_are_none_are_malformed(options: dict[str, Any]) -> None:
    with pytest.raises(MalformedPayloadError):
        prepare(wallet("p2wpkh"), "psbt", ONE.psbt(), **options)


@pytest.mark.parametrize("first", [b"\xfd\x01\x00", b"\xfe\x01\x00\x00\x00", b"\xff\x01" + bytes(7)])
def test_a_length_that_is_written_longer_than_it_must_be_is_malformed(first: bytes) -> None:
    psbt = ONE.psbt()
    assert psbt[5:7] == b"\x01\x00"
    with pytest.raises(MalformedPayloadError, match="shortest"):
        prepare(wallet("p2wpkh"), "psbt", psbt[:5] + first + psbt[6:])
