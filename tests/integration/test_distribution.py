"""Distributing tables where there is no Citus: refused, with what to do; and what it would run where there is one."""

from __future__ import annotations

import psycopg
import pytest

import strongroom
from testbed.command_line import call
from testbed.databases.citus_functions import AS_CITUS
from testbed.databases.deployments import Deployment
from testbed.servers.postgres import PostgresServer

_TRAPS = """
CREATE SCHEMA loot;
GRANT USAGE, CREATE ON SCHEMA loot, public TO somebody;
SET ROLE somebody;
CREATE TABLE loot.taken (who text);
GRANT INSERT ON loot.taken TO PUBLIC;
GRANT USAGE ON SCHEMA loot TO PUBLIC;
DO $do$ DECLARE arguments text; BEGIN
    FOREACH arguments IN ARRAY ARRAY[
        'create_reference_table(text)', 'create_reference_table(regclass)',
        'create_distributed_table(t text, c text, colocate_with text)',
        'create_distributed_table(t regclass, c text, colocate_with text)',
        'truncate_local_data_after_distributing_table(text)', 'truncate_local_data_after_distributing_table(regclass)',
        'run_command_on_workers(text)', 'column_to_column_name(regclass, text)']
    LOOP
        EXECUTE 'CREATE FUNCTION public.' || arguments || ' RETURNS void LANGUAGE sql AS '
             || '$$ INSERT INTO loot.taken VALUES (current_user) $$';
    END LOOP;
END $do$;
RESET ROLE;
"""


@pytest.mark.one_server
def test_without_citus_it_is_refused(core_deployments: Deployment) -> None:
    takeover = strongroom.open_takeover(core_deployments.url, root_key=core_deployments.root_key)
    for verb in (takeover.distribution_steps, takeover.distribute):
        with pytest.raises(strongroom.UnsupportedDatabaseError, match="no Citus"):
            verb()
    refused = call("distribute", "--print", "--database", core_deployments.url)
    assert refused.code != 0
    assert "citus_add_node" in refused.err
    assert call("distribute", "--database", core_deployments.url).code == 2


@pytest.mark.parametrize("path", ["public", "public, pg_catalog"])
def test_a_role_that_may_create_runs_nothing_in_distribute(
    postgres: PostgresServer, root_key_uri: str, path: str
) -> None:
    url = postgres.create_database("distributed_in_a_trap")
    try:
        strongroom.init(url, root_key=root_key_uri).close()
        with psycopg.connect(url) as connection:
            connection.execute(AS_CITUS)
            connection.execute("DROP ROLE IF EXISTS somebody")
            connection.execute("CREATE ROLE somebody")
            connection.execute(_TRAPS)
            connection.execute(f"ALTER ROLE CURRENT_USER IN DATABASE distributed_in_a_trap SET search_path = {path}")
        steps = strongroom.open_takeover(url, root_key=root_key_uri).distribute()
        assert steps > 0
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM loot.taken").fetchone() == (0,)
            connection.execute("SELECT create_reference_table('loot.taken')")  # what is not qualified falls into them
            assert connection.execute("SELECT count(*) FROM loot.taken").fetchone() == (1,)
    finally:
        postgres.drop_database("distributed_in_a_trap")
        with psycopg.connect(postgres.url("postgres")) as connection:
            connection.execute("DROP ROLE IF EXISTS somebody")
