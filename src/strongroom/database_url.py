"""Database URLs as they may be shown, and whether they hold a password."""

from __future__ import annotations

import re

_SCHEME = r"[\s\"'`]*[\w+.-]*://"
"""With quotes before it, which copied lines of .env files bring along: their part of the URL is no user."""
# Generous on purpose: all text from the first colon to the last @ is the password, however badly it is quoted
_CREDENTIALS = re.compile(rf"^(?:({_SCHEME})|(?!{_SCHEME}))([^:/?#]*):(.*)@", re.DOTALL)
_PASSWORD_PARAMETER = re.compile(r"(?i)((?:ssl)?password\s*=\s*)([^&\s]+)")


def has_password(url: str) -> bool:
    """Whether a database URL holds a password that is not empty."""
    found = _CREDENTIALS.match(url)
    return bool(found and found[3]) or _PASSWORD_PARAMETER.search(url) is not None


def without_password(url: str) -> str:
    """The database URL as it may be shown."""
    bare = _CREDENTIALS.sub(lambda found: f"{found[1] or ''}{found[2]}@", url)
    return _PASSWORD_PARAMETER.sub(r"\1***", bare)
