"""Wheels of earlier versions."""
