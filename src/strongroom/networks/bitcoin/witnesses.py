"""A signature of an input, and the scripts that show it: BIP-141, BIP-143, BIP-341; BIP-16."""

from __future__ import annotations

from strongroom.networks.bitcoin import scripts, sighash, signer
from strongroom.networks.bitcoin.scripts import ScriptForm
from strongroom.networks.wally import hash160
from strongroom.records.key_material import KeyMaterial


def signature(
    material: KeyMaterial,
    point: bytes,
    form: ScriptForm,
    digest: bytes,
    kind: int,
    root: bytes | None,
    auxiliary: bytes = signer.NO_AUXILIARY,
) -> bytes:
    """Sign an input's hash, as scripts carry it: DER and the type's byte; for taproot 64 bytes, and the byte
    unless the type is DEFAULT. ``auxiliary`` goes into taproot signatures. Raises SignatureFaultError."""
    if form != "p2tr":
        return signer.der(signer.ecdsa(material.private_key, digest, point)) + bytes((kind,))
    key = signer.output_key(point, root) or b""
    made = signer.schnorr(signer.tweaked(material.private_key, root), digest, key, auxiliary)
    return made if kind == sighash.DEFAULT else made + bytes((kind,))


def satisfied(form: ScriptForm, point: bytes, signed: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """Return the script and the witness that spend an output of a form by a signature."""
    if form == "p2tr":
        return b"", (signed,)
    if form == "p2wpkh":
        return b"", (signed, point)
    if form == "p2pkh":
        return _push(signed) + _push(point), ()
    return _push(scripts.p2wpkh(hash160(point))), (signed, point)


def _push(data: bytes) -> bytes:
    return bytes((len(data),)) + data  # up to 75 bytes: the length is the opcode
