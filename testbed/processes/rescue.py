"""What child processes do about kept keys."""

from __future__ import annotations

import strongroom
from testbed.harness.child import arm, emit


def rescue(url: str, root_key: str, wallet: str, verb: str) -> None:
    """Get a key out, stopped at a statement."""
    with strongroom.open(url, root_key=root_key) as vault:
        arm()
        if verb == "move":
            emit({"moved": list(vault.move_key(wallet, to="history").addresses)})
        else:
            emit({"stored": vault.restore(wallet, archive_current=verb == "archive").stored})
