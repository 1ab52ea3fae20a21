"""Whether ServiceNow's own rows are as the round has to leave them, whatever the service's store says."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from secure_export.cli.demo.servicenow_cmdb import class_of, id_column, is_in_use
from secure_export.cli.demo.tool import Result
from secure_export.sandbox.azure_monitor.estate import Estate
from secure_export.sandbox.azure_monitor.scenario import Binding, Expectation
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.tables import Row

_OPEN: Final = frozenset({"1", "2", "3"})
_RESOLVED: Final = "6"
_OURS: Final = "correlation_idSTARTSWITHazmon1:"


def changes_by_id(instance: Instance) -> dict[str, str]:
    """Give how often each incident was changed; taken before the round, they are other people's."""
    return {row["sys_id"]: row.get("sys_mod_count", "") for row in instance.find("incident")}


def an_open_record(instance: Instance, results: Sequence[Result]) -> Row | None:
    """Give the newest incident about a CI that nobody has taken and whose alert still fires."""
    firing = {item["number"] for result in results if not result.wanted.is_resolved for item in result.items}
    rows = [row for row in instance.find("incident", f"{_OURS}^state=1^cmdb_ciISNOTEMPTY") if row["number"] in firing]
    return max(rows, key=lambda row: row["number"], default=None)


def complaints(
    instance: Instance, estate: Estate, results: Sequence[Result], of_others: Mapping[str, str]
) -> list[str]:
    """Say what is not as it should be.

    Args:
        instance: The stand-in.
        estate: What the alerts were about.
        results: What has to come of each problem, and the work items that came of it.
        of_others: ``changes_by_id`` from before the round.
    """
    ours = instance.find("incident", _OURS)
    rows = {row["number"]: row for row in ours}
    found = [
        f"{result.wanted.problem}: {complaint}"
        for result in results
        for item in result.items
        for complaint in _of_item(instance, estate, result.wanted, item, rows.get(item["number"]))
    ]
    return [*found, *_of_all(instance, ours, results, of_others)]


def _of_all(
    instance: Instance, ours: Sequence[Row], results: Sequence[Result], of_others: Mapping[str, str]
) -> Iterator[str]:
    """Complain of twins, of records that belong to no work item, and of touched records of other people."""
    for key, count in Counter(row["correlation_id"] for row in ours).items():
        if count > 1:
            yield f"ServiceNow has {count} incidents for {key}"
    known = {item["number"] for result in results for item in result.items}
    for row in ours:
        if row["number"] not in known:
            yield f"{row['number']} in ServiceNow belongs to no work item"
    now = changes_by_id(instance)
    for sys_id, changes in of_others.items():
        if now.get(sys_id) != changes:
            yield f"somebody else's incident {sys_id} was changed"


def _of_item(
    instance: Instance, estate: Estate, wanted: Expectation, item: Mapping[str, Any], row: Row | None
) -> Iterator[str]:
    number = item["number"]
    if row is None:
        yield f"{number} is not in ServiceNow"
        return
    if row["sys_id"] not in (item["url"] or ""):
        yield f"the link {item['url']} does not lead to {number}"
    if wanted.is_resolved and (row["state"] != _RESOLVED or not (row["close_code"] and row["close_notes"])):
        yield f"{number} is not resolved in ServiceNow: state {row['state']}, close code {row['close_code']!r}"
    if not wanted.is_resolved and row["state"] not in _OPEN:
        yield f"{number} is not open in ServiceNow: state {row['state']}"
    yield from _of_binding(instance, estate, wanted, row)


def _of_binding(instance: Instance, estate: Estate, wanted: Expectation, row: Row) -> Iterator[str]:
    ci = instance.get("cmdb_ci", row["cmdb_ci"]) if row["cmdb_ci"] else None
    if ci is None:
        if wanted.binding is Binding.BOUND:
            yield f"{row['number']} has no CI in ServiceNow"
        return
    if wanted.binding is Binding.UNBOUND:
        yield f"{row['number']} has the CI {ci['name']} in ServiceNow, which it is not about"
    elif not _is_right(estate, wanted, ci):
        has = f"{ci['name']} ({ci['sys_class_name']})"
        yield f"{row['number']} has the CI {has} in ServiceNow, not {wanted.resource_id}"


def _is_right(estate: Estate, wanted: Expectation, ci: Row) -> bool:
    """Whether a CI is the one of the expected resource: by its id, in the class of its type, and in use."""
    if wanted.resource_id is None:
        return True
    resource = next(one for one in estate.resources if one.id.lower() == wanted.resource_id.lower())
    class_name = class_of(resource.type)
    has = ci.get(id_column(class_name), "")
    return ci["sys_class_name"] == class_name and has.lower() == resource.id.lower() and is_in_use(ci)
