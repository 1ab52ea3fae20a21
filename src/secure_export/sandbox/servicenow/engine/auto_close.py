"""The scheduled job that closes resolved incidents (configure-incident-auto-close)."""

from datetime import timedelta
from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.clock import as_stamp
from secure_export.sandbox.servicenow.engine.incident import CLOSED, RESOLVED
from secure_export.sandbox.servicenow.errors import SnowError

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

JOB = "Autoclose Incidents"
DAYS = "glide.ui.autoclose.time"
BY_RESOLVED_AT = "com.snc.incident.autoclose.basedon.resolved_at"
_SHIPPED_DAYS = 7


def install(instance: "Instance") -> None:
    """Register the job."""
    instance.add_job(JOB, close_resolved)


def close_resolved(instance: "Instance") -> None:
    """Close incidents that stayed resolved for the configured days.

    Counted from the last update, so that whoever keeps writing postpones it; by a property from the resolution.
    """
    days = instance.properties.number(DAYS, _SHIPPED_DAYS)
    if days <= 0:
        return
    since = "resolved_at" if instance.properties.flag(BY_RESOLVED_AT) else "sys_updated_on"
    limit = as_stamp(instance.clock.now() - timedelta(days=days))
    for row in instance.find("incident", f"state={RESOLVED}^{since}<={limit}"):
        try:
            instance.update("incident", row["sys_id"], {"state": CLOSED})
        except SnowError:
            continue
