"""Rows that somebody copied into another project, where the primary key begins with it: several have one id then."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.store import register_store, wallet_store
from testbed.databases.partitioned import partition
from testbed.databases.rows import execute
from testbed.servers.postgres import PostgresServer

ROWS = ("project_credentials", "credential_vault_storage")
NAMING = ("strongroom_wallet", "strongroom_slot")
_KEY = {"project_credentials": "id"}
_COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = ? ORDER BY ordinal_position"


@pytest.fixture
def divided_url(postgres: PostgresServer, root_key_uri: str) -> Iterator[str]:
    """A vault whose tables have 8 parts each, whatever the other tests run on."""
    url = postgres.create_database("copied_rows")
    strongroom.init(url, root_key=root_key_uri).close()
    partition(url, 8)
    yield url
    postgres.drop_database("copied_rows")


@pytest.fixture
def vault(divided_url: str, root_key_uri: str) -> Iterator[Vault]:
    with strongroom.open(divided_url, root_key=root_key_uri) as opened:
        yield opened


def copy(url: str, wallet: Wallet, project: UUID, tables: tuple[str, ...]) -> None:
    """Write the rows of a wallet into another project, with the same ids."""
    for table in tables:
        columns = [name for (name,) in execute(url, _COLUMNS, (table,)) if name != "project_id"]
        named = ", ".join(columns)
        execute(
            url,
            f"INSERT INTO {table} (project_id, {named}) SELECT ?, {named} FROM {table} "
            f"WHERE {_KEY.get(table, 'credential_id')} = ? AND project_id = ?",
            (str(project), str(wallet.id), str(wallet.project_id)),
        )


def walk(vault: Vault, project: UUID | None, size: int) -> list[Wallet]:
    found, after = list[Wallet](), None
    for _ in range(100):
        page = vault.list_wallets(project, limit=size, after=after)
        found += page.wallets
        if (after := page.next) is None:
            return found
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("tables", [ROWS, (*ROWS, *NAMING)], ids=["rows", "rows, record and slot"])
def test_a_copy_hides_no_wallet_and_no_page_border_skips_or_repeats_one(
    tables: tuple[str, ...], vault: Vault, divided_url: str
) -> None:
    mine, other = uuid4(), uuid4()
    made = [vault.create_wallet(mine, "ethereum", label=f"l{number}").wallet for number in range(4)]
    theirs = vault.create_wallet(other, "ethereum").wallet
    for project in (other, uuid4(), uuid4()):
        for wallet in made[:3]:
            copy(divided_url, wallet, project, tables)
    for size in (1, 2, 3, 4, 5, 100):
        assert walk(vault, mine, size) == made
        assert walk(vault, other, size) == [theirs]
        assert walk(vault, None, size) == [*made, theirs]
    assert vault.list_wallets(search="l1").wallets == (made[1],)
    for wallet in made:
        assert vault.get_wallet(wallet.id, project_id=mine) == wallet
    for wallet in made[:3]:
        with pytest.raises(strongroom.IdentityMismatchError) as caught:
            vault.get_wallet(wallet.id, project_id=other)
        assert caught.value.columns == (("tag",) if tables != ROWS else ("project_id",))


def test_a_copy_of_a_wallet_that_no_slot_names_is_a_mismatch_where_it_is_and_nowhere_else(
    vault: Vault, divided_url: str
) -> None:
    mine, other = uuid4(), uuid4()
    old = vault.create_wallet(mine, "ethereum").wallet
    new = vault.replace_wallet(old).wallet
    copy(divided_url, old, other, ROWS)
    assert [each.id for each in walk(vault, mine, 1)] == [old.id, new.id]
    for project in (other, None):
        with pytest.raises(strongroom.IdentityMismatchError):
            vault.list_wallets(project)


def test_whatever_reads_page_by_page_reads_each_row_once(
    vault: Vault, divided_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [vault.create_wallet(uuid4(), "ethereum").wallet for _ in range(4)]
    for wallet in made[1:3]:
        for project in (uuid4(), uuid4()):
            copy(divided_url, wallet, project, (*ROWS, "strongroom_wallet"))
    execute(divided_url, "DELETE FROM credential_usage_logs")
    for size in (1, 2, 3, 4, 7, 8, 9):
        monkeypatch.setattr(wallet_store, "_STREAM_PAGE", size)
        results = list(vault.verify())
        assert sorted(each.id for each in results) == sorted(
            [*(each.id for each in made), *[made[1].id, made[2].id] * 2]
        )
        assert [each.id for each in results if each.ok] == [each.id for each in made]
    store = vault._context.store.register
    execute(divided_url, "DELETE FROM credential_vault_storage")
    execute(divided_url, "DELETE FROM project_credentials")
    for size in (1, 2, 3, 4, 7, 8, 9):
        monkeypatch.setattr(register_store, "_PAGE", size)
        found = [
            (each.record.credential_id, each.record.project_id) for page in store.stream_without_rows() for each in page
        ]
        assert len(found) == len(set(found)) == 8
        assert found == sorted(found)


def test_cursors_of_earlier_versions_work_and_others_are_refused(
    vault: Vault, divided_url: str, root_key_uri: str
) -> None:
    mine = uuid4()
    made = [vault.create_wallet(mine, "ethereum", label=f"l{number}").wallet for number in range(3)]
    copy(divided_url, made[0], uuid4(), ROWS)
    with strongroom.open_unverified(divided_url) as unverified:
        for listed in (vault.list_wallets, unverified.list_wallets):
            for project in (None, mine):
                for after in (str(made[0].id), f"{made[0].id}~{UUID(int=(1 << 128) - 1)}"):
                    page = listed(project, after=after, limit=1)
                    assert [each.id for each in page.wallets] == [made[1].id]
                    assert page.next is not None
                    assert [each.id for each in listed(project, after=page.next).wallets] == [made[2].id]
            for wrong in ("", "x", f"{made[0].id}~", f"~{mine}", f"{made[0].id}~x", f"{made[0].id}~{mine}~{mine}", 5):
                with pytest.raises(strongroom.InvalidCursorError):
                    listed(after=wrong)  # type: ignore[arg-type]
        rows, cursor = list[tuple[UUID, UUID]](), None
        for _ in range(10):
            shown = unverified.list_wallets(limit=1, after=cursor)
            rows += [(each.id, each.project_id) for each in shown.wallets]
            if (cursor := shown.next) is None:
                break
        assert len(rows) == len(set(rows)) == 4
