"""Functions of strongroom's own that write on a node of Citus: what they are called, and what they raise."""

from __future__ import annotations

import re

WRITES_WALLET = "strongroom_write_wallet_"
"""How the name of the function begins that writes a wallet; a digest of what it does follows."""
LOST_SLOT = "SR001"
"""What it raises where the slot was taken and the idempotency key was not: nothing must stay."""
SWALLOWED = "SR002"
"""What it raises where a row was kept out."""
_FUNCTION = re.compile(r"PL/pgSQL function (?:(?:\w+|\"[^\"]+\")\.)?(\w+)\(")


def foreign_function(context: str | None) -> str | None:
    """The first function in an error's context that is not one of these: that of a trigger."""
    names = _FUNCTION.findall(context or "")
    return next((name for name in names if not name.startswith(WRITES_WALLET)), None)
