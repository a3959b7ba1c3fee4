"""The inputs of a PSBT: what each spends, whether it is what it says, which the wallet signs. BIP-174, BIP-371."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from strongroom.errors import SignatureRefusedError
from strongroom.networks.bitcoin import psbt_fields as fields
from strongroom.networks.bitcoin import scripts, sighash
from strongroom.networks.bitcoin.encoding import Items
from strongroom.networks.bitcoin.owner import SpendingWallet
from strongroom.networks.bitcoin.psbt import Psbt
from strongroom.networks.bitcoin.psbt_fields import Map
from strongroom.networks.bitcoin.scripts import ScriptForm
from strongroom.networks.bitcoin.sighash import Sighashes
from strongroom.networks.bitcoin.transaction import TransactionOutput
from strongroom.networks.wally import hash160


@dataclass(frozen=True, slots=True)
class Spend:
    """An input of the transaction after it was checked, with what the wallet's key has to sign of it."""

    index: int
    output: TransactionOutput
    """The output that the input spends."""
    proven: bool
    """Whether the previous transaction came along."""
    form: ScriptForm | None
    """How the wallet's key spends it; None where it is another's."""
    root: bytes | None = None
    """The root of the script paths, for taproot outputs that have some."""
    sighash: int | None = None
    """What is to be signed; None where nothing is: another's, or final."""
    digest: bytes = b""
    """What is to be signed, hashed."""


def examine(psbt: Psbt, owner: SpendingWallet, allowed: frozenset[int]) -> tuple[Spend, ...]:
    """Check every input, those of others included, and hash what the wallet signs.

    Raises SignatureRefusedError for what a signer must refuse, and where nothing is there to be signed.
    """
    items = Items()
    spent = [_spent(psbt, index, items) for index in range(len(psbt.inputs))]
    hashes = Sighashes(psbt.tx, [output for output, _ in spent])
    found = tuple(
        _examined(psbt, owner, allowed, hashes, index, output, proven) for index, (output, proven) in enumerate(spent)
    )
    if not any(each.form is not None for each in found):
        raise SignatureRefusedError(f"No input of the transaction is spent by the key of {owner.address}.")
    if not any(each.sighash is not None for each in found):
        raise SignatureRefusedError("Every input of the wallet is final already; nothing is left to sign.")
    return found


def is_final(each: Map) -> bool:
    """Whether an input needs no more signatures."""
    return fields.FINAL_SCRIPT_SIG in each or fields.FINAL_WITNESS in each


def _spent(psbt: Psbt, index: int, items: Items) -> tuple[TransactionOutput, bool]:
    """What an input spends, and whether the whole previous transaction proves it."""
    previous, said = psbt.non_witness_utxo(index, items), psbt.witness_utxo(index)
    if previous is None:
        if said is None:
            raise SignatureRefusedError(
                f"Input {index} does not say what it spends: its amount, and so the fee, is unknown.",
                hint="Add the previous transaction (non_witness_utxo) or the output (witness_utxo) to every input.",
            )
        return said, False
    named = psbt.tx.inputs[index]
    if previous.txid_bytes() != named.txid:
        raise SignatureRefusedError(f"The previous transaction of input {index} is not the one that it spends.")
    if named.index >= len(previous.outputs):
        raise SignatureRefusedError(f"Input {index} spends an output that its previous transaction does not have.")
    output = previous.outputs[named.index]
    if said is not None and said != output:
        raise SignatureRefusedError(f"Input {index} says two things about the output that it spends.")
    return output, True


def _examined(
    psbt: Psbt,
    owner: SpendingWallet,
    allowed: frozenset[int],
    hashes: Sighashes,
    index: int,
    output: TransactionOutput,
    proven: bool,
) -> Spend:
    each = psbt.inputs[index]
    own = owner.spends(output.script, each)
    program = _program(each, output.script, index)
    if own is not None and own[0] == "p2sh-p2wpkh":
        program = scripts.p2wpkh(owner.key_hash(own[0], output.script, each))
    without_witness = program is not None and not scripts.is_witness_program(program)
    if fields.WITNESS_UTXO in each and without_witness and (own is not None or not proven):
        raise SignatureRefusedError(f"Input {index} is spent without a witness, and gives a witness UTXO.")
    if own is None:
        return Spend(index, output, proven, None)
    form, root = own
    if is_final(each):
        return Spend(index, output, proven, form, root)
    if output.amount_sat == 0:
        raise SignatureRefusedError(
            f"Input {index} spends nothing: it is a message (BIP-322) in the shape of a transaction.",
            hint="Have the message signed as a message.",
        )
    kind = _sighash(psbt, index, form, allowed)
    if form == "p2tr":
        digest = hashes.taproot(index, kind)
    elif form == "p2pkh":
        digest = hashes.legacy(index, output.script, kind)
    else:
        code = scripts.p2pkh(owner.key_hash(form, output.script, each))
        digest = hashes.version_0(index, code, output.amount_sat, kind)
    return Spend(index, output, proven, form, root, kind, digest)


def _program(each: Map, script: bytes, index: int) -> bytes | None:
    """The script that the spender satisfies: the redeem script where there is one; None where it is not told.

    Raises SignatureRefusedError where scripts and hashes do not fit.
    """
    redeem, witness = each.get(fields.REDEEM_SCRIPT), each.get(fields.WITNESS_SCRIPT)
    if redeem is not None and script != scripts.p2sh(hash160(redeem)):
        raise SignatureRefusedError(f"The redeem script of input {index} is not that of the output that it spends.")
    program = script if not scripts.is_p2sh(script) else redeem
    if witness is not None:
        wanted = b"\x00\x20" + hashlib.sha256(witness).digest()
        if program is None and script == scripts.p2sh(hash160(wanted)):
            return wanted
        if program != wanted:
            raise SignatureRefusedError(f"The witness script of input {index} is not that of what it spends.")
    return program


def _sighash(psbt: Psbt, index: int, form: ScriptForm, allowed: frozenset[int]) -> int:
    usual = (sighash.DEFAULT, sighash.ALL) if form == "p2tr" else (sighash.ALL,)
    data = psbt.inputs[index].get(fields.SIGHASH_TYPE)
    kind = usual[0] if data is None else int.from_bytes(data, "little")
    acceptable = {*usual, *(each for each in allowed if each != sighash.DEFAULT)}
    if kind not in acceptable:
        name = sighash.name(kind)
        known = name in sighash.NAMES and kind != sighash.DEFAULT
        raise SignatureRefusedError(
            f"Input {index} asks for a signature of the type {name}, which does not bind the whole transaction.",
            hint=f"Where it is meant, say sighash_allowed=['{name}']." if known else "Ask for the type ALL.",
        )
    if sighash.lacks_its_output(psbt.tx, index, kind):
        raise SignatureRefusedError(f"Input {index}: SIGHASH_SINGLE has no matching output.")
    return kind
