"""Sui: Ed25519 keys, and secp256k1 keys as a variant; a flag says which in everything that is hashed or written."""
