"""The CMDB Meta API: ``/api/now/cmdb/meta/{class}`` (servicenow-facts 10.4)."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from secure_export.sandbox.servicenow.caller import caller
from secure_export.sandbox.servicenow.dictionary import Column
from secure_export.sandbox.servicenow.errors import SnowError, invalid_table
from secure_export.sandbox.servicenow.identification import Entry, entries_of
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.rest import result, versioned

_ROLE: Final = "itil"


def routes(instance: Instance) -> list[Route]:
    """Give the route of the CMDB Meta API."""

    async def meta(request: Request) -> Response:
        if not caller(request).has_role(_ROLE):
            raise SnowError(403, "User Not Authorized", "Failed API level ACL Validation")
        name = request.path_params["class_name"]
        if not instance.dictionary.is_a(name, "cmdb"):
            raise invalid_table(name)
        return result(describe(instance, name))

    return versioned("now", "cmdb/meta/{class_name}", meta, "GET")


def describe(instance: Instance, name: str) -> dict[str, Any]:
    """Describe a class of CIs: its place in the tree, its columns, and by what its CIs are identified."""
    dictionary = instance.dictionary
    table = dictionary.table(name)
    label, parent = (table.label, table.parent) if table else (name, "")
    return {
        "name": name,
        "label": label,
        "parent": parent,
        "children": sorted(one.name for one in dictionary if one.parent == name),
        "is_extendable": True,
        "icon": "",
        "icon_url": "images/app.ngbsm/ci.svg",
        "attributes": [_attribute(instance, name, column) for column in dictionary.columns(name).values()],
        "relationship_rules": [],
        "identification_rules": _rules(instance, name),
    }


def _attribute(instance: Instance, table: str, column: Column) -> dict[str, Any]:
    return {
        "element": column.name,
        "label": column.label,
        "type": column.type.value,
        "max_length": str(column.max_length),
        "default_value": column.default or None,
        "is_mandatory": _flag(column.mandatory),
        "is_inherited": _flag(instance.dictionary.owner(table, column.name) != table),
        "is_read_only": _flag(column.read_only),
        "is_display": _flag(instance.dictionary.display_column(table) == column.name),
    }


def _rules(instance: Instance, table: str) -> dict[str, Any]:
    entries = entries_of(instance, table)
    if not entries:
        return {}
    return {
        "name": entries[0].rule,
        "applies_to": entries[0].applies_to,
        "is_independent": True,
        "identifiers": [_identifier(order, entry) for order, entry in enumerate(entries, start=1)],
        "related_rules": [],
    }


def _identifier(order: int, entry: Entry) -> dict[str, Any]:
    return {
        "attributes": ",".join(entry.attributes),
        "table": entry.lookup or None,
        "order": order * 100,
        "active": True,
        "allow_fallback": False,
        "allow_null_attribute": False,
        "exact_count_match": False,
        "condition": None,
        "referenced_field": None,
    }


def _flag(value: bool) -> str:  # noqa: FBT001 - it is what is told
    return str(value).lower()
