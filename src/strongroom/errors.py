"""Every error that strongroom raises, in one tree.

::

    StrongroomError                      exit code
    ├── InvalidRequestError              2   the caller asked for something that cannot be
    │   ├── InvalidProjectError              project id is not a UUID
    │   ├── InvalidWalletIdError             wallet id is not a UUID
    │   ├── InvalidLabelError
    │   ├── InvalidIdempotencyKeyError
    │   ├── InvalidActorError                actor or reason is too long
    │   ├── InvalidCursorError
    │   ├── InvalidLimitError                page size out of range
    │   ├── UnknownNetworkError
    │   ├── UnknownVariantError
    │   ├── InvalidMnemonicError
    │   ├── InvalidPrivateKeyError
    │   ├── InvalidKeystoreError             not a keystore, or one that asks for too much work
    │   ├── KeystorePasswordError            it does not open the keystore, or is too short for a new one
    │   ├── InvalidPathError
    │   ├── InvalidAddressError
    │   ├── AddressMismatchError         5   the given address is not the key's
    │   ├── InvalidPlanError                 not a repair plan, or one that was edited into none
    │   ├── InvalidSettingError
    │   ├── UnsupportedDatabaseError
    │   ├── ConnectionNotSupportedError      a ``connection=`` that cannot carry the write
    │   └── MissingExtraError                an optional dependency is not installed
    ├── SigningError                     2   what cannot, or must not, be signed; no signature was made
    │   ├── UnsupportedSigningError          the network, or the scheme of the wallet, does not sign this kind
    │   ├── MalformedPayloadError            the payload cannot be read
    │   ├── SignatureRefusedError        5   another chain, another wallet, a fee above the limit, an unsafe sighash
    │   ├── NonceConflictError           5   another payload was signed under this nonce
    │   └── SignatureFaultError          1   a signature that did not verify; it was thrown away
    ├── WalletNotFoundError              1
    ├── ConflictError                    5   what is there differs from what was asked; nothing changed
    │   ├── IdempotencyConflictError
    │   ├── KeyConflictError                 another key lives there
    │   ├── VariantConflictError             a wallet of another variant lives there
    │   ├── WalletRevokedError               the wallet was revoked; replace makes a new one
    │   ├── SlotMovedError                   the wallet is no longer the live one of its slot
    │   ├── AmbiguousWalletError             several wallets answer to one name
    │   └── MigrationBlockedError            rows violate what a migration would make
    ├── RootKeyError                     4   the keyring cannot be unwrapped
    │   ├── RootKeyMissingError
    │   ├── RootKeyMalformedError
    │   ├── RootKeyInsecureError             readable by others
    │   ├── RootKeyExistsError               a new root key would replace a file
    │   ├── RootKeyMismatchError
    │   ├── KeyringMissingError              sealed rows, but no keyring
    │   ├── KeyringCorruptError
    │   ├── LastRootKeyError                 without this root key the keyring would not open
    │   └── UnknownSealingKeyError           a sealed text names a key that is not in the keyring
    ├── ProofError                       1   a stored wallet is not what it should be
    │   ├── KeyMissingError                  a credential without its key
    │   ├── NotSealedError                   the text is not ours, or a placeholder
    │   ├── SealedTextCorruptError
    │   ├── IdentityMismatchError            the sealed text belongs to another row
    │   ├── DerivationMismatchError          the key does not derive what is stored
    │   └── PhraseMismatchError              the phrase does not derive the key
    └── StoreError                       1   the database
        ├── NotInitializedError
        ├── ForeignSchemaError
        ├── SchemaVersionError
        ├── StoreUnavailableError            retryable
        │   └── DiskFailedError                  retryable: the disk could not be read or written
        ├── OutcomeUnknownError              retryable: it may have happened; a retry finds out
        ├── RetryTransactionError            retryable: the caller's transaction must run again
        ├── ContentionError                  retryable: too many conflicts in a row
        ├── StoreRefusedError                a constraint, a privilege
        │   ├── DiskFullError                    retryable: once there is space again
        │   ├── ReadOnlyStoreError               retryable: once the database takes writes again
        │   ├── CheckRefusesError                a CHECK of the schema refuses our values
        │   ├── ColumnTooShortError              a column of the schema is too short for a value
        │   └── TriggerConflictError             a trigger of the schema does not let a wallet be written
        ├── NotDurableError
        ├── RowsHiddenError
        └── InsecureFileError

Messages carry public identifiers only: never a secret, never a value that the caller passed as one, never a
driver's text, since PostgreSQL quotes whole rows. ``code`` is stable; ``hint`` says what to do next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar


class StrongroomError(Exception):
    """The root of all errors.

    ``code`` is a stable identifier, ``hint`` what to do next, ``retryable`` whether the same call may succeed
    later, and ``exit_code`` what the command line exits with.
    """

    code: ClassVar[str] = "strongroom-error"
    default_hint: ClassVar[str] = "See the error reference in the documentation."
    retryable: bool = False
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str = "", *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint or self.default_hint

    @property
    def message(self) -> str:
        """What happened, in one sentence, with public identifiers only."""
        return str(self.args[0]) if self.args else ""

    def as_dict(self) -> dict[str, Any]:
        """The error as the command line prints it: code, message, hint."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


