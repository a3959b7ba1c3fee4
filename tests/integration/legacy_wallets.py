"""Keys and addresses of wallets in legacy tables."""

from __future__ import annotations

from testbed.databases.foreign import (
    address_of,
)

KEY = "46" * 32
EVM_ADDRESS = address_of("ethereum", KEY)
