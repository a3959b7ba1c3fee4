"""Sealed texts, and an independent reader of the format."""
