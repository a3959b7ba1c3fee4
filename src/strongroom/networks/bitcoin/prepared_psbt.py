"""A PSBT that can be signed, and its signatures. BIP-174, BIP-370, BIP-371."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from strongroom.errors import SignatureRefusedError
from strongroom.networks.bitcoin import policy, scripts, sighash, signer, spending, witnesses
from strongroom.networks.bitcoin import psbt_fields as fields
from strongroom.networks.bitcoin.encoding import ByteReader, compact_size, strings
from strongroom.networks.bitcoin.options import PsbtOptions
from strongroom.networks.bitcoin.owner import SpendingWallet
from strongroom.networks.bitcoin.psbt import Psbt, read_payload
from strongroom.networks.bitcoin.psbt_fields import Map
from strongroom.networks.bitcoin.results import InputSignature, SignedPsbt
from strongroom.networks.bitcoin.review import Review, ReviewedInput, ReviewedOutput
from strongroom.networks.bitcoin.spending import Spend
from strongroom.networks.bitcoin.transaction import BitcoinTransaction, TransactionInput
from strongroom.networks.wally import hash160
from strongroom.records.intent import Intent
from strongroom.records.key_material import KeyMaterial
from strongroom.records.signing import ReplayScope, SigningRequest

_KEPT = frozenset(
    (
        fields.NON_WITNESS_UTXO,
        fields.WITNESS_UTXO,
        fields.PREVIOUS_TXID,
        fields.OUTPUT_INDEX,
        fields.SEQUENCE,
        fields.REQUIRED_TIME,
        fields.REQUIRED_HEIGHT,
    )
)
"""What stays in an input that is made final, in addition to fields that are unknown here. BIP-174."""


@dataclass(frozen=True, slots=True)
class PreparedPsbt:
    """A PSBT that can be signed: checked, and hashed."""

    owner: SpendingWallet
    psbt: Psbt
    spends: tuple[Spend, ...]
    review: Review
    """What the transaction does."""
    finalize: bool
    auxiliary_randomness: bool
    digest: bytes
    """What is signed: the hash of the one input, or SHA-256 of the hashes of several in their order."""
    kind: Literal["psbt"] = "psbt"
    replay_scope: ReplayScope | None = field(default=None, init=False)

    @property
    def intent(self) -> Intent:
        """What the transaction does; opaque where a signature lets others choose outputs or add inputs."""
        facts = {"psbt_version": str(self.psbt.version), **self.review.summary()}
        return self.review.intent(self.owner.chain.caip2, facts)

    def sign(self, material: KeyMaterial, random_bytes: Callable[[int], bytes] = os.urandom) -> SignedPsbt:
        """Sign every input of the wallet that is not final. Raises SignatureRefusedError, SignatureFaultError.

        ``random_bytes`` is asked once for each taproot signature, where auxiliary randomness is wanted.
        """
        point = self.owner.opened(material)
        maps, made = list(self.psbt.inputs), []
        for each in self.spends:
            if each.form is None or each.sighash is None:
                continue
            auxiliary = signer.auxiliary(random_bytes if self.auxiliary_randomness and each.form == "p2tr" else None)
            signed = witnesses.signature(material, point, each.form, each.digest, each.sighash, each.root, auxiliary)
            key = signer.output_key(point, each.root) if each.form == "p2tr" else None
            made.append(
                InputSignature(each.index, each.form, sighash.name(each.sighash), (key or point).hex(), signed.hex())
            )
            with_signature = _finalized if self.finalize else _signed
            maps[each.index] = with_signature(maps[each.index], each, point, signed)
        kinds = tuple(each.sighash for each in self.spends if each.sighash is not None)
        psbt = self.psbt.with_inputs(tuple(maps), kinds)
        tx = _extracted(psbt) if self.finalize else None
        return SignedPsbt(
            psbt=psbt.serialise(),
            version=psbt.version,
            signatures=tuple(made),
            review=self.review,
            transaction=None if tx is None else tx.serialise(),
            txid=None if tx is None else tx.txid(),
        )


def prepare(owner: SpendingWallet, request: SigningRequest) -> PreparedPsbt:
    """Read and check a PSBT, and hash what is to be signed. Raises MalformedPayloadError, SignatureRefusedError."""
    options = PsbtOptions.of(request.options)
    psbt = Psbt.parse(read_payload(request.payload))
    if fields.SIGNED_MESSAGE in psbt.globals:
        raise SignatureRefusedError(
            "The PSBT is a message (BIP-322) in the shape of a transaction.", hint="Have it signed as a message."
        )
    spends = spending.examine(psbt, owner, options.sighash_allowed)
    review = _reviewed(psbt, spends, owner)
    policy.check(spends, review, options)
    digests = [each.digest for each in spends if each.sighash is not None]
    digest = digests[0] if len(digests) == 1 else hashlib.sha256(b"".join(digests)).digest()
    return PreparedPsbt(owner, psbt, spends, review, options.finalize, options.auxiliary_randomness, digest)


def _signed(each: Map, spend: Spend, point: bytes, signed: bytes) -> Map:
    if spend.form == "p2tr":
        return fields.with_field(each, fields.TAP_KEY_SIG, signed)
    if spend.form == "p2sh-p2wpkh":  # who makes the input final needs it
        each = fields.with_field(each, fields.REDEEM_SCRIPT, scripts.p2wpkh(hash160(point)))
    return fields.with_field(each, fields.PARTIAL_SIG + point, signed)


def _finalized(each: Map, spend: Spend, point: bytes, signed: bytes) -> Map:
    script_sig, witness = witnesses.satisfied(spend.form or "p2tr", point, signed)
    made = {key: value for key, value in each.items() if key in _KEPT or key[0] not in fields.INPUT}
    if script_sig:
        made = fields.with_field(made, fields.FINAL_SCRIPT_SIG, script_sig)
    return fields.with_field(made, fields.FINAL_WITNESS, strings(witness)) if witness else made


def _extracted(psbt: Psbt) -> BitcoinTransaction | None:
    """The transaction with its final scripts, or None where an input is not final."""
    if not all(map(spending.is_final, psbt.inputs)):
        return None
    inputs = []
    for unsigned, each in zip(psbt.tx.inputs, psbt.inputs, strict=True):
        script_sig, witness = each.get(fields.FINAL_SCRIPT_SIG, b""), _stack(each.get(fields.FINAL_WITNESS, b"\x00"))
        inputs.append(TransactionInput(unsigned.txid, unsigned.index, unsigned.sequence, script_sig, witness))
    return BitcoinTransaction(psbt.tx.version, tuple(inputs), psbt.tx.outputs, psbt.tx.locktime)


def _stack(data: bytes) -> tuple[bytes, ...]:
    reader = ByteReader(data, "final witness of an input")
    return tuple(reader.string() for _ in range(reader.count(1)))


# --- what it does --------------------------------------------------------------------------------------------


def _reviewed(psbt: Psbt, spends: tuple[Spend, ...], owner: SpendingWallet) -> Review:
    inputs = tuple(
        ReviewedInput(
            outpoint=spent.outpoint,
            amount_sat=each.output.amount_sat,
            address=scripts.address(owner.chain, each.output.script),
            own=each.form is not None,
            sighash=None if each.sighash is None else sighash.name(each.sighash),
            proven=each.proven,
        )
        for spent, each in zip(psbt.tx.inputs, spends, strict=True)
    )
    outputs = tuple(
        ReviewedOutput(
            address=scripts.address(owner.chain, each.script),
            script=each.script.hex(),
            amount_sat=each.amount_sat,
            change=each.script == owner.script,
            own=owner.spends(each.script, {}) is not None,
        )
        for each in psbt.tx.outputs
    )
    return Review(inputs, outputs, psbt.tx.locktime, _vsize(psbt, spends))


def _vsize(psbt: Psbt, spends: tuple[Spend, ...]) -> int | None:
    """Virtual bytes with all signatures, each as long as it can get."""
    sizes = [_input_sizes(psbt.inputs[each.index], each) for each in spends]
    known = [each for each in sizes if each is not None]
    if len(known) < len(sizes):
        return None
    weight = 4 * (len(psbt.tx.stripped()) + sum(script for script, _ in known))
    if any(witness for _, witness in known):
        weight += 2 + sum(witness or 1 for _, witness in known)
    return (weight + 3) // 4


def _input_sizes(each: Map, spend: Spend) -> tuple[int, int] | None:
    """Bytes that a final input adds to the unsigned one: of its script, and of its witness."""
    if spending.is_final(each):
        script = each.get(fields.FINAL_SCRIPT_SIG, b"")
        return len(compact_size(len(script))) - 1 + len(script), len(each.get(fields.FINAL_WITNESS, b""))
    script = spend.output.script
    nested = spend.form == "p2sh-p2wpkh" or scripts.is_p2wpkh(each.get(fields.REDEEM_SCRIPT, b""))
    if nested or scripts.is_p2wpkh(script):
        return (23 if nested else 0), 107 if spend.form else 108
    if scripts.is_p2tr(script):
        return 0, 66 if spend.sighash == sighash.DEFAULT else 67
    return (106 if spend.form else 107, 0) if scripts.is_p2pkh(script) else None
