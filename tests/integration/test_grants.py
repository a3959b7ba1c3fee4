"""Roles with the privileges that ``strongroom grants`` prints, and no more: what each can do, and what it cannot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

import strongroom
from testbed.command_line import OTHER_KEY, PHRASE_KEY, call
from testbed.databases.foreign import add_project
from testbed.databases.granted_roles import (
    NOT_AN_OPERATORS,
    WHY,
    assert_changes_nothing,
    assert_creates_and_signs,
    assert_doctor_runs,
    assert_reads,
    create_roles,
    do_every_verb,
    grant,
    printed,
    url_of,
)
from testbed.databases.rows import assert_whole, execute
from testbed.servers.postgres import PostgresServer
from testbed.servers.proxy import Proxy, runs

KINDS = ("reader", "creator", "operator", "doctor")


@pytest.fixture(scope="module")
def roles(postgres: PostgresServer) -> Iterator[dict[str, str]]:
    """A role of each kind."""
    names = create_roles(postgres.url(), KINDS)
    yield names
    databases = [name for (name,) in execute(postgres.url(), "SELECT datname FROM pg_database WHERE datallowconn")]
    for name in names.values():
        for database in databases:
            execute(postgres.url(database), f"DROP OWNED BY {name}")
        execute(postgres.url(), f"DROP ROLE {name}")


@pytest.fixture
def granted(make_postgresql_vault: Callable[..., str], roles: dict[str, str]) -> Callable[..., str]:
    """The URL of a vault of its own as one of the roles, with what is printed for it."""

    def make(kind: str, url: str | None = None) -> str:
        url = url or make_postgresql_vault()
        grant(url, kind, roles[kind])
        return url_of(url, roles[kind])

    return make


def owner(url: str) -> str:
    return url_of(url, "postgres")


def test_a_creator_creates_and_signs_and_nothing_else(granted: Callable[..., str], root_key_uri: str) -> None:
    url = granted("creator")
    assert_creates_and_signs(url, uuid4(), root_key_uri)
    assert_whole(owner(url), 3)


def test_a_creator_takes_indices_of_a_phrase_and_marks_what_leaves_it(
    granted: Callable[..., str], root_key_uri: str
) -> None:
    url, project = granted("creator"), uuid4()
    with strongroom.open(owner(url), root_key=root_key_uri) as vault:
        vault.create_phrase(project)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        first, second = (each.wallet for each in vault.create_many(project, "ethereum", ["a", "b"]))
        assert vault.reveal(first, **WHY).private_key.reveal_text()
        assert vault.reveal(second, **WHY).private_key.reveal_text()
        assert [each.key_revealed for each in vault.list_accounts(project)] == [True]
        with pytest.raises(strongroom.AccountExposedError):
            vault.export_xpub(project, "ethereum", **WHY)
        with pytest.raises(strongroom.PrivilegeMissingError):
            vault.export_xpub(project, "ethereum", account=1, **WHY)
    with strongroom.open(owner(url), root_key=root_key_uri) as vault:
        assert vault.export_xpub(project, "ethereum", account=1, **WHY).xpub


def test_a_reader_reads_and_is_told_what_it_lacks(granted: Callable[..., str], root_key_uri: str) -> None:
    url = granted("reader")
    with strongroom.open(owner(url), root_key=root_key_uri) as vault:
        wallet = vault.create_wallet(uuid4(), "ethereum").wallet
    with strongroom.open(url, root_key=root_key_uri) as vault:
        assert_reads(vault, wallet)
    assert_whole(owner(url), 1)


def test_an_operator_does_every_verb_and_makes_no_table(
    granted: Callable[..., str], root_key_uri: str, private_path: Path
) -> None:
    url, project = granted("operator"), uuid4()
    vaulted = table_of(url, "credential_vault_storage")
    with strongroom.open(url, root_key=root_key_uri) as vault:
        kept = do_every_verb(vault, project)

        imported = vault.import_wallet(project, "polygon", private_key=PHRASE_KEY).wallet
        statement = f"UPDATE {vaulted} SET encrypted_private_key = ? WHERE credential_id = ?"
        execute(owner(url), statement, ("of the old application", imported.id))
        assert vault.store_key(imported, private_key=PHRASE_KEY, archive_current=True).stored
        assert len(vault.history(imported).entries) == 2
        execute(owner(url), statement, ("", imported.id))
        assert vault.restore(imported).stored
        execute(owner(url), statement, (OTHER_KEY, imported.id))
        vault.move_key(imported, to="history")
        assert vault.restore(imported, archive_current=True).stored
        assert call("root-key", "new", str(private_path / "second.key")).code == 0
        vault.add_root_key(f"file:{private_path}/second.key")
        vault.remove_root_key(f"file:{private_path}/second.key")
        assert [result.code for result in vault.verify()] == [None] * 4
    execute(
        owner(url), f"UPDATE {table_of(url, 'strongroom_wallet')} SET tag = 'x' WHERE credential_id = ?", (kept.id,)
    )
    options = ("--database", url, "--root-key", root_key_uri)
    assert call("verify", str(kept.id), *options).code == 3
    accepted = call("upgrade", "--accept", str(kept.id), *options)
    assert accepted.code == 0, accepted
    assert call("verify", str(kept.id), *options).code == 0
    table = table_of(url, "project_credentials")
    execute(owner(url), f"UPDATE {table} SET vault_stored = (id <> ?)", (imported.id,))
    (name,) = (each["name"] for each in call("doctor", "--json", *options).document["findings"])
    assert call("doctor", "--acknowledge", name, "--reason", "r", *options).code == 0
    with strongroom.open(url, root_key=root_key_uri) as vault:
        assert vault.erase_project(project, **WHY).wallets
    assert_changes_nothing(url, NOT_AN_OPERATORS)


def table_of(url: str, name: str) -> str:
    return str(execute(owner(url), f"SELECT oid::regclass::text FROM pg_class WHERE relname = '{name}'")[0][0])


def test_doctor_runs_as_its_role_without_turning_policies_off(
    granted: Callable[..., str], root_key_uri: str, roles: dict[str, str]
) -> None:
    url, project = granted("doctor"), uuid4()
    with strongroom.open(owner(url), root_key=root_key_uri) as vault:
        vault.create_wallet(project, "ethereum")
    assert_doctor_runs(url, root_key_uri)
    table = table_of(url, "project_credentials")
    execute(owner(url), f"CREATE POLICY fewer ON {table} AS RESTRICTIVE FOR SELECT TO {roles['doctor']} USING (true)")
    answer = call("doctor", "--database", url, "--json")
    assert "rls-hides-rows" in answer.document["summary"]


@pytest.mark.parametrize("kind", ["creator", "operator"])
def test_a_commit_that_was_cut_is_found_out(
    kind: str, granted: Callable[..., str], root_key_uri: str, proxy: Proxy
) -> None:
    """Reading after a lost outcome locks the keyring's head, for which a role needs UPDATE on one column."""
    url, project = granted(kind), uuid4()
    name, role = re.search(r"/([\w]+)\?", url)[1], re.search(r"//(\w+)@", url)[1]  # type: ignore[index]
    through = proxy.url(name).replace("postgres@", f"{role}@")
    with strongroom.open(through, root_key=root_key_uri) as vault:
        for mode in ("after", "in_flight", "before"):
            trap = proxy.arm(runs("INSERT INTO project_credentials"), mode)
            wallet = vault.create_wallet(project, "ethereum", label=mode.replace("_", "-")).wallet
            assert trap.fired
            proxy.disarm()
            trap = proxy.arm(runs("INSERT INTO credential_usage_logs"), mode)
            assert vault.sign_message(wallet, "hello")
            assert trap.fired
            proxy.disarm()
    assert_whole(owner(url), 3)


