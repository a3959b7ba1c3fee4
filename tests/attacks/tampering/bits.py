"""Searches for a flipped bit that is not noticed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from strongroom.crypto import keyring
from strongroom.crypto.wraps import wrap_one
from strongroom.errors import StrongroomError
from strongroom.ports.root_key import RootKey
from strongroom.records.keyring import KeyringRows
from strongroom.secret import Secret
from testbed.harness.canary import Canary, report
from testbed.harness.sizes import seeded
from tests.attacks.tally import Tally

ATTACK = "bit flipped"
_EVERY = 101
"""Of so many errors of one kind, one is searched with the local variables of its frames, which takes long."""


class SecretSearch:
    """Looks for a secret in errors: in the text of all, in the frames of some."""

    def __init__(self, row: Tally, canary: Canary) -> None:
        self._row = row
        self._canary = canary
        self._seen = itertools.count()

    def __call__(self, error: StrongroomError) -> None:
        leaks = self._canary.in_text(f"{error!r} {error} {error.message} {error.hint} {error.args!r}", error.code)
        if next(self._seen) % _EVERY == 0:
            leaks += self._canary.in_exception(error)
        self._row.leaked += len(leaks)
        assert not leaks, report(leaks)


def flipped(text: str) -> Iterator[str]:
    """The text with each of its bits flipped, one at a time, as a driver would hand it on."""
    whole = text.encode("ascii")
    for position, bit in itertools.product(range(len(whole)), range(8)):
        changed = bytearray(whole)
        changed[position] ^= 1 << bit
        yield changed.decode("latin-1")


# --- the keyring ---------------------------------------------------------------------------------------------


def two_keys(root_key: RootKey) -> tuple[KeyringRows, Canary]:
    """A keyring of two sealing keys, and the first of them, to be searched for."""
    random = seeded("keyring")
    keys = [Secret(random.randbytes(32)) for _ in range(2)]
    wraps = tuple(wrap_one(root_key, keyring.kid_of(key), key) for key in keys)
    kids = tuple(wrap.kid for wrap in wraps)
    return KeyringRows(kids[0], wraps, kids), Canary(keys[0].reveal())


def end_of(rows: KeyringRows, root_key: RootKey, search: SecretSearch) -> type[StrongroomError] | None:
    """The error of a keyring; None where it opens, with the keys that it had: a kid is computed from its key."""
    try:
        opened = keyring.unwrap(rows, root_key)
    except StrongroomError as error:
        search(error)
        return type(error)
    assert opened.kids == set(rows.kids)
    return None