def all_errors(root: type[StrongroomError] = StrongroomError) -> Iterator[type[StrongroomError]]:
    """Yield ``root`` and every class below it, depth first."""
    yield root
    for child in root.__subclasses__():
        yield from all_errors(child)


# --- the caller asked for something that cannot be ----------------------------------------------------------


class InvalidRequestError(StrongroomError):
    """The request cannot be carried out as it stands. Nothing was written."""

    code = "invalid-request"
    default_hint = "Correct the argument and call again; nothing was written."
    exit_code = 2


class InvalidProjectError(InvalidRequestError):
    """The project id is not a UUID."""

    code = "invalid-project"
    default_hint = "Pass the project's UUID, such as 6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11."


class InvalidWalletIdError(InvalidRequestError):
    """The wallet id is not a UUID."""

    code = "invalid-wallet-id"
    default_hint = "Pass the wallet's id (a UUID) or the Wallet itself."


class InvalidLabelError(InvalidRequestError):
    """The label does not match ``[a-z0-9._-]{1,64}``."""

    code = "invalid-label"
    default_hint = "Use 1 to 64 characters of a-z, 0-9, dot, underscore and hyphen."


class InvalidIdempotencyKeyError(InvalidRequestError):
    """The idempotency key is empty, longer than 255 characters, or not printable."""

    code = "invalid-idempotency-key"
    default_hint = "Use 1 to 255 printable characters, not beginning with strongroom:, such as a UUID of your own."


class InvalidActorError(InvalidRequestError):
    """The actor or the reason is empty, too long, or not text."""

    code = "invalid-actor"
    default_hint = "actor takes a UUID or up to 255 characters, reason up to 1,000."


class InvalidCursorError(InvalidRequestError):
    """The cursor did not come from a page of this list."""

    code = "invalid-cursor"
    default_hint = "Pass the value of `next` of the page before, unchanged, or leave it out."


class InvalidLimitError(InvalidRequestError):
    """The page size is not between 1 and 1,000."""

    code = "invalid-limit"
    default_hint = "Ask for 1 to 1,000 wallets a page."


class UnknownNetworkError(InvalidRequestError):
    """No such network is registered."""

    code = "unknown-network"
    default_hint = "`strongroom networks` lists the networks."


class UnknownVariantError(InvalidRequestError):
    """The network has no such address variant."""

    code = "unknown-variant"
    default_hint = "`strongroom networks` lists each network's variants."


class InvalidMnemonicError(InvalidRequestError):
    """The phrase is not a BIP-39 mnemonic: number of words, a word, or the checksum is wrong."""

    code = "invalid-mnemonic"
    default_hint = "Check the words and their order: 12, 15, 18, 21 or 24 words of one BIP-39 language."


class InvalidPrivateKeyError(InvalidRequestError):
    """The text is not a private key of the network, or not a valid one for its curve."""

    code = "invalid-private-key"
    default_hint = "Pass the key as 64 hexadecimal digits, with or without 0x."


class InvalidKeystoreError(InvalidRequestError):
    """The text is not a Web3 Secret Storage document of version 3, or it asks for more work than is allowed."""

    code = "invalid-keystore"
    default_hint = "Pass the JSON file that a wallet such as geth or MyEtherWallet exported, whole."


class KeystorePasswordError(InvalidRequestError):
    """The password does not open the keystore, or the keystore is damaged; or it is too short for a new one."""

    code = "keystore-password"
    default_hint = "Check the password: case, keyboard, a space or line end too much."


class InvalidPathError(InvalidRequestError):
    """The derivation path cannot be parsed, or the curve cannot follow it."""

    code = "invalid-path"
    default_hint = "A path looks like m/44'/60'/0'/0/0; Ed25519 takes hardened elements only."


class InvalidAddressError(InvalidRequestError):
    """The text is not an address of the network, or its checksum is wrong."""

    code = "invalid-address"
    default_hint = "Check the address: one character may be wrong, or it belongs to another network."


