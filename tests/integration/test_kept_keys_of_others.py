"""A text that was copied into the rows of another project: its key neither moves there nor is revealed there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest
from eth_account import Account

import strongroom
from strongroom import Vault, Wallet
from tests.ailments.locked import envelope_text
from tests.integration.children import PHRASE
from tests.integration.children_lifecycle import Place
from tests.integration.foreign import address_of
from tests.integration.test_guard import install, put

KEY = "7b" * 32
PASSWORD = "the operator's own password"
WHO = {"actor": "test", "reason": "to compare"}
FORMS = {
    "envelope": lambda: envelope_text(KEY, PASSWORD, bytes(16), bytes(16)),
    "keystore": lambda: json.dumps(Account.encrypt(bytes.fromhex(KEY), PASSWORD, iterations=2)),
    "clear": lambda: KEY,
}


@pytest.fixture
def vault(few: Place) -> Iterator[Vault]:
    with few.open() as opened:
        yield opened


def record_of(place: Place, wallet: Wallet) -> str:
    return str(place.execute("SELECT id FROM credential_vault_storage WHERE credential_id = ?", wallet.id)[0][0])


KEY_OF_NOBODY = "9e" * 32


def theirs_and_mine(place: Place, vault: Vault, network: str = "ethereum") -> tuple[Wallet, Wallet]:
    theirs = vault.import_wallet(place.project(), network, private_key=KEY).wallet
    return theirs, vault.create_wallet(place.project(), "ethereum").wallet


@pytest.mark.parametrize("form", FORMS)
def test_the_key_of_another_project_neither_moves_nor_is_revealed(few: Place, vault: Vault, form: str) -> None:
    theirs, mine = theirs_and_mine(few, vault)
    text = FORMS[form]()
    put(few, mine.id, text)
    opening = {"legacy_password": PASSWORD, "keystore_password": PASSWORD}
    for to in ({"to": "wallet", "label": "stolen"}, {"to": "history"}):
        with pytest.raises(strongroom.KeyConflictError) as caught:
            vault.move_key(mine.id, **to, **opening)
        assert f"history restore {mine.id} --archive-current" in caught.value.hint
    with pytest.raises(strongroom.IdentityMismatchError) as refused:
        vault.reveal_kept(record_of(few, mine), **opening, **WHO)
    assert refused.value.columns == ("project_id", "wallet_address")
    assert few.texts()[mine.id] == text, "nothing was changed"
    sql = "SELECT count(*) FROM project_credentials WHERE wallet_address = ?"
    assert few.execute(sql, theirs.address) == [(1,)]
    assert [each.address for each in vault.history(mine.id).entries if each.address == theirs.address] == []


@pytest.mark.parametrize("known_by", ["register", "rows"])
def test_another_projects_wallet_is_known_by_its_record_or_its_row(few: Place, vault: Vault, known_by: str) -> None:
    """Also on another network, and where somebody changed or removed one of the two."""
    theirs, mine = theirs_and_mine(few, vault, "bitcoin")
    if known_by == "register":
        few.execute(
            "UPDATE project_credentials SET wallet_address = ? WHERE id = ?",
            address_of("bitcoin", "7c" * 32),
            theirs.id,
        )
    else:
        few.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", theirs.id)
    put(few, mine.id, KEY)
    with pytest.raises(strongroom.KeyConflictError):
        vault.move_key(mine.id, to="history")


def test_a_copied_sealed_text_is_not_revealed_as_what_its_row_says(few: Place, vault: Vault) -> None:
    theirs, mine = theirs_and_mine(few, vault)
    neighbour = vault.create_wallet(mine.project_id, "ethereum", label="second").wallet
    own = few.texts()[mine.id]
    for other, columns in ((theirs, ("project_id", "credential_id")), (neighbour, ("credential_id",))):
        put(few, mine.id, few.texts()[other.id])
        with pytest.raises(strongroom.IdentityMismatchError) as caught:
            vault.reveal_kept(record_of(few, mine), **WHO)
        assert caught.value.columns == columns
    put(few, mine.id, own)
    assert vault.reveal_kept(record_of(few, mine), **WHO).address == mine.address


@pytest.mark.parametrize("few", ["sqlite"], indirect=True)
def test_a_record_that_names_nobody_is_logged_under_the_wallet_of_its_text(few: Place, vault: Vault) -> None:
    wallet = vault.create_wallet(few.project(), "ethereum").wallet
    named = record_of(few, wallet)
    few.execute("UPDATE credential_vault_storage SET credential_id = ? WHERE id = ?", uuid4(), named)
    assert vault.reveal_kept(named, **WHO).address == wallet.address
    sql = "SELECT count(*) FROM credential_usage_logs WHERE credential_id = ? AND action_type = 'export'"
    assert few.execute(sql, wallet.id) == [(1,)]


@pytest.mark.parametrize("form", FORMS)
def test_archiving_another_projects_key_gives_it_to_nobody_else(few: Place, vault: Vault, form: str) -> None:
    """In clear it goes to the history of its own wallet; what a password protects stays as it is."""
    theirs, mine = theirs_and_mine(few, vault)
    own = vault.reveal(mine.id, **WHO).private_key.reveal_text()
    install(few)
    text = FORMS[form]()
    put(few, mine.id, text)
    assert vault.restore(mine.id, archive_current=True).stored
    assert vault.reveal(mine.id, **WHO).private_key.reveal_text() == own
    kept = few.execute("SELECT text, form, address, credential_id FROM strongroom_vault_history")
    assert KEY not in str(kept)
    given = [row for row in kept if row[2] == theirs.address and UUID(str(row[3])) == mine.id]
    assert given == [], "no text of this wallet opens as the other project's key"
    if form == "clear":
        entries = [each for each in vault.history(theirs.id).entries if each.reason == "repair"]
        assert KEY in vault.reveal_kept(entries[0].id, **WHO).revealed.private_key.reveal_text()
    else:
        assert [row[1] for row in kept if row[0] == text] == ["foreign"]


@pytest.mark.parametrize("few", ["g2"], indirect=True)
def test_a_key_in_clear_of_an_unrecorded_wallet_of_another_project_stays(few: Place, vault: Vault) -> None:
    theirs, mine = theirs_and_mine(few, vault)
    few.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", theirs.id)
    install(few)
    put(few, mine.id, KEY)
    with pytest.raises(strongroom.KeyConflictError) as caught:
        vault.restore(mine.id, archive_current=True)
    assert theirs.address in caught.value.hint
    assert few.texts()[mine.id] == KEY, "nothing was changed"
    vault.import_wallet(theirs.project_id, "ethereum", private_key=KEY, label="again")  # as the hint says
    assert vault.restore(mine.id, archive_current=True).stored
    assert KEY not in str(few.execute("SELECT text FROM strongroom_vault_history"))


@pytest.mark.parametrize("few", ["sqlite", "fresh"], indirect=True)
def test_an_entry_that_has_the_id_of_a_record_is_not_revealed_in_its_place(few: Place, vault: Vault) -> None:
    """Else doctor's command for the one gives out the key of the other."""
    theirs, mine = theirs_and_mine(few, vault)
    put(few, mine.id, KEY_OF_NOBODY)
    named = record_of(few, mine)
    few.execute(
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
        vault.reveal_kept(named, **WHO)
    assert caught.value.columns == ("id",)
    record = vault.reveal_kept(f"record:{named}", **WHO)
    assert (record.wallet_id, record.project_id) == (mine.id, mine.project_id)
    assert KEY_OF_NOBODY in record.revealed.private_key.reveal_text()
    entry = vault.reveal_kept(f"entry:{named}", **WHO)
    assert (entry.wallet_id, entry.project_id, entry.address) == (theirs.id, theirs.project_id, theirs.address)
    for unknown in (f"entry:{mine.id}", "entry:", "record:x", f"text:{named}"):
        with pytest.raises(strongroom.WalletNotFoundError):
            vault.reveal_kept(unknown, **WHO)


@pytest.mark.parametrize("few", ["sqlite", "fresh"], indirect=True)
@pytest.mark.parametrize("network", ["solana", "bitcoin"])
def test_the_phrase_of_another_project_is_known_by_a_wallet_of_another_network(
    few: Place, vault: Vault, network: str
) -> None:
    theirs = vault.import_wallet(few.project(), "ethereum", mnemonic=PHRASE).wallet
    mine = vault.create_wallet(few.project(), network).wallet
    put(few, mine.id, PHRASE)
    with pytest.raises(strongroom.IdentityMismatchError):
        vault.reveal_kept(record_of(few, mine), **WHO)
    for to in ({"to": "wallet", "label": "stolen"}, {"to": "history"}):
        with pytest.raises(strongroom.KeyConflictError):
            vault.move_key(mine.id, **to)
    assert vault.find_by_address(theirs.address) == theirs


SPELLINGS: dict[str, Callable[[str], str]] = {
    "capitals": lambda address: "0x" + address[2:].upper(),
    "small": str.lower,
    "spaces": lambda address: f" {address}\t",
    "bare": lambda address: address[2:],
}


@pytest.mark.parametrize("few", ["g2", "fresh", "sqlite"], indirect=True)
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("column", ["wallet_address", "public_key"])
def test_the_address_of_an_unrecorded_wallet_counts_in_any_spelling(
    few: Place, vault: Vault, spelling: str, column: str
) -> None:
    theirs, mine = theirs_and_mine(few, vault)
    few.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", theirs.id)
    few.execute("UPDATE project_credentials SET wallet_address = 'x', public_key = 'x' WHERE id = ?", theirs.id)
    spelled = SPELLINGS[spelling](theirs.address)
    few.execute(f"UPDATE project_credentials SET {column} = ? WHERE id = ?", spelled, theirs.id)
    put(few, mine.id, FORMS["envelope"]())
    with pytest.raises(strongroom.KeyConflictError):
        vault.move_key(mine.id, to="wallet", label="stolen", legacy_password=PASSWORD)
    with pytest.raises(strongroom.IdentityMismatchError):
        vault.reveal_kept(record_of(few, mine), legacy_password=PASSWORD, **WHO)


PLACES = {
    "index": ("ethereum", "m/44'/60'/0'/0/5"),
    "ledger": ("ethereum", "m/44'/60'/1'/0/0"),
    "change": ("bitcoin", "m/84'/0'/0'/1/0"),
    "account": ("solana", "m/44'/501'/7'/0'"),
    "recorded": ("ethereum", "m/44'/60'/0'/0/123456"),
    "recorded-elsewhere": ("polygon", "m/44'/60'/77'/3/2"),
}


@pytest.mark.parametrize("few", ["sqlite", "fresh", "g2"], indirect=True)
@pytest.mark.parametrize("place", PLACES)
def test_the_phrase_of_another_project_is_known_by_any_key_of_it(few: Place, vault: Vault, place: str) -> None:
    network, path = PLACES[place]
    theirs = vault.import_wallet(few.project(), network, mnemonic=PHRASE, path=path).wallet
    mine = vault.create_wallet(few.project(), "ethereum").wallet
    put(few, mine.id, PHRASE)
    with pytest.raises(strongroom.IdentityMismatchError):
        vault.reveal_kept(record_of(few, mine), **WHO)
    for to in ({"to": "wallet", "label": "stolen"}, {"to": "history"}):
        with pytest.raises(strongroom.KeyConflictError):
            vault.move_key(mine.id, **to)
    assert few.texts()[mine.id] == PHRASE, "nothing was changed"
    assert vault.find_by_address(theirs.address) == theirs


@pytest.mark.parametrize("few", ["sqlite", "fresh", "g2"], indirect=True)
def test_a_phrase_of_no_other_project_moves_beside_recorded_paths_of_any_kind(few: Place, vault: Vault) -> None:
    """Also of networks that there are not, of schemes without paths, and what no path is."""
    other = few.project()
    theirs = vault.create_wallet(other, "ethereum").wallet
    mine = vault.create_wallet(few.project(), "ethereum").wallet
    for changed in ("path = 'm/x'", "network = 'nowhere'", "scheme = 'sollet'", "path = 'm/1/2'"):
        few.execute(f"UPDATE strongroom_wallet SET {changed} WHERE credential_id = ?", theirs.id)
        put(few, mine.id, PHRASE)
        assert vault.reveal_kept(record_of(few, mine), **WHO).revealed.mnemonic is not None
    assert vault.move_key(mine.id, to="wallet", label="moved").wallet is not None


def test_more_recorded_paths_than_are_tried_are_an_error(
    few: Place, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("strongroom.usecases.elsewhere.MOST_RECORDED", 2)
    other = few.project()
    for index in range(3):
        vault.import_wallet(other, "ethereum", mnemonic=PHRASE, path=f"m/44'/60'/0'/0/{index}", label=f"w{index}")
    mine = vault.create_wallet(few.project(), "ethereum").wallet
    put(few, mine.id, "zoo " * 11 + "wrong")
    for verb in (
        lambda: vault.move_key(mine.id, to="history"),
        lambda: vault.reveal_kept(record_of(few, mine), **WHO),
    ):
        with pytest.raises(strongroom.KeyConflictError, match="more derivation paths"):
            verb()
