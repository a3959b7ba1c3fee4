"""Granting signatures.

What makes it safe under two concurrent callers: the log row is written by the statement that reads the wallet, so that
a wallet which was revoked before it signs nothing (on Citus by a transaction that keeps its row from being changed);
the primary key of strongroom_nonce lets one payload of an account have a nonce, and a replacement is a compare-and-set
on the digest that it replaces.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from strongroom.records.signing import PriorUse, SigningDecision, SigningRecord
from strongroom.records.stored_wallets import StoredWallet
from strongroom.records.vault_texts import PLACEHOLDERS
from strongroom.records.wallets import REPLACED, REVOKED, STATUS
from strongroom.store.connection.session import Row, Session
from strongroom.store.context import StoreContext, retry_after_schema_change
from strongroom.store.statements.register_rows import tag_of, uuid_of
from strongroom.store.statements.usage_log import log_values

_MOST_ON_NODES = 32
"""Signatures that are asked for at once on Citus."""
_SIGNING_LEVELS = frozenset({"project_admin", "project_member"})


class _NotGrantedError(Exception):
    """The wallet may not sign any more: what its nonce was changed to is undone."""

    def __init__(self, grant: SigningDecision) -> None:
        super().__init__()
        self.grant = grant


class SqlSigningStore:
    """Grants signatures by the statement that logs them; see ports.wallet_stores.SigningStore."""

    def __init__(self, context: StoreContext) -> None:
        self.context = context

    @property
    def writers(self) -> int:
        """One on SQLite. On PostgreSQL two: a third makes groups smaller, and each signature dearer. On Citus, where
        each signature is a transaction on its project's node, as many as there may be connections for."""
        if self.context.profile.distributed:
            return _MOST_ON_NODES
        return 2 if self.context.sql.writes_in_one else 1

    @retry_after_schema_change
    def authorize(self, records: Sequence[SigningRecord], now: datetime) -> list[SigningDecision]:
        """One statement for all of them on PostgreSQL; on SQLite one IMMEDIATE transaction; on Citus one for each."""
        if self.context.writes_in_one:
            sql, parameters = self._statement(records, now)
            return self._decisions(self.context.write_statement(sql, parameters), records)
        if self.context.profile.distributed:
            return [self.context.transact(partial(self._one, record=record, now=now)) for record in records]
        return self.context.transact(lambda session: [self._one(session, record, now) for record in records])

    @retry_after_schema_change
    def authorize_replacement(self, record: SigningRecord, old_digest: str, now: datetime) -> SigningDecision:
        """The compare-and-set of the nonce and the grant, in one transaction; without a grant nothing is changed."""
        parameters = {**_parameters(record, now), "project_id": record.project_id, "old_digest": old_digest}

        def unit(session: Session) -> SigningDecision:
            if (
                not session.change(self.context.sql.signing.replace_nonce, parameters)
                and self.context.sql.untagged_nonces
            ):
                session.change(self.context.sql.signing.use_nonce, {**parameters, "project_id": record.project_id})
            if self.context.writes_in_one:
                grant = self._decisions(session.fetch(*self._statement([record], now)), [record])[0]
            else:
                grant = self._one(session, record, now)
            if not grant.logged:
                raise _NotGrantedError(grant)
            return grant

        try:
            return self.context.transact(unit)
        except _NotGrantedError as refused:
            return refused.grant

    def has_nonces_of_other_spellings(self) -> bool:
        """Whether a nonce was used by an address in small letters or capitals alone."""
        return bool(self.context.read(self.context.sql.signing.any_nonce_of_other_spelling, {})[0][0])

    def _statement(self, records: Sequence[SigningRecord], now: datetime) -> tuple[str, dict[str, Any]]:
        several, nonces = len(records) > 1, any(record.scope is not None for record in records)
        parameters = _arrays(records, now) if several else _parameters(records[0], now)
        return self.context.sql.signing.authorize(several=several, nonces=nonces), parameters

    def _one(self, session: Session, record: SigningRecord, now: datetime) -> SigningDecision:
        """The same in single statements: the transaction holds SQLite's lock, or the nonce's key arbitrates."""
        parameters = _parameters(record, now)
        if self.context.profile.distributed:
            stored = self._shared(session, parameters)
        else:
            stored = self._found(session.fetch(self.context.sql.wallets.get_in_project, parameters))
        if stored is None:
            return SigningDecision(logged=False)
        parameters["project_id"] = stored.wallet.project_id
        state, level = _state(stored), stored.wallet.access_level in _SIGNING_LEVELS
        allowed = _may_sign(stored) or (_is_whole(stored) and state == REPLACED and record.allow_retired)
        prior_use = self._prior_use(session, parameters) if allowed and record.scope is not None else None
        passes = allowed and (prior_use is None or prior_use.digest == record.digest)
        if passes:
            unused = record.scope is not None and prior_use is None
            if unused and not session.change(self.context.sql.signing.use_nonce, parameters):
                return SigningDecision(logged=False, stored=stored, state=state, access_allowed=level)  # used meanwhile
            session.write(self.context.sql.log.insert_log, parameters)
        return SigningDecision(passes, stored, state, level, prior_use)

    def _decisions(self, found: Sequence[Row], records: Sequence[SigningRecord]) -> list[SigningDecision]:
        """One for each record; the statement for one record returns no row where its wallet is not there."""
        return [self._decision(row) for row in found] or [SigningDecision(logged=False)] * len(records)

    def _decision(self, row: Row) -> SigningDecision:
        wallet, (state, access_allowed, logged, digest, fee, credential_id, kid, tag, _) = row[:-9], row[-9:]
        if wallet[0] is None:
            return SigningDecision(logged=False)
        prior_use = None if digest is None else _prior_use((digest, fee, credential_id, kid, tag))
        return SigningDecision(bool(logged), self.context.stored(wallet), state, bool(access_allowed), prior_use)

    def _shared(self, session: Session, parameters: dict[str, Any]) -> StoredWallet | None:
        """A wallet whose row nobody changes until the transaction ends.

        Who waited for that row has it as it is now, and the rest of the wallet as it was before: where it cannot sign,
        all of it is read once more.
        """
        stored = self._found(session.fetch(self.context.sql.lifecycle.share_wallet, parameters))
        if stored is None or (_may_sign(stored) and stored.sealed_text not in PLACEHOLDERS):
            return stored
        return self._found(session.fetch(self.context.sql.wallets.get_in_project, parameters))

    def _found(self, rows: Sequence[Row]) -> StoredWallet | None:
        return self.context.stored(rows[0]) if rows else None

    def _prior_use(self, session: Session, parameters: dict[str, Any]) -> PriorUse | None:
        found = session.fetch(self.context.sql.signing.find_nonce, parameters)
        if not found and self.context.sql.untagged_nonces:
            found = session.fetch(self.context.sql.signing.find_untagged_nonce, parameters)
        return _prior_use(found[0]) if found else None


