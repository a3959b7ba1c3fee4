"""Networks whose wallets sign, as protocols: from a request to a signature.

A request is checked, taken apart and hashed before any key is opened; what cannot be signed is refused there. Only
then is a key opened, for the moment of one signature, which is verified before it leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from strongroom.records.intent import Intent
from strongroom.records.key_material import KeyMaterial
from strongroom.records.signing import ReplayScope, SigningRequest
from strongroom.records.signing_kinds import SigningKind
from strongroom.records.wallets import Wallet


@runtime_checkable
class SigningNetwork(Protocol):
    """A network whose wallets sign. Failure contract as for Network, and nothing touches the chain."""

    @property
    def signing_kinds(self) -> Mapping[str, SigningKind]:
        """What its wallets sign, by name, and with which options: data, from which ``Vault.sign``, the command line
        and the documentation follow."""

    def prepare(self, wallet: Wallet, request: SigningRequest) -> Prepared:
        """Read, check and hash a request, for a wallet of this network; opens no key.

        The kind of the request is among ``signing_kinds``, and its options are those that the kind declares for the
        network: every one of them, of its type, at its default where the caller said nothing. Raises a subclass of
        SigningError for what cannot or must not be signed: UnsupportedSigningError for a wallet or a form that the
        network does not sign with, MalformedPayloadError for what cannot be read, SignatureRefusedError for what must
        not be signed as it stands (another chain, another wallet's address, a fee above the limit).
        """


class Signed(Protocol):
    """A signature, or what carries it. Frozen; holds nothing secret."""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values: bytes as 0x-hex (EVM), base64 or base58, as the network writes them."""


class Prepared(Protocol):
    """A request that can be signed: checked, and hashed."""

    @property
    def kind(self) -> str:
        """The kind of its request, one of the network's ``signing_kinds``."""

    @property
    def digest(self) -> bytes:
        """32 bytes that stand for what is signed, in the usage log and for the replay guard: the hash that the
        signature is made over, or, where there are several or none, the SHA-256 of the bytes that are signed."""

    @property
    def replay_scope(self) -> ReplayScope | None:
        """What it uses up, or None."""

    @property
    def intent(self) -> Intent:
        """What it would bring about; the summary in the usage log is made from it."""

    def sign(self, material: KeyMaterial) -> Signed:
        """Sign, and verify with the wallet's public key (EVM: recover the address) before returning.

        Deterministic, unless an option asks for randomness: the same request and key give the same bytes. Raises
        SignatureRefusedError where the key turns out not to be the one that the request needs, SignatureFaultError
        where verification fails; while an error is raised no frame of the implementation holds plaintext in a local
        variable.
        """
