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
_NEED_NO_SETTINGS = {"passphrase"}


def open_root_key(uri: str) -> RootKey:
    """Return the provider that a URI names, such as ``file:root.key``; reads nothing yet.

    Raises InvalidSettingError for a URI without a known scheme, or with settings that are none; the message does
    not quote it.
    """
    from strongroom.rootkeys import local

    scheme, colon, rest = uri.partition(":")
    if local.PREFIX in uri or "\0" in uri:
        raise InvalidSettingError(
            "The root key URI is not one: it holds a root key itself, or a NUL.",
            hint="Put the key into a file or a variable and name that: file:root.key, env:NAME. It was not kept.",
        )
    if not colon or scheme not in PROVIDERS or not (rest or scheme in _NEED_NO_SETTINGS):
        known = ", ".join(f"{name}:" for name in PROVIDERS)
        raise InvalidSettingError(
            "The root key URI has no known scheme.",
            hint=f"Use a URI that begins with one of: {known} - such as file:root.key",
        )
    return PROVIDERS[scheme](uri)
