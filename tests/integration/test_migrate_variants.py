"""Migrations of tables whose columns have other types, and of a schema that is not there."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

import strongroom
from testbed.command_line import call
from testbed.databases import foreign
from testbed.databases.foreign import address_of, run_script
from testbed.databases.rows import execute
from tests.integration import doctors

NARROW = """
ALTER TABLE project_credentials ADD CONSTRAINT live_is_known CHECK (is_active <> 'true' OR network = 'dogecoin'),
  ADD CONSTRAINT network_and_flag CHECK (network = 'dogecoin' AND key_vault_id IS NOT NULL AND id <> '');
"""


@pytest.mark.parametrize("backend", ["enum_columns", "text_times_and_ids", "bigint_ids"])
def test_the_printed_sql_runs_and_what_is_left_is_said_first(make_legacy: Callable[..., str], backend: str) -> None:
    url = make_legacy(backend)
    run_script(url, call("migrate", "--print", "--database", url).out)
    assert "nothing to do" in call("migrate", "--print", "--database", url).out
    left = {each["code"] for each in doctors.document(url)["schema"]}
    out = call("doctor", "--database", url).out
    if not left:
        assert "Healthy" in out or "First" not in out
        return
    first = next(line for line in out.splitlines() if line.startswith("First:"))
    assert "column-type" in first, "not migrate, which has nothing to do, and not the server"


def test_a_text_flag_holds_one_live_wallet_of_a_kind(make_legacy: Callable[..., str], root_key_uri: str) -> None:
    url = make_legacy("text_times_and_ids")
    project = "00000000-0000-4000-8000-000000000001"
    execute(url, "INSERT INTO projects (id, name) VALUES (?, 'a project')", (project,))
    row = (
        "INSERT INTO project_credentials (project_id, wallet_address, public_key, network, credential_type, is_active) "
        "VALUES (?, ?, '', 'ethereum', 'ethereum_wallet', ?)"
    )
    addresses = [address_of("ethereum", f"{number:064x}") for number in range(1, 4)]
    execute(url, row, (project, addresses[0], "true"))
    execute(url, row, (project, addresses[1], "yes"))
    answer = call("migrate", "--apply", "--json", "--database", url)
    assert answer.document["error"]["code"] == "migration-blocked"
    execute(url, "UPDATE project_credentials SET is_active = 'false' WHERE wallet_address = ?", (addresses[1],))
    assert call("migrate", "--apply", "--database", url).code == 0
    with pytest.raises(Exception, match="unique_active_project_credentials"):
        execute(url, row, (project, addresses[2], "TRUE"))


def test_a_check_over_a_text_flag_and_a_uuid_vault_id_is_widened(
    make_legacy: Callable[..., str], root_key_uri: str
) -> None:
    url = make_legacy("text_times_and_ids")
    run_script(url, NARROW)
    answer = call("migrate", "--apply", "--database", url)
    assert answer.code == 0, answer
    project = foreign.add_project(url)
    with strongroom.init(url, root_key=root_key_uri) as vault:
        assert vault.create_wallet(project, "ethereum").created


def test_no_sentence_of_the_script_has_two_full_stops_or_is_said_twice(make_legacy: Callable[..., str]) -> None:
    for backend in ("g2", "g4", "enum_columns"):
        script = call("migrate", "--print", "--database", make_legacy(backend)).out
        comments = [line for line in script.splitlines() if line.startswith("--")]
        assert not [line for line in comments if re.search(r"[.;]\s*\.|; (?!ALTER)[A-Z]", line)]
        for step in script.split("\n\n"):
            told = [line for line in step.splitlines() if line.startswith("--    ")]
            assert len(told) == len(set(told)), step


@pytest.mark.parametrize("initialised", [False, True])
@pytest.mark.parametrize("command", [("doctor",), ("migrate", "--print"), ("migrate", "--apply")])
def test_a_schema_that_is_not_there_is_said(
    make_legacy: Callable[..., str], command: tuple[str, ...], initialised: bool
) -> None:
    url = make_legacy("g3", initialised=initialised)
    answer = call(*command, "--json", "--database", url, "--schema", "misspelled")
    assert answer.document["error"]["code"] == "schema-not-named", answer
    assert "misspelled" in answer.document["error"]["message"]
    assert ("public" if not initialised else "strongroom") in answer.document["error"]["message"]
    said = call(*command, "--database", url, "--schema", "misspelled").err
    assert said.count("Nothing was changed.") == 1
