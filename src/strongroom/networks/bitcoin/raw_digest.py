"""A raw digest: 32 bytes, of which nobody here knows what they bind. ECDSA, or BIP-340 for a taproot wallet."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from strongroom.errors import MalformedPayloadError
from strongroom.networks.bitcoin import signer
from strongroom.networks.bitcoin.owner import SpendingWallet
from strongroom.networks.bitcoin.results import SignedHash
from strongroom.records.intent import ANY_CHAIN, Intent
from strongroom.records.key_material import KeyMaterial
from strongroom.records.signing import ReplayScope, SigningRequest

_HEX = re.compile("(?:0x)?([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True)
class PreparedRawDigest:
    """A hash that can be signed."""

    owner: SpendingWallet
    digest: bytes
    auxiliary_randomness: bool = False
    kind: Literal["digest"] = "digest"
    replay_scope: ReplayScope | None = field(default=None, init=False)

    @property
    def intent(self) -> Intent:
        """Opaque: nobody knows what the hash binds."""
        return Intent(ANY_CHAIN, opaque=True, facts={"address": self.owner.address, "algorithm": self._algorithm})

    def sign(self, material: KeyMaterial, random_bytes: Callable[[int], bytes] = os.urandom) -> SignedHash:
        """Sign it. Raises SignatureRefusedError, SignatureFaultError."""
        point = self.owner.opened(material)
        if self._algorithm == "ecdsa":
            made = signer.der(signer.ecdsa(material.private_key, self.digest, point))
            return SignedHash("ecdsa", point.hex(), self.digest, made)
        key = self.owner.script[2:]
        auxiliary = signer.auxiliary(random_bytes if self.auxiliary_randomness else None)
        made = signer.schnorr(signer.tweaked(material.private_key), self.digest, key, auxiliary)
        return SignedHash("bip340", key.hex(), self.digest, made)

    @property
    def _algorithm(self) -> str:
        return "bip340" if self.owner.form == "p2tr" else "ecdsa"


def prepare(owner: SpendingWallet, request: SigningRequest) -> PreparedRawDigest:
    """Read 32 bytes, or 64 hexadecimal digits. Raises MalformedPayloadError."""
    payload = request.payload
    if isinstance(payload, str):
        match = _HEX.fullmatch(payload)
        payload = bytes.fromhex(match[1]) if match else None
    if not isinstance(payload, (bytes, bytearray)) or len(payload) != 32:
        raise MalformedPayloadError("A raw digest is 32 bytes, or 64 hexadecimal digits.")
    return PreparedRawDigest(owner, bytes(payload), request.options["auxiliary_randomness"])
