"""Which resources an alert names, in the order in which they are to be looked for in a CMDB.

Full resource ids come first, because a name can mean several resources. What was only queried (a Log Analytics
workspace), what only holds others (a subscription) and what is none (``["budgets"]``) is not the affected configuration
item; it is given as ignored, with the reason (Azure Monitor docs, "Common alert schema", ``configurationItems``).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from secure_export.alerts.alert import Alert, Kind
from secure_export.alerts.common_schema import context_members
from secure_export.alerts.kinds import ACTIVITY_LOG
from secure_export.alerts.members import Members
from secure_export.alerts.resource_id import ResourceId, last_segment, normal_form, parse, subscription_of
from secure_export.alerts.results import result_cells

_MOST = 100
_ID_DIMENSIONS = frozenset({"_resourceid", "resourceid", "microsoft.resourceid"})
_NAME_DIMENSIONS = frozenset({"resource", "computer"})
_LOG_SEARCHES = frozenset({Kind.LOG_SEARCH, Kind.LOG_SEARCH_V1, Kind.SIMPLE_LOG})
_QUERIED = frozenset({"microsoft.operationalinsights/workspaces", "microsoft.monitor/accounts"})
_APPLICATIONS = "microsoft.insights/components"
_AUTOSCALE_SETTINGS = "microsoft.insights/autoscalesettings"
_VAULTS = frozenset({"microsoft.recoveryservices/vaults", "microsoft.dataprotection/backupvaults"})


@dataclass(frozen=True, slots=True)
class ResourceReference:
    """A resource that an alert names by its full id.

    Attributes:
        resource_id: In normal form (lower case, no slash at the end).
        source: Where the alert names it, such as ``alertTargetIDs``.
    """

    resource_id: str
    source: str


@dataclass(frozen=True, slots=True)
class References:
    """What an alert names.

    Attributes:
        resources: Resources by their full ids, the most telling first.
        names: Names that no full id covers, as written.
        ignored: What the alert names besides and why it is not the affected CI.
        subscription: Where to look for the names first, in lower case; None when the alert does not say.
        resource_group: The same, more narrowly.
    """

    resources: tuple[ResourceReference, ...] = ()
    names: tuple[str, ...] = ()
    ignored: tuple[tuple[str, str], ...] = ()
    subscription: str | None = None
    resource_group: str | None = None


def references(alert: Alert) -> References:
    """Give the resources that an alert names."""
    context = context_members(alert.context)
    found = _Found(alert)
    targets = [parts for one in alert.targets if (parts := parse(one)) is not None]
    for parts in sorted(targets, key=lambda parts: parts.name not in found.items):
        found.target(parts)
    for resource, source in _ids_in(alert, context):
        found.resource(resource, source)
    for name, source in _names_in(alert, context):
        found.name(name, source)
    if not found.resources:
        for name, source in _names_told_by_context(alert, context):
            found.name(name, source)
    found.settle()
    groups = {parts.resource_group for parts in targets if parts.type not in _QUERIED}
    return References(
        resources=tuple(ResourceReference(*one) for one in list(found.resources.items())[:_MOST]),
        names=tuple(list(found.names.values())[:_MOST]),
        ignored=tuple(list(found.ignored.items())[:_MOST]),
        subscription=next((s for one in (*alert.targets, alert.id) if (s := subscription_of(one))), None),
        resource_group=groups.pop() if len(groups) == 1 else None,
    )


def subscriptions(alert: Alert) -> frozenset[str]:
    """Give the subscriptions that an alert speaks for, in lower case.

    These are all that the alert could have an effect on: those of its id, of its targets, of every resource it could be
    bound to, and of its budget. A caller that may speak for one of them only must not slip in another.
    """
    named = {subscription_of(one) for one in (alert.id, *alert.targets)}
    if _may_hold_ids(alert):
        found = references(alert)
        named.update(subscription_of(one.resource_id) for one in found.resources)
        named.update(subscription_of(what) for what, _ in found.ignored)
        named.update(_of_budget(alert))
    return frozenset(one for one in named if one)


class _Found:
    """Collects what an alert names, each thing once, the first source first."""

    def __init__(self, alert: Alert) -> None:
        self._alert = alert
        self.items = {item.lower() for item in alert.configuration_items}
        self.resources: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.ignored: dict[str, str] = {}
        self._at_last: dict[str, tuple[str, str]] = {}

    def target(self, parts: ResourceId) -> None:
        """Take a target as the affected resource, as the last resort, or as none."""
        if not parts.is_resource:
            self._container(parts)
        elif parts.type in _QUERIED and self._alert.kind not in ACTIVITY_LOG:
            self._queried(parts)
        elif parts.type in _VAULTS and self._alert.kind is Kind.BACKUP:
            self._at_last[parts.text] = (parts.name, "it is the vault that keeps the backup, not what is backed up")
        elif parts.type == _AUTOSCALE_SETTINGS:
            self._at_last[parts.text] = (parts.name, "it is the autoscale setting, and what it scales is named")
        elif parts.type == _APPLICATIONS and self._alert.kind in _LOG_SEARCHES:
            self._at_last[parts.text] = (parts.name, "it is the application that was queried, and others are named")
        else:
            self.resource(parts, "alertTargetIDs")

    def resource(self, parts: ResourceId, source: str) -> None:
        if parts.is_resource and parts.text not in self.ignored:
            self.resources.setdefault(parts.text, source)

    def name(self, name: str, source: str) -> None:
        parts = parse(name) if name.startswith("/") else None
        if parts is not None:
            self.resource(parts, source)
        elif name.startswith("/"):
            self.ignored.setdefault(name, f"{source} gives a path here, and neither a name nor a full resource id")
        elif self._alert.kind is Kind.BUDGET:
            self.ignored.setdefault(name, "budgets have no configuration item; this is a word that all of them send")
        else:
            self.names.setdefault(name.lower(), name)

    def settle(self) -> None:
        """Take last resorts when there is nothing else, and drop names that are told already."""
        for text, (name, why) in self._at_last.items():
            others = [one for one in self.names if one != name]
            if self.resources or others:
                self.ignored[text] = why
            else:
                self.resources[text] = "alertTargetIDs"
        told = {last_segment(one) for one in (*self.resources, *self.ignored)}
        self.names = {key: name for key, name in self.names.items() if not {key, key.partition(".")[0]} & told}

    def _container(self, parts: ResourceId) -> None:
        if parts.resource_group == parts.name and self._alert.kind in ACTIVITY_LOG:
            self.resources.setdefault(parts.text, "alertTargetIDs")
            return
        self.ignored[parts.text] = "it is the scope of the alert, not the affected resource"

    def _queried(self, parts: ResourceId) -> None:
        if self._alert.kind in _LOG_SEARCHES or self._alert.kind is Kind.PROMETHEUS:
            self.ignored[parts.text] = (
                "it is the workspace that was queried, not the affected resource; split the rule by the dimension "
                "_ResourceId or Computer to have that named"
            )
        else:
            self._at_last[parts.text] = (parts.name, "it is the workspace that holds the data, and others are named")


def _ids_in(alert: Alert, context: Members) -> Iterator[tuple[ResourceId, str]]:
    """Full resource ids in the context, with their sources."""
    for name, value, source in _dimensions(context):
        if name in _ID_DIMENSIONS and (parts := parse(value)):
            yield parts, source
    properties = context.object("properties")
    places = {
        "linkedResourceId": context.text("linkedResourceId") if alert.kind is Kind.BACKUP else "",
        "label microsoft.resourceid": context.object("labels").text("microsoft.resourceid"),
        "autoscale resourceName": properties.text("resourceName") if alert.kind is Kind.AUTOSCALE else "",
        "authorization scope": "" if alert.targets else context.object("authorization").text("scope"),
    }
    for source, text in places.items():
        if text and (parts := parse(text)):
            yield parts, source


def _names_in(alert: Alert, context: Members) -> Iterator[tuple[str, str]]:
    """What Azure itself gives as configuration items."""
    yield from ((item.strip(), "configurationItems") for item in alert.configuration_items if item.strip())
    yield from ((item, "AffectedConfigurationItems") for item in context.texts("AffectedConfigurationItems"))


def _names_told_by_context(alert: Alert, context: Members) -> Iterator[tuple[str, str]]:
    """Names in the context, which count only when no full id is known."""
    for name, value, source in _dimensions(context):
        if name in _NAME_DIMENSIONS and value:
            yield value, source
    if alert.kind is Kind.BACKUP:
        yield from ((one, "linkedResourceName") for one in context.texts("linkedResourceName"))
    if alert.kind is Kind.SECURITY:
        yield from ((one, "compromisedEntity") for one in context.object("properties").texts("compromisedEntity"))
    if alert.kind is Kind.PROMETHEUS:
        yield from ((one, "label cluster") for one in context.object("labels").texts("cluster"))


def _dimensions(context: Members) -> list[tuple[str, str, str]]:
    """Names (lower case), values and sources of dimensions, and of the columns of results where they are sent."""
    criteria = context.object("condition").objects("allOf")
    split = [one for criterion in criteria for one in criterion.objects("dimensions")]
    split += context.objects("Dimensions")
    told = [(one.text("name"), one.text("value"), "dimension") for one in split]
    told += [(column, value, "result column") for column, value in result_cells(context)]
    return [(name.lower(), value, f"{source} {name}") for name, value, source in told]


def _may_hold_ids(alert: Alert) -> bool:
    """Whether there can be a resource id beyond the targets; spares intake the reading of most contexts."""
    raw = bytes(alert.context)
    if b"\\" in raw or b"ubscription" in raw.lower():
        return True
    return any("/" in item for item in alert.configuration_items)


def _of_budget(alert: Alert) -> Iterator[str | None]:
    if alert.kind is not Kind.BUDGET:
        return
    data = context_members(alert.context).object("AlertData")
    for name in ("BudgetId", "Scope"):
        yield subscription_of(normal_form(data.text(name)))
