"""What an HTTP service answers where a verb raised: a status, and a body that a client may see."""

from __future__ import annotations

from typing import Any

from strongroom.errors import (
    ConflictError,
    ConnectionNotSupportedError,
    InsecureConnectionError,
    InvalidRequestError,
    InvalidSettingError,
    MissingExtraError,
    NonceConflictError,
    SignatureFaultError,
    SignatureRefusedError,
    SigningError,
    StrongroomError,
    UnsupportedDatabaseError,
    WalletNotFoundError,
)

__all__ = ["body_of", "status_of"]

_OURS = (
    ConnectionNotSupportedError,
    InsecureConnectionError,
    InvalidSettingError,
    MissingExtraError,
    SignatureFaultError,
    UnsupportedDatabaseError,
)
"""Mistakes of the service itself, whatever the client sent."""


def status_of(error: StrongroomError) -> int:
    """Return 503 where the call may be repeated as it is, 404, 409 or 400 for what the client asked, else 500."""
    if error.retryable:
        return 503
    if isinstance(error, _OURS):
        return 500
    if isinstance(error, WalletNotFoundError):
        return 404
    if isinstance(error, ConflictError):
        return 409
    if isinstance(error, SigningError):
        return 409 if isinstance(error, (NonceConflictError, SignatureRefusedError)) else 400
    return 400 if isinstance(error, InvalidRequestError) else 500


def body_of(error: StrongroomError) -> dict[str, Any]:
    """Return ``code`` and ``retryable``; and ``message``, where the client's own request is at fault."""
    body: dict[str, Any] = {"code": error.code, "retryable": error.retryable}
    if status_of(error) < 500:
        body["message"] = error.message
    return body
