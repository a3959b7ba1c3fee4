"""Root key files: every bit, every length, every mode, and what is in their place."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from strongroom.errors import (
    RootKeyInsecureError,
    RootKeyMalformedError,
    RootKeyMismatchError,
    RootKeyMissingError,
    StrongroomError,
)
from strongroom.records.keyring import KeyringRows
from strongroom.rootkeys import local
from strongroom.rootkeys.file import FileRootKey
from strongroom.secret import Secret
from testbed.harness.canary import Canary
from tests.attacks.summary import StartTally
from tests.attacks.tampering.bits import ATTACK, SecretSearch, end_of, two_keys


@pytest.fixture
def key_file(private_path: Path) -> Path:
    """A root key in a file."""
    path = private_path / "root.key"
    assert FileRootKey(f"file:{path}").create()
    return path


@pytest.fixture
def wrapped(key_file: Path) -> KeyringRows:
    """What the file's root key wrapped."""
    return two_keys(FileRootKey(f"file:{key_file}"))[0]


def end_of_file(path: Path, rows: KeyringRows, search: SecretSearch) -> type[StrongroomError] | None:
    return end_of(rows, FileRootKey(f"file:{path}"), search)


def test_every_bit_of_a_root_key_file(tally: StartTally, key_file: Path, wrapped: KeyringRows) -> None:
    row = tally(ATTACK)
    whole = key_file.read_bytes()
    search = SecretSearch(row, canary_of(whole))
    for position, bit in itertools.product(range(len(whole)), range(8)):
        changed = bytearray(whole)
        changed[position] ^= 1 << bit
        key_file.write_bytes(changed)
        row.fault("root key files")
        still_space = position == len(whole) - 1 and changed.decode("latin-1")[-1].isspace() and changed.isascii()
        assert end_of_file(key_file, wrapped, search) is (None if still_space else RootKeyMalformedError)
    assert row.faults == 8 * 71


def test_a_root_key_file_of_another_length(tally: StartTally, key_file: Path, wrapped: KeyringRows) -> None:
    row = tally(ATTACK)
    whole = key_file.read_bytes()
    search = SecretSearch(row, canary_of(whole))
    body = whole.strip()
    for length in range(len(body)):
        key_file.write_bytes(body[:length])
        row.fault("root key files")
        assert end_of_file(key_file, wrapped, search) is RootKeyMalformedError
    for longer in (
        body + b"A",
        body + body,
        body + b"\0",
        body + b"\n" + body,
        body + b"=" * 5000,
    ):
        key_file.write_bytes(longer)
        row.fault("root key files")
        assert end_of_file(key_file, wrapped, search) is RootKeyMalformedError
    for same in (body, b"\xef\xbb\xbf" + body, body + b"\r\n", b" \t" + body + b"\n" * 9, body + b" " * 5000):
        key_file.write_bytes(same)
        row.fault("root key files")
        assert end_of_file(key_file, wrapped, search) is None


def test_every_mode_of_a_root_key_file(tally: StartTally, key_file: Path, wrapped: KeyringRows) -> None:
    row = tally(ATTACK)
    search = SecretSearch(row, canary_of(key_file.read_bytes()))
    for mode in range(0o1000):
        key_file.chmod(mode)
        row.fault("root key files")
        readable = os.access(key_file, os.R_OK)
        is_mounted = mode == 0o440 and os.geteuid() == 0  # root's, of a group of the process: as secrets are mounted
        reached = RootKeyInsecureError if mode & 0o077 and not is_mounted else None
        assert end_of_file(key_file, wrapped, search) is (reached if readable else RootKeyMissingError)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o777


def test_what_stands_in_the_place_of_a_root_key_file(tally: StartTally, key_file: Path, wrapped: KeyringRows) -> None:
    row = tally(ATTACK)
    search = SecretSearch(row, canary_of(key_file.read_bytes()))
    moved = key_file.rename(key_file.with_name("moved"))
    other = key_file.with_name("other.key")
    FileRootKey(f"file:{other}").create()
    places: list[tuple[Callable[[], object], type[StrongroomError] | None]] = [
        (lambda: None, RootKeyMissingError),
        (lambda: key_file.symlink_to(moved), None),  # followed: a secret store may keep it elsewhere
        (lambda: key_file.symlink_to("nowhere"), RootKeyMissingError),
        (lambda: key_file.symlink_to(key_file), RootKeyMissingError),
        (lambda: key_file.symlink_to(other), RootKeyMismatchError),
        (lambda: key_file.symlink_to("/dev/zero"), RootKeyMissingError),
        (lambda: os.mkfifo(key_file, 0o600), RootKeyMissingError),
        (lambda: os.link(other, key_file), RootKeyMismatchError),
    ]
    for put, end in places:
        put()
        row.fault("root key files")
        assert end_of_file(key_file, wrapped, search) is end
        key_file.unlink(missing_ok=True)
    key_file.mkdir(0o700)
    assert end_of_file(key_file, wrapped, search) is RootKeyMissingError


def canary_of(content: bytes) -> Canary:
    text = content.decode().strip()
    return Canary(local.parse_text(Secret.from_text(text), "The file").reveal(), (), {"text form": text})
