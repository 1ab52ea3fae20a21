"""What a route says: which work item an alert becomes, grouped how, and when it ends."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from secure_export.policy.conditions import checked_condition
from secure_export.policy.template import checked
from secure_export.workitems.work_item import WhenPeopleEnd

TemplateText = Annotated[str, AfterValidator(checked)]
ConditionText = Annotated[str, AfterValidator(checked_condition)]
Hours = Annotated[float, Field(gt=0, le=24 * 400)] | Literal["never"]


class GroupBy(StrEnum):
    """What alerts must share to share a work item."""

    ALERT = "alert"
    CI = "ci"
    RULE = "rule"


class RouteSettings(BaseModel):
    """Which alerts become which kind of work item, grouped how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: ConditionText | None = Field(
        None,
        description="Which alerts it takes: a condition in CEL, such as "
        '`alert.severity in ["Sev0", "Sev1"]`. Routes are asked in order; the last one has no condition and takes '
        "what no other does.",
    )
    work_item: str = Field("incident", description="The kind of work item to make, in the tool's own word.")
    group_by: GroupBy = Field(
        GroupBy.ALERT,
        description="What alerts must share to share a work item: `alert` (one work item for each), `ci` (one for all "
        "that concern the same configuration item), `rule` (one for all of an alert rule; each adds its CI).",
    )
    title: TemplateText | None = Field(
        None, description="Template of the title (Jinja2); without it each kind of alert has a title of its own."
    )
    description: TemplateText | None = Field(
        None, description="Template of the description (Jinja2); without it everything that matters is listed."
    )
    assignment_group: TemplateText | None = Field(
        None,
        description="Template of the group that gets the work item; without it the CI's `support_group`.",
    )
    fields: dict[str, TemplateText] = Field(
        default_factory=dict, description="Further fields of the work item: the tool's field name and a template."
    )
    impact: Annotated[int, Field(ge=1, le=3)] | None = Field(
        None, description="Impact of every work item, 1 (high) to 3 (low); without it CI and kind decide."
    )
    urgency: Annotated[int, Field(ge=1, le=3)] | None = Field(
        None, description="Urgency of every work item, 1 (high) to 3 (low); without it severity and kind decide."
    )
    close_unresolvable_after_hours: Hours = Field(
        168,
        description="Azure never resolves some kinds (activity log, budgets, older log alerts): their work items are "
        "resolved after this long; `never`: by a person.",
    )
    close_silent_after_hours: Hours = Field(
        336,
        description="Service health and resource health end by a later event; when none comes, work items are resolved "
        "this long after the last one.",
    )
    close_any_after_hours: Hours = Field(
        "never",
        description="Work items of all other kinds are resolved after this long even when Azure sends no resolve.",
    )
    close_tests_after_hours: Hours = Field(
        1,
        description="Work items of the portal's test notifications are resolved after this long.",
    )
    record_short_lived: bool = Field(
        default=True,
        description="Whether an alert that ended before its work item was made still gets one, already resolved.",
    )
    reopen_within_hours: Annotated[float, Field(ge=0, le=24 * 400)] = Field(
        0,
        description="When a problem fires again within this time after its work item was resolved, the same work item "
        "is opened again instead of a new one being made; 0: never. One that is closed for good is not opened again.",
    )
    when_people_end: WhenPeopleEnd = Field(
        WhenPeopleEnd.LEAVE,
        description="When a person resolves a work item in the tool while its alert still fires: `leave` (it stays "
        "resolved, and the reason is kept) or `reopen` (it is opened again, once, with a note that says why).",
    )


def duration(hours: Hours) -> timedelta | None:
    """Give hours as a duration; None for ``never``."""
    return None if hours == "never" else timedelta(hours=hours)
