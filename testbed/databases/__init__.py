"""Databases that tests run on, and what is done to their rows behind a vault's back."""
