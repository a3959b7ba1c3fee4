"""Crowds: conflicts, deadlocks, locked files, several migrators, long readers."""
