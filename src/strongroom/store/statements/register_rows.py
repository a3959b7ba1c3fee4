"""Records of the register and their tags, from rows and to parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from strongroom import bounded_json
from strongroom.records.register import (
    ROOT_KEYS,
    KeyringHead,
    Registered,
    Registration,
    SlotRecord,
    TaggedHead,
    TaggedSlot,
)
from strongroom.records.tag import Tag
from strongroom.records.wallets import Wallet

RECORD_ONLY = ("variant", "version", "phrase_id", "phrase_index", "kid", "tag")
"""The columns of a wallet's record that no row of ours has."""
NO_UUID = UUID(int=0)
"""What an id is read as that is none of ours."""
_TEXTS = frozenset((str, type(None)))
_SPELLED = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def uuid_of(value: Any) -> UUID:
    """A UUID from what the driver returned; the nil UUID where SQLite's row holds none: it proves as no wallet."""
    if isinstance(value, UUID):
        return value
    return _read_uuid(value) if isinstance(value, str) else UUID(int=0)


def project_of(value: Any) -> UUID:
    """A project's UUID; the nil UUID where a text is none as UUIDs are written: it proves as no wallet."""
    return uuid_of(value) if is_spelled(value) else NO_UUID


def is_spelled(value: Any) -> bool:
    """Whether an id stands as UUIDs are written: in small letters, with hyphens."""
    return isinstance(value, UUID) or (isinstance(value, str) and _SPELLED.fullmatch(value) is not None)


def uuid_or_none(text: str | None) -> UUID | None:
    """The UUID that a text is, or None."""
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None


@lru_cache(1024)
def _read_uuid(text: str) -> UUID:
    """Remembered: the same projects are asked for again and again."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def text_of(value: Any) -> str | None:
    """The text of a column: a legacy table's may have another type."""
    return value if value is None or isinstance(value, str) else str(value)


def texts_of(values: tuple[Any, ...]) -> tuple[str | None, ...]:
    """The texts of several columns."""
    return values if _TEXTS.issuperset(map(type, values)) else tuple(map(text_of, values))


def registered_with_row(wallet: Wallet, values: Sequence[Any]) -> Registered | None:
    """A record from the columns that tables of ours lack, and for the rest from the rows: the tag covers all of it."""
    variant, version, phrase_id, phrase_index, kid, tag = values
    if tag is None:
        return None
    record = Registration(
        wallet.project_id,
        wallet.id,
        wallet.network,
        text_of(variant),
        wallet.label,
        wallet.vault_id,
        wallet.address,
        wallet.public_key,
        wallet.scheme,
        wallet.path,
        wallet.access_level or "",
        wallet.status,
        whole_number(version),
        None if phrase_id is None else uuid_of(phrase_id),
        _index_of(phrase_index),
    )
    return Registered(record, Tag(str(kid), str(tag)))


def registered(values: Sequence[Any]) -> Registered | None:
    """A record of the register from all of its columns; None where there is none.

    Whatever stands in them: the tag tells.
    """
    project_id, credential_id, *texts, version, phrase_id, phrase_index, kid, tag = values
    if tag is None:
        return None
    credential, project = uuid_of(credential_id), uuid_of(project_id)
    network, variant, label, vault_id, address, public_key, scheme, path, level, status = texts_of(tuple(texts))
    record = Registration(
        project,
        credential,
        network or "",
        variant,
        label or "",
        vault_id or "",
        address or "",
        public_key or "",
        scheme,
        path,
        level or "",
        status or "",
        whole_number(version),
        None if phrase_id is None else uuid_of(phrase_id),
        _index_of(phrase_index),
    )
    return Registered(record, Tag(str(kid), str(tag)))


def tag_of(kid: Any, value: Any) -> Tag | None:
    """A tag from its two columns; None where there is none."""
    return None if value is None else Tag(str(kid), str(value))


def tagged_head(values: Sequence[Any]) -> TaggedHead | None:
    """The head of the keyring from its columns; None where it carries no tag: no version that makes tags wrote it.

    States that cannot be read are none at all: a head that was changed is not taken for one of an older version.
    """
    version, states, tags_complete, accept_foreign, kid, value = values
    tag = tag_of(kid, value)
    if tag is None:
        return None
    found, root_keys = _states(states)
    return TaggedHead(
        KeyringHead(whole_number(version), found, bool(tags_complete), bool(accept_foreign), root_keys), tag
    )


def _states(text: Any) -> tuple[dict[str, str], tuple[str, ...] | None]:
    """State by kid, and the names of the root keys where the head has them."""
    try:
        found = bounded_json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return {}, None
    if not isinstance(found, dict):
        return {}, None
    named = found.pop(ROOT_KEYS, None)
    known = isinstance(named, list) and all(isinstance(name, str) for name in named)
    if not (named is None or known) or not all(isinstance(state, str) for state in found.values()):
        return {}, None
    return found, None if named is None else tuple(named)


def head_parameters(head: TaggedHead) -> dict[str, Any]:
    """The parameters of a new state of the keyring's head."""
    record, tag = head
    return {
        "version": record.version,
        "old_version": record.version - 1,
        "states": record.states_text(),
        "tags_complete": record.tags_complete,
        "accept_foreign": record.accept_foreign,
        "tag_kid": tag.kid,
        "head_tag": tag.value,
    }


def record_parameters(registered: Registered, old: Registered | None = None) -> dict[str, Any]:
    """The parameters of a wallet's record, and of the one that it takes the place of."""
    record, tag = registered
    parameters = {
        "id": record.credential_id,
        "project_id": record.project_id,
        "network": record.network,
        "variant": record.variant,
        "label": record.label,
        "vault_id": record.vault_id,
        "address": record.address,
        "public_key": record.public_key,
        "scheme": record.scheme,
        "path": record.path,
        "access_level": record.access_level,
        "status": record.status,
        "record_version": record.version,
        "phrase_id": record.phrase_id,
        "phrase_index": record.phrase_index,
        "tag_kid": tag.kid,
        "record_tag": tag.value,
    }
    if old is not None:
        parameters |= {"old_version": old.record.version, "old_tag": old.tag.value}
    return parameters


def _index_of(value: Any) -> int | None:
    """A phrase's index; -1, which none has, where SQLite's row holds no number."""
    return value if value is None or type(value) is int else -1


def tagged_slot(row: Sequence[Any]) -> TaggedSlot:
    """A slot with its tag, from project id, network, label, credential id, version, kid and tag."""
    project_id, network, label, credential_id, version, kid, tag = row
    names = (uuid_of(project_id), str(network), str(label), uuid_of(credential_id))
    return TaggedSlot(SlotRecord(*names, whole_number(version)), tag_of(kid, tag))


def whole_number(value: Any) -> int:
    """A version; 0, which none has, where SQLite's row holds no number."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
