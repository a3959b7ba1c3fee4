"""Clients that die: killed at random moments, and stopped at every statement."""
