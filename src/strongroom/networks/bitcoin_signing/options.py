"""What a caller may say beside the payload. An option that is unknown, or of another type, is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strongroom.errors import MalformedPayloadError
from strongroom.networks.bitcoin_signing import sighash


class Options:
    """Takes options by name; what is left in the end is unknown. Every verb raises MalformedPayloadError."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        if not isinstance(options, Mapping):
            raise MalformedPayloadError("Options are passed as a mapping.")
        self._left = dict(options)
        self._known: list[str] = []

    def flag(self, name: str, default: bool) -> bool:
        """Return True or False."""
        value = self._take(name, default)
        if not isinstance(value, bool):
            raise MalformedPayloadError(f"The option {name} is true or false.")
        return value

    def amount(self, name: str) -> int | None:
        """Return a number of satoshi, or None where nothing is said."""
        value = self._take(name, None)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise MalformedPayloadError(f"The option {name} is a whole number of satoshi.")
        return value

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """Return one of some words."""
        value = self._take(name, default)
        if not isinstance(value, str) or value not in choices:
            raise MalformedPayloadError(f"The option {name} is one of: {', '.join(choices)}.")
        return value

    def sighashes(self, name: str) -> frozenset[int]:
        """Return signature hash types that are given by their names."""
        value = self._take(name, ())
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise MalformedPayloadError(f"The option {name} is a list of names, such as ALL|ANYONECANPAY.")
        if not all(isinstance(each, str) and each in sighash.NAMES for each in value):
            raise MalformedPayloadError(f"The option {name} takes the names: {', '.join(sighash.NAMES)}.")
        return frozenset(sighash.NAMES[each] for each in value)

    def finish(self) -> None:
        """Refuse what was not asked for."""
        if self._left:
            known = f"The options of this kind are: {', '.join(self._known)}." if self._known else "It takes none."
            raise MalformedPayloadError("There is an option that this kind does not have.", hint=known)

    def _take(self, name: str, default: Any) -> Any:
        self._known.append(name)
        return self._left.pop(name, default)


@dataclass(frozen=True, slots=True)
class PsbtOptions:
    """What a caller may say beside a PSBT."""

    finalize: bool
    """Make final scripts of the wallet's signatures, and a transaction where none is missing."""
    sighash_allowed: frozenset[int]
    """Types beside ALL (and DEFAULT for taproot) that inputs may ask for."""
    max_fee_sat: int | None
    """The largest fee that is signed; None: the default limit."""
    trust_witness_utxo: bool
    """Believe amounts that no previous transaction proves."""

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> PsbtOptions:
        """Read them. Raises MalformedPayloadError."""
        given = Options(options)
        read = cls(
            finalize=given.flag("finalize", False),
            sighash_allowed=given.sighashes("sighash_allowed"),
            max_fee_sat=given.amount("max_fee_sat"),
            trust_witness_utxo=given.flag("trust_witness_utxo", False),
        )
        given.finish()
        return read
