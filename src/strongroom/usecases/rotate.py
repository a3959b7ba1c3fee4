"""Change the keyring: a new sealing key, another root key, one root key less."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from strongroom.crypto import keyring, wraps
from strongroom.crypto.keyring import Keyring
from strongroom.crypto.keyring_wraps import open_keys, wraps_of_head
from strongroom.errors import (
    ConflictError,
    InvalidSettingError,
    KeyringCorruptError,
    KeyringMissingError,
    LastRootKeyError,
    OutcomeUnknownError,
    RootKeyDeniedError,
    RootKeyError,
    RootKeyExistsError,
    RootKeyMissingError,
    RootKeyUnavailableError,
)
from strongroom.ports.root_key import RootKey
from strongroom.records.identifiers import check_text
from strongroom.records.keyring import KeyringRows
from strongroom.records.register import MOST_STATES_CHARACTERS, MOST_WRAPS, TaggedHead, root_key_names
from strongroom.records.usage_log import Attribution, Event
from strongroom.secret import Secret
from strongroom.usecases.context import VaultContext
from strongroom.usecases.outcome import keep_outcome_unknown, resolve
from strongroom.usecases.tagging import next_head


def rotate(context: VaultContext, actor: Attribution) -> str:
    """Wrap a new sealing key under every registered root key, prove each wrap, then switch; see Vault."""
    rows = _rows(context)
    opened = _authenticated(context, rows)  # it may have been removed: then this vault could not read what it made
    sealing_key = keyring.new_sealing_key()
    kid = keyring.kid_of(sealing_key)
    uris = dict.fromkeys(wrap.root_key_uri for wrap in rows.wraps)
    if len(wraps_of_head(rows)) != len(rows.wraps):
        raise KeyringCorruptError(
            "The keyring has wraps of a root key that its head does not name: they were put there, or put back.",
            hint="`strongroom root-key list` shows the URIs; take what is not yours out with `root-key remove`.",
        )
    _require_room(rows, len(uris))
    made = [wraps.wrap(_registered(context, rows, uri), kid, sealing_key, uri) for uri in uris]
    event = Event("rotate", actor, {"kid": kid})
    head = _after_rotation(opened, kid, sealing_key, uris)
    _change(
        context,
        lambda: context.store.keyring.add_sealing_key(made, head, event, context.clock()),
        lambda now: kid in now.kids,
    )
    with keep_outcome_unknown(
        OutcomeUnknownError("The sealing key was made, and then the database could not be reached.")
    ):
        context.keyring.refresh()
    return kid


def add_root_key(context: VaultContext, uri: str, actor: Attribution) -> None:
    """See Vault.add_root_key."""
    check_text(uri, InvalidSettingError)
    rows = _rows(context)
    if any(wrap.root_key_uri == uri for wrap in rows.wraps):
        raise RootKeyExistsError(
            "The keyring has wraps of this root key URI.", hint="Check it: `strongroom root-key check URI`."
        )
    _require_room(rows, len(rows.kids))
    root_key = context.open_root_key(uri)
    named = [wrap.root_key_uri for wrap in wraps_of_head(rows)]
    head = _head_of(_authenticated(context, rows), [*named, uri])
    sealing_keys = keyring.unwrap_keys(rows, context.root_key)
    made = [wraps.wrap(root_key, kid, key, uri) for kid, key in sealing_keys.items()]
    event = Event("add-root-key", actor, {"root_key": uri})
    _change(
        context,
        lambda: context.store.keyring.add_wraps(made, head, event, context.clock()),
        lambda now: set(made) <= set(now.wraps),
    )


def check_root_key(context: VaultContext, uri: str) -> None:
    """See Vault.check_root_key."""
    check_text(uri, InvalidSettingError)
    rows = _rows(context)
    theirs = _wraps_of(rows, uri)
    if not theirs.wraps:
        raise RootKeyMissingError(
            "The keyring has no wraps of this root key URI.", hint="`strongroom root-key list` shows the URIs."
        )
    keyring.unwrap(theirs, context.open_root_key(uri))


def remove_root_key(context: VaultContext, uri: str, actor: Attribution) -> None:
    """Prove that another root key opens all of the keyring, then remove; see Vault.remove_root_key."""
    check_text(uri, InvalidSettingError)
    rows = _rows(context)
    others = list(dict.fromkeys(wrap.root_key_uri for wrap in rows.wraps if wrap.root_key_uri != uri))
    if len(others) == len({wrap.root_key_uri for wrap in rows.wraps}):
        raise RootKeyMissingError(
            "The keyring has no wraps of this root key URI.", hint="`strongroom root-key list` shows the URIs."
        )
    named = {wrap.root_key_uri for wrap in wraps_of_head(rows)}
    opened = _opened_by_one(context, rows, [other for other in others if other in named])
    event = Event("remove-root-key", actor, {"root_key": uri})
    head = _head_of(keyring.authenticate(rows, opened), named - {uri})
    _change(
        context,
        lambda: context.store.keyring.remove_wraps(uri, head, event, context.clock()),
        lambda now: not _wraps_of(now, uri).wraps,
    )


def _authenticated(context: VaultContext, rows: KeyringRows) -> Keyring:
    return open_keys(rows, context.root_key)


def _after_rotation(opened: Keyring, kid: str, sealing_key: Secret, uris: Iterable[str]) -> TaggedHead:
    """The head in which a new key seals and the one before only opens, tagged by the new one."""
    assert opened.head is not None  # noqa: S101 - it was authenticated
    states = {each: "opening" if state == "active" else state for each, state in opened.head.states.items()}
    changed = {"states": {**states, kid: "active"}, "root_keys": root_key_names(uris)}
    return _fitting(next_head(opened.head, Keyring(kid, {kid: sealing_key}), **changed))


def _require_room(rows: KeyringRows, more: int) -> None:
    """Refuse what would leave a keyring with more wraps than are read when a vault is opened."""
    if len(rows.wraps) + more > MOST_WRAPS:
        raise ConflictError(
            f"The keyring would have more than {MOST_WRAPS} wraps, and not open any more: nothing was changed.",
            hint="`strongroom root-key list` shows the root keys; take out those that are not yours with "
            "`strongroom root-key remove URI`.",
        )


def _head_of(opened: Keyring, uris: Iterable[str]) -> TaggedHead:
    """The next version of a head whose keyring these root keys wrap."""
    assert opened.head is not None  # noqa: S101 - it was authenticated
    return _fitting(next_head(opened.head, opened, root_keys=root_key_names(uris)))


def _fitting(head: TaggedHead) -> TaggedHead:
    if len(head.record.states_text()) > MOST_STATES_CHARACTERS:
        raise ConflictError("The keyring holds as many keys as it can; nothing was changed.")
    return head


def _rows(context: VaultContext) -> KeyringRows:
    rows = context.store.keyring.read_keyring()
    if rows is None:
        raise KeyringMissingError("The keyring is gone.")
    return rows


def _wraps_of(rows: KeyringRows, uri: str) -> KeyringRows:
    return KeyringRows(
        rows.active_kid, tuple(wrap for wrap in rows.wraps if wrap.root_key_uri == uri), rows.kids, rows.states
    )


def _registered(context: VaultContext, rows: KeyringRows, uri: str) -> RootKey:
    """The root key of a URI, proved to open what is registered under it."""
    theirs = _wraps_of(rows, uri)
    try:
        keyring.unwrap(theirs, context.root_key)
    except RootKeyUnavailableError:  # asking the same service once more takes as long again
        raise
    except RootKeyError:
        root_key = context.open_root_key(uri)
        keyring.unwrap(theirs, root_key)
        return root_key
    return context.root_key


def _opened_by_one(context: VaultContext, rows: KeyringRows, uris: Sequence[str]) -> Keyring:
    """The keyring as the first of several root keys opens it that is proved to open all of it.

    Raises LastRootKeyError where there is none; the error of one that would perhaps do, and was not at hand now.
    """
    waiting: RootKeyError | None = None
    for uri in uris:
        try:
            return keyring.unwrap(_wraps_of(rows, uri), _registered(context, rows, uri))
        except (RootKeyDeniedError, RootKeyUnavailableError) as error:
            waiting = waiting or error
        except RootKeyError:
            continue
    raise waiting or LastRootKeyError("No other root key was proved to open the keyring; nothing was removed.")


def _change(context: VaultContext, write: Callable[[], bool], is_done: Callable[[KeyringRows], bool]) -> None:
    """Write once; where the outcome was lost, look whether it is done, and where it is not, write again."""

    def look(lost: bool) -> bool | None:
        return True if lost and is_done(_rows(context)) else None

    def attempt(lost: bool) -> bool:
        # What changed the version may be the write whose outcome was lost: it was still running at the last look.
        if write() or look(lost):
            return True
        raise keyring_changed()

    resolve(attempt, look)


def keyring_changed() -> ConflictError:
    """The error where a change of the keyring met another one."""
    return ConflictError("Another process changed the keyring meanwhile; nothing was changed. Call again.")
