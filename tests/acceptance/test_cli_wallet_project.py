"""Every command that takes a wallet takes its project: in any other one it is not found, and nothing is done."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from testbed.command_line import PHRASE_ADDRESS, PHRASE_KEY, call, commands
from tests.acceptance.cli_errors import assert_error

OTHERS = {"wallet create", "wallet create-many", "wallet import", "wallet list"}
"""Commands about wallets that take none."""
PAYLOADS = {
    "sign message": b"hello",
    "sign transaction": b'{"type": 2, "chainId": 1, "nonce": 1, "maxFeePerGas": 9, "maxPriorityFeePerGas": 4,'
    b' "gas": 21000, "to": "0x00000000000000000000000000000000000000aa", "value": 1, "data": "0x"}',
    "sign authorization": b'{"chainId": 1, "address": "0x00000000000000000000000000000000000000aa", "nonce": 2}',
    "sign typed-data": b'{"types": {"EIP712Domain": [{"name": "chainId", "type": "uint256"}],'
    b' "Note": [{"name": "text", "type": "string"}]}, "primaryType": "Note", "domain": {"chainId": 1},'
    b' "message": {"text": "hello"}}',
}
COMMANDS: dict[str, tuple[str, ...]] = {
    "wallet show": (),
    "verify": (),
    "wallet export": ("--reveal",),
    "wallet store-key": ("--private-key-stdin",),
    "history restore": (),
    **dict.fromkeys(PAYLOADS, ("-",)),
    "wallet replace": (),
    "wallet revoke": (),
}
"""Each with what it needs to succeed, in an order in which all of them do."""
FAILING = {"wallet move-key": ("--to", "history"), "sign psbt": ("-",)}
"""What this wallet has no use for: in its own project they fail for that."""
EMPTY = {"history show", "log list"}
OF_A_TEXT = {"history reveal"}
"""Of which there is a test of its own: it takes a text."""


def test_the_commands_are_all_that_take_a_wallet() -> None:
    found = {
        name
        for name, command in commands()
        if name.startswith(("wallet ", "sign ")) or any(parameter.name == "wallet" for parameter in command.params)
    }
    assert found - OTHERS == {*COMMANDS, *FAILING, *EMPTY, *OF_A_TEXT}
    takes_project = {name for name, command in commands() if any(each.name == "project" for each in command.params)}
    assert found - takes_project == set()


@pytest.mark.usefixtures("initialised")
@pytest.mark.parametrize("named", ["id", "address", "parts"])
def test_a_wallet_of_another_project_is_not_found_and_nothing_is_done(project: str, named: str, tmp_path: Path) -> None:
    key = PHRASE_KEY.encode()
    given = ("--project", project, "--private-key-stdin", "--json")
    wallet = call("wallet", "import", "ethereum", *given, stdin=key).document["wallet"]["id"]
    name = {"id": wallet, "address": PHRASE_ADDRESS, "parts": f"{project}/ethereum"}[named]
    before = call("log", "list", "--wallet", wallet, "--json").document["log"]
    for command, options in (COMMANDS | FAILING).items():
        arguments = (*command.split(), name, *options, "--project", str(uuid4()), "--json")
        assert_error(call(*arguments, stdin=PAYLOADS.get(command, key)), "wallet-not-found", 1)
    assert call("log", "list", "--wallet", wallet, "--json").document["log"] == before
    assert_error(call("wallet", "show", name, "--project", "42", "--json"), "invalid-project", 2)
    for command, options in COMMANDS.items():
        arguments = (*command.split(), name, *options, "--project", project, "--json")
        answer = call(*arguments, stdin=PAYLOADS.get(command, key))
        assert answer.code == 0, (command, answer)
        name = wallet if command == "wallet replace" else name  # its address and label are its successor's, too


@pytest.mark.usefixtures("initialised")
def test_what_was_kept_and_logged_is_another_projects(project: str) -> None:
    made = call("wallet", "create", "ethereum", "--project", project, "--json").document["results"][0]["wallet"]["id"]
    for command, key in ((("history", made), "history"), (("log", "list", "--wallet", made), "log")):
        assert call(*command, "--project", str(uuid4()), "--json").document[key] == []
        assert call(*command, "--project", project, "--json").code == 0
    assert call("log", "list", "--wallet", made, "--project", project, "--json").document["log"]


@pytest.mark.usefixtures("initialised")
@pytest.mark.parametrize("as_text", [(), ("--text",)])
def test_a_kept_text_of_another_project_is_not_found(project: str, as_text: tuple[str, ...]) -> None:
    made = call("wallet", "create", "ethereum", "--project", project, "--json").document["results"][0]["wallet"]["id"]
    assert call("keys", "rotate", "--json").code == 0
    assert call("keys", "rewrap", "--json").code == 0
    (entry,) = call("history", made, "--json").document["history"]
    reveal = ("history", "reveal", entry["id"], *as_text, "--reveal", "--json")
    for other in (("--project", str(uuid4())), ("--wallet", str(uuid4()))):
        assert_error(call(*reveal, *other), "wallet-not-found", 1)
    answer = call(*reveal, "--project", project, "--wallet", made)
    assert answer.code == 0, answer
    assert (answer.document["project_id"], answer.document["wallet_id"]) == (project, made)
