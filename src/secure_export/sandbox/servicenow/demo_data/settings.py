"""Properties, data policies and assignment rules of a new instance."""

from typing import Final

from secure_export.sandbox.servicenow.demo_data.seeding import Seeding, id_of
from secure_export.sandbox.servicenow.engine.data_policy import DataPolicy

_PROPERTIES: Final = {
    "glide.sys.default.tz": "US/Pacific",
    "glide.sys.date_format": "yyyy-MM-dd",
    "glide.sys.time_format": "HH:mm:ss",
    "glide.invalid_query.returns_no_rows": "false",
    "glide.rest.choice.allow_non_existing_value": "false",
    "glide.rest.replace_request_host_with_property": "false",
    "glide.ui.autoclose.time": "7",
    "com.snc.incident.autoclose.basedon.resolved_at": "false",
    "evt_mgmt.alert_closes_incident": "Resolve",
    "evt_mgmt.incident_closes_alert": "true",
    "evt_mgmt.alert_reopens_incident": "true",
    "evt_mgmt.active_interval": "3600",
    "evt_mgmt.ignore_retired_cis_in_binding": "true",
    "glide.buildname": "Australia",
    "glide.war": "glide-australia-sandbox",
}
_POLICIES: Final = (
    DataPolicy(
        "Make close info mandatory when resolved or closed", "incident", "stateIN6,7", ("close_code", "close_notes")
    ),
    DataPolicy("Comments mandatory when awaiting caller", "incident", "state=3^hold_reason=1", ("comments",)),
    DataPolicy(
        "Make close info mandatory when closing change", "change_request", "state=3", ("close_code", "close_notes")
    ),
)


def fill(seeding: Seeding) -> None:
    """Write them."""
    for name, value in _PROPERTIES.items():
        seeding.instance.properties.set(name, value)
    for policy in _POLICIES:
        seeding.instance.policies.add(policy)
    for category, group in (("network", "Network"), ("database", "Database")):
        seeding.put(
            "sysrule_assignment",
            f"incident {category}",
            table="incident",
            condition=f"category={category}",
            group=id_of("sys_user_group", group),
        )
