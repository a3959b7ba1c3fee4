"""Private keys in a text form that is one family's own, such as ``S...`` of Stellar: the network reads it.

Some are under a password, such as ``edesk...`` of Tezos: the network opens them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from strongroom.errors import InvalidPrivateKeyError
from strongroom.networks import TABLE
from strongroom.ports.network import LockedTextNetwork, Network
from strongroom.secret import Secret
from strongroom.takeover.doctor.found import Found
from strongroom.usecases.shapes import Shapes

_LONGEST_CHARACTERS = 512


def own_forms(text: str) -> Iterator[Found]:
    """What a text is to each family whose own form it has."""
    for name in _shaped(text):
        written, network = Secret.from_text(text), TABLE.get(name)
        key = _read(network, written)
        if key is not None:
            yield Found(f"private key as {name} writes it", key, certain=True, proved=True, written=written)


def locked_by(text: str) -> LockedTextNetwork | None:
    """The network whose keystore a text is; None where it is none that is a line of text."""
    for name in _shaped(text):
        network = TABLE.get(name)
        if isinstance(network, LockedTextNetwork) and network.is_keystore(Secret.from_text(text)):
            return network
    return None


def _shaped(text: str) -> list[str]:
    """The first network of each shape that a text has."""
    return _shapes().fitting(text) if len(text) <= _LONGEST_CHARACTERS else []


@cache
def _shapes() -> Shapes:
    first: dict[str, str] = {}
    for chain in TABLE.chains:
        if chain.key_shape:
            first.setdefault(chain.key_shape, chain.name)
    return Shapes({name: shape for shape, name in first.items()})


def _read(network: Network, written: Secret) -> Secret | None:
    try:
        return network.parse_private_key(written)
    except InvalidPrivateKeyError:
        return None
