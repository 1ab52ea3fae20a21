"""Choice lists, as ``sys_choice`` holds them."""

from collections.abc import Mapping

from secure_export.sandbox.servicenow.dictionary.model import Dictionary
from secure_export.sandbox.servicenow.tables import Tables

_LANGUAGE = "en"


class Choices:
    """Reads choice lists, and keeps them until a row of ``sys_choice`` changes.

    The list of a column is that of the nearest table of the lineage that has one: ``incident`` has its own ``state``.
    """

    def __init__(self, tables: Tables, dictionary: Dictionary) -> None:
        self._tables = tables
        self._dictionary = dictionary
        self._read_at = -1
        self._all: dict[tuple[str, str], dict[str, str]] = {}
        self._active: dict[tuple[str, str], dict[str, str]] = {}

    def has_list(self, table: str, element: str) -> bool:
        """Tell whether a column has any choices, inactive ones too."""
        return bool(self._of(table, element))

    def active(self, table: str, element: str) -> Mapping[str, str]:
        """Give the labels by value that can be chosen; empty: there is no list, or all of it is inactive."""
        owner = self._of(table, element)
        return self._active.get((owner, element), {}) if owner else {}

    def label(self, table: str, element: str, value: str) -> str:
        """Give what people see for a value; the value itself if nobody named it."""
        owner = self._of(table, element)
        return self._all.get((owner, element), {}).get(value, value)

    def value(self, table: str, element: str, label: str) -> str | None:
        """Find a value by what people see; None: there is no such label."""
        wanted = label.casefold()
        return next((one for one, text in self.active(table, element).items() if text.casefold() == wanted), None)

    def _of(self, table: str, element: str) -> str:
        self._refresh()
        return next((one for one in self._dictionary.lineage(table) if (one, element) in self._all), "")

    def _refresh(self) -> None:
        if (version := self._tables.version("sys_choice")) == self._read_at:
            return
        self._read_at = version
        self._all.clear()
        self._active.clear()
        rows = [row for row in self._tables.rows("sys_choice") if row.get("language") == _LANGUAGE]
        for row in sorted(rows, key=lambda one: int(one.get("sequence") or 0)):
            key = (row.get("name", ""), row.get("element", ""))
            value, label = row.get("value", ""), row.get("label", "")
            self._all.setdefault(key, {})[value] = label
            if row.get("inactive") != "true":
                self._active.setdefault(key, {})[value] = label
