"""A text that was copied into the rows of another project: its key neither moves there nor is revealed there."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from eth_account import Account

import strongroom
from strongroom import Vault, Wallet
from testbed.databases.deployments import Deployment
from testbed.databases.foreign import address_of
from testbed.databases.guards import install, put
from testbed.defects.locked import envelope_text
from testbed.processes.wallets import PHRASE

KEY = "7b" * 32
PASSWORD = "the operator's own password"
WHO: dict[str, Any] = {"actor": "test", "reason": "to compare"}
FORMS = {
    "envelope": lambda: envelope_text(KEY, PASSWORD, bytes(16), bytes(16)),
    "keystore": lambda: json.dumps(Account.encrypt(bytes.fromhex(KEY), PASSWORD, iterations=2)),
    "clear": lambda: KEY,
}


def record_of(deployment: Deployment, wallet: Wallet) -> str:
    return str(deployment.execute("SELECT id FROM credential_vault_storage WHERE credential_id = ?", wallet.id)[0][0])


KEY_OF_NOBODY = "9e" * 32


def theirs_and_mine(deployment: Deployment, vault: Vault, network: str = "ethereum") -> tuple[Wallet, Wallet]:
    theirs = vault.import_wallet(deployment.project(), network, private_key=KEY).wallet
    return theirs, vault.create_wallet(deployment.project(), "ethereum").wallet


@pytest.mark.parametrize("form", FORMS)
def test_the_key_of_another_project_neither_moves_nor_is_revealed(
    core_deployments: Deployment, core_vault: Vault, form: str
) -> None:
    theirs, mine = theirs_and_mine(core_deployments, core_vault)
    text = FORMS[form]()
    put(core_deployments, mine.id, text)
    opening: dict[str, Any] = {"legacy_password": PASSWORD, "keystore_password": PASSWORD}
    for to in ({"to": "wallet", "label": "stolen"}, {"to": "history"}):
        with pytest.raises(strongroom.KeyConflictError) as caught:
            core_vault.move_key(mine.id, **to, **opening)
        assert f"history restore {mine.id} --archive-current" in caught.value.hint
    with pytest.raises(strongroom.IdentityMismatchError) as refused:
        core_vault.reveal_kept(record_of(core_deployments, mine), **opening, **WHO)
    assert refused.value.columns == ("project_id", "wallet_address")
    assert core_deployments.texts()[mine.id] == text, "nothing was changed"
    sql = "SELECT count(*) FROM project_credentials WHERE wallet_address = ?"
    assert core_deployments.execute(sql, theirs.address) == [(1,)]
    assert [each.address for each in core_vault.history(mine.id).entries if each.address == theirs.address] == []


@pytest.mark.parametrize("known_by", ["register", "rows"])
def test_another_projects_wallet_is_known_by_its_record_or_its_row(
    core_deployments: Deployment, core_vault: Vault, known_by: str
) -> None:
    """Also on another network, and where somebody changed or removed one of the two."""
    theirs, mine = theirs_and_mine(core_deployments, core_vault, "bitcoin")
    if known_by == "register":
        core_deployments.execute(
            "UPDATE project_credentials SET wallet_address = ? WHERE id = ?",
            address_of("bitcoin", "7c" * 32),
            theirs.id,
        )
    else:
        core_deployments.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", theirs.id)
    put(core_deployments, mine.id, KEY)
    with pytest.raises(strongroom.KeyConflictError):
        core_vault.move_key(mine.id, to="history")


def test_a_copied_sealed_text_is_not_revealed_as_what_its_row_says(
    core_deployments: Deployment, core_vault: Vault
) -> None:
    theirs, mine = theirs_and_mine(core_deployments, core_vault)
    neighbour = core_vault.create_wallet(mine.project_id, "ethereum", label="second").wallet
    own = core_deployments.texts()[mine.id]
    for other, columns in ((theirs, ("project_id", "credential_id")), (neighbour, ("credential_id",))):
        put(core_deployments, mine.id, core_deployments.texts()[other.id])
        with pytest.raises(strongroom.IdentityMismatchError) as caught:
            core_vault.reveal_kept(record_of(core_deployments, mine), **WHO)
        assert caught.value.columns == columns
    put(core_deployments, mine.id, own)
    assert core_vault.reveal_kept(record_of(core_deployments, mine), **WHO).address == mine.address


@pytest.mark.parametrize("core_deployments", ["sqlite"], indirect=True)
def test_a_record_that_names_nobody_is_logged_under_the_wallet_of_its_text(
    core_deployments: Deployment, core_vault: Vault
) -> None:
    wallet = core_vault.create_wallet(core_deployments.project(), "ethereum").wallet
    named = record_of(core_deployments, wallet)
    core_deployments.execute("UPDATE credential_vault_storage SET credential_id = ? WHERE id = ?", uuid4(), named)
    assert core_vault.reveal_kept(named, **WHO).address == wallet.address
    sql = "SELECT count(*) FROM credential_usage_logs WHERE credential_id = ? AND action_type = 'export'"
    assert core_deployments.execute(sql, wallet.id) == [(1,)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.one_server
def test_archiving_another_projects_key_gives_it_to_nobody_else(
    core_deployments: Deployment, core_vault: Vault, form: str
) -> None:
    """In plaintext it goes to the history of its own wallet; what a password protects stays as it is."""
    theirs, mine = theirs_and_mine(core_deployments, core_vault)
    own = core_vault.reveal(mine.id, **WHO).private_key.reveal_text()
    install(core_deployments)
    text = FORMS[form]()
    put(core_deployments, mine.id, text)
    assert core_vault.restore(mine.id, archive_current=True).stored
    assert core_vault.reveal(mine.id, **WHO).private_key.reveal_text() == own
    kept = core_deployments.execute("SELECT text, form, address, credential_id FROM strongroom_vault_history")
    assert KEY not in str(kept)
    given = [row for row in kept if row[2] == theirs.address and UUID(str(row[3])) == mine.id]
    assert given == [], "no text of this wallet opens as the other project's key"
    if form == "clear":
        entries = [each for each in core_vault.history(theirs.id).entries if each.reason == "repair"]
        assert KEY in core_vault.reveal_kept(entries[0].id, **WHO).revealed.private_key.reveal_text()
    else:
        assert [row[1] for row in kept if row[0] == text] == ["foreign"]


@pytest.mark.parametrize("core_deployments", ["g2"], indirect=True)
def test_a_key_in_plaintext_of_an_unrecorded_wallet_of_another_project_stays(
    core_deployments: Deployment, core_vault: Vault
) -> None:
    theirs, mine = theirs_and_mine(core_deployments, core_vault)
    core_deployments.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", theirs.id)
    install(core_deployments)
    put(core_deployments, mine.id, KEY)
    with pytest.raises(strongroom.KeyConflictError) as caught:
        core_vault.restore(mine.id, archive_current=True)
    assert theirs.address in caught.value.hint
    assert core_deployments.texts()[mine.id] == KEY, "nothing was changed"
    core_vault.import_wallet(theirs.project_id, "ethereum", private_key=KEY, label="again")  # as the hint says
    assert core_vault.restore(mine.id, archive_current=True).stored
    assert KEY not in str(core_deployments.execute("SELECT text FROM strongroom_vault_history"))


@pytest.mark.parametrize("core_deployments", ["sqlite", "fresh"], indirect=True)
def test_an_entry_that_has_the_id_of_a_record_is_not_revealed_in_its_place(
    core_deployments: Deployment, core_vault: Vault
) -> None:
    """Else doctor's command for the one gives out the key of the other."""
    theirs, mine = theirs_and_mine(core_deployments, core_vault)
    put(core_deployments, mine.id, KEY_OF_NOBODY)
    named = record_of(core_deployments, mine)
    core_deployments.execute(
        "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, public_key, "
        "vault_id, text, form, reason, created_at, schema_version) SELECT ?, ?, ?, 'ethereum', 'default', ?, '', 'x', "
        "encrypted_private_key, 'sealed', 'archive', created_at, 1 FROM credential_vault_storage "
        "WHERE credential_id = ?",
        named,
        theirs.project_id,
        theirs.id,
        theirs.address,
        theirs.id,
    )
    with pytest.raises(strongroom.IdentityMismatchError) as caught:
        core_vault.reveal_kept(named, **WHO)
    assert caught.value.columns == ("id",)
    record = core_vault.reveal_kept(f"record:{named}", **WHO)
    assert (record.wallet_id, record.project_id) == (mine.id, mine.project_id)
    assert KEY_OF_NOBODY in record.revealed.private_key.reveal_text()
    entry = core_vault.reveal_kept(f"entry:{named}", **WHO)
    assert (entry.wallet_id, entry.project_id, entry.address) == (theirs.id, theirs.project_id, theirs.address)
    for unknown in (f"entry:{mine.id}", "entry:", "record:x", f"text:{named}"):
        with pytest.raises(strongroom.WalletNotFoundError):
            core_vault.reveal_kept(unknown, **WHO)


