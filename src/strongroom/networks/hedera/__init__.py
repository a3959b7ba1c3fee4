"""Hedera: accounts whose keys are on secp256k1, under an EVM alias, or on Ed25519."""
