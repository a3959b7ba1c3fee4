"""Requests that are checked and hashed, and wait for a key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from strongroom import bounded_json
from strongroom.networks.evm import eip55, intents, signature, transaction
from strongroom.networks.evm.authorization import Authorization
from strongroom.networks.evm.signature import ExpectedSigner
from strongroom.networks.evm.signed import EvmSignature, EvmSignedAuthorization, EvmSignedTransaction
from strongroom.networks.evm.transaction import EvmTransaction
from strongroom.records.intent import ANY_CHAIN, Intent
from strongroom.records.key_material import KeyMaterial


class EvmNonce(NamedTuple):
    """The nonce of an account on a chain, as a replay scope: a node replaces a payload by one that pays more."""

    chain_id: int
    nonce: int
    fee: tuple[int, ...]
    """What the payload pays at most, per unit; empty for an authorization, which pays nothing."""

    @property
    def domain(self) -> str:
        """The chain id of EIP-155, in decimal."""
        return str(self.chain_id)

    @property
    def sequence(self) -> str:
        """The account's nonce, in decimal."""
        return str(self.nonce)

    @property
    def terms(self) -> str:
        """The fee, as a JSON list of integers."""
        return json.dumps(self.fee)

    def may_replace(self, terms: str) -> bool:
        """Whether every part of the fee is higher, and there are as many parts, or there are none yet.

        A transaction takes the place of an authorization: where it is mined first, the authorization is void. An
        authorization takes the place of nothing.
        """
        try:
            before = bounded_json.loads(terms)
        except ValueError:
            return False
        if not isinstance(before, list) or not all(type(part) is int for part in before):
            return False
        if not self.fee or not before:
            return bool(self.fee)
        return len(before) == len(self.fee) and all(new > old for new, old in zip(self.fee, before, strict=True))


@dataclass(frozen=True, slots=True)
class PreparedDigest:
    """A message, typed data or a raw digest: one digest."""

    kind: str
    digest: bytes
    intent: Intent
    owner: ExpectedSigner

    @property
    def replay_scope(self) -> EvmNonce | None:
        return None

    def sign(self, material: KeyMaterial) -> EvmSignature:
        """Sign and prove. Raises SignatureRefusedError, SignatureFaultError. EIP-191, EIP-712."""
        y_parity, r_s = signature.sign(material, self.digest, self.owner)
        return EvmSignature(self.digest, r_s + bytes((27 + y_parity,)))


@dataclass(frozen=True, slots=True)
class PreparedTransaction:
    """A transaction, its fields encoded."""

    transaction: EvmTransaction
    body: bytes
    digest: bytes
    owner: ExpectedSigner
    network_chain_id: int

    @property
    def kind(self) -> str:
        return "transaction"

    @property
    def replay_scope(self) -> EvmNonce | None:
        """The nonce; of a transaction without a chain id, on the network of the wallet."""
        tx = self.transaction
        return EvmNonce(self.network_chain_id if tx.chain_id is None else tx.chain_id, tx.nonce, tx.fee)

    @property
    def intent(self) -> Intent:
        """Value, calls of ERC-20, fee and delegations; other calls are opaque."""
        return intents.of_transaction(self.transaction, self.owner.address, self._facts())

    def _facts(self) -> Mapping[str, str]:
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
    """An authorization of EIP-7702, with the digest that is signed."""

    authorization: Authorization
    digest: bytes
    owner: ExpectedSigner
    network_chain_id: int

    @property
    def kind(self) -> str:
        return "authorization"

    @property
    def replay_scope(self) -> EvmNonce | None:
        """The nonce, which is the account's; of an authorization for chain 0, on the network of the wallet."""
        return EvmNonce(self.authorization.chain_id or self.network_chain_id, self.authorization.nonce, ())

    @property
    def intent(self) -> Intent:
        """Chain, nonce, and the address whose code the account will run."""
        asked = self.authorization
        chain = intents.chain_of(asked.chain_id) if asked.chain_id else ANY_CHAIN
        code = eip55.checksummed(asked.address.hex()) if any(asked.address) else None
        facts = {"chain": chain, "nonce": str(asked.nonce), "code_of": code or "none: ends the delegation"}
        return Intent(chain, delegates=() if code is None else (code,), facts=facts)

    def sign(self, material: KeyMaterial) -> EvmSignedAuthorization:
        """Sign and prove. Raises SignatureRefusedError, SignatureFaultError. EIP-7702."""
        y_parity, r_s = signature.sign(material, self.digest, self.owner)
        return EvmSignedAuthorization(*self.authorization, y_parity, int.from_bytes(r_s[:32]), int.from_bytes(r_s[32:]))
