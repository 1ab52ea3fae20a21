"""The incident that a work item would become, without making it: for ``secure-export explain``."""

from typing import Any

from secure_export.itsm.bmc_helix.cmdb.ci_reference import reference
from secure_export.itsm.bmc_helix.forms import ASSOCIATIONS, CREATE, FormShape
from secure_export.itsm.bmc_helix.incidents.creating import opening_part
from secure_export.itsm.bmc_helix.incidents.further import further_fields, matching
from secure_export.itsm.bmc_helix.incidents.incident_keeper import WORK_ITEMS
from secure_export.itsm.bmc_helix.incidents.incident_step import IncidentStep
from secure_export.itsm.bmc_helix.incidents.record import opening, work_info
from secure_export.itsm.bmc_helix.tools import Tools
from secure_export.itsm.contract import Preview
from secure_export.itsm.ended import Ended
from secure_export.itsm.notes import bound_cis
from secure_export.workitems.work_item import WorkItem

_TEXTS = ("Description", "Detailed_Decription")
_LABELS = ("Impact", "Urgency")


async def incident(tools: Tools, item: WorkItem) -> Preview:
    """Give the incident of a work item; names and values are looked up as for the real one.

    Args:
        tools: What steps share.
        item: The work item.
    """
    work_item = item.desired.content.work_item
    if work_item not in WORK_ITEMS:
        why = f"{work_item!r} is nothing that is kept in BMC Helix here: it would be refused"
        return Preview(work_item, {}, (f"{why}; set the route's work_item to incident",))
    step = IncidentStep(tools, item)
    shape = await tools.site.shape(CREATE)
    own = _own(step, shape)
    try:
        further = await further_fields(item, tools.settings, tools.site)
        step.remark(*further.remarks)
        values = {**further.values, **own}
        step.remark(*_required(shape, values))
    except Ended as ended:
        values = own
        step.remark(f"fields of the configuration and the route could not be looked up, and are not shown: {ended}")
    step.remark(*tools.ci_remarks(item.desired.content.bindings), *_others(item))
    return Preview(CREATE, {name: str(value) for name, value in values.items()}, tuple(step.remarks))


def _own(step: IncidentStep, shape: FormShape) -> dict[str, Any]:
    """Give what the work item itself says, with our key and its notes."""
    settings = step.tools.settings
    opened = opening(step.item, settings, {name: shape.longest(name) for name in _TEXTS})
    opened |= {name: matching(opened[name], shape, name) for name in _LABELS}
    return {**opened, **work_info(opening_part(step.item), settings), settings.key_field: step.key}


def _required(shape: FormShape, values: dict[str, Any]) -> tuple[str, ...]:
    """Say which required fields of this site have no value: the first alert would find out."""
    missing = ", ".join(shape.missing(values))
    why = f"required on {CREATE} and not given: {missing}. BMC refuses it, unless a rule of its own fills them"
    return (why,) if missing else ()


def _others(item: WorkItem) -> tuple[str, ...]:
    """Say how many configuration items do not fit into the incident's own field."""
    count = sum(reference(binding.id) is not None for binding in bound_cis(item.desired.content.bindings)) - 1
    return (
        (f"{count} further configuration item{'s' if count > 1 else ''} would be related to it ({ASSOCIATIONS})",)
        if count > 0
        else ()
    )