@pytest.mark.parametrize("core_deployments", ["sqlite", "fresh"], indirect=True)
@pytest.mark.parametrize("network", ["solana", "bitcoin"])
def test_the_phrase_of_another_project_is_known_by_a_wallet_of_another_network(
    core_deployments: Deployment, core_vault: Vault, network: str
) -> None:
    theirs = core_vault.import_wallet(core_deployments.project(), "ethereum", mnemonic=PHRASE).wallet
    mine = core_vault.create_wallet(core_deployments.project(), network).wallet
    put(core_deployments, mine.id, PHRASE)
    with pytest.raises(strongroom.IdentityMismatchError):
        core_vault.reveal_kept(record_of(core_deployments, mine), **WHO)
    for to in ({"to": "wallet", "label": "stolen"}, {"to": "history"}):
        with pytest.raises(strongroom.KeyConflictError):
            core_vault.move_key(mine.id, **to)
    assert core_vault.find_by_address(theirs.address) == theirs


SPELLINGS: dict[str, Callable[[str], str]] = {
    "capitals": lambda address: "0x" + address[2:].upper(),
    "small": str.lower,
    "spaces": lambda address: f" {address}\t",
    "bare": lambda address: address[2:],
}


@pytest.mark.parametrize("core_deployments", ["g2", "fresh", "sqlite"], indirect=True)
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("column", ["wallet_address", "public_key"])
def test_the_address_of_an_unrecorded_wallet_counts_in_any_spelling(
    core_deployments: Deployment, core_vault: Vault, spelling: str, column: str
) -> None:
    theirs, mine = theirs_and_mine(core_deployments, core_vault)
    core_deployments.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", theirs.id)
    core_deployments.execute(
        "UPDATE project_credentials SET wallet_address = 'x', public_key = 'x' WHERE id = ?", theirs.id
    )
    spelled = SPELLINGS[spelling](theirs.address)
    core_deployments.execute(f"UPDATE project_credentials SET {column} = ? WHERE id = ?", spelled, theirs.id)
    put(core_deployments, mine.id, FORMS["envelope"]())
    with pytest.raises(strongroom.KeyConflictError):
        core_vault.move_key(mine.id, to="wallet", label="stolen", legacy_password=PASSWORD)
    with pytest.raises(strongroom.IdentityMismatchError):
        core_vault.reveal_kept(record_of(core_deployments, mine), legacy_password=PASSWORD, **WHO)


