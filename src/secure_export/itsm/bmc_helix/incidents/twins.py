"""Two incidents of one work item: which one stays, and what becomes of the other.

BMC has no key that keeps a second one from being made: two processes that create at the same time, or a create that BMC
completes after its answer was given up, make two.
"""

from collections.abc import Sequence
from functools import partial

from secure_export.itsm.bmc_helix.api.ar_errors import Cause
from secure_export.itsm.bmc_helix.api.verdict import Ok, Refused, Verdict
from secure_export.itsm.bmc_helix.forms import INCIDENT, NUMBER
from secure_export.itsm.bmc_helix.incidents.record import CANCELLED, CHANGE_ACTION, is_over, update_id
from secure_export.itsm.bmc_helix.rows import Row, value
from secure_export.itsm.bmc_helix.tools import Tools
from secure_export.itsm.twins import TwinRecords

MADE_TWICE = "Made twice for the same alert"
_NO_LONGER = "No longer a Causal CI"
TWINS = TwinRecords(value, number=NUMBER, made_by="Submitter", key="key")


async def settle(tools: Tools, rows: Sequence[Row]) -> tuple[str, ...]:
    """End what is superfluous; see ``TwinRecords.settle``."""
    return await TWINS.settle(rows, is_over=is_over, end=partial(_end, tools))


async def _end(tools: Tools, row: Row, stays: Row) -> str:
    number, other = value(row, NUMBER), value(stays, NUMBER)
    told = await _cancelled(tools, row, f"{MADE_TWICE}: {other} stays.")
    if not isinstance(told, Ok):
        return f"{number} was made twice with {other} and could not be cancelled: {told.reason}"
    return f"{number} was made twice with {other}: it was cancelled, {other} stays"


async def _cancelled(tools: Tools, row: Row, why: str) -> Verdict:
    """Cancel an incident, and once more with what the site's workflow asks for besides."""
    settings = tools.settings
    values = {
        **CHANGE_ACTION,
        "Status": CANCELLED,
        "z1D_WorklogDetails": MADE_TWICE,
        "z1D_Details": why,
        "z1D_Activity_Type": settings.work_info_type,
        "z1D_View_Access": settings.work_info_access,
        "z1D_Secure_Log": "Yes",
    }
    told = await tools.api.change(INCIDENT, update_id(row), values)
    if isinstance(told, Refused) and told.cause is Cause.ASSIGNEE and settings.assignee is not None:
        values |= assigned(settings.assignee.name, settings.assignee.login_id)
        told = await tools.api.change(INCIDENT, update_id(row), values)
    if isinstance(told, Refused) and told.cause is Cause.STATUS_REASON:
        told = await tools.api.change(INCIDENT, update_id(row), {**values, "Status_Reason": _NO_LONGER})
    return told


def assigned(name: str, login_id: str | None) -> dict[str, str]:
    """Give the values that assign an incident to somebody."""
    return {"Assignee": name, **({"Assignee Login ID": login_id} if login_id else {})}
