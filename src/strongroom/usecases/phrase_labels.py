"""Labels of wallets of a phrase: those that a caller names, or a prefix with numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import islice

from strongroom.errors import InvalidLabelError
from strongroom.records import identifiers

_MOST = 1_000_000
_KEY_DIGITS = 32
"""Of the SHA-256 of an idempotency key, in the labels of the wallets that it stands for."""


def labels_of(
    labels: Sequence[str] | None, count: int | None, prefix: str | None, idempotency_key: str | None
) -> Sequence[str]:
    """The labels that are asked for: those that are named, or a prefix with numbers; an idempotency key stands for one.

    Raises InvalidLabelError, InvalidIdempotencyKeyError.
    """
    key = identifiers.check_idempotency_key(idempotency_key)
    if labels is not None and (count, prefix, key) == (None, None, None):
        return labels
    if labels is not None or (prefix is None) is (key is None) or type(count) is not int or not 0 <= count <= _MOST:
        raise InvalidLabelError(
            "Wallets are asked for by their labels, or by a count with a label_prefix or an idempotency_key.",
            hint=f"Such as count=1000, label_prefix='customer-'; at most {_MOST:,} in one call.",
        )
    if key is not None:
        prefix = f"{hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()[:_KEY_DIGITS]}-"
    return [f"{prefix}{number}" for number in range(count)]


def checked_labels(labels: Sequence[str]) -> list[str]:
    """Labels that are asked for, each once; at most a million. Raises InvalidLabelError."""
    if isinstance(labels, str | bytes) or not isinstance(labels, Iterable):
        raise InvalidLabelError("Labels come as a list of them.")
    found = [identifiers.check_label(label) for label in islice(labels, _MOST + 1)]
    if len(found) > _MOST:
        raise InvalidLabelError(
            f"More than {_MOST:,} labels are asked for.", hint="Ask for them in several calls; nothing was written."
        )
    if len(set(found)) != len(found):
        raise InvalidLabelError("A label is asked for twice.", hint="Ask for each label once; nothing was written.")
    return found
