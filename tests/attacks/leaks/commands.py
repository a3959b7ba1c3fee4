"""One drive for each command of the command line, with secrets on standard input, in files, and in the database."""

from __future__ import annotations

import base64
import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from testbed.defects.locked import keystore_text
from testbed.networks.bitcoin_payloads import In, simple
from testbed.processes.signing import transaction
from tests.attacks.leaks.verbs import ENVIRONMENT_KEY, TYPED, LeakScene

REASON = ("--actor", "ann", "--reason", "a drive")


@dataclass(frozen=True)
class Call:
    """One run of a command."""

    arguments: tuple[str, ...]
    stdin: str = ""
    code: int = 0
    """The exit code that it must have."""
    reveals: bool = False
    """Whether its standard output is the one way out."""


def run(*arguments: object, stdin: str = "", code: int = 0, reveals: bool = False) -> Call:
    """A run whose arguments are written as text."""
    return Call(tuple(map(str, arguments)), stdin, code, reveals)


def written(scene: LeakScene, text: str) -> Path:
    """A file of its owner's with this text."""
    file = scene.folder / uuid4().hex
    file.write_text(text)
    file.chmod(0o600)
    return file


def init(scene: LeakScene) -> Iterator[Call]:
    yield run()


def status(scene: LeakScene) -> Iterator[Call]:
    yield run()


def verify(scene: LeakScene) -> Iterator[Call]:
    yield run("--phrases")
    scene.retire_text(scene.make())
    yield run(code=3)


def doctor(scene: LeakScene) -> Iterator[Call]:
    passwords = f"{scene.watch.password()}\n{scene.watch.password()}\n"
    yield run("--legacy-password-stdin", "--keystore-password-stdin", stdin=passwords, code=3)


def repair(scene: LeakScene) -> Iterator[Call]:
    plan = scene.folder / "plan.json"
    yield run("--plan", plan)
    yield run("--apply", plan, *REASON)


def migrate(scene: LeakScene) -> Iterator[Call]:
    yield run("--print")
    yield run("--apply", *REASON)


def distribute(scene: LeakScene) -> Iterator[Call]:
    yield run("--print", code=2)  # without Citus; tests/citus has the rest
    yield run("--apply", code=2)


def networks(scene: LeakScene) -> Iterator[Call]:
    yield run()


def docs(scene: LeakScene) -> Iterator[Call]:
    yield run()
    yield run("errors")


def guard(scene: LeakScene) -> Iterator[Call]:
    for options in (("--print",), ("--install", "--mode", "refuse"), ("--status",), ("--remove",)):
        yield run(*options)


def grants(scene: LeakScene) -> Iterator[Call]:
    code = 2 if scene.url.startswith("sqlite") else 0
    yield run("operator", "--print", code=code)


def wallet_create(scene: LeakScene) -> Iterator[Call]:
    for code in (0, 0):
        yield run("ethereum", "solana", "--project", scene.project, "--idempotency-key", "a", *REASON, code=code)
    yield run("ethereum", "nowhere", "--project", scene.project, code=6)


def phrase_create(scene: LeakScene) -> Iterator[Call]:
    for code in (0, 0):
        yield run("--project", scene.project, *REASON, code=code)


def phrase_import(scene: LeakScene) -> Iterator[Call]:
    words, passphrase = scene.watch.phrase(), scene.watch.password()
    options = ("--project", scene.project, "--mnemonic-stdin", "--passphrase-stdin")
    yield run("taken", *options, stdin=f"{words}\n{passphrase}\n")
    yield run("again", *options, stdin=f"{words}\n{passphrase}\n", code=5)
    file = written(scene, scene.watch.phrase())
    yield run("filed", "--project", scene.project, "--mnemonic-file", file)


def phrase_list(scene: LeakScene) -> Iterator[Call]:
    yield run("--project", scene.project)


def wallet_create_many(scene: LeakScene) -> Iterator[Call]:
    options = ("--project", scene.project, "--phrase", "taken", "--label-prefix", "many-")
    for count in (2, 3):
        yield run("ethereum", "--count", count, *options)


def phrase_show(scene: LeakScene) -> Iterator[Call]:
    yield run("taken", "--project", scene.project)


