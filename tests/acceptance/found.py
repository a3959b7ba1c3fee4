"""A database of generation 4 as it is found in the field: what docs/doctor.md and docs/takeover.md walk through."""

from __future__ import annotations

import base64
import json
from hashlib import pbkdf2_hmac
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from testbed.databases.foreign import add_credential, address_of, put_text
from testbed.databases.rows import execute
from tests.acceptance.pages import numbered, wallet_numbered

PASSWORD = "the old master password"
PHRASE = f"{'abandon ' * 11}about"
PHRASE_ADDRESSES = {
    "bitcoin": "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu",
    "solana": "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk",
}


def key(digit: str) -> str:
    """A key that nobody would take for a real one."""
    return f"{digit}6" * 32


SECRETS = (*map(key, "123456789"), PHRASE, PASSWORD)


def envelope(text: str) -> str:
    """The PBKDF2 scheme of the legacy application."""
    salt, iv = bytes(range(32)), bytes(range(16))
    master = pbkdf2_hmac("sha256", PASSWORD.encode(), salt, 100_000)
    sealed = AESGCM(master).encrypt(iv, text.encode(), None)
    return json.dumps(
        {
            "version": 1,
            "algorithm": "aes-256-gcm",
            "salt": salt.hex(),
            "iv": iv.hex(),
            "encrypted": sealed[:-16].hex(),
            "authTag": sealed[-16:].hex(),
        }
    )


def fill(url: str, *, without: str = "") -> None:
    """Nine wallets, none of them as it should be; ``without`` names those to leave out."""
    for digit in "1234":
        execute(url, "INSERT INTO projects (id, name) VALUES (?, 'a project')", (numbered(digit),))
    add(url, "1", "1", address_of("ethereum", key("1")), "0x" + key("1"))
    add(url, "1", "2", PHRASE_ADDRESSES["bitcoin"], f"0x{PHRASE}", network="bitcoin", credential_type="bitcoin_wallet")
    solana = {"network": "solana", "credential_type": "solana_wallet", "metadata": {"private_key_encrypted": PHRASE}}
    add(url, "1", "3", PHRASE_ADDRESSES["solana"], None, **solana)
    add(url, "2", "4", address_of("ethereum", key("4")), base64.b64encode(key("4").encode()).decode())
    add(url, "2", "5", address_of("ethereum", key("5")), key("5"))
    add(url, "3", "6", address_of("ethereum", key("6")), envelope(key("6")))
    if "7" not in without:
        columns = {"network": "solana", "credential_type": "solana_wallet"}
        add(url, "3", "7", address_of("solana", key("7")), key("8"), **columns)
    add(url, "4", "8", address_of("ethereum", key("9")), "MIGRATION_REQUIRED")
    revoked = {"is_active": False, "revoked_at": "2024-02-01T00:00:00Z"}
    add(url, "4", "9", address_of("bitcoin", key("3")), key("3"), **revoked)


def add(url: str, project: str, wallet: str, address: str, text: str | None, **columns: Any) -> None:
    """A credential, the trigger's empty record, and what the legacy application then puts into it."""
    when = f"2024-01-0{wallet}T00:00:00Z"
    row = {"id": wallet_numbered(wallet), "created_at": when, "vault_stored": True, **columns}
    credential = add_credential(url, numbered(project), address, **row)
    if text is not None:
        put_text(url, credential, text)
