"""Finds the CI that a payload is about, as the Identification and Reconciliation Engine does (servicenow-facts 10.4).

First ``sys_object_source``, then the entries of the identifier of the nearest class, in their order. Rules are rows of
``cmdb_identifier`` and ``cmdb_identifier_entry``, so that they can be changed; the shipped ones are a plausible few.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.tables import Row

IDENTIFIERS: Final = "cmdb_identifier"
ENTRIES: Final = "cmdb_identifier_entry"
SOURCES: Final = "sys_object_source"
_SKIP_SOURCES: Final = "glide.identification_engine.skip_sys_object_source_matching"
# What applies to, name, and by entry: the attributes, and the table where a look-up would search them.
_SHIPPED: Final = (
    ("cmdb_ci", "Configuration Item Rule", (("correlation_id", ""), ("name", ""))),
    (
        "cmdb_ci_hardware",
        "Hardware Rule",
        (("serial_number,serial_number_type", "cmdb_serial_number"), ("serial_number", ""), ("name", "")),
    ),
    ("cmdb_ci_vm_object", "VM Object Rule", (("object_id", ""), ("name", ""))),
    ("cmdb_ci_vm_instance", "VM Instance Rule", (("object_id", ""), ("vm_inst_id", ""))),
    ("cmdb_ci_kubernetes_cluster", "Kubernetes Cluster Rule", (("k8s_uid", ""), ("cluster_resource_id", ""))),
)
_ROOT: Final = "cmdb_ci"
_CLOUD_KEY: Final = "object_id"
_CLOUD_RULE: Final = "Cloud Resource Rule"


class Attempt(StrEnum):
    """How one attempt to identify ended."""

    MATCHED = "MATCHED"
    MULTI_MATCH = "MULTI_MATCH"
    NO_MATCH = "NO_MATCH"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an identifier.

    Attributes:
        sys_id: Its row.
        rule: The name of its identifier.
        applies_to: The class that the identifier is for; its table is searched.
        attributes: The columns that must all match.
        lookup: Another table to search; look-ups are not stood in for, so such an entry is skipped.
    """

    sys_id: str
    rule: str
    applies_to: str
    attributes: tuple[str, ...]
    lookup: str = ""


@dataclass(frozen=True, slots=True)
class Identified:
    """What was found.

    Attributes:
        row: The CI; None: there is none.
        entry: The id of the entry that matched; ``Unknown`` if none did.
        attempts: What was tried, in the words of the API.
    """

    row: Row | None
    entry: str
    attempts: tuple[dict[str, Any], ...]

    @property
    def is_partial(self) -> bool:
        """Whether nothing could even be tried, for want of attributes."""
        return self.row is None and all(
            one["attemptResult"] == Attempt.SKIPPED for one in self.attempts if one["attributes"]
        )


def install(instance: Instance) -> None:
    """Put the shipped rules into their tables, unless there are rules already."""
    if instance.tables.count(IDENTIFIERS):
        return
    for applies_to, name, entries in _SHIPPED:
        rule = instance.insert(IDENTIFIERS, {"applies_to": applies_to, "name": name})
        for order, (attributes, lookup) in enumerate(entries, start=1):
            fields = {"identifier": rule["sys_id"], "attributes": attributes, "table": lookup}
            instance.insert(ENTRIES, fields | {"order": str(order * 100)})


def entries_of(instance: Instance, class_name: str) -> list[Entry]:
    """Give the entries of the identifier of the nearest class, in their order.

    Classes of cloud resources without an identifier of their own are identified by ``object_id`` alone.
    """
    rules = {row.get("applies_to"): row for row in instance.tables.rows(IDENTIFIERS) if row.get("active") == "true"}
    rule = next((rules[one] for one in instance.dictionary.lineage(class_name) if one in rules), None)
    if rule is None:
        return []
    if rule["applies_to"] == _ROOT and _CLOUD_KEY in instance.dictionary.columns(class_name):
        return [Entry(rule["sys_id"], _CLOUD_RULE, class_name, (_CLOUD_KEY,))]
    rows = [row for row in instance.tables.rows(ENTRIES) if row.get("identifier") == rule["sys_id"]]
    return [
        Entry(row["sys_id"], rule["name"], rule["applies_to"], _names(row["attributes"]), row.get("table", ""))
        for row in sorted(rows, key=lambda one: int(one.get("order") or 0))
        if row.get("active") == "true"
    ]


