"""What should happen with an alert of one connection: pure, and every decision with its reason."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from secure_export.alerts.alert import Alert, Ending
from secure_export.alerts.summary import Summary
from secure_export.policy.assess import assess
from secure_export.policy.correlation import Correlation, correlate
from secure_export.policy.settings import RouteSettings, duration
from secure_export.policy.template import TemplateFailed, fill
from secure_export.workitems.priority import priority
from secure_export.workitems.work_item import Binding, Content, WhenPeopleEnd

_MAX_TITLE = 160


@dataclass(frozen=True, slots=True)
class Policy:
    """The routes of a connection. This version has one route, which takes every alert."""

    route: RouteSettings

    def correlate(self, alert: Alert) -> Correlation:
        """Say which lane the alert goes to, and why."""
        return correlate(alert, self.route.group_by)

    def content(self, alert: Alert, bindings: Sequence[Binding]) -> Content:
        """Say what the work item of an alert is to contain."""
        summary = Summary(alert)
        told = _Told(summary.title(), summary.description(), summary.facts())
        assessed = assess(alert, told.facts, bindings)
        filler = _Filler(lambda: _template_values(alert, told, bindings))
        impact, urgency = self.route.impact or assessed.impact, self.route.urgency or assessed.urgency
        return Content(
            title=_one_line(filler(self.route.title, "title") or told.title),
            description=filler(self.route.description, "description") or told.description,
            impact=impact,
            urgency=urgency,
            priority=priority(impact, urgency),
            severity=alert.severity,
            work_item=self.route.work_item,
            assignment_group=filler(self.route.assignment_group, "assignment_group") or _support_group(bindings),
            bindings=tuple(bindings),
            fields={name: filler(text, f"fields.{name}") for name, text in self.route.fields.items()},
            reasons=(
                self.correlate(alert).reason,
                *self._assessed(assessed.reasons),
                *filler.failures,
                *alert.warnings,
            ),
        )

    def _assessed(self, reasons: Sequence[str]) -> list[str]:
        """The reasons of impact and urgency, or that the route sets them."""
        fixed = ((self.route.impact, "impact"), (self.route.urgency, "urgency"))
        said = zip(fixed, reasons, strict=True)
        return [f"{name} {value}: the route says so" if value else reason for (value, name), reason in said]

    def close_after(self, alert: Alert) -> timedelta | None:
        """Say how long a work item lives when nothing else ends it; None: until a person ends it."""
        if alert.is_test:
            return duration(self.route.close_tests_after_hours)
        match alert.ending:
            case Ending.NEVER:
                return duration(self.route.close_unresolvable_after_hours)
            case Ending.BY_TIME:
                return duration(self.route.close_silent_after_hours)
            case Ending.BY_ID:
                return duration(self.route.close_any_after_hours)

    def keeps_short_lived(self, alert: Alert) -> bool:  # noqa: ARG002 - routes will decide by alert
        """Say whether an alert that ended before its work item was made is still recorded."""
        return self.route.record_short_lived

    def reopen_within(self, alert: Alert) -> timedelta | None:  # noqa: ARG002 - as above
        """Say for how long after its resolve a work item is opened again when its problem fires again; None: never."""
        return timedelta(hours=self.route.reopen_within_hours) if self.route.reopen_within_hours else None

    def when_people_end(self, alert: Alert) -> WhenPeopleEnd:  # noqa: ARG002 - as above
        """Say what is done when a person resolves a work item in the tool while its alert still fires."""
        return self.route.when_people_end


@dataclass(frozen=True, slots=True)
class _Told:
    """What an alert tells, read once."""

    title: str
    description: str
    facts: Mapping[str, str]


class _Filler:
    """Fills templates; one that fails is left to the default, and the reason is kept."""

    def __init__(self, values: Callable[[], Mapping[str, Any]]) -> None:
        self._values = values
        self.failures: list[str] = []

    def __call__(self, template: str | None, name: str) -> str:
        if template is None:
            return ""
        try:
            return fill(template, self._values())
        except TemplateFailed as failure:
            self.failures.append(f"the route's {name} was left out: {failure}")
            return ""


def _template_values(alert: Alert, told: _Told, bindings: Sequence[Binding]) -> dict[str, Any]:
    """What templates may use: documented in ``docs/reference/templates.md``."""
    bound = next((b for b in bindings if b.id is not None), None)
    return {
        "alert": {
            "id": alert.id,
            "title": told.title,
            "description": told.description,
            "rule": alert.rule or "",
            "rule_id": alert.rule_id or "",
            "severity": alert.severity or "",
            "kind": alert.kind.value,
            "monitoring_service": alert.monitoring_service,
            "condition": alert.condition.value,
            "targets": alert.targets,
            "configuration_items": alert.configuration_items,
            "rule_description": alert.description or "",
            "fired_at": alert.fired_at.isoformat() if alert.fired_at else "",
            "investigation_link": alert.investigation_link or "",
            "is_test": alert.is_test,
        },
        "facts": told.facts,
        "custom": alert.custom_properties,
        "ci": {"id": bound.id, "name": bound.name, **bound.attributes} if bound else {},
    }


def _support_group(bindings: Sequence[Binding]) -> str | None:
    groups = [b.attributes["support_group"] for b in bindings if b.attributes.get("support_group")]
    return groups[0] if groups else None


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_TITLE else f"{line[: _MAX_TITLE - 1]}…"
