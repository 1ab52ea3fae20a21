"""Conditions of a list, put together from constants; what people type only ever becomes a parameter."""

from typing import Any


class Filters:
    """Conditions that all have to hold.

    Args:
        condition: The first condition.
        *values: Its parameters.

    Attributes:
        values: The parameters of all conditions, in order.
    """

    def __init__(self, condition: str, *values: Any) -> None:
        self._conditions = [condition]
        self.values = list(values)

    @property
    def where(self) -> str:
        """What stands behind WHERE."""
        return " AND ".join(self._conditions)

    def add(self, condition: str, *values: Any) -> None:
        """Add a condition."""
        self._conditions.append(condition)
        self.values += values

    def equal(self, column: str, value: Any) -> None:
        """Let pass only rows with this value, if one is asked for."""
        if value is not None:
            self.add(f"{column} = ?", value)

    def flag(self, value: bool | None, true: str, false: str) -> None:  # noqa: FBT001 - a filter's value
        """Add the condition for true or for false, written out so that a partial index can serve it."""
        if value is not None:
            self.add(true if value else false)


def literal(text: str) -> str:
    """Take the wild cards of LIKE as they are written."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
