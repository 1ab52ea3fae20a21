"""What binding asks of ServiceNow's tables, and what it can be told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from secure_export.itsm.servicenow.api.rows import Row

LONGEST_VALUE = 512
_MOST_NAMED = 3

NOBODYS_ID = "5ec0e7e0000000000000000000000000"
"""A ``sys_id`` that no record has; a query for all others asks for all, by an operator that every query ACL allows."""


@dataclass(frozen=True, slots=True)
class BlindSpot:
    """Something of the CMDB that we may not read.

    Attributes:
        reason: What, and why, for people.
        denied: The table, where the integration user has no right to read any of it; empty for any other reason.
    """

    reason: str
    denied: str = ""


def in_words(spots: Iterable[BlindSpot]) -> str:
    """Say what may not be read, shortly: it stands in the reasons of work items. Empty when there is nothing."""
    spots = tuple(spots)
    denied = list(dict.fromkeys(spot.denied for spot in spots if spot.denied))
    more = f" and {len(denied) - _MOST_NAMED} more tables" if len(denied) > _MOST_NAMED else ""
    names = f"{', '.join(denied[:_MOST_NAMED])}{more}"
    sentence = f"the integration user may not read {names} (give it the role cmdb_read)"
    others = dict.fromkeys(spot.reason for spot in spots if not spot.denied)
    return "; ".join(([sentence] if denied else []) + list(others)[:_MOST_NAMED])


@dataclass(frozen=True, slots=True)
class Found:
    """The rows that a query gave.

    Attributes:
        rows: The rows, each field with ``value`` and ``display_value``.
        total: How many there are, hidden ones too (``X-Total-Count``); None when the answer does not say.
    """

    rows: tuple[Row, ...]
    total: int | None = None

    @property
    def hidden(self) -> int:
        """How many rows the integration user may not see, or did not fit into the answer."""
        return max(0, (self.total or 0) - len(self.rows))


class CmdbTables(Protocol):
    """Reads tables."""

    async def rows(self, table: str, query: str, fields: Sequence[str], limit: int) -> Found:
        """Give the rows of a table that an encoded query finds.

        Raises:
            NotReadable: The table does not exist or may not be read.
            CmdbUnavailable: There is no answer now.
        """
        ...

    async def columns(self, class_name: str) -> frozenset[str]:
        """Give the columns of a CI class, inherited ones too (CMDB Meta API).

        Raises:
            NotReadable: There is no such class, or it may not be read.
            CmdbUnavailable: There is no answer now.
        """
        ...


def can_be_asked(text: str) -> bool:
    """Whether a text can stand in a list of an encoded query without becoming something else there.

    ``^`` ends a term and ``,`` a value; ``javascript:`` is run by the instance (ServiceNow docs, "Encoded query
    strings"). An empty value would match all rows that have none.
    """
    return (
        bool(text.strip())
        and len(text) <= LONGEST_VALUE
        and text.isprintable()
        and not any(mark in text for mark in "^,")
        and "javascript:" not in text.replace(" ", "").lower()
    )


def any_of(column: str, values: Sequence[str]) -> str:
    """Write the encoded query for the rows that have one of some values; the values can be asked."""
    return f"{column}IN{','.join(values)}" if len(values) > 1 else f"{column}={values[0]}"
