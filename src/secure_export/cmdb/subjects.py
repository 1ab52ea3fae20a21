"""What is to be bound: each thing that an alert names, with where it is looked for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from secure_export.alerts.references import References
from secure_export.alerts.resource_id import ResourceId, normal_form, parse
from secure_export.cmdb.rules import CAN_BIND_LATER
from secure_export.workitems.work_item import Binding

_SUBSCRIPTION = "subscription_id"
_RESOURCE_GROUP = "resource_group"


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that an alert names.

    Attributes:
        text: What it was called: a resource id in normal form, or a name as written.
        source: Where the alert names it.
        resource: The parts of the resource id; None for a name.
        subscription: The subscription that names are looked for in first, in lower case; None when not known.
        resource_group: The same, more narrowly.
        listed: The subscriptions, in lower case, in which a name may be found at all; None: in any.
    """

    text: str
    source: str = ""
    resource: ResourceId | None = None
    subscription: str | None = None
    resource_group: str | None = None
    listed: frozenset[str] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What a CI of it may be called, in lower case, the best first: a computer's full name, then its host name."""
        if self.resource is not None:
            return (self.resource.name,)
        name = self.text.lower()
        host = name.partition(".")[0]
        return (name,) if host in {"", name} or host.isdigit() else (name, host)

    @property
    def parents(self) -> tuple[str, ...]:
        """The ids of the resources that it is a part of, the nearest first."""
        return tuple(_parents(self.resource)) if self.resource is not None else ()

    @property
    def scope(self) -> dict[str, str]:
        """Where it was looked for, in the form that an unbound binding keeps for a later try."""
        known = {_SUBSCRIPTION: self.subscription, _RESOURCE_GROUP: self.resource_group}
        return {name: value for name, value in known.items() if value} if self.resource is None else {}


def subjects_of(references: References, listed: frozenset[str] | None = None) -> tuple[Subject, ...]:
    """Give what an alert names, full ids first; a name that a full id tells already is left out."""
    resources = [_of_resource(one.resource_id, one.source) for one in references.resources]
    names = [
        Subject(name, "", None, _lower(references.subscription), _lower(references.resource_group), listed)
        for name in references.names
        if name.strip()
    ]
    return _each_once((*resources, *names))


def subject_of(binding: Binding, listed: frozenset[str] | None = None) -> Subject | None:
    """Give what an unbound binding is about, to look again; None when it is bound or nothing can be found later."""
    if binding.id is not None or not binding.name or binding.rule not in CAN_BIND_LATER:
        return None
    if binding.name.startswith("/"):
        return _of_resource(binding.name, "the alert")
    scope = binding.attributes
    return Subject(binding.name, "", None, scope.get(_SUBSCRIPTION), scope.get(_RESOURCE_GROUP), listed)


def wanted_resource_ids(subjects: Iterable[Subject]) -> list[str]:
    """Give the resource ids to look up, those of parents too."""
    ids = (one for s in subjects if s.resource is not None for one in (s.resource.text, *s.parents))
    return list(dict.fromkeys(ids))


def wanted_names(subjects: Iterable[Subject]) -> list[str]:
    """Give the names to look up, in lower case."""
    return list(dict.fromkeys(name for subject in subjects for name in subject.names))


def _of_resource(resource_id: str, source: str) -> Subject:
    parts = parse(resource_id)
    if parts is None:
        return Subject(normal_form(resource_id), source)
    return Subject(parts.text, source, parts, parts.subscription, parts.resource_group)


def _each_once(subjects: Sequence[Subject]) -> tuple[Subject, ...]:
    told = {subject.resource.name for subject in subjects if subject.resource is not None}
    kept: dict[str, Subject] = {}
    for subject in subjects:
        if subject.resource is not None or not told.intersection(subject.names):
            kept.setdefault(subject.text.lower(), subject)
    return tuple(kept.values())


def _parents(resource: ResourceId) -> Iterator[str]:
    parent = resource.parent()
    while parent is not None and (parts := parse(parent)) is not None and parts.is_resource:
        yield parts.text
        parent = parts.parent()


def _lower(text: str | None) -> str | None:
    return text.lower() if text else None
