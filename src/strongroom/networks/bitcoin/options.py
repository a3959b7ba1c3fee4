"""What a caller may say with a PSBT; kinds.py declares it, and the vault has checked names and types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strongroom.networks.bitcoin import sighash


@dataclass(frozen=True, slots=True)
class PsbtOptions:
    """What a caller may say with a PSBT."""

    finalize: bool
    """Make final scripts of the wallet's signatures, and a transaction where none is missing."""
    sighash_allowed: frozenset[int]
    """Types other than ALL (and DEFAULT for taproot) that inputs may ask for."""
    max_fee_sat: int | None
    """The largest fee that is signed; None: the default limit."""
    trust_witness_utxo: bool
    """Believe amounts that no previous transaction proves."""
    auxiliary_randomness: bool
    """Put fresh randomness into taproot signatures. BIP-340."""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> PsbtOptions:
        """Take them from the options of a checked request."""
        return cls(
            finalize=options["finalize"],
            sighash_allowed=frozenset(sighash.NAMES[each] for each in options["sighash_allowed"]),
            max_fee_sat=options["max_fee_sat"],
            trust_witness_utxo=options["trust_witness_utxo"],
            auxiliary_randomness=options["auxiliary_randomness"],
        )
