"""What ``open`` and ``init`` are not told, they take from the environment and the settings file, as commands do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

import strongroom
from strongroom import AsyncVault


@pytest.fixture(autouse=True)
def directory(private_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no variable of strongroom."""
    for name in ("DATABASE_URL", "ROOT_KEY", "POOL_SIZE"):
        monkeypatch.delenv(f"STRONGROOM_{name}", raising=False)
    monkeypatch.chdir(private_path)
    return private_path


def write_settings(name: str = "strongroom.toml", text: str = "") -> None:
    file = Path(name)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.write_text(f'database = "sqlite:///vault.db"\nroot_key = "file:root.key"\n{text}')
    file.chmod(0o600)


def test_the_settings_file_alone_opens_a_vault(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_settings()
    with strongroom.init() as vault:
        wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    with strongroom.open() as vault:
        assert vault.get_wallet(wallet.id) == wallet

    async def read() -> strongroom.Wallet:
        async with await AsyncVault.open() as opened:
            return await opened.get_wallet(wallet.id)

    assert asyncio.run(read()) == wallet
    # Its paths lead from its own directory, wherever the process is.
    monkeypatch.chdir("/")
    with strongroom.open(config=directory / "strongroom.toml") as vault:
        assert vault.count_wallets() == 1


def test_an_argument_goes_before_a_variable_and_a_variable_before_the_file(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_settings(text="pool_size = 3\n")
    strongroom.init().close()
    with strongroom.init("sqlite:///other.db", root_key="file:other.key") as vault:
        vault.create_wallet(uuid4(), "ethereum")
    monkeypatch.setenv("STRONGROOM_DATABASE_URL", "sqlite:///other.db")
    monkeypatch.setenv("STRONGROOM_ROOT_KEY", "file:other.key")
    with strongroom.open() as vault:
        assert vault.count_wallets() == 1
    with strongroom.open("sqlite:///vault.db", root_key="file:root.key") as vault:
        assert vault.count_wallets() == 0
    monkeypatch.setenv("STRONGROOM_POOL_SIZE", "none")
    with pytest.raises(strongroom.InvalidSettingError, match="STRONGROOM_POOL_SIZE"):
        strongroom.open()
