"""The guard: triggers that keep what the legacy application overwrites or deletes, or refuse it (docs/adr/0011)."""
