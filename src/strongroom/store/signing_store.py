"""Granting signatures.

What makes it safe under two concurrent callers: the log row is written by the statement that reads the wallet, so that
a wallet which was revoked before it signs nothing; the primary key of strongroom_signed_nonce lets one payload have a
nonce, and a replacement is a compare-and-set on the digest that it replaces.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from strongroom import bounded_json
from strongroom.model import REPLACED, REVOKED
from strongroom.signing import Grant, Wish
from strongroom.store import rows
from strongroom.store.ground import Ground, follows_schema
from strongroom.store.session import Session
from strongroom.store.statements.signing import WALLET_COLUMNS

_SIGNING_LEVELS = frozenset({"project_admin", "project_member"})


class _NotGrantedError(Exception):
    """The wallet may not sign any more: what its nonce was changed to is undone."""

    def __init__(self, grant: Grant) -> None:
        super().__init__()
        self.grant = grant


class SigningStore(Ground):
    """Wallets that sign."""

    @property
    def writers(self) -> int:
        """One on SQLite. On PostgreSQL two: a third makes groups smaller, and each signature dearer."""
        return 2 if self._sql.writes_in_one else 1

    @follows_schema
    def authorize(self, wishes: Sequence[Wish], now: datetime) -> list[Grant]:
        """One statement for all of them on PostgreSQL; on SQLite one IMMEDIATE transaction."""
        if self._sql.writes_in_one:
            sql, parameters = self._statement(wishes, now)
            return _grants(self._database.write_statement(sql, parameters), wishes)
        return self._database.transact(lambda session: [self._one(session, wish, now) for wish in wishes])

    @follows_schema
    def authorize_replacement(self, wish: Wish, old_digest: str, now: datetime) -> Grant:
        """The compare-and-set of the nonce and the grant, in one transaction; without a grant nothing is changed."""
        parameters = {**_parameters(wish, now), "old_digest": old_digest}

        def unit(session: Session) -> Grant:
            session.change(self._sql.replace_nonce, parameters)
            if self._sql.writes_in_one:
                grant = _grants(session.fetch(*self._statement([wish], now)), [wish])[0]
            else:
                grant = self._one(session, wish, now)
            if not grant.logged:
                raise _NotGrantedError(grant)
            return grant

        try:
            return self._database.transact(unit)
        except _NotGrantedError as refused:
            return refused.grant

    def _statement(self, wishes: Sequence[Wish], now: datetime) -> tuple[str, dict[str, Any]]:
        several, nonces = len(wishes) > 1, any(wish.nonce is not None for wish in wishes)
        parameters = _arrays(wishes, now) if several else _parameters(wishes[0], now)
        return self._sql.authorize(several=several, nonces=nonces), parameters

    def _one(self, session: Session, wish: Wish, now: datetime) -> Grant:
        """The same in single statements, where the transaction holds the lock."""
        parameters = _parameters(wish, now)
        found = session.fetch(self._sql.get, parameters)
        if not found:
            return Grant(logged=False)
        stored = rows.stored_wallet(found[0])
        wallet = stored.wallet
        parameters["project_id"] = wallet.project_id
        state = wallet.status if wallet.status in (REVOKED, REPLACED) else "live"
        level = wallet.access_level in _SIGNING_LEVELS
        allowed = (
            stored.sealed_text is not None and level and (state == "live" or (state == REPLACED and wish.retired_too))
        )
        known = session.fetch(self._sql.find_nonce, parameters) if allowed and wish.nonce is not None else []
        before = (str(known[0][0]), _fee(known[0][1])) if known else None
        passes = allowed and (before is None or before[0] == wish.digest)
        if passes:
            if wish.nonce is not None and before is None:
                session.change(self._sql.use_nonce, parameters)
            session.change(self._sql.insert_log, parameters)
        return Grant(passes, stored, state, level, before)


def _grants(found: Sequence[Sequence[Any]], wishes: Sequence[Wish]) -> list[Grant]:
    """One grant a wish; the statement for one wish returns no row where its wallet is not there."""
    return [_grant(row) for row in found] or [Grant(logged=False)] * len(wishes)


def _grant(row: Sequence[Any]) -> Grant:
    wallet, (state, level_allows, logged, digest, fee) = row[:WALLET_COLUMNS], row[WALLET_COLUMNS:]
    if wallet[0] is None:
        return Grant(logged=False)
    known = None if digest is None else (str(digest), _fee(fee))
    return Grant(bool(logged), rows.stored_wallet(wallet), state, bool(level_allows), known)


def _parameters(wish: Wish, now: datetime) -> dict[str, Any]:
    use = wish.nonce
    return {
        "id": wish.wallet_id,
        **rows.log_parameters(wish.log, now),
        "chain_id": None if use is None else str(use.chain_id),
        "nonce": None if use is None else str(use.nonce),
        "digest": wish.digest,
        "fee": None if use is None else json.dumps(use.fee),
        "retired_too": wish.retired_too,
    }


def _arrays(wishes: Sequence[Wish], now: datetime) -> dict[str, Any]:
    each = [_parameters(wish, now) for wish in wishes]

    def column(name: str) -> list[Any]:
        return [parameters[name] for parameters in each]

    return {
        "ids": column("id"),
        "log_ids": column("log_id"),
        "details": column("details"),
        "actors": column("performed_by"),
        "chains": column("chain_id"),
        "nonces": column("nonce"),
        "digests": column("digest"),
        "fees": column("fee"),
        "retired": column("retired_too"),
        "now": now,
    }


def _fee(text: object) -> tuple[int, ...]:
    """What was paid under a nonce; nothing where the row is damaged, so that nothing replaces it."""
    try:
        parts = bounded_json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return ()
    return tuple(parts) if isinstance(parts, list) and all(type(part) is int for part in parts) else ()
