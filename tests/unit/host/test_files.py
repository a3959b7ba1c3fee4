"""Files that are taken at their word belong to the caller or to root, and nobody else can change or replace them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from strongroom.crypto.wraps import wrap_one
from strongroom.errors import InsecureFileError, RootKeyInsecureError
from strongroom.host import files
from strongroom.host.files import NotTrustedError, located, open_trusted, require_trusted, write_private
from strongroom.rootkeys import local
from strongroom.rootkeys.file import FileRootKey
from strongroom.rootkeys.passphrase_source import File
from strongroom.settings import read_config
from testbed.harness.owners import give_away, take_back

ME, OTHER, ROOT = 1000, 1001, 0


def result(mode: int, owner: int) -> os.stat_result:
    return os.stat_result((stat.S_IFREG | mode, 1, 1, 1, owner, ME, 0, 0, 0, 0))


@pytest.mark.parametrize("caller", [ME, ROOT, None])
@pytest.mark.parametrize("owner", [ME, ROOT, OTHER])
@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o644, 0o660, 0o606, 0o620, 0o602, 0o666])
@pytest.mark.parametrize("private", [True, False])
def test_a_file_is_the_callers_or_roots_and_nobody_else_writes_it(
    caller: int | None, owner: int, mode: int, private: bool
) -> None:
    owned = caller is None or owner in (caller, ROOT)
    unreachable = not mode & 0o022 and not (private and mode & 0o077)
    try:
        require_trusted(result(mode, owner), Path("file"), private=private, caller=caller)
        trusted = True
    except NotTrustedError as error:
        trusted = False
        assert error.reason
        assert error.cure
    assert trusted == (owned and unreachable)


@pytest.mark.parametrize(
    ("mode", "owner", "groups", "trusted"),
    [
        (0o440, ROOT, (5, ME), True),
        (0o440, ROOT, (5,), False),
        (0o440, ME, (ME,), False),
        (0o640, ROOT, (ME,), False),
        (0o444, ROOT, (ME,), False),
        (0o460, ROOT, (ME,), False),
        (0o450, ROOT, (ME,), False),
    ],
)
def test_a_secret_of_roots_that_is_mounted_for_our_group_is_taken(
    mode: int, owner: int, groups: tuple[int, ...], trusted: bool
) -> None:
    """What Kubernetes makes with fsGroup; another mode, owner or group is refused as before."""
    try:
        require_trusted(result(mode, owner), Path("file"), private=True, caller=ME, groups=groups)
        taken = True
    except NotTrustedError:
        taken = False
    assert taken is trusted


def read(path: Path) -> bytes:
    with open_trusted(path, private=False) as file:
        return file.read()


def test_a_file_of_another_user_is_not_opened(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(file) == b"content"
    give_away(file, monkeypatch)
    with pytest.raises(NotTrustedError, match="belongs to another user"):
        read(file)


def test_a_file_in_a_directory_of_another_user_is_not_opened(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_away(file.parent, monkeypatch)
    with pytest.raises(NotTrustedError, match="is in a directory that belongs to another user"):
        read(file)


@pytest.mark.parametrize(("mode", "opens"), [(0o777, False), (0o703, False), (0o1777, True), (0o755, True)])
def test_a_file_in_a_directory_where_everybody_may_replace_it_is_not_opened(file: Path, mode: int, opens: bool) -> None:
    file.parent.chmod(mode)
    if opens:
        assert read(file) == b"content"
        return
    with pytest.raises(NotTrustedError, match="everybody may put files"):
        read(file)


@pytest.mark.parametrize("target", [lambda file: file, lambda file: os.path.relpath(file, file.parents[1])])
def test_a_link_is_judged_by_what_it_leads_to(
    file: Path, target: Callable[[Path], Path | str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, link = file.parents[1] / "first", file.parents[1] / "link"
    first.symlink_to(target(file))
    link.symlink_to("first")
    assert read(link) == b"content"
    file.chmod(0o666)
    with pytest.raises(NotTrustedError, match="can be written"):
        read(link)
    file.chmod(0o600)
    file.parent.chmod(0o777)
    with pytest.raises(NotTrustedError, match="everybody may put files"):
        read(link)
    file.parent.chmod(0o700)
    give_away(first, monkeypatch)
    with pytest.raises(NotTrustedError, match="belongs to another user"):
        read(link)


def test_links_in_a_circle_are_not_followed_without_end(private_path: Path) -> None:
    one, two = private_path / "one", private_path / "two"
    one.symlink_to(two)
    two.symlink_to(one)
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        read(one)


def test_a_pipe_of_another_user_is_not_read(private_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = private_path / "pipe"
    os.mkfifo(pipe, 0o600)
    assert read(pipe) == b""
    give_away(pipe, monkeypatch)
    with pytest.raises(NotTrustedError):
        read(pipe)


def test_what_was_opened_is_judged_and_not_what_the_name_stands_for_by_then(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the name and the opening somebody puts a file of everybody there, and takes it back."""
    planted = file.with_name("planted")
    planted.write_bytes(b"planted")
    planted.chmod(0o666)
    opened = os.open

    def swap(path: str, flags: int, *arguments: int, **keywords: int) -> int:
        if path != file.name:
            return opened(path, flags, *arguments, **keywords)
        aside = file.with_name("aside")
        file.rename(aside)
        planted.rename(file)
        try:
            return opened(path, flags, *arguments, **keywords)
        finally:
            file.rename(planted)
            aside.rename(file)

    monkeypatch.setattr(os, "open", swap)
    with pytest.raises(NotTrustedError, match="can be written by others"):
        read(file)


