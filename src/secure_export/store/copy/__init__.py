"""Moves everything that is kept from one database to another, of the same or of the other kind."""
