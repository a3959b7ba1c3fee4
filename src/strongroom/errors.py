"""Every error that strongroom raises, in one tree.

::

    StrongroomError
    ├── InvalidRequestError                  the caller asked for something that cannot be
    │   ├── InvalidProjectError              project id is not a UUID
    │   ├── InvalidWalletIdError             wallet id is not a UUID
    │   ├── InvalidLabelError
    │   ├── InvalidIdempotencyKeyError
    │   ├── InvalidActorError                actor or reason is too long
    │   ├── InvalidCursorError
    │   ├── InvalidLimitError                page size out of range
    │   ├── InvalidTimeError                 a time without its zone
    │   ├── UnknownNetworkError
    │   ├── UnknownVariantError
    │   ├── InvalidMnemonicError
    │   ├── InvalidPrivateKeyError
    │   ├── InvalidKeystoreError             not a keystore, or one that asks for too much work
    │   ├── KeystorePasswordError            it does not open the keystore, or is too short for a new one
    │   ├── InvalidPathError
    │   ├── XpubNotSupportedError            keys at this path have no public parent that derives them
    │   ├── DiscoveryLimitError              more addresses would be asked about than were allowed
    │   ├── InvalidAddressError
    │   ├── AddressMismatchError             the given address is not the key's
    │   ├── InvalidPlanError                 not a repair plan, or one that was edited into none
    │   ├── UnmetChoiceError                 a pair of wallets to choose from that the rows do not offer
    │   ├── FindingNotFoundError             no finding of this name is there now
    │   ├── TamperingFindingError            what may be tampering is not acknowledged
    │   ├── InvalidSettingError
    │   ├── InsecureConnectionError          a remote server would be talked to without TLS
    │   ├── UnsupportedDatabaseError
    │   ├── ConnectionNotSupportedError      a ``connection=`` that cannot carry the write
    │   └── MissingExtraError                an optional dependency is not installed
    ├── SigningError                         what cannot, or must not, be signed; no signature was made
    │   ├── UnsupportedSigningError          the network, or the scheme of the wallet, does not sign this kind
    │   ├── MalformedPayloadError            the payload cannot be read
    │   ├── SignatureRefusedError            another chain, another wallet, a fee above the limit, an unsafe sighash
    │   ├── NonceConflictError               another payload was signed under this nonce
    │   └── SignatureFaultError              a signature that did not verify; it was thrown away
    ├── PhraseNotFoundError
    ├── WalletNotFoundError
    ├── ConflictError                        what is there differs from what was asked; nothing changed
    │   ├── IdempotencyConflictError
    │   ├── KeyConflictError                 another key lives there
    │   ├── PhraseConflictError              another phrase lives there, or the project has this one under another label
    │   ├── AccountExposedError              xpub and private key together would give away a whole account
    │   ├── VariantConflictError             a wallet of another variant lives there
    │   ├── WalletRevokedError               the wallet was revoked; replace makes a new one
    │   ├── SlotMovedError                   the wallet is no longer the live one of its slot
    │   ├── AmbiguousWalletError             several wallets answer to one name
    │   ├── AmbiguousAddressError            an address is valid on several networks
    │   ├── MigrationBlockedError            rows violate what a migration would make
    │   └── DistributionRefusedError         something stands in the way of distributing the tables
    ├── RootKeyError                         the keyring cannot be unwrapped
    │   ├── RootKeyMissingError
    │   ├── RootKeyMalformedError
    │   ├── RootKeyInsecureError             within the reach of others
    │   ├── RootKeyExistsError               a new root key would replace a file
    │   ├── RootKeyMismatchError
    │   ├── RootKeyDeniedError               its keeper refuses to use it for us
    │   ├── RootKeyUnavailableError          retryable: its keeper gave no answer in time
    │   ├── KeyringMissingError              sealed rows, but no keyring
    │   ├── KeyringCorruptError
    │   ├── LastRootKeyError                 without this root key the keyring would not open
    │   └── UnknownSealingKeyError           a sealed text names a key that is not in the keyring
    ├── ProofError                           a stored wallet is not what it should be
    │   ├── KeyMissingError                  a credential without its key
    │   ├── NotSealedError                   the text is not ours, or a placeholder
    │   ├── SealedTextCorruptError
    │   ├── UnprovedWalletError              nothing proves a wallet of legacy tables, and the vault accepts no such
    │   ├── IdentityMismatchError            the sealed text belongs to another row
    │   ├── DerivationMismatchError          the key does not derive what is stored
    │   └── PhraseMismatchError              the phrase does not derive the key
    └── StoreError                           the database
        ├── NotInitializedError
        ├── ForeignSchemaError
        ├── SchemaNotNamedError              a vault or wallet tables in a schema that only a setting can name
        ├── SchemaVersionError
        │   ├── UpgradeNeededError               the records carry no tags yet
        │   └── TablesMissingError               tables of the vault were dropped
        ├── StoreUnavailableError            retryable
        │   ├── DiskFailedError                  retryable: the disk could not be read or written
        │   ├── ServerNotListeningError          retryable: nothing listens at this host and port
        │   ├── HostNotFoundError                the host's name is not known
        │   ├── ConnectTimeoutError              retryable: the host did not answer in time
        │   ├── ServerBusyError                  retryable: too many connections, starting up, shutting down
        │   ├── PasswordRefusedError             the server did not accept the password
        │   ├── LoginRefusedError                the role is not there, or may not connect
        │   ├── DatabaseNotFoundError            the server has no such database
        │   ├── TlsRefusedError                  server and client do not agree on TLS
        │   ├── TlsFileError                     a certificate or key file is missing or not usable
        │   └── StartupParameterError            a parameter of the connection is not taken
        ├── OutcomeUnknownError              retryable: it may have happened; a retry finds out
        ├── RetryTransactionError            retryable: the caller's transaction must run again
        │   └── FailedTransactionError           the caller's transaction had failed before: roll it back
        ├── ContentionError                  retryable: too many conflicts in a row
        ├── StoreRefusedError                a constraint, a privilege
        │   ├── ReferencedRowMissingError        a row that a wallet's row refers to, such as its project, is not there
        │   ├── SchemaRefusedError               the vault's schema cannot be made, or belongs to another role
        │   ├── DiskFullError                    retryable: once there is space again
        │   ├── ReadOnlyStoreError               retryable: once the database takes writes again
        │   ├── PrivilegeMissingError            the role lacks a privilege; the message names table and command
        │   ├── ReadOnlyTransactionError         the caller's transaction takes no writes
        │   ├── VaultClosedError                 the vault was closed
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

    ``code`` is a stable identifier, ``hint`` what to do next, and ``retryable`` whether the same call may
    succeed later.
    """

    code: ClassVar[str] = "strongroom-error"
    default_hint: ClassVar[str] = "See the error reference in the documentation."
    retryable: bool = False

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


