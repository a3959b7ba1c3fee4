"""Algorand: Ed25519 accounts, addresses in base32 with a checksum, keys as 25 words."""
