"""What one row of an import says: the same for every file format."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from secure_export.alerts.resource_id import ResourceId, normal_form, parse
from secure_export.cmdb.classes import class_of_type, readable
from secure_export.cmdb.drafts import CiDraft, RelationDraft

_NAMES = ("name", "resource_name", "ci_name", "ci", "computer_name", "host_name", "hostname")
_RESOURCE_IDS = ("resource_id", "azure_resource_id", "arm_id", "resource_uri")
_CLASSES = ("class", "class_name", "ci_class", "sys_class_name", "type", "resource_type", "azure_type")
_PARENTS = ("parent", "parent_id", "parent_resource_id", "child_of")
_MANAGERS = ("managed_by",)
_NOT_ATTRIBUTES = frozenset(
    {
        *_NAMES,
        *_RESOURCE_IDS,
        *_CLASSES,
        *_PARENTS,
        *_MANAGERS,
        "attributes",
        "relations",
        "tags",
        "properties",
        "sku",
        "plan",
        "identity",
        "zones",
        "extended_location",
        "system_data",
        "api_version",
        "tenant_id",
        "etag",
    }
)
_CHILD_OF = "child-of"
_MANAGED_BY = "managed-by"
_LONGEST_NAME = 255
_LONGEST_VALUE = 4000
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_RUN_TOGETHER = {
    "resourceid": "resource_id",
    "resourcegroup": "resource_group",
    "subscriptionid": "subscription_id",
    "tenantid": "tenant_id",
    "managedby": "managed_by",
    "extendedlocation": "extended_location",
}
_BETWEEN_WORDS = re.compile(r"[\W_]+")


class RowRefused(Exception):  # noqa: N818 - an answer rather than a failure
    """A row cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of an import.

    Attributes:
        where: Its place, such as ``line 7``.
        members: What it says, by column names in snake case.
    """

    where: str
    members: Mapping[str, Any]


def snake_case(text: str) -> str:
    """Write a column's or tag's name in our form: ``RESOURCE GROUP`` and ``resourceGroup`` are ``resource_group``."""
    words = _BETWEEN_WORDS.sub("_", _CAMEL.sub("_", text.strip()).lower()).strip("_")
    return _RUN_TOGETHER.get(words, words)


def names_a_ci(columns: Collection[str]) -> bool:
    """Whether columns can say which CI a row is about."""
    return any(column in columns for column in (*_NAMES, *_RESOURCE_IDS, "id"))


def draft_of(row: Row) -> CiDraft:
    """Make a CI of a row.

    Raises:
        RowRefused: It cannot be used.
    """
    members = row.members
    resource = _resource(members)
    name = _first(members, _NAMES) or (resource.name if resource else "")
    if not name:
        raise RowRefused("it has neither a name nor a resource id")
    if len(name) > _LONGEST_NAME:
        raise RowRefused(f"its name is longer than {_LONGEST_NAME} characters")
    return CiDraft(
        name=" ".join(name.split()),
        class_name=_class(members, resource),
        resource_id=resource.text if resource else None,
        attributes=_attributes(members),
        relations=tuple(dict.fromkeys(_relations(members, resource))),
        where=row.where,
    )


def _resource(members: Mapping[str, Any]) -> ResourceId | None:
    given = _first(members, _RESOURCE_IDS)
    text = given or _text(members.get("id"))
    parts = parse(text) if text.startswith("/") else None
    if parts is None and (given or text.startswith("/")):
        raise RowRefused(f"{_shortened(text)} is no Azure resource id; those look like /subscriptions/…/providers/…")
    return parts


def _class(members: Mapping[str, Any], resource: ResourceId | None) -> str:
    written = _first(members, _CLASSES)
    if "/" in written:
        return class_of_type(written, _text(members.get("kind")))
    if written:
        return readable(written)
    if resource is None:
        return ""
    if resource.provider is None:
        return "resource-group" if resource.resource_group else "subscription"
    return class_of_type(resource.type, _text(members.get("kind")))


def _attributes(members: Mapping[str, Any]) -> dict[str, str]:
    """Tags, then the row's own columns, then what it gives as attributes: the later ones win."""
    found = dict(_pairs(members.get("tags"), "tags"))
    for name, value in members.items():
        is_resource_id = name == "id" and _text(value).startswith("/")
        if name and name not in _NOT_ATTRIBUTES and not is_resource_id and not isinstance(value, dict | list):
            found[name] = _text(value)
    found.update(_pairs(members.get("attributes"), "attributes"))
    return {name: value[:_LONGEST_VALUE] for name, value in found.items()}


def _pairs(value: Any, column: str) -> Iterator[tuple[str, str]]:
    """Names and texts of an object, which a CSV cell holds as JSON; any other text is kept under the column's name."""
    if isinstance(value, str) and value.strip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise RowRefused(f"its {column} look like JSON but are none") from error
    if isinstance(value, dict):
        for name, inner in value.items():
            if (known := snake_case(name)) and not isinstance(inner, dict | list):
                yield known, _text(inner)
    elif text := _text(value):
        yield column, text


def _relations(members: Mapping[str, Any], resource: ResourceId | None) -> Iterator[RelationDraft]:
    parent = _first(members, _PARENTS)
    if parent:
        yield RelationDraft(_CHILD_OF, _target(parent))
    elif resource is not None and resource.is_resource:
        above = parse(resource.parent() or "")
        if above is not None and above.is_resource:
            yield RelationDraft(_CHILD_OF, above.text)
    if manager := _first(members, _MANAGERS):
        yield RelationDraft(_MANAGED_BY, _target(manager))
    yield from _own_relations(members.get("relations"))


def _own_relations(value: Any) -> Iterator[RelationDraft]:
    if value is None or value == "":
        return
    if not isinstance(value, list):
        raise RowRefused('its relations are no list of {"type": …, "target": …}')
    for one in value:
        kind = readable(_text(one.get("type") or one.get("kind"))) if isinstance(one, dict) else ""
        target = _text(one.get("target")) if isinstance(one, dict) else ""
        if not kind or not target:
            raise RowRefused(
                "each of its relations needs a type, such as runs-on, and a target: a resource id or a name"
            )
        yield RelationDraft(kind, _target(target))


def _target(text: str) -> str:
    return normal_form(text) if text.startswith("/") else text


def _first(members: Mapping[str, Any], names: Collection[str]) -> str:
    return next((text for name in names if (text := _text(members.get(name)))), "")


def _text(value: Any) -> str:
    """Give a scalar as text: empty for nothing and for objects; halves of surrogate pairs are no text."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip().replace("\0", "").encode("utf-8", "replace").decode()


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"  # noqa: PLR2004 - what fits into a line
