"""Which account of a phrase the successor of a wallet goes to, also where the wallet's path fits several."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

import strongroom
from strongroom import Vault
from strongroom.records.key_material import KeyMaterial
from strongroom.usecases import derive
from strongroom.usecases.phrase_accounts import key_of
from testbed.databases.deployments import Deployment

BY: dict[str, Any] = {"actor": "test", "reason": "to compare"}
OWN = {
    "ethereum": ("m/44'/60'/{index}'/0/0", "m/44'/60'/1'/0/0"),
    "solana": ("m/44'/501'/0'/{index}'", "m/44'/501'/0'/1'"),
    "bitcoin": ("m/84'/0'/0'/{index}/0", "m/84'/0'/0'/1/0"),
}
"""A template of one's own for each network, which at index 0 has the path of the network's own; and its next path."""


@pytest.fixture
def project(deployment: Deployment, vault_a: Vault) -> UUID:
    """A project with a phrase."""
    made = deployment.project()
    vault_a.create_phrase(made)
    return made


@pytest.fixture
def without_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wallets are sealed as those were that were made before their texts said where the index is."""

    def without(*given: Any) -> KeyMaterial:
        return replace(key_of(*given), phrase_place=None)

    monkeypatch.setattr(derive, "key_of", without)


@pytest.mark.parametrize("network", OWN)
def test_a_successor_stays_in_its_account_where_paths_meet_at_index_0(
    deployment: Deployment, vault_a: Vault, project: UUID, network: str
) -> None:
    template, after = OWN[network]
    own = vault_a.create_many(project, network, ["own"], path=template)[0].wallet
    vault_a.create_many(project, network, ["a", "b"])
    new = vault_a.replace_wallet(own.id).wallet
    assert (new.path, new.phrase_index, new.label) == (after, 1, "own")
    assert vault_a.create_many(project, network, ["own"], path=template) == [(new, False)]
    counted = {each.template: each.next_index for each in vault_a.list_accounts(project)}
    assert sorted(counted.values()) == [2, 3]
    deployment.assert_sound(vault_a)


def test_it_does_so_after_a_rewrap_and_where_rows_of_accounts_are_gone(
    deployment: Deployment, vault_a: Vault, project: UUID
) -> None:
    template = OWN["ethereum"][0]
    own = vault_a.create_many(project, "ethereum", ["own"], path=template)[0].wallet
    other = vault_a.create_many(project, "ethereum", ["other"])[0].wallet
    vault_a.rotate_sealing_key()
    assert all(each.error is None for each in vault_a.rewrap())
    for which in ("= ", "<> "):
        sql = f"DELETE FROM strongroom_phrase_account WHERE project_id = ? AND template {which} ?"
        deployment.execute(sql, project, template)
    assert vault_a.replace_wallet(own.id).wallet.path == "m/44'/60'/1'/0/0"
    assert vault_a.replace_wallet(other.id).wallet.path == "m/44'/60'/0'/0/2"
    vault_a.replace_phrase(project)
    new = vault_a.find_wallet(project, "ethereum", "own")
    assert new is not None
    assert vault_a.replace_wallet(new.id).wallet.path == "m/44'/60'/0'/0/0"


@pytest.mark.usefixtures("without_place")
def test_where_nothing_says_the_account_it_has_to_be_named(
    deployment: Deployment, vault_a: Vault, project: UUID
) -> None:
    template, after = OWN["ethereum"]
    own = vault_a.create_many(project, "ethereum", ["own"], path=template)[0].wallet
    assert vault_a.create_many(project, "polygon", ["own"], path=template)[0].wallet.phrase_index == 0
    vault_a.create_many(project, "ethereum", ["a"])
    with pytest.raises(strongroom.PhraseConflictError, match="may be in 2 accounts") as caught:
        vault_a.replace_wallet(own.id)
    assert template in caught.value.hint
    assert "m/44'/60'/0'/0/{index}" in caught.value.hint
    for wrong in ("m/44'/60'/3'/0/{index}", "m/44'/60'/0'/{index}", "m/44'/60'/0'/0/0", "a secret/{index}"):
        with pytest.raises(strongroom.InvalidPathError) as refused:
            vault_a.replace_wallet(own.id, path=wrong)
        assert "a secret" not in f"{refused.value} {refused.value.hint}"
    assert vault_a.get_wallet(own.id).status == "active"
    new = vault_a.replace_wallet(own.id, path="m/44h/60h/{index}h/0/0").wallet
    assert new.path == after
    assert vault_a.replace_wallet(own.id) == (new, False)
    polygon = vault_a.find_wallet(project, "polygon", "own")
    assert polygon is not None
    assert vault_a.replace_wallet(polygon.id).wallet.path == after  # one account of that network fits
    deployment.assert_sound(vault_a)


def test_a_named_account_is_not_believed_where_the_wallet_says_another(vault_a: Vault, project: UUID) -> None:
    own = vault_a.create_many(project, "ethereum", ["own"], path=OWN["ethereum"][0])[0].wallet
    with pytest.raises(strongroom.InvalidPathError, match="was made in the account"):
        vault_a.replace_wallet(own.id, path="m/44'/60'/0'/0/{index}")
    alone = vault_a.create_wallet(project, "ethereum", label="alone").wallet
    with pytest.raises(strongroom.InvalidPathError, match="in no account"):
        vault_a.replace_wallet(alone.id, path="m/44'/60'/0'/0/{index}")
    assert vault_a.replace_wallet(own.id, path=OWN["ethereum"][0]).wallet.path == "m/44'/60'/1'/0/0"
