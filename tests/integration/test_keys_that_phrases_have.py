"""A wallet whose record names no phrase is not lost while a phrase of the vault has its key where wallets keep it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from strongroom import Wallet
from strongroom.crypto.phrase import Phrase
from strongroom.networks import TABLE
from strongroom.secret import Secret
from testbed.command_line import call
from testbed.databases.attacked import Attacked
from testbed.databases.guards import rows_gone

pytestmark = pytest.mark.parametrize("attacked", ["sqlite", "fresh", "g4"], indirect=True)

WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"
PATHS = {"ethereum": "m/44'/60'/0'/0/0", "bitcoin": "m/84'/0'/0'/0/0", "solana": "m/44'/501'/0'/0'"}


def key_at(name: str, path: str) -> str:
    network = TABLE.get(name)
    material = network.derive(Phrase.parse(Secret.from_text(WORDS)), network.scheme(None), path)
    return material.private_key.reveal().hex()


def lost(
    attacked: Attacked, name: str, path: str, *, rows: bool = False, of: UUID | None = None
) -> tuple[Wallet, UUID]:
    """A wallet whose texts are gone, which was imported as a key, and a phrase that was imported, too."""
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        wallet = vault.import_wallet(project, name, private_key=key_at(name, path)).wallet
        phrase = vault.import_phrase(of or project, mnemonic=WORDS).phrase
    if rows:
        rows_gone(attacked.deployment, wallet.id)
    else:
        attacked.deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet.id)
    attacked.deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", wallet.id)
    return wallet, phrase.id


def told(attacked: Attacked, wallet: Wallet) -> dict[str, Any]:
    codes = ("missing-vault-record", "wallet-rows-gone")
    [found] = [each for each in attacked.doctor() if each["credential_id"] == str(wallet.id) and each["code"] in codes]
    return found


def run(attacked: Attacked, *words: str) -> Any:
    return call(*words, "--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("name", PATHS)
def test_the_phrase_is_named_and_brings_the_key_back(attacked: Attacked, name: str, rows: bool) -> None:
    wallet, phrase = lost(attacked, name, PATHS[name], rows=rows)
    found = told(attacked, wallet)
    assert found["repair"] == "ask"
    where = f"the phrase {phrase} of the project {wallet.project_id}"
    assert f"a key for its address is stored in {where}" in found["evidence"]
    assert "in no table" not in found["evidence"]
    said = run(attacked, "doctor").out
    assert ("Lost: nothing" in said, "lost           1" in said) == (False, False)
    answer = run(attacked, *found["command"].split()[1:])
    assert answer.out.strip() == WORDS
    with attacked.deployment.open() as vault:
        vault.store_key(wallet.id, private_key=key_at(name, PATHS[name]))
    assert not [each for each in attacked.doctor() if each["credential_id"] == str(wallet.id)]


def test_a_phrase_of_another_project_is_named_too(attacked: Attacked) -> None:
    other = attacked.deployment.project()
    wallet, phrase = lost(attacked, "ethereum", PATHS["ethereum"], of=other)
    assert f"the phrase {phrase} of the project {other}" in told(attacked, wallet)["evidence"]


@pytest.mark.parametrize("other", [False, True])
def test_a_key_that_a_phrase_may_have_at_a_path_that_nobody_knows_is_not_lost(attacked: Attacked, other: bool) -> None:
    of = attacked.deployment.project() if other else None
    wallet, _ = lost(attacked, "ethereum", "m/44'/60'/77'/0/77", of=of)
    found = told(attacked, wallet)
    assert (found["repair"], "--path" in found["evidence"]) == ("ask", True)


def test_a_wallet_with_a_path_is_lost_where_no_phrase_has_its_key_there(attacked: Attacked) -> None:
    """Next to phrases of all kinds, and to a wallet of whose key no path is known."""
    deployment = attacked.deployment
    project = deployment.project()
    lost(attacked, "ethereum", "m/44'/60'/77'/0/77", of=project)
    with deployment.open() as vault:
        vault.create_wallet(project, "ethereum", label="other")
        wallet = vault.create_wallet(project, "ethereum").wallet
    deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet.id)
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", wallet.id)
    assert told(attacked, wallet)["repair"] == "none"


def test_what_its_record_says_of_a_wallets_phrase_comes_first(attacked: Attacked) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        vault.import_phrase(project, mnemonic=WORDS)
        wallet = vault.create_wallet(project, "ethereum", phrase="default").wallet
    attacked.deployment.execute("DELETE FROM credential_vault_storage WHERE credential_id = ?", wallet.id)
    attacked.deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", wallet.id)
    assert told(attacked, wallet)["command"] == f"strongroom history restore {wallet.id}"


def test_a_phrase_whose_row_does_not_give_it_offers_nothing(attacked: Attacked) -> None:
    wallet, phrase = lost(attacked, "ethereum", PATHS["ethereum"])
    attacked.deployment.execute("UPDATE strongroom_phrase SET sealed_text = '' WHERE phrase_id = ?", phrase)
    assert told(attacked, wallet)["repair"] == "none"


@pytest.mark.parametrize("change", ["label = 'other'", "sealed_text = ''"])
def test_a_phrase_whose_row_is_broken_is_asked_for_an_imported_key(attacked: Attacked, change: str) -> None:
    wallet, phrase = lost(attacked, "ethereum", PATHS["ethereum"])
    with attacked.deployment.open() as vault:
        vault.rotate_sealing_key(actor="test", reason="test")
        assert all(each.ok for each in vault.rewrap())
    attacked.deployment.execute(f"UPDATE strongroom_phrase SET {change} WHERE phrase_id = ?", phrase)
    found = told(attacked, wallet)
    assert found["repair"] == "ask"
    assert f"in the phrase {phrase} of the project" in found["evidence"]
    assert "phrase-broken" in found["evidence"]
