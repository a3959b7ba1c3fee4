"""Phrases of projects, their accounts and branches, from rows. Whatever stands in them: the tag tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from strongroom.records.phrases import AccountRecord, PhraseRecord, StoredPhrase, TaggedAccount
from strongroom.records.tag import Tag
from strongroom.records.watch_only import BranchRecord, TaggedBranch
from strongroom.store.statements.register_rows import uuid_of, whole_number
from strongroom.store.statements.rows import time_of
from strongroom.store.statements.tables import ACCOUNT_ROW, BRANCH_ROW, PHRASE_ROW


def stored_phrase(row: Sequence[Any]) -> StoredPhrase:
    """A phrase from the columns of ``PHRASE_ROW``, in their order."""
    found = dict(zip(PHRASE_ROW, row, strict=True))
    return StoredPhrase(phrase_record(found), _tag(found), str(found["sealed_text"]), time_of(found["created_at"]))


def tagged_account(row: Sequence[Any]) -> TaggedAccount:
    """An account from the columns of ``ACCOUNT_ROW``, in their order."""
    found = dict(zip(ACCOUNT_ROW, row, strict=True))
    return TaggedAccount(account_record(found), _tag(found))


def tagged_branch(row: Sequence[Any]) -> TaggedBranch:
    """A branch from the columns of ``BRANCH_ROW``, in their order."""
    found = dict(zip(BRANCH_ROW, row, strict=True))
    return TaggedBranch(branch_record(found), _tag(found))


def phrase_record(found: Mapping[str, Any]) -> PhraseRecord:
    """What the tag of a phrase covers, from its columns by name."""
    return PhraseRecord(
        uuid_of(found["project_id"]),
        uuid_of(found["phrase_id"]),
        str(found["label"]),
        whole_number(found["words"]),
        found["has_passphrase"] in (True, 1),
        str(found["identifier"]),
        str(found["status"]),
        whole_number(found["version"]),
    )


def account_record(found: Mapping[str, Any]) -> AccountRecord:
    """What the tag of an account covers, from its columns by name."""
    return AccountRecord(
        uuid_of(found["project_id"]),
        uuid_of(found["phrase_id"]),
        str(found["network"]),
        str(found["variant"]),
        str(found["template"]),
        whole_number(found["next_index"]),
        whole_number(found["version"]),
    )


def branch_record(found: Mapping[str, Any]) -> BranchRecord:
    """What the tag of a branch covers, from its columns by name."""
    return BranchRecord(
        uuid_of(found["project_id"]),
        uuid_of(found["phrase_id"]),
        str(found["path"]),
        found["xpub_exported"] in (True, 1),
        found["key_revealed"] in (True, 1),
        whole_number(found["version"]),
    )


def _tag(found: Mapping[str, Any]) -> Tag:
    return Tag(str(found["kid"]), str(found["tag"]))
