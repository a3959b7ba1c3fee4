"""Encodings of addresses and keys that several families share. Each reads strictly, and knows no curve."""
