"""Networks: how keys are derived, written and shown. ``TABLE`` holds them all.

Importing this is cheap: wallycore, PyNaCl and pycryptodome are loaded when a network first needs them.
"""

from __future__ import annotations

from strongroom.networks.table import TABLE, NetworkTable

__all__ = ["TABLE", "NetworkTable"]
