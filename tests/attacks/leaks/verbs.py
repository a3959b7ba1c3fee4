"""One drive for each verb of a vault, with secrets in play; ``test_leaks`` runs each on Vault and on AsyncVault."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from solders.keypair import Keypair

import strongroom
from strongroom import Vault, Wallet
from strongroom.rootkeys import local
from testbed.databases.rows import execute
from testbed.defects.locked import keystore_text
from testbed.networks.bitcoin_payloads import In, simple
from testbed.processes.signing import transaction
from tests.attacks.leaks.watch import Watch

WHO: dict[str, Any] = {"actor": "ann", "reason": "a drive"}
ENVIRONMENT_KEY = "STRONGROOM_DRIVES_ROOT"
"""The variable that holds the second root key of the drives."""
TYPED = {
    "types": {"EIP712Domain": [{"name": "chainId", "type": "uint256"}], "Note": [{"name": "text", "type": "string"}]},
    "primaryType": "Note",
    "domain": {"chainId": 1},
    "message": {"text": "hello"},
}

TAKES_SECRETS = {
    "private_key",
    "mnemonic",
    "passphrase",
    "keystore",
    "keystore_password",
    "legacy_password",
    "password",
}
"""The arguments of verbs that are secrets."""

Verb = Callable[..., Any]
"""A verb that was bound to its vault; where it is awaited, or streams, its results come at once."""


@dataclass
class LeakScene:
    """A vault, and what its drives leave to each other."""

    watch: Watch
    vault: Vault
    url: str
    root_key: str
    folder: Path
    """Where secrets are given in files, and where no database is."""
    second_root_key: str = field(default="", repr=False)
    """The text of another root key, which is in a variable."""
    project: UUID = field(default_factory=uuid4)
    password: str = field(init=False)

    def __post_init__(self) -> None:
        self.password = self.watch.password()

    def make(self, network: str = "ethereum", **how: Any) -> Wallet:
        """A wallet of its own project, with a key that the watch knows."""
        how = how or {"private_key": _text(network, self.watch.key())}
        return self.vault.import_wallet(uuid4(), network, **how).wallet

    def execute(self, sql: str, *parameters: object, url: str | None = None) -> list[tuple[Any, ...]]:
        """Run a statement by the bare driver, here or in another database."""
        return execute(url or self.url, sql, parameters)

    def retire_text(self, wallet: Wallet) -> None:
        """Leave a placeholder in the place of a wallet's text."""
        self.put_text(wallet, "")

    def put_text(self, wallet: Wallet, text: str) -> None:
        """Store another text in the place of a wallet's."""
        self.execute(
            "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?",
            text,
            str(wallet.id),
        )

    def put_keystore(self, wallet: Wallet) -> None:
        """Store a keystore with the key of another address, which ``password`` opens: nothing in plaintext."""
        self.put_text(wallet, keystore_text(self.watch.key(), self.password, bytes(32), bytes(16), UUID(int=1)))

    def keep_text(self, wallet: Wallet) -> UUID:
        """Move a wallet's text into the history by a rewrap; the id of the entry."""
        self.vault.rotate_sealing_key()
        assert all(result.ok for result in self.vault.rewrap(project_id=wallet.project_id))
        (entry,) = self.vault.history(wallet).entries
        return entry.id


def _text(network: str, key: bytes) -> str:
    """A private key in a form that a network takes."""
    return str(list(bytes(Keypair.from_seed(key)))) if network == "solana" else key.hex()


def create_wallet(scene: LeakScene, verb: Verb) -> list[Any]:
    first = verb(scene.project, "ethereum", words=24, idempotency_key="a", **WHO)
    return [first, verb(scene.project, "ethereum", words=24, idempotency_key="a", **WHO)]


def create_wallets(scene: LeakScene, verb: Verb) -> list[Any]:
    return list(verb(scene.project, ["ethereum", "bitcoin", "solana", "nowhere"], idempotency_key="b"))


def import_wallet(scene: LeakScene, verb: Verb) -> list[Any]:
    key, project = scene.watch.key(), uuid4()
    document = keystore_text(scene.watch.key(), scene.password, bytes(32), bytes(16), UUID(int=1))
    phrase, passphrase = scene.watch.phrase(), scene.watch.password()
    return [
        verb(project, "base", private_key=key.hex(), idempotency_key="c", **WHO),
        verb(project, "base", private_key=f"0x{key.hex()}", idempotency_key="c", **WHO),
        verb(project, "solana", private_key=_text("solana", key)),
        verb(project, "bitcoin", mnemonic=phrase, passphrase=passphrase, variant="taproot"),
        verb(project, "mantle", mnemonic=strongroom.Secret.from_text(phrase)),
        verb(project, "polygon", keystore=document, keystore_password=scene.password),
    ]


def create_phrase(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.project, **WHO), verb(scene.project, idempotency_key="p")]


def import_phrase(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.project, mnemonic=scene.watch.phrase(), passphrase=scene.watch.password(), label="taken", **WHO)]


def find_phrase(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.project, "taken"), verb(scene.project, "none")]


def get_phrase(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.project, "taken")]


def list_phrases(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.project, limit=2)]


def create_many(scene: LeakScene, verb: Verb) -> list[Any]:
    return [
        verb(scene.project, "base", ["x", "y"], phrase="taken", **WHO),
        verb(scene.project, "bitcoin", count=2, label_prefix="n-", phrase="taken"),
    ]


def list_accounts(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.project, "taken")]


def advance_phrase(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.project, "base", 9, phrase="taken", **WHO)]


def export_xpub(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.project, "base", phrase="taken", account=4, **WHO)]


def discover(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.project, "mantle", phrase="taken", gap=1, is_used=lambda address: address[-1] in "01234567")]


