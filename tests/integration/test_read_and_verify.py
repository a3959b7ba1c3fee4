"""List, find, verify, reveal, and the usage log."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom import Vault
from testbed.databases.older_versions import begin_upgrade, take_back
from testbed.databases.rows import execute
from testbed.processes.wallets import PHRASE


def details(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def test_pages_cover_every_wallet_once_in_the_order_of_creation(vault: Vault) -> None:
    project = uuid4()
    made = [vault.create_wallet(project, "ethereum", label=f"l{i}").wallet for i in range(7)]
    made += [vault.create_wallet(project, "solana", label=f"l{i}").wallet for i in range(3)]
    vault.create_wallet(uuid4(), "ethereum")
    seen: list[strongroom.Wallet] = []
    after = None
    pages = 0
    while True:
        page = vault.list_wallets(project, limit=3, after=after)
        seen += page.wallets
        pages += 1
        if page.next is None:
            break
        after = page.next
    assert seen == made
    assert pages == 4
    assert vault.list_wallets(project, network="solana").wallets == tuple(made[7:])
    assert vault.list_wallets(uuid4()) == strongroom.WalletPage((), None)
    assert vault.list_wallets(project, limit=10).next is None


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"limit": 0}, strongroom.InvalidLimitError),
        ({"limit": 1001}, strongroom.InvalidLimitError),
        ({"after": "x"}, strongroom.InvalidCursorError),
        ({"network": "nowhere"}, strongroom.UnknownNetworkError),
    ],
)
def test_a_page_that_cannot_be_is_refused(
    vault: Vault, arguments: dict[str, Any], error: type[strongroom.StrongroomError]
) -> None:
    with pytest.raises(error):
        vault.list_wallets(uuid4(), **arguments)


def test_a_wallet_names_its_project_in_the_statement(vault: Vault) -> None:
    from dataclasses import replace

    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    assert vault.get_wallet(wallet) == vault.get_wallet(wallet.id) == vault.get_wallet(str(wallet.id)) == wallet
    with pytest.raises(strongroom.WalletNotFoundError):
        vault.get_wallet(replace(wallet, project_id=uuid4()))
    with pytest.raises(strongroom.WalletNotFoundError):
        vault.get_wallet(uuid4())
    with pytest.raises(strongroom.InvalidWalletIdError):
        vault.get_wallet("nothing")


def test_an_address_finds_its_wallet_in_any_of_its_forms(vault: Vault) -> None:
    project = uuid4()
    wallet, _ = vault.create_wallet(project, "ethereum")
    assert vault.find_by_address(wallet.address) == wallet
    assert vault.find_by_address(wallet.address.lower()) == wallet
    assert vault.find_by_address(wallet.address.upper()) == wallet  # 0X and capitals
    assert vault.find_by_address(wallet.address, project_id=project) == wallet
    with pytest.raises(strongroom.WalletNotFoundError):
        vault.find_by_address(wallet.address, project_id=uuid4())
    with pytest.raises(strongroom.InvalidAddressError):
        vault.find_by_address("nothing")
    key = "0x" + "11" * 32
    vault.import_wallet(project, "base", private_key=key)
    twin, _ = vault.import_wallet(project, "polygon", private_key=key)
    with pytest.raises(strongroom.AmbiguousWalletError, match=str(twin.id)):
        vault.find_by_address(twin.address)


def test_what_was_imported_comes_out_again_and_only_then_is_logged(vault: Vault, vault_url: str) -> None:
    wallet, _ = vault.import_wallet(uuid4(), "bitcoin", mnemonic=PHRASE, variant="taproot")
    assert wallet.address == "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"
    assert (wallet.scheme, wallet.path) == ("bip86", "m/86'/0'/0'/0/0")
    actor = uuid4()
    revealed = vault.reveal(wallet, actor=actor, reason="audit")
    assert revealed.mnemonic is not None
    assert revealed.mnemonic.reveal_text() == PHRASE
    again, created = vault.import_wallet(
        uuid4(), "bitcoin", private_key=revealed.private_key, variant="taproot", address=wallet.address
    )
    assert created
    assert again.address == wallet.address
    rows = execute(
        vault_url,
        "SELECT action_type, performed_by, action_details FROM credential_usage_logs ORDER BY performed_at, id",
    )
    assert [row[0] for row in rows] == ["import", "export", "import"]
    assert str(rows[1][1]) == str(actor)
    assert details(rows[1][2]) == {"reason": "audit"}
    vault.reveal(wallet, actor="deploy bot", reason="move")
    last = execute(vault_url, "SELECT performed_by, action_details FROM credential_usage_logs ORDER BY id")[-1]
    assert last[0] is None
    assert details(last[1]) == {"actor": "deploy bot", "reason": "move"}


@pytest.mark.parametrize(("actor", "reason"), [("", "r"), ("a", ""), ("a" * 256, "r"), ("a", "r" * 1001), ("a\n", "r")])
def test_nothing_is_revealed_without_an_actor_and_a_reason(vault: Vault, actor: str, reason: str) -> None:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    with pytest.raises(strongroom.InvalidActorError):
        vault.reveal(wallet, actor=actor, reason=reason)


def test_nothing_is_revealed_when_the_usage_log_cannot_be_written(vault: Vault, vault_url: str, engine: str) -> None:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    if engine == "sqlite":
        execute(
            vault_url,
            "CREATE TRIGGER no_log BEFORE INSERT ON credential_usage_logs BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
    else:
        execute(vault_url, "ALTER TABLE credential_usage_logs ADD CONSTRAINT no_log CHECK (false) NOT VALID")
    with pytest.raises(strongroom.StoreRefusedError):
        vault.reveal(wallet, actor="a", reason="r")
    with pytest.raises(strongroom.StoreRefusedError):
        vault.create_wallet(uuid4(), "solana")
    assert execute(vault_url, "SELECT count(*) FROM project_credentials") == [(1,)]


def change(vault_url: str, wallet: strongroom.Wallet, column: str, value: str) -> None:
    execute(vault_url, f"UPDATE project_credentials SET {column} = ? WHERE id = ?", (value, str(wallet.id)))


def columns_of(results: Iterable[strongroom.VerifyResult]) -> dict[UUID, tuple[str, ...]]:
    """Of mismatches, the columns that differ."""
    return {
        result.id: result.error.columns
        for result in results
        if isinstance(result.error, strongroom.IdentityMismatchError)
    }


@pytest.mark.parametrize("registered", [True, False])
def test_verify_names_what_is_wrong_with_each_wallet(vault_url: str, root_key_uri: str, registered: bool) -> None:
    """What the register knows is compared first; where it knows nothing yet, the sealed text tells."""
    project = uuid4()
    with strongroom.open(vault_url, root_key=root_key_uri) as vault:
        wallets = [vault.create_wallet(project, "ethereum", label=f"l{i}").wallet for i in range(7)]
    if not registered:
        take_back(vault_url, "0002")
        begin_upgrade(vault_url, root_key_uri)
    good, lowered, moved, swapped, twin, foreign, damaged = wallets
    change(vault_url, lowered, "wallet_address", lowered.address.lower())
    change(vault_url, moved, "public_key", "02" * 33)
    texts = {
        UUID(str(row[0])): row[1]
        for row in execute(vault_url, "SELECT credential_id, encrypted_private_key FROM credential_vault_storage")
    }

    def put(wallet: strongroom.Wallet, text: str) -> None:
        execute(
            vault_url,
            "UPDATE credential_vault_storage SET encrypted_private_key = ? WHERE credential_id = ?",
            (text, str(wallet.id)),
        )

    put(swapped, texts[twin.id])
    put(twin, texts[swapped.id])
    put(foreign, "0x" + "12" * 32)
    put(damaged, texts[damaged.id][:-1] + ("A" if texts[damaged.id][-1] != "A" else "Q"))
    with strongroom.open(vault_url, root_key=root_key_uri) as vault:
        results = {result.id: result for result in vault.verify(project_id=project)}
        assert {wallet_id: result.code for wallet_id, result in results.items()} == {
            good.id: None,
            lowered.id: "identity-mismatch",
            moved.id: "identity-mismatch" if registered else "derivation-mismatch",
            swapped.id: "identity-mismatch",
            twin.id: "identity-mismatch",
            foreign.id: "identity-mismatch" if registered else "not-sealed",
            damaged.id: "sealed-text-corrupt",
        }
        assert columns_of(vault.verify(swapped)) == {swapped.id: ("credential_id", "wallet_address")}
        for wallet in wallets[1:]:
            with pytest.raises(strongroom.ProofError):
                vault.reveal(wallet, actor="a", reason="r")
        if registered:
            assert columns_of(results[each.id] for each in (lowered, moved, foreign)) == {
                lowered.id: ("wallet_address",),
                moved.id: ("public_key",),
                foreign.id: ("encrypted_private_key",),
            }
            with pytest.raises(strongroom.IdentityMismatchError):
                vault.get_wallet(foreign)
        else:
            assert vault.get_wallet(foreign).custody == "foreign"
    assert execute(vault_url, "SELECT 1 FROM credential_usage_logs WHERE action_type = 'export'") == []


def test_a_sealing_key_that_was_removed_is_named(vault: Vault, vault_url: str, root_key_uri: str) -> None:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    text = execute(vault_url, "SELECT encrypted_private_key FROM credential_vault_storage")[0][0]
    other = "eyJraWQiOiJBQUFBQUFBQUFBQUFBQUFBQUFBQUFB" + text[40:]
    execute(vault_url, "UPDATE credential_vault_storage SET encrypted_private_key = ?", (other,))
    (result,) = vault.verify(wallet)
    assert result.code == "unknown-sealing-key"
    with pytest.raises(strongroom.UnknownSealingKeyError):
        strongroom.open(vault_url, root_key=root_key_uri)
    execute(vault_url, "ALTER TABLE strongroom_keyring RENAME TO elsewhere")
    for proving in (vault.verify(wallet), vault.verify()):
        with pytest.raises(strongroom.StoreError):  # nothing is known of the wallet: the keyring could not be read
            next(proving)


def test_phrases_are_proved_when_asked(vault: Vault) -> None:
    project = uuid4()
    vault.create_wallet(project, "ethereum", words=24)
    vault.import_wallet(project, "bitcoin", mnemonic=PHRASE, passphrase="extra", path="m/84'/0'/5'/0/7")
    vault.import_wallet(project, "solana", private_key="11" * 32)
    assert [result.ok for result in vault.verify(phrases=True)] == [True] * 3


def test_verify_streams_and_stops_with_its_reader(vault: Vault) -> None:
    project = uuid4()
    for number in range(5):
        vault.create_wallet(project, "ethereum", label=f"l{number}")
    stream = vault.verify()
    assert next(stream).ok
    stream.close()  # type: ignore[attr-defined]
    assert vault.count_wallets(project) == vault.count_wallets() == 5


def test_status_says_what_is_there(vault: Vault, engine: str) -> None:
    vault.create_wallet(uuid4(), "ethereum")
    status = vault.status()
    assert status.store.wallets == {"active": 1}
    assert status.store.engine.lower().startswith(engine)
    assert [(key.active, len(key.root_keys)) for key in status.sealing_keys] == [(True, 1)]
    json.dumps(status.as_dict())


def test_a_bit_flipped_in_a_stored_text_opens_nothing(vault: Vault, vault_url: str) -> None:
    """Every 61st bit here, in the rows of both databases; every single one in tests/unit/crypto."""
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    (text,) = execute(vault_url, "SELECT encrypted_private_key FROM credential_vault_storage")[0]
    flipped = 0
    for bit in range(0, len(text) * 7, 61):
        place, mask = bit // 7, 1 << bit % 7
        damaged = text[:place] + chr(ord(text[place]) ^ mask) + text[place + 1 :]
        if "\0" in damaged:
            continue
        execute(vault_url, "UPDATE credential_vault_storage SET encrypted_private_key = ?", (damaged,))
        with pytest.raises((strongroom.ProofError, strongroom.UnknownSealingKeyError)):
            vault.reveal(wallet, actor="a", reason="r")
        (result,) = vault.verify(wallet)
        assert not result.ok
        flipped += 1
    assert flipped > 50
    assert execute(vault_url, "SELECT 1 FROM credential_usage_logs WHERE action_type = 'export'") == []
