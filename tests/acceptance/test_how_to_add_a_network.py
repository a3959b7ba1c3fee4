"""docs/how-to-add-a-network.md is followed as it stands: the made-up family of the page is written, added and signs."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import strongroom
from strongroom import Vault, networks
from strongroom.cli import sign as command_line
from strongroom.errors import (
    MalformedPayloadError,
    NonceConflictError,
    SignatureRefusedError,
    UnsupportedSigningError,
)
from strongroom.networks import NetworkTable
from strongroom.networks.curves import ed25519
from strongroom.ports.network import Network
from strongroom.ports.signing import SigningNetwork
from strongroom.wiring import vaults

PAGE = (Path(__file__).parents[2] / "docs" / "how-to-add-a-network.md").read_text()
BLOCKS = dict(re.findall(r"^```python\n# (\S[^\n]*)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
FOLDER = "src/strongroom/networks/"


@pytest.fixture
def echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The network of the page, in the table."""
    for name, text in BLOCKS.items():
        if name.startswith(FOLDER):
            file = tmp_path / name.removeprefix(FOLDER)
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
            (file.parent / "__init__.py").touch()
    monkeypatch.setattr(networks, "__path__", [*networks.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    chain = importlib.import_module("strongroom.networks.echo.chain").EchoChain("echo", reference="main")
    table = NetworkTable((*networks.TABLE.chains, chain))
    network = table.get("echo")
    monkeypatch.setattr(vaults, "TABLE", table)
    monkeypatch.setattr(networks, "TABLE", table)
    yield network
    for module in [name for name in sys.modules if name.startswith("strongroom.networks.echo")]:
        del sys.modules[module]
    del networks.echo  # type: ignore[attr-defined]


@pytest.fixture
def vault(echo: Any, private_path: Path) -> Iterator[Vault]:
    with strongroom.init(f"sqlite:///{private_path}/vault.db", root_key=f"file:{private_path}/root.key") as made:
        yield made


def payload(sequence: int, amount: int, fee: int) -> bytes:
    return b"".join(number.to_bytes(8) for number in (sequence, amount, fee)) + bytes(32)


def test_the_page_has_every_file_of_a_family_that_signs() -> None:
    files = {name.removeprefix(f"{FOLDER}echo/") for name in BLOCKS if name.startswith(FOLDER)}
    assert files == {"chain.py", "kinds.py", "signing.py", "family.py"}


def test_what_the_page_says_passes_the_checks_of_the_house(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    for name, text in BLOCKS.items():
        if name.startswith(FOLDER):
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            (file.parent / "__init__.py").touch()
    ruff = [sys.executable, "-m", "ruff"]
    ours = 'lint.isort.known-first-party = ["strongroom"]'
    settings = ["--config", str(root / "pyproject.toml"), "--config", ours, "--no-cache", str(tmp_path)]
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run([*ruff, *command, *settings], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_names_every_member_of_the_two_protocols() -> None:
    for protocol, heading in ((Network, "## A family"), (SigningNetwork, "## Signing")):
        section = PAGE.partition(f"\n{heading}\n")[2].partition("\n## ")[0]
        named = set(re.findall(r"`(\w+)(?:\([^`]*\))?`", "".join(re.findall(r"^\| (.+?) \|", section, re.MULTILINE))))
        assert {name for name in vars(protocol) if not name.startswith("_")} <= named


def test_the_made_up_family_signs_as_the_page_says(vault: Vault, echo: Any) -> None:
    assert isinstance(echo, SigningNetwork)
    scope: dict[str, Any] = {"vault": vault, "project_id": uuid4()}
    exec(compile(ast.parse(BLOCKS["an application"]), "the page", "exec"), scope)
    wallet, loud = scope["wallet"], scope["loud"]
    assert ed25519.verify(bytes.fromhex(wallet.public_key), b"ECHO MESSAGE:hello", loud.signature)


def test_the_vault_refuses_what_the_family_did_not_declare(vault: Vault) -> None:
    wallet, _ = vault.create_wallet(uuid4(), "echo")
    for options in ({"volume": "medium"}, {"scheme": "simple"}, {"replace": True}, {"dangerous": True}):
        with pytest.raises(MalformedPayloadError):
            vault.sign(wallet, "message", "hello", **options)
    for kind in ("digest", "psbt", "secret words of somebody"):
        with pytest.raises(UnsupportedSigningError):
            vault.sign(wallet, kind, b"")
    refused = [
        entry.details
        for entry in vault.list_log(project_id=wallet.project_id).records
        if entry.action == "sign-refused"
    ]
    assert {details["kind"] for details in refused} == {"message", "digest", "psbt", "unknown"}


def test_replacement_is_what_the_family_says(vault: Vault) -> None:
    """At least twice the fee, where the EVM wants any more in every part."""
    wallet, _ = vault.create_wallet(uuid4(), "echo")
    first = vault.sign(wallet, "transaction", payload(1, 500, 10))
    assert vault.sign(wallet, "transaction", payload(1, 500, 10)) == first
    with pytest.raises(NonceConflictError):
        vault.sign(wallet, "transaction", payload(1, 500, 20))
    with pytest.raises(NonceConflictError):
        vault.sign(wallet, "transaction", payload(1, 500, 19), replace=True)
    vault.sign(wallet, "transaction", payload(1, 500, 20), replace=True)
    vault.sign(wallet, "transaction", payload(1, 9, 9), nonce_guard=False)
    vault.sign(wallet, "transaction", payload(2, 9, 9))
    with pytest.raises(SignatureRefusedError, match="limit"):
        vault.sign(wallet, "transaction", payload(3, 9, 2_000))
    vault.sign(wallet, "transaction", payload(3, 9, 2_000), max_fee=2_000)


def test_the_command_line_has_the_new_options(echo: Any) -> None:
    kinds = {kind.name: kind for kind in command_line.declared()}
    assert "volume" in kinds["message"].by_name
    assert "text behind a prefix (Echo)" in kinds["message"].standard
    assert "in base units (Echo)" in kinds["transaction"].by_name["max_fee"].help


def test_a_dangerous_kind_needs_a_word(vault: Vault) -> None:
    wallet, _ = vault.create_wallet(uuid4(), "ethereum")
    with pytest.raises(SignatureRefusedError, match="raw digest"):
        vault.sign(wallet, "digest", bytes(32))
    assert vault.sign(wallet, "digest", bytes(32), dangerous=True) == vault.dangerously_sign_digest(wallet, bytes(32))
