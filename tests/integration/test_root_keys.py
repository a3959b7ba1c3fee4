"""Several root keys wrap one keyring: added, checked, removed, and never so few that it does not open."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path

import psycopg
import pytest

import strongroom
from strongroom import Vault
from strongroom.records.register import root_key_names
from strongroom.records.usage_log import Attribution, Event
from strongroom.rootkeys import local
from strongroom.rootkeys.file import FileRootKey
from strongroom.store import keyring_store
from strongroom.usecases import rotate
from strongroom.usecases.tagging import next_head
from testbed.concurrency import at_once
from testbed.databases.deployments import Deployment, open_deployment
from testbed.harness.drivers import watched
from testbed.servers.proxy import COMMIT, Mode, Proxy

BREAK_GLASS = "env:LIFE_BREAK_GLASS"
MakeRootKey = Callable[[], str]


@pytest.fixture
def break_glass(monkeypatch: pytest.MonkeyPatch) -> str:
    """A root key in the environment."""
    monkeypatch.setenv(BREAK_GLASS.removeprefix("env:"), local.new_text().reveal_text())
    return BREAK_GLASS


@pytest.fixture
def make_file(tmp_path: Path) -> MakeRootKey:
    """Make root keys in files."""
    folder = tmp_path / "root-keys"
    folder.mkdir(mode=0o700)
    numbers = count(1)

    def make() -> str:
        uri = f"file:{folder}/root-{next(numbers)}.key"
        assert FileRootKey(uri).create()
        return uri

    return make


def uris_of(deployment: Deployment) -> set[str]:
    return {row[0] for row in deployment.execute("SELECT DISTINCT root_key FROM strongroom_keyring_wrap")}


def keyring_of(deployment: Deployment) -> list[list[tuple[object, ...]]]:
    """All that the keyring's tables hold."""
    names = ("strongroom_keyring_head", "strongroom_keyring", "strongroom_keyring_wrap")
    return [deployment.execute(f"SELECT * FROM {name} ORDER BY 1, 2") for name in names]


def events_of(deployment: Deployment) -> list[str]:
    return [row[0] for row in deployment.execute("SELECT event FROM strongroom_events ORDER BY id")]


def opens(deployment: Deployment, uri: str) -> bool:
    """Whether a root key by itself opens the vault, and every wallet proves."""
    with deployment.open(root_key=uri) as vault:
        vault.check_root_key(uri)
        return all(result.ok for result in vault.verify())


# --- one after the other -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["file", "env"])
def test_a_root_key_that_was_added_opens_the_vault_by_itself(
    deployment: Deployment, vault_a: Vault, make_file: MakeRootKey, break_glass: str, kind: str
) -> None:
    uri = make_file() if kind == "file" else break_glass
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    vault_a.rotate_sealing_key()
    with pytest.raises(strongroom.RootKeyMismatchError):
        deployment.open(root_key=uri)
    with pytest.raises(strongroom.RootKeyMissingError):
        vault_a.check_root_key(uri)
    vault_a.add_root_key(uri, actor="me", reason="break glass")
    vault_a.check_root_key(uri)
    assert uris_of(deployment) == {deployment.root_key, uri}
    assert events_of(deployment) == ["init", "rotate", "add-root-key"]
    assert opens(deployment, uri)
    with deployment.open(root_key=uri) as vault:
        assert vault.get_wallet(wallet) == wallet
        assert vault.create_wallet(deployment.project(), "ethereum").created
        status = vault.status().as_dict()["sealing_keys"]
        assert [sorted(key["root_keys"]) for key in status] == [sorted((deployment.root_key, uri))] * 2
    deployment.assert_sound(vault_a)


