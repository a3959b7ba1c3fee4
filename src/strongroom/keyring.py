"""The keyring: sealing keys, made once, wrapped by root keys, unwrapped once when a vault is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from uuid import UUID

from strongroom import jwe, kdf
from strongroom.errors import (
    KeyringCorruptError,
    KeyringMissingError,
    RootKeyMismatchError,
    UnknownSealingKeyError,
)
from strongroom.model import KeyringRows, WrappedKey
from strongroom.ports import NotMine, RootKey
from strongroom.secret import Secret

_KEY_BYTES = 32
_KID_BYTES = 16
_MOST_DERIVED = 1024


class Keyring:
    """Unwrapped sealing keys by kid, and which of them seals. A handle: it prints kids, never keys."""

    __slots__ = ("_derived", "_keys", "_reload", "active_kid")

    def __init__(
        self, active_kid: str, keys: Mapping[str, Secret], reload: Callable[[], Keyring] | None = None
    ) -> None:
        self.active_kid = active_kid
        self._keys = dict(keys)
        self._derived: dict[tuple[str, UUID], Secret] = {}
        self._reload = reload

    def refresh(self) -> None:
        """Unwrap the keyring anew, as it is stored now: another process may have made a sealing key."""
        if self._reload is not None:
            newer = self._reload()
            self._keys = newer._keys
            self.active_kid = newer.active_kid

    def reloading(self, reload: Callable[[], Keyring]) -> Keyring:
        """The same keyring, which looks again where a text names a sealing key that it does not know."""
        return Keyring(self.active_kid, self._keys, reload)

    @property
    def kids(self) -> frozenset[str]:
        """The kids that this keyring can open."""
        return frozenset(self._keys)

    def project_key(self, kid: str, project_id: UUID) -> Secret:
        """The key-wrapping key of a project: HKDF-SHA256(sealing key, "strongroom/v1/project/" + project id).

        Raises UnknownSealingKeyError for a kid that is not in the keyring.
        """
        key = self._keys.get(kid)
        if key is None and self._reload is not None:
            self.refresh()
            key = self._keys.get(kid)
        if key is None:
            raise UnknownSealingKeyError("A sealed text names a sealing key that is not in the keyring.")
        derived = self._derived.get((kid, project_id))
        if derived is None:
            if len(self._derived) >= _MOST_DERIVED:
                self._derived.clear()
            derived = self._derived[kid, project_id] = kdf.derive(key, f"strongroom/v1/project/{project_id}")
        return derived

    def plan_key(self, kid: str) -> Secret:
        """The key of the fingerprints in repair plans: HKDF-SHA256(sealing key, "strongroom/v1/plan").

        Raises UnknownSealingKeyError for a kid that is not in the keyring.
        """
        if kid not in self._keys:
            raise UnknownSealingKeyError("The plan's fingerprints were made with a key that is not in the keyring.")
        return kdf.derive(self._keys[kid], "strongroom/v1/plan")

    def __repr__(self) -> str:
        return f"<Keyring active={self.active_kid} of {len(self._keys)}>"


def new_sealing_key(random_bytes: Callable[[int], bytes] = os.urandom) -> Secret:
    """Make a sealing key: 256 random bits."""
    return Secret(random_bytes(_KEY_BYTES))


def kid_of(sealing_key: Secret) -> str:
    """The key's own name: base64url of 16 bytes of HKDF-SHA256(key, "strongroom/v1/kid"), 22 characters."""
    return jwe.encode_segment(kdf.derive(sealing_key, "strongroom/v1/kid", _KID_BYTES).reveal())


def wrap(root_key: RootKey, kid: str, sealing_key: Secret) -> WrappedKey:
    """Wrap a sealing key, and unwrap it again before anything relies on it. Raises RootKeyError."""
    wrapped = root_key.wrap(kid, sealing_key)
    if kid_of(root_key.unwrap(wrapped)) != kid:
        raise KeyringCorruptError("The root key does not give back what it wrapped; nothing was changed.")
    return wrapped


def unwrap(rows: KeyringRows, root_key: RootKey) -> Keyring:
    """Unwrap every sealing key with one root key. Unwrapping is always tried, whatever URI a row names.

    Raises:
        KeyringMissingError: the keyring has no rows.
        RootKeyMismatchError: no wrap opens and none was made by this root key.
        KeyringCorruptError: a wrap of this root key is damaged, a row is missing, or names another key.
    """
    return Keyring(rows.active_kid, unwrap_keys(rows, root_key))


def unwrap_keys(rows: KeyringRows, root_key: RootKey) -> dict[str, Secret]:
    """The sealing keys themselves, by kid; errors are those of ``unwrap``."""
    if not rows.kids:
        raise KeyringMissingError("The vault was initialised, but its keyring has no rows.")
    keys: dict[str, Secret] = {}
    for wrap in rows.wraps:
        if wrap.kid in keys:
            continue
        try:
            key = root_key.unwrap(wrap)
        except NotMine:
            continue
        if kid_of(key) != wrap.kid:
            raise KeyringCorruptError("A keyring row names another sealing key than it holds.")
        keys[wrap.kid] = key
    if not keys and rows.wraps:
        raise RootKeyMismatchError("This is the wrong root key, or the keyring row is damaged.")
    if set(rows.kids) != set(keys) or rows.active_kid not in keys:
        raise KeyringCorruptError("Keyring rows are missing: not every sealing key has a wrap of this root key.")
    return keys
