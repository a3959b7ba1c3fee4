"""Rows, texts, keyrings and root key files that somebody changed."""
