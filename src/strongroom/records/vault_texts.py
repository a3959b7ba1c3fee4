"""What is in a vault record: how a sealed text begins, and the texts that hold no key."""

from __future__ import annotations

import json
from collections.abc import Iterable

NOT_RECOVERABLE = "PRIVATE_KEY_NOT_RECOVERABLE"
PLACEHOLDERS = frozenset({"", "MIGRATION_REQUIRED", NOT_RECOVERABLE})
"""Texts of a vault record that hold no key."""
SEALED_PREFIX = "eyJraWQiOi"
"""What every sealed text begins with (docs/format.md): whole characters of the base64url of ``{"kid":"``. A store, the
guard and the CHECKs of legacy tables tell sealed texts from others by it, and open none."""
LEAST_SEALED_CHARACTERS = 500
"""No sealed text of a wallet is shorter, nor is what one is wrapped in."""
SEALED_PATTERN = SEALED_PREFIX + "%"
"""The same, for LIKE."""
KEY_MEMBERS = ("private_key_encrypted", "vault_storage.encrypted_private_key", "private_key_vault_id")
"""The members of metadata in which legacy applications are known to have kept key texts."""
UNNAMED = "@rest"
"""Names the text of metadata that stands under names which are not printed, or in metadata that are no JSON object."""

ALL_MEMBERS = "@all"
"""Names all texts of metadata together, as an object."""


def is_unnamed(name: str) -> bool:
    """Whether a name of a text of metadata leads to no one member that could be taken out."""
    return name.rpartition(".")[2] == UNNAMED


def by_member(texts: Iterable[tuple[str, str]], member: str) -> dict[str, str]:
    """Texts of metadata by their names; for ``ALL_MEMBERS`` one text with all of them."""
    found = dict(texts)
    return {ALL_MEMBERS: json.dumps(found, ensure_ascii=False)} if found and member == ALL_MEMBERS else found
