"""The types of resources that ARM manages here: their versions, members, and rules of their own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from secure_export.sandbox.azure_monitor.arm import action_groups, alert_rules, processing_rules
from secure_export.sandbox.azure_monitor.arm.visit import Visit
from secure_export.sandbox.azure_monitor.arm.world import Row

Check = Callable[[Visit, Row], Awaitable[Row]]


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A type of resources.

    Attributes:
        name: As Azure writes it.
        shown: As its own answers write it, where that differs.
        versions: The API versions that there are.
        check: Takes a resource as it will be, and gives it as it is kept, or refuses it.
        patched: The members of ``properties`` that a patch may name; empty: those of a whole resource.
        creates_with: The status of an answer to a PUT that made it.
        changed: Told of a resource that was written, or that is gone (None).
    """

    name: str
    versions: tuple[str, ...]
    check: Check
    shown: str = ""
    patched: tuple[str, ...] = ()
    creates_with: int = 201
    changed: Callable[[Visit, str, Row | None], None] | None = None


TYPES: Final = (
    ResourceType(
        "Microsoft.Insights/actionGroups",
        (
            "2017-04-01",
            "2018-03-01",
            "2018-09-01",
            "2019-03-01",
            "2019-06-01",
            "2021-09-01",
            "2022-04-01",
            "2022-06-01",
            "2023-01-01",
            "2023-09-01-preview",
            "2024-10-01-preview",
            "2026-09-01",
        ),
        action_groups.check,
        shown="Microsoft.Insights/ActionGroups",
        patched=("enabled",),
        changed=action_groups.changed,
    ),
    ResourceType(
        "Microsoft.Insights/metricAlerts",
        ("2018-03-01", "2024-03-01-preview", "2026-01-01"),
        alert_rules.check_metric,
        creates_with=200,
    ),
    ResourceType(
        "Microsoft.Insights/scheduledQueryRules",
        (
            "2018-04-16",
            "2021-08-01",
            "2022-06-15",
            "2022-08-01-preview",
            "2023-03-15-preview",
            "2023-12-01",
            "2026-03-01",
        ),
        alert_rules.check_log,
    ),
    ResourceType(
        "Microsoft.Insights/activityLogAlerts",
        ("2017-04-01", "2020-10-01", "2023-01-01-preview", "2026-01-01"),
        alert_rules.check_activity,
        patched=("enabled",),
    ),
    ResourceType(
        "Microsoft.AlertsManagement/smartDetectorAlertRules",
        ("2019-06-01", "2021-04-01"),
        alert_rules.check_smart_detector,
    ),
    ResourceType(
        "Microsoft.AlertsManagement/actionRules",
        ("2021-08-08", "2023-05-01-preview", "2024-03-01-preview"),
        processing_rules.check,
        patched=("enabled",),
    ),
)
