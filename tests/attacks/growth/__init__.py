"""A process that works for long."""
