"""Cardano: extended Ed25519 keys of the Icarus scheme; an address is made of a payment key and a stake key."""
