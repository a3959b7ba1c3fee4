"""Tron: addresses are the 20 bytes of the EVM behind 0x41, in Base58Check."""
