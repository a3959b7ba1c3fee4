"""Requests that are checked and hashed, and wait for a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.model import KeyMaterial
from strongroom.networks import eip55
from strongroom.networks.evm_signing import signature, transaction
from strongroom.networks.evm_signing.authorization import Authorization
from strongroom.networks.evm_signing.signature import Owner
from strongroom.networks.evm_signing.signed import EvmSignature, EvmSignedAuthorization, EvmSignedTransaction
from strongroom.networks.evm_signing.transaction import Transaction
from strongroom.signing import Kind, NonceUse


@dataclass(frozen=True, slots=True)
class PreparedDigest:
    """A message, typed data or a bare hash: one digest."""

    kind: Kind
    digest: bytes
    summary: Mapping[str, str]
    owner: Owner

    @property
    def nonce(self) -> NonceUse | None:
        """None."""
        return None

    def sign(self, material: KeyMaterial) -> EvmSignature:
        """Sign and prove. Raises SignatureRefusedError, SignatureFaultError. EIP-191, EIP-712."""
        y_parity, r_s = signature.sign(material, self.digest, self.owner)
        return EvmSignature(self.digest, r_s + bytes((27 + y_parity,)))


@dataclass(frozen=True, slots=True)
class PreparedTransaction:
    """A transaction, its fields encoded."""

    transaction: Transaction
    body: bytes
    digest: bytes
    owner: Owner
    network_chain_id: int

    @property
    def kind(self) -> Kind:
        """What it is."""
        return "transaction"

    @property
    def nonce(self) -> NonceUse | None:
        """The nonce; of a transaction without a chain id, on the network of the wallet."""
        tx = self.transaction
        return NonceUse(self.network_chain_id if tx.chain_id is None else tx.chain_id, tx.nonce, tx.fee)

    @property
    def summary(self) -> Mapping[str, str]:
        """Type, chain, nonce, recipient, value and the highest fee in wei, and how much data there is."""
        tx = self.transaction
        facts = {
            "type": transaction.NAMES[tx.type],
            "chain": "any" if tx.chain_id is None else f"eip155:{tx.chain_id}",
            "nonce": str(tx.nonce),
            "to": eip55.checksummed(tx.to.hex()) if tx.to else "contract creation",
            "value_wei": str(tx.value),
            "max_fee_wei": str(tx.most_wei()),
            "data_bytes": str(len(tx.data)),
        }
        if tx.to and len(tx.data) >= 4:
            facts["selector"] = "0x" + tx.data[:4].hex()
        if tx.blob_versioned_hashes:
            facts["blobs"] = str(len(tx.blob_versioned_hashes))
        if tx.authorization_list:
            facts["authorizations"] = str(len(tx.authorization_list))
        return facts

    def sign(self, material: KeyMaterial) -> EvmSignedTransaction:
        """Sign and prove. Raises SignatureRefusedError, SignatureFaultError. EIP-155, EIP-2718."""
        return transaction.signed(self.transaction, self.body, *signature.sign(material, self.digest, self.owner))


@dataclass(frozen=True, slots=True)
class PreparedAuthorization:
    """An authorization."""

    authorization: Authorization
    digest: bytes
    owner: Owner

    @property
    def kind(self) -> Kind:
        """What it is."""
        return "authorization"

    @property
    def nonce(self) -> NonceUse | None:
        """None: whoever sends it decides when, and in which transaction, it takes effect."""
        return None

    @property
    def summary(self) -> Mapping[str, str]:
        """Chain, nonce, and the address whose code the account will run."""
        asked = self.authorization
        return {
            "chain": f"eip155:{asked.chain_id}" if asked.chain_id else "any",
            "nonce": str(asked.nonce),
            "code_of": eip55.checksummed(asked.address.hex()) if any(asked.address) else "none: ends the delegation",
        }

    def sign(self, material: KeyMaterial) -> EvmSignedAuthorization:
        """Sign and prove. Raises SignatureRefusedError, SignatureFaultError. EIP-7702."""
        y_parity, r_s = signature.sign(material, self.digest, self.owner)
        return EvmSignedAuthorization(*self.authorization, y_parity, int.from_bytes(r_s[:32]), int.from_bytes(r_s[32:]))
