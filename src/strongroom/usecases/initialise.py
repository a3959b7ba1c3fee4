"""The first keyring: made once, by the first caller, and opened by everybody else."""

from __future__ import annotations

from strongroom.crypto import keyring, wraps
from strongroom.crypto.keyring import Keyring
from strongroom.crypto.keyring_wraps import open_keys
from strongroom.errors import (
    KeyringCorruptError,
    KeyringMissingError,
    NotInitializedError,
    RootKeyMissingError,
    UnknownSealingKeyError,
)
from strongroom.ports.clock import Clock
from strongroom.ports.root_key import CreatableRootKey, RootKey
from strongroom.ports.wallet_stores import KeyringStore
from strongroom.records.keyring import KeyringRows
from strongroom.records.register import KeyringHead, root_key_names
from strongroom.records.usage_log import Attribution, Event
from strongroom.usecases.tagging import tagged_head

_NO_TAG = "The keyring's head carries no tag, and records do: its tag was taken away."


def try_root_key(root_key: RootKey) -> None:
    """Use a root key once, before anything is written. A key that ``create_keyring`` will make may be missing."""
    try:
        sealing_key = keyring.new_sealing_key()
        wraps.wrap(root_key, keyring.kid_of(sealing_key), sealing_key)
    except RootKeyMissingError:
        if not isinstance(root_key, CreatableRootKey):
            raise


def create_keyring(
    store: KeyringStore, root_key: RootKey, clock: Clock, *, accept_foreign: bool
) -> tuple[Keyring, bool]:
    """Create the keyring, or open the one that is there; also says whether this call created it.

    Two callers: the row of strongroom_keyring_head lets one of them write; the other verifies that its root key
    opens what the first one wrote. A root key is made only where there is no keyring, and is durable before the
    keyring commits: a process that dies between the two leaves a root key that wraps nothing, and the next call
    uses it.

    ``accept_foreign``: the legacy application may write to the wallet tables, and nothing proves its wallets until a
    repair has sealed them. Raises RootKeyError, StoreError; nothing is changed then.
    """
    if store.read_keyring() is not None:
        return open_keyring(store, root_key), False
    if store.has_sealed_rows():
        raise KeyringMissingError("There are sealed rows, but no keyring that could open them. Nothing was changed.")
    if isinstance(root_key, CreatableRootKey):
        root_key.create()
    sealing_key = keyring.new_sealing_key()
    wrap = wraps.wrap(root_key, keyring.kid_of(sealing_key), sealing_key)
    named = root_key_names([wrap.root_key_uri])
    head = KeyringHead(1, {wrap.kid: "active"}, True, accept_foreign, named)
    facts = {"kid": wrap.kid, "root_key": wrap.root_key_uri, "accept_foreign": str(accept_foreign).lower()}
    tagged = tagged_head(head, Keyring(wrap.kid, {wrap.kid: sealing_key}))
    created = store.create_keyring(wrap, tagged, Event("init", Attribution(), facts), clock())
    return open_keyring(store, root_key), created


def open_keyring(store: KeyringStore, root_key: RootKey) -> Keyring:
    """Unwrap the keyring and see that it fits the stored rows: the oldest and the newest ones.

    Raises NotInitializedError, KeyringMissingError, RootKeyMismatchError, KeyringCorruptError,
    UnknownSealingKeyError.
    """
    rows = store.read_keyring()
    if rows is None:
        if store.has_sealed_rows():
            raise KeyringMissingError("There are sealed rows, but no keyring that could open them.")
        raise NotInitializedError("The database has no keyring yet.")
    if rows.head is None and any(store.count_tagged_by(kid) for kid in rows.kids):
        raise KeyringCorruptError(_NO_TAG)
    opened = open_keys(rows, root_key)
    named = store.sample_sealed_kids()
    if named - opened.kids:  # a rotation and a rewrap may have come between the two looks
        opened = _reload(store, root_key)
    strangers = named - opened.kids
    if strangers and strangers == named:  # one row of another keyring is a finding of verify, not a locked vault
        raise UnknownSealingKeyError(
            f"Stored rows were sealed with keys that the keyring does not have: {', '.join(sorted(strangers))}."
        )
    return opened.reloading(_KeyringReloader(store, root_key, rows, opened))


def tag_head(
    store: KeyringStore,
    root_key: RootKey,
    actor: Attribution,
    clock: Clock,
    *,
    accept_foreign: bool,
    kid: str | None = None,
) -> Keyring:
    """Open the keyring, its head tagged first where an older version wrote it: its rows are taken as they are found.

    The head is tagged before anything else is: records with tags under a head without one mean that it was taken away.
    ``kid``: a sealing key that the keyring must have, as the settings say.

    Two callers: the head's version lets one of them write; the other one reads what it wrote. Raises as open_keyring.
    """
    rows = store.read_keyring()
    if rows is not None and rows.kids and rows.head is None:
        if any(store.count_tagged_by(kid) for kid in rows.kids):
            rows = store.read_keyring()  # another upgrade may have begun between the two looks
            if rows is not None and rows.head is None:
                raise KeyringCorruptError(_NO_TAG)
            return open_keyring(store, root_key)
        opened = keyring.unwrap(rows, root_key)
        require_kid(opened, kid)
        states = dict(rows.states)
        named = root_key_names(wrap.root_key_uri for wrap in rows.wraps)
        head = KeyringHead(rows.version + 1, states, False, accept_foreign, named)
        store.change_head(tagged_head(head, opened), Event("upgrade", actor, {"kid": head.active_kid}), clock())
    return open_keyring(store, root_key)


def require_kid(opened: Keyring, kid: str | None) -> None:
    """Refuse a keyring without the sealing key that the settings name: it is another vault's under the same root key.

    Each kid is computed from its key when the keyring is unwrapped, and no key is ever taken out of a keyring. Raises
    KeyringCorruptError.
    """
    if kid is not None and kid not in opened.kids:
        raise KeyringCorruptError(
            "The sealing key that the setting keyring_kid names is not in the keyring: it is another vault's, or an "
            "older one.",
            hint="Check database and schema. Where they are this vault's: restore its tables from a backup, all of one "
            "moment. Where another vault is meant, change keyring_kid, or take it out (docs/keys.md).",
        )


class _KeyringReloader:
    """Reads the keyring again, and unwraps it only where it is not what was unwrapped last."""

    def __init__(self, store: KeyringStore, root_key: RootKey, rows: KeyringRows, opened: Keyring) -> None:
        self._store = store
        self._root_key = root_key
        self._last = (rows, opened)

    def __call__(self) -> Keyring:
        rows = self._store.read_keyring()
        if rows is None:
            raise KeyringMissingError("The keyring is gone.")
        last, opened = self._last
        if rows != last:
            opened = open_keys(rows, self._root_key)
            self._last = (rows, opened)
        return opened


def _reload(store: KeyringStore, root_key: RootKey) -> Keyring:
    rows = store.read_keyring()
    if rows is None:
        raise KeyringMissingError("The keyring is gone.")
    return open_keys(rows, root_key)
