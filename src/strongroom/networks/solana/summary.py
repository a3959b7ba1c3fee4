"""What a transaction does, in a few public words: who pays, at most how much, which programs it calls."""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.networks.solana.message import Instruction, SolanaMessage, address
from strongroom.records.intent import ALWAYS, NATIVE, Effect, Fee, Intent, Validity

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


def max_fee(message: SolanaMessage) -> int:
    """What the payer pays at most for a transaction, in lamports, in addition to what it transfers.

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


def is_durable(message: SolanaMessage) -> bool:
    """Whether it does not expire: it uses up a nonce account instead of naming a recent block."""
    return bool(message.instructions) and _system_call(message, message.instructions[0]) == _ADVANCE_NONCE


def summarize(message: SolanaMessage) -> dict[str, str]:
    """Public facts for the usage log and for people."""
    programs = dict.fromkeys(message.program(each) for each in message.instructions)
    facts = {
        "version": "legacy" if message.version is None else str(message.version),
        "payer": address(message.accounts[0]),
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


def intent(message: SolanaMessage, chain: str, own: bytes) -> Intent:
    """What a transaction brings about for the wallet whose public key is ``own``.

    Plain transfers of lamports are read; instructions of any other program make it opaque, but for the price of
    compute units and the use of a durable nonce.
    """
    effects: list[Effect] = []
    opaque = False
    for instruction in message.instructions:
        effect = _transfer(message, instruction, own)
        if effect is not None:
            effects.append(effect)
        opaque = opaque or (effect is None and not _is_harmless(message, instruction))
    opaque = opaque or any(each.recipient is None for each in effects)
    fee = Fee(max_fee(message)) if message.accounts[0] == own else None
    validity = Validity(durable=True) if is_durable(message) else ALWAYS
    return Intent(chain, tuple(effects), fee, validity, opaque, facts=summarize(message))


def _transfer(message: SolanaMessage, instruction: Instruction, own: bytes) -> Effect | None:
    if _system_call(message, instruction) != _TRANSFER or len(instruction.data) != 12 or len(instruction.accounts) != 2:
        return None
    source, recipient = instruction.accounts
    if source >= len(message.accounts):  # an account of a lookup table signs nothing
        return None
    payer = message.accounts[source]
    amount = int.from_bytes(instruction.data[4:], "little")
    return Effect(NATIVE, amount, _account(message, recipient), source=None if payer == own else address(payer))


def _account(message: SolanaMessage, index: int) -> str | None:
    """An account's address; None for one of a lookup table."""
    return address(message.accounts[index]) if index < len(message.accounts) else None


def _is_harmless(message: SolanaMessage, instruction: Instruction) -> bool:
    return message.program(instruction) == _COMPUTE_BUDGET or _system_call(message, instruction) == _ADVANCE_NONCE


def _transfers(message: SolanaMessage) -> Iterator[str]:
    """The plain transfers of lamports, as ``amount to address``."""
    for instruction in message.instructions:
        if _system_call(message, instruction) != _TRANSFER or len(instruction.data) < 12:
            continue
        if len(instruction.accounts) < 2:
            continue
        lamports, to = int.from_bytes(instruction.data[4:12], "little"), instruction.accounts[1]
        recipient = address(message.accounts[to]) if to < len(message.accounts) else "an account of a lookup table"
        yield f"{lamports} lamports to {recipient}"


def _system_call(message: SolanaMessage, instruction: Instruction) -> int | None:
    """The number of the instruction of the system program that is called, or None."""
    if message.program(instruction) != _SYSTEM or len(instruction.data) < 4:
        return None
    return int.from_bytes(instruction.data[:4], "little")


def _shown(texts: list[str]) -> str:
    more = len(texts) - _MAX_SHOWN
    return ", ".join(texts[:_MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")
