"""What the command line exits with: for each error of the library, and for what is no error."""

from __future__ import annotations

from strongroom.errors import (
    AddressMismatchError,
    ConflictError,
    InvalidRequestError,
    NonceConflictError,
    PhraseNotFoundError,
    ProofError,
    RootKeyError,
    SignatureFaultError,
    SignatureRefusedError,
    SigningError,
    StoreError,
    StrongroomError,
    WalletNotFoundError,
)

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_FINDINGS = 3
EXIT_ROOT_KEY = 4
EXIT_CONFLICT = 5
EXIT_PARTLY = 6
EXIT_INTERRUPTED = 130

EXIT_CODES: dict[type[StrongroomError], int] = {
    InvalidRequestError: EXIT_USAGE,
    AddressMismatchError: EXIT_CONFLICT,
    SigningError: EXIT_USAGE,
    SignatureRefusedError: EXIT_CONFLICT,
    NonceConflictError: EXIT_CONFLICT,
    SignatureFaultError: EXIT_FAILED,
    PhraseNotFoundError: EXIT_FAILED,
    WalletNotFoundError: EXIT_FAILED,
    ConflictError: EXIT_CONFLICT,
    RootKeyError: EXIT_ROOT_KEY,
    ProofError: EXIT_FAILED,
    StoreError: EXIT_FAILED,
}
"""By class of error; a class that is not listed has the code of the nearest one above it."""


def exit_code_of(kind: type[StrongroomError]) -> int:
    """Return the exit code of a class of errors."""
    return next((EXIT_CODES[each] for each in kind.__mro__ if each in EXIT_CODES), EXIT_FAILED)
