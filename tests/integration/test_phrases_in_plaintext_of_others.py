"""For a row that anyone may have planted, doctor prints no command that gives out the words of another project."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from testbed.databases.attacked import Attacked, address_of
from testbed.databases.guards import put
from tests.integration.test_keys_that_phrases_have import WORDS, key_at

pytestmark = pytest.mark.parametrize("attacked", ["g2", "g4"], indirect=True)
ADDRESS = address_of(key_at("ethereum", "m/44'/60'/0'/0/5"))
FIRST = address_of(key_at("ethereum", "m/44'/60'/0'/0/0"))


def words_of(attacked: Attacked, project: UUID, where: str) -> None:
    """Words in plaintext in a row of a project."""
    if where == "record":
        with attacked.deployment.open() as vault:
            host = vault.import_wallet(project, "ethereum", mnemonic=WORDS).wallet
        put(attacked.deployment, host.id, WORDS)
    elif where == "member":
        attacked.credential(project, address_of("81" * 32), json.dumps({"mnemonic": WORDS}))
    else:
        attacked.entry(attacked.credential(project, address_of("81" * 32)), WORDS, project, "x", "foreign")


def told(attacked: Attacked, row: UUID) -> dict[str, str]:
    codes = ("placeholder", "missing-vault-record")
    about = [each for each in attacked.doctor() if each["credential_id"] == str(row)]
    [found] = [each for each in about if each["code"] in codes]
    return found


@pytest.mark.parametrize("where", ["record", "member", "entry"])
def test_words_of_another_project_are_named_and_not_printed(attacked: Attacked, where: str) -> None:
    mine, theirs = attacked.deployment.project(), attacked.deployment.project()
    words_of(attacked, theirs, where)
    row = attacked.credential(mine, FIRST if where == "entry" else ADDRESS)
    attacked.record(row, "", mine)
    found = told(attacked, row)
    assert found["repair"] == "ask"
    assert found["command"] == ""
    assert "another project" in found["evidence"]


def test_words_of_its_own_project_are(attacked: Attacked) -> None:
    """Also where another project has them, too, whichever was read first."""
    mine, theirs = attacked.deployment.project(), attacked.deployment.project()
    for project in (theirs, mine, theirs):
        words_of(attacked, project, "member")
    row = attacked.credential(mine, ADDRESS)
    attacked.record(row, "", mine)
    assert "history reveal" in told(attacked, row)["command"]