class AddressMismatchError(InvalidRequestError):
    """The given address is not the one that the key derives. Nothing was written."""

    code = "address-mismatch"
    default_hint = "Check the key, the network, the variant, the path and the passphrase; nothing was written."
    exit_code = 5


class InvalidPlanError(InvalidRequestError):
    """The file is not a repair plan, or an edit made it none. Nothing was changed."""

    code = "invalid-plan"
    default_hint = "Write it again: strongroom repair --plan FILE. Only strike whole actions or units from it."


class InvalidSettingError(InvalidRequestError):
    """A setting, in the file, the environment or an argument, is unknown or out of range."""

    code = "invalid-setting"
    default_hint = "See the settings reference in the documentation."


class UnsupportedDatabaseError(InvalidRequestError):
    """The database URL names an engine that strongroom does not run on."""

    code = "unsupported-database"
    default_hint = "Use sqlite:///FILE or postgresql://HOST/NAME."


class ConnectionNotSupportedError(InvalidRequestError):
    """The ``connection=`` cannot carry a write that is all or nothing."""

    code = "connection-not-supported"
    default_hint = "Pass a SQLAlchemy connection of strongroom.create_engine(url), not in autocommit mode."


class MissingExtraError(InvalidRequestError):
    """An optional dependency is not installed."""

    code = "missing-extra"
    default_hint = "Install the extra that the message names."


class SigningError(StrongroomError):
    """It cannot, or must not, be signed. No signature was made; the refusal is in the usage log."""

    code = "signing"
    default_hint = "Correct the payload and call again."
    exit_code = 2


class UnsupportedSigningError(SigningError):
    """The network, or the wallet's address scheme, does not sign this kind of payload."""

    code = "unsupported-signing"
    default_hint = "docs/signing.md lists what each network signs."


class MalformedPayloadError(SigningError):
    """The payload cannot be read: a field is missing, unknown, truncated or of the wrong type."""

    code = "malformed-payload"
    default_hint = "Compare the payload with docs/signing.md; nothing of it is guessed."


class SignatureRefusedError(SigningError):
    """It can be signed and must not be: another chain or wallet, a fee above the limit, an unsafe sighash type."""

    code = "signature-refused"
    default_hint = "Check what the payload would do; where it is meant, say so with the option that the message names."
    exit_code = 5


class NonceConflictError(SigningError):
    """Another payload was signed under this nonce of this wallet on this chain."""

    code = "nonce-conflict"
    default_hint = "Take the next nonce, or declare a replacement: replace=True, with a higher fee."
    exit_code = 5


class SignatureFaultError(SigningError):
    """A signature did not verify with the wallet's public key: a fault of memory or hardware. It was thrown away."""

    code = "signature-fault"
    default_hint = "Call again; if it happens twice, take the machine out of service."
    exit_code = 1


class WalletNotFoundError(StrongroomError):
    """No wallet has this id or address (in this project)."""

    code = "wallet-not-found"
    default_hint = "Check the id and the project; `strongroom wallet list --project UUID` shows what is there."


# --- what is there differs from what was asked --------------------------------------------------------------


class ConflictError(StrongroomError):
    """What is stored differs from what was asked for. Nothing was changed."""

    code = "conflict"
    default_hint = "Nothing was changed; compare the request with what is stored."
    exit_code = 5


