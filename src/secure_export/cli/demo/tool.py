"""What the demo needs of an ITSM tool: the contract that one small module for each of them fulfils."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from secure_export.app import Parts
from secure_export.sandbox.azure_monitor.estate import Estate
from secure_export.sandbox.azure_monitor.scenario import Expectation


@dataclass(frozen=True, slots=True)
class Place:
    """Something that runs, and where to look at it.

    Attributes:
        name: What it is.
        where: Its address, or how much of it there is.
        what: What it is there for.
    """

    name: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one problem.

    Attributes:
        wanted: What has to come of it.
        items: Its work items, as JSON objects of the contract.
    """

    wanted: Expectation
    items: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did in the tool, and what its work item has to say of it soon.

    Attributes:
        item: The work item's id.
        about: What they did, in words.
        tool_state: The state, in the tool's own word.
        assignment: Who has it now.
    """

    item: str
    about: str
    tool_state: str
    assignment: str


class Tool(Protocol):
    """An ITSM tool that the demo's alerts go to, with a CMDB that knows the estate."""

    @property
    def label(self) -> str:
        """What people call it."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """The connection's section of the configuration, without its subscriptions."""
        ...

    async def fill(self, parts: Parts) -> None:
        """Put the estate into the CMDB.

        Args:
            parts: The service's own parts, for a tool that lives among them.
        """
        ...

    def places(self) -> Sequence[Place]:
        """Say where to look, once the CMDB is filled."""
        ...

    @property
    def remark(self) -> str:
        """What differs from the demo with the desk, in a sentence; empty: nothing."""
        ...

    def hints(self, results: Sequence[Result]) -> Sequence[tuple[str, str]]:
        """Say what a person can look at or try in the tool after the round, each with its address or command."""
        ...

    def people_act(self, results: Sequence[Result]) -> Act | None:
        """Have a person do something with one of the open work items; None: people act on pages of their own."""
        ...

    def complaints(self, results: Sequence[Result]) -> Sequence[str]:
        """Say what in the tool itself is not as it should be: read there, whatever our store says."""
        ...


Opener = Callable[[Path, Estate], AbstractAsyncContextManager[Tool]]
"""Starts a tool for as long as the block lasts, given a folder of its own and what the alerts are about."""
