"""The guard: triggers that keep, or refuse to lose, what other code overwrites or deletes (docs/adr/0011)."""
