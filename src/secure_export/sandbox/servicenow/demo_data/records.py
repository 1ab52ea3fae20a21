"""Demo records: as many as strangers' tests expect to find (servicenow-facts 13.1)."""

from typing import Final

from secure_export.sandbox.servicenow.demo_data.people import user_id
from secure_export.sandbox.servicenow.demo_data.seeding import Seeding, id_of

_LOG_ENTRIES: Final = 650
_PROBLEMS: Final = (
    "Checkout is slow in the evening",
    "Warehouse scanners lose their connection",
    "Database connections run out",
    "Backups take longer every week",
    "VPN drops after eight hours",
    "Printers in Hamburg print blank labels",
    "Search index is behind",
    "Certificate renewals are missed",
    "Mail queue grows at month end",
    "Batch jobs overlap",
    "Time drift between servers",
    "Storage account throttles uploads",
)
_INCIDENTS: Final = (
    ("Cannot sign in to the shop", "software", "2"),
    ("Label printer is offline", "hardware", "1"),
    ("VPN is slow", "network", "2"),
    ("Report does not open", "inquiry", "3"),
    ("Disk of the mail server is full", "hardware", "1"),
    ("Reset of a password", "inquiry", "1"),
)

# The name of a standard change, and what its template fills in.
_STANDARD_CHANGES: Final = {
    "Restart an application service": "category=Software^description=Restart one instance after the other.^risk=4",
    "Extend a disk": "category=Hardware^description=Make a virtual disk larger while it is in use.^risk=4",
}


def fill(seeding: Seeding) -> None:
    """Write them."""
    for position, text in enumerate(_PROBLEMS, start=1):
        _task(seeding, "problem", f"PRB{position:07d}", text, state="101", problem_state="101")
    for position, (text, category, state) in enumerate(_INCIDENTS, start=1):
        states = {"state": state, "incident_state": state, "category": category}
        waits = {"hold_reason": "4"} if state == "3" else {}
        _task(seeding, "incident", f"INC{position:07d}", text, caller_id=user_id("caller.one"), **states, **waits)
    _task(seeding, "change_request", "CHG0000001", "Larger disks for the mail server", state="-5")
    for name in ("Normal", "Standard", "Emergency"):
        seeding.put("chg_model", name)
    for name, text in _STANDARD_CHANGES.items():
        _standard_change(seeding, name, text)
    for number in range(_LOG_ENTRIES):
        seeding.put("syslog", f"entry {number}", level="0", source="sandbox", message=f"Job {number} is done")


def _task(seeding: Seeding, table: str, number: str, text: str, **values: str) -> None:
    seeding.put(
        table,
        number,
        id_of(table, number),
        number=number,
        task_effective_number=number,
        short_description=text,
        opened_at=seeding.stamp,
        opened_by=user_id("admin"),
        sys_created_by="admin",
        **values,
    )


def _standard_change(seeding: Seeding, name: str, text: str) -> None:
    """Write a standard change: its template, and its first version, by whose name clients ask for it."""
    values = f"short_description={name}^{text}"
    template = seeding.put("sys_template", name, table="change_request", template=values)
    producer = seeding.put("std_change_record_producer", name, template=template)
    seeding.put("std_change_producer_version", f"{name} - 1", std_change_producer=producer)
