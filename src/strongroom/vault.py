"""The face of strongroom: one short method a verb, nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any
from uuid import UUID

from strongroom.model import (
    DEFAULT_LABEL,
    Actor,
    Created,
    CreateResult,
    HistoryEntry,
    Revealed,
    RewrapResult,
    Stored,
    VaultStatus,
    VerifyResult,
    Wallet,
    WalletPage,
)
from strongroom.ports import Network
from strongroom.secret import Secret
from strongroom.usecases import (
    create,
    history,
    import_key,
    lifecycle,
    order,
    read,
    reveal,
    rewrap,
    rotate,
    status,
    store_key,
    verify,
)
from strongroom.usecases.parts import Parts
from strongroom.usecases.sign import Signer
from strongroom.vault_signing import SigningVerbs


class Vault(SigningVerbs):
    """An open vault: a database, a keyring that its root key has unwrapped, and the table of networks.

    Get one from ``strongroom.open`` or ``strongroom.init``. Safe to use from many threads. A verb that takes a
    wallet id also takes a Wallet; its project id then goes into the statement. Every error is a StrongroomError.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._signer = Signer(parts)

    def create_wallet(
        self,
        project_id: UUID | str,
        network: str,
        *,
        label: str = DEFAULT_LABEL,
        variant: str | None = None,
        words: int = 12,
        idempotency_key: str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        connection: Any | None = None,
    ) -> Created:
        """Create the wallet of (project, network, label), or return the one that is there.

        May be repeated for ever: the first call that commits makes the wallet, every other one returns it with
        ``created`` False. No address comes back before its key is committed; with ``connection`` that is the
        caller's commit, and ``wallet.durable`` is False.

        Args:
            project_id: the tenant's UUID.
            network: a registered name, such as ``ethereum``.
            label: ``[a-z0-9._-]{1,64}``.
            variant: the address variant, such as ``taproot``; None is the network's default.
            words: 12, 15, 18, 21 or 24 words of English BIP-39.
            idempotency_key: 1 to 255 printable characters, not beginning with ``strongroom:``; the same key with a
                different request is an error.
            actor: who asks, a UUID or up to 255 characters; goes into the usage log.
            reason: why, up to 1,000 characters; goes into the usage log.
            connection: a SQLAlchemy connection of the caller, whose transaction carries the write.

        Returns:
            ``(wallet, created)``.

        Raises:
            InvalidRequestError: an argument is wrong; nothing was written.
            IdempotencyConflictError: the key was used for another request; ``fields`` names the differences.
            VariantConflictError: the wallet that is there is of another variant.
            KeyMissingError: the wallet that is there has no key; no new one is made in its place.
            WalletRevokedError: the wallet that is there was revoked; ``replace_wallet`` makes another one.
            AmbiguousWalletError: in tables of other code, several live wallets could be it.
            RetryTransactionError: run the caller's transaction again (with ``connection`` only).
            StoreError: the database failed; ``retryable`` says whether to call again, which is always safe.
        """
        return create.create_wallet(
            self._parts,
            order.Wish(project_id, network, label, variant, words, idempotency_key),
            Actor.of(actor, reason),
            connection,
        )

    def create_wallets(
        self,
        project_id: UUID | str,
        networks: Sequence[str],
        *,
        label: str = DEFAULT_LABEL,
        words: int = 12,
        idempotency_key: str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        connection: Any | None = None,
    ) -> list[CreateResult]:
        """Create a wallet on each network, each with a phrase of its own: one result a network, in order.

        Partial success is normal: a network that fails leaves its error in its result and the others alone. With
        ``idempotency_key`` K each network's request is remembered under ``K/<network>``. Arguments are those of
        ``create_wallet``.

        Raises:
            RetryTransactionError: run the caller's transaction again (with ``connection`` only).
            InvalidRequestError: an argument that all networks share is wrong; nothing was written.
        """
        return create.create_wallets(
            self._parts,
            order.wishes(project_id, networks, label, words, idempotency_key),
            Actor.of(actor, reason),
            connection,
        )

    def import_wallet(
        self,
        project_id: UUID | str,
        network: str,
        *,
        private_key: str | Secret | None = None,
        mnemonic: str | Secret | None = None,
        passphrase: str | Secret | None = None,
        keystore: str | Secret | None = None,
        keystore_password: str | Secret | None = None,
        path: str | None = None,
        variant: str | None = None,
        address: str | None = None,
        label: str = DEFAULT_LABEL,
        idempotency_key: str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        connection: Any | None = None,
    ) -> Created:
        """Take an existing key into the vault, sealed and proved; the same key again changes nothing.

        Args:
            private_key: the key in a text form of the network: hex with or without 0x; WIF; base58 or a JSON array
                of 64 numbers for Solana; or
            mnemonic: a BIP-39 phrase in one of the twelve languages, NFC or NFKD; or
            keystore: a Web3 Secret Storage document, version 3, which keystore_password opens (EVM).
            passphrase: the phrase's optional BIP-39 passphrase.
            path: the derivation path, if not the default of the network's variant.
            address: if given, the derived address must equal it.

        The other arguments are those of ``create_wallet``.

        Raises:
            InvalidMnemonicError, InvalidPrivateKeyError, InvalidPathError, InvalidKeystoreError,
            KeystorePasswordError: what was given cannot be read.
            AddressMismatchError: the key derives another address than the given one; nothing was written.
            KeyConflictError: another key lives under this label; it was not touched.
            IdempotencyConflictError, RetryTransactionError, StoreError: as for ``create_wallet``.
        """
        given = import_key.Given(
            private_key=Secret.optional(private_key),
            mnemonic=Secret.optional(mnemonic),
            passphrase=Secret.optional(passphrase),
            keystore=Secret.optional(keystore),
            keystore_password=Secret.optional(keystore_password),
            path=path,
            address=address,
        )
        private_key = mnemonic = passphrase = None  # the frames of a traceback keep no plaintext of ours
        keystore = keystore_password = None
        wish = order.Wish(project_id, network, label, variant, 0, idempotency_key)
        return import_key.import_wallet(self._parts, wish, given, Actor.of(actor, reason), connection)

    def get_wallet(self, wallet: UUID | str | Wallet) -> Wallet:
        """Return a wallet by its id. Raises WalletNotFoundError, InvalidWalletIdError, StoreError."""
        return read.get_wallet(self._parts, wallet)

    def find_wallet(self, project_id: UUID | str, network: str, label: str = DEFAULT_LABEL) -> Wallet | None:
        """Return the wallet that (project, network, label) names, or None. Creates nothing.

        One that was revoked and has no successor is named still: its ``status`` says so. Raises InvalidRequestError,
        KeyMissingError where the named row is gone, StoreError.
        """
        return read.find_wallet(self._parts, project_id, network, label)

    def find_by_address(self, address: str, *, project_id: UUID | str | None = None) -> Wallet:
        """Return the wallet with this address, on whatever network it parses.

        Raises InvalidAddressError, WalletNotFoundError, AmbiguousWalletError (lists the ids), StoreError.
        """
        return read.find_by_address(self._parts, address, project_id)

    def list_wallets(
        self,
        project_id: UUID | str,
        *,
        network: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> WalletPage:
        """Return one page of a project's wallets in the order of their ids, retired ones included.

        Ids that strongroom chose (UUID version 7) sort by the millisecond of creation; other code chose others.

        Args:
            network: only this network's.
            limit: 1 to 1,000 wallets.
            after: ``next`` of the page before.

        Raises InvalidLimitError, InvalidCursorError, UnknownNetworkError, StoreError.
        """
        return read.list_wallets(self._parts, project_id, network, limit, after)

    def count_wallets(self, project_id: UUID | str | None = None) -> int:
        """Return how many wallets a project has, or all projects: the total of ``verify``'s progress."""
        return read.count_wallets(self._parts, project_id)

    def verify(
        self,
        wallet: UUID | str | Wallet | None = None,
        *,
        project_id: UUID | str | None = None,
        phrases: bool = False,
    ) -> Iterator[VerifyResult]:
        """Prove stored wallets: open the sealed text, derive, compare with the row. Streams; changes nothing.

        One wallet, a project, or (with neither) everything. ``phrases`` also derives each key from its phrase,
        which takes about a millisecond a wallet.

        Yields a VerifyResult a wallet; ``.code`` is None or that of what stands against it: a ProofError, a
        RootKeyError such as UnknownSealingKeyError, UnknownNetworkError.

        Raises WalletNotFoundError for a wallet that is not there, StoreError when the database fails.
        """
        return verify.verify(self._parts, wallet, project_id, phrases)

    def reveal(self, wallet: UUID | str | Wallet, *, actor: UUID | str, reason: str) -> Revealed:
        """Return the plaintext of a wallet: the one way out.

        The wallet is proved and a row of the usage log (action ``export``) is committed first; if it cannot be
        written, nothing is revealed.

        Raises WalletNotFoundError, ProofError, UnknownSealingKeyError, InvalidActorError, StoreError.
        """
        return reveal.reveal(self._parts, wallet, Actor.of(actor, reason, required=True))

    def export_keystore(
        self, wallet: UUID | str | Wallet, *, password: str | Secret, actor: UUID | str, reason: str
    ) -> str:
        """Return a wallet's key as a Web3 Secret Storage document (version 3, scrypt) under a password. EVM only.

        Logged like ``reveal``, before it leaves. Takes about a second and 256 MiB.

        Raises KeystorePasswordError for a password under eight characters, InvalidKeystoreError for a network that
        has no such documents, and the errors of ``reveal``.
        """
        secret = Secret.from_text(password)
        password = secret
        return reveal.export_keystore(self._parts, wallet, secret, Actor.of(actor, reason, required=True))

    def store_key(
        self,
        wallet: UUID | str | Wallet,
        *,
        private_key: str | Secret | None = None,
        mnemonic: str | Secret | None = None,
        passphrase: str | Secret | None = None,
        path: str | None = None,
        variant: str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
    ) -> Stored:
        """Complete a credential whose vault record is missing or a placeholder; replaces no key.

        The same key again changes nothing. Arguments are those of ``import_wallet``.

        Returns:
            ``(wallet, stored)``: whether this call stored the key.

        Raises:
            AddressMismatchError: the key does not derive the stored address; nothing was changed.
            KeyConflictError: another key, or another application's text, is there; nothing was changed.
            WalletNotFoundError, InvalidRequestError, CheckRefusesError, TriggerConflictError, StoreError.
        """
        given = import_key.Given(
            private_key=Secret.optional(private_key),
            mnemonic=Secret.optional(mnemonic),
            passphrase=Secret.optional(passphrase),
            path=path,
            address=None,
        )
        private_key = mnemonic = passphrase = None  # the frames of a traceback keep no plaintext of ours
        return store_key.store_key(self._parts, wallet, given, variant, Actor.of(actor, reason))

    def replace_wallet(
        self,
        wallet: UUID | str | Wallet,
        *,
        words: int = 12,
        idempotency_key: str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
    ) -> Created:
        """Make a new wallet in the place of this one and retire it; the retired one stays openable.

        A compare-and-set on the slot: of many callers one makes the successor, and every retry for the same wallet
        returns it with ``created`` False. A revoked wallet may be replaced, too.

        Raises SlotMovedError where another wallet is the live one, IdempotencyConflictError, WalletNotFoundError,
        StoreError.
        """
        return lifecycle.replace_wallet(self._parts, wallet, words, idempotency_key, Actor.of(actor, reason))

    def revoke_wallet(
        self,
        wallet: UUID | str | Wallet,
        *,
        actor: UUID | str | None = None,
        reason: str | None = None,
    ) -> Wallet:
        """Retire a wallet without a successor: ``create_wallet`` raises WalletRevokedError from then on.

        Deletes nothing; the key stays openable. Again changes nothing. Raises WalletNotFoundError, StoreError.
        """
        return lifecycle.revoke_wallet(self._parts, wallet, Actor.of(actor, reason))

    def history(self, wallet: UUID | str | Wallet) -> list[HistoryEntry]:
        """Return every text that was kept of a wallet, oldest first, even where its rows are gone.

        Texts are sealed, or another application's (``form``); none is opened.
        """
        return history.history(self._parts, wallet)

    def restore(
        self,
        wallet: UUID | str | Wallet,
        *,
        actor: UUID | str | None = None,
        reason: str | None = None,
    ) -> Stored:
        """Put the newest kept text that proves back where the vault record is missing or a placeholder.

        Raises KeyConflictError where another text stands there (nothing is overwritten), KeyMissingError where no
        kept text opens and derives the stored address.
        """
        return history.restore(self._parts, wallet, Actor.of(actor, reason))

    def rotate_sealing_key(self, *, actor: UUID | str | None = None, reason: str | None = None) -> str:
        """Make a new sealing key, wrapped by every root key, and seal with it from now on. Returns its kid.

        Old sealing keys go on opening; ``rewrap`` moves the rows. Every registered root key must be at hand.

        Raises RootKeyError where one is not (nothing was changed), ConflictError where another process changed the
        keyring meanwhile, StoreError.
        """
        return rotate.rotate(self._parts, Actor.of(actor, reason))

    def rewrap(self, *, project_id: UUID | str | None = None) -> Iterator[RewrapResult]:
        """Re-encrypt every text that an older sealing key sealed, beside traffic; the wallets' own keys stay.

        Each row is opened and proved, sealed anew and proved again, and written by a compare-and-set; the old text
        goes into the history. Streams a result a row; stop it and call again: it goes on where it was. A sealing
        key that no row names any more is marked retired at the end.
        """
        return rewrap.rewrap(self._parts, project_id)

    def add_root_key(self, uri: str, *, actor: UUID | str | None = None, reason: str | None = None) -> None:
        """Wrap every sealing key under one more root key, and prove each wrap before it counts.

        Raises RootKeyExistsError where the keyring has wraps of that URI, RootKeyError where the root key cannot be
        used; nothing was changed then.
        """
        rotate.add_root_key(self._parts, uri, Actor.of(actor, reason))

    def check_root_key(self, uri: str) -> None:
        """Unwrap every sealing key with the root key of a URI. Raises RootKeyError where it does not open all."""
        rotate.check_root_key(self._parts, uri)

    def remove_root_key(self, uri: str, *, actor: UUID | str | None = None, reason: str | None = None) -> None:
        """Remove a root key's wraps from the keyring, after another root key was proved to open all of it.

        Raises LastRootKeyError where none was; nothing was changed then.
        """
        rotate.remove_root_key(self._parts, uri, Actor.of(actor, reason))

    def count_rewrap(self, project_id: UUID | str | None = None) -> int:
        """Return how many rows ``rewrap`` looks at: the total of its progress; of a project, all of its wallets."""
        return rewrap.count(self._parts, project_id)

    def status(self) -> VaultStatus:
        """Return facts about the vault: database, schema, counts, sealing keys, root keys, durability."""
        return status.status(self._parts)

    def networks(self) -> tuple[Network, ...]:
        """Return every registered network."""
        return tuple(self._parts.networks)

    def close(self) -> None:
        """Give the database connections back. The vault cannot be used afterwards."""
        self._parts.store.close()

    def __enter__(self) -> Vault:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return "<Vault>"
