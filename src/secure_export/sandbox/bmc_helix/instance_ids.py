"""Ids of instances, as the AR System makes them."""

import secrets


def new_instance_id(prefix: str) -> str:
    """Make an id as the AR System gives to instances."""
    return prefix + secrets.token_hex(15).upper()
