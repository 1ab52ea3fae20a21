"""Statements that are put together, with the parameters that PostgreSQL wants numbered."""

from itertools import count


def numbered(sql: str) -> str:
    """Number the question marks of a statement, which has no others."""
    numbers = count(1)
    first, *others = sql.split("?")
    return first + "".join(f"${next(numbers)}{part}" for part in others)
