"""Everything that is read page by page ends, repeats nothing and leaves nothing out, wherever its pages end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from strongroom import Vault
from strongroom.store import keyring_store, tag_store, wallet_store
from strongroom.store.write_conditions import SCHEMA_VERSION
from testbed.databases.rows import execute

WALLETS = 6
SIZES = (1, 2, WALLETS - 1, WALLETS, WALLETS + 1)
MOST = 100
"""Pages of all rows that there are, one by one, and more."""
TIMES = {
    "sqlite": (
        "2025-01-01T00:00:00+00:00",
        "2025-01-01 00:00:00+00:00",
        "2025-01-01T00:00:00.5+00:00",
        "2025-02-30T00:00:00+00:00",
        "0000-01-01T00:00:00+00:00",
        "2025-01-01T00:00:00+00:00\0x",
        "no time",
        b"2025-01-01T00:00:00+00:00",
        12,
    ),
    "postgresql": ("2025-01-01T00:00:00+00:00", "infinity", "-infinity", "20000-01-01", "1900-01-01"),
}
"""Of every row that has a time at once, so that ids alone tell them apart."""


class PagedVault:
    """Wallets of one project and of two others, with as many rows of each kind."""

    def __init__(self, vault: Vault, url: str) -> None:
        self.vault, self.url = vault, url
        self.project = uuid4()
        self.ids = [vault.create_wallet(self.project, "ethereum", label=f"l{n}").wallet.id for n in range(WALLETS)]
        self.others = [vault.create_wallet(uuid4(), "ethereum").wallet for _ in range(2)]
        self.kept = [uuid4() for _ in range(WALLETS)]
        for number, kept in enumerate(self.kept):
            execute(
                url,
                "INSERT INTO strongroom_vault_history (id, project_id, credential_id, network, label, address, "
                "public_key, vault_id, text, form, reason, created_at, schema_version) "
                f"VALUES (?, ?, ?, 'e', 'd', 'a', 'p', 'v', '{number}', 'foreign', 'r', ?, {SCHEMA_VERSION})",
                (str(kept), str(self.project), str(self.ids[0]), "2025-01-01 00:00:00+00:00"),
            )
            vault.rotate_sealing_key()

    def set_times(self, moment: Any) -> None:
        """Of one row of each log, or where it is the first moment of all, of all of them."""
        for table, column in (("credential_usage_logs", "performed_at"), ("strongroom_events", "created_at")):
            one = f" WHERE id = (SELECT id FROM {table} ORDER BY id LIMIT 1 OFFSET 2)"
            if moment == TIMES["sqlite"][0]:
                one = ""
            execute(self.url, f"UPDATE {table} SET {column} = ?{one}", (moment,))

    def ids_of(self, sql: str) -> list[str]:
        return [str(row[0]) for row in execute(self.url, sql)]

    @property
    def all_wallets(self) -> list[str]:
        return self.ids_of("SELECT id FROM project_credentials")


def _walk(read: Callable[[str | None], Any], rows: str) -> Iterator[Any]:
    after: str | None = None
    for _ in range(MOST):
        page = read(after)
        yield from getattr(page, rows)
        after = page.next
        if after is None:
            return
    raise AssertionError("the pages do not end")


def _wallets(**asked: Any) -> Callable[[PagedVault, int], list[str]]:
    def read(paged: PagedVault, size: int) -> list[str]:
        named: Any = {name: paged.project if value is ... else value for name, value in asked.items()}
        found = _walk(lambda after: paged.vault.list_wallets(limit=size, after=after, **named), "wallets")
        return [str(wallet.id) for wallet in found]

    return read


def _log(**asked: Any) -> Callable[[PagedVault, int], list[str]]:
    def read(paged: PagedVault, size: int) -> list[str]:
        named: Any = {name: paged.project if value is ... else value for name, value in asked.items()}
        return [each.id for each in _walk(lambda at: paged.vault.list_log(limit=size, after=at, **named), "records")]

    return read


def _projects(paged: PagedVault, size: int) -> list[str]:
    found = _walk(lambda after: paged.vault.list_projects(limit=size, after=after), "projects")
    return [str(each.id) for each in found]


def _history(paged: PagedVault, size: int) -> list[str]:
    found = _walk(lambda after: paged.vault.history(paged.ids[0], limit=size, after=after), "entries")
    return [str(each.id) for each in found]


def _tagged(paged: PagedVault, _: int) -> list[str]:
    store = paged.vault._context.store.tags
    found = [row.keys for page in store.stream_tagged_otherwise("") for row in page if row.kind == "wallet"]
    return [str(keys["credential_id"]) for keys in found]


def _rewrapped(paged: PagedVault, _: int) -> list[str]:
    paged.vault.rotate_sealing_key()
    kid = paged.vault._context.keyring.active_kid
    return [str(row.wallet.id) for page in paged.vault._context.store.keyring.iter_not_sealed_by(kid) for row in page]


LOGS = "SELECT id FROM credential_usage_logs"
PAGERS: dict[str, tuple[Callable[[PagedVault, int], list[str]], Callable[[PagedVault], list[str]]]] = {
    "wallets": (_wallets(), lambda paged: paged.all_wallets),
    "wallets of a project": (_wallets(project_id=...), lambda paged: list(map(str, paged.ids))),
    "wallets of a network": (_wallets(project_id=..., network="ethereum"), lambda paged: list(map(str, paged.ids))),
    "search by label": (_wallets(search="l"), lambda paged: list(map(str, paged.ids))),
    "search by address": (_wallets(search="0x"), lambda paged: paged.all_wallets),
    "projects": (_projects, lambda paged: [str(paged.project), *(str(each.project_id) for each in paged.others)]),
    "log": (_log(), lambda paged: paged.ids_of(LOGS) + paged.ids_of("SELECT id FROM strongroom_events")),
    "log of a project": (
        _log(project_id=...),
        lambda paged: paged.ids_of(f"{LOGS} WHERE project_id = '{paged.project}'"),
    ),
    "log of an action": (_log(action="create"), lambda paged: paged.ids_of(f"{LOGS} WHERE action_type = 'create'")),
    "history": (
        _history,
        lambda paged: paged.ids_of(f"SELECT id FROM strongroom_vault_history WHERE credential_id = '{paged.ids[0]}'"),
    ),
    "verify": (
        lambda paged, _: [str(each.id) for each in paged.vault.verify()],
        lambda paged: paged.all_wallets,
    ),
    "what is rewrapped": (_rewrapped, lambda paged: paged.all_wallets),
    "what is tagged": (_tagged, lambda paged: paged.all_wallets),
}
"""What reads a kind of rows in pages of a size, and which rows there are."""


@pytest.fixture
def paged(vault: Vault, vault_url: str) -> PagedVault:
    return PagedVault(vault, vault_url)


def test_every_pager_ends_and_repeats_and_leaves_out_nothing(
    paged: PagedVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in SIZES:
        monkeypatch.setattr(wallet_store, "_STREAM_PAGE", size)
        monkeypatch.setattr(tag_store, "_PAGE", size)
        monkeypatch.setattr(keyring_store, "_PAGE", size)
        for name, (read, expected) in PAGERS.items():
            assert sorted(read(paged, size)) == sorted(expected(paged)), (name, size)


def test_the_log_is_whole_whatever_times_stand_in_it(paged: PagedVault, engine: str) -> None:
    for moment in TIMES[engine]:
        paged.set_times(moment)
        for name in ("log", "log of a project", "log of an action"):
            read, expected = PAGERS[name]
            for size in SIZES[:3]:
                assert sorted(read(paged, size)) == sorted(expected(paged)), (name, size, moment)


def test_a_page_that_is_full_and_the_last_names_no_next_one(paged: PagedVault) -> None:
    page = paged.vault.list_wallets(paged.project, limit=WALLETS)
    assert (len(page.wallets), page.next) == (WALLETS, None)
    assert {UUID(str(each.id)) for each in page.wallets} == set(paged.ids)
