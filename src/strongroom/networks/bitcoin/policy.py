"""What is not signed though it can be: fees above a limit, and amounts that could be lies."""

from __future__ import annotations

from strongroom.errors import SignatureRefusedError
from strongroom.networks.bitcoin import sighash
from strongroom.networks.bitcoin.options import PsbtOptions
from strongroom.networks.bitcoin.review import Review
from strongroom.networks.bitcoin.spending import Spend

LIMIT_SAT = 100_000
"""The fee that is always signed, unless the caller sets a limit."""
LIMIT_SHARE = 10
"""Larger fees are signed up to this part of what is paid to others: a tenth."""


def check(spends: tuple[Spend, ...], review: Review, options: PsbtOptions) -> None:
    """Raise SignatureRefusedError for a transaction that must not be signed as it stands."""
    if not options.trust_witness_utxo:
        _check_amounts(spends)
    _check_fee(spends, review, options.max_fee_sat)


def _check_amounts(spends: tuple[Spend, ...]) -> None:
    """Refuse a signature that stays good though an amount given with it is a lie.

    Each signature counts by itself, whatever else is signed now: one of this request and one of another, also of
    another wallet, make one transaction, and what one of them was told the other was not. An amount cannot lie to a
    signature that binds it, because the lie makes the signature void. Taproot binds the amounts of all inputs, or with
    ANYONECANPAY its own; version 0 binds its own; the legacy algorithm binds none. What is not bound must be proven.
    """
    unproven = sum(not each.proven for each in spends)
    if not unproven:
        return
    anchored = any(map(_anchors, spends))
    for each in spends:
        if each.sighash is None or (anchored and _binds_inputs(each)):
            continue  # every input is bound, among them one that only a signature over the true amounts can spend
        if each.form == "p2tr" and _binds_inputs(each):
            continue
        bound = 1 if not each.proven and each.form != "p2pkh" else 0
        if unproven > bound:
            raise SignatureRefusedError(
                f"Inputs come without their previous transactions, and the signature of input {each.index} does not "
                "bind their amounts: these, and so the fee, could be lies.",
                hint="Add the previous transactions (non_witness_utxo) to the other inputs, or say "
                "trust_witness_utxo=True (--trust-witness-utxo).",
            )


def _anchors(each: Spend) -> bool:
    """Whether the signature that is made now binds all amounts and all outputs, and nothing but such a signature, of
    this key alone, spends its input: proven, since another's coin may be said to be ours, and needs no signature of
    ours; and not where the output also has script paths."""
    return each.proven and each.form == "p2tr" and each.root is None and each.sighash in (sighash.DEFAULT, sighash.ALL)


def _check_fee(spends: tuple[Spend, ...], review: Review, limit_sat: int | None) -> None:
    fee = review.fee_sat
    if fee < 0 and any(_binds_inputs(each) for each in spends):
        raise SignatureRefusedError(f"The outputs pay {-fee} sat more than the inputs hold.")
    limit = max(LIMIT_SAT, review.others_sat // LIMIT_SHARE) if limit_sat is None else limit_sat
    if fee > limit:
        raise SignatureRefusedError(
            f"The fee of {fee} sat is above the limit of {limit} sat.",
            hint=f"Where it is meant, say max_fee_sat={fee} (--max-fee-sat {fee}).",
        )


def _binds_inputs(each: Spend) -> bool:
    """Whether the signature that is made now lets nobody add inputs."""
    return each.sighash is not None and not each.sighash & sighash.ANYONE_CAN_PAY
