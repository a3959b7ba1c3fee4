"""Curves and the trees of keys on them: secp256k1, Ed25519, BIP-32, SLIP-10."""
