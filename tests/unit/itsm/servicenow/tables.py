"""A small CMDB in memory with the traps of the real one: it ignores terms with unknown columns, and hides rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from secure_export.itsm.cmdb_reading import CmdbUnavailable, NotReadable
from secure_export.itsm.servicenow.cmdb.tables import Found

PARENT = {
    "cmdb_ci": "cmdb",
    "cmdb_ci_hardware": "cmdb_ci",
    "cmdb_ci_computer": "cmdb_ci_hardware",
    "cmdb_ci_server": "cmdb_ci_computer",
    "cmdb_ci_win_server": "cmdb_ci_server",
    "cmdb_ci_linux_server": "cmdb_ci_server",
    "cmdb_ci_vm_object": "cmdb_ci",
    "cmdb_ci_vm_instance": "cmdb_ci_vm_object",
    "cmdb_ci_cmp_resource": "cmdb_ci",
    "cmdb_ci_cloud_database": "cmdb_ci",
    "cmdb_ci_cloud_webserver": "cmdb_ci",
    "cmdb_ci_kubernetes_cluster": "cmdb_ci",
    "cmdb_ci_cloud_service_account": "cmdb_ci",
    "cmdb_ci_resource_group": "cmdb_ci",
    "cmdb_ci_spkg": "cmdb_ci",
}
COLUMNS = {
    "cmdb_ci": {"name"},
    "cmdb_ci_computer": {"object_id"},
    "cmdb_ci_vm_object": {"object_id", "state"},
    "cmdb_ci_cmp_resource": {"object_id"},
    "cmdb_ci_cloud_database": {"object_id"},
    "cmdb_ci_cloud_webserver": {"object_id"},
    "cmdb_ci_kubernetes_cluster": {"cluster_resource_id"},
    "cmdb_ci_cloud_service_account": {"object_id", "account_id"},
    "cmdb_ci_resource_group": {"object_id"},
}
SYSTEM = {
    "sys_db_object": {"name"},
    "sys_dictionary": {"name", "element"},
    "sys_object_source": {"id", "target_table", "target_sys_id"},
    "cmdb_rel_ci": {"parent", "child"},
    "sys_user": {"name"},
}


def sys_id(number: int) -> str:
    return f"{number:032x}"


def both(value: str, shown: str | None = None) -> dict[str, str]:
    return {"value": value, "display_value": value if shown is None else shown}


@dataclass
class Asked:
    table: str
    query: str
    fields: tuple[str, ...]


@dataclass
class FakeTables:
    """See the module; ``forbidden`` may not be read, ``hidden`` rows are counted and not shown.

    ``fails_for`` is a value: the question for it alone gets no answer.
    """

    heeds_case: bool = False
    meta: bool = True
    dictionary: bool = True
    forbidden: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    down: bool = False
    fails_for: str | None = None
    ignored: set[str] = field(default_factory=set)
    rows_of: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    asked_meta: list[str] = field(default_factory=list)
    columns_of: dict[str, set[str]] = field(default_factory=lambda: dict(COLUMNS))

    def add(self, table: str, **values: Any) -> str:
        """Put a CI into a class; values are texts, or pairs of value and display value."""
        key = sys_id(1 + sum(len(rows) for rows in self.rows_of.values()))
        row: dict[str, Any] = {"sys_id": both(key), "sys_class_name": both(table)}
        row |= {name: both(*one) if isinstance(one, tuple) else both(one) for name, one in values.items()}
        self.rows_of.setdefault(table, []).append(row)
        return key

    def asked_of(self, table: str) -> list[Asked]:
        return [one for one in self.asked if one.table == table]

    async def columns(self, class_name: str) -> frozenset[str]:
        self.asked_meta.append(class_name)
        if self.down:
            raise CmdbUnavailable("down")
        if not self.meta or class_name not in PARENT:
            raise NotReadable(f"no meta for {class_name}")
        return frozenset(self._columns(class_name))

    async def rows(self, table: str, query: str, fields: Sequence[str], limit: int) -> Found:
        self.asked.append(Asked(table, query, tuple(fields)))
        if self.down or (self.fails_for is not None and query.endswith(f"={self.fails_for}")):
            raise CmdbUnavailable("down")
        if table in self.forbidden or (table in {"sys_db_object", "sys_dictionary"} and not self.dictionary):
            raise NotReadable(f"{table} may not be read", denied=table)
        if table not in PARENT and table not in SYSTEM:
            raise NotReadable(f"no table {table}", lacking_rights=False)
        found = [row for row in self._all(table) if self._fits(table, query, row)][:limit]
        total = sum(self._fits(table, query, row) for row in self._all(table))
        shown = [row for row in found if row.get("sys_id", {}).get("value") not in self.hidden]
        wanted = self._columns(table) | set(fields)
        return Found(
            tuple({name: row[name] for name in fields if name in row and name in wanted} for row in shown), total
        )

    def _all(self, table: str) -> list[dict[str, Any]]:
        if table == "sys_db_object":
            return [_db_object(name) for name in PARENT]
        if table == "sys_dictionary":
            return [{"name": both(t), "element": both(c)} for t, cs in self.columns_of.items() for c in cs]
        return [row for name, rows in self.rows_of.items() if name == table or table in _line(name) for row in rows]

    def _columns(self, table: str) -> set[str]:
        own = SYSTEM.get(table, {"sys_id", "sys_class_name"})
        return set().union(own, *(self.columns_of.get(one, set()) for one in _line(table)))

    def _fits(self, table: str, query: str, row: Mapping[str, Any]) -> bool:
        return all(self._term(table, term, row) for term in query.split("^"))

    def _term(self, table: str, term: str, row: Mapping[str, Any]) -> bool:
        for mark in ("IN", "="):
            column, found, text = term.partition(mark)
            if found and column.replace("_", "").islower():
                break
        else:
            raise AssertionError(term)
        if column in self.ignored or (column not in self._columns(table) and column not in {"name", "sys_id"}):
            return True
        values = text.split(",") if mark == "IN" else [text]
        has = row.get(column, both(""))["value"]
        return has in values if self.heeds_case else has.lower() in {one.lower() for one in values}


def _line(table: str) -> tuple[str, ...]:
    line = [table]
    while line[-1] in PARENT:
        line.append(PARENT[line[-1]])
    return tuple(line)


def _db_object(name: str) -> dict[str, Any]:
    line = (*_line(name)[1:], "", "", "")
    return {
        "name": both(name),
        "super_class.name": both(line[0]),
        "super_class.super_class.name": both(line[1]),
        "super_class.super_class.super_class.name": both(line[2]),
    }
