"""The face of strongroom: one short method a verb, nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any
from uuid import UUID

from strongroom.errors import InvalidPathError
from strongroom.host.work_budget import WorkBudget
from strongroom.ports.network import Network
from strongroom.ports.rescue import KeyChoice, TextPasswords
from strongroom.records.history import HistoryPage
from strongroom.records.identifiers import check_project_id
from strongroom.records.key_material import KeptKey, MovedKey, Revealed, RevealedText
from strongroom.records.phrases import PhraseReference, ProjectPhrase
from strongroom.records.results import RewrapResult, VerifyResult
from strongroom.records.status import VaultStatus
from strongroom.records.usage_log import Attribution
from strongroom.records.wallets import DEFAULT_LABEL, Created, CreateResult, Stored, Wallet, WalletPage
from strongroom.secret import Secret
from strongroom.usecases import (
    create,
    derive,
    history,
    import_key,
    lifecycle,
    move_key,
    read,
    requests,
    reveal,
    reveal_kept,
    reveal_text,
    rewrap,
    rotate,
    status,
    store_key,
    verify,
)
from strongroom.usecases.context import VaultContext
from strongroom.usecases.phrase_source import DeriveRequest
from strongroom.usecases.read import asked_for, in_project
from strongroom.usecases.sign import Signer
from strongroom.vault.phrase_verbs import PhraseVerbs
from strongroom.vault.record_verbs import RecordVerbs
from strongroom.vault.signing_verbs import SigningVerbs


class Vault(SigningVerbs, RecordVerbs, PhraseVerbs):
    """An open vault: a database, a keyring that its root key has unwrapped, and the table of networks.

    Get one from ``strongroom.open`` or ``strongroom.init``. Safe to use from many threads. A verb that takes a
    wallet id also takes a Wallet; its project id then goes into the statement. Every error is a StrongroomError.
    """

    def __init__(self, context: VaultContext) -> None:
        self._context = context
        self._signer = Signer(context)

    def create_wallet(
        self,
        project_id: UUID | str,
        network: str,
        *,
        label: str = DEFAULT_LABEL,
        variant: str | None = None,
        words: int = 12,
        phrase: PhraseReference | None = None,
        account: int | None = None,
        path: str | None = None,
        idempotency_key: str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        connection: Any | None = None,
    ) -> Created:
        """Create the wallet of (project, network, label), or return the one that is there.

        May be repeated indefinitely: the first call that commits makes the wallet, every other one returns it with
        ``created`` False. No address comes back before its key is committed; with ``connection`` that is the
        caller's commit, and ``wallet.durable`` is False.

        Args:
            project_id: the tenant's UUID.
            network: a registered name, such as ``ethereum``.
            label: ``[a-z0-9._-]{1,64}``.
            variant: the address variant, such as ``taproot``; None is the network's default.
            words: 12, 15, 18, 21 or 24 words of English BIP-39.
            phrase: a phrase of the project (its label, its id, or itself): the wallet takes the next index of it,
                instead of a phrase of its own.
            account, path: with ``phrase``, in which account or at which path with ``{index}``, as in ``create_many``.
            idempotency_key: 1 to 255 printable characters, not beginning with ``strongroom:``; the same key with a
                different request is an error.
            actor: who asks, a UUID or up to 255 characters; goes into the usage log.
            reason: why, up to 1,000 characters; goes into the usage log.
            connection: a connection of the caller, whose transaction carries the write: SQLAlchemy's, or psycopg's own.

        Returns:
            ``(wallet, created)``.

        Raises:
            InvalidRequestError: an argument is wrong; nothing was written.
            IdempotencyConflictError: the key was used for another request; ``fields`` names the differences.
            VariantConflictError: the wallet that is there is of another variant.
            KeyMissingError: the wallet that is there has no key; no new one is made in its place.
            PhraseNotFoundError: the project has no such ``phrase``.
            PhraseConflictError: the wallet that is there was not derived from ``phrase``.
            WalletRevokedError: the wallet that is there was revoked; ``replace_wallet`` makes another one.
            AmbiguousWalletError: in legacy tables, several live wallets could be it.
            AmbiguousAddressError: in legacy tables, an address has a form that several networks have.
            RetryTransactionError: run the caller's transaction again (with ``connection`` only).
            StoreError: the database failed; ``retryable`` says whether to call again, which is always safe.
        """
        if phrase is not None:
            request = DeriveRequest(project_id, network, (label,), variant, phrase, account, path, idempotency_key)
            (made,) = derive.create_derived(self._context.within(connection), request, Attribution.of(actor, reason))
            return made
        if account is not None or path is not None:
            raise InvalidPathError("An account or a path goes with a phrase of the project.", hint="Name its phrase=.")
        return create.create_wallet(
            self._context.within(connection),
            requests.CreateRequest(project_id, network, label, variant, words, idempotency_key),
            Attribution.of(actor, reason),
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
            self._context.within(connection),
            requests.create_requests(project_id, networks, label, words, idempotency_key),
            Attribution.of(actor, reason),
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
        path: str | Sequence[str] | None = None,
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
            private_key: the key in a text form of the network, of those that ``strongroom networks NAME`` lists: hex
                with or without 0x, WIF, base58 or a JSON array of 64 numbers for Solana, seeds, words; or
            mnemonic: a BIP-39 phrase in one of the twelve languages, NFC or NFKD; or
            keystore: what keystore_password opens: Web3 Secret Storage, version 3 (EVM); edesk, spesk (Tezos).
            passphrase: the phrase's optional BIP-39 passphrase.
            path: the derivation path, if not the default of the network's variant; several are candidates, of which
                the address chooses.
            address: if given, the derived address must equal it. A phrase without a path is then tried wherever
                wallets of the network keep their keys, and the scheme that derives the address is taken.

        The other arguments are those of ``create_wallet``.

        Raises:
            InvalidMnemonicError, InvalidPrivateKeyError, InvalidPathError, InvalidKeystoreError,
            KeystorePasswordError: what was given cannot be read.
            AddressMismatchError: the key derives another address than the given one; nothing was written.
            KeyConflictError: another key lives under this label; it was not touched.
            IdempotencyConflictError, RetryTransactionError, StoreError: as for ``create_wallet``.
        """
        imported_key = import_key.ImportedKey(
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
        request = requests.CreateRequest(project_id, network, label, variant, 0, idempotency_key)
        return import_key.import_wallet(
            self._context.within(connection), request, imported_key, Attribution.of(actor, reason)
        )

    def get_wallet(
        self,
        wallet: UUID | str | Wallet,
        *,
        project_id: UUID | str | None = None,
        connection: Any | None = None,
    ) -> Wallet:
        """Return a wallet by its id. Raises WalletNotFoundError, InvalidWalletIdError, StoreError.

        With ``project_id``, here and in every verb that takes a wallet, a wallet of another project is not found; a
        sharded database is then asked on one node, and without it on each.

        With ``connection``, here and in the other reads, what the caller's transaction sees: its own rows, too, and
        so the wallet is not ``durable``. The errors are then those of ``create_wallet`` with one.
        """
        return read.get_wallet(self._context.within(connection), in_project(wallet, project_id))

    def find_wallet(
        self,
        project_id: UUID | str,
        network: str,
        label: str = DEFAULT_LABEL,
        *,
        connection: Any | None = None,
    ) -> Wallet | None:
        """Return the wallet that (project, network, label) names, or None. Creates nothing.

        One that was revoked and has no successor is named still: its ``status`` says so. Raises InvalidRequestError,
        KeyMissingError where the named row is gone, StoreError.
        """
        return read.find_wallet(self._context.within(connection), project_id, network, label)

    def find_by_address(
        self, address: str, *, project_id: UUID | str | None = None, connection: Any | None = None
    ) -> Wallet:
        """Return the wallet with this address, on whatever network it parses.

        Raises InvalidAddressError, WalletNotFoundError, AmbiguousWalletError (lists the ids), StoreError.
        """
        return read.find_by_address(self._context.within(connection), address, project_id)

    def list_wallets(
        self,
        project_id: UUID | str | None = None,
        *,
        network: str | None = None,
        search: str | None = None,
        limit: int = 100,
        after: str | None = None,
        connection: Any | None = None,
    ) -> WalletPage:
        """Return one page of a project's wallets, or of all, in the order of their ids, retired ones included.

        Ids that strongroom chose (UUID version 7) sort by the millisecond of creation; the legacy application chose
        others.

        Args:
            network: only this network's.
            search: only those whose address or label begins so; capitals and small letters are the same.
            limit: 1 to 1,000 wallets.
            after: ``next`` of the page before.

        Raises InvalidLimitError, InvalidCursorError, UnknownNetworkError, StoreError.
        """
        return read.list_wallets(self._context.within(connection), project_id, network, limit, after, search)

    def count_wallets(self, project_id: UUID | str | None = None, *, connection: Any | None = None) -> int:
        """Return how many wallets a project has, or all projects: the total of ``verify``'s progress."""
        return read.count_wallets(self._context.within(connection), project_id)

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
        asked = None if wallet is None else in_project(wallet, project_id)
        return verify.verify(self._context, asked, project_id, phrases)

    def reveal(
        self,
        wallet: UUID | str | Wallet,
        *,
        project_id: UUID | str | None = None,
        actor: UUID | str,
        reason: str,
        give_away_account: bool = False,
    ) -> Revealed:
        """Return the plaintext of a wallet: the one way out.

        The wallet is proved and a row of the usage log (action ``export``) is committed first; if it cannot be
        written, nothing is revealed.

        Where the wallet was derived from a phrase whose account had its xpub exported, the two together give away every
        key of the account: only ``give_away_account`` reveals it then, here and in the other verbs that reveal a key.

        Raises WalletNotFoundError, AccountExposedError, ProofError, UnknownSealingKeyError, InvalidActorError,
        StoreError.
        """
        who, asked = Attribution.of(actor, reason, required=True), in_project(wallet, project_id)
        return reveal.reveal(self._context, asked, who, give_away_account=give_away_account)

    def export_keystore(
        self,
        wallet: UUID | str | Wallet,
        *,
        password: str | Secret,
        project_id: UUID | str | None = None,
        actor: UUID | str,
        reason: str,
        give_away_account: bool = False,
    ) -> str:
        """Return a wallet's key under a password: Web3 Secret Storage, version 3 (EVM); edesk, spesk (Tezos).

        Logged like ``reveal``, before it leaves. Web3 Secret Storage takes about a second and 256 MiB.

        Raises KeystorePasswordError for a password under eight characters, InvalidKeystoreError for a network that
        has no keystores, and the errors of ``reveal``.
        """
        secret = Secret.from_text(password)
        password = secret
        who = Attribution.of(actor, reason, required=True)
        asked = in_project(wallet, project_id)
        return reveal.export_keystore(self._context, asked, secret, who, give_away_account=give_away_account)

    def store_key(
        self,
        wallet: UUID | str | Wallet,
        *,
        private_key: str | Secret | None = None,
        mnemonic: str | Secret | None = None,
        passphrase: str | Secret | None = None,
        path: str | Sequence[str] | None = None,
        variant: str | None = None,
        archive_current: bool = False,
        project_id: UUID | str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
    ) -> Stored:
        """Complete a credential whose vault record is missing or a placeholder; replaces no key.

        Where the wallet's rows are gone, too, they are made anew, as its authenticated record says them. The same key
        again changes nothing. Arguments are those of ``import_wallet``, and
        ``archive_current``: where the legacy application's text is stored, keep that in the history, and put the key in
        its place, by a compare-and-set on the exact text. A key in plaintext is kept sealed only.

        Returns:
            ``(wallet, stored)``: whether this call stored the key.

        Raises:
            AddressMismatchError: the key does not derive the stored address; nothing was changed.
            KeyConflictError: another key, or the legacy application's text, is there; or nothing proves the wallet, and
                the key is, or may be, another project's; nothing was changed.
            WalletNotFoundError, InvalidRequestError, CheckRefusesError, TriggerConflictError, StoreError.
        """
        imported_key = import_key.ImportedKey(
            private_key=Secret.optional(private_key),
            mnemonic=Secret.optional(mnemonic),
            passphrase=Secret.optional(passphrase),
            path=path,
            address=None,
        )
        private_key = mnemonic = passphrase = None  # the frames of a traceback keep no plaintext of ours
        who = Attribution.of(actor, reason)
        asked = in_project(wallet, project_id)
        return store_key.store_key(self._context, asked, imported_key, variant, who, archive_current=archive_current)

    def replace_wallet(
        self,
        wallet: UUID | str | Wallet,
        *,
        words: int = 12,
        idempotency_key: str | None = None,
        path: str | None = None,
        project_id: UUID | str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
    ) -> Created:
        """Make a new wallet in the place of this one and retire it; the retired one stays openable.

        A compare-and-set on the slot: of many callers one makes the successor, and every retry for the same wallet
        returns it with ``created`` False. A revoked wallet may be replaced, too. A wallet of a phrase is followed by
        the next index of the account that it is in.

        Args:
            path: the account of a phrase's wallet by the template of its path, such as ``m/44'/60'/{index}'/0/0``;
                needed only where the wallet's path fits several accounts and its sealed text does not say which.

        Raises SlotMovedError where another wallet is the live one, IdempotencyConflictError, WalletNotFoundError,
        PhraseConflictError where the account is not certain, InvalidPathError, StoreError.
        """
        asked, who = in_project(wallet, project_id), Attribution.of(actor, reason)
        return lifecycle.replace_wallet(self._context, asked, words, idempotency_key, who, path)

    def revoke_wallet(
        self,
        wallet: UUID | str | Wallet,
        *,
        project_id: UUID | str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
    ) -> Wallet:
        """Retire a wallet without a successor: ``create_wallet`` raises WalletRevokedError from then on.

        Deletes nothing; the key stays openable. Again changes nothing. Raises WalletNotFoundError, StoreError.
        """
        return lifecycle.revoke_wallet(self._context, in_project(wallet, project_id), Attribution.of(actor, reason))

    def history(
        self,
        wallet: UUID | str | Wallet | ProjectPhrase,
        *,
        limit: int = 100,
        after: str | None = None,
        project_id: UUID | str | None = None,
        connection: Any | None = None,
    ) -> HistoryPage:
        """Return one page of what was kept of a wallet or a phrase, oldest first, also where its rows are gone.

        Texts are sealed, or the legacy application's (``form``); none is opened.

        Args:
            wallet: its id, or the wallet; or a phrase of a project, or its id.
            limit: 1 to 1,000 texts.
            after: ``next`` of the page before.

        Raises InvalidLimitError, InvalidCursorError, SealedTextCorruptError, StoreError.
        """
        if isinstance(wallet, ProjectPhrase):
            project_id = wallet.project_id if project_id is None else project_id
            wallet = wallet.id
        return history.history(self._context.within(connection), in_project(wallet, project_id), limit, after)

    def restore(
        self,
        wallet: UUID | str | Wallet,
        *,
        archive_current: bool = False,
        entry: UUID | str | None = None,
        project_id: UUID | str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
    ) -> Stored:
        """Put the newest kept text that proves back; make the wallet's rows anew where they are gone.

        Rows are made from the wallet's record in the register, where a sealed text proves them: a retired wallet comes
        back retired, and so does one whose slot names another wallet by now. Where nothing is kept, and the phrase that
        the record names derives the key, it is derived again and sealed.

        Args:
            archive_current: where another text is stored, keep it in the history, and put the key back in its place, by
                a compare-and-set on the exact text. A key in plaintext is kept sealed only, under the address it
                derives.
            entry: the id of the one entry of the wallet's history to restore from; else the newest that proves.

        Raises KeyConflictError where another text is stored and ``archive_current`` is not set, KeyMissingError where
        no kept text opens and derives the stored address, or more is kept than is read, WalletNotFoundError where the
        register has no record of rows that are gone (``reveal_kept`` gives the key out), StoreRefusedError where a row
        of the application's is gone.
        """
        who = Attribution.of(actor, reason)
        asked = in_project(wallet, project_id)
        return history.restore(self._context, asked, who, archive_current=archive_current, entry=entry)

    def reveal_kept(
        self,
        text_id: UUID | str,
        *,
        network: str = "",
        variant: str | None = None,
        path: str | None = None,
        legacy_password: str | Secret | None = None,
        keystore_password: str | Secret | None = None,
        wallet: UUID | str | Wallet | None = None,
        project_id: UUID | str | None = None,
        actor: UUID | str,
        reason: str,
        give_away_account: bool = False,
    ) -> KeptKey:
        """Return the key in one kept text: an entry of the history, or a vault record, by its own id.

        ``entry:ID`` and ``record:ID`` name one of the two, where somebody gave both the same id;
        ``metadata:WALLET``, or ``metadata:WALLET/MEMBER``, a text in the metadata of a credential.

        For keys whose wallet is gone or is another one. Logged like ``reveal``, before the key leaves; as an event
        where there is no wallet. A sealed text is opened as what its header says, which its opening authenticates.

        Args:
            network: the network of a key in plaintext, where its row names none.
            variant, path: which key of a phrase, where the stored address does not come out of it.
            legacy_password: opens a PBKDF2 envelope.
            keystore_password: opens a keystore.
            wallet: the wallet that the text is of, where a sealed one is stored under another wallet, or its row says
                another project than the wallet is of: it opens as that wallet's alone, and is logged there.
            project_id: the project that the key has to be of.
            give_away_account: as in ``reveal``, for the key of a wallet that was derived from a phrase.

        Whose the key is that comes back is said by the wallet's record, its sealed text or its slot, where there is
        one; by the row only where nothing else says it.

        Raises WalletNotFoundError where there is no such text, or it is not that wallet's or project's, KeyMissingError
        where no key was read from it, IdentityMismatchError where it is another project's or wallet's than its row
        says, AccountExposedError, SealedTextCorruptError, UnknownSealingKeyError, InvalidActorError, InvalidPathError,
        StoreError.
        """
        passwords = TextPasswords(Secret.optional(legacy_password), Secret.optional(keystore_password), WorkBudget())
        legacy_password = keystore_password = None
        who = Attribution.of(actor, reason, required=True)
        within = None if project_id is None else check_project_id(project_id)
        of = (None if wallet is None else asked_for(wallet)[0], within)
        choice = KeyChoice(variant, path)
        return reveal_kept.reveal_kept(
            self._context, text_id, network, choice, who, passwords, of, give_away_account=give_away_account
        )

    def reveal_kept_text(
        self,
        text_id: UUID | str,
        *,
        legacy_password: str | Secret | None = None,
        wallet: UUID | str | Wallet | None = None,
        project_id: UUID | str | None = None,
        actor: UUID | str,
        reason: str,
    ) -> RevealedText:
        """Return one kept text as it is: what no key is read from, or what holds more than one.

        Args:
            text_id: an entry of the history or a vault record; also ``metadata:WALLET``, as in ``reveal_kept``.
            legacy_password: opens a PBKDF2 envelope, all of whose content comes back, unless a key in it is that of
                another project's wallet.
            wallet, project_id: the wallet and the project that the text has to be of, as in ``reveal_kept``.

        Logged like ``reveal_kept``, before the text leaves. A text that was archived sealed is opened; of one that
        holds a wallet's sealed key the ciphertext comes back. A long one is several entries: ``part`` of ``parts``.

        Raises WalletNotFoundError where there is no such text, or it is not that wallet's or project's,
        KeyMissingError where it is empty or longer than any key, KeyConflictError where whose a phrase is cannot be
        told, IdentityMismatchError, SealedTextCorruptError, UnknownSealingKeyError, InvalidActorError, StoreError.
        """
        passwords, legacy_password = TextPasswords(Secret.optional(legacy_password)), None
        who = Attribution.of(actor, reason, required=True)
        within = None if project_id is None else check_project_id(project_id)
        of = (None if wallet is None else asked_for(wallet)[0], within)
        return reveal_text.reveal_text(self._context, text_id, who, passwords, of)

    def move_key(
        self,
        wallet: UUID | str | Wallet,
        *,
        to: str,
        label: str | None = None,
        network: str | None = None,
        variant: str | None = None,
        path: str | None = None,
        legacy_password: str | Secret | None = None,
        keystore_password: str | Secret | None = None,
        project_id: UUID | str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
    ) -> MovedKey:
        """Take a key out of a wallet's rows that derives another address than the wallet's: one transaction.

        The key is sealed under the address that it derives and kept in the history; its vault record gets a
        placeholder, its member of the metadata goes. With ``to="wallet"`` it is also a new wallet of the same project.

        Args:
            to: ``history`` or ``wallet``.
            label: the new wallet's label.
            network, variant: where the stored address does not tell on which network the key is to be derived.
            path: where it does not tell at which path the key of a phrase is.

        Raises InvalidPathError, KeyMissingError where no such key is stored, KeyConflictError where the label is taken,
        or the key is that of another project's wallet, AmbiguousWalletError where one wallet is to be made of several
        keys; nothing was changed.
        """
        passwords = TextPasswords(Secret.optional(legacy_password), Secret.optional(keystore_password), WorkBudget())
        legacy_password = keystore_password = None
        move = move_key.Move(to, label, network, KeyChoice(variant, path))
        asked = in_project(wallet, project_id)
        return move_key.move_key(self._context, asked, move, Attribution.of(actor, reason), passwords)

    def rotate_sealing_key(self, *, actor: UUID | str | None = None, reason: str | None = None) -> str:
        """Make a new sealing key, wrapped by every root key, and seal with it from now on. Returns its kid.

        Old sealing keys go on opening; ``rewrap`` moves the rows. Every registered root key must be at hand.

        Raises RootKeyError where one is not (nothing was changed), ConflictError where another process changed the
        keyring meanwhile, StoreError.
        """
        return rotate.rotate(self._context, Attribution.of(actor, reason))

    def rewrap(self, *, project_id: UUID | str | None = None) -> Iterator[RewrapResult]:
        """Re-encrypt every text that an older sealing key sealed, alongside traffic; the wallets' own keys stay.

        Each row is opened and proved, sealed anew and proved again, and written by a compare-and-set; the old text
        goes into the history. Streams a result a row; stop it and call again: it goes on where it was. A sealing
        key that no row names any more is marked retired at the end; a run of one project, which reads that project's
        rows alone, retires none.
        """
        return rewrap.rewrap(self._context, project_id)

    def add_root_key(self, uri: str, *, actor: UUID | str | None = None, reason: str | None = None) -> None:
        """Wrap every sealing key under one more root key, and prove each wrap before it counts.

        Raises RootKeyExistsError where the keyring has wraps of that URI, RootKeyError where the root key cannot be
        used; nothing was changed then.
        """
        rotate.add_root_key(self._context, uri, Attribution.of(actor, reason))

    def check_root_key(self, uri: str) -> None:
        """Unwrap every sealing key with the root key of a URI. Raises RootKeyError where it does not open all."""
        rotate.check_root_key(self._context, uri)

    def remove_root_key(self, uri: str, *, actor: UUID | str | None = None, reason: str | None = None) -> None:
        """Remove a root key's wraps from the keyring, after another root key was proved to open all of it.

        Raises LastRootKeyError where none was; nothing was changed then.
        """
        rotate.remove_root_key(self._context, uri, Attribution.of(actor, reason))

    def count_pending_rewraps(self, project_id: UUID | str | None = None) -> int:
        """Return how many rows ``rewrap`` looks at: the total of its progress; of a project, all of its wallets."""
        return rewrap.count(self._context, project_id)

    def status(self) -> VaultStatus:
        """Return facts about the vault: database, schema, counts, sealing keys, root keys, durability."""
        return status.status(self._context)

    def networks(self) -> tuple[Network, ...]:
        """Return every registered network, in the order of the table."""
        return tuple(self._context.networks)

    def close(self) -> None:
        """Give the database connections back and forget every key: sealing keys, what was derived, the root key.

        Verbs raise VaultClosedError afterwards, also those that other threads are in the middle of, unless they come to
        their end. Closing twice is harmless. Python cannot wipe memory: what was dropped is free to be overwritten.
        """
        self._context.close()

    def __enter__(self) -> Vault:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return "<Vault>"
