"""Accounts for solders: ``pubkey`` and ``sign_message`` as its Keypair has them, and presigners for transactions."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

from anyio import to_thread
from solders.message import to_bytes_versioned
from solders.presigner import Presigner
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import Transaction, VersionedTransaction

from strongroom.accounts.vault_verbs import WalletVerbs
from strongroom.errors import SignatureRefusedError

AnyMessage = Any
"""solders.message.Message or MessageV0; newer solders have more, which the vault refuses."""
AnyTransaction = TypeVar("AnyTransaction", Transaction, VersionedTransaction)


class SolanaAccount:
    """A wallet of Solana, for solders and what is built on it, sync; it signs through the vault.

    The constructors of solders' transactions take its own Keypair, Presigner and NullSigner and nothing else: give
    them ``account.presigner(message)``. Results are solders'; errors are the vault's. Each method takes the options
    of the vault's verb in addition, such as ``max_fee``.
    """

    def __init__(self, verbs: WalletVerbs) -> None:
        self._verbs = verbs
        self._pubkey = _pubkey(verbs.wallet.address)

    def pubkey(self) -> Pubkey:
        """The public key, which is the address."""
        return self._pubkey

    def sign_message(self, message: bytes, **options: Any) -> Signature:
        """Sign bytes as they are, as wallet-adapter's signMessage does.

        Raises SignatureRefusedError for what could be a transaction's message: that is for ``presigner`` and
        ``sign_transaction``. With ``format="offchain"`` it signs text as an off-chain message, which has a preamble.
        """
        signed = self._verbs.sign("sign_message", message, {"format": "raw", **options})
        return Signature.from_bytes(signed.signature)

    def presigner(self, message: AnyMessage, **options: Any) -> Presigner:
        """Sign a transaction's message: a signer for ``VersionedTransaction(message, [...])`` of this message only."""
        signed = self._verbs.sign("sign_transaction", to_bytes_versioned(message), options)
        return Presigner(self._pubkey, Signature.from_bytes(signed.signature))

    def sign_transaction(self, transaction: AnyTransaction, **options: Any) -> AnyTransaction:
        """Return a transaction with this wallet's signature in its place; the others stay as they are."""
        signed = self._verbs.sign("sign_transaction", bytes(transaction), options)
        return type(transaction).from_bytes(signed.transaction)

    def asynchronous(self) -> AsyncSolanaAccount:
        """The same account with methods to await."""
        return AsyncSolanaAccount(self)

    def __repr__(self) -> str:
        return f"<SolanaAccount {self._pubkey}>"


def _pubkey(address: str) -> Pubkey:
    try:
        return Pubkey.from_string(address)
    except ValueError:
        raise SignatureRefusedError("The wallet's address is not one of Solana.") from None


class AsyncSolanaAccount:
    """The methods of SolanaAccount to await; each signs in a worker thread."""

    def __init__(self, sync: SolanaAccount) -> None:
        self.sync = sync

    def pubkey(self) -> Pubkey:
        """The public key; needs no thread."""
        return self.sync.pubkey()

    async def sign_message(self, message: bytes, **options: Any) -> Signature:
        """See SolanaAccount.sign_message."""
        return await to_thread.run_sync(partial(self.sync.sign_message, message, **options))

    async def presigner(self, message: AnyMessage, **options: Any) -> Presigner:
        """See SolanaAccount.presigner."""
        return await to_thread.run_sync(partial(self.sync.presigner, message, **options))

    async def sign_transaction(self, transaction: AnyTransaction, **options: Any) -> AnyTransaction:
        """See SolanaAccount.sign_transaction."""
        return await to_thread.run_sync(partial(self.sync.sign_transaction, transaction, **options))

    def __repr__(self) -> str:
        return f"<AsyncSolanaAccount {self.pubkey()}>"
