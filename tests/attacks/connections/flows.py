"""What is under way when a connection is cut: each verb, what it must have told, and what is there when it failed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

from strongroom import Vault, Wallet
from strongroom.errors import NonceConflictError, RootKeyExistsError, RootKeyMissingError
from strongroom.rootkeys.file import FileRootKey
from testbed.databases.foreign import address_of
from testbed.processes.signing import transaction
from tests.attacks.connections.scene import CallAnswer, CutFlow, CutScene

_TWO_SIGNATURES = "two signatures under one nonce"


def _made(scene: CutScene, result: tuple[Wallet, bool]) -> CallAnswer:
    return CallAnswer(scene.tell(result[0]).what, result[1])


def _live(scene: CutScene, project: UUID) -> object | None:
    found = scene.vault.find_wallet(project, "ethereum")
    return None if found is None else (found.id, found.address)


def _successor(scene: CutScene, old: Wallet) -> object | None:
    found = _live(scene, old.project_id)
    return None if found == (old.id, old.address) else found


def _lonely(scene: CutScene) -> tuple[UUID, str]:
    """A credential with a placeholder for its key, and the key."""
    key = scene.key()
    wallet, _ = scene.vault.import_wallet(scene.project(), "ethereum", private_key=key)
    emptied = "UPDATE credential_vault_storage SET encrypted_private_key = '' WHERE credential_id = ?"
    scene.deployment.execute(emptied, wallet.id)
    return wallet.id, key


def _filled(scene: CutScene, subject: tuple[UUID, str]) -> object | None:
    found = scene.vault.get_wallet(subject[0])
    return None if found.custody != "ours" else (found.id, found.address)


def _revoke(scene: CutScene, vault: Vault, wallet: Wallet) -> CallAnswer:
    revoked = vault.revoke_wallet(wallet)
    assert revoked.status == "revoked"
    return scene.tell(revoked)


def _revoked(scene: CutScene, wallet: Wallet) -> object | None:
    return (wallet.id, wallet.address) if scene.vault.get_wallet(wallet).status == "revoked" else None


def _sign(_: CutScene, vault: Vault, subject: tuple[Wallet, int]) -> CallAnswer:
    """A signature, and never another one under its nonce."""
    wallet, nonce = subject
    signed: Any = vault.sign_transaction(wallet, transaction(nonce, 100))
    return CallAnswer(bytes(signed.raw_transaction))


def _sign_again(scene: CutScene, vault: Vault, subject: tuple[Wallet, int]) -> CallAnswer:
    wallet, nonce = subject
    answer = _sign(scene, vault, subject)
    _refused(vault, wallet, {**transaction(nonce, 100), "value": 2})
    return answer


def _refused(vault: Vault, wallet: Wallet, payload: dict[str, object]) -> None:
    try:
        vault.sign_transaction(wallet, payload)
    except NonceConflictError:
        return
    raise AssertionError(_TWO_SIGNATURES)


def _signed_under(scene: CutScene) -> tuple[Wallet, int]:
    """A wallet, and a nonce that it has signed under."""
    wallet = scene.wallet()
    scene.vault.sign_transaction(wallet, transaction(7, 100))
    return wallet, 7


def _replace_nonce(_: CutScene, vault: Vault, subject: tuple[Wallet, int]) -> CallAnswer:
    """A signature, and never the one again that it replaced."""
    wallet, nonce = subject
    signed: Any = vault.sign_transaction(wallet, transaction(nonce, 200), replace=True)
    return CallAnswer(bytes(signed.raw_transaction))


def _replace_nonce_again(scene: CutScene, vault: Vault, subject: tuple[Wallet, int]) -> CallAnswer:
    wallet, nonce = subject
    answer = _replace_nonce(scene, vault, subject)
    _refused(vault, wallet, transaction(nonce, 100))
    return answer


def _reveal(scene: CutScene, vault: Vault, wallet: Wallet) -> CallAnswer:
    exports = "SELECT count(*) FROM credential_usage_logs WHERE credential_id = ? AND action_type = 'export'"
    (before,) = scene.deployment.execute(exports, wallet.id)[0]
    key = vault.reveal(wallet, actor="auditor", reason="drill").private_key.reveal_text()
    (after,) = scene.deployment.execute(exports, wallet.id)[0]
    assert after > before, "plaintext without a row in the log"
    return CallAnswer(address_of("ethereum", key))


def _read(scene: CutScene, vault: Vault, wallet: Wallet) -> CallAnswer:
    """Every verb that only reads."""
    page = vault.list_wallets(wallet.project_id)
    found = vault.find_wallet(wallet.project_id, "ethereum")
    proved = [(result.id, result.ok) for result in vault.verify(wallet)]
    history = [entry.reason for entry in vault.history(wallet).entries]
    one = vault.get_wallet(wallet.id)
    assert list(page.wallets) == [found] == [one]
    assert proved == [(wallet.id, True)]
    return CallAnswer((one, vault.find_by_address(wallet.address).id, tuple(history)))


WALLET_FLOWS: Sequence[CutFlow] = (
    CutFlow(
        "create",
        CutScene.project,
        lambda scene, vault, project: _made(scene, vault.create_wallet(project, "ethereum")),
        _live,
    ),
    CutFlow(
        "create with a key",
        CutScene.project,
        lambda scene, vault, project: _made(scene, vault.create_wallet(project, "ethereum", idempotency_key="order-1")),
        _live,
    ),
    CutFlow(
        "import",
        lambda scene: (scene.project(), scene.key()),
        lambda scene, vault, subject: _made(
            scene, vault.import_wallet(subject[0], "ethereum", private_key=subject[1], idempotency_key="order-1")
        ),
        lambda scene, subject: _live(scene, subject[0]),
    ),
    CutFlow(
        "store-key",
        _lonely,
        lambda scene, vault, subject: _made(scene, vault.store_key(subject[0], private_key=subject[1])),
        _filled,
    ),
    CutFlow(
        "replace",
        lambda scene: scene.wallet(2),
        lambda scene, vault, old: _made(scene, vault.replace_wallet(old)),
        _successor,
    ),
    CutFlow(
        "replace with a key",
        lambda scene: scene.wallet(2),
        lambda scene, vault, old: _made(scene, vault.replace_wallet(old, idempotency_key="order-1")),
        _successor,
    ),
    CutFlow("revoke", CutScene.wallet, _revoke, _revoked),
    CutFlow(
        "sign a message",
        CutScene.wallet,
        lambda _, vault, wallet: CallAnswer(vault.sign_message(wallet, "hello").as_dict()["signature"]),
    ),
    CutFlow("sign a transaction", lambda scene: (scene.wallet(), 7), _sign, again=_sign_again),
    CutFlow("sign a replacement", _signed_under, _replace_nonce, again=_replace_nonce_again),
    CutFlow("reveal", CutScene.wallet, _reveal, resolves=False),
    CutFlow("read", CutScene.wallet, _read, writes=False),
)


# --- the keyring ---------------------------------------------------------------------------------------------


def _active(scene: CutScene) -> str:
    (active,) = [kid for kid, state in scene.deployment.states().items() if state == "active"]
    return active


def _rotate(scene: CutScene, vault: Vault, before: str) -> CallAnswer:
    kid = vault.rotate_sealing_key()
    assert _active(scene) == kid != before
    return CallAnswer(kid)


def _rotated(scene: CutScene, before: str) -> object | None:
    active = _active(scene)
    return None if active == before else active


def _rotate_once(scene: CutScene, vault: Vault, before: str) -> CallAnswer:
    """A rotation is not repeated where it happened: a second one would make a second key."""
    done = _rotated(scene, before)
    return _rotate(scene, vault, before) if done is None else CallAnswer(done)


def _outdated(scene: CutScene) -> None:
    if not scene.told:
        for _ in range(3):
            scene.wallet()
    scene.vault.rotate_sealing_key()


def _rewrap(scene: CutScene, vault: Vault, _: None) -> CallAnswer:
    assert [result for result in vault.rewrap() if not result.ok] == []
    assert scene.vault.count_pending_rewraps() == 0
    states = scene.deployment.states()
    assert sorted(states.values()) == ["active", *["retired"] * (len(states) - 1)]
    return CallAnswer(_active(scene))


def _uris(scene: CutScene) -> set[str]:
    return {row[0] for row in scene.deployment.execute("SELECT root_key FROM strongroom_keyring_wrap")}


def _new_root_key(scene: CutScene) -> str:
    for uri in _uris(scene) - {scene.deployment.root_key}:
        scene.vault.remove_root_key(uri)
    uri = f"file:{scene.folder}/{uuid4()}.key"
    assert FileRootKey(uri).create()
    return uri


def _added_root_key(scene: CutScene) -> str:
    uri = _new_root_key(scene)
    scene.vault.add_root_key(uri)
    return uri


def _add(scene: CutScene, vault: Vault, uri: str) -> CallAnswer:
    vault.add_root_key(uri)
    return CallAnswer(frozenset(_uris(scene)))


def _add_again(scene: CutScene, vault: Vault, uri: str) -> CallAnswer:
    with suppress(RootKeyExistsError):
        return _add(scene, vault, uri)
    return CallAnswer(frozenset(_uris(scene)))


def _remove(scene: CutScene, vault: Vault, uri: str) -> CallAnswer:
    vault.remove_root_key(uri)
    return CallAnswer(frozenset(_uris(scene)))


def _remove_again(scene: CutScene, vault: Vault, uri: str) -> CallAnswer:
    with suppress(RootKeyMissingError):
        return _remove(scene, vault, uri)
    return CallAnswer(frozenset(_uris(scene)))


KEYRING_FLOWS: Sequence[CutFlow] = (  # the first ones write a row for each sealing key, the last ones make more of them
    CutFlow(
        "add a root key",
        _new_root_key,
        _add,
        lambda scene, uri: frozenset(_uris(scene)) if uri in _uris(scene) else None,
        again=_add_again,
    ),
    CutFlow(
        "remove a root key",
        _added_root_key,
        _remove,
        lambda scene, uri: None if uri in _uris(scene) else frozenset(_uris(scene)),
        again=_remove_again,
    ),
    CutFlow("rotate", _active, _rotate, _rotated, again=_rotate_once),
    CutFlow("rewrap", _outdated, _rewrap),
)
