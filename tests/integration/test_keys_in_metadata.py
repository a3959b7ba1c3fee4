"""Keys in any member of the metadata: found, counted, and got out by the command that is named; never called lost."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from testbed.command_line import call
from testbed.databases.deployments import Deployment
from testbed.databases.foreign import address_of
from testbed.databases.guards import put
from testbed.defects.locked import envelope_text, keystore_text
from tests.integration.doctors import codes, document

KEYS = tuple(f"{number:064x}" for number in range(0x7A00, 0x7A20))
PHRASE = "enlist essence novel wonder give inquiry saddle frog immune real tent couch"
HOLDS: dict[str, tuple[Any, str]] = {
    "private_key": (lambda key: {"private_key": key}, "private_key"),
    "camel case": (lambda key: {"privateKey": f"0x{key}"}, "privateKey"),
    "a record's column": (lambda key: {"encrypted_private_key": key}, "encrypted_private_key"),
    "nested": (lambda key: {"vault_storage": {"private_key": key}}, "vault_storage.private_key"),
    "deep": (lambda key: {"a": {"b": {"c": {"pk": key}}}}, "a.b.c.pk"),
    "any name": (lambda key: {"backup": f"0x{key}"}, "backup"),
    "a list of objects": (lambda key: {"backups": [{"key": key}]}, "backups"),
    "a note": (lambda key: {"note": f"rescued key {key}"}, "note"),
    "a longer note": (lambda key: {"note": f"the old key, 0x{key}, was found on 1 May"}, "note"),
    "bytes": (lambda key: {"raw": list(bytes.fromhex(key))}, "raw"),
    "a number": (lambda key: {"number": int(key, 16) << 128 | 1}, "number"),
    "a name that is no plain word": (lambda key: {"the private key": key}, "@rest"),
    "under such a name": (lambda key: {"old": {"the key": key}}, "old"),
    "no object": (lambda key: [key], "@rest"),
}


def plant(deployment: Deployment, key: str, metadata: Any, *, text: str = "MIGRATION_REQUIRED") -> str:
    with deployment.open() as vault:
        wallet = vault.import_wallet(deployment.project(), "ethereum", private_key=key).wallet
    put(deployment, wallet.id, text)
    deployment.execute("DELETE FROM strongroom_vault_history WHERE credential_id = ?", wallet.id)
    write(deployment, metadata)
    return str(wallet.id)


def write(deployment: Deployment, metadata: Any) -> None:
    """Put members next to what strongroom wrote, into the one credential."""
    [(said,)] = deployment.execute("SELECT metadata FROM project_credentials")
    facts = json.loads(said) if isinstance(said, str) else said
    whole = {**facts, **metadata} if isinstance(metadata, dict) else metadata
    value = "?" if deployment.backend == "sqlite" else "?::text::jsonb"
    deployment.execute(f"UPDATE project_credentials SET metadata = {value}", json.dumps(whole))


def run(deployment: Deployment, command: str) -> str:
    words = shlex.split(command)
    assert words.pop(0) == "strongroom"
    answer = call(*words, "--database", deployment.url, "--root-key", deployment.root_key)
    assert answer.code == 0, (command, answer)
    return answer.out


def ask(deployment: Deployment) -> dict[str, Any]:
    return document(deployment.url, "--root-key", deployment.root_key)


def counted(deployment: Deployment, word: str) -> int:
    """How many keys stand so, as people read it."""
    told = call("doctor", "--database", deployment.url, "--root-key", deployment.root_key).out
    found = re.search(rf"^\s*{word}\s+([0-9]+) ", told, re.MULTILINE)
    return 0 if found is None else int(found[1])


@pytest.mark.crossed(10)
@pytest.mark.parametrize("word", HOLDS)
def test_a_key_in_any_member_is_found_counted_and_repaired(
    core_deployments: Deployment, word: str, tmp_path: Path
) -> None:
    metadata_of, member = HOLDS[word]
    key = KEYS[list(HOLDS).index(word)]
    if word == "a number":
        key = f"{int(key, 16) << 128 | 1:064x}"
        metadata_of = lambda key: {"number": int(key, 16)}  # noqa: E731
    wallet = plant(core_deployments, key, metadata_of(key))
    found = ask(core_deployments)
    assert codes(found, wallet)["key-in-metadata"] == 1, found["findings"]
    [finding] = [each for each in found["findings"] if each["code"] == "key-in-metadata"]
    assert f"{member}: " in finding["evidence"]
    assert "derives the stored address" in finding["evidence"]
    assert key not in json.dumps(found)
    assert counted(core_deployments, "lost") == 0
    assert counted(core_deployments, "in plaintext") == 1
    [missing] = [each for each in found["findings"] if each["code"] == "placeholder"]
    assert (missing["repair"], missing["automatic"]) == ("fill", True)
    shown = run(core_deployments, f"strongroom history reveal metadata:{wallet}/{member} --reveal")
    assert key in shown
    if word == "no object" or (word == "a number" and core_deployments.backend == "fresh"):
        # of no wallet of ours: it has neither scheme nor path, or a number that is larger than any amount
        return
    plan = tmp_path / "plan.json"
    run(core_deployments, f"strongroom repair --plan {plan}")
    run(core_deployments, f"strongroom repair --apply {plan}")
    with core_deployments.open() as vault:
        assert vault.reveal(wallet, actor="a", reason="b").private_key.reveal_text() == f"0x{key}"
    left = ask(core_deployments)
    if finding["automatic"]:
        assert codes(left, wallet)["key-in-metadata"] == 0, left["findings"]
    else:
        command = next(each for each in left["findings"] if each["code"] == "key-in-metadata")["command"]
        assert key in run(core_deployments, command).replace(" ", "")


def test_a_phrase_in_a_note_is_found(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        wallet = vault.import_wallet(core_deployments.project(), "ethereum", mnemonic=PHRASE).wallet
    put(core_deployments, wallet.id, "")
    core_deployments.execute("DELETE FROM strongroom_vault_history")
    for metadata in ({"mnemonic": PHRASE}, {"note": f"my phrase is {PHRASE}, keep it"}, {"recovery": PHRASE.split()}):
        write(core_deployments, {"mnemonic": None, "note": None, "recovery": None, **metadata})
        found = ask(core_deployments)
        assert codes(found, wallet.id)["key-in-metadata"] == 1, metadata
        assert (counted(core_deployments, "lost"), counted(core_deployments, "in plaintext")) == (0, 1)


def test_a_key_of_another_address_is_moved_or_shown(core_deployments: Deployment) -> None:
    other = KEYS[-1]
    wallet = plant(core_deployments, KEYS[-2], {"privateKey": other})
    found = ask(core_deployments)
    assert (counted(core_deployments, "lost"), counted(core_deployments, "in plaintext")) == (0, 1)
    command = next(each for each in found["findings"] if each["code"] == "key-in-metadata")["command"]
    assert "move-key" in command
    run(core_deployments, command)
    with core_deployments.open() as vault:
        moved = {each.address for each in vault.history(wallet).entries}
    assert address_of("ethereum", other) in moved
    assert other not in str(core_deployments.execute("SELECT metadata FROM project_credentials"))
    assert counted(core_deployments, "in plaintext") == 0
    assert codes(ask(core_deployments), wallet)["key-in-metadata"] == 0


@pytest.mark.crossed(10)
@pytest.mark.parametrize(
    ("metadata", "state"),
    [
        ({"created_via": "api", "attempt": 2, "at": "2024-05-01T10:00:00Z"}, "lost"),
        ({"owner": "0x" + "ab" * 20, "request": "5f0c2f5e-7a8e-4bb0-9a7e-0d9f8b1f3f10"}, "lost"),
        ({"tx": "0x" + "cd" * 32}, "unexplained"),
        ({"note": "ask the person who wrote the migration of March"}, "unexplained"),
        ({"blob": [[1, 2, 3] * 20]}, "unexplained"),
        ({"password_hint": "x" * 70_000}, "unexplained"),
    ],
    ids=["flags", "names", "a hash", "prose", "numbers", "long"],
)
def test_lost_is_said_only_where_every_text_is_explained(
    core_deployments: Deployment, metadata: dict[str, Any], state: str
) -> None:
    wallet = plant(core_deployments, KEYS[-3], metadata)
    found = ask(core_deployments)
    assert counted(core_deployments, state) == 1
    [missing] = [each for each in found["findings"] if each["code"] == "placeholder"]
    if state == "lost":
        assert (missing["repair"], missing["command"]) == ("none", f"strongroom wallet store-key {wallet}")
        return
    assert missing["repair"] == "ask"
    if len(json.dumps(metadata)) < 65_536:
        assert json.dumps(next(iter(metadata.values())))[1:40] in run(core_deployments, missing["command"])


def test_a_healthy_wallet_with_other_metadata_has_no_finding(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        vault.import_wallet(core_deployments.project(), "ethereum", private_key=KEYS[-4])
    write(core_deployments, {"deploy_tx": "0x" + "cd" * 32, "note": "made by the importer of the third of May"})
    assert ask(core_deployments)["findings"] == []


BYTES = bytes(range(1, 33))
MAY_BE_KEYS: dict[str, Any] = {
    "a Buffer": {"private_key_encrypted": {"type": "Buffer", "data": list(BYTES)}},
    "a decimal number": {"private_key_encrypted": str(int.from_bytes(BYTES))},
    "a line of a form": {"private_key_encrypted": f"privateKey=0x{BYTES.hex()}&network=eth"},
    "prose": {"private_key_encrypted": f"the key of the hot wallet is 0x{BYTES.hex()} please keep"},
    "accounts": {"private_key_encrypted": {"accounts": [{"pk": f"0x{BYTES.hex()}"}]}},
    "32 bytes in base64": {"vault_storage": {"encrypted_private_key": base64.b64encode(BYTES).decode()}},
    "no key that is known": {"private_key_encrypted": "something that nobody can read any more"},
    "an older form": {"legacy_private_key": str(int.from_bytes(BYTES))},
    "a secret in a list": {"backup": [{"secret": str(int.from_bytes(BYTES))}]},
}


@pytest.mark.parametrize("word", MAY_BE_KEYS)
def test_what_may_be_a_key_of_another_address_is_told_as_in_a_record(core_deployments: Deployment, word: str) -> None:
    """Next to a sealed text that fits: nothing is lost, and a secret is readable, perhaps."""
    with core_deployments.open() as vault:
        wallet = vault.import_wallet(core_deployments.project(), "ethereum", private_key=KEYS[-6]).wallet
    write(core_deployments, MAY_BE_KEYS[word])
    [told] = ask(core_deployments)["findings"]
    assert (told["code"], told["repair"], told["credential_id"]) == ("key-in-metadata", "ask", str(wallet.id))
    printed = run(core_deployments, told["command"])
    if "move-key" in told["command"]:
        assert BYTES.hex() not in str(core_deployments.execute("SELECT metadata FROM project_credentials"))
        return
    forms = [BYTES.hex(), str(int.from_bytes(BYTES)), ", ".join(map(str, BYTES)), base64.b64encode(BYTES).decode()]
    assert any(form in printed for form in [*forms, "nobody can read"])


@pytest.mark.parametrize(
    "metadata",
    [
        {"private_key_vault_id": "5f0c2f5e7a8e4bb09a7e0d9f8b1f3f10"},
        {"private_key_vault_id": "projects/wallets/secrets/hot-wallet/versions/1"},
        {"private_key_encrypted": "5f0c2f5e-7a8e-4bb0-9a7e-0d9f8b1f3f10"},
        {"seed_version": "2024-05-01T10:00:00.000Z"},
        {"tags": ["erc20", "nft", "defi"], "secret_path": "kv/data/wallets/ethereum/hot"},
    ],
    ids=["an id", "a place", "a UUID", "a time", "paths"],
)
def test_what_names_a_secret_is_none(core_deployments: Deployment, metadata: dict[str, Any]) -> None:
    with core_deployments.open() as vault:
        vault.import_wallet(core_deployments.project(), "ethereum", private_key=KEYS[-7])
    write(core_deployments, metadata)
    assert ask(core_deployments)["findings"] == []


LOCKED = {
    "legacy-password": lambda key: envelope_text(key, PASSWORD, bytes(32), bytes(16)),
    "keystore-password": lambda key: keystore_text(bytes.fromhex(key), PASSWORD, bytes(32), bytes(16), UUID(int=1)),
}
PASSWORD = "the master password"


@pytest.mark.parametrize("option", LOCKED)
@pytest.mark.parametrize("given", [True, False], ids=["with the password", "without"])
def test_a_locked_key_of_another_address_is_opened_by_the_command(
    core_deployments: Deployment, option: str, *, given: bool
) -> None:
    with core_deployments.open() as vault:
        wallet = vault.import_wallet(core_deployments.project(), "ethereum", private_key=KEYS[-8]).wallet
    write(core_deployments, {"private_key_encrypted": LOCKED[option](BYTES.hex())})
    stdin, way = f"{PASSWORD}\n".encode(), f"--{option}-stdin"
    opening = ("--root-key", core_deployments.root_key, *((way,) if given else ()))
    [told] = document(core_deployments.url, *opening, stdin=stdin if given else b"")["findings"]
    named = f"strongroom history reveal metadata:{wallet.id}/private_key_encrypted --reveal {way}"
    assert told["command"] == named
    words = named.split()[1:]
    answer = call(*words, "--database", core_deployments.url, "--root-key", core_deployments.root_key, stdin=stdin)
    assert (answer.code, BYTES.hex() in answer.out) == (0, True)


SHAPES: dict[str, Callable[[str], str]] = {
    "an object": lambda text: json.dumps({"keystore": json.loads(text)}),
    "a text": lambda text: json.dumps({"keystore": text}),
    "a list": lambda text: f"[{text}]",
    "a list in an object": lambda text: json.dumps({"wallets": [json.loads(text)]}),
    "deep": lambda text: json.dumps({"wallet": {"file": {"v3": json.loads(text)}}}),
}


@pytest.mark.crossed(10)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("place", ["record", "metadata"])
def test_a_keystore_opens_in_whatever_holds_it(
    core_deployments: Deployment, shape: str, place: str, tmp_path: Path
) -> None:
    text = SHAPES[shape](LOCKED["keystore-password"](KEYS[-9]))
    wallet = plant(core_deployments, KEYS[-9], {} if place == "record" else {"backup": json.loads(text)})
    if place == "record":
        put(core_deployments, wallet, text)  # type: ignore[arg-type]
    stdin, opening = f"{PASSWORD}\n".encode(), ("--root-key", core_deployments.root_key, "--keystore-password-stdin")
    found = document(core_deployments.url, *opening, stdin=stdin)
    code = "keystore" if place == "record" else "key-in-metadata"
    told = next(each for each in found["findings"] if each["code"] == code)
    assert (told["automatic"], "derives the stored address" in told["evidence"]) == (True, True)
    for step in ("--plan", "--apply"):
        words = ("repair", step, str(tmp_path / "plan.json"), "--database", core_deployments.url, *opening)
        answer = call(*words, stdin=stdin)
        assert answer.code == 0, answer
    with core_deployments.open() as vault:
        assert vault.reveal(wallet, actor="a", reason="b").private_key.reveal_text() == f"0x{KEYS[-9]}"


def test_two_keystores_in_one_member_are_not_taken_for_one(core_deployments: Deployment) -> None:
    """The history would keep one of them alone."""
    both = [json.loads(LOCKED["keystore-password"](key)) for key in (KEYS[-10], KEYS[-11])]
    plant(core_deployments, KEYS[-10], {"backup": both})
    opening = ("--root-key", core_deployments.root_key, "--keystore-password-stdin")
    found = document(core_deployments.url, *opening, stdin=f"{PASSWORD}\n".encode())
    told = next(each for each in found["findings"] if each["code"] == "key-in-metadata")
    assert told["automatic"] is False
    printed = run(core_deployments, told["command"])
    assert all(each["crypto"]["ciphertext"] in printed for each in both)


def test_a_name_that_is_a_line_with_the_key_is_read(core_deployments: Deployment) -> None:
    plant(core_deployments, KEYS[-12], {f"privateKey=0x{KEYS[-12]}&network=eth": "x"})
    assert (counted(core_deployments, "lost"), counted(core_deployments, "in plaintext")) == (0, 1)


HEX = BYTES.hex()
SAYS_SECRET: dict[str, Any] = {
    "a name with a blank": {"my private key": HEX},
    "the member above": {"privateKey": {"hex": HEX}},
    "an object above": {"keys": {"Private-Key": HEX}},
    "JSON that is a text": {"backup": json.dumps({"privateKey": HEX, "note": "x"})},
    "JSON in an object": {"backup": {"export": json.dumps({"privateKey": HEX})}},
    "JSON in a list": {"backups": [json.dumps({"private_key": HEX})]},
    "a setting": {"env": f"PRIVATE_KEY={HEX}"},
    "a label": {"env": f"privateKey: {HEX}"},
    "a line of a log": {"log": f"INFO imported private_key={HEX} ok"},
    "a list": {"secret": [HEX, "a"]},
}


@pytest.mark.parametrize("word", SAYS_SECRET)
@pytest.mark.parametrize("core_deployments", ["sqlite", "g4"], indirect=True)
def test_a_key_of_another_address_is_told_wherever_a_name_says_that_it_is_one(
    core_deployments: Deployment, word: str
) -> None:
    with core_deployments.open() as vault:
        wallet = vault.create_wallet(core_deployments.project(), "ethereum").wallet
    write(core_deployments, SAYS_SECRET[word])
    [told] = ask(core_deployments)["findings"]
    assert (told["code"], told["credential_id"]) == ("key-in-metadata", str(wallet.id))
    printed = run(core_deployments, told["command"])
    if "move-key" in told["command"]:
        assert HEX not in str(core_deployments.execute("SELECT metadata FROM project_credentials"))
    else:
        assert HEX in printed


@pytest.mark.parametrize(
    "metadata",
    [
        {"log": f"INFO sent tx_hash={HEX} ok"},
        {"receipt": json.dumps({"transactionHash": HEX, "blockHash": HEX})},
        {"privateKey": {"hash": HEX}},
        {"env": f"PUBLIC_KEY={HEX}"},
    ],
    ids=["a line of a log", "a receipt", "a hash of a key", "a public key"],
)
@pytest.mark.parametrize("core_deployments", ["sqlite", "g4"], indirect=True)
def test_what_a_name_calls_public_is_no_key(core_deployments: Deployment, metadata: dict[str, Any]) -> None:
    with core_deployments.open() as vault:
        vault.create_wallet(core_deployments.project(), "ethereum")
    write(core_deployments, metadata)
    assert ask(core_deployments)["findings"] == []


def test_a_note_is_given_no_reading(core_deployments: Deployment) -> None:
    with core_deployments.open() as vault:
        vault.create_wallet(core_deployments.project(), "ethereum")
    write(core_deployments, {"private_key_encrypted": "removed by the operator, see ticket"})
    [told] = ask(core_deployments)["findings"]
    assert "read as" not in told["evidence"]
