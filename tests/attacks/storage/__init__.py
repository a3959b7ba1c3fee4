"""Disks that are full, fail, or cannot be written."""
