"""What is not signed though it can be: fees above a limit, and amounts that could be lies."""

from __future__ import annotations

from strongroom.errors import SignatureRefusedError
from strongroom.networks.bitcoin_signing import sighash
from strongroom.networks.bitcoin_signing.options import PsbtOptions
from strongroom.networks.bitcoin_signing.review import Review
from strongroom.networks.bitcoin_signing.spending import Spend

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
    """Refuse two amounts or more that nothing proves and no signature binds.

    A signature of version 0 binds the amount of its own input only. With two unproven inputs one lie in each of two
    requests, and one signature of each, make a transaction whose fee nobody was shown. One unproven amount cannot lie:
    its own signature would be void. A taproot signature binds the amounts of all inputs.
    """
    if any(each.form == "p2tr" and _binds_inputs(each) for each in spends):
        return
    if sum(not each.proven for each in spends) > 1:
        raise SignatureRefusedError(
            "Several inputs come without their previous transactions: their amounts, and so the fee, could be lies.",
            hint="Add the previous transactions (non_witness_utxo), or say trust_witness_utxo=True.",
        )


def _check_fee(spends: tuple[Spend, ...], review: Review, limit_sat: int | None) -> None:
    fee = review.fee_sat
    if fee < 0 and any(_binds_inputs(each) for each in spends):
        raise SignatureRefusedError(f"The outputs pay {-fee} sat more than the inputs hold.")
    limit = max(LIMIT_SAT, review.paid_sat // LIMIT_SHARE) if limit_sat is None else limit_sat
    if fee > limit:
        raise SignatureRefusedError(
            f"The fee of {fee} sat is above the limit of {limit} sat.",
            hint=f"Where it is meant, say max_fee_sat={fee}.",
        )


def _binds_inputs(each: Spend) -> bool:
    """Whether the signature that is made now lets nobody add inputs."""
    return each.sighash is not None and not each.sighash & sighash.ANYONE_CAN_PAY
