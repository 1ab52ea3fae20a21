"""Digests of tables that do not depend on the order of rows, nor on the engine: pure."""

from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from secure_export.store.copy.tables import Row

_BYTES = 16
_encode = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class Digest:
    """A sum of the digests of rows: each row counts, also one that is there twice, and their order does not.

    Attributes:
        count: How many rows there are.
    """

    count: int = 0
    _sum: int = 0

    def add(self, row: Row) -> None:
        """Take a row into account."""
        self.count += 1
        self._sum += int.from_bytes(blake2b(_encode(row), digest_size=_BYTES).digest(), "big")

    @property
    def text(self) -> str:
        """The digest as hexadecimal digits."""
        return f"{self._sum % (1 << (8 * _BYTES)):0{2 * _BYTES}x}"
