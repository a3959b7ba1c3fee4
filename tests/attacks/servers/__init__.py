"""Servers that die, fail over, or panic when the row is durable."""
