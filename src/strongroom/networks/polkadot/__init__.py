"""Polkadot, Kusama and their asset hubs: sr25519 keys in the tree of Substrate; SS58 addresses."""
