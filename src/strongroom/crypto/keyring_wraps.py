"""Which wraps of a keyring count: those of the root keys that its authenticated head names."""

from __future__ import annotations

from dataclasses import replace

from strongroom.crypto import keyring
from strongroom.crypto.keyring import Keyring
from strongroom.ports.root_key import RootKey
from strongroom.records.keyring import KeyringRows, WrappedKey


def open_keys(rows: KeyringRows, root_key: RootKey) -> Keyring:
    """Unwrap a keyring and believe its head. Wraps of root keys that the head does not name open nothing.

    Such rows are those of a root key that was removed, put back, or anybody's. Raises as ``unwrap`` and
    ``authenticate``; RootKeyMismatchError where nothing else opens.
    """
    opened = keyring.authenticate(rows, keyring.unwrap(rows, root_key))
    named = wraps_of_head(rows)
    if len(named) == len(rows.wraps):
        return opened
    return keyring.authenticate(rows, keyring.unwrap(replace(rows, wraps=named), root_key))


def wraps_of_head(rows: KeyringRows) -> tuple[WrappedKey, ...]:
    """The wraps of the root keys that the head names, which has to be authenticated, too."""
    if rows.head is None:
        return rows.wraps
    head = rows.head.record
    return tuple(wrap for wrap in rows.wraps if head.names_root_key(wrap.root_key_uri))
