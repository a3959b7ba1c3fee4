"""Change the keyring: a new sealing key, another root key, one root key less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from strongroom import keyring
from strongroom.errors import (
    ConflictError,
    InvalidSettingError,
    KeyringMissingError,
    LastRootKeyError,
    OutcomeUnknownError,
    RootKeyError,
    RootKeyExistsError,
    RootKeyMissingError,
)
from strongroom.identifiers import check_text
from strongroom.model import Actor, Event, KeyringRows, WrappedKey
from strongroom.ports import RootKey
from strongroom.secret import Secret
from strongroom.usecases.parts import Parts
from strongroom.usecases.unknown import asking

_ATTEMPTS = 5


def rotate(parts: Parts, actor: Actor) -> str:
    """Wrap a new sealing key under every registered root key, prove each wrap, then switch; see Vault."""
    rows = _rows(parts)
    keyring.unwrap(rows, parts.root_key)  # it may have been removed: then this vault could not read what it made
    sealing_key = keyring.new_sealing_key()
    kid = keyring.kid_of(sealing_key)
    uris = dict.fromkeys(wrap.root_key_uri for wrap in rows.wraps)
    wraps = [_wrap(_registered(parts, rows, uri), kid, sealing_key, uri) for uri in uris]
    event = Event("rotate", actor, {"kid": kid})
    _change(
        parts,
        lambda: parts.store.add_sealing_key(wraps, rows.version, event, parts.clock()),
        lambda now: kid in now.kids,
    )
    with asking(OutcomeUnknownError("The sealing key was made, and then the database could not be reached.")):
        parts.keyring.refresh()
    return kid


def add_root_key(parts: Parts, uri: str, actor: Actor) -> None:
    """See Vault.add_root_key."""
    check_text(uri, InvalidSettingError)
    rows = _rows(parts)
    if any(wrap.root_key_uri == uri for wrap in rows.wraps):
        raise RootKeyExistsError(
            "The keyring has wraps of this root key URI.", hint="Check it: `strongroom root-key check URI`."
        )
    root_key = parts.open_root_key(uri)
    sealing_keys = keyring.unwrap_keys(rows, parts.root_key)
    wraps = [_wrap(root_key, kid, key, uri) for kid, key in sealing_keys.items()]
    event = Event("add-root-key", actor, {"root_key": uri})
    _change(
        parts,
        lambda: parts.store.add_wraps(wraps, rows.version, event, parts.clock()),
        lambda now: set(wraps) <= set(now.wraps),
    )


def check_root_key(parts: Parts, uri: str) -> None:
    """See Vault.check_root_key."""
    check_text(uri, InvalidSettingError)
    rows = _rows(parts)
    theirs = _wraps_of(rows, uri)
    if not theirs.wraps:
        raise RootKeyMissingError(
            "The keyring has no wraps of this root key URI.", hint="`strongroom root-key list` shows the URIs."
        )
    keyring.unwrap(theirs, parts.open_root_key(uri))


def remove_root_key(parts: Parts, uri: str, actor: Actor) -> None:
    """Prove that another root key opens all of the keyring, then remove; see Vault.remove_root_key."""
    check_text(uri, InvalidSettingError)
    rows = _rows(parts)
    others = list(dict.fromkeys(wrap.root_key_uri for wrap in rows.wraps if wrap.root_key_uri != uri))
    if len(others) == len({wrap.root_key_uri for wrap in rows.wraps}):
        raise RootKeyMissingError(
            "The keyring has no wraps of this root key URI.", hint="`strongroom root-key list` shows the URIs."
        )
    if not any(_opens(parts, rows, other) for other in others):
        raise LastRootKeyError("No other root key was proved to open the keyring; nothing was removed.")
    event = Event("remove-root-key", actor, {"root_key": uri})
    _change(
        parts,
        lambda: parts.store.remove_wraps(uri, rows.version, event, parts.clock()),
        lambda now: not _wraps_of(now, uri).wraps,
    )


def _rows(parts: Parts) -> KeyringRows:
    rows = parts.store.read_keyring()
    if rows is None:
        raise KeyringMissingError("The keyring is gone.")
    return rows


def _wraps_of(rows: KeyringRows, uri: str) -> KeyringRows:
    return KeyringRows(
        rows.active_kid, tuple(wrap for wrap in rows.wraps if wrap.root_key_uri == uri), rows.kids, rows.states
    )


def _registered(parts: Parts, rows: KeyringRows, uri: str) -> RootKey:
    """The root key of a URI, proved to open what is registered under it."""
    theirs = _wraps_of(rows, uri)
    try:
        keyring.unwrap(theirs, parts.root_key)
    except RootKeyError:
        root_key = parts.open_root_key(uri)
        keyring.unwrap(theirs, root_key)
        return root_key
    return parts.root_key


def _opens(parts: Parts, rows: KeyringRows, uri: str) -> bool:
    try:
        _registered(parts, rows, uri)
    except RootKeyError:
        return False
    return True


def _wrap(root_key: RootKey, kid: str, sealing_key: Secret, uri: str) -> WrappedKey:
    """A proved wrap, under the URI that is registered; the root key may have been opened by another one."""
    return replace(keyring.wrap(root_key, kid, sealing_key), root_key_uri=uri)


def _change(parts: Parts, write: Callable[[], bool], is_done: Callable[[KeyringRows], bool]) -> None:
    """Write once; where the outcome got lost, ask whether it is done, and where it is not, write again."""
    unknown: OutcomeUnknownError | None = None
    for _ in range(_ATTEMPTS):
        changed = None
        try:
            with asking(unknown):
                changed = write()
        except OutcomeUnknownError as error:
            unknown = error
        if changed:
            return
        with asking(unknown):
            # Who changed the version may be the write whose outcome got lost: it was still under way when it was asked.
            if unknown is not None and is_done(_rows(parts)):
                return
        if changed is not None:
            raise ConflictError("Another process changed the keyring meanwhile; nothing was changed. Call again.")
    assert unknown is not None  # noqa: S101 - only an outcome that got lost comes round
    raise unknown
