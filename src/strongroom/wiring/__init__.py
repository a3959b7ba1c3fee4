"""From settings to what works on a database: the only package that names adapters, and opens them.

``vaults`` opens vaults, ``upgrades`` what brings one up to date, ``takeovers`` what looks at wallet tables and repairs
them, ``databases`` what all of them stand on. Doctor and repair are imported when they are asked for.
"""

from __future__ import annotations

from strongroom.wiring.upgrades import Upgrading, open_upgrade
from strongroom.wiring.vaults import (
    InitResult,
    init_vault,
    open_context,
    open_guard,
    open_unverified,
    open_vault,
    print_grants,
)

__all__ = [
    "InitResult",
    "Upgrading",
    "init_vault",
    "open_context",
    "open_guard",
    "open_unverified",
    "open_upgrade",
    "open_vault",
    "print_grants",
]
