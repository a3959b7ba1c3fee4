"""What a transaction does, in a few public words: who pays, at most how much, which programs it calls."""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.networks import base58
from strongroom.networks.solana_signing.message import Instruction, Message

_SYSTEM = "11111111111111111111111111111111"
_COMPUTE_BUDGET = "ComputeBudget111111111111111111111111111111"
_TRANSFER, _ADVANCE_NONCE = 2, 4
_SET_UNIT_LIMIT, _SET_UNIT_PRICE = 2, 3
_LAMPORTS_A_SIGNATURE = 5000
_DEFAULT_UNITS, _MAX_UNITS = 200_000, 1_400_000
_MICRO = 1_000_000
_MAX_SHOWN = 8
_VERIFIERS = frozenset(
    {
        "Ed25519SigVerify111111111111111111111111111",
        "KeccakSecp256k11111111111111111111111111111",
        "Secp256r1SigVerify1111111111111111111111111",
    }
)
"""Programs that check signatures, as many as their data's first byte says."""


def max_fee(message: Message) -> int:
    """What the payer pays at most for a transaction, in lamports, beside what it transfers.

    Each signature costs 5,000, also those that the programs verifying signatures check; then the price that the
    transaction sets, for as many compute units as it may use.
    """
    limits, prices, signatures = [], [0], message.signatures
    for instruction in message.instructions:
        program, data = message.program(instruction), instruction.data
        if program == _COMPUTE_BUDGET and len(data) >= 5 and data[0] == _SET_UNIT_LIMIT:
            limits.append(int.from_bytes(data[1:5], "little"))
        elif program == _COMPUTE_BUDGET and len(data) >= 9 and data[0] == _SET_UNIT_PRICE:
            prices.append(int.from_bytes(data[1:9], "little"))
        elif program in _VERIFIERS and data:
            signatures += data[0]
    units = min(max(limits, default=_DEFAULT_UNITS * len(message.instructions)), _MAX_UNITS)
    return _LAMPORTS_A_SIGNATURE * signatures + -(-max(prices) * units // _MICRO)


def is_durable(message: Message) -> bool:
    """Whether it does not expire: it uses up a nonce account instead of naming a recent block."""
    return bool(message.instructions) and _system_call(message, message.instructions[0]) == _ADVANCE_NONCE


def summarize(message: Message) -> dict[str, str]:
    """Public facts for the usage log and for people."""
    programs = dict.fromkeys(message.program(each) for each in message.instructions)
    facts = {
        "version": "legacy" if message.version is None else str(message.version),
        "payer": base58.encode(message.accounts[0]),
        "signatures": str(message.signatures),
        "max_fee": f"{max_fee(message)} lamports",
        "programs": _shown(list(programs)),
    }
    if transfers := list(_transfers(message)):
        facts["transfers"] = _shown(transfers)
    if message.tables:
        facts["lookup_tables"] = str(len(message.tables))
    if is_durable(message):
        facts["expires"] = "never: durable nonce"
    return facts


def _transfers(message: Message) -> Iterator[str]:
    """The plain transfers of lamports, as ``amount to address``."""
    for instruction in message.instructions:
        if _system_call(message, instruction) != _TRANSFER or len(instruction.data) < 12:
            continue
        if len(instruction.accounts) < 2:
            continue
        lamports, to = int.from_bytes(instruction.data[4:12], "little"), instruction.accounts[1]
        address = base58.encode(message.accounts[to]) if to < len(message.accounts) else "an account of a lookup table"
        yield f"{lamports} lamports to {address}"


def _system_call(message: Message, instruction: Instruction) -> int | None:
    """The number of the instruction of the system program that is called, or None."""
    if message.program(instruction) != _SYSTEM or len(instruction.data) < 4:
        return None
    return int.from_bytes(instruction.data[:4], "little")


def _shown(texts: list[str]) -> str:
    more = len(texts) - _MAX_SHOWN
    return ", ".join(texts[:_MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")
