"""Stellar: Ed25519 accounts by SEP-5, in the texts of strkey (SEP-23)."""
