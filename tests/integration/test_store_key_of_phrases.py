"""A key that is stored for a wallet of a project's phrase: the phrase does not go into the wallet's text."""

from __future__ import annotations

import pytest

from strongroom import Vault
from testbed.databases.attacked import WHO
from testbed.databases.deployments import Deployment

WORDS = "test test test test test test test test test test test junk"


@pytest.mark.parametrize("given", ["mnemonic", "private_key"])
def test_the_key_alone_is_sealed_with_the_phrases_id(deployment: Deployment, vault_a: Vault, given: str) -> None:
    project = deployment.project()
    phrase = vault_a.import_phrase(project, mnemonic=WORDS).phrase
    before, wallet = (each.wallet for each in vault_a.create_many(project, "ethereum", ["a", "b"]))
    key = vault_a.reveal(wallet, **WHO).private_key
    deployment.execute(
        "UPDATE credential_vault_storage SET encrypted_private_key = '' WHERE credential_id = ?", wallet.id
    )
    if given == "mnemonic":
        assert vault_a.store_key(wallet, mnemonic=WORDS).stored
    else:
        assert vault_a.store_key(wallet, private_key=key).stored
    revealed = vault_a.reveal(wallet, **WHO)
    assert (revealed.mnemonic, revealed.passphrase, revealed.path) == (None, None, "m/44'/60'/0'/0/1")
    assert revealed.private_key.reveal() == key.reveal()
    assert all(each.ok for each in vault_a.verify(project_id=project, phrases=True))
    deployment.execute("DELETE FROM strongroom_phrase_account WHERE project_id = ?", project)
    after = vault_a.replace_wallet(wallet).wallet
    assert (after.phrase_id, after.phrase_index, after.path) == (phrase.id, 2, "m/44'/60'/0'/0/2")
    assert before.phrase_index == 0
    deployment.assert_sound(vault_a)
