"""Inputs that exist, and requests that tell of them what they like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.networks.bitcoin_payloads import In, output_bytes, point, script, transaction, txid, u32, write_map

COIN = 100_000_000
THIRD = (9).to_bytes(32)
TO_OTHERS = script("p2wpkh", THIRD)
LIE_SAT = 20_000


@dataclass(frozen=True)
class Held:
    """An output that exists, and whose key can spend it."""

    form: str
    key: bytes
    salt: int
    amount: int = 10 * COIN

    def previous(self) -> bytes:
        return In(self.form, self.key, self.amount, salt=self.salt).previous()


@dataclass(frozen=True)
class Told:
    """How a request tells of it."""

    held: Held
    amount: int | None = None
    """What it says; None: the previous transaction comes along."""
    sighash: int | None = None
    final: bool = False
    as_if: tuple[str, bytes] | None = None
    """Another form and key than those that it has."""

    def fields(self) -> dict[bytes, bytes]:
        made: dict[bytes, bytes] = {}
        form, key = self.as_if or (self.held.form, self.held.key)
        if self.amount is None:
            made[b"\x00"] = self.held.previous()
        else:
            made[b"\x01"] = output_bytes(self.amount, script(form, key))
        if self.sighash is not None:
            made[b"\x03"] = u32(self.sighash)
        if form == "p2sh-p2wpkh":
            made[b"\x04"] = script("p2wpkh", key)
        if self.final:
            made[b"\x08"] = b"\x01\x01\x00"
        if form == "p2tr":
            made[b"\x17"] = point(key)[1:]
        return dict(sorted(made.items()))


def told(inputs: Sequence[Told], paid: int) -> bytes:
    """A PSBT of version 0 that spends inputs and pays one output."""
    unsigned = transaction([(txid(each.held.previous()), 0, 0xFFFFFFFD) for each in inputs], [(paid, TO_OTHERS)])
    return b"psbt\xff" + b"".join(map(write_map, ({b"\x00": unsigned}, *(each.fields() for each in inputs), {})))
