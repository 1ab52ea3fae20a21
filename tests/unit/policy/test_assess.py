"""Impact and urgency."""

import msgspec
import pytest

from secure_export.alerts.alert import Alert, Condition, Ending, Kind
from secure_export.policy.assess import assess
from secure_export.workitems.work_item import Binding


def alert(kind: Kind, severity: str | None) -> Alert:
    return Alert(
        id="a", condition=Condition.FIRED, kind=kind, ending=Ending.BY_ID, problem="a", ended=False, severity=severity
    )


def ci(**attributes: str) -> tuple[Binding, ...]:
    return (Binding("ci-1", "web-01", "resource-id", "", attributes),)


@pytest.mark.parametrize(
    ("kind", "severity", "facts", "bindings", "impact", "urgency", "rule"),
    [
        (Kind.METRIC, "Sev0", {}, (), 1, 1, "Sev0 is critical when no CI says otherwise"),
        (Kind.METRIC, "Sev1", {}, (), 2, 1, "an error is urgent"),
        (Kind.METRIC, "Sev2", {}, (), 2, 2, "a warning is usual"),
        (Kind.METRIC, "Sev4", {}, (), 2, 3, "verbose can wait"),
        (Kind.METRIC, None, {}, (), 2, 2, "no severity counts as usual"),
        (Kind.METRIC, "info", {}, (), 2, 2, "a severity we do not know counts as usual"),
        (Kind.METRIC, "Sev0", {}, ci(environment="dev"), 3, 1, "a test machine stops nobody, however severe"),
        (Kind.METRIC, "Sev2", {}, ci(environment="Production"), 1, 2, "production concerns many"),
        (
            Kind.METRIC,
            "Sev2",
            {},
            ci(environment="prod", business_criticality="low"),
            3,
            2,
            "criticality before environment",
        ),
        (
            Kind.SERVICE_HEALTH,
            "Sev4",
            {"incident_type": "Incident"},
            (),
            1,
            1,
            "an Azure outage is critical though Sev4",
        ),
        (Kind.SERVICE_HEALTH, "Sev4", {"incident_type": "Maintenance"}, (), 2, 3, "planned maintenance can wait"),
        (Kind.RESOURCE_HEALTH, "Sev4", {"health": "Unavailable"}, (), 2, 1, "a dead resource is urgent though Sev4"),
        (Kind.BUDGET, None, {"forecast": "1,111 USD"}, (), 3, 3, "a forecast stops nothing"),
        (Kind.BUDGET, None, {"spent": "900 USD"}, (), 3, 2, "money that is spent wants a look"),
        (Kind.ADMINISTRATIVE, "Sev4", {"level": "Critical"}, (), 2, 1, "activity-log events count by their level"),
        (Kind.POLICY, "Sev4", {}, (), 2, 3, "a policy finding is no outage"),
    ],
)
def test_impact_and_urgency(  # noqa: PLR0917 - a row of the table
    kind: Kind,
    severity: str | None,
    facts: dict[str, str],
    bindings: tuple[Binding, ...],
    impact: int,
    urgency: int,
    rule: str,
) -> None:
    """Severity decides where it means something, the kind where it does not, and the CI has the last word on impact."""
    assessed = assess(alert(kind, severity), facts, bindings)
    assert (assessed.impact, assessed.urgency) == (impact, urgency), rule


def test_every_kind_is_assessed_with_two_reasons() -> None:
    """Whatever fires gets values in range, each with its reason."""
    for kind in Kind:
        assessed = assess(alert(kind, "Sev3"), {}, ())
        assert assessed.impact in {1, 2, 3}
        assert assessed.urgency in {1, 2, 3}
        assert [reason.split()[0] for reason in assessed.reasons] == ["impact", "urgency"]


def test_a_ci_that_was_not_found_weighs_nothing() -> None:
    """Only a CI that is bound says how important it is."""
    unbound = (Binding(None, "web-01", "not-in-cmdb", "", {"environment": "production"}),)
    assert assess(alert(Kind.METRIC, "Sev2"), {}, unbound).impact == 2
    assert msgspec.json.encode(unbound[0])