POLICIES = [
    ("FOR SELECT TO {role} USING (true)", True),
    ("FOR ALL TO PUBLIC USING (true)", True),
    ("FOR ALL TO {role} USING (true) WITH CHECK (true)", True),
    ("FOR SELECT TO {role} USING (project_id IS NOT NULL)", False),
    ("FOR SELECT TO {role} USING (1 = 1)", False),
    ("FOR INSERT TO {role} WITH CHECK (true)", False),
    ("FOR SELECT TO other_of_policies USING (true)", False),
    ("AS RESTRICTIVE FOR SELECT TO {role} USING (true)", False),
]


def test_policies_that_let_every_row_pass_are_told_from_others(
    granted: Callable[..., str], root_key_uri: str, roles: dict[str, str]
) -> None:
    url, role = granted("reader"), roles["reader"]
    table = table_of(url, "strongroom_slot")
    execute(owner(url), f"DROP POLICY strongroom_select_{role} ON {table}")
    execute(owner(url), "CREATE ROLE other_of_policies NOLOGIN")

    def opens() -> bool:
        try:
            strongroom.open(url, root_key=root_key_uri).close()
        except strongroom.RowsHiddenError as error:
            assert "strongroom_slot" in error.message
            return False
        return True

    try:
        assert not opens()
        for policy, passes in POLICIES:
            execute(owner(url), f"CREATE POLICY tried ON {table} {policy.format(role=role)}")
            assert opens() is passes, policy
            execute(owner(url), f"DROP POLICY tried ON {table}")
        execute(owner(url), f"GRANT other_of_policies TO {role}")
        execute(owner(url), f"CREATE POLICY tried ON {table} FOR SELECT TO other_of_policies USING (true)")
        assert opens(), "a policy for a role that it is a member of"
        execute(owner(url), f"GRANT UPDATE (version) ON {table} TO {role}")
        assert not opens(), "a command that it may use and no policy is for"
        execute(owner(url), f"CREATE POLICY changes ON {table} FOR UPDATE TO {role} USING (true) WITH CHECK (false)")
        assert not opens()
        execute(owner(url), f"ALTER POLICY changes ON {table} WITH CHECK (true)")
        assert opens()
        execute(owner(url), f"CREATE POLICY less ON {table} AS RESTRICTIVE TO other_of_policies USING (true)")
        assert not opens(), "a restrictive one for a role that it is a member of"
    finally:
        execute(owner(url), "DROP OWNED BY other_of_policies")
        execute(owner(url), "DROP ROLE other_of_policies")


