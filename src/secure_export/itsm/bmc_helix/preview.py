"""The incident that a work item would become, without making it: for ``secure-export explain``."""

from typing import Any

from secure_export.itsm.bmc_helix.creating import opening_part
from secure_export.itsm.bmc_helix.ended import Ended
from secure_export.itsm.bmc_helix.forms import CREATE
from secure_export.itsm.bmc_helix.further import further_fields, matching
from secure_export.itsm.bmc_helix.incident_step import IncidentStep
from secure_export.itsm.bmc_helix.record import opening, work_info
from secure_export.itsm.bmc_helix.tools import Tools
from secure_export.itsm.contract import Preview
from secure_export.itsm.notes import bound_cis
from secure_export.workitems.work_item import WorkItem

_TEXTS = ("Description", "Detailed_Decription")
_LABELS = ("Impact", "Urgency")


async def incident(tools: Tools, item: WorkItem) -> Preview:
    ...