class InvalidProjectError(InvalidRequestError):
    """The project id is not a UUID."""

    code = "invalid-project"
    default_hint = (
        "Pass the project's UUID, such as 6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11. For an id such as 42 or user_42, "
        "`strongroom projects id NAMESPACE TEXT` (project_id_of in Python) says which UUID stands for it."
    )


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


class InvalidTimeError(InvalidRequestError):
    """The time is not a datetime with a time zone."""

    code = "invalid-time"
    default_hint = "Pass a datetime with tzinfo, such as datetime.now(UTC)."


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
    """The text is not a keystore of the network, or it asks for more work than is allowed."""

    code = "invalid-keystore"
    default_hint = "Pass the JSON file that a wallet such as geth exported, whole; for Tezos the text from edesk on."


class KeystorePasswordError(InvalidRequestError):
    """The password does not open the keystore, or the keystore is damaged; or it is too short for a new one."""

    code = "keystore-password"
    default_hint = "Check the password: case, keyboard, a space or line end too much."


class InvalidPathError(InvalidRequestError):
    """The derivation path cannot be parsed, or the curve cannot follow it."""

    code = "invalid-path"
    default_hint = "A path looks like m/44'/60'/0'/0/0; Ed25519 takes hardened elements only."


class XpubNotSupportedError(InvalidRequestError):
    """The index of these keys is hardened, so that no public key derives them: there is no xpub."""

    code = "xpub-not-supported"
    default_hint = "Only paths whose index has no ' have an xpub: those of secp256k1 keys, not of Ed25519 ones."


class DiscoveryLimitError(InvalidRequestError):
    """Addresses are in use up to the last one that could be asked about. Nothing was written."""

    code = "discovery-limit"
    default_hint = "Check that is_used tells used addresses from unused ones; a higher most= asks about more."


