"""Wallets, and PSBTs put together byte by byte: what the tests sign. Nothing here calls the code under test."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from strongroom.networks import TABLE
from strongroom.networks.bitcoin.family import Bitcoin
from strongroom.networks.curves import secp256k1
from strongroom.networks.wally import hash160
from strongroom.ports.signing import Prepared
from strongroom.records.key_material import KeyMaterial
from strongroom.records.signing import SigningRequest
from strongroom.records.stored_wallets import wallet_of_key
from strongroom.records.wallets import Wallet
from strongroom.secret import Secret
from testbed.networks import preparing
from testbed.networks.known import keys

SCHEMES = {"p2wpkh": "bip84", "p2tr": "bip86", "p2pkh": "bip44", "p2sh-p2wpkh": "bip49"}
FORMS = tuple(SCHEMES)
KEY, OTHER = (7).to_bytes(32), (8).to_bytes(32)
Map = dict[bytes, bytes]

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def chain(name: str = "bitcoin") -> Bitcoin:
    network = TABLE.get(name)
    assert isinstance(network, Bitcoin)
    return network


def wallet(form: str, key: bytes = KEY, network: str = "bitcoin", **changes: Any) -> Wallet:
    half = chain(network).public_half(Secret(key), SCHEMES[form])
    made = wallet_of_key(UUID(int=1), UUID(int=2), network, "default", material(key, form), half, _NOW)
    return replace(made, **changes)


def material(key: bytes = KEY, form: str = "p2wpkh") -> KeyMaterial:
    return KeyMaterial(Secret(key), SCHEMES[form])


def prepare(who: Wallet, kind: str, payload: object, **options: Any) -> Prepared:
    return preparing.prepare(chain(who.network), who, SigningRequest(kind, payload, options))


def sign(who: Wallet, kind: str, payload: object, key: bytes = KEY, **options: Any) -> Any:
    return prepare(who, kind, payload, **options).sign(material(key))


def point(key: bytes) -> bytes:
    made = secp256k1.public_key(key)
    assert made is not None
    return made


def script(form: str, key: bytes) -> bytes:
    hashed = hash160(point(key))
    return {
        "p2wpkh": b"\x00\x14" + hashed,
        "p2tr": b"\x51\x20" + secp256k1.taproot_output(point(key)),
        "p2pkh": b"\x76\xa9\x14" + hashed + b"\x88\xac",
        "p2sh-p2wpkh": b"\xa9\x14" + hash160(b"\x00\x14" + hashed) + b"\x87",
    }[form]


# --- bytes ---------------------------------------------------------------------------------------------------


def u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def size(number: int) -> bytes:
    if number < 253:
        return bytes((number,))
    return b"\xfd" + number.to_bytes(2, "little") if number < 65536 else b"\xfe" + u32(number)


def text(data: bytes) -> bytes:
    return size(len(data)) + data


def output_bytes(amount: int, to: bytes) -> bytes:
    return amount.to_bytes(8, "little") + text(to)


def write_map(fields: Mapping[bytes, bytes]) -> bytes:
    return b"".join(text(key) + text(value) for key, value in fields.items()) + b"\0"


def txid(tx: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(tx).digest()).digest()


def transaction(
    inputs: Sequence[tuple[bytes, int, int]], outputs: Sequence[tuple[int, bytes]], locktime: int = 0, version: int = 2
) -> bytes:
    """An unsigned transaction of (txid, index, sequence) and (amount, script)."""
    spent = b"".join(each + u32(index) + b"\0" + u32(sequence) for each, index, sequence in inputs)
    paid = b"".join(output_bytes(*each) for each in outputs)
    return u32(version) + size(len(inputs)) + spent + size(len(outputs)) + paid + u32(locktime)


@dataclass(frozen=True)
class In:
    """An input of a case."""

    form: str = "p2wpkh"
    key: bytes = KEY
    amount: int = 100_000
    sighash: int | None = None
    proven: bool = True
    said: bool = False
    """Whether there is a witness UTXO too; what is not proven always has one."""
    index: int = 0
    sequence: int = 0xFFFFFFFD
    salt: int = 0
    more: Map = field(default_factory=dict)

    @property
    def script(self) -> bytes:
        return script(self.form, self.key)

    def previous(self) -> bytes:
        """The transaction that it spends from."""
        outputs = [(1, b"\x6a")] * self.index + [(self.amount, self.script)]
        return transaction([(bytes((self.salt % 256,)) * 32, self.salt // 256, 0)], outputs)

    def fields(self) -> Map:
        """Its map, sorted; version 0."""
        made: Map = {}
        if self.proven or self.form == "p2pkh":
            made[b"\x00"] = self.previous()
        if self.form != "p2pkh" and (self.said or not self.proven):
            made[b"\x01"] = output_bytes(self.amount, self.script)
        if self.sighash is not None:
            made[b"\x03"] = u32(self.sighash)
        if self.form == "p2sh-p2wpkh":
            made[b"\x04"] = script("p2wpkh", self.key)
        if self.form == "p2tr":
            made[b"\x17"] = point(self.key)[1:]
        return dict(sorted({**made, **self.more}.items()))


@dataclass(frozen=True)
class PsbtCase:
    """A PSBT."""

    inputs: tuple[In, ...]
    outputs: tuple[tuple[int, bytes], ...]
    locktime: int = 0
    version: int = 0
    shared: Map = field(default_factory=dict)

    @property
    def spent(self) -> int:
        return sum(each.amount for each in self.inputs)

    def unsigned(self) -> bytes:
        return transaction(
            [(txid(each.previous()), each.index, each.sequence) for each in self.inputs], self.outputs, self.locktime
        )

    def psbt(self) -> bytes:
        return psbt_v0(self) if self.version == 0 else psbt_v2(self)


def psbt_v0(case: PsbtCase) -> bytes:
    shared = {b"\x00": case.unsigned(), **case.shared}
    return b"psbt\xff" + b"".join(
        write_map(each) for each in (shared, *(each.fields() for each in case.inputs), *({} for _ in case.outputs))
    )


def psbt_v2(case: PsbtCase) -> bytes:
    shared = {
        b"\x02": u32(2),
        b"\x03": u32(case.locktime),
        b"\x04": size(len(case.inputs)),
        b"\x05": size(len(case.outputs)),
        **case.shared,
        b"\xfb": u32(2),
    }
    inputs = [
        dict(
            sorted(
                {
                    **each.fields(),
                    b"\x0e": txid(each.previous()),
                    b"\x0f": u32(each.index),
                    b"\x10": u32(each.sequence),
                }.items()
            )
        )
        for each in case.inputs
    ]
    outputs = [{b"\x03": amount.to_bytes(8, "little"), b"\x04": to} for amount, to in case.outputs]
    return b"psbt\xff" + b"".join(map(write_map, (shared, *inputs, *outputs)))


def simple(*inputs: In, fee: int = 1_000, **changes: Any) -> PsbtCase:
    """Inputs that pay all but a fee to another."""
    ins = tuple(replace(each, salt=number + 1) for number, each in enumerate(inputs))
    return replace(PsbtCase(ins, ((sum(each.amount for each in ins) - fee, script("p2wpkh", OTHER)),)), **changes)


SIGHASHES = (1, 2, 3, 0x81, 0x82, 0x83)


@st.composite
def cases(
    draw: st.DrawFn,
    *,
    any_sighash: bool = True,
    others: bool = True,
    versions: tuple[int, ...] = (0, 2),
    one_form: bool = False,
) -> PsbtCase:
    """PSBTs with inputs of every form, of KEY (one at least) and of OTHER, and all of them can be signed."""
    forms = st.sampled_from([draw(st.sampled_from(FORMS))] if one_form else FORMS)
    count = draw(st.integers(1, 5))
    inputs = []
    for number in range(count):
        form = draw(forms)
        kinds = (None, *SIGHASHES) if any_sighash else (None, 1)
        inputs.append(
            In(
                form=form,
                key=draw(st.sampled_from((KEY, OTHER))) if others and number else KEY,
                amount=draw(st.integers(20_000, 10**12)),
                sighash=draw(st.sampled_from((*kinds, 0) if form == "p2tr" else kinds)),
                said=draw(st.booleans()),
                index=draw(st.integers(0, 3)),
                sequence=draw(st.sampled_from((0xFFFFFFFF, 0xFFFFFFFD, 1, 144))),
                salt=number + 1,
            )
        )
    left = sum(each.amount for each in inputs) - draw(st.integers(0, 20_000))
    least = count if any_sighash else 1  # SINGLE needs the output of the same index
    paid = draw(st.integers(least, least + 3))
    scripts = st.sampled_from([script(form, key) for form in FORMS for key in (KEY, OTHER)])
    outputs = [(left // paid, draw(scripts)) for _ in range(paid - 1)]
    outputs.append((left - sum(amount for amount, _ in outputs), draw(scripts)))
    locktime = draw(st.sampled_from((0, 800_000, 1_700_000_000)))
    return PsbtCase(tuple(inputs), tuple(outputs), locktime, draw(st.sampled_from(versions)))


ANY: dict[str, Any] = {
    "sighash_allowed": [
        "NONE",
        "SINGLE",
        "ALL|ANYONECANPAY",
        "NONE|ANYONECANPAY",
        "SINGLE|ANYONECANPAY",
    ]
}
"""The option that lets every signature hash type pass."""

__all__ = [name for name in dir() if not name.startswith("_")] + ["keys"]
