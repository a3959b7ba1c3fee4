"""One small database for each finding about a row, written out by hand: no generator stands between it and the reader.

The keys are 1, 2 and 3 as 32 bytes, the phrase is the public one of BIP-39: nobody may use them. Ids repeat a digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from strongroom.store.write_conditions import SCHEMA_VERSION
from testbed.defects.finding import ExpectedFinding

C, V, H = "project_credentials", "credential_vault_storage", "strongroom_vault_history"
PROJECT = "11111111-1111-4111-8111-111111111111"
OTHER_PROJECT = "22222222-2222-4222-8222-222222222222"
A, B = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
X, Y = "eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee", "ffffffff-ffff-4fff-8fff-ffffffffffff"
"""Credentials A and B, their vault records X and Y."""

ONE, TWO = f"{1:064x}", f"{2:064x}"
ADDRESS_ONE = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
ADDRESS_TWO = "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"
BITCOIN_ONE = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
SOLANA_ONE = "6ASf5EcmmEHTgDJ4X4ZT5vT6iHVJBXPg5AN5YoTCpGWt"
WIF_ONE = "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn"
BASE64_ONE = "MHgwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAx"
PHRASE = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
PHRASE_ETHEREUM = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
PHRASE_SOLANA = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk"

LEGACY_PASSWORD = "password of the fixtures"
ENVELOPE_ONE = (
    '{"version": 1, "algorithm": "aes-256-gcm",'
    ' "salt": "0101010101010101010101010101010101010101010101010101010101010101",'
    ' "iv": "02020202020202020202020202020202", "encrypted": "008568ada009c906a73631504703bd12100fadddc7c5d9eecb635288'
    '08edcc78e58a6480783f3a080ae790bc6836a2a08092298f5b299b7474deed41b915e0b25718",'
    ' "authTag": "07736a88bd36d16e086db43bb22f44c0"}'
)
"""0x and the key 1 under ``LEGACY_PASSWORD``."""
KEYSTORE_PASSWORD = "testpassword"
KEYSTORE_ADDRESS = "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b"
KEYSTORE = (
    '{"crypto": {"cipher": "aes-128-ctr", "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},'
    ' "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46", "kdf": "pbkdf2",'
    ' "kdfparams": {"c": 262144, "dklen": 32, "prf": "hmac-sha256",'
    ' "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},'
    ' "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},'
    ' "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3}'
)
"""The test vector of the Web3 Secret Storage definition."""
SEALED_PROJECT = "6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11"
SEALED_CREDENTIAL = "0198c0de-0000-7000-8000-000000000001"
SEALED = (
    "eyJraWQiOiJkWVBDMkpraFFIY2MwQ1IyN2VmaEtBIiwiYWxnIjoiQTI1NktXIiwiZW5jIjoiQTI1NkdDTSIsInR5cCI6InN0cm9uZ3Jvb20rMSIsIn"
    "Byb2plY3QiOiI2ZjFjMWMxZS02YTVjLTRkN2UtOWQwYS0wZTlmMGY4ZTdiMTEiLCJjcmVkZW50aWFsIjoiMDE5OGMwZGUtMDAwMC03MDAwLTgwMDAt"
    "MDAwMDAwMDAwMDAxIiwibmV0d29yayI6ImV0aGVyZXVtIiwiYWRkcmVzcyI6IjB4OTg1OEVmRkQyMzJCNDAzM0U0N2Q5MDAwM0Q0MUVDMzRFY2FFZG"
    "E5NCJ9.4dvg_tsw_lTYyWssiN0HhtPfCBrEKs-niIZ8hxRBvtdDE0YGUYLYgg.oKGio6Slpqeoqaqr.ey0GEmaRvxIOHW_A5XXv2cZPf5MVqrNMop"
    "S0WGPi4O6sTh_SvMH0sK2Y47e6ugo2y14mJtGOxYCQMb3_f83-pMWeDzhx82t8jCudLkwMONaT-tVqGoVbRFa_CyiSCywgBtqvOCQOLtMWFt8FR-_nUx"
    "-ZiHyO01t7kEduE7das8WkG5LIhBgojmb9gWfYXA_fcOEq9w93bjZBgzwLVqazLiNTGpt5ImAYRDFZ5bx1sXo2B4zKM77bt49pobwjRJB_is-prwbe1"
    "Kds-dc1RZtw3VvgJfa5lMZH_LbUp_DG5g4QzunLbr6HHmg8yeAUag.f4qfxL4UMIY7GHQbzTuWfw"
)
"""The worked example of docs/format.md, of a keyring that no database has."""


@dataclass(frozen=True)
class ByHand:
    """A database and what doctor finds in it without a password and without the root key."""

    code: str
    """The finding that it is there for."""
    rows: tuple[tuple[str, dict[str, Any]], ...]
    expected: tuple[ExpectedFinding, ...]
    opened: tuple[ExpectedFinding, ...] | None = None
    """What is found with both passwords, where that differs."""
    generation: str = "g2-without-foreign-key"
    name: str = ""

    @property
    def title(self) -> str:
        """What pytest shows."""
        return f"{self.code} {self.name}".strip()


def credential(number: str, address: str | None, **columns: Any) -> tuple[str, dict[str, Any]]:
    """A live credential whose record is there."""
    row = {
        "id": number,
        "project_id": PROJECT,
        "wallet_address": address,
        "public_key": address or "",
        "key_vault_id": f"vault_{number}",
        "vault_stored": True,
        "network": "ethereum",
        "credential_type": f"type_{number[0]}",
    }
    return C, {**row, **columns}


def record(
    number: str, owner: str, text: str | None, method: str | None = None, **columns: Any
) -> tuple[str, dict[str, Any]]:
    """A vault record without a label."""
    row = {"id": number, "credential_id": owner, "vault_id": f"vault_{number}", "encrypted_private_key": text}
    return V, {**row, "encryption_method": method, "access_level": "project_admin", **columns}


def entry(number: str, owner: str, address: str, text: str) -> tuple[str, dict[str, Any]]:
    """A foreign text in the history."""
    row = {"id": number, "project_id": PROJECT, "credential_id": owner, "network": "ethereum", "label": "default"}
    rest: dict[str, Any] = {
        "public_key": "",
        "vault_id": "vault",
        "form": "foreign",
        "reason": "seal",
        "created_at": "2025-01-01",
    }
    rest["schema_version"] = SCHEMA_VERSION
    return H, {**row, "address": address, "text": text, **rest}


def on_credential(code: str, number: str, repair: str, automatic: bool) -> ExpectedFinding:
    """A finding about a credential."""
    return ExpectedFinding(code, C, number, number, repair, automatic)


def on_record(code: str, number: str, owner: str, repair: str, automatic: bool) -> ExpectedFinding:
    """A finding about a vault record."""
    return ExpectedFinding(code, V, number, owner, repair, automatic)