def reveal_phrase(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.project, "taken", **WHO)]


def verify_phrases(scene: LeakScene, verb: Verb) -> list[Any]:
    return list(verb(scene.project))


def replace_phrase(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.project, "taken", idempotency_key="replaced", **WHO) for _ in range(2)]


def get_wallet(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.make().id)]


def find_wallet(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.project, "ethereum"), verb(scene.project, "ethereum", "other")]


def find_by_address(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.make().address)]


def list_wallets(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.project, limit=2)]


def count_wallets(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(), verb(scene.project)]


def verify(scene: LeakScene, verb: Verb) -> list[Any]:
    scene.retire_text(scene.make())
    results = list(verb(phrases=True))
    for result in results:
        if result.error is not None:
            scene.watch.error(result.error, "verify")
    return results


def reveal(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.make(), **WHO), verb(scene.make(mnemonic=scene.watch.phrase()), **WHO)]


def export_keystore(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.make(), password=scene.password, **WHO)]


def store_key(scene: LeakScene, verb: Verb) -> list[Any]:
    key = scene.watch.key().hex()
    wallet = scene.make(private_key=key)
    scene.retire_text(wallet)
    return [verb(wallet, private_key=key, **WHO), verb(wallet.id, private_key=key)]


def replace_wallet(scene: LeakScene, verb: Verb) -> list[Any]:
    wallet = scene.make()
    return [verb(wallet, idempotency_key="d", **WHO), verb(wallet)]


def revoke_wallet(scene: LeakScene, verb: Verb) -> list[Any]:
    wallet = scene.make()
    return [verb(wallet, **WHO), verb(wallet.id)]


def sign_message(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.make(network), "hello", **WHO) for network in ("ethereum", "bitcoin")]


def sign_typed_data(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.make(), TYPED, **WHO)]


def sign_transaction(scene: LeakScene, verb: Verb) -> list[Any]:
    wallet = scene.make()
    return [verb(wallet, transaction(0, 100), **WHO), verb(wallet, transaction(0, 300), replace=True)]


def sign(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.make(), "message", "hello", **WHO)]


def sign_authorization(scene: LeakScene, verb: Verb) -> list[Any]:
    delegate = {"chainId": 1, "address": "0x" + "00" * 19 + "aa", "nonce": 2}
    return [verb(scene.make(), delegate, **WHO)]


def sign_psbt(scene: LeakScene, verb: Verb) -> list[Any]:
    key = scene.watch.key()
    wallet = scene.make("bitcoin", private_key=key.hex())
    return [verb(wallet, simple(In(form="p2wpkh", key=key)).psbt(), **WHO)]


def dangerously_sign_digest(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.make(), bytes(range(32)), **WHO)]


def account(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.make(), **WHO), verb(scene.make("solana"))]


def history(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.make())]


def reveal_kept(scene: LeakScene, verb: Verb) -> list[Any]:
    phrase = scene.make(mnemonic=scene.watch.phrase(), passphrase=scene.watch.password())
    return [verb(scene.keep_text(wallet), **WHO) for wallet in (scene.make(), phrase)]


def reveal_kept_text(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(scene.keep_text(scene.make()), **WHO)]


def move_key(scene: LeakScene, verb: Verb) -> list[Any]:
    wallet, other = scene.make(), scene.make()
    for each in (wallet, other):
        scene.put_keystore(each)
    return [
        verb(wallet, to="history", keystore_password=scene.password, **WHO),
        verb(other.id, to="wallet", label="moved", keystore_password=scene.password),
    ]


def rotate_sealing_key(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(**WHO)]


def rewrap(scene: LeakScene, verb: Verb) -> list[Any]:
    scene.vault.rotate_sealing_key()
    return list(verb())


def restore(scene: LeakScene, verb: Verb) -> list[Any]:
    wallet = scene.make()
    scene.keep_text(wallet)
    scene.retire_text(wallet)
    return [verb(wallet, **WHO)]


def count_pending_rewraps(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(), verb(scene.project)]


def add_root_key(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(f"env:{ENVIRONMENT_KEY}", **WHO)]


def check_root_key(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(f"env:{ENVIRONMENT_KEY}")]


def remove_root_key(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(f"env:{ENVIRONMENT_KEY}", **WHO)]


def list_log(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(limit=1000), verb(scene.make(), actor="ann", action="import")]


def list_projects(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb(), verb(limit=1)]


def erase_project(scene: LeakScene, verb: Verb) -> list[Any]:
    wallet = scene.make()
    return [verb(wallet.project_id, **WHO), verb(wallet.project_id, **WHO)]


def status(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb()]


def networks(scene: LeakScene, verb: Verb) -> list[Any]:
    return [verb()]


def close(scene: LeakScene, verb: Verb) -> list[Any]:
    """Last of all: what is asked afterwards is refused."""
    return [verb()]


DRIVES: dict[str, Callable[[LeakScene, Verb], list[Any]]] = {
    name: drive
    for name, drive in list(globals().items())
    if inspect.isfunction(drive) and drive.__module__ == __name__ and name[0] != "_"
}
"""By the verb's name, in the order in which they run."""


def new_root_key(watch: Watch) -> str:
    """The text of a root key that the watch knows."""
    text = local.new_text(watch.rng.randbytes)
    watch.learn("root key", local.parse_text(text, "it"))
    watch.flock.take_text("root key, text form", text.reveal_text()[-40:])
    return text.reveal_text()


def at_once(vault: Vault, name: str) -> Verb:
    """A verb as it is."""

    def call(*arguments: Any, **options: Any) -> Any:
        result = getattr(vault, name)(*arguments, **options)
        return list(result) if inspect.isgenerator(result) else result

    return call
