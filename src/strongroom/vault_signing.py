"""The verbs of a vault that sign. Each checks, logs durably, opens the key for one signature, and verifies it."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from strongroom.model import Actor, Wallet
from strongroom.signing import Kind, Signed, ToSign
from strongroom.usecases.parts import Parts
from strongroom.usecases.read import get_stored
from strongroom.usecases.sign import Signer


class SigningVerbs:
    """What a wallet can sign; docs/signing.md lists payloads, options and results by network.

    Every verb commits its row of the usage log (action ``sign``, with the digest of what is signed) before a signature
    is returned; a refusal is logged, too (``sign-refused``). ``options`` are those of the network. Common errors:
    WalletNotFoundError; WalletRevokedError, also for a wallet that was replaced unless ``retired_too``; SigningError
    for what cannot or must not be signed; UnknownSealingKeyError and ProofError where the sealed text does not open;
    StoreError: then there is no signature.
    """

    _parts: Parts
    _signer: Signer

    def sign_message(
        self,
        /,
        wallet: UUID | str | Wallet,
        data: bytes | str,
        *,
        retired_too: bool = False,
        actor: UUID | str | None = None,
        reason: str | None = None,
        **options: Any,
    ) -> Signed:
        """Sign a message: EIP-191 (EVM), BIP-322 simple or the legacy scheme (Bitcoin), off-chain message (Solana)."""
        return self._sign("message", wallet, data, options, actor, reason, retired_too=retired_too)

    def sign_typed_data(
        self,
        /,
        wallet: UUID | str | Wallet,
        document: dict[str, Any] | str,
        *,
        retired_too: bool = False,
        actor: UUID | str | None = None,
        reason: str | None = None,
        **options: Any,
    ) -> Signed:
        """Sign a document of typed data, EIP-712 version 4, as a mapping or as JSON text. EVM only."""
        return self._sign("typed-data", wallet, document, options, actor, reason, retired_too=retired_too)

    def sign_transaction(
        self,
        /,
        wallet: UUID | str | Wallet,
        transaction: Any,
        *,
        replace: bool = False,
        nonce_guard: bool = True,
        retired_too: bool = False,
        actor: UUID | str | None = None,
        reason: str | None = None,
        **options: Any,
    ) -> Signed:
        """Sign a transaction (EVM: a mapping or unsigned bytes; Solana: bytes or text); it is not sent.

        The nonce guard (EVM): the same payload under a nonce gives the same signature again; another one raises
        NonceConflictError, unless ``replace`` says that it replaces the first and every part of its fee is higher.
        """
        return self._sign(
            "transaction",
            wallet,
            transaction,
            options,
            actor,
            reason,
            retired_too=retired_too,
            replace=replace,
            nonce_guard=nonce_guard,
        )

    def sign_authorization(
        self,
        /,
        wallet: UUID | str | Wallet,
        authorization: dict[str, Any],
        *,
        actor: UUID | str | None = None,
        reason: str | None = None,
        **options: Any,
    ) -> Signed:
        """Sign an authorization of EIP-7702: the wallet's account runs the code of another address. EVM only."""
        return self._sign("authorization", wallet, authorization, options, actor, reason)

    def sign_psbt(
        self,
        /,
        wallet: UUID | str | Wallet,
        psbt: bytes | str,
        *,
        retired_too: bool = False,
        actor: UUID | str | None = None,
        reason: str | None = None,
        **options: Any,
    ) -> Signed:
        """Sign the inputs of a PSBT that are this wallet's, BIP-174 and BIP-370. Bitcoin only."""
        return self._sign("psbt", wallet, psbt, options, actor, reason, retired_too=retired_too)

    def dangerously_sign_bare_hash(
        self,
        /,
        wallet: UUID | str | Wallet,
        digest: bytes,
        *,
        actor: UUID | str | None = None,
        reason: str | None = None,
        **options: Any,
    ) -> Signed:
        """Sign 32 bytes of which nobody can tell what they stand for: it may be a transaction that takes everything."""
        return self._sign("bare-hash", wallet, digest, options, actor, reason)

    def account(
        self,
        wallet: UUID | str | Wallet,
        *,
        actor: UUID | str | None = None,
        reason: str | None = None,
        **permissions: bool,
    ) -> Any:
        """Return the wallet as an object that its ecosystem signs with; its key stays in the vault.

        EVM: an account of eth-account, which web3.py's signing middleware takes, too (extra ``web3``; permissions
        ``blind_typed_data``, ``bare_hashes``). Solana: a signer for solders (extra ``solana``). ``asynchronous()`` of
        it has methods to await. Raises WalletNotFoundError, MissingExtraError, UnsupportedSigningError.
        """
        from strongroom.accounts import account

        facts = get_stored(self._parts, wallet).wallet
        caip2 = self._parts.networks.get(facts.network).caip2
        return account(cast(Any, self), facts, caip2, actor=actor, reason=reason, **permissions)

    def _sign(
        self,
        kind: Kind,
        wallet: UUID | str | Wallet,
        payload: Any,
        options: dict[str, Any],
        actor: UUID | str | None,
        reason: str | None,
        **how: bool,
    ) -> Signed:
        return self._signer.sign(wallet, ToSign(kind, payload, options), Actor.of(actor, reason), **how)
