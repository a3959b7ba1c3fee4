"""What a signature would bring about, in terms that policies and people read: the typed intent of a request.

A network states it when it prepares a request, before any key is opened. An intent is complete or says that it is
not: whatever may move value and could not be read makes it ``opaque``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

NATIVE = "native"
"""The asset of an effect or a fee: the native coin of the intent's chain."""
ANY_CHAIN = "any"
"""The chain of what is valid on every chain."""
_MAX_SHOWN = 8

EffectAction = Literal["transfer", "approve"]


class Effect(NamedTuple):
    """One thing that happens to an asset."""

    asset: str
    """CAIP-19 text, such as ``eip155:1/erc20:0x...``, or ``native``."""
    amount: int | None
    """In base units of the asset (wei, satoshi, lamports); None where the payload does not say it."""
    recipient: str | None
    """Who is paid, or may spend: an address as the chain writes it. None where it has none, such as a script."""
    action: EffectAction = "transfer"
    """``transfer``: the amount goes to the recipient. ``approve``: the recipient may take up to the amount."""
    source: str | None = None
    """Whose asset it is, where that is not the wallet."""
    change: bool = False
    """Whether it comes back to the wallet's own address."""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values; the amount as decimal text, since it may exceed 2^53."""
        amount = None if self.amount is None else str(self.amount)
        return {
            "action": self.action,
            "asset": self.asset,
            "amount": amount,
            "recipient": self.recipient,
            "source": self.source,
            "change": self.change,
        }


class Fee(NamedTuple):
    """What the signature lets the chain take at most."""

    at_most: int
    """In base units of the asset."""
    asset: str = NATIVE


class Validity(NamedTuple):
    """When the signature is good. Each bound is None where there is none."""

    not_before: int | None = None
    """Unix time in seconds, inclusive."""
    not_after: int | None = None
    """Unix time in seconds, inclusive."""
    durable: bool = False
    """Whether it outlives the chain's usual expiry: a durable nonce of Solana."""


ALWAYS = Validity()


class Intent(NamedTuple):
    """What one request would bring about if it were signed."""

    chain: str
    """CAIP-2 of the chain that it is good on, or ``any``."""
    effects: tuple[Effect, ...] = ()
    """What the network could read; everything where ``opaque`` is False."""
    fee: Fee | None = None
    """None where the wallet pays none."""
    validity: Validity = ALWAYS
    opaque: bool = False
    """Whether there is something that nobody here can read: a contract call, a raw digest."""
    unlimited: bool = False
    """Whether an approval has no limit: the largest amount that its asset can express."""
    delegates: tuple[str, ...] = ()
    """The addresses whose code accounts will run. EIP-7702."""
    facts: Mapping[str, str] = MappingProxyType({})
    """Further public facts in the family's own terms, printable, for people and the usage log."""

    def summary(self) -> dict[str, str]:
        """The intent as the details of a row of the usage log: the family's facts, then what the typed part adds.

        Effects on the native coin are among the facts; those on other assets stand under ``effects``. Flags appear
        where they are set.
        """
        details = dict(self.facts)
        effects = [each for each in self.effects if each.asset is not NATIVE and each.asset != NATIVE]
        if effects:
            more = len(effects) - _MAX_SHOWN
            shown = "; ".join(map(_shown, effects[:_MAX_SHOWN]))
            details["effects"] = f"{shown}; and {more} more" if more > 0 else shown
        if self.opaque:
            details["opaque"] = "true"
        if self.unlimited:
            details["unlimited"] = "true"
        if self.delegates:
            more = len(self.delegates) - _MAX_SHOWN
            details["delegates"] = ", ".join(self.delegates[:_MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")
        return details

    def as_dict(self) -> dict[str, Any]:
        """The typed part as JSON-ready values; amounts as decimal text."""
        fee = None if self.fee is None else {"asset": self.fee.asset, "at_most": str(self.fee.at_most)}
        validity = self.validity
        return {
            "chain": self.chain,
            "effects": [each.as_dict() for each in self.effects],
            "fee": fee,
            "validity": {
                "not_before": validity.not_before,
                "not_after": validity.not_after,
                "durable": validity.durable,
            },
            "opaque": self.opaque,
            "unlimited": self.unlimited,
            "delegates": list(self.delegates),
        }


def is_text(message: bytes) -> bool:
    """Whether people can read a message: UTF-8. The bytes of a hash are not; some contracts take one for an order."""
    try:
        message.decode()
    except UnicodeDecodeError:
        return False
    return True


def _shown(effect: Effect) -> str:
    amount = "an unknown amount" if effect.amount is None else str(effect.amount)
    source = "" if effect.source is None else f" from {effect.source}"
    return f"{effect.action} {amount} of {effect.asset}{source} to {effect.recipient or 'unknown'}"