def identify(
    instance: Instance, class_name: str, values: Mapping[str, str], source: Mapping[str, Any] | None = None
) -> Identified:
    """Find the CI that values are about.

    Args:
        instance: The instance.
        class_name: The class of the CI, which must exist.
        values: Columns and what they hold.
        source: ``source_name`` and ``source_native_key``, if given.
    """
    attempts: list[dict[str, Any]] = []
    if source and source.get("source_native_key") and not instance.properties.flag(_SKIP_SOURCES):
        row = _by_source(instance, class_name, source)
        attempts.append(_source_attempt(found=row is not None))
        if row is not None:
            return Identified(row, "Unknown", tuple(attempts))
    for entry in entries_of(instance, class_name):
        rows = _candidates(instance, entry, values)
        attempts.append(_told(entry, rows))
        if rows:
            oldest = min(rows, key=lambda one: one.get("sys_created_on", ""))
            return Identified(oldest, entry.sys_id, tuple(attempts))
    return Identified(None, "Unknown", tuple(attempts))


def remember_source(instance: Instance, row: Row, source: Mapping[str, Any]) -> None:
    """Write into ``sys_object_source`` by which key a source knows a CI."""
    name, key = str(source.get("source_name", "")), str(source.get("source_native_key", ""))
    if not name or not key:
        return
    fields = {
        "name": name,
        "id": key,
        "source_feed": str(source.get("source_feed", "")),
        "target_table": row["sys_class_name"],
        "target_sys_id": row["sys_id"],
        "last_scan": instance.clock.stamp(),
    }
    known = next((one for one in _sources(instance, name, key) if one.get("target_sys_id") == row["sys_id"]), None)
    if known is None:
        instance.insert(SOURCES, fields)
    else:
        instance.update(SOURCES, known["sys_id"], fields)


def _by_source(instance: Instance, class_name: str, source: Mapping[str, Any]) -> Row | None:
    root = instance.dictionary.root(class_name)
    for one in _sources(instance, str(source.get("source_name", "")), str(source["source_native_key"])):
        if (row := instance.tables.get(root, one.get("target_sys_id", ""))) is not None:
            return row
    return None


def _sources(instance: Instance, name: str, key: str) -> list[Row]:
    rows = instance.tables.having(SOURCES, "name", [name])
    candidates = instance.tables.rows(SOURCES) if rows is None else rows
    return [row for row in candidates if row.get("name") == name and row.get("id") == key]


def _candidates(instance: Instance, entry: Entry, values: Mapping[str, str]) -> list[Row] | None:
    """Give the rows that an entry matches; None: it cannot be tried."""
    columns = instance.dictionary.columns(entry.applies_to)
    if entry.lookup or any(not values.get(name) or name not in columns for name in entry.attributes):
        return None
    wanted = {name: values[name].casefold() for name in entry.attributes}
    indexed = (instance.tables.having(entry.applies_to, name, [values[name]]) for name in entry.attributes)
    rows = next((found for found in indexed if found is not None), None)
    return [
        row
        for row in (instance.tables.rows(entry.applies_to) if rows is None else rows)
        if all(row.get(name, "").casefold() == value for name, value in wanted.items())
    ]


def _told(entry: Entry, rows: Sequence[Row] | None) -> dict[str, Any]:
    if rows is None:
        outcome = Attempt.SKIPPED
    elif not rows:
        outcome = Attempt.NO_MATCH
    else:
        outcome = Attempt.MATCHED if len(rows) == 1 else Attempt.MULTI_MATCH
    return {
        "identifierName": entry.rule,
        "attemptResult": outcome.value,
        "attributes": list(entry.attributes),
        "searchOnTable": entry.lookup or entry.applies_to,
        "hybridEntryCiAttributes": [],
    }


def _source_attempt(*, found: bool) -> dict[str, Any]:
    outcome = Attempt.MATCHED if found else Attempt.NO_MATCH
    return {
        "info": f"sys_object_source {outcome}",
        "identifierName": "",
        "attemptResult": outcome.value,
        "attributes": [],
        "hybridEntryCiAttributes": [],
    }


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
