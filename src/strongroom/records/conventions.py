"""How wallets place the keys of a phrase in its tree: what a convention is, and the paths that follow from it.

The conventions themselves are data of each network (conventions.py of its family).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

LAST = 19
"""The last account, and the last index, that is tried: BIP-44's gap limit of 20."""
BOTH = 4
"""The last account and index that are tried together."""
LAST_RARE = 4
"""The last account, and the last index, where a convention is rare: each with the other one 0."""


@dataclass(frozen=True, slots=True)
class Convention:
    """One way in which wallets have derived keys of a phrase."""

    scheme: str
    path: str | None
    """With ``{account}`` and ``{index}`` where numbers go; None where the scheme has no path."""
    wallets: str
    """The names of wallets that derive there."""
    source: str
    """Where that can be read up."""
    rare: bool = False
    """Whether few wallets were ever kept there: fewer numbers are tried."""


@dataclass(frozen=True, slots=True)
class DerivationPath:
    """Where the key of one address is in the tree of a phrase."""

    scheme: str
    path: str | None


Conventions = tuple[Convention, ...]


@cache
def derivation_paths(conventions: Conventions) -> tuple[DerivationPath, ...]:
    """Every key that is tried, each once: low numbers before high ones, usual conventions before rare ones."""
    found: dict[DerivationPath, tuple[int, int]] = {}
    for order, convention in enumerate(conventions):
        for number, place in _of(convention):
            found.setdefault(place, (number, order))
    return tuple(sorted(found, key=found.__getitem__))


def _of(convention: Convention) -> Iterator[tuple[int, DerivationPath]]:
    path = convention.path
    if path is None:
        yield 0, DerivationPath(convention.scheme, None)
        return
    last, both = (LAST_RARE, 0) if convention.rare else (LAST, BOTH)
    accounts = range(last + 1 if "{account}" in path else 1)
    indices = range(last + 1 if "{index}" in path else 1)
    for account in accounts:
        for index in indices:
            if min(account, index) == 0 or max(account, index) <= both:
                place = DerivationPath(convention.scheme, path.format(account=account, index=index))
                yield max(account, index), place
