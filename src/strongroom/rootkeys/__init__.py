"""Root keys: one file a provider, one line in the table below."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from strongroom.errors import InvalidSettingError
from strongroom.ports import RootKey


def _file(uri: str) -> RootKey:
    from strongroom.rootkeys.file import FileRootKey

    return FileRootKey(uri)


def _environment(uri: str) -> RootKey:
    from strongroom.rootkeys.environment import EnvironmentRootKey

    return EnvironmentRootKey(uri)


def _passphrase(uri: str) -> RootKey:
    from strongroom.rootkeys.passphrase import PassphraseRootKey

    return PassphraseRootKey(uri)


PROVIDERS: Mapping[str, Callable[[str], RootKey]] = {
    "file": _file,
    "env": _environment,
    "passphrase": _passphrase,
}
LONGEST_URI = 8192
_NEED_NO_SETTINGS = {"passphrase"}


def open_root_key(uri: str) -> RootKey:
    """Return the provider that a URI names, such as ``file:root.key``; reads nothing yet.

    Raises InvalidSettingError for a URI without a known scheme, or with settings that are none; the message does
    not quote it.
    """
    from strongroom.rootkeys import local

    if len(uri) > LONGEST_URI:
        raise InvalidSettingError(f"The root key URI is longer than {LONGEST_URI:,} characters.")
    scheme, colon, rest = uri.partition(":")
    if local.PREFIX in uri or not _can_be_stored(uri):
        raise InvalidSettingError(
            "The root key URI is not one: it holds a root key itself, a NUL, or what is no Unicode.",
            hint="Put the key into a file or a variable and name that: file:root.key, env:NAME. It was not kept.",
        )
    if not colon or scheme not in PROVIDERS or not (rest or scheme in _NEED_NO_SETTINGS):
        known = ", ".join(f"{name}:" for name in PROVIDERS)
        raise InvalidSettingError(
            "The root key URI has no known scheme.",
            hint=f"Use a URI that begins with one of: {known} - such as file:root.key",
        )
    return PROVIDERS[scheme](uri)


def _can_be_stored(uri: str) -> bool:
    """Whether a database can keep it beside a wrap, as text: no NUL, no half of a surrogate pair."""
    try:
        return b"\0" not in uri.encode()
    except UnicodeEncodeError:
        return False
