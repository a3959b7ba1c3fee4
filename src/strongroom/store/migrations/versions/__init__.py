"""Alembic's migrations of the fresh schema."""
