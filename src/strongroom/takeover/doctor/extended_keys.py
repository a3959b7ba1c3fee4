"""The keys that an extended private key derives: its own, and its children where wallets keep them.

A path of the conventions begins at the root; of a key that is some levels below it, what follows these levels counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from strongroom.crypto import phrase_search
from strongroom.errors import InvalidPathError
from strongroom.networks.curves import bip32, paths
from strongroom.networks.curves.extended_key import ExtendedKey
from strongroom.networks.curves.paths import Path
from strongroom.ports.network import Network
from strongroom.secret import Secret


class Child(NamedTuple):
    """A key below an extended one, or its own."""

    scheme: str
    """The scheme whose address may come out of it."""
    path: str
    """Where it is, as of the extended key: ``m/0/5``."""
    key: Secret


def children(tree: ExtendedKey, network: Network, address: str, named: Sequence[str] = ()) -> Iterator[Child]:
    """Every key that may derive an address, each once: the extended key's own first, then those that are ``named``."""
    places = phrase_search.candidates(network, address, named)
    own = ((scheme, ()) for scheme in network.schemes_of(address))
    yield from _at(tree, (*own, *((each.scheme, path) for each in places for path in _below(tree, each.path, named))))


def at_paths(tree: ExtendedKey, scheme: str, named: Sequence[str]) -> Iterator[Child]:
    """The keys at some paths of its root, as far as these are below it, and its own."""
    below = (steps for path in named for steps in _below(tree, path, ()))
    yield from _at(tree, ((scheme, ()), *((scheme, steps) for steps in below)))


def first_children(tree: ExtendedKey, network: Network) -> Iterator[Child]:
    """The extended key's own key, and the one at the most usual place of each scheme."""
    places = phrase_search.first_places(network)
    own = ((scheme, ()) for scheme in network.schemes)
    yield from _at(tree, (*own, *((each.scheme, path) for each in places for path in _below(tree, each.path, ()))))


def _below(tree: ExtendedKey, path: str | None, named: Sequence[str]) -> Iterator[Path]:
    """What of a path is below an extended key; one that somebody named may begin at it, too."""
    try:
        steps = () if path is None else paths.parse(path)
    except InvalidPathError:
        return
    if path in named:
        yield steps
    if len(steps) > tree.depth:
        yield steps[tree.depth :]


def _at(tree: ExtendedKey, places: Sequence[tuple[str, Path]]) -> Iterator[Child]:
    nodes: dict[Path, tuple[Secret, Secret] | None] = {(): (tree.key, tree.chain_code)}
    for scheme, path in dict.fromkeys(places):
        node = _node(nodes, path)
        if node is not None:
            yield Child(scheme, paths.render(path), node[0])


def _node(nodes: dict[Path, tuple[Secret, Secret] | None], path: Path) -> tuple[Secret, Secret] | None:
    """Key and chain code at a path; None in the one case of 2^127 in which there is none."""
    if path not in nodes:
        above = _node(nodes, path[:-1])
        child = None if above is None else bip32.step(above[0].reveal(), above[1].reveal(), path[-1])
        nodes[path] = None if child is None else (Secret(child[0]), Secret(child[1]))
    return nodes[path]
