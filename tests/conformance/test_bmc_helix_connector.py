"""BMC Helix' incidents keep every rule of connectors, against the sandbox over real HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.conformance.bmc_helix_tool import BmcHelixTool, running
from tests.conformance.connector_suite import ConnectorSuite


class TestIncidents(ConnectorSuite):
    """Every rule of connectors, for incidents."""

    @pytest.fixture
    async def tool(self, tmp_path: Path) -> AsyncIterator[BmcHelixTool]:
        """Serve a server of its own for each test."""
        async with running(tmp_path) as tool:
            yield tool
