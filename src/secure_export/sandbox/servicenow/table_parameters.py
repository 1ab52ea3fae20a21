"""The parameters of the Table API, read as leniently as the real one reads them (servicenow-facts 3.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from secure_export.sandbox.servicenow.dictionary.model import ColumnType
from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.inputs import Inputs
from secure_export.sandbox.servicenow.presenting import Display
from secure_export.sandbox.servicenow.users import User

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

MOST_ROWS: Final = 10_000
_PREFIX: Final = "sysparm_"
_CREDENTIALS: Final = frozenset({"x-sn-apikey"})
_DISPLAYS: Final = {"true": Display.SHOWN, "all": Display.BOTH}


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a request asks for.

    Attributes:
        query: The encoded query, ``<column>=<value>`` pairs included.
        limit: How many rows a page holds at most.
        offset: How many rows come before the page.
        display: The display mode.
        fields: What to show of a row; None: everything.
        with_links: Whether references carry links.
        input_display_values: Whether values in the body are what people see.
        with_count: Whether to count all matching rows.
        with_pages: Whether to tell the addresses of other pages.
    """

    query: str = ""
    limit: int = MOST_ROWS
    offset: int = 0
    display: Display = Display.VALUE
    fields: tuple[str, ...] | None = None
    with_links: bool = True
    input_display_values: bool = False
    with_count: bool = True
    with_pages: bool = True


def read_parameters(
    instance: "Instance", table: str, given: Mapping[str, str], user: User, *, with_query: bool = True
) -> Parameters:
    """Read the parameters of a request; empty ones count as not given, unknown ones are ignored.

    Args:
        instance: The instance.
        table: The table it is about.
        given: The parameters; of a name that came twice the last.
        user: Whose it is.
        with_query: Whether the query matters; where it does not, it is ignored.

    Raises:
        SnowError: The limit or the offset is no number, or negative.
    """
    fields = tuple(filter(None, (name.strip() for name in given.get("sysparm_fields", "").split(","))))
    return Parameters(
        query=_query(instance, table, given, user) if with_query else "",
        limit=_count(given, "sysparm_limit", MOST_ROWS),
        offset=_count(given, "sysparm_offset", 0),
        display=_DISPLAYS.get(given.get("sysparm_display_value", "").lower(), Display.VALUE),
        fields=fields or None,
        with_links=not _is_on(given, "sysparm_exclude_reference_link"),
        input_display_values=_is_on(given, "sysparm_input_display_value"),
        with_count=not _is_on(given, "sysparm_no_count"),
        with_pages=not _is_on(given, "sysparm_suppress_pagination_header"),
    )


def _is_on(given: Mapping[str, str], name: str) -> bool:
    return given.get(name, "").strip().lower() == "true"


def _count(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdecimal()):
        raise SnowError(400, "Invalid parameter", f"{name} must be a number that is not negative, not '{text[:40]}'")
    return int(text)


def _query(instance: "Instance", table: str, given: Mapping[str, str], user: User) -> str:
    """Join ``sysparm_query`` and the pairs; a pair of an unknown column is as invalid as any other term."""
    terms = [given.get("sysparm_query", "")]
    for name, value in given.items():
        if not name.startswith(_PREFIX) and name.lower() not in _CREDENTIALS:
            terms.append(f"{name}={_as_stored(instance, table, name, value, user)}")
    return "^".join(term for term in terms if term)


def _as_stored(instance: "Instance", table: str, name: str, value: str, user: User) -> str:
    """Take what people see as well as what is stored."""
    column = instance.dictionary.column(table, name)
    if column is None or not value or not (column.choice or column.type is ColumnType.REFERENCE):
        return value
    return Inputs(instance).stored(table, column, value, user, display_values=True) or value
