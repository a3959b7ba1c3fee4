"""Sealing, the keyring, tags and phrases, and the primitives below them."""
