"""Values as callers send them, made into what the tables hold (servicenow-facts 3.3).

Whatever cannot be kept is dropped, blanked or cut without a word, as in the real system.
"""

import re
from typing import TYPE_CHECKING, Any

from secure_export.sandbox.servicenow.clock import as_stamp, from_stamp
from secure_export.sandbox.servicenow.dictionary.model import Column, ColumnType
from secure_export.sandbox.servicenow.users import User
from secure_export.sandbox.servicenow.zones import moment_from_user

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

ANY_CHOICE = "glide.rest.choice.allow_non_existing_value"
_SYS_ID = re.compile(r"[0-9a-fA-F]{32}")
_INTEGER = re.compile(r"\s*([+-]?\d+)(\.\d*)?\s*")
_TRUE = {"true", "1", "yes"}


def as_text(raw: Any) -> str:
    """Give a JSON value as the text that the real system makes of it."""
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, dict):
        return "[object Object]"
    if isinstance(raw, list):
        return ",".join(as_text(one) for one in raw)
    return str(raw)


class Inputs:
    """Makes callers' values into stored ones."""

    def __init__(self, instance: "Instance") -> None:
        self._instance = instance

    def stored(self, table: str, column: Column, raw: Any, user: User, *, display_values: bool) -> str:
        """Give what is stored for a value.

        Args:
            table: The row's table, whose choice list counts.
            column: Where it is written.
            raw: The value as JSON gave it.
            user: Whose zone and format dates are in, if ``display_values``.
            display_values: Whether the value is what people see.
        """
        text = as_text(raw)
        if not text:
            return ""
        if column.choice:
            text = self._choice(table, column, text, display_values=display_values)
        return self._of_type(column, text, user, display_values=display_values)

    def _of_type(self, column: Column, text: str, user: User, *, display_values: bool) -> str:  # noqa: PLR0911 - a table
        match column.type:
            case ColumnType.BOOLEAN:
                return "true" if text.strip().lower() in _TRUE else "false"
            case ColumnType.INTEGER:
                return _integer(text)
            case ColumnType.DATE_TIME:
                return moment_from_user(text, user) if display_values else _moment(text)
            case ColumnType.DATE:
                return _moment(text)[:10]
            case ColumnType.REFERENCE:
                return self._reference(column.reference, text)
            case ColumnType.LIST:
                return ",".join(filter(None, (self._reference(column.reference, one) for one in text.split(","))))
            case ColumnType.PASSWORD:
                return ""
        return text[: column.max_length]

    def _choice(self, table: str, column: Column, text: str, *, display_values: bool) -> str:
        """Blank what is not in the list, unless the instance allows it; a column without a list takes anything."""
        choices = self._instance.choices
        if not choices.has_list(table, column.name):
            return text
        known = choices.active(table, column.name)
        if text in known:
            return text
        if display_values and (value := choices.value(table, column.name, text)) is not None:
            return value
        if (value := next((one for one in known if one.casefold() == text.casefold()), None)) is not None:
            return value
        return text if self._instance.properties.flag(ANY_CHOICE) else ""

    def _reference(self, table: str, text: str) -> str:
        """Keep an id even if it points nowhere; find other texts by what people see, or by user name."""
        text = text.strip()
        if _SYS_ID.fullmatch(text) or table not in self._instance.dictionary:
            return text
        if self._instance.tables.get(table, text) is not None:
            return text
        for name in dict.fromkeys((self._instance.dictionary.display_column(table), "name", "user_name")):
            if (found := self._by(table, name, text)) is not None:
                return found
        return ""

    def _by(self, table: str, name: str, text: str) -> str | None:
        if self._instance.dictionary.column(table, name) is None:
            return None
        tables = self._instance.tables
        rows = tables.having(table, name, [text])
        wanted = text.casefold()
        candidates = tables.rows(table) if rows is None else rows
        return next((row["sys_id"] for row in candidates if row.get(name, "").casefold() == wanted), None)


def _integer(text: str) -> str:
    match = _INTEGER.fullmatch(text)
    return "" if match is None else str(int(match[1]))


def _moment(text: str) -> str:
    moment = from_stamp(text)
    return "" if moment is None else as_stamp(moment)
