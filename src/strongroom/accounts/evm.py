"""Accounts for web3.py and eth-account: they look like a LocalAccount, and their key stays in the vault."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NoReturn

import rlp
from anyio import to_thread
from eth_account.datastructures import SignedMessage, SignedTransaction
from eth_account.messages import SignableMessage
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from strongroom.accounts import evm_payloads
from strongroom.accounts.vault_verbs import WalletVerbs
from strongroom.errors import MalformedPayloadError, SignatureRefusedError, UnsupportedSigningError

PERMISSIONS = frozenset({"blind_typed_data", "raw_digests"})
_PERSONAL, _TYPED_DATA = b"E", b"\x01"
_AUTHORIZATION_MAGIC = b"\x05"
_NO_KEY = "The account of a vault holds no key; vault.reveal is the one way out."


class EvmAccount(LocalAccount):
    """A wallet of the EVM family as an account of eth-account, sync; it signs through the vault.

    A subclass of LocalAccount, because web3.py's SignAndSendRawMiddlewareBuilder takes nothing else; what asks for
    the key fails. Results are eth-account's own; errors are the vault's. Each method takes the options of the vault's
    verb in addition, such as ``max_fee`` or ``replace``.

    AsyncWeb3's middleware calls these methods, too, and waits for them in its event loop; see AsyncEvmAccount.

    Args:
        verbs: the vault's, for one wallet.
        blind_typed_data: let ``sign_message`` sign what ``encode_typed_data`` leaves of a document: two hashes.
        raw_digests: let ``unsafe_sign_hash`` sign.
    """

    def __init__(self, verbs: WalletVerbs, *, blind_typed_data: bool = False, raw_digests: bool = False) -> None:
        self._verbs = verbs
        self._blind_typed_data = blind_typed_data
        self._raw_digests = raw_digests

    @property
    def address(self) -> ChecksumAddress:
        """The address with the checksum of EIP-55, which these libraries want on Rootstock, too."""
        return to_checksum_address(self._verbs.wallet.address)

    def sign_message(self, signable_message: SignableMessage, **options: Any) -> SignedMessage:
        """Sign a message made by ``encode_defunct``. EIP-191, version 0x45.

        Raises SignatureRefusedError for one made by ``encode_typed_data``, of which only hashes are left, unless the
        account may sign those; UnsupportedSigningError for other versions.
        """
        if not isinstance(signable_message, SignableMessage):
            raise MalformedPayloadError("The message is not a SignableMessage: see eth_account.messages.")
        version, header, body = (bytes(part) for part in signable_message)
        if version == _PERSONAL and header == b"thereum Signed Message:\n" + str(len(body)).encode():
            return _signed_message(self._verbs.sign("sign_message", body, options))
        if version != _TYPED_DATA or len(header) != 32 or len(body) != 32:
            raise UnsupportedSigningError("The vault signs messages made by encode_defunct and by encode_typed_data.")
        if not self._blind_typed_data:
            raise SignatureRefusedError(
                "Of typed data that was encoded already, nobody can tell what it says.",
                hint="Call sign_typed_data(full_message=...), or ask for the account with blind_typed_data=True.",
            )
        digest = keccak(b"\x19\x01" + header + body)
        return _signed_message(self._verbs.sign("dangerously_sign_digest", digest, options))

    def sign_typed_data(
        self,
        domain_data: dict[str, Any] | None = None,
        message_types: dict[str, Any] | None = None,
        message_data: dict[str, Any] | None = None,
        full_message: dict[str, Any] | None = None,
        **options: Any,
    ) -> SignedMessage:
        """Sign typed data, whole or in its three parts. EIP-712."""
        document = evm_payloads.document(domain_data, message_types, message_data, full_message)
        return _signed_message(self._verbs.sign("sign_typed_data", document, options))

    def sign_transaction(
        self, transaction_dict: Mapping[str, Any], blobs: Any = None, **options: Any
    ) -> SignedTransaction:
        """Sign a transaction of any type; with ``blobs``, the result has them too, as a node takes them. It is
        not sent."""
        payload = evm_payloads.transaction(transaction_dict)
        sidecar = None if blobs is None else evm_payloads.Sidecar(payload, blobs)
        if sidecar is not None:
            payload = sidecar.payload
        signed = self._verbs.sign("sign_transaction", payload, options)
        raw = signed.raw_transaction if sidecar is None else sidecar.attach(signed.raw_transaction)
        return SignedTransaction(HexBytes(raw), HexBytes(signed.hash), signed.r, signed.s, signed.v)

    def sign_authorization(self, authorization: dict[str, Any], **options: Any) -> Any:
        """Sign an authorization; the result goes into a transaction's ``authorizationList``. EIP-7702."""
        from eth_account.datastructures import SignedSetCodeAuthorization
        from eth_keys.datatypes import Signature

        signed = self._verbs.sign("sign_authorization", authorization, options)
        digest = keccak(_AUTHORIZATION_MAGIC + rlp.encode([signed.chain_id, signed.address, signed.nonce]))
        return SignedSetCodeAuthorization(
            chain_id=signed.chain_id,
            address=signed.address,
            nonce=signed.nonce,
            y_parity=signed.y_parity,
            r=signed.r,
            s=signed.s,
            signature=Signature(vrs=(signed.y_parity, signed.r, signed.s)),
            authorization_hash=HexBytes(digest),
        )

    def unsafe_sign_hash(self, message_hash: Any, **options: Any) -> SignedMessage:
        """Sign 32 bytes, if the account was asked for with ``raw_digests=True``; SignatureRefusedError otherwise."""
        if not self._raw_digests:
            raise SignatureRefusedError(
                "This account signs no raw digests: they may be transactions.",
                hint="Ask for the account with raw_digests=True, if you know what made the hash.",
            )
        digest = bytes(message_hash) if isinstance(message_hash, (bytes, bytearray)) else message_hash
        return _signed_message(self._verbs.sign("dangerously_sign_digest", digest, options))

    def asynchronous(self) -> AsyncEvmAccount:
        """The same account with methods to await."""
        return AsyncEvmAccount(self)

    @property
    def key(self) -> bytes:
        """Raise AttributeError: the private key stays in the vault."""
        raise AttributeError(_NO_KEY)

    def __bytes__(self) -> bytes:
        raise TypeError(_NO_KEY)

    def encrypt(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: an export is logged, and has its own verb."""
        raise UnsupportedSigningError(_NO_KEY, hint="Use vault.export_keystore.")

    def __repr__(self) -> str:
        return f"<EvmAccount {self.address}>"


class AsyncEvmAccount:
    """The methods of EvmAccount to await; each signs in a worker thread.

    ``AsyncWeb3`` has no interface for such accounts: sign, then ``await w3.eth.send_raw_transaction(...)``. Its
    middleware takes ``account.sync``, which blocks the event loop for the time of a signature.
    """

    def __init__(self, sync: EvmAccount) -> None:
        self.sync = sync

    @property
    def address(self) -> ChecksumAddress:
        """The address, with its checksum. EIP-55."""
        return self.sync.address

    async def sign_message(self, signable_message: SignableMessage, **options: Any) -> SignedMessage:
        """See EvmAccount.sign_message."""
        return await to_thread.run_sync(partial(self.sync.sign_message, signable_message, **options))

    async def sign_typed_data(
        self,
        domain_data: dict[str, Any] | None = None,
        message_types: dict[str, Any] | None = None,
        message_data: dict[str, Any] | None = None,
        full_message: dict[str, Any] | None = None,
        **options: Any,
    ) -> SignedMessage:
        """See EvmAccount.sign_typed_data."""
        parts = (domain_data, message_types, message_data, full_message)
        return await to_thread.run_sync(partial(self.sync.sign_typed_data, *parts, **options))

    async def sign_transaction(
        self, transaction_dict: Mapping[str, Any], blobs: Any = None, **options: Any
    ) -> SignedTransaction:
        """See EvmAccount.sign_transaction."""
        return await to_thread.run_sync(partial(self.sync.sign_transaction, transaction_dict, blobs, **options))

    async def sign_authorization(self, authorization: dict[str, Any], **options: Any) -> Any:
        """See EvmAccount.sign_authorization."""
        return await to_thread.run_sync(partial(self.sync.sign_authorization, authorization, **options))

    async def unsafe_sign_hash(self, message_hash: Any, **options: Any) -> SignedMessage:
        """See EvmAccount.unsafe_sign_hash."""
        return await to_thread.run_sync(partial(self.sync.unsafe_sign_hash, message_hash, **options))

    def __repr__(self) -> str:
        return f"<AsyncEvmAccount {self.address}>"


def _signed_message(signed: Any) -> SignedMessage:
    return SignedMessage(HexBytes(signed.digest), signed.r, signed.s, signed.v, HexBytes(signed.signature))
