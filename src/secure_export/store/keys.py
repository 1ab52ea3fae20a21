"""Short keys for long texts."""

from hashlib import blake2b

_BYTES = 16


def lane_key(connection: str, correlation_key: str) -> bytes:
    """Give the key of a lane; a connection's name holds no NUL, so that two lanes never share a text."""
    return blake2b(f"{connection}\0{correlation_key}".encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()


def alert_key(alert_id: str) -> bytes:
    """Give the key of an alert within a connection; ids that differ only in case are of the same alert."""
    return blake2b(alert_id.lower().encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()
