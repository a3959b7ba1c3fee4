"""Tezos: Ed25519 (tz1) and secp256k1 (tz2) keys, in base58check texts whose first letters say what they are."""
