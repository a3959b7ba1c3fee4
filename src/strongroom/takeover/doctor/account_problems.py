"""What the accounts of one phrase show: rows that strongroom did not write, that are gone or behind, or say too much.

Anyone may have written rows, and events, which carry no tag: those that nothing else speaks for are left to people, and
no more of them are kept in memory than a plan may have.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from strongroom.crypto import tags
from strongroom.records.phrases import LARGEST_INDEX, AccountRecord, TaggedAccount
from strongroom.takeover.doctor import commands
from strongroom.takeover.doctor.findings import PHRASE_ACCOUNTS, Finding
from strongroom.takeover.doctor.phrase_problems import LARGEST_VERSION, AccountFix, PhraseProblem, Place
from strongroom.usecases.context import VaultContext
from strongroom.usecases.phrase_accounts import INDEX
from strongroom.usecases.phrase_reading import advanced_to

_TEMPLATE = re.compile(r"m(?:/(?:[0-9]{1,10}|\{index\})'?){1,32}")
_MOST_FORGED = 1_000
"""Rows of one phrase whose tag does not fit that are looked at; of any more the number is told."""
_NEAR = 1_000
"""How many indices after the last wallet's a repair skips where an event alone says so: as many as one call takes."""


class AccountRows(NamedTuple):
    """The rows of a phrase's accounts."""

    genuine: list[TaggedAccount]
    forged: list[TaggedAccount]
    """The first of those whose tag does not fit."""
    more: int
    """How many more there are of those."""
    digest: str
    """Of all rows."""


class AccountProblems:
    """The accounts of one phrase, which are read when something is asked of them."""

    def __init__(self, context: VaultContext, project_id: UUID, phrase_id: UUID) -> None:
        self._context = context
        self._project, self._id = project_id, phrase_id

    @cached_property
    def rows(self) -> AccountRows:
        """Every row, once. Raises StoreError."""
        genuine, forged, more, digest = list[TaggedAccount](), list[TaggedAccount](), 0, blake2b(digest_size=32)
        for each in self._context.store.phrases.accounts(self._project, self._id):
            digest.update(json.dumps([each.record.fields(), each.tag]).encode())
            if tags.fits_record("account", each.record, each.tag, self._context.keyring):
                genuine.append(each)
            elif len(forged) < _MOST_FORGED:
                forged.append(each)
            else:
                more += 1
        return AccountRows(genuine, forged, more, digest.hexdigest())

    @cached_property
    def templates(self) -> dict[tuple[str, str], set[str]]:
        """The templates of the accounts, by network and variant. Raises StoreError."""
        found = defaultdict[tuple[str, str], set[str]](set)
        for each in (*self.rows.genuine, *self.rows.forged):
            found[each.record.network, each.record.variant].add(each.record.template)
        return found

    def problems(self, last: Mapping[Place, int], wallet: str | None, *, is_usable: bool) -> Iterator[PhraseProblem]:
        """Rows that were changed; of a phrase that wallets are derived from also those that are gone, or behind.

        ``last``: the highest index that a wallet has, by account; ``wallet``: one of the phrase's. Raises StoreError.
        """
        there: set[Place] = set()
        for each in self.rows.forged:
            there.add(place := _place_of(each))
            yield self._told("was changed", place, each, last, wallet)
        for each in self.rows.genuine:
            there.add(place := _place_of(each))
            taken, next_index = last.get(place, -1), each.record.next_index
            if is_usable and taken >= next_index:
                yield self._told(f"is behind: a wallet has the index {taken}", place, each, last, wallet)
            elif is_usable and next_index > max(taken + 1, LARGEST_INDEX):
                yield self._told(f"says {next_index}, which no path has", place, each, last, wallet)
        for place in last if is_usable else ():
            if place in there:
                continue
            old = self._context.store.phrases.account(self._first(place)) if self.rows.more else None
            yield self._told("is gone" if old is None else "was changed", place, old, last, wallet)
        if self.rows.more:
            evidence = (
                f"{self.rows.more:,} more rows that count indices of the phrase {self._id} are none that strongroom "
                "wrote: delete those of accounts that no wallet has, as no verb asks for them"
            )
            yield self._by_hand(evidence, wallet)

    def _first(self, place: Place) -> AccountRecord:
        """An account as it begins."""
        return AccountRecord(self._project, self._id, *place, 0, 1)

    def _told(
        self, what: str, place: Place, old: TaggedAccount | None, last: Mapping[Place, int], wallet: str | None
    ) -> PhraseProblem:
        network, _, template = place
        if not self._could_be_account(network, template):
            return self._by_hand(
                f"a row that counts indices of the phrase {self._id} names no network or no path: put it back from a "
                "backup, or delete it, as no verb asks for it",
                wallet,
            )
        evidence = f"the row that counts the indices of the phrase {self._id} on {network} {template} {what}"
        if self._advanced is None:
            return self._by_hand(
                f"{evidence}; more events say how far it was let go on than are read: put the row back from a backup, "
                "or delete it and let the account go on to a number that is safely above (`strongroom phrase advance`)",
                wallet,
            )
        after, said = last.get(place, -1) + 1, self._advanced.get((network, template), 0)
        if after == said == 0:
            return self._by_hand(
                f"{evidence}; no wallet has an index of it, and no event says that it was let go on: put it back from "
                "a backup, or delete it: the account then begins anew",
                wallet,
            )
        index = max(after, said)
        evidence, automatic = f"{evidence}; next is {index}", after > 0 and said - after <= _NEAR
        if not automatic:
            gone = "leave it as it is" if old is None else "delete it"
            evidence = (
                f"{evidence}, as an event alone says, which anyone may have written: choose it in a plan where "
                "somebody let the account go on (`strongroom phrase advance`); "
                f"else {gone}, and the next wallet takes {after}"
            )
        known = old is not None and 0 < old.record.version <= LARGEST_VERSION
        version = old.record.version + 1 if old is not None and known else 1
        finding = Finding(
            "phrase-account-wrong",
            PHRASE_ACCOUNTS,
            str(self._id),
            wallet,
            evidence,
            "fill" if old is None else "relabel",
            automatic=automatic,
            source=str(self._project),
            named_command=commands.PLAN,
        )
        new = self._first(place)._replace(next_index=index, version=version)
        return PhraseProblem(finding, AccountFix(old, new), place)

    @cached_property
    def _advanced(self) -> dict[tuple[str, str], int] | None:
        """How far somebody let accounts go on, read once however many rows there are; None where it is not told."""
        return advanced_to(self._context, self._id)

    def _could_be_account(self, network: str, template: str) -> bool:
        """Whether a row that nothing authenticates names a network and a path of one: else it may say anything."""
        known = network in self._context.networks
        return known and template.count(INDEX) == 1 and _TEMPLATE.fullmatch(template) is not None

    def _by_hand(self, evidence: str, wallet: str | None) -> PhraseProblem:
        place = PHRASE_ACCOUNTS, str(self._id), wallet
        finding = Finding("phrase-account-wrong", *place, evidence, "ask", source=str(self._project), by_hand=True)
        return PhraseProblem(finding)


def _place_of(account: TaggedAccount) -> Place:
    return account.record.network, account.record.variant, account.record.template
