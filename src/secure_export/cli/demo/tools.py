"""The ITSM tools that the demo can send to, by the ``type`` of their connections; one more is one more line here."""

from collections.abc import Mapping
from enum import StrEnum

from secure_export.cli.demo import bmc_helix, desk, servicenow
from secure_export.cli.demo.tool import Opener


class ToolName(StrEnum):
    """Which tool; also the connection's name and type."""

    DESK = "desk"
    SERVICENOW = "servicenow"
    BMC_HELIX = "bmc-helix"


OPENERS: Mapping[ToolName, Opener] = {
    ToolName.DESK: desk.running,
    ToolName.SERVICENOW: servicenow.running,
    ToolName.BMC_HELIX: bmc_helix.running,
}
