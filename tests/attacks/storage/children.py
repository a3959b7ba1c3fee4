"""Storage that fails under an open SQLite vault: what child processes do, each in trouble of its own.

A trouble begins, a verb is tried, the trouble ends, and the verb is tried again: on the same vault.
"""

from __future__ import annotations

import os
import pwd
import resource
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import strongroom
from strongroom import Vault, Wallet
from strongroom.host import files
from strongroom.store.connection import database as store_database
from testbed.command_line import call
from testbed.databases.rows import counts
from testbed.harness.child import emit
from testbed.processes.signing import transaction
from testbed.servers import small_disk
from testbed.servers.small_disk import NamespacesForbiddenError

_DISK_BYTES = 1 << 20
_PAGE_BYTES = 4096
_MOST_PAGES = 64
_LIMITS = 12
"""At so many sizes between nothing and the whole database a file may not grow, or be written, any further."""
FORBIDDEN = "forbidden"


class Trouble(Protocol):
    """What befalls a directory, and ends again."""

    reads: bool
    """Whether what is stored can be read meanwhile, whatever failed."""

    def degrees(self, database: Path) -> Iterable[int]:
        """How bad it gets, one after the other; it is over at the first degree at which every verb succeeds."""

    def begin(self, degree: int) -> None:
        """From here on."""

    def end(self) -> None:
        """As before."""


class FullDisk:
    """A disk of a megabyte, on which so many pages are left."""

    reads = True

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        small_disk.mount_here(directory, _DISK_BYTES)

    def degrees(self, database: Path) -> Iterable[int]:
        return range(_MOST_PAGES)

    def begin(self, degree: int) -> None:
        small_disk.fill(self._directory, degree * _PAGE_BYTES)

    def end(self) -> None:
        small_disk.free(self._directory)


class BoundedFiles:
    """Writing beyond a certain size fails, as on a disk with a bad region: EFBIG, which SQLite takes for that."""

    reads = False
    """A commit that came to nothing is rolled back before anything is read, and that writes."""

    def __init__(self, directory: Path) -> None:
        self._hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

    def degrees(self, database: Path) -> Iterable[int]:
        size = database.stat().st_size
        return [size * step // _LIMITS // 512 * 512 for step in range(_LIMITS + 1)]

    def begin(self, degree: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (degree, self._hard))

    def end(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._hard, self._hard))


class ReadOnlyFileSystem:
    """The file system is mounted read-only, and writable again."""

    reads = True

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        small_disk.mount_here(directory, _DISK_BYTES)

    def degrees(self, database: Path) -> Iterable[int]:
        return range(1)

    def begin(self, degree: int) -> None:
        small_disk.make_read_only(self._directory)

    def end(self) -> None:
        small_disk.make_writable(self._directory)


class ReadOnlyModes:
    """File and directory may not be written any more, and who asks is not root."""

    reads = True

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._user = os.geteuid() or pwd.getpwnam("nobody").pw_uid
        self._root = os.geteuid() == 0
        if self._root:
            os.chown(directory, self._user, -1)
            files.effective_user = lambda: self._user  # who will ask; it is opened before, as root

    def degrees(self, database: Path) -> Iterable[int]:
        if self._root:
            os.chown(database, self._user, -1)
        return range(2)

    def begin(self, degree: int) -> None:
        for file in self._directory.iterdir():
            file.chmod(0o400 if degree == 0 else 0o600)
        self._directory.chmod(0o500)
        if self._root:
            os.seteuid(self._user)

    def end(self) -> None:
        if self._root:
            os.seteuid(0)
        self._directory.chmod(0o700)
        for file in self._directory.iterdir():
            file.chmod(0o600)


TROUBLES: dict[str, Callable[[Path], Trouble]] = {
    "full disk": FullDisk,
    "bounded files": BoundedFiles,
    "read-only file system": ReadOnlyFileSystem,
    "read-only modes": ReadOnlyModes,
}


