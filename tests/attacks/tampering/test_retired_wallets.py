"""A wallet that was retired signs no more, whatever rows are planted; and none is retired for what only a row says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

import strongroom
from strongroom import Vault, Wallet
from strongroom.usecases.retired import MOST_WITH_KEY
from testbed.databases.attacked import KEY, WHO, Attacked, units
from testbed.databases.deployments import open_deployment
from testbed.databases.guards import put
from testbed.databases.partitioned import partition
from testbed.defects.locked import LEGACY_PASSWORD, envelope_text
from testbed.servers.postgres import PostgresServer


@pytest.fixture(params=["g2", "g3", "g4"])
def attacked(request: pytest.FixtureRequest, private_path: Path) -> Iterator[Attacked]:
    with open_deployment(request.param, request) as deployment:
        yield Attacked(deployment, private_path)


def retire(vault: Vault, wallet: Wallet, how: str) -> None:
    if how == "revoked":
        vault.revoke_wallet(wallet)
    elif how == "replaced":
        vault.replace_wallet(wallet)
    else:
        vault.erase_project(wallet.project_id, **WHO)


@pytest.mark.parametrize("how", ["revoked", "replaced", "erased"])
@pytest.mark.parametrize("source", ["record", "history"])
def test_no_repair_revives_the_key_of_a_retired_wallet(attacked: Attacked, how: str, source: str) -> None:
    """One row that states its address was enough: repair filled it with the key, and it signed."""
    deployment = attacked.deployment
    project = deployment.project()
    with deployment.open() as vault:
        retired = vault.create_wallet(project, "ethereum").wallet
        retire(vault, retired, how)
    planted = attacked.credential(project, retired.address, kind="ethereum_wallet:x", key=retired.public_key)
    if deployment.backend != "g4":  # whose trigger writes it
        attacked.record(planted, "MIGRATION_REQUIRED", project)
    if source == "history":
        attacked.entry(planted, deployment.texts()[retired.id], project, retired.address, "sealed")
    plan = attacked.plan()
    assert not [each for each in units(plan).get(str(planted), []) if each["do"] in ("fill", "seal", "move")]
    attacked.apply(plan)
    with deployment.open() as vault:
        with pytest.raises(strongroom.StrongroomError):
            vault.sign_message(planted, b"hello")
        with pytest.raises(strongroom.StrongroomError):
            vault.sign_message(retired, b"hello")


def planted_for(attacked: Attacked, project: UUID, wallet: Wallet) -> UUID:
    """A row that states a wallet's address, and asks for its key."""
    planted = attacked.credential(project, wallet.address, kind="ethereum_wallet:x", key=wallet.public_key)
    if attacked.deployment.backend != "g4":  # whose trigger writes it
        attacked.record(planted, "MIGRATION_REQUIRED", project)
    return planted


@pytest.mark.parametrize("how", ["record deleted", "public key altered"])
def test_a_retired_wallets_key_stays_where_it_is_without_its_record(attacked: Attacked, how: str) -> None:
    """The sealed text names its wallet, whatever a column of that wallet's record says."""
    deployment = attacked.deployment
    project = deployment.project()
    with deployment.open() as vault:
        retired = vault.create_wallet(project, "ethereum").wallet
        vault.revoke_wallet(retired)
    if how == "record deleted":
        deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", retired.id)
    else:
        deployment.execute("UPDATE strongroom_wallet SET public_key = 'x' WHERE credential_id = ?", retired.id)
    planted = planted_for(attacked, project, retired)
    plan = attacked.plan()
    assert not [each for each in units(plan).get(str(planted), []) if each["do"] == "fill"]
    attacked.apply(plan)
    attacked.assert_keyless(planted)


@pytest.mark.parametrize("source", ["sealed", "envelope"])
@pytest.mark.parametrize("how", ["revoked", "replaced"])
def test_records_that_are_planted_by_the_dozen_hide_no_retired_wallet(
    attacked: Attacked, how: str, source: str
) -> None:
    """Of the records that say one key and are not live a few are read, in no order."""
    deployment = attacked.deployment
    project = deployment.project()
    with deployment.open() as vault:
        retired = vault.import_wallet(project, "ethereum", private_key=KEY).wallet
        retire(vault, retired, how)
    ((columns,),) = deployment.execute(
        "SELECT string_agg(quote_ident(attname), ',') FROM pg_attribute WHERE attrelid = 'strongroom_wallet'::regclass "
        "AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('credential_id', 'tag')"
    )
    for number in range(MOST_WITH_KEY + 2):
        deployment.execute(
            f"INSERT INTO strongroom_wallet (credential_id, tag, {columns}) SELECT ?, repeat('x', 43), {columns} "
            "FROM strongroom_wallet WHERE credential_id = ?",
            *(UUID(int=number + 1), retired.id),
        )
    deployment.execute("CREATE TABLE kept AS SELECT * FROM strongroom_wallet WHERE credential_id = ?", retired.id)
    deployment.execute("DELETE FROM strongroom_wallet WHERE credential_id = ?", retired.id)
    deployment.execute("INSERT INTO strongroom_wallet SELECT * FROM kept")  # the genuine one comes last
    planted = planted_for(attacked, project, retired)
    options: tuple[str, ...] = ()
    password = b""
    if source == "envelope":
        envelope = envelope_text(KEY, LEGACY_PASSWORD, bytes(16), bytes(16))
        put(deployment, planted, envelope)
        options, password = ("--legacy-password-stdin",), f"{LEGACY_PASSWORD}\n".encode()
    attacked.apply(attacked.plan(*options, stdin=password), *options, stdin=password)
    attacked.assert_keyless(planted)