PLACES = {
    "index": ("ethereum", "m/44'/60'/0'/0/5"),
    "ledger": ("ethereum", "m/44'/60'/1'/0/0"),
    "change": ("bitcoin", "m/84'/0'/0'/1/0"),
    "account": ("solana", "m/44'/501'/7'/0'"),
    "recorded": ("ethereum", "m/44'/60'/0'/0/123456"),
    "recorded-elsewhere": ("polygon", "m/44'/60'/77'/3/2"),
}


@pytest.mark.crossed(10)
@pytest.mark.parametrize("core_deployments", ["sqlite", "fresh", "g2"], indirect=True)
@pytest.mark.parametrize("deployment", PLACES)
def test_the_phrase_of_another_project_is_known_by_any_key_of_it(
    core_deployments: Deployment, core_vault: Vault, deployment: str
) -> None:
    network, path = PLACES[deployment]
    theirs = core_vault.import_wallet(core_deployments.project(), network, mnemonic=PHRASE, path=path).wallet
    mine = core_vault.create_wallet(core_deployments.project(), "ethereum").wallet
    put(core_deployments, mine.id, PHRASE)
    with pytest.raises(strongroom.IdentityMismatchError):
        core_vault.reveal_kept(record_of(core_deployments, mine), **WHO)
    for to in ({"to": "wallet", "label": "stolen"}, {"to": "history"}):
        with pytest.raises(strongroom.KeyConflictError):
            core_vault.move_key(mine.id, **to)
    assert core_deployments.texts()[mine.id] == PHRASE, "nothing was changed"
    assert core_vault.find_by_address(theirs.address) == theirs