def test_in_legacy_tables_a_creator_adopts(
    make_legacy: Callable[..., str], granted: Callable[..., str], root_key_uri: str
) -> None:
    legacy = make_legacy("g4", initialised=True)
    project = add_project(legacy)
    url = granted("creator", legacy)
    with strongroom.open(url, root_key=root_key_uri) as vault:
        wallet, created = vault.create_wallet(project, "ethereum", idempotency_key="k")
        assert created
        execute(legacy, f"DELETE FROM {table_of(legacy, 'strongroom_slot')}")
        assert vault.create_wallet(project, "ethereum", label="default").wallet.id == wallet.id
        assert vault.sign_message(wallet, "hello")


def test_what_grants_refuses(sqlite_vault_url: str, postgresql_vault_url: str) -> None:
    answer = call("grants", "reader", "--print", "--database", sqlite_vault_url)
    assert (answer.code, "no roles" in answer.err) == (2, True)
    assert call("grants", "reader", "--database", postgresql_vault_url).code == 2
    document = call("grants", "signer", "--print", "--database", postgresql_vault_url, "--json").document
    assert document["to"] == "strongroom_signer"
    assert '"strongroom_signer"' in document["sql"]
    odd = printed(postgresql_vault_url, "doctor", 'x"; DROP TABLE y; --')
    assert '"x""; DROP TABLE y; --"' in odd
