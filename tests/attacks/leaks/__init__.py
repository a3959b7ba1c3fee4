"""Secrets that the test knows, searched for wherever they could have got."""