def phrase_history(scene: LeakScene) -> Iterator[Call]:
    yield run("taken", "--project", scene.project)
    yield run("taken", "--project", scene.project, "--json")


def phrase_advance(scene: LeakScene) -> Iterator[Call]:
    yield run("ethereum", "--to", 7, "--phrase", "taken", "--project", scene.project, *REASON)


def phrase_export_xpub(scene: LeakScene) -> Iterator[Call]:
    yield run("base", "--phrase", "taken", "--account", 8, "--project", scene.project, *REASON)


def phrase_discover(scene: LeakScene) -> Iterator[Call]:
    used = scene.folder / "used.txt"
    used.write_text("# none")
    yield run("mantle", "--used", used, "--phrase", "taken", "--account", 8, "--project", scene.project, *REASON)


def phrase_export(scene: LeakScene) -> Iterator[Call]:
    yield run("taken", "--project", scene.project, code=2)
    yield run("taken", "--project", scene.project, "--reveal", *REASON, reveals=True)


def phrase_replace(scene: LeakScene) -> Iterator[Call]:
    yield run("taken", "--project", scene.project, *REASON)


def wallet_list(scene: LeakScene) -> Iterator[Call]:
    yield run("--project", scene.project)


def wallet_show(scene: LeakScene) -> Iterator[Call]:
    yield run(scene.make().address)


def wallet_import(scene: LeakScene) -> Iterator[Call]:
    watch = scene.watch
    key, phrase, passphrase, password = watch.key(), watch.phrase(), watch.password(), watch.password()
    keystore = written(scene, keystore_text(watch.key(), password, bytes(32), bytes(16), UUID(int=1)))

    def into(network: str, *options: object, stdin: str = "", code: int = 0) -> Call:
        return run(network, "--project", scene.project, "--label", "in", *options, *REASON, stdin=stdin, code=code)

    yield into("base", "--private-key-stdin", stdin=key.hex())
    yield into("base", "--private-key-stdin", stdin=watch.key().hex(), code=5)
    yield into("polygon", "--private-key-file", written(scene, key.hex()))
    yield into("bitcoin", "--mnemonic-stdin", "--passphrase-stdin", stdin=f"{phrase}\n{passphrase}\n")
    yield into("mantle", "--mnemonic-file", written(scene, phrase), "--passphrase-file", written(scene, passphrase))
    yield into("bnb", "--keystore", keystore, "--keystore-password-stdin", stdin=password)
    yield into("bnb", "--keystore", keystore, "--keystore-password-file", written(scene, watch.password()), code=2)
    yield into("base", "--mnemonic-stdin", stdin=key.hex(), code=2)
    yield into("base", "--private-key-stdin", stdin=phrase, code=2)
    yield into("base", "--private-key-stdin", stdin=f"{key.hex()}\n{phrase}", code=2)
    yield into("base", "--private-key", key.hex(), code=2)
    yield into("base", key.hex(), code=2)


def wallet_store_key(scene: LeakScene) -> Iterator[Call]:
    key = scene.watch.key().hex()
    wallet = scene.make(private_key=key)
    scene.retire_text(wallet)
    yield run(wallet.id, "--private-key-stdin", stdin=scene.watch.key().hex(), code=5)
    yield run(wallet.id, "--private-key-stdin", *REASON, stdin=key)


def wallet_export(scene: LeakScene) -> Iterator[Call]:
    wallet = scene.make(mnemonic=scene.watch.phrase(), passphrase=scene.watch.password())
    yield run(wallet.id, code=2)
    yield run(wallet.id, "--reveal", reveals=True)
    yield run(wallet.id, "--reveal", "--format", "mnemonic", reveals=True)
    yield run(wallet.id, "--format", "keystore", "--keystore-password-stdin", stdin=scene.watch.password())


def wallet_replace(scene: LeakScene) -> Iterator[Call]:
    yield run(scene.make().id, *REASON)


def wallet_revoke(scene: LeakScene) -> Iterator[Call]:
    yield run(scene.make().id, "--yes", *REASON)


def wallet_move_key(scene: LeakScene) -> Iterator[Call]:
    for to in (("--to", "history"), ("--to", "wallet", "--label", "moved")):
        wallet = scene.make()
        scene.put_keystore(wallet)
        yield run(wallet.id, *to, "--keystore-password-stdin", stdin=scene.watch.password(), code=1)
        yield run(wallet.id, *to, "--keystore-password-stdin", *REASON, stdin=scene.password)


