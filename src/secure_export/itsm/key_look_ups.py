"""Finds records by the keys that we wrote into them: many look-ups in one call, and no answer that is not sure."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from secure_export.errors import SecureExportError
from secure_export.itsm.gathered import Gathered

R = TypeVar("R")
_AT_A_TIME = 2
_ROWS_FOR_EACH = 4
_LEAST_ROWS = 50

Read = Callable[[Sequence[str], int], Awaitable[tuple[Sequence[R], bool]]]
"""Reads the records of some keys, so many at most; and whether the tool has more than it shows."""


class KeyLookUps(Generic[R]):
    """Looks for records of one kind.

    Args:
        read: Reads records.
        key_of: Gives the key that a record carries.
        not_heeded: Takes note of a record that was not asked for, and gives what is raised then.
        most: How many keys one call asks for at most.
        some_suffice: Whether records of a key among others do for all of it when the tool has more than it shows.
    """

    def __init__(
        self,
        read: Read[R],
        key_of: Callable[[R], str],
        *,
        not_heeded: Callable[[], SecureExportError],
        most: int,
        some_suffice: bool = True,
    ) -> None:
        self._read = read
        self._key_of = key_of
        self._not_heeded = not_heeded
        self._some_suffice = some_suffice
        self._gathered: Gathered[str, tuple[R, ...]] = Gathered(self._fetch, most=most, at_a_time=_AT_A_TIME)

    async def get(self, key: str) -> tuple[R, ...] | None:
        """Give the records with a key as they were read; None where the tool has some that it does not show.

        Raises:
            SecureExportError: What ``read`` raises, or ``not_heeded`` gives.
        """
        return await self._gathered.get(key)

    async def _fetch(self, keys: Sequence[str]) -> dict[str, tuple[R, ...]]:
        """Read the records of some keys; where there are more than are shown, each key by itself.

        A record that is hidden must not hold up the others of its call.
        """
        rows, more = await self._read(keys, max(_LEAST_ROWS, _ROWS_FOR_EACH * len(keys)))
        found = self._by_key(rows, keys)
        if not more:
            return found
        alone = len(keys) == 1
        sure = {key: shown for key, shown in found.items() if shown and (alone or self._some_suffice)}
        if not alone:
            for key in [key for key in keys if key not in sure]:
                sure |= await self._fetch((key,))
        return sure

    def _by_key(self, rows: Sequence[R], keys: Sequence[str]) -> dict[str, tuple[R, ...]]:
        found: dict[str, list[R]] = {key: [] for key in keys}
        for row in rows:
            # Databases compare without regard to case and to blanks at the end.
            of_key = found.get(self._key_of(row).strip().lower())
            if of_key is None:
                raise self._not_heeded()
            of_key.append(row)
        return {key: tuple(some) for key, some in found.items()}
