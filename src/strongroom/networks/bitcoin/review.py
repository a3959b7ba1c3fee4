"""What a transaction does, for people to see before it is signed and for the usage log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strongroom.records.intent import ALWAYS, NATIVE, Effect, Fee, Intent, Validity

_SHOWN = 20
"""How many outputs the usage log shows."""
_FIRST_TIME = 500_000_000
"""A locktime from here on is Unix time, below it a height. BIP-65."""


@dataclass(frozen=True, slots=True)
class ReviewedInput:
    """An output that the transaction spends, with its amount in satoshis and who owns it."""

    outpoint: str
    """``txid:index``; the txid in hex, byte-reversed as people write it."""
    amount_sat: int
    address: str | None
    own: bool
    """Whether the wallet's key spends it."""
    sighash: str | None
    """What the signature that is made now binds; None where none is made."""
    proven: bool
    """Whether the previous transaction came along; else the amount is what the PSBT says."""

    def as_dict(self) -> dict[str, Any]:
        """The input as JSON-ready values."""
        return {
            "outpoint": self.outpoint,
            "amount_sat": self.amount_sat,
            "address": self.address,
            "own": self.own,
            "sighash": self.sighash,
            "proven": self.proven,
        }


@dataclass(frozen=True, slots=True)
class ReviewedOutput:
    """An amount in satoshis, and the address or script that it pays."""

    address: str | None
    """None where the script has no address."""
    script: str
    """The output script in hex."""
    amount_sat: int
    change: bool
    """Whether it pays back to the wallet's own address."""
    own: bool
    """Whether the wallet's key alone spends it, by whichever address."""

    def as_dict(self) -> dict[str, Any]:
        """The output as JSON-ready values."""
        return {
            "address": self.address,
            "script": self.script,
            "amount_sat": self.amount_sat,
            "change": self.change,
        }


@dataclass(frozen=True, slots=True)
class Review:
    """What a transaction spends and pays, in satoshis, as a person reads it before signing."""

    inputs: tuple[ReviewedInput, ...]
    outputs: tuple[ReviewedOutput, ...]
    locktime: int
    vsize: int | None
    """Virtual bytes when all signatures are there, at most; None where other inputs have scripts of unknown size."""

    @property
    def fee_sat(self) -> int:
        """What the inputs hold and the outputs do not; below zero where others are to add inputs."""
        return sum(each.amount_sat for each in self.inputs) - sum(each.amount_sat for each in self.outputs)

    @property
    def paid_sat(self) -> int:
        """What the outputs pay, without the wallet's change."""
        return sum(each.amount_sat for each in self.outputs if not each.change)

    @property
    def others_sat(self) -> int:
        """What the outputs pay to anyone who does not have the wallet's key."""
        return sum(each.amount_sat for each in self.outputs if not each.own)

    @property
    def own_sat(self) -> int:
        """What the wallet's inputs hold."""
        return sum(each.amount_sat for each in self.inputs if each.own)

    @property
    def change_sat(self) -> int:
        """What comes back to the wallet's own address."""
        return sum(each.amount_sat for each in self.outputs if each.change)

    @property
    def fee_rate(self) -> str | None:
        """Satoshi per virtual byte, one decimal; at least this much."""
        if self.vsize is None or self.fee_sat < 0:
            return None
        return f"{self.fee_sat / self.vsize:.1f}"

    def as_dict(self) -> dict[str, Any]:
        """The transaction as JSON-ready values."""
        return {
            "inputs": [each.as_dict() for each in self.inputs],
            "outputs": [each.as_dict() for each in self.outputs],
            "fee_sat": self.fee_sat,
            "fee_rate_sat_vb": self.fee_rate,
            "vsize": self.vsize,
            "locktime": self.locktime,
        }

    def summary(self) -> dict[str, str]:
        """A few of these facts, in short."""
        own = [each for each in self.inputs if each.own]
        shown = [
            f"{each.address or each.script[:80]}={each.amount_sat}{' (change)' if each.change else ''}"
            for each in self.outputs[:_SHOWN]
        ]
        if len(self.outputs) > _SHOWN:
            shown.append(f"and {len(self.outputs) - _SHOWN} more")
        return {
            "inputs": str(len(self.inputs)),
            "inputs_own": str(len(own)),
            "inputs_signed": str(sum(each.sighash is not None for each in own)),
            "sighash": ", ".join(sorted({each.sighash for each in own if each.sighash is not None})),
            "own_sat": str(self.own_sat),
            "paid_sat": str(self.paid_sat),
            "change_sat": str(self.change_sat),
            "outputs": "; ".join(shown),
            "fee_sat": str(self.fee_sat),
            "fee_rate_sat_vb": self.fee_rate or "unknown",
            **({"locktime": str(self.locktime)} if self.locktime else {}),
        }

    def intent(self, chain: str, facts: Mapping[str, str]) -> Intent:
        """Every output as a transfer, and the fee.

        A signature of a type other than ALL (DEFAULT) lets others choose outputs, or add inputs that pay a fee.
        """
        effects = tuple(Effect(NATIVE, each.amount_sat, each.address, change=each.change) for each in self.outputs)
        opens = any(each.sighash not in (None, "ALL", "DEFAULT") for each in self.inputs)
        validity = Validity(not_before=self.locktime) if self.locktime >= _FIRST_TIME else ALWAYS
        return Intent(chain, effects, Fee(max(self.fee_sat, 0)), validity, opaque=opens, facts=facts)
