"""Work items as JSON objects: pure."""

from typing import Any

import msgspec

from secure_export.store.instants import rfc3339, text_or_none
from secure_export.store.row import Row
from secure_export.workitems.work_item import WorkItem


def work_item_object(item: WorkItem, alerts: list[str]) -> dict[str, Any]:
    """Give a work item as lists show it."""
    content, confirmed = item.desired.content, item.confirmed
    return {
        "id": item.id,
        "connection": item.connection,
        "correlation_key": item.correlation_key,
        "generation": item.generation,
        "state": item.desired.state.value,
        "state_in_tool": confirmed.state.value if confirmed else None,
        "tool_state": confirmed.tool_state if confirmed else "",
        "assignment": confirmed.assignment if confirmed else "",
        "owed": item.owed,
        "number": confirmed.number if confirmed else None,
        "url": (confirmed.url or None) if confirmed else None,
        "title": content.title,
        "severity": content.severity,
        "priority": content.priority,
        "configuration_items": bound_items(item),
        "alerts": alerts,
        "created_at": rfc3339(item.created_at),
        "resolved_at": rfc3339(item.resolved_at) if item.resolved_at else None,
        "waiting": item.waiting,
        "parked": item.parked,
        "hands_off": item.hands_off,
    }


def work_item_details(item: WorkItem, alerts: list[str], steps: list[dict[str, Any]]) -> dict[str, Any]:
    """Give a work item with what it says and the steps taken for it."""
    return {
        **work_item_object(item, alerts),
        "reasons": list(item.reasons),
        "resolution": item.desired.resolution,
        "resolution_in_tool": item.confirmed.resolution if item.confirmed else "",
        "remarks": list(item.confirmed.remarks) if item.confirmed else [],
        "content": msgspec.to_builtins(item.desired.content),
        "steps": steps,
    }


def step_object(row: Row) -> dict[str, Any]:
    """Read ``kind, started_at, finished_at, outcome, reason``."""
    kind, started_at, finished_at, outcome, reason = row
    return {
        "kind": kind,
        "started_at": text_or_none(started_at),
        "finished_at": text_or_none(finished_at),
        "outcome": outcome,
        "reason": reason or None,
    }


def bound_items(item: WorkItem) -> list[dict[str, Any]]:
    """Give a work item's bindings as JSON objects; what was not found is called by the last part of its resource id."""
    return [
        {
            "id": one.id,
            "name": one.name.rpartition("/")[2],
            "resource_id": one.name if one.name.startswith("/") else None,
            "rule": one.rule,
            "reason": one.reason,
        }
        for one in item.desired.content.bindings
    ]
