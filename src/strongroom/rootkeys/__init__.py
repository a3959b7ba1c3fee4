"""Root keys: one file a provider, one line in the table below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from strongroom.errors import InvalidSettingError
from strongroom.host.secret_variables import ENVIRONMENT
from strongroom.ports.root_key import RootKey, SecretSource


@dataclass(frozen=True, slots=True)
class ProviderOptions:
    """What providers are opened with, next to their URI."""

    secrets: SecretSource = ENVIRONMENT
    """Where they ask for secrets by name, when they first need them."""
    timeout_seconds: float = 10.0
    """How long one verb of a service's root key may take, every wait included; see rootkeys/deadline.py."""


def _file(uri: str, options: ProviderOptions) -> RootKey:  # noqa: ARG001 - it needs none
    from strongroom.rootkeys.file import FileRootKey

    return FileRootKey(uri)


def _environment(uri: str, options: ProviderOptions) -> RootKey:
    from strongroom.rootkeys.environment import EnvironmentRootKey

    return EnvironmentRootKey(uri, options.secrets)


def _passphrase(uri: str, options: ProviderOptions) -> RootKey:
    from strongroom.rootkeys.passphrase import PassphraseRootKey

    return PassphraseRootKey(uri, options.secrets)


PROVIDERS: Mapping[str, Callable[[str, ProviderOptions], RootKey]] = {
    "file": _file,
    "env": _environment,
    "passphrase": _passphrase,
}
_DEFAULTS = ProviderOptions()
LONGEST_URI = 8192
_NEED_NO_SETTINGS = {"passphrase"}


def open_root_key(uri: str, options: ProviderOptions = _DEFAULTS) -> RootKey:
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
            "The root key URI is not valid: it contains a root key itself, a NUL, or invalid Unicode.",
            hint="Put the key into a file or a variable and name that: file:root.key, env:NAME. It was not kept.",
        )
    if not colon or scheme not in PROVIDERS or not (rest or scheme in _NEED_NO_SETTINGS):
        known = ", ".join(f"{name}:" for name in PROVIDERS)
        raise InvalidSettingError(
            "The root key URI has no known scheme.",
            hint=f"Use a URI that begins with one of: {known} - such as file:root.key"
            + (", without quotes around it" if uri[:1] in _QUOTES else ""),
        )
    return PROVIDERS[scheme](uri, options)


_QUOTES = ("'", '"', "`", "\u201c", "\u201d", "\u2018", "\u2019")
"""What copied lines of .env files, and Docker's --env-file, bring along."""


def _can_be_stored(uri: str) -> bool:
    """Whether a database can keep it next to a wrap, as text: no NUL, no half of a surrogate pair."""
    try:
        return b"\0" not in uri.encode()
    except UnicodeEncodeError:
        return False
