"""The verbs of a vault that sign. Each checks, logs durably, opens the key for one signature, and verifies it."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from strongroom.ports.signing import Signed
from strongroom.records.signing import SigningRequest
from strongroom.records.usage_log import Attribution
from strongroom.records.wallets import Wallet
from strongroom.usecases.context import VaultContext
from strongroom.usecases.read import get_stored, in_project
from strongroom.usecases.sign import Signer


class SigningVerbs:
    """What a wallet can sign; docs/signing.md lists payloads, options and results by network.

    ``sign`` is the one verb; the others name a kind. Every call commits its row of the usage log (action ``sign``, with
    the digest of what is signed) before a signature is returned; a refusal is logged, too (``sign-refused``).
    ``options`` are those that the network declares for the kind (``signing_kinds`` of a network). Common errors:
    WalletNotFoundError; WalletRevokedError, also for a wallet that was replaced unless ``allow_retired``; SigningError
    for what cannot or must not be signed; UnknownSealingKeyError and ProofError where the sealed text does not open;
    StoreError: then there is no signature.
    """

    _context: VaultContext
    _signer: Signer

    def sign(
        self,
        /,
        wallet: UUID | str | Wallet,
        kind: str,
        payload: Any,
        *,
        project_id: UUID | str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        **options: Any,
    ) -> Signed:
        """Sign a payload of a kind that the wallet's network declares, such as ``message`` or ``transaction``.

        Args:
            wallet: its id, or the wallet.
            kind: ``message``, ``typed-data``, ``transaction``, ``authorization``, ``psbt``, ``digest``.
            payload: bytes, text or a mapping, as the kind and the network take it.
            project_id: the wallet's project: of another one it is not found.
            actor: who asks, for the usage log.
            reason: why.
            options: what the kind declares. ``allow_retired``: also with a wallet that was replaced. Where payloads
                have a nonce, ``replace`` and ``nonce_guard``; see ``sign_transaction``. ``dangerous``: see
                ``dangerously_sign_digest``.

        Raises UnsupportedSigningError for another kind, MalformedPayloadError for an unknown option or a value of
        another type; see the class for the rest.
        """
        asked = in_project(wallet, project_id)
        return self._signer.sign(asked, SigningRequest(kind, payload, options), Attribution.of(actor, reason))

    def sign_message(
        self,
        /,
        wallet: UUID | str | Wallet,
        data: bytes | str,
        *,
        allow_retired: bool = False,
        project_id: UUID | str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        **options: Any,
    ) -> Signed:
        """Sign a message: EIP-191 (EVM), BIP-322 simple or the legacy scheme (Bitcoin), off-chain message (Solana)."""
        own = {"allow_retired": allow_retired, **options}
        return self.sign(wallet, "message", data, project_id=project_id, actor=actor, reason=reason, **own)

    def sign_typed_data(
        self,
        /,
        wallet: UUID | str | Wallet,
        document: dict[str, Any] | str,
        *,
        allow_retired: bool = False,
        project_id: UUID | str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        **options: Any,
    ) -> Signed:
        """Sign a document of typed data, EIP-712 version 4, as a mapping or as JSON text. EVM only."""
        own = {"allow_retired": allow_retired, **options}
        return self.sign(wallet, "typed-data", document, project_id=project_id, actor=actor, reason=reason, **own)

    def sign_transaction(
        self,
        /,
        wallet: UUID | str | Wallet,
        transaction: Any,
        *,
        replace: bool = False,
        nonce_guard: bool = True,
        allow_retired: bool = False,
        project_id: UUID | str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        **options: Any,
    ) -> Signed:
        """Sign a transaction (EVM: a mapping or unsigned bytes; Solana: bytes or text); it is not sent.

        The nonce guard (EVM): the same payload under a nonce gives the same signature again; another one raises
        NonceConflictError, unless ``replace`` says that it replaces the first and every part of its fee is higher.
        """
        own = {"replace": replace, "nonce_guard": nonce_guard, "allow_retired": allow_retired, **options}
        return self.sign(wallet, "transaction", transaction, project_id=project_id, actor=actor, reason=reason, **own)

    def sign_authorization(
        self,
        /,
        wallet: UUID | str | Wallet,
        authorization: dict[str, Any],
        *,
        project_id: UUID | str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        **options: Any,
    ) -> Signed:
        """Sign an authorization of EIP-7702: the wallet's account runs the code of another address. EVM only.

        It uses up a nonce of the account; ``nonce_guard``: see ``sign_transaction``.
        """
        own = {"project_id": project_id, "actor": actor, "reason": reason, **options}
        return self.sign(wallet, "authorization", authorization, **own)

    def sign_psbt(
        self,
        /,
        wallet: UUID | str | Wallet,
        psbt: bytes | str,
        *,
        allow_retired: bool = False,
        project_id: UUID | str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        **options: Any,
    ) -> Signed:
        """Sign the inputs of a PSBT that are this wallet's, BIP-174 and BIP-370. Bitcoin only."""
        own = {"allow_retired": allow_retired, **options}
        return self.sign(wallet, "psbt", psbt, project_id=project_id, actor=actor, reason=reason, **own)

    def dangerously_sign_digest(
        self,
        /,
        wallet: UUID | str | Wallet,
        digest: bytes,
        *,
        project_id: UUID | str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        **options: Any,
    ) -> Signed:
        """Sign 32 bytes of which nobody can tell what they stand for: it may be a transaction that takes everything."""
        own = {"dangerous": True, **options}
        return self.sign(wallet, "digest", digest, project_id=project_id, actor=actor, reason=reason, **own)

    def account(
        self,
        wallet: UUID | str | Wallet,
        *,
        project_id: UUID | str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        max_fee: int | None = None,
        **permissions: bool,
    ) -> Any:
        """Return the wallet as an object that its ecosystem signs with; its key stays in the vault.

        EVM: an account of eth-account, which web3.py's signing middleware takes, too (extra ``web3``; permissions
        ``blind_typed_data``, ``raw_digests``). Solana: a signer for solders (extra ``solana``). ``asynchronous()`` of
        it has methods to await. ``max_fee``: the limit of the fee of its transactions, in wei or lamports, instead of
        the network's. Raises WalletNotFoundError, MissingExtraError, UnsupportedSigningError.
        """
        from strongroom.accounts import account

        facts = get_stored(self._context, in_project(wallet, project_id)).wallet
        caip2 = self._context.networks.get(facts.network).caip2
        return account(cast(Any, self), facts, caip2, actor=actor, reason=reason, max_fee=max_fee, **permissions)
