"""Aptos: Ed25519 keys, and secp256k1 keys in its single-key scheme."""
