"""SQL of what an inspection reads of metadata that are jsonb: members by their names, and all of them where there are
others than strongroom's own."""

from __future__ import annotations

from strongroom.store.statements.bounds import fits, is_read
from strongroom.store.statements.wallet_row import METADATA_MEMBERS, OTHER_METADATA, UNREAD_MARK

_LONG_FACT_CHARACTERS = 1025
"""One more than a scheme or a path may have."""
_PUNCTUATION = 4
"""Characters around a name and a value."""
_MARK_CHARACTERS = 32
"""Before metadata that do not come whole, and around them."""
_OWN_MEMBERS = "'{scheme,path}'::text[]"
_OTHERS = (
    "CASE WHEN jsonb_typeof(c.metadata) = 'null' THEN NULL "
    "WHEN CASE WHEN jsonb_typeof(c.metadata) = 'object' THEN c.metadata - {own} = '{{}}'::jsonb END THEN NULL "
    "WHEN {fits} THEN c.metadata::text WHEN jsonb_typeof(c.metadata) = 'object' THEN {members} ELSE {none} END"
)
_MEMBERS = (
    "(SELECT '{mark}' || count(*) FILTER (WHERE s.size IS NULL OR s.size > {most}) || '{mark}' "
    "|| coalesce(jsonb_object_agg(s.key, s.value) FILTER (WHERE s.size <= {most}), '{{}}')::text FROM ("
    "SELECT m.key, m.value, CASE WHEN m.own IS NOT NULL THEN sum(m.own) OVER (ORDER BY m.own, m.key) END AS size FROM ("
    "SELECT e.key, e.value, CASE WHEN {fits} THEN length(e.value::text) + length(to_jsonb(e.key)::text) + {around} END "
    "AS own FROM jsonb_each(c.metadata) e) m) s)"
)
"""The members one by one, short ones first, as many as fit together; before them how many do not."""


def metadata_columns(most_characters: int, *, sharded: bool) -> dict[str, str]:
    """SQL by field of ``InspectedRow``; each text is cut one character behind the most that is read.

    ``sharded``: where metadata that do not fit are not read at all, nor those with more numbers than are counted.
    """
    sizes = dict.fromkeys(("scheme", "path"), _LONG_FACT_CHARACTERS)
    none = f"'{UNREAD_MARK}1{UNREAD_MARK}null'"
    small = is_read("c.metadata", most_characters)
    members = _MEMBERS.format(
        mark=UNREAD_MARK, most=most_characters, around=_PUNCTUATION, fits=is_read("e.value", most_characters)
    )
    if sharded:
        small, members = fits("c.metadata", "jsonb", most_characters), none
    others = _OTHERS.format(own=_OWN_MEMBERS, fits=small, members=members, none=none)
    named = {
        name: f"left(c.metadata {member}, {sizes.get(name, most_characters + 1)})"
        for name, member in METADATA_MEMBERS.items()
    }
    return {**named, OTHER_METADATA: f"left({others}, {most_characters + _MARK_CHARACTERS})"}
