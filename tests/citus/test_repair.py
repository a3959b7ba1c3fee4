"""Repair on nodes: each kind of finding that tables of ours can have, rows of several projects, callers who race."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from testbed.command_line import call
from testbed.defects.finding import EVERYTHING, Access
from testbed.defects.write import write_database
from tests.citus.conftest import CITUS_URL, with_path
from tests.integration.damaged_databases import ROOT_KEY_ONLY, DamagedDatabase, follow_credentials
from tests.integration.test_repair import assert_repaired
from tests.integration.test_repair_in_projects import (
    test_a_key_is_taken_from_the_record_of_another_projects_wallet,
    test_a_plan_for_wallets_of_several_projects_is_carried_out,
    test_a_record_that_says_another_project_is_locked_and_written_where_it_is,
    test_a_text_that_is_changed_while_repair_waits_for_its_row_stays,
    test_a_wallet_that_was_moved_comes_back_into_its_project,
    test_an_entry_of_the_history_is_sealed_where_its_project_is,
    test_each_kind_of_finding_is_repaired,
    test_of_an_id_that_several_projects_have_nothing_is_decided,
    test_rows_that_move_to_another_project_are_not_written,
    test_the_slot_and_the_rows_of_a_retired_wallet_are_settled,
    test_while_repair_writes_nobody_moves_or_changes_its_rows,
)
from tests.integration.test_repair_register import (
    test_two_repairs_at_once_leave_one_record_that_fits,
)
from tests.integration.test_rescue_in_projects import (
    test_a_kept_key_is_put_back_and_the_stored_text_archived,
    test_a_key_is_stored_and_the_text_before_it_archived,
    test_a_key_of_another_address_is_moved,
    test_a_key_of_another_projects_wallet_is_archived_there,
    test_of_two_who_do_it_at_once_one_does,
    test_who_overwrites_between_look_and_lock_loses_nothing,
)

__all__ = [
    "test_a_kept_key_is_put_back_and_the_stored_text_archived",
    "test_a_key_is_stored_and_the_text_before_it_archived",
    "test_a_key_is_taken_from_the_record_of_another_projects_wallet",
    "test_a_key_of_another_address_is_moved",
    "test_a_key_of_another_projects_wallet_is_archived_there",
    "test_a_plan_for_wallets_of_several_projects_is_carried_out",
    "test_a_record_that_says_another_project_is_locked_and_written_where_it_is",
    "test_a_text_that_is_changed_while_repair_waits_for_its_row_stays",
    "test_a_wallet_that_was_moved_comes_back_into_its_project",
    "test_an_entry_of_the_history_is_sealed_where_its_project_is",
    "test_each_kind_of_finding_is_repaired",
    "test_of_an_id_that_several_projects_have_nothing_is_decided",
    "test_of_two_who_do_it_at_once_one_does",
    "test_rows_that_move_to_another_project_are_not_written",
    "test_the_slot_and_the_rows_of_a_retired_wallet_are_settled",
    "test_two_repairs_at_once_leave_one_record_that_fits",
    "test_while_repair_writes_nobody_moves_or_changes_its_rows",
    "test_who_overwrites_between_look_and_lock_loses_nothing",
]
"""Tests of one server, which run here on nodes."""
SEED = 1


@pytest.fixture(params=[ROOT_KEY_ONLY, EVERYTHING], ids=["none", "passwords"])
def given(request: pytest.FixtureRequest) -> Access:
    found: Access = request.param
    return found


@pytest.fixture
def damaged(root_key_uri: str, private_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DamagedDatabase]:
    """A database with every defect that the generator knows, distributed."""
    url = with_path(CITUS_URL)
    monkeypatch.setattr("testbed.defects.write.LEAST", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS strongroom CASCADE")
        planted = write_database(url, "fresh", SEED, 1, root_key=root_key_uri)
        follow_credentials(url)
        assert call("distribute", "--apply", "--database", url).code == 0
        yield DamagedDatabase(url, root_key_uri, private_path, planted, divided=True)
        connection.execute("DROP SCHEMA IF EXISTS strongroom CASCADE")


def test_what_can_be_saved_is_saved_on_nodes(damaged: DamagedDatabase, given: Access) -> None:
    assert_repaired(damaged, given, ours=True)
