"""Connections that are cut, at every message."""
