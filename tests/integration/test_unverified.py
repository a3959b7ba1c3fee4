"""Without the root key: what is read says that nothing vouches for it, and doctor is never content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import strongroom
from strongroom import Vault
from strongroom.vault.unverified import UnverifiedVault, UnverifiedWallet
from testbed.command_line import call
from testbed.databases.rows import execute

FORBIDDEN = (
    "create",
    "find",
    "sign",
    "reveal",
    "import",
    "export",
    "account",
    "verify",
    "store_key",
    "replace",
    "revoke",
)


@pytest.fixture
def made(vault_url: str, root_key_uri: str) -> list[strongroom.Wallet]:
    project = uuid4()
    with strongroom.open(vault_url, root_key=root_key_uri) as vault:
        return [vault.create_wallet(project, network).wallet for network in ("ethereum", "solana")]


def test_what_is_read_without_a_root_key_is_of_another_type(
    vault_url: str, made: list[strongroom.Wallet], root_key_uri: str
) -> None:
    ethereum = made[0]
    with strongroom.open_unverified(vault_url) as opened:
        verbs = {name for name in dir(opened) if not name.startswith("_")}
        assert verbs == {"status", "get_wallet", "list_wallets", "close"}
        assert not any(verb.startswith(FORBIDDEN) for verb in verbs)
        assert not isinstance(opened, Vault)
        page = opened.list_wallets(ethereum.project_id)
        assert {wallet.address for wallet in page.wallets} == {wallet.address for wallet in made}
        assert opened.list_wallets(limit=1).next is not None
        assert [each.id for each in opened.list_wallets(network="solana").wallets] == [made[1].id]
        assert [each.id for each in opened.list_wallets(search=ethereum.address[:12]).wallets] == [ethereum.id]
        found = opened.get_wallet(ethereum.id)
        status = opened.status()
        with pytest.raises(strongroom.WalletNotFoundError):
            opened.get_wallet(uuid4())
    assert type(found) is UnverifiedWallet
    assert not isinstance(found, strongroom.Wallet)
    assert (found.proved, found.as_dict()["proved"], status.as_dict()["proved"]) == (False, False, False)
    for each in (found, page, status):
        assert "not authenticated" in repr(each)
    assert "not authenticated" in json.dumps([found.as_dict(), status.as_dict()])
    assert status.store.wallets == {"active": 2}
    assert status.root_keys == (root_key_uri,)
    given: Any = found
    with strongroom.open(vault_url, root_key=root_key_uri) as vault:
        for verb in (vault.get_wallet, vault.revoke_wallet, lambda wallet: vault.sign_message(wallet, "x")):
            with pytest.raises(strongroom.InvalidWalletIdError):
                verb(given)


def test_nothing_falls_back_to_it(vault_url: str, made: list[strongroom.Wallet], tmp_path: Path) -> None:
    for root_key in (None, f"file:{tmp_path}/none.key"):
        with pytest.raises(strongroom.RootKeyMissingError):
            strongroom.open(vault_url, root_key=root_key)
    for command in (("status",), ("wallet", "list"), ("wallet", "show", str(made[0].id))):
        assert call(*command, "--database", vault_url).code == 4


def test_what_somebody_changed_is_shown_as_it_stands(vault_url: str, made: list[strongroom.Wallet]) -> None:
    """Which is why no address of it is to be used."""
    execute(vault_url, "UPDATE project_credentials SET wallet_address = 'evil' WHERE id = ?", (str(made[0].id),))
    with strongroom.open_unverified(vault_url) as opened:
        assert opened.get_wallet(made[0].id).address == "evil"


@pytest.mark.thorough(sample=1)
def test_every_output_of_the_command_line_says_so(vault_url: str, made: list[strongroom.Wallet]) -> None:
    ethereum = made[0]
    name, given = str(ethereum.id), ("--unverified", "--database", vault_url)
    for command in (
        ("status",),
        ("wallet", "list"),
        ("wallet", "list", "--network", "bitcoin"),
        ("wallet", "show", name),
        ("wallet", "show", ethereum.address.lower()),
        ("wallet", "show", name, "--project", str(ethereum.project_id)),
        ("wallet", "show", f"{ethereum.project_id}/ethereum"),
        ("wallet", "show", f"{ethereum.project_id}/ethereum/default", "--project", str(ethereum.project_id)),
    ):
        people = call(*command, *given)
        assert people.code == 0, people.err
        assert "not authenticated" in people.err
        if "bitcoin" not in command:
            assert "not authenticated" in people.out
        programs = call(*command, *given, "--json")
        assert programs.document["note"] == "not authenticated"
        assert programs.document["proved"] is False
    assert call("wallet", "show", name, "--project", str(uuid4()), *given).code == 1
    assert call("wallet", "show", "0x98", *given).code == 1
    for command in (("wallet", "create", "ethereum", "--project", name), ("verify",), ("sign", "message", name)):
        assert call(*command, *given).code == 2, "there is no such option"


def test_a_wallet_is_shown_by_project_network_and_label(
    vault_url: str, made: list[strongroom.Wallet], root_key_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = made[0].project_id
    given = ("--unverified", "--database", vault_url, "--json")

    def shown(name: str, *options: str) -> tuple[int, str]:
        answer = call("wallet", "show", name, *options, *given)
        document = answer.document
        return answer.code, document["wallet"]["id"] if answer.code == 0 else document["error"]["code"]

    with strongroom.open(vault_url, root_key=root_key_uri) as vault:
        first = vault.create_wallet(project, "ethereum", label="hot").wallet
        vault.create_wallet(project, "ethereum", label="hot-2")
        hot = vault.replace_wallet(first.id, actor="test", reason="to have another one").wallet
    assert shown(f"{project}/ethereum") == (0, str(made[0].id))
    assert shown(f"{project}/ethereum/hot") == (0, str(hot.id)), "the live one, of exactly this label"
    assert shown(f"{project}/ethereum/ho") == (1, "wallet-not-found")
    assert shown(f"{project}/polygon") == (1, "wallet-not-found")
    assert shown(f"{uuid4()}/ethereum") == (1, "wallet-not-found")
    assert shown(f"{project}/ethereum", "--project", str(uuid4())) == (1, "wallet-not-found")
    assert shown(f"{project}/nowhere") == (2, "unknown-network")
    assert shown(f"{project}/ethereum/HOT") == (2, "invalid-label")
    assert shown("project/ethereum") == (2, "invalid-project")
    assert [shown(f"{project}/{rest}") for rest in ("", "ethereum/", "a/b/c")] == [(2, "usage")] * 3
    page = UnverifiedVault.list_wallets
    monkeypatch.setattr(UnverifiedVault, "list_wallets", lambda *a, **b: page(*a, **{**b, "limit": 1}))
    assert shown(f"{project}/ethereum/hot") == (0, str(hot.id)), "on whichever page"


def test_doctor_runs_where_the_root_key_is_lost_and_is_never_content(
    vault_url: str, made: list[strongroom.Wallet], root_key_uri: str, tmp_path: Path
) -> None:
    arguments = ("doctor", "--database", vault_url)
    assert call(*arguments, "--root-key", root_key_uri).code == 0, "it is healthy"
    broken = tmp_path / "broken.key"
    broken.write_text("STRONGROOM-ROOT-KEY-1-")
    broken.chmod(0o600)
    for lost in (f"file:{tmp_path}/none.key", f"file:{broken}", "env:NO_SUCH_ROOT_KEY"):
        answer = call(*arguments, "--root-key", lost)
        assert answer.code == 3
        assert "Healthy" not in answer.out
        assert "root-key-lost" in answer.out
        assert "the root key is lost" in answer.out
        assert "Warning: " in answer.err
        document = call(*arguments, "--root-key", lost, "--json").document
        assert document["summary"] == {"root-key-lost": 1}
        assert document["credentials"] == 2
        (finding,) = document["schema"]
        assert root_key_uri in finding["evidence"], "what else wraps the keyring may open it"
