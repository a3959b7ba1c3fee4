"""A wallet's own phrase, at a path that no wallet uses: in the text, in the row, or known to a person."""

from __future__ import annotations

import json
import shlex
from uuid import UUID

import pytest

from strongroom.crypto.phrase import Phrase
from strongroom.networks import TABLE
from strongroom.secret import Secret
from testbed.command_line import call
from testbed.databases.attacked import Attacked

pytestmark = pytest.mark.parametrize("attacked", ["g3", "g4"], indirect=True)

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
PATH = "m/44'/60'/7'/3/11"


def address() -> str:
    network = TABLE.get("ethereum")
    material = network.derive(Phrase.parse(Secret.from_text(PHRASE)), network.scheme(None), PATH)
    return network.public_half(material.private_key, material.scheme).address


def found(attacked: Attacked, wallet: UUID, *options: str) -> dict[str, dict[str, str]]:
    return {each["code"]: each for each in attacked.doctor(*options) if each["credential_id"] == str(wallet)}


def run(attacked: Attacked, command: str, stdin: bytes = b"") -> str:
    program, *words = shlex.split(command)
    assert program == "strongroom"
    base = ("--database", attacked.deployment.url, "--root-key", attacked.deployment.root_key)
    answer = call(*words, *base, stdin=stdin)
    assert answer.code == 0, answer.err
    return answer.out


def assert_signs(attacked: Attacked, wallet: UUID) -> None:
    with attacked.deployment.open() as vault:
        assert [result.ok for result in vault.verify(wallet)] == [True]
        assert vault.reveal(wallet, actor="test", reason="drill").path == PATH


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"mnemonic": PHRASE, "path": PATH}),
        json.dumps({"wallet": {"derivation": {"hdPath": PATH.replace("'", "h")}, "seedPhrase": PHRASE}}),
    ],
)
def test_a_path_in_the_text_is_tried(attacked: Attacked, text: str) -> None:
    project = attacked.deployment.project()
    wallet = attacked.credential(project, address())
    attacked.record(wallet, text, project)
    assert "phrase-does-not-derive-key" not in found(attacked, wallet)
    assert attacked.apply(attacked.plan()).code == 0
    assert_signs(attacked, wallet)


def test_a_path_in_the_row_is_tried(attacked: Attacked) -> None:
    project = attacked.deployment.project()
    wallet = attacked.credential(project, address(), json.dumps({"path": PATH}))
    attacked.record(wallet, PHRASE, project)
    assert attacked.apply(attacked.plan()).code == 0
    assert_signs(attacked, wallet)


def test_no_command_that_moves_the_phrase_is_named_before_its_path(attacked: Attacked) -> None:
    project = attacked.deployment.project()
    wallet = attacked.credential(project, address())
    attacked.record(wallet, PHRASE, project)
    told = found(attacked, wallet)
    assert "--path" in told["phrase-does-not-derive-key"]["evidence"]
    for code in ("plaintext-mnemonic", "phrase-does-not-derive-key"):
        assert PHRASE in run(attacked, f"{told[code]['command']} --actor test --reason drill")
    assert attacked.apply(attacked.plan("--path", PATH), "--path", PATH).code == 0
    assert_signs(attacked, wallet)


def test_a_path_is_tried_on_a_phrase_that_was_set_aside(attacked: Attacked) -> None:
    """Whoever moved it first finds it again, by commands that doctor prints."""
    project = attacked.deployment.project()
    wallet = attacked.credential(project, address())
    attacked.record(wallet, PHRASE, project)
    run(attacked, f"strongroom wallet move-key {wallet} --to history --actor test --reason drill")
    unnamed = found(attacked, wallet)["placeholder"]
    assert unnamed["repair"] == "ask"
    assert "name others with --path" in unnamed["evidence"]
    named = found(attacked, wallet, "--path", PATH)["placeholder"]["evidence"].split("`")
    revealed = run(attacked, f"{named[1]} --actor test --reason drill --json")
    phrase = json.loads(revealed)["mnemonic"]
    run(attacked, f"{named[3]} --actor test --reason drill", phrase.encode())
    assert_signs(attacked, wallet)