class InvalidAddressError(InvalidRequestError):
    """The text is not an address of the network, or its checksum is wrong."""

    code = "invalid-address"
    default_hint = "Check the address: one character may be wrong, or it belongs to another network."


class AddressMismatchError(InvalidRequestError):
    """The given address is not the one that the key derives. Nothing was written."""

    code = "address-mismatch"
    default_hint = "Check the key, the network, the variant, the path and the passphrase; nothing was written."


class InvalidPlanError(InvalidRequestError):
    """The file is not a repair plan, or an edit made it none. Nothing was changed."""

    code = "invalid-plan"
    default_hint = "Write it again: strongroom repair --plan FILE. Only strike whole actions or units from it."


class UnmetChoiceError(InvalidRequestError):
    """Two wallets of which one is to be kept are not a pair that the rows offer. Nothing was written."""

    code = "unmet-choice"
    default_hint = "Make a plan without them: its choices name the pairs."


class FindingNotFoundError(InvalidRequestError):
    """A name is not that of a finding that doctor has now. Nothing was written."""

    code = "finding-not-found"
    default_hint = "`strongroom doctor --json` names each finding; what is not there needs no acknowledgement."


class TamperingFindingError(InvalidRequestError):
    """A finding may be tampering: nobody acknowledges it. Nothing was written."""

    code = "tampering-finding"
    default_hint = "`strongroom docs doctor` says which findings these are. Settle it: `strongroom doctor` says how."


class InvalidSettingError(InvalidRequestError):
    """A setting, in the file, the environment or an argument, is unknown or out of range."""

    code = "invalid-setting"
    default_hint = "See the settings reference in the documentation."


class InsecureConnectionError(InvalidRequestError):
    """A PostgreSQL server on another machine would be talked to without TLS, password and all."""

    code = "insecure-connection"
    default_hint = (
        "Add sslmode=verify-full to the URL (or sslmode=require, which does not authenticate the server). Where the "
        "network itself is protected: allow_plaintext_postgresql = true, or STRONGROOM_ALLOW_PLAINTEXT_POSTGRESQL=true."
    )


class UnsupportedDatabaseError(InvalidRequestError):
    """The database URL names an engine that strongroom does not run on."""

    code = "unsupported-database"
    default_hint = "Use sqlite:///FILE or postgresql://HOST/NAME."


class ConnectionNotSupportedError(InvalidRequestError):
    """The ``connection=`` cannot carry a write that is all or nothing."""

    code = "connection-not-supported"
    default_hint = "Pass a connection that `strongroom docs transactions` lists, not in autocommit mode."


class MissingExtraError(InvalidRequestError):
    """An optional dependency is not installed."""

    code = "missing-extra"
    default_hint = "Install the extra that the message names."


class SigningError(StrongroomError):
    """It cannot, or must not, be signed. No signature was made; the refusal is in the usage log."""

    code = "signing"
    default_hint = "Correct the payload and call again."


class UnsupportedSigningError(SigningError):
    """The network, or the wallet's address scheme, does not sign this kind of payload."""

    code = "unsupported-signing"
    default_hint = "`strongroom docs signing` lists what each network signs."


class MalformedPayloadError(SigningError):
    """The payload cannot be read: a field is missing, unknown, truncated or of the wrong type."""

    code = "malformed-payload"
    default_hint = "Compare the payload with `strongroom docs signing`; nothing of it is guessed."


class SignatureRefusedError(SigningError):
    """It can be signed and must not be: another chain or wallet, a fee above the limit, an unsafe sighash type."""

    code = "signature-refused"
    default_hint = "Check what the payload would do; where it is meant, say so with the option that the message names."


class NonceConflictError(SigningError):
    """Another payload was signed under this nonce of this wallet on this chain."""

    code = "nonce-conflict"
    default_hint = "Take the next nonce, or declare a replacement: replace=True, with a higher fee."


class SignatureFaultError(SigningError):
    """A signature did not verify with the wallet's public key: a fault of memory or hardware. It was thrown away."""

    code = "signature-fault"
    default_hint = "Call again; if it happens twice, take the machine out of service."


class PhraseNotFoundError(StrongroomError):
    """There is no phrase of this label or id in the project, or it was replaced."""

    code = "phrase-not-found"
    default_hint = "`strongroom phrase list --project UUID` shows what is there; `phrase create` makes one."


