"""ServiceNow's records keep every rule of connectors, against the sandbox over real HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.conformance.connector_suite import ConnectorSuite
from tests.conformance.servicenow_tool import ProblemTool, ServiceNowTool, TicketTool, running


class TestIncidents(ConnectorSuite):
    """Every rule of connectors, for incidents."""

    @pytest.fixture
    async def tool(self, tmp_path: Path) -> AsyncIterator[ServiceNowTool]:
        """Serve an instance of its own for each test."""
        async with running(tmp_path) as tool:
            yield tool


class TestOwnTickets(ConnectorSuite):
    """Every rule of connectors, for a table that only extends task."""

    @pytest.fixture
    async def tool(self, tmp_path: Path) -> AsyncIterator[ServiceNowTool]:
        """Serve an instance with a table of its own."""
        async with running(tmp_path, TicketTool) as tool:
            yield tool


class TestProblems(ConnectorSuite):
    """Every rule of connectors that problems have the means for."""

    @pytest.fixture
    async def tool(self, tmp_path: Path) -> AsyncIterator[ServiceNowTool]:
        """Serve an instance whose problems are cancelled when they are over."""
        async with running(tmp_path, ProblemTool) as tool:
            yield tool
