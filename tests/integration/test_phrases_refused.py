"""Calls about phrases that are refused leave nothing behind, and may be repeated with what the error names."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom import Vault
from testbed.databases.attacked import Attacked
from testbed.databases.deployments import Deployment

WORDS = "test test test test test test test test test test test junk"


@pytest.mark.parametrize("taken", ["one", "many"])
def test_discover_refuses_records_that_strongroom_did_not_write(
    deployment: Deployment, vault_a: Vault, taken: str
) -> None:
    """It had said that all wallets are there, and made none."""
    project = deployment.project()
    phrase = vault_a.import_phrase(project, mnemonic=WORDS).phrase
    record: dict[str, Any] = {"project_id": project, "network": "ethereum", "label": "x", "vault_id": "v", "kid": "k"}
    record |= {"address": "0x", "public_key": "0x", "access_level": "a", "status": "active", "version": 1, "tag": "t"}
    for index in range(2 if taken == "one" else 40):
        path = f"m/44'/60'/0'/0/{index}"
        row = {**record, "credential_id": uuid4(), "path": path, "phrase_id": phrase.id, "phrase_index": index}
        columns, places = ", ".join(row), ", ".join("?" * len(row))
        deployment.execute(f"INSERT INTO strongroom_wallet ({columns}) VALUES ({places})", *row.values())
    with pytest.raises(strongroom.IdentityMismatchError, match="did not write"):
        vault_a.discover(project, "ethereum", is_used=used(2))


def used(number: int) -> Any:
    """Says of the first so many addresses that they are in use."""
    asked: list[str] = []

    def is_used(address: str) -> bool:
        asked.append(address)
        return len(asked) <= number

    return is_used


@pytest.mark.parametrize("attacked", ["g3", "g4"], indirect=True)
@pytest.mark.parametrize("keyed", [False, True])
def test_a_label_of_a_wallet_of_legacy_tables_is_refused_and_nothing_was_made(attacked: Attacked, keyed: bool) -> None:
    project = attacked.deployment.project()
    with attacked.deployment.open() as vault:
        vault.create_phrase(project)
        wallet = unslotted(attacked, vault, project)
        asked: dict[str, Any] = {"label": "old", "phrase": "default", "idempotency_key": "k"}
        call = partial(vault.create_many, project, "ethereum", ["a", "old", "b"])
        with pytest.raises(strongroom.PhraseConflictError, match=f"{wallet} .*was not derived"):
            _ = vault.create_wallet(project, "ethereum", **asked) if keyed else call()
        for table, number in (("strongroom_slot", 0), ("strongroom_idempotency", 0), ("strongroom_wallet", 1)):
            assert len(attacked.deployment.execute(f"SELECT 1 FROM {table} WHERE project_id = ?", project)) == number


def unslotted(attacked: Attacked, vault: Vault, project: UUID) -> UUID:
    """A wallet that no slot names, as those of the legacy application."""
    wallet = vault.create_wallet(project, "ethereum", label="old").wallet
    attacked.deployment.execute("DELETE FROM strongroom_slot WHERE project_id = ?", project)
    return wallet.id


def test_a_refused_key_can_be_used_with_another_label(deployment: Deployment, vault_a: Vault) -> None:
    project = deployment.project()
    vault_a.create_phrase(project)
    vault_a.create_wallet(project, "ethereum", label="own")
    with pytest.raises(strongroom.PhraseConflictError, match="was not derived") as caught:
        vault_a.create_wallet(project, "ethereum", label="own", phrase="default", idempotency_key="k")
    assert "another label" in caught.value.hint
    made = vault_a.create_wallet(project, "ethereum", label="other", phrase="default", idempotency_key="k")
    assert made.created
    assert vault_a.create_wallet(project, "ethereum", label="other", phrase="default", idempotency_key="k") == (
        made.wallet,
        False,
    )


def test_an_import_that_is_repeated_brings_a_lost_row_back(deployment: Deployment, vault_a: Vault) -> None:
    """Its idempotency key names the phrase, also where no wallet was derived from it."""
    project = deployment.project()
    asked: dict[str, Any] = {"mnemonic": WORDS, "idempotency_key": "k"}
    phrase = vault_a.import_phrase(project, **asked).phrase
    deployment.execute("DELETE FROM strongroom_phrase WHERE project_id = ?", project)
    again = vault_a.import_phrase(project, **asked)
    assert (again.phrase.id, again.created) == (phrase.id, True)
    assert vault_a.import_phrase(project, **asked).phrase.id == phrase.id
    assert [each.error for each in vault_a.verify_phrases(project)] == [None]
