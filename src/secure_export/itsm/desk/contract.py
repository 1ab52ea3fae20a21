"""What the desk needs of a store.

Every method raises ``StoreUnavailable`` when the store cannot take or give anything now.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.cmdb.drafts import CiDraft, PutResult
from secure_export.errors import StoreUnavailable
from secure_export.itsm.desk.incident import (
    Addition,
    Incident,
    IncidentDetails,
    IncidentDraft,
    IncidentState,
)
from secure_export.itsm.desk.people_changes import Action


class WriteInDoubt(StoreUnavailable):
    """It is not known whether a change was kept, as when the connection broke during its commit.

    Any other ``StoreUnavailable`` promises that nothing was kept.
    """


@dataclass(frozen=True, slots=True)
class PeoplesChanges:
    """Which incidents people changed.

    Attributes:
        keys: The keys of their work items, each once.
        position: Up to which change this tells.
        more: Whether there is more to ask for at once.
    """

    keys: tuple[str, ...]
    position: int
    more: bool


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """A page of incidents, newest first; ``next_cursor`` is None on the last one."""

    incidents: tuple[Incident, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class CiPage:
    """A page of CIs, newest first; ``next_cursor`` is None on the last one."""

    cis: tuple[ConfigurationItem, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation as seen from one CI.

    Attributes:
        kind: What relates them, read from the relation's owner to its target.
        outgoing: Whether the CI asked about owns it.
        other: The other CI's resource id or name.
        other_id: The other CI's id; None when the CMDB does not have it.
    """

    kind: str
    outgoing: bool
    other: str
    other_id: str | None


class Incidents(Protocol):
    """Keeps incidents. Each change is one transaction, and raises the change counter by one or more."""

    async def incident_by_key(self, connection: str, key: str) -> Incident | None:
        """Give the incident of a work item (``WorkItem.key``), or None."""
        ...

    async def open_incident(self, draft: IncidentDraft, *, now: datetime) -> Incident:
        """Open an incident as ``service_changes.opened`` says; one that the key already has is given as it is."""
        ...

    async def add(self, connection: str, key: str, addition: Addition, *, now: datetime) -> Incident | None:
        """Bring an addition in as ``service_changes.added`` says, and read the incident back; None: there is none."""
        ...

    async def act(self, number: str, action: Action, *, by: str, now: datetime) -> Incident:
        """Do what a person wants, as ``people_changes.acted`` says.

        Raises:
            NotFound: There is no such incident.
            ActionRefused: It cannot be done.
        """
        ...

    async def change_counter(self) -> int:
        """Give the number of the latest change of any incident; 0 when there is none."""
        ...

    async def changed_since(self, connection: str, position: int, *, limit: int) -> PeoplesChanges:
        """Say which incidents of a connection *people* changed after a position of the change counter."""
        ...

    async def incident(self, number: str, *, timeline_limit: int = 500) -> IncidentDetails:
        """Give an incident with its CIs and the newest lines of its timeline.

        Raises:
            NotFound: There is no such incident.
        """
        ...

    async def incidents(  # noqa: PLR0913 - filters by name
        self,
        *,
        connection: str | None = None,
        states: Collection[IncidentState] = (),
        ci: str | None = None,
        search: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> IncidentPage:
        """List incidents, newest first.

        Args:
            connection: Only of this connection.
            states: Only in these states; empty: in any.
            ci: Only those about the CI with this id.
            search: Only those whose number or title contains this text.
            cursor: ``next_cursor`` of the page before.
            limit: How many at most, up to 1,000.

        Raises:
            ValueError: The cursor is none that was handed out.
        """
        ...

    async def forget_incidents(self, *, before: datetime, limit: int) -> int:
        """Delete up to ``limit`` incidents that are over and did not change since ``before``; how many were deleted."""
        ...


class Cis(Protocol):
    """Keeps configuration items and their relations. Names and resource ids are compared without regard to case."""

    async def put_cis(self, drafts: Sequence[CiDraft], *, now: datetime) -> PutResult:
        """Add CIs or change those that are there.

        The one with the same resource id is meant; else, if one of the two has no resource id, the one with the same
        class and name, if there is just one. Attributes and relations that a draft does not name stay.
        """
        ...

    async def list_cis(self, *, search: str | None = None, cursor: str | None = None, limit: int = 100) -> CiPage:
        """List CIs, newest first; ``search`` is contained in name, class or resource id.

        Raises:
            ValueError: The cursor is none that was handed out.
        """
        ...

    async def cis(self, ids: Sequence[str]) -> Sequence[ConfigurationItem]:
        """Give the CIs with these ids."""
        ...

    async def cis_by_resource_ids(self, resource_ids: Sequence[str]) -> Sequence[ConfigurationItem]:
        """Give the CIs with these Azure resource ids (normal form)."""
        ...

    async def cis_by_names(self, names: Sequence[str]) -> Sequence[ConfigurationItem]:
        """Give every CI with one of these names."""
        ...

    async def relations(self, ci: str) -> Sequence[Relation]:
        """Give the relations of a CI, its own and those of others to it."""
        ...

    async def cmdb_version(self) -> int:
        """Give a number that grows whenever CIs change."""
        ...


class DeskRecords(Incidents, Cis, Protocol):
    """Everything the desk keeps."""

    async def try_out(self) -> None:
        """Try to read and to write, without leaving a trace."""
        ...
