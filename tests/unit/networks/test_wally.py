"""The library of libwally-core, as it is loaded."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = "from strongroom.networks.wally import library; library(); import web3"
"""With modules that are taken down after those that judge warnings."""


def test_a_process_in_which_warnings_are_errors_ends_as_it_should() -> None:
    command = [sys.executable, "-W", "error::DeprecationWarning", "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
