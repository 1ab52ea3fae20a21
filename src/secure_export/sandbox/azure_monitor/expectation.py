"""A round of the demo as values: what is sent, and what a right receiver makes of it."""

from dataclasses import dataclass
from enum import StrEnum

from secure_export.sandbox.azure_monitor.monitor import Message


class Binding(StrEnum):
    """Whether the work item has to be bound to a configuration item."""

    BOUND = "bound"
    UNBOUND = "unbound"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Step:
    """One message to some groups.

    Attributes:
        problem: The name of the expectation that it belongs to; None: it ends in quarantine.
        message: What is sent.
        groups: Through which action groups.
        about: What is special, in words for people.
    """

    problem: str | None
    message: Message
    groups: tuple[str, ...]
    about: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a right receiver ends up with for one problem.

    Attributes:
        problem: A name.
        kind: The catalogue's name.
        rule: The alert rule's name; None where Azure names none.
        alert_ids: Every ``alertId`` that speaks of it; empty for older schemas.
        is_resolved: Whether its work item ends resolved.
        binding: Whether its work item has a configuration item.
        resource_id: The right one, as an ARM id; compare whatever the case.
        work_items: How many work items there are for it: 2 for a test that was sent twice, else 1.
        is_test: Whether it has to be marked as a test.
        is_old_schema: Whether it came with the common alert schema off.
    """

    problem: str
    kind: str
    rule: str | None
    alert_ids: tuple[str, ...]
    is_resolved: bool
    binding: Binding
    resource_id: str | None
    work_items: int = 1
    is_test: bool = False
    is_old_schema: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """What a round comes to.

    Attributes:
        calls: Calls of the webhook when each succeeds at once.
        work_items: Work items at the end.
        resolved: How many of them are resolved.
        bound: How many of them have to be bound.
        bound_at_most: With those that may be bound or not.
        quarantined: Bodies that nobody can understand.
    """

    calls: int
    work_items: int
    resolved: int
    bound: int
    bound_at_most: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """A round.

    Attributes:
        steps: What is sent, in this order: each step ends before the next begins.
        expectations: What has to come of it.
    """

    steps: tuple[Step, ...]
    expectations: tuple[Expectation, ...]

    @property
    def totals(self) -> Totals:
        """Add the expectations up."""
        wanted = self.expectations
        must = sum(one.work_items for one in wanted if one.binding is Binding.BOUND)
        may = sum(one.work_items for one in wanted if one.binding is Binding.EITHER)
        return Totals(
            calls=sum(len(step.groups) for step in self.steps),
            work_items=sum(one.work_items for one in wanted),
            resolved=sum(one.work_items for one in wanted if one.is_resolved),
            bound=must,
            bound_at_most=must + may,
            quarantined=sum(step.problem is None for step in self.steps),
        )
