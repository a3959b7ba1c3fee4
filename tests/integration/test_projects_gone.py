"""A wallet whose project's row is gone, too: the error says which row is missing, and what it names works."""

from __future__ import annotations

import re
import shlex

import pytest

import strongroom
from strongroom import ReferencedRowMissingError, Vault
from testbed.command_line import call
from testbed.databases.foreign import add_project, run_script
from testbed.databases.rows import execute


def test_restore_names_the_missing_row_and_both_ways_out_work(
    legacy_vault: Vault, legacy_url: str, root_key_uri: str
) -> None:
    project = add_project(legacy_url)
    wallet = legacy_vault.create_wallet(project, "ethereum").wallet
    run_script(
        legacy_url,
        "DELETE FROM credential_usage_logs; DELETE FROM credential_vault_storage; DELETE FROM project_credentials; "
        "DELETE FROM projects;",
    )
    with pytest.raises(ReferencedRowMissingError) as refused:
        legacy_vault.restore(wallet.id)
    assert refused.value.code == "referenced-row-missing"
    assert "public.projects" in refused.value.message
    assert str(project) in refused.value.hint
    assert "name" in refused.value.hint, "a column without a default"
    commands = re.findall("`(strongroom [^`]+)`", refused.value.hint)
    options = ("--database", legacy_url, "--root-key", root_key_uri)
    restore, reveal = (shlex.split(each)[1:] for each in commands)
    assert call(*reveal, *options).code == 0
    execute(legacy_url, "INSERT INTO projects (id, name) VALUES (?, 'again')", (project,))
    assert call(*restore, *options).code == 0
    assert legacy_vault.sign_message(wallet, "hello")


def test_creation_for_a_project_that_is_not_there_names_its_table(legacy_vault: Vault, legacy_url: str) -> None:
    project = add_project(legacy_url)
    execute(legacy_url, "DELETE FROM projects")
    with pytest.raises(ReferencedRowMissingError, match=r"project_id names a row of public\.projects"):
        legacy_vault.create_wallet(project, "ethereum")
    with pytest.raises(strongroom.StoreRefusedError):
        legacy_vault.create_wallet(project, "solana")