def go_through(trouble: str, template: str, directory: str, root_key: str, result: str) -> None:
    """Try every verb in every degree of a trouble; leave the database in a directory, and print what happened.

    Prints one line with ``forbidden`` where this machine does not allow what the trouble needs.
    """
    place = Path(directory)
    try:
        befalling = TROUBLES[trouble](place)
    except NamespacesForbiddenError as error:
        emit({FORBIDDEN: str(error)})
        return
    os.environ["STRONGROOM_TEST_ROOT_KEY"] = Path(root_key.partition(":")[2]).read_text().strip()
    root_key = "env:STRONGROOM_TEST_ROOT_KEY"  # who is not root reads no file of root's
    store_database._BACKOFF_SECONDS = 0.001
    database = Path(shutil.copy2(template, place))
    url = f"sqlite:///{database}"
    with strongroom.open(url, root_key=root_key) as vault:
        for degree in befalling.degrees(database):
            failed = [_one(befalling, degree, verb, vault, url) for verb in VERBS]
            if not any(failed):
                break
        _by_command_line(befalling, url, root_key)
    with strongroom.open(url, root_key=root_key) as vault:
        emit({"verified": all(each.ok for each in vault.verify(phrases=True))})
    shutil.copytree(place, result, dirs_exist_ok=True)


def _one(befalling: Trouble, degree: int, verb: Verb, vault: Vault, url: str) -> bool:
    """Try a verb in trouble, and once more after it; return whether it failed."""
    project = uuid4()
    wallet, _ = vault.create_wallet(project, "ethereum", label="first")
    emit({"id": str(wallet.id), "address": wallet.address})
    before = counts(url)
    answer = failed = None
    befalling.begin(degree)
    try:
        answer = verb(vault, project)
    except strongroom.StrongroomError as error:
        failed = {"code": error.code, "retryable": error.retryable, "message": error.message, "hint": error.hint}
        failed["read"] = _is_read(vault, wallet) or not befalling.reads
    finally:
        befalling.end()
    name = verb.__name__
    emit({"verb": name, "degree": degree, "changed": counts(url) != before, **(failed or {})})
    again = verb(vault, project)
    assert answer in (None, again), f"{name}: what was acknowledged meanwhile is not what is there"
    assert verb(vault, project) == again, name
    for made in vault.list_wallets(project).wallets:
        emit({"id": str(made.id), "address": made.address})
    return failed is not None


def _is_read(vault: Vault, wallet: Wallet) -> bool:
    try:
        return vault.get_wallet(wallet) == wallet and all(each.ok for each in vault.verify(wallet))
    except strongroom.StrongroomError:
        return False


def _by_command_line(befalling: Trouble, url: str, root_key: str) -> None:
    arguments = ["wallet", "create", "ethereum", "--project", str(uuid4()), "--database", url, "--root-key", root_key]
    assert call(*arguments).code == 0
    arguments[4] = str(uuid4())
    befalling.begin(0)
    try:
        answer = call(*arguments)
    finally:
        befalling.end()
    emit({"status": answer.code, "told": answer.err})


# --- what is tried ------------------------------------------------------------------------------------------------


def create(vault: Vault, project: UUID) -> Any:
    """A wallet without a key of the caller's."""
    return vault.create_wallet(project, "ethereum").wallet


def create_with_key(vault: Vault, project: UUID) -> Any:
    """A wallet under an idempotency key."""
    return vault.create_wallet(project, "ethereum", idempotency_key="order-1").wallet


def replace(vault: Vault, project: UUID) -> Any:
    """The successor of the project's first wallet."""
    return vault.replace_wallet(vault.list_wallets(project).wallets[0]).wallet


def sign(vault: Vault, project: UUID) -> Any:
    """A transaction, signed by the project's first wallet."""
    return vault.sign_transaction(vault.list_wallets(project).wallets[0], transaction(0, 10))


Verb = Callable[[Vault, UUID], Any]
VERBS: tuple[Verb, ...] = (create, create_with_key, replace, sign)
"""Each may be repeated, and gives the same answer then."""
