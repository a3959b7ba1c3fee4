"""The commands that findings name for what is next to something else: each text has one, and none of them refuses."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from strongroom import Vault, Wallet
from testbed.command_line import CommandResult, call
from testbed.databases.deployments import Deployment, open_deployment
from testbed.databases.guards import install, key_of, put, rows_gone
from testbed.defects.locked import envelope_text
from testbed.processes.wallets import PHRASE
from tests.integration.doctors import finding
from tests.integration.test_keys_in_metadata import ask

OTHER = "7b" * 31 + "c9"
CIPHERTEXTS = ("U2FsdGVkX18xMjM0NTY3OKbtMtQwrYvkCmRqSGLkZEY=", "U2FsdGVkX18xMjM0NTY3OKbtMtQwrYvkCmRqSGLkZEX=")
NOTES = ("enlist essence novel wonder give inquiry", "saddle frog immune real tent couch")


@pytest.fixture(params=["sqlite", "g4"])
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with open_deployment(request.param, request) as opened:
        yield opened


def put_member(deployment: Deployment, wallet: Wallet, name: str, value: object) -> None:
    """A member of the metadata of one wallet."""
    [(said,)] = deployment.execute("SELECT metadata FROM project_credentials WHERE id = ?", wallet.id)
    facts = json.loads(said) if isinstance(said, str) else said
    marked = "?" if deployment.backend == "sqlite" else "?::text::jsonb"
    deployment.execute(
        f"UPDATE project_credentials SET metadata = {marked} WHERE id = ?",
        json.dumps({**facts, name: value}),
        wallet.id,
    )


def run(deployment: Deployment, command: str) -> CommandResult:
    words = shlex.split(command)[1:]
    return call(*words, "--database", deployment.url, "--root-key", deployment.root_key)


def everything(deployment: Deployment, found: dict[str, Any]) -> str:
    """What all commands print that get something out; none of them may refuse."""
    printed = ""
    for each in found["findings"] + found["notes"]:
        if each["command"] and "store-key" not in each["command"] and "repair" not in each["command"]:
            answer = run(deployment, each["command"])
            assert answer.code == 0, (each, answer)
            printed += answer.out
    return printed


def three(deployment: Deployment, vault: Vault) -> tuple[Wallet, Wallet, Wallet]:
    project = deployment.project()
    labels = ("default", "x", "y")
    a, b, c = (vault.create_wallet(project, "ethereum", label=label).wallet for label in labels)
    return a, b, c


def gone(deployment: Deployment, *wallets: Wallet) -> None:
    for wallet in wallets:
        rows_gone(deployment, wallet.id)
        deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", wallet.id)
    deployment.execute("DELETE FROM strongroom_vault_history")


def test_each_sealed_text_in_the_metadata_has_a_command(deployment: Deployment) -> None:
    with deployment.open() as vault:
        here, *others = three(deployment, vault)
        keys = [key_of(vault, each) for each in others]
    texts = deployment.texts()
    for name, other in zip(("private_key_encrypted", "private_key_vault_id"), others, strict=True):
        put_member(deployment, here, name, texts[other.id])
    gone(deployment, *others)
    found = ask(deployment)
    printed = everything(deployment, found)
    assert all(key in printed for key in keys)
    told = [each for each in found["findings"] if each["code"] == "key-in-metadata"]
    assert [each["name"] for each in told] == [
        f"key-in-metadata:{here.id}/private_key_encrypted",
        f"key-in-metadata:{here.id}/private_key_vault_id",
    ]
    human = call("doctor", "--database", deployment.url, "--root-key", deployment.root_key)
    assert "1 wallet with keys in metadata" in human.err


def test_each_ciphertext_in_the_metadata_has_a_command(deployment: Deployment) -> None:
    with deployment.open() as vault:
        here, *_ = three(deployment, vault)
    for name, text in zip(("private_key_encrypted", "backup"), CIPHERTEXTS, strict=True):
        put_member(deployment, here, name, text)
    printed = everything(deployment, ask(deployment))
    assert all(text in printed for text in CIPHERTEXTS)


def test_two_halves_of_a_phrase_under_names_of_their_own_are_printed_together(deployment: Deployment) -> None:
    with deployment.open() as vault:
        here, *_ = three(deployment, vault)
    put(deployment, here.id, "MIGRATION_REQUIRED")
    deployment.execute("DELETE FROM strongroom_vault_history")
    for name, text in zip(("first", "then"), NOTES, strict=True):
        put_member(deployment, here, name, text)
    told = finding(ask(deployment), "placeholder", here.id)
    assert told["command"] == f"strongroom history reveal metadata:{here.id}/@all --text --reveal"
    printed = run(deployment, told["command"]).out
    assert all(text in printed for text in NOTES)


@pytest.mark.parametrize("where", ["two members", "record and metadata"])
def test_a_key_next_to_that_of_another_project_has_a_command_of_its_own(deployment: Deployment, where: str) -> None:
    """`move-key` takes all keys of a wallet, and refuses where one is another project's."""
    with deployment.open() as vault:
        here, *_ = three(deployment, vault)
        theirs = vault.create_wallet(deployment.project(), "ethereum").wallet
        key = key_of(vault, theirs)
    put_member(deployment, here, "private_key_encrypted", OTHER)
    if where == "two members":
        put_member(deployment, here, "privateKey", key)
    else:
        put(deployment, here.id, key)
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", here.id)
    printed = everything(deployment, ask(deployment))
    assert all(each in printed for each in (OTHER, key))


