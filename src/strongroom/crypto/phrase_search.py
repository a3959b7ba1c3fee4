"""Which key of a phrase derives an address: the conventions of its network are tried, usual ones first.

The phrase's seed is stretched once, and inner nodes of its tree are derived once: a path costs one step and one
address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from strongroom.crypto.phrase import Phrase
from strongroom.errors import InvalidMnemonicError, InvalidPathError, InvalidRequestError, MissingExtraError
from strongroom.ports.network import Network
from strongroom.records.conventions import Conventions, DerivationPath, derivation_paths
from strongroom.records.key_material import KeyMaterial

MOST_PATHS = 1_000
"""As many as a caller may name."""


class PhraseSearchResult(NamedTuple):
    """What came of a search."""

    material: KeyMaterial | None
    """None where no path derives the address."""
    tried: int
    """How many paths were tried."""


def find(
    network: Network,
    phrase: Phrase,
    address: str,
    paths: Sequence[str] = (),
    *,
    scheme: str | None = None,
    named_only: bool = False,
    checked: bool = False,
) -> PhraseSearchResult:
    """Find the key of a phrase that derives an address, in its canonical form.

    ``paths`` are those that a caller names; they come first, in every scheme that can make such an address, and with
    ``named_only`` they are all. Paths that a scheme does not have (Ed25519 derives hardened elements only) are passed
    over. ``scheme`` restricts the search to one. Raises InvalidPathError where something named is a path of no scheme,
    InvalidMnemonicError and MissingExtraError where no scheme that could be tried derives the address and another one
    could not be; unless ``checked`` says that paths may be meant for another network, and what can be tried is enough.
    """
    tried = 0
    refusal: InvalidRequestError | None = None
    for path in () if checked else paths:
        _require_path(network, phrase, path)
    for place in candidates(network, address, paths, named_only=named_only):
        if scheme not in (None, place.scheme):
            continue
        tried += 1
        try:
            material = _material(network, phrase, place)
            if material is not None and _address(network, material) == address:
                return PhraseSearchResult(material, tried)
        except (InvalidMnemonicError, MissingExtraError) as error:
            refusal = error.with_traceback(None)
    if refusal is not None and not checked:
        raise refusal
    return PhraseSearchResult(None, tried)


def candidates(
    network: Network, address: str, paths: Sequence[str] = (), *, named_only: bool = False
) -> Iterator[DerivationPath]:
    """Every path that may derive an address, each once: those of ``paths``, then those of the conventions."""
    schemes = tuple(network.schemes_of(address))
    with_path = [scheme for scheme in schemes if network.path(scheme) is not None]
    named = dict.fromkeys(DerivationPath(scheme, path) for path in paths for scheme in with_path)
    yield from named
    if not named_only:
        usual = _usual(network.conventions, schemes)
        yield from (place for place in usual if place not in named)


def addresses_at(
    network: Network, phrase: Phrase, places: Iterable[DerivationPath]
) -> Iterator[tuple[str, DerivationPath]]:
    """The addresses that a phrase has at some places, in their canonical form; where it has none, none is given."""
    for place in places:
        material = _material(network, phrase, place)
        address = None if material is None else _address(network, material)
        if address is not None:
            yield address, place


def count(network: Network, address: str, paths: Sequence[str] = ()) -> int:
    """How many paths are tried before it is said that none derives an address."""
    return sum(1 for _ in candidates(network, address, paths))


def first_places(network: Network) -> Iterable[DerivationPath]:
    """The most usual place of each scheme."""
    first: dict[str, DerivationPath] = {}
    for place in derivation_paths(network.conventions):
        first.setdefault(place.scheme, place)
    return first.values()


@lru_cache(1024)
def _usual(conventions: Conventions, schemes: tuple[str, ...]) -> tuple[DerivationPath, ...]:
    return tuple(place for place in derivation_paths(conventions) if place.scheme in schemes)


def _require_path(network: Network, phrase: Phrase, path: str) -> None:
    with_path = [scheme for scheme in network.schemes if network.path(scheme) is not None]
    if all(_material(network, phrase, DerivationPath(scheme, path)) is None for scheme in with_path):
        raise InvalidPathError(
            "A path that was named cannot be parsed, or no key of this network can be derived at it."
        )


def _material(network: Network, phrase: Phrase, place: DerivationPath) -> KeyMaterial | None:
    try:
        return network.derive(phrase, place.scheme, place.path)
    except InvalidPathError:
        return None


def _address(network: Network, material: KeyMaterial) -> str | None:
    try:
        return network.public_half(material.private_key, material.scheme).address
    except MissingExtraError:
        raise
    except InvalidRequestError:  # out of the curve's range
        return None
