"""SQL of what an inspection reads of metadata that are jsonb: members by their names, and all of them where there are
others than strongroom's own."""

from __future__ import annotations

from strongroom.store.statements.bounds import fits
from strongroom.store.statements.wallet_row import METADATA_MEMBERS, OTHER_METADATA

_UTF8_BYTES = 4
_LONG_FACT_CHARACTERS = 1025
"""One more than a scheme or a path may have."""
_LARGEST_KEY = "1e80"
"""No private key is a larger number."""
_TOO_LARGE = "these metadata are larger than any that are read"
_OWN_MEMBERS = "'{scheme,path}'::text[]"
_OTHERS = (
    "CASE WHEN jsonb_typeof(c.metadata) = 'null' THEN NULL "
    "WHEN CASE WHEN jsonb_typeof(c.metadata) = 'object' THEN c.metadata - {own} = '{{}}'::jsonb END THEN NULL "
    "WHEN {fits} THEN c.metadata::text ELSE '{too_large}' END"
)


def metadata_columns(most_characters: int) -> dict[str, str]:
    """SQL by field of ``InspectedRow``; each text is cut one character behind the most that is read."""
    sizes = dict.fromkeys(("scheme", "path"), _LONG_FACT_CHARACTERS)
    small = fits("c.metadata", "jsonb", _UTF8_BYTES * most_characters, _LARGEST_KEY)
    others = _OTHERS.format(own=_OWN_MEMBERS, fits=small, too_large=_TOO_LARGE)
    members = {
        name: f"left(c.metadata {member}, {sizes.get(name, most_characters + 1)})"
        for name, member in METADATA_MEMBERS.items()
    }
    return {**members, OTHER_METADATA: f"left({others}, {most_characters + 1})"}
