"""Repair: save every key that can be saved. A plan that people read, and what carries it out, no more."""
