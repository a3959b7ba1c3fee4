"""Wraps: sealing keys as root keys wrapped them, made and opened one by one, and many at once."""

from __future__ import annotations

from collections.abc import Iterable

from strongroom.crypto import jwe, kdf
from strongroom.errors import KeyringCorruptError
from strongroom.ports.root_key import CheckedRootKey, CostlyRootKey, NotMine, RootKey
from strongroom.records.keyring import WrapContext, WrappedKey
from strongroom.secret import Secret

_KID_BYTES = 16
_MOST_FAILED_WRAPS = 1024
"""Wraps that are tried in vain in one opening: a writer of the database may have put any number there."""
_MOST_FAILED_DEAR_WRAPS = 300
"""Of them, those that a CostlyRootKey ranks above 0: each may be a call to a service. Argon2id has its own budget."""


def kid_of(sealing_key: Secret) -> str:
    """The key's own name: base64url of 16 bytes of HKDF-SHA256(key, "strongroom/v1/kid"), 22 characters."""
    return jwe.encode_segment(kdf.derive(sealing_key, "strongroom/v1/kid", _KID_BYTES).reveal())


def wrap(root_key: RootKey, kid: str, sealing_key: Secret, uri: str | None = None) -> WrappedKey:
    """Wrap a sealing key, and unwrap it again before anything relies on it. Raises RootKeyError.

    ``uri`` is what the root key is registered under; None: what it was opened from.
    """
    made = wrap_one(root_key, kid, sealing_key, uri)
    if not root_key.recognises(made) or not _gives_back(root_key, made):
        raise KeyringCorruptError("The root key does not give back what it wrapped; nothing was changed.")
    return made


def _gives_back(root_key: RootKey, made: WrappedKey) -> bool:
    try:
        return kid_of(root_key.unwrap(made.wrapped, made.context)) == made.kid
    except NotMine:
        return False


def wrap_one(root_key: RootKey, kid: str, sealing_key: Secret, uri: str | None = None) -> WrappedKey:
    """Wrap a sealing key; nothing proves it yet. Raises RootKeyError."""
    text = root_key.wrap(sealing_key, WrapContext(kid))
    check_value = root_key.check_value(text) if isinstance(root_key, CheckedRootKey) else ""
    return WrappedKey(kid, root_key.uri if uri is None else uri, text, check_value)


def unwrap_one(root_key: RootKey, wrap: WrappedKey) -> Secret:
    """Unwrap one sealing key; its kid is not looked at. Raises NotMine, KeyringCorruptError, RootKeyError.

    A wrap that does not open although the root key's check value stands next to it is damaged.
    """
    if not root_key.recognises(wrap):
        raise NotMine
    try:
        return root_key.unwrap(wrap.wrapped, wrap.context)
    except NotMine:
        if isinstance(root_key, CheckedRootKey) and root_key.check_value(wrap.wrapped) == wrap.check_value:
            raise KeyringCorruptError("The root key is the right one, but a keyring row is damaged.") from None
        raise


def open_each(
    wraps: Iterable[WrappedKey], root_key: RootKey
) -> tuple[dict[str, Secret], dict[str, KeyringCorruptError]]:
    """What opens, and the first damage of each kid's wraps; what fits and costs least is tried first.

    Anybody may have added rows who writes to the database: another wrap of the same kid may be the good one, and none
    is tried of a kid that is open. Raises KeyringCorruptError where too many were tried in vain, RootKeyError.
    """
    keys: dict[str, Secret] = {}
    refused: dict[str, KeyringCorruptError] = {}
    fitting: set[str] = set()

    def order(wrap: WrappedKey) -> tuple[bool, bool, int, bool]:
        rank = root_key.rank(wrap) if isinstance(root_key, CostlyRootKey) else 0
        return rank > 0, wrap.check_value not in fitting, rank, wrap.root_key_uri != root_key.uri

    waiting = sorted(filter(root_key.recognises, wraps), key=order)[::-1]
    failures = dear = 0
    while waiting:
        wrap = waiting.pop()
        if wrap.kid in keys:
            continue
        if failures >= _MOST_FAILED_WRAPS or dear >= _MOST_FAILED_DEAR_WRAPS:
            raise KeyringCorruptError(f"The keyring has more than {failures} wraps that do not open.")
        is_dear = order(wrap)[0]
        try:
            key = unwrap_one(root_key, wrap)
        except NotMine:
            failures, dear = failures + 1, dear + is_dear
            continue
        except KeyringCorruptError as error:
            failures += 1
            refused.setdefault(wrap.kid, error)
            continue
        if kid_of(key) != wrap.kid:
            raise KeyringCorruptError("A keyring row names another sealing key than it holds.")
        keys[wrap.kid] = key
        if wrap.check_value not in fitting:  # now it is known what fits
            fitting.add(wrap.check_value)
            waiting = sorted(waiting, key=order)[::-1]
    return keys, refused
