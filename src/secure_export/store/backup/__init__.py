"""Copies of a SQLite database that may be in use, and how one is put in its place again."""