class IdempotencyConflictError(ConflictError):
    """The idempotency key was used for a different request; ``fields`` names what differs."""

    code = "idempotency-conflict"
    default_hint = "Use a new idempotency key for a new request, or repeat the first request unchanged."

    def __init__(self, message: str = "", *, hint: str | None = None, fields: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.fields = fields


class KeyConflictError(ConflictError):
    """Another key lives under this project, network and label. It was not touched."""

    code = "key-conflict"
    default_hint = "Import under another label; the stored key was not touched."


class VariantConflictError(ConflictError):
    """A wallet of another address variant lives under this project, network and label."""

    code = "variant-conflict"
    default_hint = "Ask for the variant that is stored, or create the other one under another label."


class WalletRevokedError(ConflictError):
    """The wallet of this project, network and label was revoked. No other one is made in its place by itself."""

    code = "wallet-revoked"
    default_hint = "`strongroom wallet replace ID` makes a new one; the revoked wallet stays openable."


class SlotMovedError(ConflictError):
    """The wallet is not the live one of its project, network and label any more. Nothing was changed."""

    code = "slot-moved"
    default_hint = "Look up the live wallet of this network and label, and act on that one."


class AmbiguousWalletError(ConflictError):
    """Several wallets answer to this name; the message lists their ids."""

    code = "ambiguous-wallet"
    default_hint = "Name one of the ids; `strongroom doctor` says which of them are whole."


class MigrationBlockedError(ConflictError):
    """Rows violate what the migration would make; ``findings`` counts them by doctor's codes. Nothing was changed."""

    code = "migration-blocked"
    default_hint = (
        "`strongroom doctor` shows them, `strongroom repair` settles them; "
        'see docs/migrate.md, "What has to be settled by hand".'
    )
    findings: Mapping[str, int] = MappingProxyType({})


# --- the root key and the keyring ---------------------------------------------------------------------------


class RootKeyError(StrongroomError):
    """The keyring cannot be unwrapped. Nothing was changed."""

    code = "root-key-error"
    default_hint = "Check the root key URI; nothing was changed."
    exit_code = 4


class RootKeyMissingError(RootKeyError):
    """The root key's URI leads to nothing: no file, no variable, or no URI at all."""

    code = "root-key-missing"
    default_hint = "Restore the root key from its backup; a new one cannot open what is sealed."


class RootKeyMalformedError(RootKeyError):
    """What the URI leads to is not a root key: prefix, length or checksum is wrong."""

    code = "root-key-malformed"
    default_hint = "Compare with the backup of the root key; one character may be missing."


class RootKeyInsecureError(RootKeyError):
    """The root key's file can be read by others than its owner."""

    code = "root-key-insecure"
    default_hint = "Run: chmod 600 FILE - and consider who may have read it."


class RootKeyExistsError(RootKeyError):
    """A file is already there, or the keyring has this root key already; a root key never replaces one."""

    code = "root-key-exists"
    default_hint = "Choose another file name, or another URI."


class RootKeyMismatchError(RootKeyError):
    """The root key does not open the keyring: it is the wrong one, or the keyring row is damaged."""

    code = "root-key-mismatch"
    default_hint = "Use the root key that this database was initialised with (production and staging mixed up?)."


class KeyringMissingError(RootKeyError):
    """There are sealed rows, but no keyring that could open them."""

    code = "keyring-missing"
    default_hint = "Restore strongroom_keyring and strongroom_keyring_wrap from a backup; never start a new keyring."


class KeyringCorruptError(RootKeyError):
    """The root key is the right one, but a keyring row is damaged."""

    code = "keyring-corrupt"
    default_hint = "Restore strongroom_keyring and strongroom_keyring_wrap from a backup."


class LastRootKeyError(RootKeyError):
    """Without this root key the keyring would not open any more. It was not removed."""

    code = "last-root-key"
    default_hint = "Add another root key first (`strongroom root-key add URI`), and check it."


class UnknownSealingKeyError(RootKeyError):
    """A sealed text names a sealing key that the keyring does not have."""

    code = "unknown-sealing-key"
    default_hint = "Rows and keyring come from different databases, or a keyring row was removed: restore it."


# --- a stored wallet is not what it should be ---------------------------------------------------------------


class ProofError(StrongroomError):
    """A stored wallet does not prove. Nothing was opened to the caller, nothing was changed."""

    code = "proof-failed"
    default_hint = "Nothing was changed; compare the row with a backup."


class KeyMissingError(ProofError):
    """A credential exists, its key does not. ``retryable`` while another writer may be between its two writes."""

    code = "key-missing"
    default_hint = (
        "`strongroom doctor` says whether its key is anywhere. If you have it: `strongroom wallet store-key ID`."
    )

    def __init__(self, message: str = "", *, hint: str | None = None, retryable: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable


class NotSealedError(ProofError):
    """The vault record's text is a placeholder, or was not sealed by strongroom."""

    code = "not-sealed"
    default_hint = "The text was written by other code; `strongroom doctor` says what it is."


class SealedTextCorruptError(ProofError):
    """The sealed text was changed, or is damaged. Nothing was opened."""

    code = "sealed-text-corrupt"
    default_hint = "Restore the vault record from a backup."


class IdentityMismatchError(ProofError):
    """The sealed text belongs to another identity than the row it stands in; ``columns`` names the difference."""

    code = "identity-mismatch"
    default_hint = "The row's public half was changed, or two rows were swapped; compare with a backup."

    def __init__(self, message: str = "", *, hint: str | None = None, columns: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.columns = columns


class DerivationMismatchError(ProofError):
    """The key that was opened does not derive the stored address or public key."""

    code = "derivation-mismatch"
    default_hint = "The key is intact; the stored address or public key is not its own."


class PhraseMismatchError(ProofError):
    """The stored phrase does not derive the stored key."""

    code = "phrase-mismatch"
    default_hint = "The key opens and matches the address; do not rely on the phrase to restore it."


# --- the database -------------------------------------------------------------------------------------------


class StoreError(StrongroomError):
    """The database refused, failed, or is not what it should be."""

    code = "store-error"
    default_hint = "Check the database; nothing was half done."


class NotInitializedError(StoreError):
    """The database has no strongroom in it."""

    code = "not-initialized"
    default_hint = "Run: strongroom init"


class ForeignSchemaError(StoreError):
    """The database has wallet tables of other code that strongroom cannot use as they are."""

    code = "foreign-schema"
    default_hint = "See docs/existing-databases.md, or use a fresh database or schema."


class SchemaVersionError(StoreError):
    """The schema is older or newer than this version of strongroom."""

    code = "schema-version"
    default_hint = "Run `strongroom init` with the newer version of strongroom; it brings the schema up to date."


class StoreUnavailableError(StoreError):
    """The database cannot be reached. Nothing was written."""

    code = "store-unavailable"
    default_hint = "Check that the server runs and the URL is right, then call again."
    retryable = True


class DiskFailedError(StoreUnavailableError):
    """The disk that the database is on could not be read or written. Nothing was written."""

    code = "disk-failed"
    default_hint = "See the system's log about the disk; once it works, call again, and run `strongroom verify`."


class OutcomeUnknownError(StoreError):
    """The connection died around the commit, and the database did not come back to be asked."""

    code = "outcome-unknown"
    default_hint = "Call again with the same arguments: if it was committed, you get that wallet."
    retryable = True


class RetryTransactionError(StoreError):
    """A deadlock or serialization failure inside the caller's transaction; only the caller can run it again."""

    code = "retry-transaction"
    default_hint = "Roll back your transaction and run all of it again."
    retryable = True


class ContentionError(StoreError):
    """The transaction met conflicts (deadlock, serialization, busy, timeout) too many times in a row."""

    code = "contention"
    default_hint = "Call again in a moment; nothing was written."
    retryable = True


class StoreRefusedError(StoreError):
    """The database refused the statement: a constraint, a privilege, a full disk, or it is read-only."""

    code = "store-refused"
    default_hint = "Nothing was written; the message names what refused."

    def __init__(self, message: str = "", *, hint: str | None = None, taken: str = "") -> None:
        super().__init__(message, hint=hint)
        self.taken = taken
        """The table in which a unique key is taken, if that is what refused."""


class DiskFullError(StoreRefusedError):
    """The disk that the database is on is full. Nothing was written; what is stored can be read."""

    code = "disk-full"
    default_hint = "Free space on the database's disk, then call again with the same arguments."
    retryable = True


class ReadOnlyStoreError(StoreRefusedError):
    """The database takes no writes: a read-only file system, directory or file, or a server that is a standby."""

    code = "read-only"
    default_hint = "Make the database writable again, or connect to the server that takes writes; then call again."
    retryable = True


class CheckRefusesError(StoreRefusedError):
    """A CHECK of the schema refuses values that strongroom would write. Nothing was written."""

    code = "check-refuses"
    default_hint = "Widen the constraint with the SQL that the message prints."


class ColumnTooShortError(StoreRefusedError):
    """A column of the schema is too short for a value that strongroom would write. Nothing was written."""

    code = "column-too-short"
    default_hint = "Use a shorter label, or widen the column: ALTER TABLE ... ALTER COLUMN ... TYPE text"


class TriggerConflictError(StoreRefusedError):
    """A trigger of the schema does not let a whole wallet be written. Nothing was written."""

    code = "trigger-conflict"
    default_hint = "Change or disable the trigger that the message names."

    def __init__(self, message: str = "", *, hint: str | None = None, function: str = "") -> None:
        super().__init__(message, hint=hint)
        self.function = function


class NotDurableError(StoreError):
    """The server would lose committed wallets: fsync is off, or a table is unlogged."""

    code = "not-durable"
    default_hint = "Set fsync = on, and ALTER TABLE ... SET LOGGED for the tables named."


class RowsHiddenError(StoreError):
    """Row-level security applies to the role in use; it could hide rows from strongroom."""

    code = "rows-hidden"
    default_hint = "Connect as the owner of the tables, or as a role with BYPASSRLS."


class InsecureFileError(StoreError):
    """A file that strongroom keeps can be read by others."""

    code = "insecure-file"
    default_hint = "Run: chmod 600 FILE"


__all__ = [
    name for name, kind in list(globals().items()) if isinstance(kind, type) and issubclass(kind, StrongroomError)
]