@pytest.mark.parametrize("text", ["a note of the application, no key", "ab" * 32, "sealed of another"])
def test_the_own_text_in_another_ones_history_is_put_back_over_a_text(deployment: Deployment, text: str) -> None:
    with deployment.open() as vault:
        here, other, _ = three(deployment, vault)
        key = key_of(vault, here)
    texts = deployment.texts()
    deployment.execute("DELETE FROM strongroom_vault_history")
    install(deployment)
    put(deployment, here.id, texts[other.id] if text == "sealed of another" else text)
    put(deployment, other.id, texts[here.id])
    put(deployment, other.id, texts[other.id])
    everything(deployment, ask(deployment))
    with deployment.open() as vault:
        assert key_of(vault, here) == key


@pytest.mark.parametrize("text", ["a note that nothing explains", ""])
def test_an_own_key_that_was_kept_in_plaintext_is_put_back_where_the_row_says_a_path(
    deployment: Deployment, text: str
) -> None:
    with deployment.open() as vault:
        here, *_ = three(deployment, vault)
        key = key_of(vault, here)
    install(deployment)
    put(deployment, here.id, key)
    put(deployment, here.id, text)
    deployment.execute("DELETE FROM strongroom_vault_history WHERE form = 'sealed'")
    everything(deployment, ask(deployment))
    archive = " --archive-current" if text else ""
    assert run(deployment, f"strongroom history restore {here.id}{archive}").code == 0
    with deployment.open() as vault:
        assert key_of(vault, here) == key


@pytest.mark.parametrize("text", ["ab" * 32, "a note that nothing explains", ""])
def test_a_kept_key_that_no_verb_puts_back_is_printed(deployment: Deployment, text: str) -> None:
    """The register has no record of the wallet any more: on legacy tables no other finding says so."""
    with deployment.open() as vault:
        here, *_ = three(deployment, vault)
        key = key_of(vault, here)
    install(deployment)
    put(deployment, here.id, text)
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", here.id)
    found = ask(deployment)
    printed = everything(deployment, found)
    assert key in printed
    assert text in printed
    refused = finding(found, "not-restorable", here.id)
    assert "The register has no record" in refused["evidence"]


def test_a_text_under_another_wallet_is_printed_where_the_register_contradicts_the_row(deployment: Deployment) -> None:
    with deployment.open() as vault:
        here, other, _ = three(deployment, vault)
        key = key_of(vault, here)
    texts = deployment.texts()
    install(deployment)
    put(deployment, other.id, texts[here.id])
    put(deployment, other.id, texts[other.id])
    put(deployment, here.id, "MIGRATION_REQUIRED")
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", here.id)
    inactive = "0" if deployment.backend == "sqlite" else "false"
    deployment.execute(
        f"UPDATE project_credentials SET status = 'revoked', is_active = {inactive} WHERE id = ?", here.id
    )
    printed = everything(deployment, ask(deployment))
    if deployment.backend == "sqlite":  # on legacy tables the row, which allows less, counts, and the key is put back
        assert key in printed


def test_more_is_kept_than_was_read_over_a_text(deployment: Deployment) -> None:
    with deployment.open() as vault:
        here, *_ = three(deployment, vault)
        key = key_of(vault, here)
    install(deployment)
    deployment.execute("DELETE FROM strongroom_vault_history")
    put(deployment, here.id, key)
    for number in range(1005):
        put(deployment, here.id, f"junk that nobody explains, number {number}")
    deployment.execute("DELETE FROM strongroom_vault_history WHERE form = 'sealed'")
    told = finding(ask(deployment), "unreadable", here.id)
    assert key.removeprefix("0x") in run(deployment, told["command"]).out
    assert run(deployment, f"strongroom history restore {here.id} --archive-current").code == 0


PASSWORD = "the password of envelopes"
OPTION = "--legacy-password-stdin"


def envelope(text: str, number: int = 0) -> str:
    return envelope_text(text, PASSWORD, bytes([number]) * 32, bytes(16))


def with_password(deployment: Deployment, *words: str) -> CommandResult:
    options = ("--database", deployment.url, "--root-key", deployment.root_key)
    return call(*words, *options, stdin=PASSWORD.encode() if OPTION in words else b"")