class WalletNotFoundError(StrongroomError):
    """No wallet has this id or address (in this project)."""

    code = "wallet-not-found"
    default_hint = "Check the id and the project; `strongroom wallet list --project UUID` shows what is there."


# --- what is there differs from what was asked --------------------------------------------------------------


class SharedKeyWarning(UserWarning):
    """A key was imported that a wallet of another project has. The import was done."""


class PreparedStatementsWarning(UserWarning):
    """A pooler gives server sessions to several clients: prepared statements were switched off in this vault."""


class PhraseCaseWarning(UserWarning):
    """A phrase was given with capitals, and was lower-cased: the seed is made of the text. What was asked was done."""


class ConflictError(StrongroomError):
    """What is stored differs from what was asked for. Nothing was changed."""

    code = "conflict"
    default_hint = "Nothing was changed; compare the request with what is stored."


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


class PhraseConflictError(ConflictError):
    """Another phrase lives under this label, or the project has this one under another; or a wallet may be in several
    of its accounts."""

    code = "phrase-conflict"
    default_hint = "Use the phrase that is there, or another label; the stored phrase was not touched."


class AccountExposedError(ConflictError):
    """An account's xpub and the private key of one of its wallets together give away every key of the account.

    One of the two has left the vault already, or the xpub is above the accounts. Nothing was revealed, and nothing was
    changed.
    """

    code = "account-exposed"
    default_hint = "Only where every key of the account may be known: give_away_account=True (--give-away-account)."


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


class AmbiguousAddressError(ConflictError):
    """The address of a row that the legacy application wrote is valid on several networks, and the row does not
    say which."""

    code = "ambiguous-address"
    default_hint = "Write the network's name into the row's network column, if that is its network; then try again."


class MigrationBlockedError(ConflictError):
    """Rows violate what the migration would make; ``findings`` counts them by doctor's codes. Nothing was changed."""

    code = "migration-blocked"
    default_hint = (
        "`strongroom doctor` shows them, `strongroom repair` settles them; "
        'see `strongroom docs migrate`, "What has to be settled by hand".'
    )
    findings: Mapping[str, int] = MappingProxyType({})


class DistributionRefusedError(ConflictError):
    """Something stands in the way of distributing the tables over nodes. Nothing was changed."""

    code = "distribution-refused"
    default_hint = "`strongroom docs citus` says what is asked of tables that are distributed."


# --- the root key and the keyring ---------------------------------------------------------------------------


class RootKeyError(StrongroomError):
    """The keyring cannot be unwrapped. Nothing was changed."""

    code = "root-key-error"
    default_hint = "Check the root key URI; nothing was changed."


class RootKeyMissingError(RootKeyError):
    """The root key's URI leads to nothing: no file, no variable, or no URI at all."""

    code = "root-key-missing"
    default_hint = "Restore the root key from its backup; a new one cannot open what is sealed."


class RootKeyMalformedError(RootKeyError):
    """What the URI leads to is not a root key: prefix, length or checksum is wrong."""

    code = "root-key-malformed"
    default_hint = "Compare with the backup of the root key; one character may be missing."


class RootKeyInsecureError(RootKeyError):
    """The root key's file can be read or replaced by others than its owner, or belongs to another user."""

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


class RootKeyDeniedError(RootKeyError):
    """The service that keeps the root key refuses to use it for this caller. Nothing was changed."""

    code = "root-key-denied"
    default_hint = (
        "Give the caller's identity the right to encrypt and decrypt with the key, or enable the key; then call again."
    )


class RootKeyUnavailableError(RootKeyError):
    """The service that keeps the root key cannot be reached, or gave no answer in time. Nothing was changed."""

    code = "root-key-unavailable"
    default_hint = "Call again later, or use another root key of the keyring. Vaults that are open go on meanwhile."
    retryable = True


class KeyringMissingError(RootKeyError):
    """There are sealed rows, but no keyring that could open them."""

    code = "keyring-missing"
    default_hint = "Restore strongroom_keyring and strongroom_keyring_wrap from a backup; never start a new keyring."


class KeyringCorruptError(RootKeyError):
    """The root key is the right one, but a keyring row is damaged."""

    code = "keyring-corrupt"
    default_hint = (
        "Restore strongroom_keyring, strongroom_keyring_wrap and strongroom_keyring_head from a backup, "
        "all of one moment."
    )


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
    default_hint = "The text was written by the legacy application; `strongroom doctor` says what it is."


