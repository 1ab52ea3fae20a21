"""The desk's incidents and CIs as JSON, and what people send to change them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.itsm.desk.contract import Relation
from secure_export.itsm.desk.incident import EventKind, Incident, IncidentCi, IncidentDetails, IncidentState
from secure_export.itsm.desk.people_changes import Action, Assign, Comment, Rate, SetState

Words = Annotated[str, Meta(min_length=1, max_length=20_000, pattern=r"\S")]
Name = Annotated[str, Meta(max_length=200)]
Level = Annotated[int, Meta(ge=1, le=3)]


class IncidentObject(msgspec.Struct, frozen=True, kw_only=True):
    """An incident of the desk; ``priority`` (1 critical to 5 planning) follows from ``impact`` and ``urgency``."""

    number: str
    connection: str
    key: str
    title: str
    description: str
    state: IncidentState
    impact: Level
    urgency: Level
    priority: Annotated[int, Meta(ge=1, le=5)]
    assignment_group: str
    assignee: str
    fields: Mapping[str, str]
    resolution_code: str
    resolution: str
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    closed_at: datetime | None


class ChangeObject(msgspec.Struct, frozen=True, kw_only=True):
    """A field that changed."""

    field: str
    old: str
    new: str


class EventObject(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an incident's timeline."""

    at: datetime
    by: str
    kind: EventKind
    text: str
    changes: tuple[ChangeObject, ...]


class IncidentDetail(IncidentObject, frozen=True, kw_only=True):
    """An incident with the CIs it is about and its timeline, oldest first."""

    configuration_items: tuple[IncidentCi, ...]
    timeline: tuple[EventObject, ...]


class IncidentPageObject(msgspec.Struct, frozen=True, kw_only=True):
    """Incidents, newest first."""

    items: tuple[IncidentObject, ...]
    next_cursor: str | None


class RelationObject(msgspec.Struct, frozen=True, kw_only=True):
    """A relation as seen from one CI; ``outgoing`` tells whether that CI owns it."""

    kind: str
    outgoing: bool
    other: str
    other_id: str | None


class ConfigurationItemObject(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration item of the desk's CMDB."""

    id: str
    name: str
    class_name: str
    resource_id: str | None
    attributes: Mapping[str, str]


class ConfigurationItemDetail(ConfigurationItemObject, frozen=True, kw_only=True):
    """A configuration item with its relations."""

    relations: tuple[RelationObject, ...]


class ConfigurationItemPage(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration items, newest first."""

    items: tuple[ConfigurationItemObject, ...]
    next_cursor: str | None


class CommentForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody says about an incident."""

    text: Words

    def action(self) -> Action:
        """Give it as the desk takes it."""
        return Comment(self.text)


class AssignForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is to work on it; an empty text takes it away, an absent one leaves it as it is."""

    group: Name | None = None
    assignee: Name | None = None

    def action(self) -> Action:
        """Give it as the desk takes it."""
        return Assign(self.group, self.assignee)


class StateForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The state it is to have, and how it was resolved when it is resolved or closed by this."""

    state: IncidentState
    resolution: Annotated[str, Meta(max_length=20_000)] = ""

    def action(self) -> Action:
        """Give it as the desk takes it."""
        return SetState(self.state, self.resolution.strip())


class RateForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much is concerned, and how soon it hurts: 1 (high) to 3 (low)."""

    impact: Level | None = None
    urgency: Level | None = None

    def action(self) -> Action:
        """Give it as the desk takes it."""
        return Rate(self.impact, self.urgency)


Form = CommentForm | AssignForm | StateForm | RateForm
FORMS: Mapping[str, type[Form]] = {
    "comment": CommentForm,
    "assign": AssignForm,
    "state": StateForm,
    "rate": RateForm,
}


def incident_object(incident: Incident) -> IncidentObject:
    """Give an incident without what is ours alone."""
    return msgspec.convert(incident, IncidentObject, from_attributes=True)


def incident_detail(details: IncidentDetails) -> IncidentDetail:
    """Give an incident with everything a person may see."""
    timeline = msgspec.convert(details.timeline, tuple[EventObject, ...], from_attributes=True)
    members: dict[str, Any] = msgspec.structs.asdict(incident_object(details.incident))
    return IncidentDetail(**members, configuration_items=details.cis, timeline=timeline)


def ci_object(ci: ConfigurationItem) -> ConfigurationItemObject:
    """Give a CI."""
    return msgspec.convert(ci, ConfigurationItemObject, from_attributes=True)


def ci_detail(ci: ConfigurationItem, relations: Sequence[Relation]) -> ConfigurationItemDetail:
    """Give a CI with its relations."""
    members: dict[str, Any] = msgspec.structs.asdict(ci_object(ci))
    return ConfigurationItemDetail(
        **members, relations=msgspec.convert(tuple(relations), tuple[RelationObject, ...], from_attributes=True)
    )