def history_show(scene: LeakScene) -> Iterator[Call]:
    yield run(scene.make().id)


def history_restore(scene: LeakScene) -> Iterator[Call]:
    wallet = scene.make()
    scene.keep_text(wallet)
    scene.retire_text(wallet)
    yield run(wallet.id, *REASON)


def history_reveal(scene: LeakScene) -> Iterator[Call]:
    entry = scene.keep_text(scene.make(mnemonic=scene.watch.phrase(), passphrase=scene.watch.password()))
    yield run(entry, code=2)
    yield run(entry, "--reveal", *REASON, reveals=True)


def projects_list(scene: LeakScene) -> Iterator[Call]:
    yield run()
    yield run("--limit", 1)


def projects_id(scene: LeakScene) -> Iterator[Call]:
    yield run("users.example.com", "user_42")


def projects_erase(scene: LeakScene) -> Iterator[Call]:
    project = scene.make().project_id
    yield run(project, "--yes", *REASON)
    yield run(project, code=1)


def log_list(scene: LeakScene) -> Iterator[Call]:
    yield run("--limit", 1000)
    yield run("--wallet", scene.make().id, "--actor", "ann", "--action", "import", "--since", "7d")


def sign_message(scene: LeakScene) -> Iterator[Call]:
    yield run(scene.make().id, stdin="hello")


def sign_typed_data(scene: LeakScene) -> Iterator[Call]:
    yield run(scene.make().id, stdin=json.dumps(TYPED))
    yield run(scene.make().id, stdin="{", code=2)


def sign_transaction(scene: LeakScene) -> Iterator[Call]:
    yield run(scene.make().id, stdin=json.dumps(transaction(0, 100)))


def sign_authorization(scene: LeakScene) -> Iterator[Call]:
    authorization = {"chainId": 1, "address": "0x" + "11" * 20, "nonce": 7}
    yield run(scene.make().id, stdin=json.dumps(authorization))


def sign_psbt(scene: LeakScene) -> Iterator[Call]:
    key = scene.watch.key()
    wallet = scene.make("bitcoin", private_key=key.hex())
    psbt = base64.b64encode(simple(In(form="p2wpkh", key=key)).psbt()).decode()
    yield run(wallet.id, written(scene, psbt))
    yield run(wallet.id, written(scene, psbt[:-8]), code=2)


def keys_status(scene: LeakScene) -> Iterator[Call]:
    yield run()


def keys_rotate(scene: LeakScene) -> Iterator[Call]:
    yield run(*REASON)


def upgrade(scene: LeakScene) -> Iterator[Call]:
    yield run(*REASON)
    yield run("--accept", scene.make().id, *REASON)


def keys_rewrap(scene: LeakScene) -> Iterator[Call]:
    yield run()


def root_key_new(scene: LeakScene) -> Iterator[Call]:
    yield run(scene.folder / "new.key")


def root_key_list(scene: LeakScene) -> Iterator[Call]:
    yield run()


def root_key_add(scene: LeakScene) -> Iterator[Call]:
    yield run(f"env:{ENVIRONMENT_KEY}", *REASON)
    yield run(scene.second_root_key, code=2)


def root_key_check(scene: LeakScene) -> Iterator[Call]:
    yield run(f"env:{ENVIRONMENT_KEY}")


def root_key_remove(scene: LeakScene) -> Iterator[Call]:
    yield run(f"env:{ENVIRONMENT_KEY}", *REASON)


_GROUPS = ("wallet", "phrase", "history", "projects", "log", "sign", "keys", "root-key")


def _name(function: str) -> str:
    """The command of a drive: its function's name, with the spaces and hyphens of the command line."""
    words = function.replace("_", "-")
    group = next((group for group in _GROUPS if words.startswith(f"{group}-")), None)
    return words if group is None else f"{group} {words.removeprefix(f'{group}-')}"


COMMANDS: dict[str, Callable[[LeakScene], Iterator[Call]]] = {
    _name(name): drive for name, drive in list(globals().items()) if inspect.isgeneratorfunction(drive)
}
"""By the command's name."""
