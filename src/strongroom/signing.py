"""What is signed, and what comes back: the records that travel between callers, networks and the usage log.

A request is checked, taken apart and hashed before any key is opened; what cannot be signed is refused there. Only
then is a key opened, for the moment of one signature, which is verified before it leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import UUID

from strongroom.model import KeyMaterial, LogEntry, StoredWallet

Kind = Literal["message", "typed-data", "transaction", "authorization", "psbt", "bare-hash"]


@dataclass(frozen=True, slots=True)
class ToSign:
    """What a caller asks to have signed."""

    kind: Kind
    payload: Any = field(repr=False)
    """Bytes, text or a mapping, as the kind and the network take it."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the kind takes beside, such as ``sighash`` or ``max_fee``; an unknown one is refused."""


@dataclass(frozen=True, slots=True)
class NonceUse:
    """The use of an account's nonce on a chain: another payload under the same nonce is a replacement."""

    chain_id: int
    nonce: int
    fee: tuple[int, ...]
    """What the payload pays at most, per unit: a replacement must pay more in every part."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One signature that somebody wants, as the store arbitrates it."""

    wallet_id: UUID
    log: LogEntry
    digest: str
    """64 hexadecimal digits."""
    nonce: NonceUse | None = None
    retired_too: bool = False
    """Whether a wallet that was replaced may sign."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What the store says to a wish. There may be a signature only if ``logged``: then its row is durable."""

    logged: bool
    stored: StoredWallet | None = None
    """The wallet as the statement that wrote the log row read it; None where there is none."""
    state: str = ""
    """``live``, ``replaced`` or ``revoked``."""
    level_allows: bool = False
    """Whether the access level of its vault record is one that may sign."""
    known: tuple[str, tuple[int, ...]] | None = None
    """Digest and fee of what was signed under the nonce before."""


class Signed(Protocol):
    """A signature, or what carries it. Frozen; holds nothing secret."""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values: bytes as 0x-hex (EVM), base64 or base58, as the network writes them."""


class Prepared(Protocol):
    """A request that can be signed: checked, and hashed."""

    @property
    def kind(self) -> Kind:
        """What it is."""

    @property
    def digest(self) -> bytes:
        """32 bytes that stand for what is signed, in the usage log and for the nonce guard: the hash that the
        signature is made over, or, where there are several or none, the SHA-256 of the bytes that are signed."""

    @property
    def nonce(self) -> NonceUse | None:
        """The nonce that it uses, or None."""

    @property
    def summary(self) -> Mapping[str, str]:
        """A few public facts for the usage log and for people: recipient, amount, fee, chain."""

    def sign(self, material: KeyMaterial) -> Signed:
        """Sign, and verify with the wallet's public key (EVM: recover the address) before returning.

        Deterministic: the same request and key give the same bytes. Raises SignatureRefusedError where the key turns
        out not to be the one that the request needs, SignatureFaultError where verification fails; while an error is
        raised no frame of the implementation holds plaintext in a local variable.
        """
