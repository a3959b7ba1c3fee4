"""What a cluster manager leaves behind ends with the keeper, and the keeper with who started it."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from testbed.servers import keeper
from testbed.servers.postgres import server_user

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what Linux alone has")

_SCRIPT = Path(keeper.__file__)
_SERVER = """
import os, subprocess, sys, time
python = [sys.executable, "-I", "-S"]
command = [*python, sys.argv[1], "adopted", sys.executable, "-c", "import time; time.sleep(600)", "-D"]
if os.fork() == 0:  # as Patroni does: from a process that exits at once
    print(subprocess.Popen(command).pid, os.getuid(), flush=True)
    os._exit(0)
os.wait()
time.sleep(600)
"""


@pytest.mark.parametrize("victim", ["starter", "keeper"])
def test_all_ends_with_the_process_that_started_it(victim: str) -> None:
    python = [sys.executable, "-I", "-S"]
    keeps = [*python, str(_SCRIPT), "keep", server_user() or "", *python, "-c", _SERVER, str(_SCRIPT)]
    starts = [*python, "-c", "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"]
    starter = subprocess.Popen([*starts, *keeps], stdout=subprocess.PIPE)
    with starter:
        assert starter.stdout is not None
        server, user = map(int, starter.stdout.readline().split())
        assert (user != 0) or server_user() is None
        [kept] = psutil.Process(starter.pid).children()
        below = [*kept.children(recursive=True), psutil.Process(server)]
        _wait_for_adoption(psutil.Process(server), kept)
        (kept if victim == "keeper" else starter).kill()
        _, alive = psutil.wait_procs([kept, *below], timeout=30)
        assert not alive


def _wait_for_adoption(server: psutil.Process, kept: psutil.Process) -> None:
    """Until it is what the keeper's child becomes."""
    give_up = time.monotonic() + 60
    with suppress(psutil.NoSuchProcess):
        while server.ppid() != kept.pid or "adopted" in server.cmdline():
            assert server.is_running()
            assert time.monotonic() < give_up