def test_a_row_that_says_it_was_replaced_gets_no_key_of_a_revoked_wallet(attacked: Attacked) -> None:
    """What was replaced still signs where a caller asks for it; what was revoked does not."""
    deployment = attacked.deployment
    project = deployment.project()
    with deployment.open() as vault:
        revoked = vault.create_wallet(project, "ethereum").wallet
        vault.revoke_wallet(revoked)
    planted = planted_for(attacked, project, revoked)
    deployment.execute("UPDATE project_credentials SET status = 'replaced', is_active = false WHERE id = ?", planted)
    attacked.apply(attacked.plan())
    with deployment.open() as vault, pytest.raises(strongroom.StrongroomError):
        vault.sign_message(planted, b"hello", allow_retired=True)


def test_a_row_that_gives_way_to_a_live_wallet_gets_no_key_of_a_revoked_one(attacked: Attacked) -> None:
    """It is filled and replaced in one transaction, and would sign where a caller asks for what was replaced."""
    deployment = attacked.deployment
    project = deployment.project()
    with deployment.open() as vault:
        revoked = vault.create_wallet(project, "ethereum", label="old").wallet
        vault.revoke_wallet(revoked)
        vault.create_wallet(project, "ethereum")
    planted = attacked.credential(project, revoked.address, kind="ethereum", key=revoked.public_key)
    if deployment.backend != "g4":
        attacked.record(planted, "MIGRATION_REQUIRED", project)
    attacked.apply(attacked.plan())
    with deployment.open() as vault, pytest.raises(strongroom.StrongroomError):
        vault.sign_message(planted, b"hello", allow_retired=True)


def test_a_plan_that_was_made_before_the_wallet_was_retired_revives_nothing(attacked: Attacked) -> None:
    deployment = attacked.deployment
    project = deployment.project()
    with deployment.open() as vault:
        wallet = vault.create_wallet(project, "ethereum").wallet
    planted = attacked.credential(project, wallet.address, kind="ethereum_wallet:x", key=wallet.public_key)
    if deployment.backend != "g4":
        attacked.record(planted, "MIGRATION_REQUIRED", project)
    plan = attacked.plan()
    assert [each["do"] for each in units(plan)[str(planted)] if each["do"] == "fill"], "else this test shows nothing"
    with deployment.open() as vault:
        vault.revoke_wallet(wallet)
    attacked.apply(plan)
    attacked.assert_keyless(planted)


def test_a_planted_label_retires_no_recorded_wallet(attacked: Attacked) -> None:
    """Without its slot, a wallet's label is what its row says: two live wallets seem to share one."""
    deployment = attacked.deployment
    project = deployment.project()
    with deployment.open() as vault:
        vault.create_wallet(project, "ethereum")
        hot = vault.create_wallet(project, "ethereum", label="hot").wallet
    deployment.execute("DELETE FROM strongroom_slot WHERE credential_id = ?", hot.id)
    deployment.execute("UPDATE project_credentials SET credential_type = 'eth_wallet' WHERE id = ?", hot.id)
    plan = attacked.plan()
    assert str(hot.id) not in units(plan)
    attacked.apply(plan)
    with deployment.open() as vault:
        assert (vault.get_wallet(hot.id).status, vault.get_wallet(hot.id).label) == ("active", "hot")
        vault.sign_message(hot.id, b"hello")


def test_a_copied_row_lets_no_erasure_retire_another_projects_wallet(
    postgres: PostgresServer, root_key_uri: str
) -> None:
    """Where tables are divided by project, a copy of a row under the same id and another project is another row."""
    url = postgres.create_database("erased_divided")
    try:
        with strongroom.init(url, root_key=root_key_uri) as vault:
            partition(url, 8)
            del vault
        with strongroom.open(url, root_key=root_key_uri) as vault, psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute(
                "SELECT string_agg(quote_ident(attname), ',') FROM pg_attribute WHERE attrelid = "
                "'strongroom.project_credentials'::regclass AND attnum > 0 AND NOT attisdropped "
                "AND attname <> 'project_id'"
            ).fetchone()
            assert found is not None
            for _ in range(8):  # which part answers first depends on the projects
                mine, erased = uuid4(), uuid4()
                wallet = vault.create_wallet(mine, "ethereum").wallet
                connection.execute(
                    f"INSERT INTO strongroom.project_credentials (project_id, {found[0]}) "
                    f"SELECT %s, {found[0]} FROM strongroom.project_credentials WHERE id = %s",
                    [erased, wallet.id],
                )
                assert wallet.id in dict(vault.erase_project(erased, **WHO).failed)
                connection.execute(
                    "DELETE FROM strongroom.project_credentials WHERE project_id = %s AND id = %s", [erased, wallet.id]
                )
                assert vault.get_wallet(wallet.id) == wallet
    finally:
        postgres.drop_database("erased_divided")
