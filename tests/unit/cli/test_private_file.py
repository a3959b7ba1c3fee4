"""Files of a command: whole or not at all, and for their owner's eyes."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from strongroom.cli.failures import CommandLineError
from strongroom.cli.private_file import write_new, write_over


def breaks_off() -> Iterator[str]:
    yield "half"
    raise KeyboardInterrupt


@pytest.mark.parametrize("write", [write_new, write_over])
def test_a_file_is_whole_or_not_there(write: object, tmp_path: Path) -> None:
    assert callable(write)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "file", breaks_off())
    assert list(tmp_path.iterdir()) == []
    write(tmp_path / "file", ["a", "b\udc80"])
    assert (tmp_path / "file").read_text() == "ab\\udc80"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_new_file_takes_no_other_ones_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    os.symlink(tmp_path / "nowhere", tmp_path / "link")
    for name in ("file", "link"):
        with pytest.raises(CommandLineError, match="exists"):
            write_new(tmp_path / name, ["theirs"])
    assert (tmp_path / "file").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()
    write_over(tmp_path / "link", ["a report"])
    assert not (tmp_path / "nowhere").exists()
    assert (tmp_path / "link").read_text() == "a report"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_directory_that_takes_nothing(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(CommandLineError, match=os.strerror(number)) as caught:
        write_new(tmp_path / "file", ["a"])
    assert (caught.value.code, caught.value.exit_code) == ("file-refused", 1)


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    (tmp_path / "file").write_text("before")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(CommandLineError, match="No space left"):
        write_over(tmp_path / "file", ["after"])
    assert [each.read_text() for each in tmp_path.iterdir()] == ["before"]
