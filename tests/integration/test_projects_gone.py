"""A wallet whose project's row is gone, too: the error says which row is missing, and what it names works."""

from __future__ import annotations

import re
import shlex

import pytest

import strongroom
from strongroom import ReferencedRowMissingError, Vault
from testbed.command_line import call
from testbed.databases import foreign
from testbed.databases.foreign import add_project, run_script
from testbed.databases.rows import execute

legacy_templates, make_legacy = foreign.legacy_templates, foreign.make_legacy
generation, found_url, beside_url, beside = foreign.generation, foreign.found_url, foreign.beside_url, foreign.beside


def test_restore_names_the_missing_row_and_both_ways_out_work(
    beside: Vault, beside_url: str, root_key_uri: str
) -> None:
    project = add_project(beside_url)
    wallet = beside.create_wallet(project, "ethereum").wallet
    run_script(
        beside_url,
        "DELETE FROM credential_usage_logs; DELETE FROM credential_vault_storage; DELETE FROM project_credentials; "
        "DELETE FROM projects;",
    )
    with pytest.raises(ReferencedRowMissingError) as refused:
        beside.restore(wallet.id)
    assert refused.value.code == "referenced-row-missing"
    assert "public.projects" in refused.value.message
    assert str(project) in refused.value.hint
    assert "name" in refused.value.hint, "a column without a default"
    commands = re.findall("`(strongroom [^`]+)`", refused.value.hint)
    options = ("--database", beside_url, "--root-key", root_key_uri)
    restore, reveal = (shlex.split(each)[1:] for each in commands)
    assert call(*reveal, *options).code == 0
    execute(beside_url, "INSERT INTO projects (id, name) VALUES (?, 'again')", (project,))
    assert call(*restore, *options).code == 0
    assert beside.sign_message(wallet, "hello")


def test_creation_for_a_project_that_is_not_there_names_its_table(beside: Vault, beside_url: str) -> None:
    project = add_project(beside_url)
    execute(beside_url, "DELETE FROM projects")
    with pytest.raises(ReferencedRowMissingError, match=r"project_id names a row of public\.projects"):
        beside.create_wallet(project, "ethereum")
    with pytest.raises(strongroom.StoreRefusedError):
        beside.create_wallet(project, "solana")
