"""Authorizations: an account lets its address run the code of another. EIP-7702."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from strongroom.errors import MalformedPayloadError
from strongroom.networks.curves import secp256k1
from strongroom.networks.evm import reading, rlp, signature
from strongroom.networks.evm.signed import EvmSignedAuthorization
from strongroom.networks.keccak import keccak_256

_MAGIC = b"\x05"
_NAMES = {"chainId": "chain_id", "chain_id": "chain_id", "address": "address", "nonce": "nonce"}
_SIGNED_NAMES = {**_NAMES, "yParity": "y_parity", "y_parity": "y_parity", "r": "r", "s": "s"}
_SIGNED_FIELDS = frozenset(_SIGNED_NAMES.values())


class Authorization(NamedTuple):
    """What is signed of an authorization."""

    chain_id: int
    address: bytes
    nonce: int

    def body(self) -> bytes:
        """The fields, encoded and joined."""
        return rlp.integer(self.chain_id) + rlp.data(self.address) + rlp.integer(self.nonce)

    def digest(self) -> bytes:
        """The hash that is signed."""
        return keccak_256(_MAGIC + rlp.sequence(self.body()))


def read(payload: object) -> tuple[int | None, bytes, int]:
    """Read an unsigned authorization: chain id (None where it is missing), address, nonce.

    Raises MalformedPayloadError.
    """
    fields = reading.named(reading.document(payload, "The authorization"), "The authorization", _NAMES)
    for name in ("address", "nonce"):
        if name not in fields:
            raise MalformedPayloadError(f"The authorization lacks the field {name}.")
    chain_id = fields.get("chain_id")
    return (
        None if chain_id is None else reading.quantity(chain_id, "chain_id"),
        reading.address(fields["address"], "address"),
        reading.quantity(fields["nonce"], "nonce", reading.LAST_NONCE),
    )


def read_signed(entries: object) -> tuple[EvmSignedAuthorization, ...]:
    """Read the authorization list of a transaction: mappings, and objects as ``sign_authorization`` returns them.

    Raises MalformedPayloadError.
    """
    return tuple(_read_signed(entry) for entry in reading.items(entries, "authorization_list"))


def _read_signed(entry: object) -> EvmSignedAuthorization:
    fields = reading.named(_plain(entry), "An authorization", _SIGNED_NAMES)
    for name in _SIGNED_FIELDS - fields.keys():
        raise MalformedPayloadError(f"An authorization lacks the field {name}.")
    return EvmSignedAuthorization(
        reading.quantity(fields["chain_id"], "chain_id of an authorization"),
        reading.address(fields["address"], "address of an authorization"),
        reading.quantity(fields["nonce"], "nonce of an authorization"),
        reading.quantity(fields["y_parity"], "y_parity of an authorization"),
        reading.quantity(fields["r"], "r of an authorization"),
        reading.quantity(fields["s"], "s of an authorization"),
    )


def _plain(entry: object) -> object:
    """An object with the attributes of a signed authorization as a mapping: the vault's, and eth-account's."""
    if isinstance(entry, Mapping):
        return entry
    try:
        return {name: getattr(entry, name) for name in sorted(_SIGNED_FIELDS)}
    except Exception:  # noqa: BLE001 - other people's attributes raise what they like
        return entry


def check_signed(entry: EvmSignedAuthorization) -> None:
    """Refuse an authorization that no key signed, or that no chain would apply. Raises MalformedPayloadError."""
    if entry.nonce > reading.LAST_NONCE:
        raise MalformedPayloadError("nonce of an authorization is out of range.")
    signed = entry.y_parity in (0, 1) and 0 < entry.r < secp256k1.ORDER and 0 < entry.s <= signature.HALF_ORDER
    digest = Authorization(entry.chain_id, entry.address, entry.nonce).digest()
    if not signed or signature.recover(digest, entry.y_parity, entry.r.to_bytes(32) + entry.s.to_bytes(32)) is None:
        raise MalformedPayloadError("An authorization is not signed: y_parity, r and s are not a signature.")


def encode_signed(entry: EvmSignedAuthorization) -> bytes:
    """Encode a signed authorization as it is in a transaction."""
    body = Authorization(entry.chain_id, entry.address, entry.nonce).body()
    return rlp.sequence(body + rlp.integer(entry.y_parity) + rlp.integer(entry.r) + rlp.integer(entry.s))
