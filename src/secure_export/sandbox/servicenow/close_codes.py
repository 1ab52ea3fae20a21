"""The two lists of resolution codes: which one an instance has depends on when it was born (servicenow-facts 9.1)."""

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from secure_export.sandbox.servicenow.demo_data.seeding import Seeding

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

_OLD: Final = (
    "Solved (Work Around)",
    "Solved (Permanently)",
    "Solved Remotely (Work Around)",
    "Solved Remotely (Permanently)",
    "Not Solved (Not Reproducible)",
    "Not Solved (Too Costly)",
    "Closed/Resolved by Caller",
)
_NEW: Final = (
    "Duplicate",
    "Known error",
    "No resolution provided",
    "Resolved by caller",
    "Resolved by change",
    "Resolved by problem",
    "Resolved by request",
    "Solution provided",
    "Workaround provided",
    "User error",
)


class CloseCodes(StrEnum):
    """Which list: of a new instance, of an old one, or both, as an upgraded one may have."""

    NEW = "new"
    OLD = "old"
    BOTH = "both"


_LISTS: Final = {CloseCodes.NEW: _NEW, CloseCodes.OLD: _OLD, CloseCodes.BOTH: (*_OLD, *_NEW)}


def set_close_codes(instance: "Instance", which: CloseCodes) -> None:
    """Put one list of an incident's resolution codes in the place of the present one."""
    for row in instance.find("sys_choice", "name=incident^element=close_code"):
        instance.tables.remove("sys_choice", row["sys_id"])
    seeding = Seeding(instance)
    for position, code in enumerate(_LISTS[which]):
        values = {"name": "incident", "element": "close_code", "value": code, "label": code}
        seeding.put("sys_choice", f"incident close_code {code}", **values, language="en", sequence=str(position))
