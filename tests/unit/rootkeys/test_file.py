"""``file:``: a key that only its owner can read, that is never replaced, and that is there whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from strongroom.crypto.keyring import kid_of, new_sealing_key
from strongroom.crypto.wraps import unwrap_one, wrap_one
from strongroom.errors import (
    RootKeyError,
    RootKeyInsecureError,
    RootKeyMalformedError,
    RootKeyMissingError,
)
from strongroom.ports.root_key import CreatableRootKey, RootKey
from strongroom.records.keyring import WrappedKey
from strongroom.rootkeys import local
from strongroom.rootkeys.file import FileRootKey
from strongroom.secret import Secret

SEALING_KEY = new_sealing_key()
KID = kid_of(SEALING_KEY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "root.key"


def at(path: Path | str) -> FileRootKey:
    return FileRootKey(f"file:{path}")


def key_in(path: Path) -> bytes:
    return local.parse_text(Secret(path.read_bytes()), "It").reveal()


def works(root_key: RootKey) -> bool:
    return unwrap_one(root_key, wrap_one(root_key, KID, SEALING_KEY)).reveal() == SEALING_KEY.reveal()


def refused(root_key: RootKey) -> type[RootKeyError]:
    with pytest.raises(RootKeyError) as caught:
        wrap_one(root_key, KID, SEALING_KEY)
    with pytest.raises(type(caught.value)):
        unwrap_one(root_key, WrappedKey(KID, root_key.uri, "", ""))
    return type(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_of_an_editor_is_dropped(path: Path, encoding: str) -> None:
    text = local.new_text().reveal_text()
    wrap = wrap_one(local.LocalRootKey("file:x", local.parse_text(Secret.from_text(text), "It")), KID, SEALING_KEY)
    path.write_bytes(f"{text}\r\n".encode(encoding))
    path.chmod(0o600)
    assert unwrap_one(at(path), wrap).reveal() == SEALING_KEY.reveal()


def test_a_new_root_key_is_made_and_works(path: Path) -> None:
    assert at(path).create() is True
    assert works(at(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_nlink == 1
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes().endswith(b"\n")
    assert len(path.read_bytes()) == 71


def test_a_file_root_key_can_be_made_on_the_spot(path: Path) -> None:
    assert isinstance(at(path), CreatableRootKey)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_mode_does_not_depend_on_the_umask(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        at(path).create()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_key_is_made_for_a_handle_that_found_none(path: Path) -> None:
    root_key = at(path)
    assert refused(root_key) is RootKeyMissingError
    root_key.create()
    assert works(root_key)


@pytest.mark.parametrize("content", [b"", b"something else\n", b"\0" * 100])
def test_an_existing_file_is_never_replaced(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    assert at(path).create() is False
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]
    assert refused(at(path)) is RootKeyMalformedError


def test_an_existing_root_key_is_never_replaced(path: Path) -> None:
    at(path).create()
    before = path.read_bytes()
    assert [at(path).create() for _ in range(3)] == [False] * 3
    assert path.read_bytes() == before


def test_a_symlink_is_never_replaced_or_followed_to_make_a_key(path: Path) -> None:
    target = path.with_name("elsewhere")
    path.symlink_to(target)
    assert at(path).create() is False
    assert path.is_symlink()
    assert not target.exists()
    assert refused(at(path)) is RootKeyMissingError


def test_a_symlink_to_a_key_is_read(path: Path) -> None:
    target = path.with_name("elsewhere")
    at(target).create()
    path.symlink_to(target)
    assert at(path).create() is False
    assert works(at(path))


def test_a_directory_is_not_a_key(path: Path) -> None:
    path.mkdir()
    assert at(path).create() is False
    assert refused(at(path)) is RootKeyMissingError
    assert list(path.iterdir()) == []


def test_a_device_is_not_a_key() -> None:
    assert refused(at(os.devnull)) is RootKeyMissingError


def test_a_missing_file_is_missing_and_named(path: Path) -> None:
    assert refused(at(path)) is RootKeyMissingError
    with pytest.raises(RootKeyMissingError, match=r"root\.key does not exist"):
        wrap_one(at(path), KID, SEALING_KEY)


def test_a_key_cannot_be_made_in_a_directory_that_is_not_there(path: Path) -> None:
    with pytest.raises(RootKeyError, match="cannot be made"):
        at(path.parent / "missing" / "root.key").create()
    with pytest.raises(RootKeyError, match="cannot be made"):
        at(path.parent / ("x" * 300)).create()
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o620, 0o602, 0o666, 0o601, 0o610, 0o777])
def test_a_key_that_others_can_reach_is_refused(path: Path, mode: int) -> None:
    at(path).create()
    path.chmod(mode)
    assert refused(at(path)) is RootKeyInsecureError
    path.chmod(0o600)
    assert works(at(path))


def test_a_key_that_kubernetes_mounts_for_a_group_is_read(path: Path) -> None:
    """Through links of root's, in a directory that everybody may write and that is sticky."""
    at(path).create()
    if os.geteuid() != 0:  # only root can give a file to a group; test_files judges the rest
        path.chmod(0o440)
        assert refused(at(path)) is RootKeyInsecureError
        return
    folder = path.parent / "..2026"
    folder.mkdir(mode=0o755)
    file = folder / "root.key"
    path.rename(file)
    os.chown(file, 0, 4242)
    file.chmod(0o440)
    (path.parent / "..data").symlink_to("..2026")
    path.symlink_to("..data/root.key")
    path.parent.chmod(0o3777)
    assert refused(at(path)) is RootKeyInsecureError, "not one of our groups"
    before = os.getgroups()
    os.setgroups([*before, 4242])
    try:
        assert works(at(path))
        file.chmod(0o444)
        assert refused(at(path)) is RootKeyInsecureError
        with pytest.raises(RootKeyInsecureError) as caught:
            wrap_one(at(path), KID, SEALING_KEY)
        assert "env:NAME" in caught.value.hint
        assert "fsGroup" in caught.value.hint
    finally:
        os.setgroups(before)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_that_only_its_owner_can_reach_is_read(path: Path, mode: int) -> None:
    at(path).create()
    path.chmod(mode)
    assert works(at(path))


