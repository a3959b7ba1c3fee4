"""Fixtures of unit tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def file(private_path: Path) -> Path:
    path = private_path / "folder" / "file"
    path.parent.mkdir(mode=0o700)
    path.write_bytes(b"content")
    path.chmod(0o600)
    return path
