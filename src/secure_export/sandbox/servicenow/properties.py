"""System properties, as ``sys_properties`` holds them; those of the stand-in itself begin with ``sandbox.``."""

from hashlib import md5

from secure_export.sandbox.servicenow.tables import Row, Tables


class Properties:
    """Reads and writes properties, and keeps them until a row of ``sys_properties`` changes."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._read_at = -1
        self._values: dict[str, str] = {}

    def get(self, name: str, default: str = "") -> str:
        """Give a property as text."""
        if (version := self._tables.version("sys_properties")) != self._read_at:
            self._values = {row.get("name", ""): row.get("value", "") for row in self._tables.rows("sys_properties")}
            self._read_at = version
        return self._values.get(name, default)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Give a property that is on or off."""
        return self.get(name, str(default)).strip().lower() in {"true", "1", "yes"}

    def number(self, name: str, default: int) -> int:
        """Give a property that is a whole number; what is none counts as not set."""
        try:
            return int(self.get(name, str(default)))
        except ValueError:
            return default

    def set(self, name: str, value: str) -> None:
        """Set a property, as an administrator does."""
        row: Row = {"sys_id": md5(name.encode(), usedforsecurity=False).hexdigest(), "type": "string"}
        for known in self._tables.having("sys_properties", "name", [name]) or ():
            if known.get("name") == name:
                row = dict(known)
        self._tables.put("sys_properties", {**row, "name": name, "value": value})
