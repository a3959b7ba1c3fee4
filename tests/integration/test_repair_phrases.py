"""One phrase has the keys of many wallets: a row of it that is moved to another project takes none of them there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from strongroom.crypto.phrase import Phrase
from strongroom.networks import TABLE
from strongroom.secret import Secret
from strongroom.takeover.doctor.cross_rows import ACROSS_PROJECTS, NOT_ITS_OWN, PHRASE_ACROSS_PROJECTS
from testbed.command_line import call
from testbed.databases.attacked import WHO, Attacked, units
from testbed.defects.locked import LEGACY_PASSWORD, envelope_text

pytestmark = pytest.mark.parametrize("attacked", ["g3", "g4"], indirect=True)

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
OPTIONS = ("--legacy-password-stdin",)
PASSWORD = f"{LEGACY_PASSWORD}\n".encode()


def address_at(number: int) -> str:
    network = TABLE.get("ethereum")
    phrase = Phrase.parse(Secret.from_text(PHRASE))
    material = network.derive(phrase, network.scheme(None), f"m/44'/60'/0'/0/{number}")
    return network.public_half(material.private_key, material.scheme).address


def locked(number: int) -> str:
    return envelope_text(PHRASE, LEGACY_PASSWORD, bytes([number]) * 16, bytes(16))


def wallet_of(attacked: Attacked, project: UUID, number: int, where: str = "record") -> UUID:
    """A wallet of the phrase, which is in an envelope of its own."""
    metadata = json.dumps({"private_key_encrypted": locked(number)} if where == "metadata" else {})
    wallet = attacked.credential(project, address_at(number), metadata)
    if where == "record":
        attacked.record(wallet, locked(number), project)
    if where == "history":
        attacked.entry(wallet, locked(number), project, address_at(number), "foreign")
    return wallet


def writes_keys(path: Path, wallet: UUID) -> list[Any]:
    return [each for each in units(path).get(str(wallet), []) if each["do"] in ("fill", "move", "seal")]


def repaired(attacked: Attacked) -> Path:
    path = attacked.plan(*OPTIONS, stdin=PASSWORD)
    assert attacked.apply(path, *OPTIONS, stdin=PASSWORD).code == 0
    return path


def seal_first(attacked: Attacked, wallet: UUID) -> None:
    """Seal a wallet of the phrase, in a vault that goes on to take wallets which nothing proves."""
    assert writes_keys(repaired(attacked), wallet)
    base = ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)
    assert call("upgrade", *base, "--accept-foreign").code == 0


def shared(attacked: Attacked) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in attacked.doctor(*OPTIONS, stdin=PASSWORD):
        if each["code"] == "shared-key":
            assert (each["repair"], each["automatic"]) == ("ask", False)
            found.setdefault(each["row"], []).append(each["evidence"])
    return found


@pytest.mark.parametrize("where", ["record", "metadata", "history"])
@pytest.mark.parametrize("first", ["sealed", "locked"])
def test_a_row_of_a_phrase_that_was_moved_to_another_project_is_not_sealed_there(
    attacked: Attacked, first: str, where: str
) -> None:
    """Its phrase would show the key of the wallet that stayed; who moved the row could not open the envelope."""
    mine, theirs = attacked.deployment.project(), attacked.deployment.project()
    stays = wallet_of(attacked, theirs, 5)
    if first == "sealed":
        seal_first(attacked, stays)
    moved = wallet_of(attacked, theirs, 6, where)
    attacked.deployment.execute("UPDATE project_credentials SET project_id = ? WHERE id = ?", mine, moved)
    if where == "history":
        attacked.deployment.execute(
            "UPDATE strongroom_vault_history SET project_id = ? WHERE credential_id = ?", mine, moved
        )
    assert shared(attacked) == {str(wallet): [PHRASE_ACROSS_PROJECTS] for wallet in (stays, moved)}
    path = repaired(attacked)
    assert not writes_keys(path, moved)
    assert not writes_keys(path, stays)
    attacked.assert_keyless(moved)


def test_a_twin_of_the_moved_row_does_not_hide_that_its_phrase_is_anothers(attacked: Attacked) -> None:
    """Two rows with one key in one project share a key there, which alone would be sealed."""
    mine, theirs = attacked.deployment.project(), attacked.deployment.project()
    wallet_of(attacked, theirs, 5)
    twins = [wallet_of(attacked, mine, 6), wallet_of(attacked, mine, 6)]
    found = shared(attacked)
    assert all(PHRASE_ACROSS_PROJECTS in found[str(twin)] for twin in twins)
    path = repaired(attacked)
    for twin in twins:
        assert not writes_keys(path, twin)
        attacked.assert_keyless(twin)


def test_a_sealed_phrase_is_its_projects_wherever_its_row_is_moved(attacked: Attacked) -> None:
    """Both rows are moved: the sealed one says whose it is, and goes back."""
    mine, theirs = attacked.deployment.project(), attacked.deployment.project()
    stays = wallet_of(attacked, theirs, 5)
    seal_first(attacked, stays)
    moved = wallet_of(attacked, mine, 6)
    attacked.deployment.execute("UPDATE project_credentials SET project_id = ? WHERE id = ?", mine, stays)
    assert shared(attacked) == {str(wallet): [PHRASE_ACROSS_PROJECTS] for wallet in (stays, moved)}
    assert not writes_keys(repaired(attacked), moved)
    attacked.assert_keyless(moved)


def test_an_opened_phrase_that_derives_nothing_counts(attacked: Attacked) -> None:
    mine, theirs = attacked.deployment.project(), attacked.deployment.project()
    other = attacked.credential(theirs, "0x" + "11" * 20)
    attacked.record(other, locked(1), theirs)
    moved = wallet_of(attacked, mine, 6)
    not_own = f"{PHRASE_ACROSS_PROJECTS}; {NOT_ITS_OWN}"
    assert shared(attacked) == {str(other): [not_own], str(moved): [PHRASE_ACROSS_PROJECTS]}
    assert not writes_keys(repaired(attacked), moved)
    attacked.assert_keyless(moved)


def test_a_key_that_stands_in_several_projects_is_told_once(attacked: Attacked) -> None:
    wallets = [wallet_of(attacked, attacked.deployment.project(), 5) for _ in range(2)]
    assert shared(attacked) == {str(wallet): [ACROSS_PROJECTS] for wallet in wallets}


def test_wallets_of_one_phrase_in_one_project_are_sealed(attacked: Attacked) -> None:
    project = attacked.deployment.project()
    wallets = [wallet_of(attacked, project, 5), wallet_of(attacked, project, 6, "metadata")]
    assert shared(attacked) == {}
    repaired(attacked)
    with attacked.deployment.open() as vault:
        for wallet in wallets:
            mnemonic = vault.reveal(wallet, **WHO).mnemonic
            assert mnemonic is not None
            assert mnemonic.reveal_text() == PHRASE
