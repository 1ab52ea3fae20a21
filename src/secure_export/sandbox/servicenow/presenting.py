"""Rows as callers see them: every value a text, in one of three display modes (servicenow-facts 3.3)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from secure_export.sandbox.servicenow import journal
from secure_export.sandbox.servicenow.acl import Access
from secure_export.sandbox.servicenow.clock import from_stamp
from secure_export.sandbox.servicenow.dictionary.model import Column, ColumnType
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User
from secure_export.sandbox.servicenow.zones import shown_date, shown_moment

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

_HIDDEN_PASSWORD = "********"  # noqa: S105 - what is shown instead
_MOST_DOTS = 6
_UNITS = ((86400, "Day"), (3600, "Hour"), (60, "Minute"), (1, "Second"))


class Display(StrEnum):
    """The three modes of ``sysparm_display_value``."""

    VALUE = "false"
    SHOWN = "true"
    BOTH = "all"


class Presenter:
    """Shows rows to a user.

    Args:
        instance: The instance.
        user: Whose rights, zone and formats count.
        display: The display mode.
        with_links: Whether references carry links.
        fields: What to show; dotted names go over references; None: every column.
        url: What links begin with; None: the instance's own.
    """

    def __init__(  # noqa: PLR0913 - the parameters of the Table API
        self,
        instance: "Instance",
        user: User,
        *,
        display: Display = Display.VALUE,
        with_links: bool = True,
        fields: Sequence[str] | None = None,
        url: str | None = None,
    ) -> None:
        self._instance = instance
        self._user = user
        self._display = display
        self._with_links = with_links
        self._fields = fields
        self._url = instance.url if url is None else url

    def show(self, table: str, row: Row) -> dict[str, Any]:
        """Show one row of a table; columns that the user may not read, and unknown ones, are left out."""
        if self._fields is None:
            return {
                column.name: self._cell(table, column, row)
                for column in self._instance.readable(table, row, self._user)
            }
        shown = {}
        for name in self._fields:
            if (found := self._walk(table, row, name)) is not None:
                shown[name] = found[0]
        return shown

    def shown_value(self, table: str, column: Column, row: Row) -> str:  # noqa: PLR0911 - a table
        """Give what people see for one column of a row."""
        value = row.get(column.name, "")
        match column.type:
            case ColumnType.JOURNAL:
                return journal.shown(self._instance, table, row["sys_id"], column.name, self._user)
            case ColumnType.PASSWORD:
                return _HIDDEN_PASSWORD
            case ColumnType.REFERENCE:
                return self._name_of(column.reference, value)
            case ColumnType.LIST:
                return ", ".join(self._name_of(column.reference, one) for one in value.split(",") if one)
            case ColumnType.DATE_TIME:
                return shown_moment(value, self._user)
            case ColumnType.DATE:
                return shown_date(value, self._user)
            case ColumnType.DURATION:
                return shown_duration(value)
            case ColumnType.CLASS_NAME:
                known = self._instance.dictionary.table(value)
                return value if known is None else known.label
        return self._instance.choices.label(table, column.name, value) if column.choice and value else value

    def _walk(self, table: str, row: Row, name: str) -> tuple[Any] | None:
        """Find a field over references and show it; None: no such field, or not allowed."""
        *steps, last = name.split(".")
        if len(steps) > _MOST_DOTS:
            return None
        current: Row | None = row
        for step in steps:
            column = self._readable(table, step, current)
            if column is None or column.reference not in self._instance.dictionary:
                return None
            target = None if current is None else current.get(step, "")
            table = column.reference
            current = self._instance.tables.get(table, target) if target else None
        if (column := self._readable(table, last, current)) is None:
            return None
        return (self._empty() if current is None else self._cell(table, column, current),)

    def _readable(self, table: str, name: str, row: Row | None) -> Column | None:
        column = self._instance.dictionary.column(table, name)
        if column is None or row is None:
            return column
        allowed = self._instance.acl.column(table, name, Access.READ, row, self._user)
        return column if allowed else None

    def _cell(self, table: str, column: Column, row: Row) -> Any:
        value = row.get(column.name, "")
        if column.type is ColumnType.REFERENCE and value:
            return self._reference(table, column, row, value)
        if self._display is Display.VALUE:
            return value
        shown = self.shown_value(table, column, row)
        return shown if self._display is Display.SHOWN else {"display_value": shown, "value": value}

    def _reference(self, table: str, column: Column, row: Row, value: str) -> Any:
        cell: dict[str, str] = {}
        if self._display is not Display.VALUE:
            cell["display_value"] = self.shown_value(table, column, row)
        if self._with_links:
            cell["link"] = f"{self._url}/api/now/table/{column.reference}/{value}"
        if self._display is not Display.SHOWN:
            cell["value"] = value
        if self._with_links or self._display is Display.BOTH:
            return cell
        return next(iter(cell.values()))

    def _empty(self) -> Any:
        return {"display_value": "", "value": ""} if self._display is Display.BOTH else ""

    def _name_of(self, table: str, sys_id: str) -> str:
        if table not in self._instance.dictionary or (target := self._instance.tables.get(table, sys_id)) is None:
            return ""
        return target.get(self._instance.dictionary.display_column(table), "")


def shown_duration(value: str) -> str:
    """Show a duration, which is stored as the moment that long after the beginning of 1970."""
    if (moment := from_stamp(value)) is None:
        return value
    left, parts = int(moment.timestamp()), []
    for seconds, unit in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count} {unit}{'s' if count > 1 else ''}")
    return " ".join(parts) or "0 Seconds"
