"""ServiceNow survives every fault that remote tools have: incidents through the Table API, and events."""

from functools import partial

import pytest
from tests.faults.tool_faults.adapter import OpenTool
from tests.faults.tool_faults.servicenow_tool import ServiceNowEventsTool, open_servicenow
from tests.faults.tool_faults.suite import ToolFaultSuite, open_world, world

__all__ = ["open_world", "world"]

pytestmark = pytest.mark.fault


class TestIncidents(ToolFaultSuite):
    """Work items as incidents."""

    @pytest.fixture
    def open_tool(self) -> OpenTool:
        """Give an instance that keeps incidents."""
        return open_servicenow


class TestEvents(ToolFaultSuite):
    """Work items as events, for those with Event Management."""

    @pytest.fixture
    def open_tool(self) -> OpenTool:
        """Give an instance that keeps alerts."""
        return partial(open_servicenow, kind=ServiceNowEventsTool)
