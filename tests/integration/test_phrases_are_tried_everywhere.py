"""A phrase or extended key has a missing wallet's key wherever it stands, at whatever path wallets use."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

import pytest

from strongroom import Wallet
from strongroom.networks.codecs import base58
from testbed.databases.attacked import Attacked
from testbed.databases.guards import put, rows_gone
from testbed.defects.locked import LEGACY_PASSWORD, envelope_text
from tests.integration.test_commands_that_work import put_member
from tests.integration.test_keys_that_phrases_have import WORDS, key_at
from tests.integration.test_stray_phrases import CODES, wipe
from tests.integration.test_texts_judged_whole import text_of

pytestmark = pytest.mark.parametrize("attacked", ["sqlite", "g4"], indirect=True)

LEDGER = "m/44'/60'/3'/0/0"


def missing(attacked: Attacked, project: UUID, path: str = LEDGER) -> Wallet:
    with attacked.deployment.open() as vault:
        wallet = vault.import_wallet(project, "ethereum", label="x", private_key=key_at("ethereum", path)).wallet
    wipe(attacked, wallet.id)
    return wallet


def evidence(attacked: Attacked, wallet: Wallet, *options: str, stdin: bytes = b"") -> str:
    found = attacked.doctor(*options, stdin=stdin)
    [told] = [each for each in found if each["credential_id"] == str(wallet.id) and each["code"] in CODES]
    assert told["repair"] == "ask"
    return str(told["evidence"])


def extended_key() -> str:
    seed = hashlib.pbkdf2_hmac("sha512", WORDS.encode(), b"mnemonic", 2048)
    root = hmac.new(b"Bitcoin seed", seed, hashlib.sha512).digest()
    raw = bytes.fromhex("0488ADE4") + bytes(9) + root[32:] + b"\0" + root[:32]
    return base58.encode(raw + hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4])


@pytest.mark.parametrize("where", ["record", "plaintext", "own history", "history of a wallet that is gone"])
def test_the_phrase_of_another_wallet_has_it(attacked: Attacked, where: str) -> None:
    deployment, project = attacked.deployment, attacked.deployment.project()
    with deployment.open() as vault:
        host = vault.import_wallet(deployment.project(), "ethereum", mnemonic=WORDS).wallet
    wallet, text = missing(attacked, project), text_of(attacked, host.id)
    if where == "plaintext":
        put(deployment, host.id, WORDS)
    elif where != "record":
        rows_gone(deployment, host.id) if "gone" in where else wipe(attacked, host.id)
        deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", host.id)
        attacked.entry(host.id, text, host.project_id, host.address, "sealed")
    assert "is stored in" in evidence(attacked, wallet)


@pytest.mark.parametrize("what", ["extended key", "envelope", "entry"])
def test_what_is_read_or_opened_elsewhere_has_it(attacked: Attacked, what: str) -> None:
    deployment = attacked.deployment
    with deployment.open() as vault:
        host = vault.create_wallet(deployment.project(), "solana").wallet
    wallet = missing(attacked, deployment.project())
    options: tuple[str, ...] = ()
    stdin = b""
    if what == "extended key":
        put_member(deployment, host, "encrypted", extended_key())
    elif what == "entry":
        attacked.entry(host.id, WORDS, host.project_id, host.address, "foreign")
    else:
        put_member(deployment, host, "encrypted", envelope_text(WORDS, LEGACY_PASSWORD, b"s" * 16, b"i" * 16))
        options, stdin = ("--legacy-password-stdin",), LEGACY_PASSWORD.encode() + b"\n"
    assert "is stored in" in evidence(attacked, wallet, *options, stdin=stdin)


def test_a_wallet_of_a_phrase_is_found_at_its_recorded_path_under_the_phrase_of_another_one(attacked: Attacked) -> None:
    """Of which no convention has the path."""
    deployment, project = attacked.deployment, attacked.deployment.project()
    with deployment.open() as vault:
        wallet = vault.import_wallet(project, "ethereum", mnemonic=WORDS, path="m/44'/60'/77'/0/77").wallet
        vault.import_wallet(deployment.project(), "ethereum", mnemonic=WORDS)
    wipe(attacked, wallet.id)
    assert "at m/44'/60'/77'/0/77" in evidence(attacked, wallet)
