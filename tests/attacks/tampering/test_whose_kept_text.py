"""Kept texts of one project's wallet that rows say another project of: no command gives them out as that project's,
and the owner gets them by the command that doctor names."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

import strongroom
from strongroom import Vault
from testbed.command_line import call
from testbed.databases.attacked import WHO, Attacked
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.foreign import add_wallet, address_of
from testbed.databases.guards import put
from testbed.defects.locked import envelope_text

KEY = "5d" * 32
ADDRESS = address_of("ethereum", KEY)
PASSWORD = "an operator's password"
ENVELOPE = envelope_text(KEY, PASSWORD, bytes(16), bytes(16))
PASSWORD_OPTION = "--legacy-password-stdin"


@pytest.fixture(params=["sqlite", "fresh", "g3", "g4"])
def attacked(request: pytest.FixtureRequest, private_path: Path) -> Iterator[Attacked]:
    """Tables of ours, and of the legacy application."""
    with open_deployment(request.param, request) as deployment:
        yield Attacked(deployment, private_path)


def entry_of(deployment: Deployment, wallet: UUID) -> str:
    """The name of the entry with the legacy application's text."""
    sql = "SELECT id FROM strongroom_vault_history WHERE credential_id = ? AND form = 'foreign'"
    return f"entry:{deployment.execute(sql, wallet)[0][0]}"


def record_of(deployment: Deployment, wallet: UUID) -> str:
    sql = "SELECT id FROM credential_vault_storage WHERE credential_id = ?"
    return f"record:{deployment.execute(sql, wallet)[0][0]}"


def entry_of_two_projects(attacked: Attacked, wallet: UUID, other: UUID) -> str:
    attacked.entry(wallet, ENVELOPE, other, ADDRESS, "foreign")
    return entry_of(attacked.deployment, wallet)


def row_moved(attacked: Attacked, wallet: UUID, other: UUID) -> str:
    """Its row says another project, and another address."""
    put(attacked.deployment, wallet, ENVELOPE)
    sql = "UPDATE project_credentials SET project_id = ?, wallet_address = 'x', public_key = 'x' WHERE id = ?"
    attacked.deployment.execute(sql, other, wallet)
    return record_of(attacked.deployment, wallet)


def metadata_moved(attacked: Attacked, wallet: UUID, other: UUID) -> str:
    sql = "UPDATE project_credentials SET project_id = ?, wallet_address = 'x', metadata = ? WHERE id = ?"
    attacked.deployment.execute(sql, other, json.dumps({"private_key": ENVELOPE}), wallet)
    return f"metadata:{wallet}"


PLACES: dict[str, Callable[[Attacked, UUID, UUID], str]] = {
    "entry": entry_of_two_projects,
    "record": row_moved,
    "metadata": metadata_moved,
}


def opened(vault: Vault, name: str, **options: object) -> strongroom.KeptKey:
    return vault.reveal_kept(name, network="ethereum", legacy_password=PASSWORD, **options, **WHO)  # type: ignore[arg-type]


@pytest.mark.parametrize("place", PLACES)
def test_a_text_is_of_the_project_that_its_wallet_is_of(attacked: Attacked, place: str) -> None:
    deployment = attacked.deployment
    project, other = deployment.project(), deployment.project()
    with deployment.open() as vault:
        wallet = vault.import_wallet(project, "ethereum", private_key=KEY).wallet.id
        name = PLACES[place](attacked, wallet, other)
        for options in ({}, {"project_id": other}, {"project_id": project}):
            with pytest.raises(strongroom.IdentityMismatchError) as refused:
                opened(vault, name, **options)
            assert refused.value.columns == ("project_id",)
            assert f"--wallet {wallet} --reveal" in refused.value.hint
        with pytest.raises(strongroom.WalletNotFoundError):
            opened(vault, name, wallet=wallet, project_id=other)
        found = opened(vault, name, wallet=wallet, project_id=project)
        assert (found.project_id, found.wallet_id, found.address) == (project, wallet, ADDRESS)


