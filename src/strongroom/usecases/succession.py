"""What takes the place of a wallet that was derived from a phrase: the next index of the account that it is in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from strongroom.errors import (
    InvalidPathError,
    PhraseConflictError,
    PhraseNotFoundError,
    ProofError,
    UnknownSealingKeyError,
)
from strongroom.ports.network import Network
from strongroom.ports.wallet_stores import DerivedSuccessor
from strongroom.records.key_material import KeyMaterial
from strongroom.records.phrases import ACTIVE, AccountRecord, StoredPhrase, TaggedAccount
from strongroom.records.register import IdempotencyRecord
from strongroom.records.stored_wallets import NewWallet, StoredWallet
from strongroom.records.tag import Tag
from strongroom.records.wallets import Wallet
from strongroom.usecases.context import VaultContext
from strongroom.usecases.phrase_accounts import (
    check_account,
    check_held,
    check_taken,
    key_of,
    path_at,
    tagged,
    template_holding,
    template_of,
    templates_at,
)
from strongroom.usecases.phrase_reading import prove_phrase_row, stored_phrase
from strongroom.usecases.phrase_source import check_phrase
from strongroom.usecases.proof import prove
from strongroom.usecases.tagging import variant_of


class Succession:
    """What takes a derived wallet's place: the next index of its account, in the phrase that has the label now."""

    def __init__(self, context: VaultContext, old: StoredWallet, path: str | None = None) -> None:
        """Find and open the phrase, and find the wallet's account; ``path`` is its template, where a caller names it.

        Raises PhraseNotFoundError, PhraseConflictError where it is not certain which account it is, InvalidPathError,
        ProofError.
        """
        self._context = context
        wallet = old.wallet
        self._network = context.networks.get(wallet.network)
        self._scheme = wallet.scheme or self._network.scheme(None)
        stored = _usable(context, wallet)
        self._stored, self._phrase = stored, prove_phrase_row(context, stored)
        variant = variant_of(context, wallet.network, self._scheme) or self._network.variants[0]
        template = _AccountOf(context, old, self._network, self._scheme, variant).template(path)
        self._first = AccountRecord(
            stored.record.project_id, stored.record.phrase_id, wallet.network, variant, template, 0, 1
        )

    def successor(
        self,
        wallet_id: UUID,
        key: tuple[IdempotencyRecord, Tag] | None,
        now: datetime,
        seal: Callable[[KeyMaterial], NewWallet],
    ) -> DerivedSuccessor:
        """The wallet that ``seal`` makes of the key at the next index; the account's lock decides which one that is.

        Its write raises PhraseChangedError where the phrase was replaced meanwhile.
        """
        context, first = self._context, self._first

        def make(account: TaggedAccount, index: int) -> tuple[NewWallet, TaggedAccount]:
            check_account(context, account)
            record = account.record
            material = key_of(self._network, self._phrase, self._scheme, first, index)
            return seal(material), tagged(context, record._replace(next_index=index + 1, version=record.version + 1))

        kid = context.keyring.active_kid
        return DerivedSuccessor(
            wallet_id,
            tagged(context, first),
            key,
            kid,
            now,
            partial(path_at, first),
            partial(check_taken, context),
            partial(check_phrase, self._stored),
            partial(check_held, context),
            make,
        )


def _usable(context: VaultContext, old: Wallet) -> StoredPhrase:
    """The phrase of a wallet, or the one that took its label."""
    if old.phrase_id is None:
        raise PhraseNotFoundError(f"The wallet {old.id} was not derived from a phrase of its project.")
    before = stored_phrase(context, old.project_id, old.phrase_id)
    return before if before.record.status == ACTIVE else stored_phrase(context, old.project_id, before.record.label)


class _AccountOf:
    """The account that a derived wallet is in. Its path alone may fit several, above all at index 0."""

    def __init__(self, context: VaultContext, old: StoredWallet, network: Network, scheme: str, variant: str) -> None:
        self._context, self._old, self._wallet = context, old, old.wallet
        self._network, self._scheme, self._variant = network, scheme, variant
        path, index = self._wallet.path, self._wallet.phrase_index
        self._fitting = {} if path is None or index is None else templates_at(path, index)

    def template(self, path: str | None) -> str:
        """Its template: what the wallet's sealed text says, what the caller says, or the one account that fits."""
        said = self._sealed()
        if path is not None:
            return self._named(template_of(self._network, self._scheme, None, path), said)
        if said is not None:
            return said
        known = [template for template in self._fitting.values() if self._has_row(template)]
        if len(known) > 1:
            raise PhraseConflictError(
                f"The wallet {self._wallet.id} at {self._wallet.path} may be in {len(known)} accounts of its phrase, "
                "and its sealed text does not say in which; nothing was changed.",
                hint=f"Name it by its path (path=, --path), one of: {' '.join(known)}.",
            )
        return known[0] if known else self._suggested()

    def _sealed(self) -> str | None:
        """The template that the wallet's sealed text says; None where it does not open, or was sealed without one."""
        try:
            material = prove(self._context, self._old)
        except (ProofError, UnknownSealingKeyError):
            return None
        return None if material.phrase_place is None else self._fitting.get(material.phrase_place)

    def _named(self, template: str, said: str | None) -> str:
        if template not in self._fitting.values():
            raise InvalidPathError(
                f"The wallet {self._wallet.id} is not in the account of that path: it is at {self._wallet.path}.",
                hint=f"With its index for {{index}} the path of its account is the wallet's own. "
                f"{' '.join(self._fitting.values())} would be.",
            )
        if said not in (None, template):
            raise InvalidPathError(f"The wallet {self._wallet.id} was made in the account {said}, not in {template}.")
        return template

    def _has_row(self, template: str) -> bool:
        """Whether the phrase has an account of a template. Raises IdentityMismatchError where its row was changed."""
        wallet = self._wallet
        if wallet.phrase_id is None:
            return False
        named = AccountRecord(wallet.project_id, wallet.phrase_id, wallet.network, self._variant, template, 0, 1)
        found = self._context.store.phrases.account(named)
        if found is not None:
            check_account(self._context, found)
        return found is not None

    def _suggested(self) -> str:
        """The template that the path suggests, which is proved to be the wallet's own: its account's row is gone."""
        if self._wallet.path is None or self._wallet.phrase_index is None:
            return template_of(self._network, self._scheme, None, None)
        return template_holding(self._network, self._scheme, self._wallet.path, self._wallet.phrase_index, frozenset())
