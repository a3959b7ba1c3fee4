"""Tests over real databases."""
