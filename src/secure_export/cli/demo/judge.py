"""Whether every alert of the demo's round got where it belongs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from secure_export.cli.demo.tool import Result, Tool
from secure_export.console.contract import Page, Records
from secure_export.sandbox.azure_monitor.scenario import Binding, Expectation, Scenario


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of a round.

    Attributes:
        summary: The numbers of the contract.
        complaints: What is not as it should be.
        results: What was checked: each problem with the work items that came of it.
    """

    summary: dict[str, int]
    complaints: tuple[str, ...]
    results: Sequence[Result]

    @property
    def passed(self) -> bool:
        """Whether everything is as it should be."""
        return not self.complaints


async def results_of(records: Records, scenario: Scenario, sent: Mapping[str, Collection[str]]) -> list[Result]:
    """Find the work items that came of each problem; see ``judge``."""
    alerts, items = await _alerts(records), await _items(records)
    return [
        Result(wanted, _of_alerts(_told(alerts, sent.get(wanted.problem, ())), items))
        for wanted in scenario.expectations
    ]


async def judge(records: Records, scenario: Scenario, sent: Mapping[str, Collection[str]], tool: Tool) -> Judgement:
    """Compare what there is with what has to be, in the store and in the tool.

    Args:
        records: What is kept.
        scenario: What was sent.
        sent: The ids that notifications got, by the problem they belong to.
        tool: Where the work items are.
    """
    alerts, items = await _alerts(records), await _items(records)
    quarantined: Page = await records.quarantine(limit=1000)
    complaints = [
        f"{wanted.problem}: {complaint}"
        for wanted in scenario.expectations
        for complaint in _complaints(wanted, _told(alerts, sent.get(wanted.problem, ())), items)
    ]
    totals = scenario.totals
    if len(quarantined.rows) != totals.quarantined:
        complaints.append(f"{len(quarantined.rows)} bodies are in quarantine instead of {totals.quarantined}")
    if len(items) != totals.work_items:
        complaints.append(f"there are {len(items)} work items instead of {totals.work_items}")
    results = await results_of(records, scenario, sent)
    complaints += tool.complaints(results)
    summary = {
        "alerts": len(alerts),
        "work_items": len(items),
        "resolved": sum(item["state"] == "resolved" for item in items.values()),
        "bound": sum(bool(_bound(item)) for item in items.values()),
        "quarantined": len(quarantined.rows),
    }
    return Judgement(summary, tuple(complaints), results)


async def _alerts(records: Records) -> list[dict[str, Any]]:
    return [await records.alert(alert["key"]) for alert in (await records.alerts(limit=1000)).rows]


async def _items(records: Records) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in (await records.work_items(limit=1000)).rows}


def _told(alerts: Sequence[dict[str, Any]], notifications: Collection[str]) -> list[dict[str, Any]]:
    """The alerts that these notifications speak of."""
    return [alert for alert in alerts if any(str(one["id"]) in notifications for one in alert["notifications"])]


def _of_alerts(told: Sequence[dict[str, Any]], items: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The work items of some alerts, each once."""
    ids = dict.fromkeys(alert["work_item"] for alert in told if alert["work_item"])
    return [items[one] for one in ids if one in items]


def _complaints(wanted: Expectation, told: Sequence[dict[str, Any]], items: dict[str, dict[str, Any]]) -> list[str]:
    found = _of_alerts(told, items)
    if len(found) != wanted.work_items:
        return [f"it has {len(found)} work items instead of {wanted.work_items}"]
    complaints = []
    for item in found:
        state = "resolved" if wanted.is_resolved else "open"
        if item["state"] != state or item["owed"]:
            complaints.append(f"{item['number']} is {item['state']}{' and owed' if item['owed'] else ''}, not {state}")
        complaints += _binding_complaints(wanted, item)
    if any(alert["is_test"] is not wanted.is_test for alert in told):
        complaints.append(f"it is {'not ' if wanted.is_test else ''}marked as a test")
    if any(alert["is_legacy_schema"] is not wanted.is_old_schema for alert in told):
        complaints.append("whether the common alert schema was on is not told right")
    return complaints


def _binding_complaints(wanted: Expectation, item: dict[str, Any]) -> list[str]:
    bound = _bound(item)
    if wanted.binding is Binding.BOUND and not bound:
        return [f"{item['number']} is bound to no CI"]
    if wanted.binding is Binding.UNBOUND and bound:
        return [f"{item['number']} is bound to {bound[0]['name']}, which it is not about"]
    right = (wanted.resource_id or "").rpartition("/")[2].lower()
    if bound and right and right not in {ci["name"].lower().rpartition("/")[2] for ci in bound}:
        return [f"{item['number']} is bound to {bound[0]['name']}, not to {right}"]
    return []


def _bound(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [ci for ci in item["configuration_items"] if ci.get("id")]
