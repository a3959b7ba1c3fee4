"""Whose nonces a wallet uses: an account is an address in its canonical form, whatever form its row has.

Earlier versions took the row's own. What they wrote still counts, and is only read: under the canonical form the
primary key of strongroom_nonce arbitrates between concurrent callers, as for every other account.
"""

from __future__ import annotations

from strongroom.errors import NonceConflictError
from strongroom.records.signing import SigningRecord
from strongroom.records.wallets import Wallet
from strongroom.usecases.addresses import account_of, spellings_of
from strongroom.usecases.context import VaultContext
from strongroom.usecases.register import check_nonce

_MOST_REMEMBERED = 4096


class Accounts:
    """The accounts of one vault's wallets. Remembers public facts alone."""

    def __init__(self, context: VaultContext) -> None:
        self._context = context
        self._known: dict[tuple[str, str], str] = {}
        self._has_former: bool | None = None

    def of(self, wallet: Wallet) -> str:
        """The account of a wallet."""
        key = wallet.network, wallet.address
        account = self._known.get(key)
        if account is None:
            account = account_of(self._context, *key)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = account
        return account

    def require_no_other_payload(self, record: SigningRecord, wallet: Wallet, *, replace: bool) -> None:
        """Raise NonceConflictError where another payload was signed under another spelling of the account.

        Whether there are any such rows is asked once: this version writes none.
        """
        scope, project_id, account = record.scope, record.project_id, record.address
        store = self._context.store
        if scope is None or project_id is None or account is None or not store.foreign:
            return
        if self._has_former is None:
            self._has_former = store.signing.has_nonces_of_other_spellings()
        if not self._has_former:
            return
        for spelling in {*spellings_of(account), wallet.address} - {account}:
            found = store.tags.find_nonce(project_id, scope.domain, spelling, scope.sequence)
            if found is None:
                continue
            used, tag = found
            check_nonce(self._context, used, tag, record.wallet_id)
            if used.digest == record.digest:
                continue
            if replace and not scope.may_replace(used.fee):
                raise NonceConflictError(
                    f"The replacement under nonce {scope.sequence} does not pay a higher fee than what it replaces."
                )
            if not replace and store.tags.find_nonce(project_id, scope.domain, account, scope.sequence) is None:
                raise NonceConflictError(
                    f"Another payload was signed under nonce {scope.sequence} on chain {scope.domain}."
                )
