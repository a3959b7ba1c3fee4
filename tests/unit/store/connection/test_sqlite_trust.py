"""A SQLite file and its journals belong to the caller or to root, and nobody else can change them."""

from __future__ import annotations

from pathlib import Path

import pytest

from strongroom.errors import InsecureFileError, NotInitializedError, StoreUnavailableError
from strongroom.store.connection.sqlite_trust import JOURNAL_SUFFIXES, require_same, require_trusted_database
from testbed.harness.owners import give_away, take_back

# --- SQLite --------------------------------------------------------------------------------------------------


def test_a_database_of_another_user_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert require_trusted_database(file) == (file.stat().st_dev, file.stat().st_ino)
    give_away(file, monkeypatch)
    with pytest.raises(InsecureFileError, match="belongs to another user"):
        require_trusted_database(file)


@pytest.mark.parametrize("end", JOURNAL_SUFFIXES)
def test_what_others_may_write_next_to_a_database_is_refused(
    file: Path, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = file.with_name(file.name + end)
    journal.touch(0o600)
    journal.chmod(0o600)
    require_trusted_database(file)
    journal.chmod(0o622)
    with pytest.raises(InsecureFileError, match=f"{journal.name} can be"):
        require_trusted_database(file)
    journal.chmod(0o600)
    give_away(journal, monkeypatch)
    with pytest.raises(InsecureFileError, match="belongs to another user"):
        require_trusted_database(file)
    take_back(journal, monkeypatch)
    journal.rename(file.with_name("elsewhere"))
    journal.symlink_to("elsewhere")
    with pytest.raises(InsecureFileError, match="is a link"):
        require_trusted_database(file)


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_a_database_where_everybody_could_put_a_journal_next_to_it_is_refused(file: Path, mode: int) -> None:
    file.parent.chmod(mode)
    with pytest.raises(InsecureFileError, match="everybody may put files"):
        require_trusted_database(file)


def test_a_link_to_a_database_is_judged_by_the_database(file: Path) -> None:
    link = file.parents[1] / "link"
    link.symlink_to(file)
    require_trusted_database(link)
    file.with_name(file.name + "-journal").touch(0o600)
    file.with_name(file.name + "-journal").chmod(0o666)
    with pytest.raises(InsecureFileError):
        require_trusted_database(link)


def test_a_database_that_was_exchanged_while_it_was_opened_is_told(file: Path) -> None:
    judged = require_trusted_database(file)
    require_same(file, judged)
    other = file.with_name("other")
    other.touch(0o600)
    other.replace(file)
    with pytest.raises(StoreUnavailableError, match="replaced"):
        require_same(file, judged)
    file.unlink()
    with pytest.raises(NotInitializedError):
        require_same(file, judged)
