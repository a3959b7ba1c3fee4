"""``strongroom migrate`` and roles: what it takes away, what it grants, and as whom it runs."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

import strongroom
from strongroom.errors import (
    RowsHiddenError,
    StoreRefusedError,
)
from testbed.databases.foreign import add_credential, add_project, put_text, run_script
from testbed.databases.rows import execute
from tests.integration.migrations import C, L, V, apply, everything, look, script

# --- roles --------------------------------------------------------------------------------------------------


def as_role(url: str, role: str) -> str:
    return url.replace("postgres@", f"{role}@")


def rows_seen(url: str, role: str, what: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'SET SESSION AUTHORIZATION "{role}"'.encode())
        return len(connection.execute(what.encode()).fetchall())


def test_who_reads_today_reads_tomorrow(make_legacy: Callable[..., str], make_role: Callable[..., str]) -> None:
    url = make_legacy("g3")
    put_text(url, add_credential(url, add_project(url), "0x01"), "a text")
    reader, columns, group, member, all_data, bypass = (
        make_role(),
        make_role("r" * 60),
        make_role(options="NOLOGIN BYPASSRLS"),
        make_role(),
        make_role(),
        make_role(options="LOGIN BYPASSRLS"),
    )
    make_role("odd 'name")
    run_script(
        url,
        f"""GRANT SELECT ON {C} TO {reader}; GRANT SELECT (credential_id) ON {V} TO "{columns}";
            GRANT ALL ON {C}, {V} TO {group}; GRANT {group} TO {member}; GRANT pg_read_all_data TO {all_data};
            GRANT SELECT ON {V} TO {bypass}; GRANT SELECT ON {C} TO "odd 'name" """,
    )
    reads = [
        (reader, f"SELECT * FROM {C}"),
        (columns, f"SELECT credential_id FROM {V}"),
        (member, f"SELECT * FROM {C} JOIN {V} ON credential_id = {C}.id"),
        (all_data, f"SELECT * FROM {C} JOIN {V} ON credential_id = {C}.id"),
        (bypass, f"SELECT * FROM {V}"),
        ("odd 'name", f"SELECT * FROM {C}"),
    ]
    assert [rows_seen(url, *read) for read in reads] == [1] * 6
    apply(url)
    assert look(url) == set()
    assert [rows_seen(url, *read) for read in reads] == [1] * 6
    assert rows_seen(url, member, f"UPDATE {V} SET access_level = access_level RETURNING 1") == 1
    names = {row[0] for row in execute(url, f"SELECT polname::text FROM pg_policy WHERE polrelid = '{V}'::regclass")}
    assert len(names) == 3
    assert all(name.startswith("strongroom_") for name in names)


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_roles_of_an_api_lose_everything(
    make_legacy: Callable[..., str], make_role: Callable[..., str], role: str
) -> None:
    url = make_legacy("g3", initialised=True)
    make_role(role)
    run_script(
        url,
        f"GRANT ALL ON {C}, {L}, strongroom_slot TO {role} WITH GRANT OPTION; GRANT SELECT (vault_id) ON {V} TO {role}",
    )
    apply(url)
    assert look(url) == set()
    run_script(url, f"GRANT USAGE ON SCHEMA strongroom TO {role}")
    for table in (C, V, L, "strongroom_slot"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows_seen(url, role, f"SELECT count(*) FROM {table}")


def test_a_new_table_is_closed_to_an_api(make_legacy: Callable[..., str], make_role: Callable[..., str]) -> None:
    url = make_legacy("g1")
    make_role("anon")
    run_script(url, "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, PUBLIC")
    apply(url)
    assert look(url) == set()


def test_what_an_api_has_through_another_role_is_said(
    make_legacy: Callable[..., str], make_role: Callable[..., str]
) -> None:
    url = make_legacy("g3")
    group, middle = make_role(), make_role()
    make_role("anon")
    run_script(url, f"GRANT SELECT ON {C} TO {group}; GRANT {group} TO anon")
    run_script(
        url,
        f"""GRANT SELECT ON {V} TO {middle} WITH GRANT OPTION; SET SESSION AUTHORIZATION {middle};
            GRANT SELECT ON {V} TO anon""",
    )
    apply(url)
    assert look(url) == {("readable-by-anon", C), ("readable-by-anon", V)}
    sql = script(url)
    assert f"-- readable-by-anon: anon has what {group} has on {C}, as a member: REVOKE the membership." in sql
    assert f"-- readable-by-anon: anon was granted {V} by {middle}: only that role can REVOKE it." in sql


@pytest.fixture
def owned(make_legacy: Callable[..., str], make_role: Callable[..., str]) -> tuple[str, str]:
    """A database of generation 3 whose tables belong to a role without other rights; and that role."""
    url, owner = make_legacy("g3"), make_role()
    for table in (C, V, L):
        execute(url, f"ALTER TABLE {table} OWNER TO {owner}")
    execute(url, f"GRANT CREATE ON SCHEMA public TO {owner}")
    execute(url, f"GRANT REFERENCES, SELECT ON projects TO {owner}")
    return url, owner


def test_the_owner_needs_no_other_rights(owned: tuple[str, str]) -> None:
    url, owner = owned
    apply(as_role(url, owner))
    assert look(as_role(url, owner)) == look(url) == set()


def test_a_superuser_leaves_the_owner_as_it_was(make_legacy: Callable[..., str], make_role: Callable[..., str]) -> None:
    url, owner = make_legacy("g1"), make_role()
    execute(url, f"ALTER TABLE {C} OWNER TO {owner}")
    apply(url)
    assert execute(url, f"SELECT tableowner::text FROM pg_tables WHERE tablename = '{V}'") == [(owner,)]


def test_another_role_is_refused_and_told_who_owns_the_tables(
    owned: tuple[str, str], make_role: Callable[..., str]
) -> None:
    url, owner = owned
    other = make_role()
    execute(url, f"GRANT SELECT ON {C}, {V}, {L} TO {other}")
    before = everything(url)
    assert "\nBEGIN ISOLATION LEVEL READ COMMITTED;" in script(as_role(url, other))
    with pytest.raises(StoreRefusedError, match=rf"does not own {C} \(the owner is {owner}\)") as caught:
        apply(as_role(url, other))
    assert "migrate --print" in caught.value.hint
    assert everything(url) == before


def test_rows_that_are_hidden_are_not_guessed(owned: tuple[str, str]) -> None:
    url, owner = owned
    run_script(url, f"ALTER TABLE {C} ENABLE ROW LEVEL SECURITY; ALTER TABLE {C} FORCE ROW LEVEL SECURITY")
    before = everything(url)
    assert f"-- rls-hides-rows: Row-level security applies to this role on {C}" in script(as_role(url, owner))
    with pytest.raises(RowsHiddenError, match=C):
        apply(as_role(url, owner))
    assert everything(url) == before


def test_the_role_of_the_vault_is_not_locked_out(
    make_legacy: Callable[..., str], make_role: Callable[..., str], root_key_uri: str
) -> None:
    url, application = make_legacy("g3"), make_role()
    database = execute(url, "SELECT current_database()")[0][0]
    for grant in (f"ALL ON {C}, {V}, {L}, projects", f"CREATE ON DATABASE {database}"):
        execute(url, f"GRANT {grant} TO {application}")
    strongroom.init(as_role(url, application), root_key=root_key_uri).close()
    apply(url)
    assert look(url) == {("rls-off", C), ("rls-off", V)}
    assert f"it would shut out {application}, as which strongroom works" in script(url)
    with strongroom.open(as_role(url, application), root_key=root_key_uri) as vault:
        assert vault.create_wallet(add_project(url), "ethereum").created
