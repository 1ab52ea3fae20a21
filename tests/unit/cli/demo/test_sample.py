"""The alert that the demo offers to send by hand."""

from datetime import UTC, datetime

from secure_export.alerts.decode import decode
from secure_export.alerts.references import subscriptions
from secure_export.cli.demo.sample import sample_alert
from secure_export.sandbox.azure_monitor.estate import sample_estate
from secure_export.sandbox.entra.directory import DEFAULT_TENANT_ID


def test_the_alert_speaks_for_a_subscription_that_the_demo_takes() -> None:
    """What the demo says can be sent is not refused with 403: it names the demo's subscriptions and no other."""
    estate = sample_estate(DEFAULT_TENANT_ID)
    alert = decode(sample_alert(estate, datetime(2026, 5, 4, tzinfo=UTC)))
    assert subscriptions(alert)
    assert subscriptions(alert) <= {one.lower() for one in estate.subscriptions}
