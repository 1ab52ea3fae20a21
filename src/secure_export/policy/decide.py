"""What should happen with an alert of one connection: pure, and every decision with its reason."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from secure_export.alerts.alert import Alert, Ending
from secure_export.alerts.summary import Summary
from secure_export.policy.assess import assess
from secure_export.policy.conditions import Undecided, facts, holds
from secure_export.policy.correlation import Correlation, correlate
from secure_export.policy.settings import RouteSettings, duration
from secure_export.policy.template import TemplateFailed, fill
from secure_export.workitems.priority import priority
from secure_export.workitems.work_item import Binding, Content, WhenPeopleEnd

_MAX_TITLE = 160


class Policy:
    """The routes of a connection.

    Args:
        routes: In the order in which they are asked; the last one has no condition.
    """

    def __init__(self, *routes: RouteSettings) -> None:
        self._routes = routes

    def correlate(self, alert: Alert) -> Correlation:
        """Say which lane the alert goes to, and why."""
        return self.route_of(alert).correlate(alert)

    def route_of(self, alert: Alert) -> "Route":
        """Give the route that takes an alert, and why it does; a condition that cannot be decided counts as not met."""
        *conditional, last = self._routes
        if not conditional:
            return Route(last)
        values, doubts = facts(alert), list[str]()
        for number, route in enumerate(conditional, 1):
            try:
                if route.when is None or holds(route.when, values):
                    return Route(route, (f"route {number} takes it: its `when` is true", *doubts))
            except Undecided as doubt:
                doubts.append(f"route {number} does not take it: its `when` cannot be decided ({doubt})")
        return Route(last, (f"route {len(self._routes)} takes it, as no other does", *doubts))


@dataclass(frozen=True, slots=True)
class Route:
    """What one route makes of the alerts that it takes.

    Attributes:
        settings: What it says.
        why: Why it takes the alert that was asked about.
    """

    settings: RouteSettings
    why: tuple[str, ...] = ()

    def correlate(self, alert: Alert) -> Correlation:
        """Say which lane the alert goes to, and why."""
        return correlate(alert, self.settings.group_by)

    def content(self, alert: Alert, bindings: Sequence[Binding]) -> Content:
        """Say what the work item of an alert is to contain."""
        summary = Summary(alert)
        told = _Told(summary.title(), summary.description(), summary.facts())
        assessed = assess(alert, told.facts, bindings)
        filler = _Filler(lambda: _template_values(alert, told, bindings))
        impact, urgency = self.settings.impact or assessed.impact, self.settings.urgency or assessed.urgency
        return Content(
            title=_one_line(filler(self.settings.title, "title") or told.title),
            description=filler(self.settings.description, "description") or told.description,
            impact=impact,
            urgency=urgency,
            priority=priority(impact, urgency),
            severity=alert.severity,
            work_item=self.settings.work_item,
            assignment_group=filler(self.settings.assignment_group, "assignment_group") or _support_group(bindings),
            bindings=tuple(bindings),
            fields={name: filler(text, f"fields.{name}") for name, text in self.settings.fields.items()},
            reasons=(
                *self.why,
                self.correlate(alert).reason,
                *self._assessed(assessed.reasons),
                *filler.failures,
                *alert.warnings,
            ),
        )

    def _assessed(self, reasons: Sequence[str]) -> list[str]:
        """The reasons of impact and urgency, or that the route sets them."""
        fixed = ((self.settings.impact, "impact"), (self.settings.urgency, "urgency"))
        said = zip(fixed, reasons, strict=True)
        return [f"{name} {value}: the route says so" if value else reason for (value, name), reason in said]

    def close_after(self, alert: Alert) -> timedelta | None:
        """Say how long a work item lives when nothing else ends it; None: until a person ends it."""
        if alert.is_test:
            return duration(self.settings.close_tests_after_hours)
        match alert.ending:
            case Ending.NEVER:
                return duration(self.settings.close_unresolvable_after_hours)
            case Ending.BY_TIME:
                return duration(self.settings.close_silent_after_hours)
            case Ending.BY_ID:
                return duration(self.settings.close_any_after_hours)

    @property
    def keeps_short_lived(self) -> bool:
        """Whether an alert that ended before its work item was made is still recorded."""
        return self.settings.record_short_lived

    @property
    def reopen_within(self) -> timedelta | None:
        """For how long after its resolve a work item is opened again when its problem fires again; None: never."""
        return timedelta(hours=self.settings.reopen_within_hours) if self.settings.reopen_within_hours else None

    @property
    def when_people_end(self) -> WhenPeopleEnd:
        """What is done when a person resolves a work item in the tool while its alert still fires."""
        return self.settings.when_people_end


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
