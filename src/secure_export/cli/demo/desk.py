"""The desk as the demo's tool: it lives in the service's own store, and people use it on pages of the console."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from secure_export.app import Parts
from secure_export.cli.demo.tool import Place, Result
from secure_export.clock import utc_now
from secure_export.cmdb.imports import read_import
from secure_export.sandbox.azure_monitor.estate import Estate


class Desk:
    """The embedded desk with its CMDB.

    Args:
        estate: What the alerts are about.
    """

    label = "the desk"
    remark = ""
    settings: Mapping[str, Any] = {"type": "desk"}

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._cis = 0

    async def fill(self, parts: Parts) -> None:
        """Import the estate as ``az graph query`` would export it."""
        export = json.dumps(self._estate.resource_graph_export()).encode()
        put = await parts.store.desk.put_cis(read_import(export, "resources.json").drafts, now=utc_now())
        self._cis = put.added

    def places(self) -> Sequence[Place]:
        """Say what there is of it; its pages are the console's."""
        return [Place("desk and CMDB", f"{self._cis} CIs", "imported from an Azure Resource Graph export")]

    def hints(self, _: Sequence[Result]) -> Sequence[tuple[str, str]]:
        """Say nothing more: its incidents are in the console."""
        return []

    def people_act(self, _: Sequence[Result]) -> None:
        """Leave it to the person at the console."""

    def complaints(self, _: Sequence[Result]) -> Sequence[str]:
        """Say nothing more: what the desk confirmed is in the same store."""
        return []


@asynccontextmanager
async def running(_: Path, estate: Estate) -> AsyncIterator[Desk]:
    """Give the desk; nothing has to be started for it."""
    yield Desk(estate)