@pytest.mark.parametrize("place", PLACES)
def test_a_text_as_it_is_is_of_the_project_that_its_wallet_is_of(attacked: Attacked, place: str) -> None:
    deployment = attacked.deployment
    project, other = deployment.project(), deployment.project()
    with deployment.open() as vault:
        wallet = vault.import_wallet(project, "ethereum", private_key=KEY).wallet.id
        name = PLACES[place](attacked, wallet, other)
        for password in (None, PASSWORD):
            with pytest.raises(strongroom.IdentityMismatchError) as refused:
                vault.reveal_kept_text(name, legacy_password=password, **WHO)
            assert f"--wallet {wallet} --text --reveal" in refused.value.hint
            with pytest.raises(strongroom.WalletNotFoundError):
                vault.reveal_kept_text(name, legacy_password=password, wallet=wallet, project_id=other, **WHO)
            found = vault.reveal_kept_text(name, legacy_password=password, wallet=wallet, project_id=project, **WHO)
            assert (found.project_id, found.wallet_id) == (project, wallet)
            assert found.text.reveal_text() == (ENVELOPE if password is None else KEY)


def test_the_command_that_doctor_names_gives_the_text_of_such_an_entry_out(attacked: Attacked) -> None:
    deployment = attacked.deployment
    project, other = deployment.project(), deployment.project()
    with deployment.open() as vault:
        wallet = vault.import_wallet(project, "ethereum", private_key=KEY).wallet.id
    name = entry_of_two_projects(attacked, wallet, other)
    options = ("--database", deployment.url, "--root-key", deployment.root_key, "--reason", "x", "--json")
    refused = call(
        *("history", "reveal", name, "--project", str(other), "--reveal", PASSWORD_OPTION),
        *options,
        stdin=PASSWORD.encode(),
    )
    assert refused.code == 1
    assert KEY not in refused.out
    (finding,) = (each for each in attacked.doctor() if each["code"] == "foreign-history")
    answer = call(*shlex.split(finding["command"])[1:], *options, stdin=PASSWORD.encode())
    assert answer.code == 0, answer.err
    assert (answer.document["project_id"], answer.document["private_key"]) == (str(project), f"0x{KEY}")


@pytest.mark.parametrize("place", ["record", "entry"])
def test_an_envelope_of_another_project_is_not_opened_as_a_text(attacked: Attacked, place: str) -> None:
    """The row says no address: nothing tells on which network the key would be read."""
    deployment = attacked.deployment
    project, other = deployment.project(), deployment.project()
    with deployment.open() as vault:
        theirs = vault.import_wallet(project, "ethereum", private_key=KEY).wallet
        mine = vault.create_wallet(other, "ethereum").wallet.id
        if place == "record":
            put(deployment, mine, ENVELOPE)
            name = record_of(deployment, mine)
        else:
            attacked.entry(mine, ENVELOPE, other, "x", "foreign")
            name = entry_of(deployment, mine)
        before = vault.list_log(theirs.id).records
        with pytest.raises(strongroom.IdentityMismatchError):
            vault.reveal_kept_text(name, legacy_password=PASSWORD, **WHO)
        shown = vault.reveal_kept_text(name, project_id=other, **WHO)
        assert shown.text.reveal_text() == ENVELOPE, "nobody reads it without the password"
        with pytest.raises(strongroom.WalletNotFoundError):
            vault.reveal_kept_text(name, project_id=project, **WHO)
        assert vault.list_log(theirs.id).records == before


@pytest.mark.parametrize("attacked", ["g3", "g4"], indirect=True)
@pytest.mark.parametrize("verb", ["reveal_kept", "reveal_kept_text"])
def test_a_planted_record_does_not_take_the_word_from_the_slot(attacked: Attacked, verb: str) -> None:
    deployment = attacked.deployment
    project, other = deployment.project(), deployment.project()
    wallet = add_wallet(
        deployment.url, ADDRESS, ENVELOPE, project_id=project, network="ethereum", credential_type="ethereum_wallet"
    )
    with deployment.open() as vault:
        assert vault.create_wallet(project, "ethereum").wallet.id == wallet
        some = vault.create_wallet(other, "ethereum").wallet
        deployment.execute(
            "UPDATE project_credentials SET project_id = ?, credential_type = 'z', wallet_address = 'x', "
            "public_key = 'x' WHERE id = ?",
            *(other, wallet),
        )
        deployment.execute(
            "INSERT INTO strongroom_wallet SELECT (jsonb_populate_record(NULL::strongroom_wallet, to_jsonb(k) || "
            "jsonb_build_object('credential_id', ?::text, 'address', 'x', 'public_key', 'x', 'tag', "
            "repeat('x', 43)))).* FROM strongroom_wallet k WHERE credential_id = ?",
            *(str(wallet), some.id),
        )
        name = record_of(deployment, wallet)
        with pytest.raises(strongroom.IdentityMismatchError):
            getattr(vault, verb)(name, legacy_password=PASSWORD, **WHO)
