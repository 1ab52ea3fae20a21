"""Several records of one work item: which one stays, and which of the others we made ourselves."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TwinRecords:
    """Tells the records of one key apart, oldest first.

    Attributes:
        value: Reads a field of a record.
        number: The field that holds what people call a record.
        made_by: The field that says who made it.
        key: What the key is called, for people.
    """

    value: Callable[[Row, str], str]
    number: str
    made_by: str
    key: str

    async def settle(
        self, rows: Sequence[Row], *, is_over: Callable[[Row], bool], end: Callable[[Row, Row], Awaitable[str]]
    ) -> tuple[str, ...]:
        """Let the oldest stay and end the others that we made; one that a person copied is theirs.

        Args:
            rows: The records of one key, oldest first.
            is_over: Whether a record is over already.
            end: Ends a record, given it and the one that stays, and says what came of it.

        Returns:
            What was done, and what could not be, for people.
        """
        told = [await end(row, rows[0]) for row in self._ours(rows) if not is_over(row)]
        return (*self.strangers(rows), *told)

    def strangers(self, rows: Sequence[Row]) -> tuple[str, ...]:
        """Tell of records that carry our key without being made by us: a person copied one."""
        ours = self._ours(rows)
        return tuple(
            f"{self.value(row, self.number)} carries the same {self.key} as {self.value(rows[0], self.number)}, but "
            f"{self.value(row, self.made_by) or 'somebody unknown'} made it: it is left alone"
            for row in rows[1:]
            if row not in ours
        )

    def _ours(self, rows: Sequence[Row]) -> list[Row]:
        """The younger ones that were made by whoever made the oldest, who is us; none where that is not shown."""
        us = self.value(rows[0], self.made_by)
        return [row for row in rows[1:] if us and self.value(row, self.made_by) == us]
