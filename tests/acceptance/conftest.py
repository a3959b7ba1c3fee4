"""Fixtures of the command line."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4

import pytest

import strongroom
from testbed.databases.rows import execute


@pytest.fixture
def project() -> str:
    return str(uuid4())


@pytest.fixture
def initialised(vault_url: str, root_key_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An initialised vault that the environment names; its root key is in the working directory."""
    uri = f"file:{tmp_path}/root.key"
    shutil.copy2(root_key_uri.removeprefix("file:"), tmp_path / "root.key")
    with strongroom.open(vault_url, root_key=root_key_uri) as vault:
        vault.add_root_key(uri)
        for old in {each for key in vault.status().sealing_keys for each in key.root_keys} - {uri}:
            vault.remove_root_key(old)
    execute(vault_url, "DELETE FROM strongroom_events WHERE event IN ('add-root-key', 'remove-root-key')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STRONGROOM_DATABASE_URL", vault_url)
    monkeypatch.setenv("STRONGROOM_ROOT_KEY", uri)
    return tmp_path