class SealedTextCorruptError(ProofError):
    """The sealed text was changed, or is damaged. Nothing was opened."""

    code = "sealed-text-corrupt"
    default_hint = "Restore the vault record from a backup."


class UnprovedWalletError(ProofError):
    """Nothing proves what the row of a legacy table says, and this vault does not accept such wallets."""

    code = "wallet-unproved"
    default_hint = (
        "`strongroom upgrade --accept-foreign` lets the vault return such wallets again, marked as unproved; then "
        "`strongroom wallet store-key` or a repair proves its key."
    )


class IdentityMismatchError(ProofError):
    """A row is not what the register or its sealed text says, or not what was asked for; ``columns`` names it."""

    code = "identity-mismatch"
    default_hint = (
        "Somebody changed a row, or put a text of another wallet there. `strongroom doctor` names the row, and for "
        "each kept text of the wallet a command that does not ask that row."
    )

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
    """The database is not initialised."""

    code = "not-initialized"
    default_hint = (
        "Run: strongroom init. If there was a vault, restore its newest backup instead: `strongroom docs operations`."
    )


class ForeignSchemaError(StoreError):
    """The database has legacy wallet tables that strongroom cannot use as they are."""

    code = "foreign-schema"
    default_hint = "See `strongroom docs existing-databases`, or use a fresh database or schema."


class SchemaNotNamedError(StoreError):
    """A vault, or wallet tables, are in a schema that strongroom does not choose by itself. Nothing was changed."""

    code = "schema-not-named"
    default_hint = "Name the schema: --schema NAME, STRONGROOM_SCHEMA, or schema in strongroom.toml."


class SchemaVersionError(StoreError):
    """The schema is older or newer than this version of strongroom."""

    code = "schema-version"
    default_hint = (
        "Use the version of strongroom that made this schema, or a newer one; "
        "`strongroom upgrade` brings an older schema up to date."
    )


class UpgradeNeededError(SchemaVersionError):
    """The records of the vault carry no tags yet: an older version wrote them. Nothing was changed."""

    code = "upgrade-needed"
    default_hint = "Run `strongroom upgrade`: it changes strongroom's own tables while applications go on."


class TablesMissingError(SchemaVersionError):
    """Tables of the vault were dropped, or are in another schema. Nothing was changed, and nothing is made anew."""

    code = "tables-missing"
    default_hint = (
        "Restore them from the newest backup that was made before they were dropped: `strongroom docs operations`."
    )


class StoreUnavailableError(StoreError):
    """The database cannot be reached. Nothing was written."""

    code = "store-unavailable"
    default_hint = "Check that the server runs and the URL is right, then call again."
    retryable = True


class DiskFailedError(StoreUnavailableError):
    """The disk that the database is on could not be read or written. Nothing was written."""

    code = "disk-failed"
    default_hint = "See the system's log about the disk; once it works, call again, and run `strongroom verify`."


class ServerNotListeningError(StoreUnavailableError):
    """Nothing listens at the host and port of the database: the server is down, or is somewhere else."""

    code = "connection-refused"
    default_hint = "Check that the server runs, and host and port of the URL; then call again."


class HostNotFoundError(StoreUnavailableError):
    """The name of the database's host cannot be looked up; retryable where the name service failed for a moment."""

    code = "host-not-found"
    default_hint = (
        "Check the host in the URL. Where it shows a part of the password: write # @ / ? % in it percent-encoded "
        "(%23 %40 %2F %3F %25)."
    )
    retryable = False


class ConnectTimeoutError(StoreUnavailableError):
    """The database's host did not answer in time: it is down, or a firewall drops what is sent to it."""

    code = "connect-timeout"
    default_hint = "Check host, port and firewalls, or raise connect_timeout_seconds; then call again."


class ServerBusyError(StoreUnavailableError):
    """The server takes no more connections at the moment: there are too many, or it starts up or shuts down."""

    code = "server-busy"
    default_hint = "Call again in a moment; where it stays so, lower pool_size or raise the server's max_connections."


class PasswordRefusedError(StoreUnavailableError):
    """The server did not accept the password of this role, or got none."""

    code = "password-refused"
    default_hint = (
        "Check user and password, where they come from (URL, PGPASSWORD, ~/.pgpass), and that # @ / ? % in a URL's "
        "password are percent-encoded (%23 %40 %2F %3F %25)."
    )
    retryable = False


