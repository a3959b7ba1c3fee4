"""The first keyring: made once, whoever calls first, and opened by everybody else."""

from __future__ import annotations

from strongroom import keyring
from strongroom.errors import (
    KeyringMissingError,
    NotInitializedError,
    RootKeyMissingError,
    UnknownSealingKeyError,
)
from strongroom.keyring import Keyring
from strongroom.model import Actor, Event, WrappedKey
from strongroom.ports import Clock, CreatableRootKey, RootKey, Store


def try_root_key(root_key: RootKey) -> None:
    """Use a root key once, before anything is written. A key that ``create_keyring`` will make may be missing."""
    try:
        _wrap_new(root_key)
    except RootKeyMissingError:
        if not isinstance(root_key, CreatableRootKey):
            raise


def create_keyring(store: Store, root_key: RootKey, clock: Clock) -> tuple[Keyring, bool]:
    """Create the keyring, or open the one that is there; also says whether this call created it.

    Two callers: the row of strongroom_keyring_head lets one of them write; the other verifies that its root key
    opens what the first one wrote. A root key is made only where there is no keyring, and is durable before the
    keyring commits: a process that dies between the two leaves a root key that wraps nothing, and the next call
    uses it.

    Raises RootKeyError, StoreError; nothing is changed then.
    """
    if store.read_keyring() is not None:
        return open_keyring(store, root_key), False
    if store.has_sealed_rows():
        raise KeyringMissingError("There are sealed rows, but no keyring that could open them. Nothing was changed.")
    if isinstance(root_key, CreatableRootKey):
        root_key.create()
    wrap = _wrap_new(root_key)
    event = Event("init", Actor(), {"kid": wrap.kid, "root_key": wrap.root_key_uri})
    created = store.create_keyring(wrap, event, clock())
    return open_keyring(store, root_key), created


def open_keyring(store: Store, root_key: RootKey) -> Keyring:
    """Unwrap the keyring and see that it fits the stored rows: the oldest and the newest ones.

    Raises NotInitializedError, KeyringMissingError, RootKeyMismatchError, KeyringCorruptError,
    UnknownSealingKeyError.
    """
    rows = store.read_keyring()
    if rows is None:
        if store.has_sealed_rows():
            raise KeyringMissingError("There are sealed rows, but no keyring that could open them.")
        raise NotInitializedError("The database has no keyring yet.")
    opened = keyring.unwrap(rows, root_key)
    named = store.sealed_kids_at_the_ends()
    if named - opened.kids:  # a rotation and a rewrap may have come between the two looks
        opened = _reload(store, root_key)
    strangers = named - opened.kids
    if strangers and strangers == named:  # one row of another keyring is a finding of verify, not a locked vault
        raise UnknownSealingKeyError(
            f"Stored rows were sealed with keys that the keyring does not have: {', '.join(sorted(strangers))}."
        )
    return opened.reloading(lambda: _reload(store, root_key))


def _reload(store: Store, root_key: RootKey) -> Keyring:
    rows = store.read_keyring()
    if rows is None:
        raise KeyringMissingError("The keyring is gone.")
    return keyring.unwrap(rows, root_key)


def _wrap_new(root_key: RootKey) -> WrappedKey:
    sealing_key = keyring.new_sealing_key()
    return keyring.wrap(root_key, keyring.kid_of(sealing_key), sealing_key)
