"""A vault that was closed has forgotten its keys; whatever is asked of it afterwards is a typed error."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

import strongroom
from strongroom import AsyncVault, Vault, VaultClosedError
from strongroom.rootkeys import local
from strongroom.rootkeys.passphrase import PassphraseRootKey
from testbed.databases.rows import assert_whole
from testbed.processes.wallets import PHRASE
from testbed.servers.postgres import wait_until

VERBS: dict[str, Callable[[Vault, Any], object]] = {
    "create_wallet": lambda vault, wallet: vault.create_wallet(wallet.project_id, "solana"),
    "import_wallet": lambda vault, wallet: vault.import_wallet(wallet.project_id, "bitcoin", mnemonic=PHRASE),
    "get_wallet": lambda vault, wallet: vault.get_wallet(wallet.id),
    "find_wallet": lambda vault, wallet: vault.find_wallet(wallet.project_id, "ethereum"),
    "find_by_address": lambda vault, wallet: vault.find_by_address(wallet.address),
    "list_wallets": lambda vault, wallet: vault.list_wallets(wallet.project_id),
    "reveal": lambda vault, wallet: vault.reveal(wallet, actor="a", reason="r"),
    "sign_message": lambda vault, wallet: vault.sign_message(wallet, "m"),
    "verify": lambda vault, wallet: list(vault.verify()),
    "rewrap": lambda vault, wallet: list(vault.rewrap()),
    "replace_wallet": lambda vault, wallet: vault.replace_wallet(wallet),
    "revoke_wallet": lambda vault, wallet: vault.revoke_wallet(wallet),
    "history": lambda vault, wallet: vault.history(wallet).entries,
    "rotate_sealing_key": lambda vault, wallet: vault.rotate_sealing_key(),
    "check_root_key": lambda vault, wallet: vault.check_root_key("env:NONE"),
    "status": lambda vault, wallet: vault.status(),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_of_a_closed_vault_says_that_it_was_closed(vault: Vault, verb: str) -> None:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    vault.close()
    vault.close()
    with pytest.raises(VaultClosedError) as caught:
        VERBS[verb](vault, wallet)
    assert not caught.value.retryable
    assert caught.value.hint == "Open it again with strongroom.open."


def test_a_callers_transaction_does_not_bring_a_closed_vault_back(vault: Vault, vault_url: str) -> None:
    engine = strongroom.create_engine(vault_url)
    vault.close()
    with engine.begin() as connection, pytest.raises(VaultClosedError):
        vault.create_wallet(uuid4(), "ethereum", connection=connection)
    engine.dispose()
    assert_whole(vault_url, 0)


@pytest.mark.parametrize("kind", ["file", "env", "passphrase"])
def test_closing_forgets_sealing_keys_derived_keys_and_the_root_key(
    vault_url: str, root_key_uri: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = root_key_uri
    if kind != "file":
        uri = {"env": "env:CLOSED_ROOT_KEY", "passphrase": "passphrase:env:CLOSED_ROOT_KEY"}[kind]
        monkeypatch.setenv("CLOSED_ROOT_KEY", local.new_text().reveal_text())
        with strongroom.open(vault_url, root_key=root_key_uri) as first:
            first.add_root_key(uri)
    vault = strongroom.open(vault_url, root_key=uri)
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    vault.sign_message(wallet, "m")
    root_key: Any = vault._context.root_key
    keyring = vault._context.keyring
    assert keyring._now.keys
    assert keyring._now.derived
    vault.close()
    now = keyring._now
    assert (now.keys, now.derived, now.tag_keys, keyring._reload) == ({}, {}, {}, None)
    if isinstance(root_key, PassphraseRootKey):
        assert (root_key._passphrase, root_key._keys) == (None, {})
    else:
        assert "_key" not in vars(root_key)


def test_closing_while_others_sign_ends_each_of_them_with_a_signature_or_a_typed_error(
    vault_url: str, root_key_uri: str
) -> None:
    for _ in range(5):
        vault = strongroom.open(vault_url, root_key=root_key_uri)
        wallet, _ = vault.create_wallet(uuid4(), "ethereum")
        signed = [0] * 6
        ends: list[BaseException] = []

        def work(
            number: int, vault: Vault = vault, wallet: Any = wallet, signed: list[int] = signed, ends: Any = ends
        ) -> None:
            try:
                while True:
                    vault.sign_message(wallet, f"{number}")
                    signed[number] += 1
            except BaseException as error:
                ends.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(len(signed))]
        for thread in threads:
            thread.start()
        wait_until(lambda signed=signed: all(signed), "not all of them sign")  # type: ignore[misc]
        vault.close()
        for thread in threads:
            thread.join(30)
        assert [type(end) for end in ends] == [VaultClosedError] * len(threads)


def test_a_refresh_that_is_under_way_brings_no_key_back(vault: Vault) -> None:
    keyring = vault._context.keyring
    reload = keyring._reload
    assert reload is not None

    def slowly() -> Any:
        newer = reload()
        vault.close()
        return newer

    keyring._reload = slowly
    with pytest.raises(VaultClosedError):
        keyring.project_key("k" * 22, uuid4())
    assert keyring._now.keys == {}


def test_an_asynchronous_vault_is_closed_the_same_way(vault: Vault) -> None:
    async def run() -> None:
        async with AsyncVault(vault) as asynchronous:
            wallet, _ = await asynchronous.create_wallet(uuid4(), "ethereum")
        await asynchronous.close()
        for verb in (asynchronous.sign_message(wallet, "m"), asynchronous.get_wallet(wallet.id)):
            with pytest.raises(VaultClosedError):
                await verb
        with pytest.raises(VaultClosedError):
            async for _ in asynchronous.verify():
                pass

    asyncio.run(run())