@pytest.mark.parametrize("core_deployments", ["sqlite", "fresh", "g2"], indirect=True)
def test_a_phrase_of_no_other_project_moves_alongside_records_of_any_paths(
    core_deployments: Deployment, core_vault: Vault
) -> None:
    """One that was changed hides the path that it had: then nothing is told. Also a network that there is not."""
    other = core_deployments.project()
    theirs = core_vault.import_wallet(other, "ethereum", mnemonic="zoo " * 11 + "wrong").wallet
    mine = core_vault.create_wallet(core_deployments.project(), "ethereum").wallet
    put(core_deployments, mine.id, PHRASE)
    row = record_of(core_deployments, mine)
    assert core_vault.reveal_kept(row, **WHO).revealed.mnemonic is not None
    read = "SELECT path, network, scheme FROM strongroom_wallet WHERE credential_id = ?"
    whole = core_deployments.execute(read, theirs.id)[0]
    back = "UPDATE strongroom_wallet SET path = ?, network = ?, scheme = ? WHERE credential_id = ?"
    for changed in ("path = 'm/x'", "network = 'nowhere'", "scheme = 'sollet'", "path = 'm/1/2'"):
        core_deployments.execute(f"UPDATE strongroom_wallet SET {changed} WHERE credential_id = ?", theirs.id)
        with pytest.raises(strongroom.KeyConflictError, match=str(theirs.id)) as caught:
            core_vault.reveal_kept(row, **WHO)
        assert f"upgrade --accept {theirs.id}" in (caught.value.hint or "")
        with pytest.raises(strongroom.KeyConflictError):
            core_vault.move_key(mine.id, to="wallet", label="moved")
        core_deployments.execute(back, *whole, theirs.id)
    assert core_vault.move_key(mine.id, to="wallet", label="moved").wallet is not None


@pytest.mark.parametrize("core_deployments", ["sqlite", "fresh", "g2", "g4"], indirect=True)
@pytest.mark.parametrize("deployment", ["reveal", "reveal_text", "move_key"])
def test_a_sealed_text_says_whose_a_key_is_where_row_and_record_were_edited(
    core_deployments: Deployment, core_vault: Vault, deployment: str
) -> None:
    theirs, mine = theirs_and_mine(core_deployments, core_vault)
    put(core_deployments, mine.id, FORMS["envelope"]())
    edits = ("strongroom_wallet SET address = {0}, public_key = {0} WHERE credential_id = ?",)
    for edit in (*edits, "project_credentials SET wallet_address = {0}, public_key = {0} WHERE id = ?"):
        core_deployments.execute(f"UPDATE {edit.format(repr('x'))}", theirs.id)
    row = record_of(core_deployments, mine)
    verbs: dict[str, Callable[..., object]] = {
        "reveal": partial(core_vault.reveal_kept, row),
        "reveal_text": partial(core_vault.reveal_kept_text, row),
        "move_key": partial(core_vault.move_key, mine, to="wallet", label="z"),
    }
    with pytest.raises((strongroom.IdentityMismatchError, strongroom.KeyConflictError), match="another project's"):
        verbs[deployment](legacy_password=PASSWORD, **WHO)


EDITS = ["path = 'm/1'", "path = NULL", "network = 'x'", "scheme = 'x'", "the whole row"]


@pytest.mark.parametrize("core_deployments", ["sqlite", "fresh", "g2", "g4"], indirect=True)
@pytest.mark.parametrize("deployment", EDITS)
def test_one_edited_column_of_a_record_gives_its_phrase_to_nobody(
    core_deployments: Deployment, core_vault: Vault, deployment: str
) -> None:
    """The phrase in the wallet's own sealed text says it, too."""
    path = "m/44'/60'/0'/0/777"
    theirs = core_vault.import_wallet(core_deployments.project(), "ethereum", mnemonic=PHRASE, path=path).wallet
    mine = core_vault.create_wallet(core_deployments.project(), "ethereum").wallet
    put(core_deployments, mine.id, envelope_text(PHRASE, PASSWORD, bytes(16), bytes(16)))
    edit = f"UPDATE strongroom_wallet SET {deployment}"
    edit = "DELETE FROM strongroom_wallet" if deployment == "the whole row" else edit
    core_deployments.execute(f"{edit} WHERE credential_id = ?", theirs.id)
    with pytest.raises(strongroom.StrongroomError):
        core_vault.reveal_kept(record_of(core_deployments, mine), legacy_password=PASSWORD, network="ethereum", **WHO)


def test_more_recorded_paths_than_are_tried_are_an_error(
    core_deployments: Deployment, core_vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("strongroom.usecases.recorded_places.MOST_RECORDED", 2)
    other = core_deployments.project()
    for index in range(3):
        core_vault.import_wallet(other, "ethereum", mnemonic=PHRASE, path=f"m/44'/60'/0'/0/{index}", label=f"w{index}")
    mine = core_vault.create_wallet(core_deployments.project(), "ethereum").wallet
    put(core_deployments, mine.id, "zoo " * 11 + "wrong")
    for verb in (
        lambda: core_vault.move_key(mine.id, to="history"),
        lambda: core_vault.reveal_kept(record_of(core_deployments, mine), **WHO),
    ):
        with pytest.raises(strongroom.KeyConflictError, match="more derivation paths"):
            verb()