def test_no_descriptor_is_left_open(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = file.parents[1] / "link"
    link.symlink_to(file)
    before = len(os.listdir("/dev/fd"))
    for mode in (0o600, 0o666):
        file.chmod(mode)
        for path in (file, link, file.parent, file.with_name("none")):
            with suppress(NotTrustedError, OSError):
                read(path)
            with suppress(NotTrustedError, OSError), located(path, os.geteuid()):
                pass
    assert len(os.listdir("/dev/fd")) == before


# --- who opens what ------------------------------------------------------------------------------------------


def test_a_root_key_of_another_user_is_refused(private_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = private_path / "root.key"
    FileRootKey(f"file:{path}").create()
    give_away(path, monkeypatch)
    with pytest.raises(RootKeyInsecureError, match="belongs to another user"):
        wrap_one(FileRootKey(f"file:{path}"), "k" * 22, local.new_text())
    take_back(path, monkeypatch)
    wrap_one(FileRootKey(f"file:{path}"), "k" * 22, local.new_text())


def test_a_passphrase_file_of_another_user_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_away(file, monkeypatch)
    with pytest.raises(RootKeyInsecureError, match="passphrase file"):
        File(str(file)).read()


@pytest.mark.parametrize("mode", [0o660, 0o606, 0o666, 0o646])
def test_settings_that_others_can_write_are_refused(file: Path, mode: int) -> None:
    file.write_text("pool_size = 3\n")
    file.chmod(mode)
    with pytest.raises(InsecureFileError, match="can be written by others") as caught:
        read_config(file)
    assert caught.value.hint == f"Run: chmod 600 {file}"
    file.chmod(0o644)
    assert read_config(file) == {"pool_size": 3}


def test_settings_of_another_user_are_refused_also_where_nobody_named_them(
    private_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(private_path)
    assert read_config() == {}
    path = private_path / "strongroom.toml"
    path.write_text("pool_size = 3\n")
    path.chmod(0o644)
    assert read_config() == {"pool_size": 3}
    give_away(path, monkeypatch)
    with pytest.raises(InsecureFileError, match="belongs to another user"):
        read_config()


def test_a_directory_of_everybody_without_settings_is_no_reason_to_refuse(
    private_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private_path.chmod(0o777)
    monkeypatch.chdir(private_path)
    assert read_config() == {}


def test_where_users_have_no_numbers_modes_count_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "effective_user", lambda: None)
    assert read(file) == b"content"
    file.chmod(0o666)
    with pytest.raises(NotTrustedError):
        read(file)


@pytest.mark.parametrize(("replace", "renaming"), [(False, "link"), (True, "replace")])
def test_a_private_file_is_on_disk_before_it_has_its_name_and_its_name_before_it_is_done(
    replace: bool, renaming: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    real_fsync, real_renaming = os.fsync, getattr(os, renaming)

    def fsync(descriptor: int) -> None:
        calls.append("sync directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync file")
        real_fsync(descriptor)

    def rename(source: Path, target: Path) -> None:
        calls.append(renaming)
        real_renaming(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, renaming, rename)
    old = os.umask(0)
    try:
        assert write_private(tmp_path / "file", [b"one", b"two"], replace=replace)
    finally:
        os.umask(old)
    assert calls == ["sync file", renaming, "sync directory"]
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    calls.clear()
    assert write_private(tmp_path / "file", [b"three"], replace=replace) is replace
    assert calls[-1] == "sync directory", "who wrote it may have died before"
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"three" if replace else b"onetwo"]
