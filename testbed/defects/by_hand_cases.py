"""The databases of ``by_hand``, one or more for each finding about a row."""

from __future__ import annotations

from testbed.defects.by_hand import (
    ADDRESS_ONE,
    ADDRESS_TWO,
    BASE64_ONE,
    BITCOIN_ONE,
    ENVELOPE_ONE,
    KEYSTORE,
    KEYSTORE_ADDRESS,
    ONE,
    OTHER_PROJECT,
    PHRASE,
    PHRASE_ETHEREUM,
    PHRASE_SOLANA,
    SEALED,
    SEALED_CREDENTIAL,
    SEALED_PROJECT,
    SOLANA_ONE,
    TWO,
    WIF_ONE,
    A,
    B,
    ByHand,
    H,
    X,
    Y,
    credential,
    entry,
    on_credential,
    on_record,
    record,
)
from testbed.defects.finding import ExpectedFinding

_SEALED_HERE = {"project_id": SEALED_PROJECT, "network": "ethereum"}

CASES = (
    ByHand(
        "missing-vault-record",
        (credential(A, ADDRESS_ONE, vault_stored=False),),
        (on_credential("missing-vault-record", A, "none", False),),
    ),
    ByHand(
        "placeholder",
        (credential(A, ADDRESS_ONE, vault_stored=False), record(X, A, "PRIVATE_KEY_NOT_RECOVERABLE", "AES-256-GCM")),
        (on_record("placeholder", X, A, "none", False),),
    ),
    ByHand(
        "placeholder",
        (credential(A, ADDRESS_ONE, vault_stored=False), record(X, A, None, "AES-256-GCM")),
        (on_record("placeholder", X, A, "none", False),),
        name="NULL",
    ),
    ByHand(
        "plaintext-key",
        (credential(A, ADDRESS_ONE), record(X, A, f"0x{ONE}")),
        (on_record("plaintext-key", X, A, "seal", True),),
    ),
    ByHand(
        "plaintext-key",
        (credential(A, BITCOIN_ONE), record(X, A, WIF_ONE)),
        (on_record("plaintext-key", X, A, "seal", True),),
        name="WIF alongside the default of the network column",
    ),
    ByHand(
        "plaintext-key",
        (credential(A, None, public_key=SOLANA_ONE), record(X, A, ONE)),
        (on_record("plaintext-key", X, A, "seal", True),),
        name="of the address in public_key",
    ),
    ByHand(
        "plaintext-mnemonic",
        (credential(A, PHRASE_ETHEREUM), record(X, A, f"0x{PHRASE}")),
        (on_record("plaintext-mnemonic", X, A, "seal", True),),
        name="behind a stray 0x",
    ),
    ByHand(
        "plaintext-mnemonic",
        (credential(A, PHRASE_SOLANA), record(X, A, PHRASE)),
        (on_record("plaintext-mnemonic", X, A, "seal", True),),
    ),
    ByHand(
        "encoded-key",
        (credential(A, ADDRESS_ONE.lower()), record(X, A, BASE64_ONE)),
        (on_record("encoded-key", X, A, "seal", True),),
    ),
    ByHand(
        "legacy-envelope",
        (credential(A, ADDRESS_ONE), record(X, A, ENVELOPE_ONE, "AES-256-GCM")),
        (on_record("legacy-envelope", X, A, "ask", False),),
        (on_record("legacy-envelope", X, A, "seal", True),),
    ),
    ByHand(
        "keystore",
        (credential(A, KEYSTORE_ADDRESS), record(X, A, KEYSTORE)),
        (on_record("keystore", X, A, "ask", False),),
        (on_record("keystore", X, A, "seal", True),),
    ),
    ByHand(
        "key-in-metadata",
        (
            credential(A, ADDRESS_ONE, metadata={"vault_storage": {"encrypted_private_key": ONE}}),
            record(X, A, ONE),
        ),
        (on_credential("key-in-metadata", A, "move", True), on_record("plaintext-key", X, A, "seal", True)),
    ),
    ByHand(
        "key-in-metadata",
        (credential(A, ADDRESS_ONE, vault_stored=False, metadata={"private_key_encrypted": TWO}),),
        (
            on_credential("key-in-metadata", A, "ask", False),
            on_credential("missing-vault-record", A, "ask", False),
        ),
        name="of another address",
    ),
    ByHand(
        "encrypted-elsewhere",
        (credential(A, ADDRESS_ONE), record(X, A, "U2FsdGVkX18wMTIzNDU2Nw==", "AES-256-GCM")),
        (on_record("encrypted-elsewhere", X, A, "ask", False),),
    ),
    ByHand(
        "unreadable",
        (credential(A, ADDRESS_ONE), record(X, A, "nobody knows what this text is", "AES-256-GCM")),
        (on_record("unreadable", X, A, "ask", False),),
    ),
    ByHand(
        "unreadable",
        (
            credential(SEALED_CREDENTIAL, PHRASE_ETHEREUM, **_SEALED_HERE),
            record(X, SEALED_CREDENTIAL, SEALED.rpartition(".")[0], "AES-256-GCM"),
        ),
        (on_record("unreadable", X, SEALED_CREDENTIAL, "ask", False),),
        name="a sealed text whose form is broken",
    ),
    ByHand(
        "wrong-label",
        (credential(A, ADDRESS_ONE), record(X, A, ONE, "AES-256-GCM")),
        (on_record("wrong-label", X, A, "seal", True), on_record("plaintext-key", X, A, "seal", True)),
    ),
    ByHand(
        "wrong-label",
        (
            credential(SEALED_CREDENTIAL, PHRASE_ETHEREUM, **_SEALED_HERE),
            record(X, SEALED_CREDENTIAL, SEALED, "AES-256-CBC"),
        ),
        (
            on_record("wrong-label", X, SEALED_CREDENTIAL, "relabel", True),
            on_record("unknown-sealing-key", X, SEALED_CREDENTIAL, "ask", False),
        ),
        name="of a sealed text",
    ),
    ByHand(
        "address-mismatch",
        (credential(A, ADDRESS_ONE), record(X, A, TWO)),
        (on_record("address-mismatch", X, A, "ask", False), on_record("plaintext-key", X, A, "ask", False)),
    ),
    ByHand(
        "phrase-does-not-derive-key",
        (credential(A, ADDRESS_ONE), record(X, A, PHRASE)),
        (
            on_record("phrase-does-not-derive-key", X, A, "ask", False),
            on_record("plaintext-mnemonic", X, A, "ask", False),
        ),
    ),
    ByHand(
        "unknown-sealing-key",
        (
            credential(SEALED_CREDENTIAL, PHRASE_ETHEREUM, **_SEALED_HERE),
            record(X, SEALED_CREDENTIAL, SEALED, "AES-256-GCM"),
        ),
        (on_record("unknown-sealing-key", X, SEALED_CREDENTIAL, "ask", False),),
    ),
    ByHand(
        "sealed-elsewhere",
        (credential(A, PHRASE_ETHEREUM), record(X, A, SEALED, "AES-256-GCM")),
        (
            on_record("sealed-elsewhere", X, A, "ask", False),
            on_record("unknown-sealing-key", X, A, "ask", False),
        ),
    ),
    ByHand(
        "identity-changed",
        (
            credential(SEALED_CREDENTIAL, PHRASE_ETHEREUM, project_id=SEALED_PROJECT, network="polygon"),
            record(X, SEALED_CREDENTIAL, SEALED, "AES-256-GCM"),
        ),
        (
            on_record("identity-changed", X, SEALED_CREDENTIAL, "relabel", False),
            on_record("unknown-sealing-key", X, SEALED_CREDENTIAL, "ask", False),
        ),
    ),
    ByHand(
        "duplicate-live",
        (
            credential(A, ADDRESS_ONE),
            record(X, A, ONE),
            credential(B, ADDRESS_TWO),
            record(Y, B, TWO),
        ),
        (
            on_credential("duplicate-live", A, "retire", False),
            on_credential("duplicate-live", B, "retire", False),
            on_record("plaintext-key", X, A, "seal", True),
            on_record("plaintext-key", Y, B, "seal", True),
        ),
    ),
    ByHand(
        "shared-key",
        (
            credential(A, ADDRESS_ONE),
            record(X, A, ONE),
            credential(B, ADDRESS_ONE, project_id=OTHER_PROJECT),
            record(Y, B, BASE64_ONE),
        ),
        (
            on_credential("shared-key", A, "ask", False),
            on_credential("shared-key", B, "ask", False),
            on_record("plaintext-key", X, A, "seal", True),
            on_record("encoded-key", Y, B, "seal", True),
        ),
    ),
    ByHand(
        "shared-key-vault-id",
        (
            credential(A, ADDRESS_ONE, key_vault_id="vault_of_both"),
            record(X, A, ONE),
            credential(B, ADDRESS_TWO, key_vault_id="vault_of_both", project_id=OTHER_PROJECT),
            record(Y, B, TWO),
        ),
        (
            on_credential("shared-key-vault-id", A, "unlink", True),
            on_credential("shared-key-vault-id", B, "unlink", True),
            on_record("plaintext-key", X, A, "seal", True),
            on_record("plaintext-key", Y, B, "seal", True),
        ),
    ),
    ByHand(
        "orphan-vault-record",
        (record(X, A, "", "AES-256-GCM"),),
        (on_record("orphan-vault-record", X, A, "ask", False),),
    ),
    ByHand(
        "orphan-vault-record",
        (credential(B, ADDRESS_ONE, vault_stored=False), record(X, A, ONE)),
        (
            on_record("orphan-vault-record", X, A, "ask", False),
            on_record("plaintext-key", X, A, "ask", False),
            on_credential("missing-vault-record", B, "ask", False),
        ),
        name="that holds the key of a wallet without a record",
    ),
    ByHand(
        "duplicate-vault-records",
        (credential(A, ADDRESS_ONE), record(X, A, ONE), record(Y, A, "", "AES-256-GCM")),
        (
            on_record("duplicate-vault-records", X, A, "retire", True),
            on_record("duplicate-vault-records", Y, A, "retire", True),
            on_record("plaintext-key", X, A, "seal", True),
            on_record("placeholder", Y, A, "retire", True),
        ),
    ),
    ByHand(
        "duplicate-vault-records",
        (credential(A, ADDRESS_ONE), record(X, A, ONE), record(Y, A, TWO)),
        (
            on_record("duplicate-vault-records", X, A, "ask", False),
            on_record("duplicate-vault-records", Y, A, "ask", False),
            on_record("plaintext-key", X, A, "seal", True),
            on_record("plaintext-key", Y, A, "ask", False),
            on_record("address-mismatch", Y, A, "ask", False),
        ),
        name="of two keys",
    ),
    ByHand(
        "stored-flag-wrong",
        (credential(A, ADDRESS_ONE, vault_stored=False), record(X, A, ONE)),
        (on_credential("stored-flag-wrong", A, "relabel", True), on_record("plaintext-key", X, A, "seal", True)),
    ),
    ByHand(
        "stored-flag-wrong",
        (credential(A, ADDRESS_ONE),),
        (
            on_credential("stored-flag-wrong", A, "relabel", True),
            on_credential("missing-vault-record", A, "none", False),
        ),
        name="without a record",
    ),
    ByHand(
        "live-after-revoke",
        (credential(A, ADDRESS_ONE, is_active=False), record(X, A, ONE)),
        (on_record("live-after-revoke", X, A, "retire", True), on_record("plaintext-key", X, A, "seal", True)),
    ),
    ByHand(
        "foreign-history",
        (credential(A, ADDRESS_ONE), record(X, A, ONE), entry(Y, A, ADDRESS_ONE, ONE)),
        (ExpectedFinding("foreign-history", H, Y, A, "seal", True), on_record("plaintext-key", X, A, "seal", True)),
        generation="g2-vault",
    ),
    ByHand(
        "foreign-history",
        (credential(A, ADDRESS_ONE, vault_stored=False), entry(Y, A, ADDRESS_ONE, TWO)),
        (
            ExpectedFinding("foreign-history", H, Y, A, "ask", False),
            on_credential("missing-vault-record", A, "ask", False),
        ),
        generation="g2-vault",
        name="of another address",
    ),
    ByHand(
        "",
        (
            credential(A, ADDRESS_ONE, status="replaced", is_active=False, vault_stored=None),
            record(X, A, ONE, access_level="project_admin"),
        ),
        (on_record("plaintext-key", X, A, "seal", True),),
        name="a replaced wallet stays openable",
    ),
)