def _is_whole(stored: StoredWallet) -> bool:
    return stored.sealed_text is not None and stored.wallet.access_level in _SIGNING_LEVELS


def _may_sign(stored: StoredWallet) -> bool:
    return _is_whole(stored) and _state(stored) == "live"


def _state(stored: StoredWallet) -> str:
    """The state of a wallet: what its row or the register says, whichever lets less be signed."""
    status, registered = stored.wallet.status, stored.registered
    states = {status, registered.record.status if registered is not None else status}
    for state in (REVOKED, REPLACED):
        if state in states:
            return state
    return "live" if states == {STATUS} else "unknown"


def _prior_use(row: Sequence[Any]) -> PriorUse:
    digest, fee, credential_id, kid, tag = row
    return PriorUse(str(digest), str(fee), uuid_of(credential_id), tag_of(kid, tag))


def _parameters(record: SigningRecord, now: datetime) -> dict[str, Any]:
    scope, tag = record.scope, record.scope_tag
    return {
        "id": record.wallet_id,
        "project_id": record.project_id,
        **log_values(record.log, now),
        "chain_id": None if scope is None else scope.domain,
        "nonce": None if scope is None else scope.sequence,
        "digest": record.digest,
        "fee": None if scope is None else scope.terms,
        "address": record.address,
        "tag_kid": None if tag is None else tag.kid,
        "nonce_tag": None if tag is None else tag.value,
        "allow_retired": record.allow_retired,
    }


def _arrays(records: Sequence[SigningRecord], now: datetime) -> dict[str, Any]:
    each = [_parameters(record, now) for record in records]

    def column(name: str) -> list[Any]:
        return [parameters[name] for parameters in each]

    return {
        "ids": column("id"),
        "projects": column("project_id"),
        "log_ids": column("log_id"),
        "details": column("details"),
        "actors": column("performed_by"),
        "chains": column("chain_id"),
        "nonces": column("nonce"),
        "digests": column("digest"),
        "fees": column("fee"),
        "addresses": column("address"),
        "tag_kids": column("tag_kid"),
        "nonce_tags": column("nonce_tag"),
        "retired": column("allow_retired"),
        "now": now,
    }
