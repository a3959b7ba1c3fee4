"""What users import, and what importing costs."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import strongroom
from strongroom import errors

HEAVY = ("sqlalchemy", "psycopg", "alembic", "cryptography", "wallycore", "nacl", "Crypto", "mnemonic", "typer", "rich")
ALSO_HEAVY_AT_OPEN = ("psycopg", "alembic", "wallycore", "nacl", "Crypto", "mnemonic", "typer", "anyio")
VERBS = {
    "account",
    "add_root_key",
    "advance_phrase",
    "check_root_key",
    "close",
    "count_pending_rewraps",
    "count_wallets",
    "create_many",
    "create_phrase",
    "create_wallet",
    "create_wallets",
    "discover",
    "export_xpub",
    "dangerously_sign_digest",
    "erase_project",
    "export_keystore",
    "find_by_address",
    "find_phrase",
    "get_phrase",
    "import_phrase",
    "list_accounts",
    "list_phrases",
    "replace_phrase",
    "reveal_phrase",
    "verify_phrases",
    "find_wallet",
    "get_wallet",
    "history",
    "import_wallet",
    "list_log",
    "list_projects",
    "list_wallets",
    "move_key",
    "networks",
    "remove_root_key",
    "replace_wallet",
    "restore",
    "reveal",
    "reveal_kept",
    "reveal_kept_text",
    "revoke_wallet",
    "rewrap",
    "rotate_sealing_key",
    "sign_authorization",
    "sign",
    "sign_message",
    "sign_psbt",
    "sign_transaction",
    "sign_typed_data",
    "status",
    "store_key",
    "verify",
}


def run(code: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_public_names_are_these() -> None:
    names = set(strongroom.__all__)
    error_names = {kind.__name__ for kind in errors.all_errors()}
    assert error_names <= names
    assert names - error_names == {
        "AccountXpub",
        "AsyncVault",
        "CreateResult",
        "CreatedPhrase",
        "DiscoveredWallets",
        "PhraseAccount",
        "PhrasePage",
        "ProjectPhrase",
        "RevealedPhrase",
        "VerifiedPhrase",
        "Erased",
        "HistoryEntry",
        "HistoryPage",
        "LogPage",
        "LogRecord",
        "PhraseCaseWarning",
        "ProjectPage",
        "ProjectSummary",
        "Revealed",
        "RewrapResult",
        "Secret",
        "PreparedStatementsWarning",
        "SharedKeyWarning",
        "Takeover",
        "UnverifiedStatus",
        "UnverifiedVault",
        "UnverifiedWallet",
        "UnverifiedWalletPage",
        "Vault",
        "VerifyResult",
        "Wallet",
        "WalletPage",
        "create_engine",
        "init",
        "open",
        "open_takeover",
        "open_unverified",
        "project_id_of",
    }
    for name in names:
        assert getattr(strongroom, name).__doc__, name


def test_the_verbs_of_a_vault_are_these() -> None:
    verbs = {name for name, _ in inspect.getmembers(strongroom.Vault, inspect.isfunction) if name[0] != "_"}
    assert verbs == VERBS
    for name in verbs:
        assert inspect.getdoc(getattr(strongroom.Vault, name))


def test_the_verbs_of_a_takeover_are_these() -> None:
    verbs = {name for name, _ in inspect.getmembers(strongroom.Takeover, inspect.isfunction) if name[0] != "_"}
    assert verbs == {
        *("diagnose", "acknowledge", "plan", "apply", "plan_migration", "migrate", "upgrade"),
        *("guard_script", "install_guard", "remove_guard", "guard_status", "distribution_steps", "distribute"),
    }
    for name in verbs:
        assert inspect.getdoc(getattr(strongroom.Takeover, name))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        strongroom.nothing  # noqa: B018


def test_importing_strongroom_imports_neither_drivers_nor_sql_nor_crypto() -> None:
    loaded = run("import strongroom, sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))")
    assert set(loaded.split()) & set(HEAVY) == set()


def test_opening_a_vault_on_sqlite_imports_only_what_opening_needs(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    url, key = f"sqlite:///{tmp_path / 'vault.db'}", f"file:{tmp_path / 'root.key'}"
    strongroom.init(url, root_key=key).close()
    code = (
        "import strongroom, sys; strongroom.open(sys.argv[1], root_key=sys.argv[2]);"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = set(run(code, url, key).split())
    assert "sqlalchemy" in loaded
    assert loaded & set(ALSO_HEAVY_AT_OPEN) == set()


def test_a_missing_driver_is_named_with_its_extra(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "import strongroom\n"
        "try: strongroom.create_engine('postgresql://localhost/x')\n"
        "except strongroom.MissingExtraError as error: print(error.code, error.hint)\n"
    )
    assert run(code) == "missing-extra Run: pip install 'strongroom[postgresql]'"


@pytest.mark.parametrize(
    "url",
    ["mysql://localhost/x", "sqlite://", "sqlite:///:memory:", "nonsense", "postgresql+asyncpg://localhost/x"],
)
def test_a_database_that_strongroom_does_not_run_on_is_refused(url: str) -> None:
    with pytest.raises(strongroom.UnsupportedDatabaseError) as caught:
        strongroom.open(url, root_key="file:none.key")
    assert url not in str(caught.value)


def test_the_throw_away_vault_is_a_real_one() -> None:
    from uuid import uuid4

    from strongroom.testing import temporary_vault

    with temporary_vault() as vault:
        wallet, created = vault.create_wallet(uuid4(), "ethereum")
        assert created
        assert [result.ok for result in vault.verify(wallet)] == [True]
        place = Path(vault.status().store.database.removeprefix("sqlite:///"))
        assert place.exists()
    assert not place.exists()


def test_it_works_where_warnings_are_errors() -> None:
    code = (
        "import uuid\n"
        "from strongroom.testing import temporary_vault\n"
        "with temporary_vault() as vault:\n"
        "    print(*(result.created for result in vault.create_wallets(uuid.uuid4(), ['base', 'bitcoin', 'solana'])))\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "True True True"), done.stderr
