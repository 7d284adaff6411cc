"""Alembic migrations: the schema step by step, up and down, the same on both databases."""
