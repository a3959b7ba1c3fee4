"""The keyring: sealing keys, made once, wrapped by root keys, unwrapped once when a vault is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from uuid import UUID

from strongroom.crypto import kdf, tags, wraps
from strongroom.errors import (
    KeyringCorruptError,
    KeyringMissingError,
    RootKeyMismatchError,
    UnknownSealingKeyError,
    UpgradeNeededError,
    VaultClosedError,
)
from strongroom.ports.root_key import RootKey
from strongroom.records.keyring import KeyringRows
from strongroom.records.register import KeyringHead
from strongroom.records.tag import TagKind
from strongroom.secret import Secret

_KEY_BYTES = 32
_MOST_DERIVED = 1024
_OTHER_VAULT = (
    "Restore the vault's tables from a backup, all of one moment; where two vaults have one root key, give each "
    "its own (docs/keys.md)."
)


class _Snapshot:
    """A keyring as it was read once, and what was derived from it; replaced as a whole."""

    __slots__ = ("active_kid", "derived", "head", "keys", "seen", "tag_keys")

    def __init__(self, active_kid: str, keys: Mapping[str, Secret], head: KeyringHead | None) -> None:
        self.active_kid = active_kid
        self.keys = dict(keys)
        self.head = head
        self.derived: dict[tuple[str, UUID], Secret] = {}
        self.tag_keys: dict[tuple[str, TagKind], Secret] = {}
        self.seen: dict[str, tuple[str, TagKind, tags.Tagged]] = {}

    def counts(self, kid: str) -> bool:
        """Whether tags under a sealing key count. Without a head, as a doctor may look at it, all do."""
        return kid in self.keys and (self.head is None or self.head.states.get(kid) in ("active", "opening"))


class Keyring:
    """Unwrapped sealing keys by kid, and which of them seals. A handle: it prints kids, never keys."""

    __slots__ = ("_closed", "_now", "_reload")

    def __init__(
        self,
        active_kid: str,
        keys: Mapping[str, Secret],
        reload: Callable[[], Keyring] | None = None,
        head: KeyringHead | None = None,
    ) -> None:
        self._now = _Snapshot(active_kid, keys, head)
        self._reload = reload
        self._closed = False

    @property
    def active_kid(self) -> str:
        """The sealing key that seals and tags."""
        return self._now.active_kid

    @property
    def head(self) -> KeyringHead | None:
        """What the authenticated head says; None where its tag was not looked at."""
        return self._now.head

    @property
    def seen(self) -> dict[str, tuple[str, TagKind, tags.Tagged]]:
        """Tags that were found to fit, as long as the keys are these: kid, kind and record by value."""
        return self._now.seen

    def refresh(self) -> None:
        """Unwrap the keyring anew, as it is stored now: another process may have made a sealing key.

        Raises KeyringCorruptError for an older state of the head than the one that was seen, and for a keyring without
        a sealing key that was seen: it is another vault's under the same root key.
        """
        reload = self._reload  # once: another thread may close the vault between two looks
        if reload is None:
            return
        seen = self.head  # before reading: what another thread sees meanwhile may be newer than what is read here
        kids = self.kids
        newer = reload()
        if not kids <= newer.kids:  # none is ever taken out; each kid is computed from its key
            raise KeyringCorruptError(
                "Sealing keys that this vault was opened with are not in the keyring: it is another vault's, or an "
                "older one.",
                hint=_OTHER_VAULT,
            )
        if newer.head is not None and seen is not None and newer.head.version < seen.version:
            raise KeyringCorruptError("The keyring's head is an older one than this vault has seen: it was put back.")
        now = self.head
        if now is None or newer.head is None or newer.head.version >= now.version:
            self._now = _Snapshot(newer.active_kid, newer._now.keys, newer.head)
        if self._closed:  # meanwhile, by another thread
            self.forget()

    def reloading(self, reload: Callable[[], Keyring]) -> Keyring:
        """The same keyring, which looks again where a text names a sealing key that it does not know."""
        return Keyring(self.active_kid, self._now.keys, reload, self.head)

    def believing(self, head: KeyringHead) -> Keyring:
        """The same keys under a head: it says which of them seals, and whose tags count."""
        return Keyring(head.active_kid, self._now.keys, head=head)

    def counting_retired(self) -> Keyring:
        """The same keys, of which those that are retired count, too: a rewrap moves what was written late under one."""
        head = self.head
        if head is None:
            return self
        states = {kid: "opening" if state == "retired" else state for kid, state in head.states.items()}
        return Keyring(self.active_kid, self._now.keys, head=head._replace(states=states))

    @property
    def accepts_untagged(self) -> bool:
        """Whether records without a tag are still there to be found: until an upgrade has finished."""
        head = self.head
        return head is None or not head.tags_complete

    def forget(self) -> None:
        """Drop every key. What is asked for afterwards is a VaultClosedError; Python cannot wipe the memory."""
        self._closed = True  # first: a thread that is refreshing, or deriving, looks afterwards
        self._reload = None
        self._now = _Snapshot(self.active_kid, {}, self.head)

    @property
    def kids(self) -> frozenset[str]:
        """The kids that this keyring can open."""
        return frozenset(self._now.keys)

    def project_key(self, kid: str, project_id: UUID) -> Secret:
        """The key-wrapping key of a project: HKDF-SHA256(sealing key, "strongroom/v1/project/" + project id).

        Raises UnknownSealingKeyError for a kid that is not in the keyring.
        """
        now = self._now
        if kid not in now.keys and self._reload is not None:
            self.refresh()
            now = self._now
        key = now.keys.get(kid)
        if key is None:
            self._require_open()
            raise UnknownSealingKeyError("A sealed text names a sealing key that is not in the keyring.")
        derived = now.derived.get((kid, project_id))
        if derived is None:
            if len(now.derived) >= _MOST_DERIVED:
                now.derived.clear()
            derived = now.derived[kid, project_id] = kdf.derive(key, f"strongroom/v1/project/{project_id}")
        return derived

    def tag_key(self, kid: str, kind: TagKind) -> Secret:
        """The key of a kind of record: HKDF-SHA256(sealing key, "strongroom/v1/tag/" + kind).

        Raises UnknownSealingKeyError for a kid that the keyring does not list, or lists as retired.
        """
        now = self._now
        key = now.tag_keys.get((kid, kind))
        if key is not None:
            return key
        if not now.counts(kid) and self._reload is not None:
            self.refresh()
            now = self._now
        if not now.counts(kid):
            self._require_open()
            raise UnknownSealingKeyError("A tag names a sealing key that the keyring does not list.")
        key = now.tag_keys[kid, kind] = kdf.derive(now.keys[kid], f"strongroom/v1/tag/{kind}")
        return key

    def counts(self, kid: str) -> bool:
        """Whether tags under a sealing key count."""
        return self._now.counts(kid)

    def is_retired(self, kid: str) -> bool:
        """Whether a sealing key is one of the keyring that counts no more."""
        head = self.head
        return head is not None and head.states.get(kid) == "retired"

    def plan_key(self, kid: str) -> Secret:
        """The key of the fingerprints in repair plans: HKDF-SHA256(sealing key, "strongroom/v1/plan").

        Raises UnknownSealingKeyError for a kid that is not in the keyring.
        """
        key = self._now.keys.get(kid)
        if key is None:
            self._require_open()
            raise UnknownSealingKeyError("The plan's fingerprints were made with a key that is not in the keyring.")
        return kdf.derive(key, "strongroom/v1/plan")

    def _require_open(self) -> None:
        if self._closed:
            raise VaultClosedError("The vault was closed.")

    def __repr__(self) -> str:
        return f"<Keyring active={self.active_kid} of {len(self._now.keys)}>"


def new_sealing_key(random_bytes: Callable[[int], bytes] = os.urandom) -> Secret:
    """Make a sealing key: 256 random bits."""
    return Secret(random_bytes(_KEY_BYTES))


kid_of = wraps.kid_of


def unwrap(rows: KeyringRows, root_key: RootKey) -> Keyring:
    """Unwrap every sealing key with one root key. Unwrapping is always tried, whatever URI a row names.

    Raises:
        KeyringMissingError: the keyring has no rows.
        RootKeyMismatchError: no wrap opens and none was made by this root key.
        KeyringCorruptError: a wrap of this root key is damaged, a row is missing, or names another key.
    """
    return Keyring(rows.active_kid, unwrap_keys(rows, root_key))


def authenticate(rows: KeyringRows, opened: Keyring) -> Keyring:
    """The same keyring, its head believed: the tag is the active key's, and the rows are what the head says.

    A head that an older key tagged lists fewer keys than there are rows: an older state of the database, or part of it.

    Raises:
        UpgradeNeededError: no version of strongroom that makes tags has written the head.
        KeyringCorruptError: the head or a row of the keyring was changed, put back or removed.
    """
    if rows.head is None and rows.version == 0:
        raise KeyringCorruptError("The keyring's head was removed.")
    if rows.head is None:
        raise UpgradeNeededError("The records of this vault carry no tags yet.")
    head, tag = rows.head
    believed = opened.believing(head)
    if dict(head.states) != dict(rows.states) or tag.kid != head.active_kid:
        raise KeyringCorruptError("The keyring's rows are not those that its head names: one was changed or put back.")
    if not tags.fits("keyring", head.fields(), tag, believed):
        raise KeyringCorruptError("The keyring's head was changed.")
    return believed


def unwrap_keys(rows: KeyringRows, root_key: RootKey) -> dict[str, Secret]:
    """The sealing keys themselves, by kid; errors are those of ``unwrap``."""
    if not rows.kids:
        raise KeyringMissingError("The vault was initialised, but its keyring has no rows.")
    keys, refused = wraps.open_each(rows.wraps, root_key)
    for kid, error in refused.items():
        if kid not in keys:
            raise error
    if not keys and rows.wraps:
        raise RootKeyMismatchError("This is the wrong root key, or the keyring row is damaged.")
    if set(rows.kids) != set(keys) or rows.active_kid not in keys:
        raise KeyringCorruptError("Keyring rows are missing: not every sealing key has a wrap of this root key.")
    return keys
