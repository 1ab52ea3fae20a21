"""Transform maps: rows of a staging table become rows of target tables (servicenow-facts 7.2).

Coalesce means find, then insert or update; not in one step, as in the real system.
"""

from dataclasses import dataclass
from typing import Any, Final

from secure_export.sandbox.servicenow.dictionary import Column, Table
from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.rest import as_admin
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User

STAGING: Final = "sys_import_set_row"
MAPS: Final = "sys_transform_map"
ENTRIES: Final = "sys_transform_entry"
NO_TARGET: Final = "No transform entry or scripts are defined; Target record not found"
INVALID_STAGING: Final = "Invalid staging table"
INVALID_TABLE: Final = "Invalid table"


@dataclass(frozen=True, slots=True)
class Shipped:
    """A staging table with its map, as a new stand-in has it.

    Attributes:
        table: The staging table.
        label: What people call it.
        map_name: The transform map.
        target: The table it fills.
        columns: Source column, target column, and whether rows are found by it.
    """

    table: str
    label: str
    map_name: str
    target: str
    columns: tuple[tuple[str, str, bool], ...]


# The documentation's own example, and the staging table of ITSMC (servicenow-facts 12; its columns are not public).
SHIPPED: Final = (
    Shipped(
        "imp_user",
        "Import Users",
        "User",
        "sys_user",
        (
            ("user_id", "user_name", True),
            ("first_name", "first_name", False),
            ("last_name", "last_name", False),
            ("email", "email", False),
            ("phone", "phone", False),
        ),
    ),
    Shipped(
        "x_mioms_microsoft_oms_incident",
        "OMS Incident",
        "OMS Incident",
        "incident",
        (
            ("correlation_id", "correlation_id", True),
            ("short_description", "short_description", False),
            ("description", "description", False),
            ("cmdb_ci", "cmdb_ci", False),
            ("impact", "impact", False),
            ("urgency", "urgency", False),
            ("category", "category", False),
            ("assignment_group", "assignment_group", False),
            ("caller_id", "caller_id", False),
            ("work_notes", "work_notes", False),
            ("state", "state", False),
            ("close_code", "close_code", False),
            ("close_notes", "close_notes", False),
        ),
    ),
)


def install(instance: Instance) -> None:
    """Add the shipped staging tables and maps that are not there."""
    for shipped in SHIPPED:
        if shipped.table not in instance.dictionary:
            instance.add_table(_table_of(shipped))
        if not instance.find(MAPS, f"source_table={shipped.table}"):
            _add_map(instance, shipped)


def transform(instance: Instance, staging: str, row: Row, user: User) -> list[dict[str, Any]]:
    """Carry a row of a staging table over to its targets.

    Returns:
        One entry for each map, in the words of the API; a refused target is told as ``status: error``.
    """
    maps = instance.find(MAPS, f"source_table={staging}^active=true^ORDERBYorder")
    told = [_Carrying(instance, one, row, user).told() for one in maps]
    return told or [failed(NO_TARGET)]


def failed(message: str, map_name: str = "", table: str = "") -> dict[str, Any]:
    """Tell that a row went nowhere."""
    return {"transform_map": map_name, "table": table, "status": "error", "error_message": message}


class _Carrying:
    """One row being carried over by one map."""

    def __init__(self, instance: Instance, transform_map: Row, row: Row, user: User) -> None:
        self._instance = instance
        self._map = transform_map
        self._target = transform_map.get("target_table", "")
        self._user = as_admin(user)
        entries = [one for one in instance.tables.rows(ENTRIES) if one.get("map") == transform_map["sys_id"]]
        keeps_empty = transform_map.get("copy_empty_fields") == "true"
        self._fields = {
            one["target_field"]: value for one in entries if (value := row.get(one["source_field"], "")) or keeps_empty
        }
        self._keys = [one["target_field"] for one in entries if one.get("coalesce") == "true"]

    def told(self) -> dict[str, Any]:
        """Carry it over and tell what became of it."""
        if self._target not in self._instance.dictionary:
            return failed(INVALID_TABLE, self._map["name"], self._target)
        try:
            status, written = self._written()
        except SnowError as refusal:
            return failed(refusal.detail or refusal.message, self._map["name"], self._target)
        display = self._instance.dictionary.display_column(self._target)
        return {
            "transform_map": self._map["name"],
            "table": self._target,
            "display_name": display,
            "display_value": written.get(display, ""),
            "record_link": f"{self._instance.url}/api/now/table/{self._target}/{written['sys_id']}",
            "status": status,
            "sys_id": written["sys_id"],
        }

    def _written(self) -> tuple[str, Row]:
        run_rules = self._map.get("run_business_rules", "true") == "true"
        known = self._known()
        if known is None:
            fields = {name: value for name, value in self._fields.items() if name != "sys_id"}
            return "inserted", self._instance.insert(self._target, fields, self._user, run_rules=run_rules)
        row = self._instance.update(self._target, known["sys_id"], self._fields, self._user, run_rules=run_rules)
        return ("ignored" if row.get("sys_mod_count") == known.get("sys_mod_count") else "updated"), row

    def _known(self) -> Row | None:
        """Find the row with the same keys; one empty key means that there is none."""
        wanted = {name: self._fields.get(name, "") for name in self._keys}
        if not wanted or not all(wanted.values()):
            return None
        rows = self._instance.tables.rows(self._target)
        return next((row for row in rows if all(row.get(name) == value for name, value in wanted.items())), None)


def _table_of(shipped: Shipped) -> Table:
    names = {
        source: Column(source, source.replace("_", " ").capitalize(), max_length=4000) for source, *_ in shipped.columns
    }
    return Table(shipped.table, shipped.label, parent=STAGING, columns=names)


def _add_map(instance: Instance, shipped: Shipped) -> None:
    fields = {"name": shipped.map_name, "source_table": shipped.table, "target_table": shipped.target}
    transform_map = instance.insert(MAPS, fields)
    for source, target, coalesce in shipped.columns:
        entry = {"map": transform_map["sys_id"], "source_field": source, "target_field": target}
        instance.insert(ENTRIES, entry | {"coalesce": str(coalesce).lower()})