def test_the_root_key_is_changed_by_add_check_remove(
    deployment: Deployment, vault_a: Vault, make_file: MakeRootKey
) -> None:
    vault_a.create_wallet(deployment.project(), "ethereum")
    uri = make_file()
    vault_a.add_root_key(uri)
    vault_a.check_root_key(uri)
    vault_a.remove_root_key(deployment.root_key, reason="it was seen")
    assert uris_of(deployment) == {uri}
    assert opens(deployment, uri)
    with pytest.raises(strongroom.RootKeyMismatchError):
        deployment.open()
    with deployment.open(root_key=uri) as vault:
        vault.add_root_key(deployment.root_key)
    assert opens(deployment, deployment.root_key)


def test_after_a_rotation_no_removed_root_key_comes_back_by_its_old_rows(
    deployment: Deployment, vault_a: Vault, break_glass: str
) -> None:
    """Anyone who keeps the rows of a removed root key and puts them back has none for the key that was made since."""
    vault_a.add_root_key(break_glass)
    deployment.execute("CREATE TABLE put_aside AS SELECT * FROM strongroom_keyring_wrap")
    vault_a.remove_root_key(break_glass)
    vault_a.rotate_sealing_key()
    deployment.execute("INSERT INTO strongroom_keyring_wrap SELECT * FROM put_aside WHERE root_key = ?", break_glass)
    before = keyring_of(deployment)
    with pytest.raises(strongroom.KeyringCorruptError):
        vault_a.rotate_sealing_key()
    with pytest.raises(strongroom.KeyringCorruptError):
        deployment.open(root_key=break_glass)
    assert keyring_of(deployment) == before
    vault_a.remove_root_key(break_glass)
    vault_a.rotate_sealing_key()
    assert uris_of(deployment) == {deployment.root_key}


def test_a_removed_root_key_does_not_come_back_by_its_old_rows(
    deployment: Deployment, vault_a: Vault, break_glass: str
) -> None:
    """Not before a rotation either: the head names the root keys that wrap the keyring."""
    vault_a.add_root_key(break_glass)
    deployment.execute("CREATE TABLE put_aside AS SELECT * FROM strongroom_keyring_wrap")
    vault_a.remove_root_key(break_glass)
    deployment.execute("INSERT INTO strongroom_keyring_wrap SELECT * FROM put_aside WHERE root_key = ?", break_glass)
    before = keyring_of(deployment)
    with pytest.raises(strongroom.RootKeyMismatchError):
        deployment.open(root_key=break_glass)
    assert opens(deployment, deployment.root_key), "the others go on"
    with pytest.raises(strongroom.KeyringCorruptError, match="does not name"):
        vault_a.rotate_sealing_key()
    with pytest.raises(strongroom.LastRootKeyError):
        vault_a.remove_root_key(deployment.root_key)
    assert keyring_of(deployment) == before
    vault_a.remove_root_key(break_glass)
    vault_a.rotate_sealing_key()
    assert uris_of(deployment) == {deployment.root_key}


def test_a_head_that_names_no_root_keys_does_from_the_next_change_on(
    deployment: Deployment, vault_a: Vault, break_glass: str
) -> None:
    context = vault_a._context
    assert context.keyring.head is not None
    unnamed = next_head(context.keyring.head, context.keyring, root_keys=None)
    assert context.store.keyring.change_head(unnamed, Event("upgrade", Attribution(), {}), context.clock())
    with deployment.open() as vault:
        assert vault._context.keyring.head == unnamed.record
        vault.add_root_key(break_glass)
    with deployment.open(root_key=break_glass) as vault:
        assert vault._context.keyring.head is not None
        assert vault._context.keyring.head.root_keys == root_key_names([deployment.root_key, break_glass])


def test_the_last_root_key_is_not_removed(deployment: Deployment, vault_a: Vault) -> None:
    before = keyring_of(deployment)
    with pytest.raises(strongroom.LastRootKeyError):
        vault_a.remove_root_key(deployment.root_key)
    with pytest.raises(strongroom.RootKeyMissingError):
        vault_a.remove_root_key("file:/never/added.key")
    assert keyring_of(deployment) == before
    assert events_of(deployment) == ["init"]


