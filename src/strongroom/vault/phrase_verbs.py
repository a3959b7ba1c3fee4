"""The verbs for phrases of a project, and for wallets that take the next index of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from strongroom.records.phrases import (
    CreatedPhrase,
    PhraseAccount,
    PhrasePage,
    PhraseReference,
    ProjectPhrase,
    RevealedPhrase,
    VerifiedPhrase,
)
from strongroom.records.usage_log import Attribution
from strongroom.records.wallets import DEFAULT_LABEL, Created
from strongroom.records.watch_only import AccountXpub, DiscoveredWallets
from strongroom.secret import Secret
from strongroom.usecases import derive, phrase_accounts, phrase_labels, phrase_reading, phrases
from strongroom.usecases.context import VaultContext
from strongroom.usecases.discover import Discovery, discover
from strongroom.usecases.export_xpub import export_xpub
from strongroom.usecases.phrase_source import DeriveRequest


class PhraseVerbs:
    """Phrases that belong to a project: a wallet for each customer, and one thing to back up."""

    _context: VaultContext

    def create_phrase(
        self,
        project_id: UUID | str,
        *,
        words: int = 24,
        label: str = DEFAULT_LABEL,
        idempotency_key: str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        connection: Any | None = None,
    ) -> CreatedPhrase:
        """Create the phrase of (project, label), or return the one that is there. May be repeated indefinitely.

        Args:
            words: 12, 15, 18, 21 or 24 words of English BIP-39.
            label: ``[a-z0-9._-]{1,64}``; tells the phrases of one project apart.

        The other arguments are those of ``create_wallet``. ``reveal_phrase`` shows the words.

        An idempotency key names the phrase that it made, as one of a wallet does: where that was replaced since, it is
        returned as such (``status`` is ``replaced``), and derives no wallet. Without a key, the label's phrase is.

        Raises InvalidRequestError, IdempotencyConflictError, RetryTransactionError (with ``connection`` only),
        StoreError.
        """
        request = phrases.PhraseRequest(project_id, label, words, idempotency_key)
        return phrases.create_phrase(self._context.within(connection), request, Attribution.of(actor, reason))

    def import_phrase(
        self,
        project_id: UUID | str,
        *,
        mnemonic: str | Secret,
        passphrase: str | Secret | None = None,
        label: str = DEFAULT_LABEL,
        idempotency_key: str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        connection: Any | None = None,
    ) -> CreatedPhrase:
        """Take an existing phrase into the project, sealed and proved; the same phrase again changes nothing.

        Wallets take its indices from 0 on: where some of them are in use already, ``advance_phrase`` first.

        Args:
            mnemonic: a BIP-39 phrase in one of the twelve languages, NFC or NFKD.
            passphrase: the phrase's optional BIP-39 passphrase.

        Raises InvalidMnemonicError; PhraseConflictError where another phrase lives under the label, or the project has
        this one under another; and the errors of ``create_phrase``.
        """
        words, extra = Secret.optional(mnemonic), Secret.optional(passphrase)
        mnemonic = passphrase = None  # type: ignore[assignment] # the frames of a traceback keep no plaintext of ours
        request = phrases.PhraseRequest(
            project_id, label, 0, idempotency_key, Secret(b"") if words is None else words, extra
        )
        return phrases.create_phrase(self._context.within(connection), request, Attribution.of(actor, reason))

    def find_phrase(
        self, project_id: UUID | str, label: str = DEFAULT_LABEL, *, connection: Any | None = None
    ) -> ProjectPhrase | None:
        """Return the phrase that wallets are derived from under a label, or None. Creates nothing.

        Raises InvalidRequestError, IdentityMismatchError, StoreError.
        """
        return phrase_reading.find_phrase(self._context.within(connection), project_id, label)

    def get_phrase(self, project_id: UUID | str, phrase: PhraseReference = DEFAULT_LABEL) -> ProjectPhrase:
        """Return a phrase of a project by its label or its id; a replaced one by its id.

        Raises PhraseNotFoundError, InvalidRequestError, IdentityMismatchError, StoreError.
        """
        return phrase_reading.get_phrase(self._context, project_id, phrase)

    def list_accounts(
        self, project_id: UUID | str, phrase: PhraseReference = DEFAULT_LABEL
    ) -> tuple[PhraseAccount, ...]:
        """Return how far the indices of a phrase are taken, for each network, variant and path, and what has left each.

        Raises PhraseNotFoundError, InvalidRequestError, IdentityMismatchError, StoreError.
        """
        return phrase_accounts.list_accounts(self._context, project_id, phrase)

    def list_phrases(self, project_id: UUID | str, *, limit: int = 100, after: str | None = None) -> PhrasePage:
        """Return one page of a project's phrases, in the order of their making, replaced ones included.

        Raises InvalidLimitError, InvalidCursorError, IdentityMismatchError, StoreError.
        """
        return phrase_reading.list_phrases(self._context, project_id, limit, after)

    def reveal_phrase(
        self, project_id: UUID | str, phrase: PhraseReference = DEFAULT_LABEL, *, actor: UUID | str, reason: str
    ) -> RevealedPhrase:
        """Return the words of a phrase: with them every wallet of it can be spent.

        The phrase is proved, and an event ``phrase-export`` is committed first; if it cannot be written, nothing is
        revealed. Raises PhraseNotFoundError, ProofError, UnknownSealingKeyError, InvalidActorError, StoreError.
        """
        who = Attribution.of(actor, reason, required=True)
        return phrase_reading.reveal_phrase(self._context, project_id, phrase, who)

    def verify_phrases(self, project_id: UUID | str) -> Iterator[VerifiedPhrase]:
        """Prove every phrase of a project: open it, derive its identifier, compare. Streams; changes nothing."""
        return phrase_reading.verify_phrases(self._context, project_id)

    def replace_phrase(
        self,
        project_id: UUID | str,
        phrase: PhraseReference = DEFAULT_LABEL,
        *,
        words: int = 24,
        idempotency_key: str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
    ) -> CreatedPhrase:
        """Let a new phrase take the label of another. The old one stays, can be revealed, and derives no new wallet;
        wallets that were derived from it go on.

        By its label it is no get-or-create: again, it replaces the new phrase. A caller that may repeat the call names
        the phrase by its id, or gives an ``idempotency_key``: the same call again then returns the phrase that the
        first one made, with ``created`` False, whatever became of it since (``status``).

        Raises PhraseNotFoundError, PhraseConflictError where it was replaced already, IdempotencyConflictError,
        InvalidRequestError, StoreError.
        """
        who = Attribution.of(actor, reason)
        return phrases.replace_phrase(self._context, project_id, phrase, words, who, idempotency_key)

    def create_many(
        self,
        project_id: UUID | str,
        network: str,
        labels: Sequence[str] | None = None,
        *,
        count: int | None = None,
        label_prefix: str | None = None,
        phrase: PhraseReference = DEFAULT_LABEL,
        variant: str | None = None,
        account: int | None = None,
        path: str | None = None,
        idempotency_key: str | None = None,
        actor: UUID | str | None = None,
        reason: str | None = None,
        connection: Any | None = None,
    ) -> list[Created]:
        """Create a wallet for each label, each with the next index of a phrase; those that are there are returned.

        Indices of committed wallets are without gaps and without repetition. Batches of a thousand are committed one
        after another: what was made stays where a later one fails, the error's hint says how many, and the same call
        again goes on. A label whose wallet was not derived from the phrase is refused before anything is written.

        Args:
            labels: a label for each wallet; or
            count: how many, labelled ``label_prefix`` and a number from 0.
            phrase: the label of a phrase, its id, or the phrase as a verb returned it.
            variant: the address variant; None is the network's default.
            account: the account of a BIP-44 path, 0 by default; not where the index is the account (Solana).
            path: a path of one's own with ``{index}`` in it, such as ``m/44'/60'/0'/{index}``.
            idempotency_key: with ``count``, in the place of a prefix: labels begin with 32 digits of its SHA-256.

        Returns ``(wallet, created)`` for each label, in their order. Raises InvalidRequestError, PhraseNotFoundError,
        PhraseConflictError where a wallet of a label was not derived from the phrase, VariantConflictError, ProofError,
        RetryTransactionError (with ``connection`` only), StoreError.
        """
        wanted = phrase_labels.labels_of(labels, count, label_prefix, idempotency_key)
        request = DeriveRequest(project_id, network, wanted, variant, phrase, account, path)
        return derive.create_derived(self._context.within(connection), request, Attribution.of(actor, reason))

    def advance_phrase(
        self,
        project_id: UUID | str,
        network: str,
        to: int,
        *,
        phrase: PhraseReference = DEFAULT_LABEL,
        variant: str | None = None,
        account: int | None = None,
        path: str | None = None,
        actor: UUID | str,
        reason: str,
    ) -> PhraseAccount:
        """Let the next wallet take the index ``to`` or a higher one: what is below may be in use elsewhere, such as
        where a database was put back from an older backup. Never goes back. An event says so.

        Raises PhraseNotFoundError, InvalidPathError, InvalidActorError, ProofError, StoreError.
        """
        request = DeriveRequest(project_id, network, (), variant, phrase, account, path)
        return derive.advance_phrase(self._context, request, to, Attribution.of(actor, reason, required=True))

    def export_xpub(
        self,
        project_id: UUID | str,
        network: str,
        *,
        phrase: PhraseReference = DEFAULT_LABEL,
        variant: str | None = None,
        account: int | None = None,
        path: str | None = None,
        give_away_account: bool = False,
        actor: UUID | str,
        reason: str,
    ) -> AccountXpub:
        """Return the extended public key of an account: a shop derives every address from it without a vault.

        It is proved to derive the address of index 0, and an event ``xpub-export`` is committed first. From then on the
        private keys of the account's wallets are not revealed any more, on all networks that share them: xpub and one
        private key together give away every key of the account. ``give_away_account`` says that this is wanted; so it
        does here, where a private key was revealed before, and where the path's last hardened element is above the
        account (``m/44'/60'/{index}``). Other arguments are those of ``create_many``.

        Raises PhraseNotFoundError, XpubNotSupportedError where the index is hardened (Solana), AccountExposedError,
        InvalidRequestError, ProofError, StoreError. BIP-32; SLIP-132; BIP-380.
        """
        request = DeriveRequest(project_id, network, (), variant, phrase, account, path)
        who = Attribution.of(actor, reason, required=True)
        return export_xpub(self._context, request, who, give_away_account=give_away_account)

    def discover(
        self,
        project_id: UUID | str,
        network: str,
        *,
        is_used: Callable[[str], object],
        phrase: PhraseReference = DEFAULT_LABEL,
        variant: str | None = None,
        account: int | None = None,
        path: str | None = None,
        gap: int = 20,
        most: int = 10_000,
        label_prefix: str = "discovered-",
        actor: UUID | str | None = None,
        reason: str | None = None,
    ) -> DiscoveredWallets:
        """Find out which addresses of a phrase that comes from elsewhere are in use, and make their wallets.

        Asks about one address after another, from index 0 on, until ``gap`` of them in a row are not in use (BIP-44,
        "Account discovery"). Then makes wallets for all indices up to the highest that is in use, those between
        them included, and none for indices that wallets took already or that ``advance_phrase`` skipped. May be
        repeated: the same call makes what is missing. Addresses of change have a path of their own (``path=``).

        Args:
            is_used: takes an address and says whether it was ever used. No transaction is open meanwhile; what it
                raises ends the call, and nothing was written.
            gap: how many unused addresses in a row end the search.
            most: how many addresses are asked about at most.
            label_prefix: labels of the wallets are this and their index.

        The other arguments are those of ``create_many``.

        Raises DiscoveryLimitError where addresses are in use up to the last one that may be asked about (nothing was
        written), PhraseNotFoundError, PhraseConflictError where a label is another wallet's, InvalidLimitError,
        InvalidRequestError, ProofError, ContentionError, StoreError.
        """
        request = DeriveRequest(project_id, network, (), variant, phrase, account, path)
        wanted = Discovery(is_used, gap, most, label_prefix)
        return discover(self._context, request, wanted, Attribution.of(actor, reason))
