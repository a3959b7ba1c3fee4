"""NEAR: Ed25519 keys and the implicit accounts that are named after them."""
