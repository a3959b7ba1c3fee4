"""Signing on Solana: transactions (legacy and version 0), off-chain messages, and bare hashes."""

from __future__ import annotations

from strongroom.networks.solana_signing.prepare import prepare

__all__ = ["prepare"]
