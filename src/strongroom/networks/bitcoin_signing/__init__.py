"""Signing with the key of a Bitcoin wallet: PSBTs, messages, bare hashes. Loaded when a wallet first signs.

Everything that reads a payload is our own and pure Python, so that no bytes of a stranger reach a C parser; the curve
is wallycore's (libsecp256k1).
"""

from __future__ import annotations

from strongroom.networks.bitcoin_signing.requests import prepare

__all__ = ["prepare"]
