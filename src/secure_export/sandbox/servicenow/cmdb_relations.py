"""CIs with their relations, as the CMDB Instance API shows and changes them (servicenow-facts 10.4)."""

from collections.abc import Mapping
from typing import Any, Final

from secure_export.sandbox.servicenow.errors import SnowError, no_record
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.presenting import Display, Presenter
from secure_export.sandbox.servicenow.rest import as_admin
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User

RELATIONS: Final = "cmdb_rel_ci"
_TYPES: Final = "cmdb_rel_type"
_OTHER_END: Final = {"outbound_relations": ("parent", "child"), "inbound_relations": ("child", "parent")}


def show(instance: Instance, table: str, row: Row, user: User) -> dict[str, Any]:
    """Show a CI: its attributes, references with what people see, and its relations both ways."""
    attributes = Presenter(instance, user).show(table, row)
    shown = Presenter(instance, user, display=Display.SHOWN, with_links=False).show(table, row)
    for name, value in attributes.items():
        if isinstance(value, dict):
            attributes[name] = {"display_value": shown.get(name, ""), **value}
    relations = {name: _relations(instance, row, own, other) for name, (own, other) in _OTHER_END.items()}
    return {"attributes": attributes, **relations}


def add(instance: Instance, ci: str, document: Mapping[str, Any], user: User) -> None:
    """Add the relations of a request to a CI.

    Raises:
        SnowError: A relation has no type or target that exists.
    """
    for name, (own, other) in _OTHER_END.items():
        for wanted in document.get(name) or []:
            kind, target = _wanted(instance, wanted)
            fields = {own: ci, other: target, "type": kind}
            if instance.first(RELATIONS, "^".join(f"{one}={value}" for one, value in fields.items())) is None:
                instance.insert(RELATIONS, fields, as_admin(user))


def remove(instance: Instance, ci: str, sys_id: str, user: User) -> None:
    """Remove a relation of a CI.

    Raises:
        SnowError: The CI has no such relation.
    """
    row = instance.get(RELATIONS, sys_id, as_admin(user))
    if ci not in {row.get("parent"), row.get("child")}:
        raise no_record()
    instance.delete(RELATIONS, sys_id, as_admin(user))


def find_type(instance: Instance, name_or_id: str) -> Row | None:
    """Find a kind of relation by its id, or by its name such as ``Hosted on::Hosts``."""
    return instance.tables.get(_TYPES, name_or_id) or instance.first(_TYPES, f"name={name_or_id}")


def _wanted(instance: Instance, wanted: object) -> tuple[str, str]:
    kind = find_type(instance, str(wanted.get("type", ""))) if isinstance(wanted, dict) else None
    target = str(wanted.get("target", "")) if isinstance(wanted, dict) else ""
    if kind is None or instance.tables.get("cmdb_ci", target) is None:
        raise SnowError(400, "Invalid relation", f"The relation {wanted!r} has no type or target that exists.")
    return kind["sys_id"], target


def _relations(instance: Instance, ci: Row, own: str, other: str) -> list[dict[str, Any]]:
    rows = (row for row in instance.tables.rows(RELATIONS) if row.get(own) == ci["sys_id"])
    return [_relation(instance, row, other) for row in rows]


def _relation(instance: Instance, row: Row, other: str) -> dict[str, Any]:
    kind = instance.tables.get(_TYPES, row.get("type", "")) or {}
    target = instance.tables.get("cmdb_ci", row.get(other, "")) or {}
    type_id, target_id = row.get("type", ""), row.get(other, "")
    return {
        "sys_id": row["sys_id"],
        "type": {
            "display_value": kind.get("name", ""),
            "link": f"{instance.url}/api/now/table/{_TYPES}/{type_id}",
            "value": type_id,
        },
        "target": {
            "display_value": target.get("name", ""),
            "link": f"{instance.url}/api/now/cmdb/instance/cmdb_ci/{target_id}",
            "value": target_id,
        },
    }
