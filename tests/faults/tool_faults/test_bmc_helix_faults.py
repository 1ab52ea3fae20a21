"""BMC Helix survives every fault that remote tools have."""

import pytest
from tests.faults.tool_faults.adapter import OpenTool
from tests.faults.tool_faults.bmc_helix_tool import open_bmc_helix
from tests.faults.tool_faults.suite import ToolFaultSuite, open_world, world

__all__ = ["open_world", "world"]

pytestmark = pytest.mark.fault


class TestIncidents(ToolFaultSuite):
    """Work items as incidents."""

    @pytest.fixture
    def open_tool(self) -> OpenTool:
        """Give a server that keeps incidents."""
        return open_bmc_helix
