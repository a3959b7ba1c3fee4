"""One budget of work for passwords that do not open: anyone who writes rows may plant what costs much."""

from __future__ import annotations

import json

import pytest
from eth_account import Account

from strongroom.host.work_budget import WorkBudget
from strongroom.networks.codecs import keystore
from strongroom.secret import Secret
from strongroom.takeover.doctor.key_texts import read
from strongroom.takeover.doctor.passwords import Passwords
from testbed.defects.locked import envelope_text

KEY = bytes(range(1, 33))
PASSWORD = "the right password"


def keystore_text(password: str) -> str:
    return json.dumps(Account.encrypt(KEY, password, kdf="pbkdf2", iterations=2))


def costly(iterations: int = keystore.MAX_ITERATIONS) -> str:
    document = json.loads(keystore_text("another"))
    document["crypto"]["kdfparams"]["c"] = iterations
    return json.dumps(document)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (keystore_text(PASSWORD), costly(50_000)),
        (envelope_text(KEY.hex(), PASSWORD, bytes(16), bytes(16)), envelope_text(KEY.hex(), "x", bytes(16), bytes(16))),
    ],
    ids=["keystore", "envelope"],
)
def test_what_does_not_open_costs_and_what_opens_does_not(right: str, wrong: str) -> None:
    passwords = Passwords(Secret.from_text(PASSWORD), Secret.from_text(PASSWORD), WorkBudget(0.05))
    for _ in range(20):
        assert passwords.open(read(right))[1] == "opened"
    notes = [passwords.open(read(wrong))[1] for _ in range(20)]
    assert notes[0] == "the password does not open it, or it was changed"
    assert notes[-1].startswith("not tried")
    assert passwords.open(read(right))[0] is not None or notes.count(notes[0]) > 1


def test_a_text_that_asks_for_too_much_is_not_tried_at_all() -> None:
    passwords = Passwords(None, Secret.from_text(PASSWORD), WorkBudget(1.0))
    opened, note = passwords.open(read(costly()))
    assert (opened, note.partition(":")[0]) == (None, "not tried")
    assert keystore.cost(Secret.from_text(costly())) == 2.0


def test_the_cost_of_scrypt_is_that_of_its_parameters() -> None:
    geth = json.loads(keystore_text(PASSWORD))
    geth["crypto"] |= {"kdf": "scrypt", "kdfparams": {"dklen": 32, "n": 262144, "r": 8, "p": 1, "salt": "00" * 32}}
    assert keystore.cost(Secret.from_text(json.dumps(geth))) == 1.0
    assert keystore.cost(Secret.from_text("{}")) == 0.0
