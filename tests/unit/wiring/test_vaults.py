"""What is missing in settings."""

from __future__ import annotations

import asyncio

import pytest

import strongroom
from strongroom import AsyncVault


def test_what_is_set_nowhere_is_named() -> None:
    with pytest.raises(strongroom.InvalidSettingError, match="No database is set"):
        strongroom.open()
    with pytest.raises(strongroom.RootKeyMissingError, match="No root key is configured"):
        strongroom.open("sqlite:///vault.db")
    with pytest.raises(strongroom.InvalidSettingError, match="no such setting: pool"):
        asyncio.run(AsyncVault.open("sqlite:///vault.db", root_key="file:root.key", pool=3))
