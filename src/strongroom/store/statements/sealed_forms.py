"""Whether a text is one sealed text and nothing else, as far as SQL can see: what is behind it counts as much."""

from __future__ import annotations

from strongroom.records.vault_texts import SEALED_PREFIX

_MOST_CHARACTERS = 16_384
_WRAPPED_KEY, _NONCE, _TAG = 54, 16, 22
"""Characters of the segments of a compact JWE whose lengths are fixed."""


def is_one_sealed(column: str, *, sqlite: bool) -> str:
    """The condition, over a column that is no NULL; see docs/format.md."""
    if not sqlite:
        letters = "[A-Za-z0-9_-]"
        fixed = f"[.]{letters}{{{_WRAPPED_KEY}}}[.]{letters}{{{_NONCE}}}[.]{letters}+[.]{letters}{{{_TAG}}}"
        return f"(length({column}) <= {_MOST_CHARACTERS} AND {column} ~ '^{SEALED_PREFIX}{letters}*{fixed}$')"
    form = f"{SEALED_PREFIX}*.{'?' * _WRAPPED_KEY}.{'?' * _NONCE}.?*.{'?' * _TAG}"
    return (
        f"(typeof({column}) = 'text' AND length(CAST({column} AS BLOB)) <= {_MOST_CHARACTERS} "
        f"AND length(CAST({column} AS BLOB)) = length({column}) "  # for GLOB a text ends where its first NUL is
        f"AND {column} NOT GLOB '*[^A-Za-z0-9_.-]*' "
        f"AND length({column}) - length(replace({column}, '.', '')) = 4 AND {column} GLOB '{form}')"
    )