class LoginRefusedError(StoreUnavailableError):
    """The server does not let this role connect: it is not there, may not log in, or pg_hba.conf has no entry."""

    code = "login-refused"
    default_hint = (
        "Check the user in the URL, and the server's pg_hba.conf; where the reason says `no encryption`, add "
        "sslmode=require."
    )
    retryable = False


class DatabaseNotFoundError(StoreUnavailableError):
    """The server has no database of this name."""

    code = "database-not-found"
    default_hint = "Check the name after the last slash of the URL; `createdb NAME` makes a database."
    retryable = False


class TlsRefusedError(StoreUnavailableError):
    """Server and client do not agree on TLS: the server has none or wants it, or its certificate is not trusted."""

    code = "tls-refused"
    default_hint = "Compare sslmode and sslrootcert in the URL with the server's settings and certificate."
    retryable = False


class TlsFileError(StoreUnavailableError):
    """A certificate or key file that TLS needs on this machine is missing, or cannot be used."""

    code = "tls-file"
    default_hint = (
        "Name the file in the URL (sslrootcert, sslcert, sslkey); sslrootcert=system takes this machine's own."
    )
    retryable = False


class StartupParameterError(StoreUnavailableError):
    """A parameter of the connection is not taken: by the server, by a pooler before it, or by the client library."""

    code = "startup-parameter"
    default_hint = (
        "Take the parameter out of the URL and of PGOPTIONS and set it for the role: ALTER ROLE ... SET ...; or let "
        "pgbouncer pass over it (ignore_startup_parameters)."
    )
    retryable = False


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


class FailedTransactionError(RetryTransactionError):
    """An earlier statement in the caller's transaction had failed: the server takes no other one before a rollback."""

    code = "failed-transaction"
    default_hint = (
        "Roll back your transaction. The error of the statement that failed in it says whether running all of it again "
        "helps."
    )
    retryable = False


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


class ReferencedRowMissingError(StoreRefusedError):
    """A row of the application that a wallet's row refers to, such as its project, is not there."""

    code = "referenced-row-missing"
    default_hint = "Insert the row that the message names first, then call again."

    def __init__(self, message: str = "", *, hint: str | None = None, column: str = "") -> None:
        super().__init__(message, hint=hint)
        self.column = column
        """The column that refers to it."""


class SchemaRefusedError(StoreRefusedError):
    """The schema of the vault cannot be made or used: another role owns it, or a privilege is missing."""

    code = "schema-refused"
    default_hint = "Let the owner of the database make the schema for the role, or name another one with --schema."


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


class PrivilegeMissingError(StoreRefusedError):
    """The role lacks a privilege; the message names the table and what the statement does with it."""

    code = "privilege-missing"
    default_hint = (
        "Run as the owner of the tables: what `strongroom grants ROLE --print` prints, ROLE being reader, creator, "
        "operator or doctor."
    )


class ReadOnlyTransactionError(StoreRefusedError):
    """The caller's transaction (``connection=``) takes no writes, and running it again would not change that."""

    code = "read-only-transaction"
    default_hint = (
        "Begin a transaction that may write, on the server that takes writes: look for a standby, for "
        "default_transaction_read_only, SET TRANSACTION READ ONLY, postgresql_readonly, or PRAGMA query_only."
    )


class VaultClosedError(StoreRefusedError):
    """The vault was closed: it has forgotten its keys and given its connections back."""

    code = "vault-closed"
    default_hint = "Open it again with strongroom.open."


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
    default_hint = (
        "Connect as the owner of the tables, as a role with BYPASSRLS, or as one whose policies say USING (true) and "
        "WITH CHECK (true) for all that it may do: `strongroom grants ROLE --print`."
    )


class InsecureFileError(StoreError):
    """A settings file or database can be read, written or replaced by others, or belongs to another user."""

    code = "insecure-file"
    default_hint = "Run: chmod 600 FILE, as the user that owns it; keep it in a directory of your own."


__all__ = [
    "PhraseCaseWarning",
    "PreparedStatementsWarning",
    "SharedKeyWarning",
    *(name for name, kind in list(globals().items()) if isinstance(kind, type) and issubclass(kind, StrongroomError)),
]
