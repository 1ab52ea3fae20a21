"""The JSON objects of the API. The API's description is made from these, and more members may be present.

Times are texts in UTC as RFC 3339 writes them.
"""

from typing import Any, Literal, NotRequired, TypedDict


class BoundItem(TypedDict):
    """A configuration item that something is about, or why none could be bound (``id`` is null then)."""

    id: str | None
    name: str
    resource_id: NotRequired[str | None]
    rule: str
    reason: str


class AlertObject(TypedDict):
    """An alert; ``id`` is the ``alertId`` as Azure wrote it, ``work_item`` the id of the work item it went into."""

    id: str
    connection: str
    condition: Literal["fired", "resolved"]
    monitoring_service: str
    rule: str | None
    severity: str | None
    targets: list[str]
    configuration_items: list[BoundItem]
    fired_at: str | None
    resolved_at: str | None
    is_test: bool
    is_legacy_schema: bool
    work_item: str | None
    reasons: list[str]
    title: NotRequired[str | None]
    kind: NotRequired[str | None]
    investigation_link: NotRequired[str | None]
    seen_at: NotRequired[str]
    warnings: NotRequired[list[str]]


class SentBy(TypedDict, total=False):
    """Who sent a notification: what its token said, never the token."""

    tenant: str
    application: str
    version: str
    token_id: str


class NotificationObject(TypedDict):
    """One POST from Azure that was recorded."""

    id: str
    received_at: str
    caller: SentBy
    status: str


class AlertDetail(AlertObject):
    """An alert with the notifications that speak of it."""

    notifications: list[NotificationObject]


class WorkItemObject(TypedDict):
    """A work item; ``owed`` is true until the ITSM tool has confirmed what it should be.

    ``state_in_tool`` is the state there in our words, ``tool_state`` in the tool's own; ``assignment`` is who has it
    there.
    """

    id: str
    connection: str
    correlation_key: str
    state: Literal["open", "resolved"]
    owed: bool
    number: str | None
    url: str | None
    configuration_items: list[BoundItem]
    alerts: list[str]
    severity: str | None
    created_at: str
    resolved_at: str | None
    title: NotRequired[str]
    priority: NotRequired[int]
    generation: NotRequired[int]
    state_in_tool: NotRequired[Literal["open", "resolved", "closed", "gone"] | None]
    tool_state: NotRequired[str]
    assignment: NotRequired[str]
    waiting: NotRequired[str]
    parked: NotRequired[str | None]
    hands_off: NotRequired[str | None]


class StepObject(TypedDict):
    """Something that was asked of the ITSM tool; without ``finished_at`` it is under way."""

    kind: Literal["look", "create", "update", "resolve", "reopen"]
    started_at: str
    finished_at: str | None
    outcome: Literal["done", "try-later", "refused", "unclear"] | None
    reason: str | None


class WorkItemDetail(WorkItemObject):
    """A work item with what it says and every step taken for it.

    ``resolution`` is why it is to be resolved, ``resolution_in_tool`` what people or we wrote there. ``remarks`` tell
    what the tool did not take, or did differently.
    """

    content: dict[str, Any]
    steps: list[StepObject]
    reasons: NotRequired[list[str]]
    resolution: NotRequired[str]
    resolution_in_tool: NotRequired[str]
    remarks: NotRequired[list[str]]


class LaneObject(TypedDict):
    """A lane with something owed; ``work_item`` and ``title`` are of its latest work item, null when it has none."""

    key: str
    connection: str
    state: Literal["ready", "claimed", "waiting", "parked"]
    reason: str | None
    due_at: str | None
    pending: int
    work_item: str | None
    title: str | None


class QuarantinedObject(TypedDict):
    """A notification that was kept but not understood, and why."""

    id: str
    connection: str
    received_at: str
    reason: str


class QuarantinedDetail(QuarantinedObject):
    """A quarantined notification with its body as text."""

    body: str
    caller: NotRequired[SentBy]


class AlertPage(TypedDict):
    """Alerts, newest first."""

    items: list[AlertObject]
    next_cursor: str | None


class WorkItemPage(TypedDict):
    """Work items, newest first."""

    items: list[WorkItemObject]
    next_cursor: str | None


class LanePage(TypedDict):
    """Lanes that are not idle."""

    items: list[LaneObject]
    next_cursor: str | None


class QuarantinePage(TypedDict):
    """Quarantined notifications, newest first."""

    items: list[QuarantinedObject]
    next_cursor: str | None


class Retried(TypedDict):
    """How many lanes of the key were made ready."""

    retried: int


class Replayed(TypedDict):
    """The notification left quarantine and is on its way."""

    notification: str
    status: Literal["accepted"]


class Error(TypedDict):
    """What happened and what to do."""

    error: str