def test_a_root_key_is_not_removed_while_the_others_are_not_at_hand(
    deployment: Deployment, vault_a: Vault, break_glass: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault_a.add_root_key(break_glass)
    before = keyring_of(deployment)
    monkeypatch.delenv(BREAK_GLASS.removeprefix("env:"))
    with pytest.raises(strongroom.LastRootKeyError):
        vault_a.remove_root_key(deployment.root_key)
    monkeypatch.setenv(BREAK_GLASS.removeprefix("env:"), local.new_text().reveal_text())
    with pytest.raises(strongroom.LastRootKeyError):
        vault_a.remove_root_key(deployment.root_key)
    assert keyring_of(deployment) == before
    vault_a.remove_root_key(break_glass)
    assert uris_of(deployment) == {deployment.root_key}, "the one that is lost can be removed by the other"


@pytest.mark.parametrize("damage", ["missing", "malformed", "insecure"])
def test_a_root_key_that_cannot_be_used_is_not_added(
    deployment: Deployment, vault_a: Vault, make_file: MakeRootKey, damage: str
) -> None:
    uri = make_file()
    path = Path(uri.removeprefix("file:"))
    if damage == "missing":
        path.unlink()
    elif damage == "malformed":
        path.write_text("STRONGROOM-ROOT-KEY-1-AAAA")
    else:
        path.chmod(0o644)
    before = keyring_of(deployment)
    with pytest.raises(strongroom.RootKeyError):
        vault_a.add_root_key(uri)
    assert keyring_of(deployment) == before


def test_a_root_key_uri_is_added_once(deployment: Deployment, vault_a: Vault, make_file: MakeRootKey) -> None:
    uri = make_file()
    vault_a.add_root_key(uri)
    before = keyring_of(deployment)
    for again in (uri, deployment.root_key):
        with pytest.raises(strongroom.RootKeyExistsError):
            vault_a.add_root_key(again)
    assert keyring_of(deployment) == before


def test_a_wrong_key_under_a_registered_uri_is_told(
    deployment: Deployment, vault_a: Vault, break_glass: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault_a.add_root_key(break_glass)
    monkeypatch.setenv(BREAK_GLASS.removeprefix("env:"), local.new_text().reveal_text())
    before = keyring_of(deployment)
    for call in (
        lambda: deployment.open(root_key=break_glass),
        lambda: vault_a.check_root_key(break_glass),
        vault_a.rotate_sealing_key,
    ):
        with pytest.raises(strongroom.RootKeyMismatchError):
            call()
    assert keyring_of(deployment) == before


@pytest.mark.parametrize("column", ["wrapped", "check_value"])
def test_damaged_wraps_of_one_root_key_leave_the_other_one_working(
    deployment: Deployment, vault_a: Vault, break_glass: str, column: str
) -> None:
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    vault_a.add_root_key(break_glass)
    deployment.execute(
        f"UPDATE strongroom_keyring_wrap SET {column} = 'damaged' WHERE root_key = ?", deployment.root_key
    )
    if column == "wrapped":
        with pytest.raises(strongroom.KeyringCorruptError):
            deployment.open()
        with pytest.raises(strongroom.KeyringCorruptError):
            vault_a.check_root_key(deployment.root_key)
        with pytest.raises(strongroom.LastRootKeyError):
            vault_a.remove_root_key(break_glass)
        before = keyring_of(deployment)
        with pytest.raises(strongroom.RootKeyError):
            vault_a.rotate_sealing_key()
        assert keyring_of(deployment) == before
    else:
        assert opens(deployment, deployment.root_key), "unwrapping is always tried"
    with deployment.open(root_key=break_glass) as vault:
        assert all(result.ok for result in vault.verify(wallet))
        vault.remove_root_key(deployment.root_key)
        vault.add_root_key(deployment.root_key)
    assert opens(deployment, deployment.root_key), "repaired: removed and added by the other one"


def test_one_damaged_wrap_of_several_is_told(deployment: Deployment, vault_a: Vault, break_glass: str) -> None:
    vault_a.add_root_key(break_glass)
    kid = vault_a.rotate_sealing_key()
    sql = "DELETE FROM strongroom_keyring_wrap WHERE root_key = ? AND kid = ?"
    deployment.execute(sql, break_glass, kid)
    with pytest.raises(strongroom.KeyringCorruptError):
        vault_a.check_root_key(break_glass)
    with pytest.raises(strongroom.KeyringCorruptError):
        deployment.open(root_key=break_glass)
    with pytest.raises(strongroom.LastRootKeyError):
        vault_a.remove_root_key(deployment.root_key)
    assert opens(deployment, deployment.root_key)


def test_rotate_needs_every_root_key_at_hand(
    deployment: Deployment, vault_a: Vault, break_glass: str, make_file: MakeRootKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_file()
    vault_a.add_root_key(break_glass)
    vault_a.add_root_key(file)
    kid = vault_a.rotate_sealing_key()
    assert deployment.states()[kid] == "active"
    deployment.assert_keyring()
    assert all(opens(deployment, uri) for uri in (deployment.root_key, break_glass, file)), "the break-glass key, too"
    before = keyring_of(deployment)
    Path(file.removeprefix("file:")).unlink()
    with pytest.raises(strongroom.RootKeyMissingError):
        vault_a.rotate_sealing_key()
    assert keyring_of(deployment) == before
    vault_a.remove_root_key(file)
    monkeypatch.delenv(BREAK_GLASS.removeprefix("env:"))
    with pytest.raises(strongroom.RootKeyMissingError):
        vault_a.rotate_sealing_key()
    assert events_of(deployment).count("rotate") == 1
    assert vault_a.create_wallet(deployment.project(), "ethereum").created


def test_a_vault_whose_own_root_key_was_removed_works_on_and_changes_no_keyring(
    deployment: Deployment, vault_a: Vault, make_file: MakeRootKey
) -> None:
    wallet, _ = vault_a.create_wallet(deployment.project(), "ethereum")
    uri = make_file()
    vault_a.add_root_key(uri)
    vault_a.remove_root_key(deployment.root_key)
    assert vault_a.create_wallet(deployment.project(), "ethereum").created
    assert all(result.ok for result in vault_a.verify(wallet))
    before = keyring_of(deployment)
    for call in (
        vault_a.rotate_sealing_key,
        lambda: vault_a.add_root_key(deployment.root_key),
        lambda: list(vault_a.rewrap()),
    ):
        with pytest.raises(strongroom.RootKeyError):
            call()
    assert keyring_of(deployment) == before, "an error means that nothing was changed"
    with deployment.open(root_key=uri) as vault:
        vault.rotate_sealing_key()
        assert all(result.ok for result in vault.rewrap())
    assert {result.code for result in vault_a.verify(wallet)} == {"root-key-mismatch"}, "it must be opened anew"


# --- at once -------------------------------------------------------------------------------------------------


def test_adding_and_rotating_at_once_leaves_every_root_key_with_every_wrap(
    deployment: Deployment, vault_a: Vault, make_file: MakeRootKey
) -> None:
    with ExitStack() as stack:
        others = [stack.enter_context(deployment.open()) for _ in range(2)]
        for _ in range(4):
            uris = [make_file() for _ in others]
            before = uris_of(deployment)
            calls: list[Callable[[], object]] = [vault_a.rotate_sealing_key, vault_a.rotate_sealing_key]
            calls += [partial(vault.add_root_key, uri) for vault, uri in zip(others, uris, strict=True)]
            results = at_once(calls)
            lost = [result for result in results if isinstance(result, Exception)]
            assert all(type(error) is strongroom.ConflictError for error in lost), lost
            assert len(lost) < len(results)
            added = {uri for uri, result in zip(uris, results[2:], strict=True) if result is None}
            assert uris_of(deployment) == before | added
            deployment.assert_keyring()
            assert all(opens(deployment, uri) for uri in uris_of(deployment))


def test_removing_two_root_keys_at_once_leaves_one(
    deployment: Deployment, vault_a: Vault, make_file: MakeRootKey
) -> None:
    uri = make_file()
    with deployment.open() as other:
        for _ in range(4):
            vault_a.add_root_key(uri)
            results = at_once(
                [lambda: vault_a.remove_root_key(uri), lambda: other.remove_root_key(deployment.root_key)]
            )
            lost = [result for result in results if isinstance(result, Exception)]
            assert len(lost) == 1
            assert isinstance(lost[0], (strongroom.ConflictError, strongroom.LastRootKeyError)), lost
            (left,) = uris_of(deployment)
            assert opens(deployment, left)
            if left == uri:
                with deployment.open(root_key=uri) as vault:
                    vault.add_root_key(deployment.root_key)
                    vault.remove_root_key(uri)


class Interruption:
    """Does something else once, before the n-th statement; afterwards, and inside of a transaction, nothing."""

    def __init__(self, at: int, action: Callable[[], object]) -> None:
        self._left, self._action = at, action
        self.armed = self.done = self.writing = False

    def before(self, statement: str) -> None:
        self.writing = self.writing or statement.startswith("BEGIN IMMEDIATE")
        if self.armed and not self.writing:
            self._left -= 1
            if self._left == 0:
                self.armed, self.done = False, True
                self._action()
        self.writing = self.writing or statement.startswith("BEGIN")

    def after(self, statement: str, committed: bool) -> None:
        pass


def test_no_change_leaves_more_wraps_than_a_vault_opens_with(
    deployment: Deployment, vault_a: Vault, make_file: MakeRootKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotate, "MOST_WRAPS", 2)
    monkeypatch.setattr(keyring_store, "MOST_WRAPS", 2)
    vault_a.rotate_sealing_key()
    uri = make_file()
    for change in (vault_a.rotate_sealing_key, partial(vault_a.add_root_key, uri)):
        with pytest.raises(strongroom.ConflictError, match="more than 2 wraps"):
            change()
    with deployment.open() as vault:
        assert vault.create_wallet(deployment.project(), "ethereum").created


@pytest.mark.parametrize("backend", ["sqlite", "fresh"])
@pytest.mark.parametrize("changed", ["rotate", "add"])
def test_a_change_between_any_two_statements_of_another_one_is_seen(
    backend: str, changed: str, request: pytest.FixtureRequest, make_file: MakeRootKey
) -> None:
    """The keyring is read, then written; what comes between must not pass as what was read."""
    with open_deployment(backend, request) as deployment, deployment.open() as other:
        for at in range(1, 20):
            uri = make_file()
            between = (lambda: other.add_root_key(make_file())) if changed == "add" else other.rotate_sealing_key
            interruption = Interruption(at, between)
            with watched(interruption), deployment.open() as vault:
                interruption.armed = True
                try:
                    if changed == "add":
                        vault.rotate_sealing_key()
                    else:
                        vault.add_root_key(uri)
                except strongroom.ConflictError:
                    assert interruption.done
            deployment.assert_keyring()
            if not interruption.done:
                break
        assert at > 1, "the statement that reads, at least"
        assert all(opens(deployment, each) for each in uris_of(deployment))


# --- connections that are lost -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["before", "after", "in_flight"])
def test_a_connection_cut_while_a_root_key_comes_or_goes_is_resolved(
    mode: Mode, request: pytest.FixtureRequest, proxy: Proxy, make_file: MakeRootKey
) -> None:
    with open_deployment("fresh", request) as deployment:
        with psycopg.connect(deployment.url) as connection:
            name = str(connection.info.dbname)
        uri = make_file()
        with strongroom.open(proxy.url(name), root_key=deployment.root_key) as vault:
            trap = proxy.arm(COMMIT, mode)
            vault.add_root_key(uri)
            assert trap.fired
            assert uris_of(deployment) == {deployment.root_key, uri}
            trap = proxy.arm(COMMIT, mode)
            vault.remove_root_key(uri)
            assert trap.fired
            assert uris_of(deployment) == {deployment.root_key}
        assert events_of(deployment) == ["init", "add-root-key", "remove-root-key"]
        deployment.assert_sound()
