"""Hostile input for every parser and every command."""
