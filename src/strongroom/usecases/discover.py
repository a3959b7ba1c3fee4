"""Addresses of a phrase that are in use elsewhere, and wallets for them. BIP-44, "Account discovery".

The caller says of one address after another whether it is in use, until a number of them in a row is not; no
transaction is open meanwhile. Then wallets are made for all indices up to the highest that is in use, unused ones
between them included: indices stay without gaps.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from strongroom.errors import (
    ContentionError,
    DiscoveryLimitError,
    InvalidLimitError,
    InvalidRequestError,
    PhraseConflictError,
)
from strongroom.records import identifiers
from strongroom.records.usage_log import Attribution
from strongroom.records.wallets import Created
from strongroom.records.watch_only import DiscoveredWallets
from strongroom.usecases.context import VaultContext
from strongroom.usecases.derive import LARGEST_BATCH, IndexMovedError, create_at
from strongroom.usecases.phrase_accounts import check_account, check_taken, key_of, tagged
from strongroom.usecases.phrase_source import (
    DeriveRequest,
    PhraseChangedError,
    PhraseSource,
    open_source,
    validate_derive,
)
from strongroom.usecases.requests import ValidatedRequest

_MOST = 1_000_000
_ATTEMPTS = 1_000
"""How often others may take an index first: each time the account goes on, so that it comes to an end."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What is looked for, as passed."""

    is_used: Callable[[str], object]
    """Whether an address is in use; called with no transaction open."""
    gap: int
    most: int
    label_prefix: str


def discover(context: VaultContext, request: DeriveRequest, wanted: Discovery, actor: Attribution) -> DiscoveredWallets:
    """Ask which addresses of a phrase are in use, and make their wallets; see Vault.discover."""
    _check(wanted)
    checked = validate_derive(context, request, f"{wanted.label_prefix}{wanted.most - 1}")
    source = context.store.run_key_work(partial(open_source, context, request, checked))
    used, asked = _used(source, wanted)
    pinned = replace(request, phrase=source.account.phrase_id)  # where it is replaced meanwhile, no other one
    made, next_index = _make(context, (pinned, checked), wanted, used[-1] + 1 if used else 0, actor)
    return DiscoveredWallets(tuple(used), asked, next_index, tuple(made))


def _check(wanted: Discovery) -> None:
    for name, number, highest in (("most", wanted.most, _MOST), ("gap", wanted.gap, wanted.most)):
        if type(number) is not int or not 1 <= number <= highest:
            raise InvalidLimitError(
                f"{name} is a whole number from 1 to {highest:,}.",
                hint="Wallets look for 20 unused addresses in a row (BIP-44); most is not below gap.",
            )
    if not callable(wanted.is_used):
        raise InvalidRequestError("is_used takes an address, and says whether it is in use.")


def _used(source: PhraseSource, wanted: Discovery) -> tuple[list[int], int]:
    """The indices that are in use, and how many were asked about."""
    used: list[int] = []
    for index in range(wanted.most):
        if index - (used[-1] + 1 if used else 0) >= wanted.gap:
            return used, index
        material = key_of(source.network, source.phrase, source.scheme, source.account, index)
        address = source.network.public_half(material.private_key, material.scheme).address
        if _answer(wanted.is_used(address)):
            used.append(index)
    if wanted.most - (used[-1] + 1 if used else 0) >= wanted.gap:
        return used, wanted.most
    raise DiscoveryLimitError(
        f"Of {wanted.most:,} addresses the last {wanted.gap:,} are not all unused; no wallet was made."
    )


def _answer(said: object) -> bool:
    if inspect.isawaitable(said):
        if inspect.iscoroutine(said):
            said.close()
        raise InvalidRequestError(
            "is_used returned something to be awaited.", hint="Only AsyncVault.discover takes an async callable."
        )
    return bool(said)


def _make(
    context: VaultContext,
    asked: tuple[DeriveRequest, ValidatedRequest],
    wanted: Discovery,
    end: int,
    actor: Attribution,
) -> tuple[list[Created], int]:
    """Wallets for the indices below ``end`` that no wallet has taken; and the account's next index."""
    made: list[Created] = []
    request, checked = asked
    for _ in range(_ATTEMPTS + end // LARGEST_BATCH):
        # Opened anew: it may be replaced by now, and derives no more then.
        source = context.store.run_key_work(partial(open_source, context, request, checked))
        free = _free_indices(context, source)
        indices = [index for index in free if index < end]
        if not indices:
            return made, free[0]
        labels = [identifiers.check_label(f"{wanted.label_prefix}{index}") for index in indices]
        there = context.store.phrases.labels_there(source.account.project_id, source.account.network, labels)
        if there and _free_indices(context, source) == free:
            raise PhraseConflictError(
                f"A wallet of another index or account has the label {min(there)}. {_said(len(made))}",
                hint="Take another label_prefix: the same call goes on where this one ended.",
            )
        if there:
            continue
        try:
            made += create_at(context, replace(request, labels=labels), source, indices, actor)
        except (IndexMovedError, PhraseChangedError):
            continue
    raise ContentionError("Others took indices of this account again and again; call again.")


def _said(made: int) -> str:
    """What the call has made before it ended."""
    if made == 0:
        return "No wallet was made."
    return f"{made:,} of lower indices {'was' if made == 1 else 'were'} made before, and stay."


def _free_indices(context: VaultContext, source: PhraseSource) -> list[int]:
    """The indices that the account's next wallets take, as many as one transaction makes."""
    found = context.store.phrases.account(source.account)
    if found is not None:
        check_account(context, found)
    account = tagged(context, source.account) if found is None else found
    return context.store.phrases.free_indices(account, source.path, LARGEST_BATCH, partial(check_taken, context))