@pytest.mark.parametrize("what", ["key", "phrase"])
@pytest.mark.parametrize("where", ["metadata", "record"])
def test_what_a_password_protects_and_is_another_projects_has_a_command(
    deployment: Deployment, where: str, what: str
) -> None:
    with deployment.open() as vault:
        here, *_ = three(deployment, vault)
        given = {"mnemonic": PHRASE} if what == "phrase" else {"private_key": OTHER}
        theirs = vault.import_wallet(deployment.project(), "ethereum", **given).wallet
    if where == "metadata":
        put_member(deployment, here, "backup", envelope(next(iter(given.values()))))
    else:
        put(deployment, here.id, envelope(next(iter(given.values()))))
    deployment.execute("DELETE FROM strongroom_vault_history")
    found = with_password(deployment, "doctor", "--json", OPTION).document["findings"]
    told = {each["command"] for each in found if each["credential_id"] == str(here.id)} - {""}
    assert told == {f"strongroom wallet export {theirs.id} --reveal"}
    assert run(deployment, next(iter(told))).code == 0


@pytest.mark.parametrize(("name", "given"), [("privateKey", True), ("a", True), ("privateKey", False)])
def test_an_envelope_in_the_metadata_of_a_wallet_whose_row_says_no_network_is_printed_whole(
    deployment: Deployment, name: str, given: bool
) -> None:
    with deployment.open() as vault:
        here, *_ = three(deployment, vault)
    put_member(deployment, here, "backup", envelope(json.dumps({name: OTHER, "b": "5d" * 32})))
    deployment.execute(
        "UPDATE project_credentials SET wallet_address = 'none', public_key = '', network = 'none', "
        "credential_type = 'none' WHERE id = ?",
        here.id,
    )
    options = (OPTION,) if given else ()
    found = with_password(deployment, "doctor", "--json", *options).document
    told = finding(found, "key-in-metadata", here.id)
    answer = with_password(deployment, *shlex.split(told["command"])[1:])
    assert answer.code == 0, (told, answer)
    assert OTHER in answer.out
    assert "5d" * 32 in answer.out or not given


def test_what_a_plan_leaves_names_what_prints_it(deployment: Deployment, tmp_path: Path) -> None:
    """The register's record was removed: no repair writes a key then, and `move-key` takes no key of the wallet's."""
    with deployment.open() as vault:
        here, other, _ = three(deployment, vault)
        keys = [key_of(vault, each) for each in (here, other)]
    put_member(deployment, here, "backup", keys[0])
    put(deployment, here.id, "MIGRATION_REQUIRED")
    put(deployment, other.id, keys[1])
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id IN (?, ?)", here.id, other.id)
    plan = tmp_path / "plan.json"
    answer = run(deployment, f"strongroom repair --plan {plan}")
    document = json.loads(plan.read_text())
    left = [each for each in document["left_to_people"] if each["code"] in ("key-in-metadata", "plaintext-key")]
    assert len(left) == 2, document
    printed = ""
    for each in left:
        shown = run(deployment, each["command"])
        assert shown.code == 0, (each, shown)
        printed += shown.out
    assert all(key in printed for key in keys)
    if not document["units"]:
        assert f"Next: read left_to_people in {plan}" in answer.err


def test_a_command_needs_no_other_options_than_it_names(deployment: Deployment, tmp_path: Path) -> None:
    """What was opened with a password, or at a path that somebody named, is sealed by a plan that has both."""
    path = "m/44'/60'/7'/1/33"
    with deployment.open() as vault:
        here, *_ = three(deployment, vault)
        other = vault.import_wallet(deployment.project(), "ethereum", mnemonic=PHRASE, path=path).wallet
        keys = [key_of(vault, each) for each in (here, other)]
    put(deployment, here.id, envelope(keys[0]))
    put(deployment, other.id, PHRASE)
    if deployment.foreign:
        deployment.execute("UPDATE project_credentials SET metadata = NULL WHERE id = ?", other.id)
    deployment.execute("DELETE FROM strongroom_vault_history")
    options = (OPTION, "--path", path)
    found = with_password(deployment, "doctor", "--json", *options).document["findings"]
    [command] = {each["command"] for each in found if each["automatic"]}
    assert command == f'strongroom repair --plan plan.json {OPTION} --path "{path}"'
    told = with_password(deployment, "doctor", *options).out
    assert f"`{command}` seals them" in told
    plan = tmp_path / "a plan.json"
    words = [str(plan) if word == "plan.json" else word for word in shlex.split(command)[1:]]
    planned = with_password(deployment, *words)
    [following] = [line for line in planned.err.splitlines() if line.startswith("Next: ")]
    applied = with_password(deployment, *shlex.split(following.removeprefix("Next: "))[1:])
    assert applied.code == 0, applied
    with deployment.open() as vault:
        assert [key_of(vault, each) for each in (here, other)] == keys
