"""Metadata that are large, or hold large numbers, hide no key; what is not read of them is told, and is no text."""

from __future__ import annotations

import json

import pytest

from testbed.databases.deployments import Deployment
from testbed.databases.moved_rows import divided
from tests.integration.doctors import codes, finding
from tests.integration.test_keys_in_metadata import KEYS, ask, counted, plant, run

OTHER = "c0ffee" + "5a" * 29
BESIDE = {
    "512 bits": f'"number": {1 << 511 | 12345}',
    "many numbers": f'"balances": {list(range(1, 3000))}',
    "a float": '"ratio": 1e300',
    "below zero": f'"debt": -1{"0" * 90}',
    "more digits than Python reads": f'"digits": 1{"0" * 4400}',
    "more than PostgreSQL writes in a row": '"exponent": 1e5000',
}

UNREAD_BY_VERBS = ("many numbers", "more digits than Python reads", "more than PostgreSQL writes in a row")
"""Metadata that are larger than any of strongroom's own tables."""


def write(deployment: Deployment, members: str) -> None:
    """Put members, as JSON writes them, next to what strongroom wrote, into the one credential."""
    [(said,)] = deployment.execute("SELECT metadata FROM project_credentials")
    facts = said if isinstance(said, str) else json.dumps(said)
    whole = f"{{{facts.strip()[1:-1]}, {members}}}".replace("{,", "{")
    value = "?" if deployment.backend == "sqlite" else "?::text::jsonb"
    deployment.execute(f"UPDATE project_credentials SET metadata = {value}", whole)


@pytest.mark.one_node  # divided tables name no member of metadata that are too large
@pytest.mark.parametrize("word", BESIDE)
def test_a_key_next_to_large_numbers_is_found_and_got_out(core_deployments: Deployment, word: str) -> None:
    key = KEYS[3]
    wallet = plant(core_deployments, key, {"backup": key})
    write(core_deployments, BESIDE[word])
    found = ask(core_deployments)
    expected = {"key-in-metadata": 1, "placeholder": 1, "stored-flag-wrong": 1}
    if core_deployments.backend == "fresh" and word in UNREAD_BY_VERBS:  # and so not what the register says
        expected["register-mismatch"] = 1
    assert codes(found, wallet) == expected, found["findings"]
    assert (counted(core_deployments, "lost"), counted(core_deployments, "in plaintext")) == (0, 1)
    assert key in run(core_deployments, f"strongroom history reveal metadata:{wallet}/backup --reveal")


@pytest.mark.parametrize("word", BESIDE)
def test_large_numbers_in_the_metadata_of_a_healthy_wallet_are_no_finding(
    core_deployments: Deployment, word: str
) -> None:
    beside = f'"balances": {list(range(250))}' if word == "many numbers" else BESIDE[word]
    with core_deployments.open() as vault:
        wallet = vault.create_wallet(core_deployments.project(), "ethereum").wallet
        write(core_deployments, beside)
        if core_deployments.backend != "fresh" or word not in UNREAD_BY_VERBS[1:]:
            assert vault.reveal(wallet, actor="a", reason="b").private_key
            assert ask(core_deployments)["findings"] == []


def test_a_key_next_to_a_member_that_is_too_long_is_told_apart_from_it(core_deployments: Deployment) -> None:
    """A text column comes whole or not at all; of jsonb the other members are read."""
    with core_deployments.open() as vault:
        wallet = vault.create_wallet(core_deployments.project(), "ethereum").wallet
    write(core_deployments, f'"privateKey": "{OTHER}", "log": "{"x y " * 20_000}"')
    found = ask(core_deployments)
    unread = finding(found, "metadata-not-read", wallet.id)
    assert (unread["repair"], unread["automatic"], unread["command"]) == ("ask", False, "")
    assert "no command prints it" in unread["evidence"]
    if core_deployments.backend == "sqlite" or divided(core_deployments):  # docs/doctor.md, "What it does not see"
        assert "key-in-metadata" not in codes(found, wallet.id)
        return
    command = finding(found, "key-in-metadata", wallet.id)["command"]
    if core_deployments.backend == "fresh":  # whose verbs do not know the wallet by metadata that are as long
        assert OTHER in run(core_deployments, command)
        return
    assert "move-key" in command
    run(core_deployments, command)
    assert OTHER not in str(core_deployments.execute("SELECT metadata FROM project_credentials"))


def test_a_wallet_whose_metadata_were_not_read_is_not_called_lost(core_deployments: Deployment) -> None:
    wallet = plant(core_deployments, KEYS[4], {"log": "x y " * 20_000})
    found = ask(core_deployments)
    assert codes(found, wallet)["metadata-not-read"] == 1
    missing = finding(found, "placeholder", wallet)
    assert (missing["repair"], missing["command"]) == ("ask", f"strongroom wallet store-key {wallet}")
    assert (counted(core_deployments, "lost"), counted(core_deployments, "unexplained")) == (0, 1)