def test_no_character_of_the_file_can_be_altered(path: Path) -> None:
    at(path).create()
    whole = path.read_bytes()
    for position, old in enumerate(whole[:-1]):
        new = b"A" if old != ord("A") else b"B"
        path.write_bytes(whole[:position] + new + whole[position + 1 :])
        assert refused(at(path)) is RootKeyMalformedError
    path.write_bytes(whole)
    assert works(at(path))


def test_a_cut_off_file_is_malformed(path: Path) -> None:
    at(path).create()
    whole = path.read_bytes()
    for length in range(70):
        path.write_bytes(whole[:length])
        assert refused(at(path)) is RootKeyMalformedError


def test_a_huge_file_is_malformed_and_not_read_whole(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(2**40)
    path.chmod(0o600)
    assert refused(at(path)) is RootKeyMalformedError


def test_two_files_hold_different_keys(path: Path) -> None:
    other = path.with_name("other.key")
    at(path).create()
    at(other).create()
    assert key_in(path) != key_in(other)


def test_the_key_is_in_no_repr_and_in_no_error(path: Path) -> None:
    root_key = at(path)
    root_key.create()
    assert works(root_key)
    body = path.read_text().strip().removeprefix(local.PREFIX)
    assert body not in repr((root_key, vars(root_key)))
    path.write_text(path.read_text()[:-3])
    with pytest.raises(RootKeyMalformedError) as caught:
        wrap_one(at(path), KID, SEALING_KEY)
    assert body[:20] not in repr((caught.value, vars(caught.value)))


def run(script: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


RACER = """
import os, sys, time
from strongroom.rootkeys.file import FileRootKey
from strongroom.crypto.wraps import wrap_one
key = FileRootKey("file:" + sys.argv[1])
print("ready", flush=True)
give_up = time.monotonic() + 60
while not os.path.exists(sys.argv[2]):
    assert time.monotonic() < give_up, "nobody starts the race"
    time.sleep(0.0005)
print(key.create(), wrap_one(key, "kid", __import__("strongroom").Secret(bytes(32))).check_value, flush=True)
"""


def test_of_eight_processes_one_makes_the_key_and_all_use_it(tmp_path: Path) -> None:
    directory, go = tmp_path / "keys", tmp_path / "go"
    directory.mkdir()
    path = directory / "root.key"
    racers = [run(RACER, str(path), str(go)) for _ in range(8)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    time.sleep(0.05)
    go.touch()
    answers = [racer.communicate(timeout=60) for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 8, answers
    made, checks = zip(*(out.split() for out, _ in answers), strict=True)
    assert sorted(made) == ["False"] * 7 + ["True"]
    assert set(checks) == {local.LocalRootKey("", Secret(key_in(path))).check_value()}
    assert list(directory.iterdir()) == [path], "no draft stays behind"


STOPPED = """
import os, sys
from pathlib import Path
from strongroom.rootkeys.file import FileRootKey
name, moment, number = sys.argv[2], sys.argv[3], int(sys.argv[4])
owner = Path if name == "unlink" else os
real = getattr(owner, name)
calls = 0
def stopping(*arguments, **options):
    global calls
    calls += 1
    if calls == number and moment == "before":
        os._exit(9)
    result = real(*arguments, **options)
    if calls == number and moment == "after":
        os._exit(9)
    return result
setattr(owner, name, stopping)
FileRootKey("file:" + sys.argv[1]).create()
"""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("call", "number"), [("open", 1), ("fsync", 1), ("link", 1), ("unlink", 1), ("open", 2), ("fsync", 2)]
)
def test_a_process_that_dies_leaves_a_whole_key_or_none(path: Path, call: str, number: int, moment: str) -> None:
    stopped = run(STOPPED, str(path), call, moment, str(number))
    stopped.communicate(timeout=60)
    assert stopped.returncode == 9, "it was stopped where it should be"
    linked = (call, number, moment) not in {
        ("open", 1, "before"),
        ("open", 1, "after"),
        ("fsync", 1, "before"),
        ("fsync", 1, "after"),
        ("link", 1, "before"),
    }
    assert path.exists() is linked
    before = path.read_bytes() if linked else b""
    assert at(path).create() is not linked
    assert works(at(path))
    assert path.read_bytes().startswith(before)


def test_the_key_is_on_disk_before_it_has_its_name(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    real_fsync, real_link = os.fsync, os.link

    def fsync(descriptor: int) -> None:
        calls.append("sync directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync file")
        real_fsync(descriptor)

    def link(source: Path, target: Path) -> None:
        calls.append("link")
        real_link(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "link", link)
    at(path).create()
    assert calls == ["sync file", "link", "sync directory"]


def test_a_full_disk_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RootKeyError, match="cannot be made: No space left on device"):
        at(path).create()
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("quote", ["'", '"', "`", "\u201d"])
def test_a_quote_at_the_end_of_a_name_is_named_where_no_such_file_is(private_path: Path, quote: str) -> None:
    with pytest.raises(RootKeyMissingError) as caught:
        wrap_one(at(f"{private_path / 'root.key'}{quote}"), KID, SEALING_KEY)
    assert "ends with a quote" in caught.value.hint
    assert "backup" not in caught.value.hint
