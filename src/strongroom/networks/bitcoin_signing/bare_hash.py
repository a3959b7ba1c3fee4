"""A bare hash: 32 bytes, of which nobody here knows what they bind. ECDSA, or BIP-340 for a taproot wallet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from strongroom.errors import MalformedPayloadError
from strongroom.model import KeyMaterial
from strongroom.networks.bitcoin_signing import signer
from strongroom.networks.bitcoin_signing.options import Options
from strongroom.networks.bitcoin_signing.owner import Owner
from strongroom.networks.bitcoin_signing.results import SignedHash
from strongroom.signing import NonceUse, ToSign

_HEX = re.compile("(?:0x)?([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True)
class PreparedHash:
    """A hash that can be signed."""

    owner: Owner
    digest: bytes
    kind: Literal["bare-hash"] = "bare-hash"
    nonce: NonceUse | None = field(default=None, init=False)

    @property
    def summary(self) -> Mapping[str, str]:
        """Who signs how; what the hash binds, nobody knows."""
        return {"address": self.owner.address, "algorithm": self._algorithm}

    def sign(self, material: KeyMaterial) -> SignedHash:
        """Sign it. Raises SignatureRefusedError, SignatureFaultError."""
        point = self.owner.opened(material)
        if self._algorithm == "ecdsa":
            made = signer.der(signer.ecdsa(material.private_key, self.digest, point))
            return SignedHash("ecdsa", point.hex(), self.digest, made)
        key = self.owner.script[2:]
        made = signer.schnorr(signer.tweaked(material.private_key), self.digest, key)
        return SignedHash("bip340", key.hex(), self.digest, made)

    @property
    def _algorithm(self) -> str:
        return "bip340" if self.owner.form == "p2tr" else "ecdsa"


def prepare(owner: Owner, request: ToSign) -> PreparedHash:
    """Read 32 bytes, or 64 hexadecimal digits. Raises MalformedPayloadError."""
    Options(request.options).finish()
    payload = request.payload
    if isinstance(payload, str):
        match = _HEX.fullmatch(payload)
        payload = bytes.fromhex(match[1]) if match else None
    if not isinstance(payload, (bytes, bytearray)) or len(payload) != 32:
        raise MalformedPayloadError("A bare hash is 32 bytes, or 64 hexadecimal digits.")
    return PreparedHash(owner, bytes(payload))
