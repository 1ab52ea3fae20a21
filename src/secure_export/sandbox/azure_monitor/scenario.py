"""The demo's round: every kind of alert, untidy as in life, with what a right receiver ends up with."""

import random
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from secure_export.sandbox.azure_monitor import catalogue
from secure_export.sandbox.azure_monitor.action_group import ActionGroup, Webhook
from secure_export.sandbox.azure_monitor.catalogue import Ending, Notification, Story, Workshop
from secure_export.sandbox.azure_monitor.estate import PRODUCTION, Estate
from secure_export.sandbox.azure_monitor.expectation import Binding, Expectation, Scenario, Step
from secure_export.sandbox.azure_monitor.monitor import AzureMonitor, Delivery, Message
from secure_export.sandbox.azure_monitor.plan import PLAN, Course, Line

__all__ = [
    "GARBAGE",
    "MAIN_GROUP",
    "OLD_SCHEMA_GROUP",
    "SECOND_GROUP",
    "Binding",
    "Expectation",
    "Scenario",
    "Step",
    "groups_for",
    "one_round",
    "play",
]

MAIN_GROUP: Final = "ag-itsm"
SECOND_GROUP: Final = "ag-itsm-on-call"
OLD_SCHEMA_GROUP: Final = "ag-itsm-old-schema"
GARBAGE: Final = b'{"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": {"alertId": "/subscr'
_BETWEEN_STORIES: Final = timedelta(seconds=20)
_MAIN: Final = (MAIN_GROUP,)
_GROUPS: Final = {
    Course.TWICE: (MAIN_GROUP, SECOND_GROUP),
    Course.OLD_SCHEMA: (OLD_SCHEMA_GROUP,),
    Course.OLD_SCHEMA_OPEN: (OLD_SCHEMA_GROUP,),
}
_OLD: Final = frozenset({Course.OLD_SCHEMA, Course.OLD_SCHEMA_OPEN})
_OPEN: Final = frozenset({Course.OPEN, Course.OLD_SCHEMA_OPEN, Course.REPEATED})


def groups_for(service_uri: str, *, tenant_id: str, identifier_uri: str, secure: bool = True) -> list[ActionGroup]:
    """Give the action groups that a round needs: two with the same receiver, one with the common schema off.

    Args:
        service_uri: The receiver.
        tenant_id: Whose token is sent.
        identifier_uri: The Application ID URI that the token is asked for.
        secure: False: no token is sent.
    """
    receiver = Webhook(
        "itsm",
        service_uri,
        use_common_alert_schema=True,
        use_aad_auth=secure,
        identifier_uri=identifier_uri,
        tenant_id=tenant_id,
    )
    return [
        ActionGroup(MAIN_GROUP, "itsm", (receiver,)),
        ActionGroup(SECOND_GROUP, "itsm-oncall", (receiver,)),
        ActionGroup(OLD_SCHEMA_GROUP, "itsm-old", (replace(receiver, use_common_alert_schema=False),)),
    ]


def one_round(estate: Estate, start: datetime, *, seed: int = 1, test_subscription: str = PRODUCTION) -> Scenario:
    """Plan a round: the same seed and start give the same bytes.

    Args:
        estate: Where it happens.
        start: When the first alert fires. The last resolves about half an hour later by the times in the bodies, so
            take a start in the past.
        seed: Ids and values follow from it; another round needs another one, else every alert is a duplicate.
        test_subscription: The subscription that test notifications name. Azure's own ones may name one that does not
            exist (``catalogue.CANNED_SUBSCRIPTION``).
    """
    chance = random.Random(seed)
    steps: list[Step] = []
    wanted: list[Expectation] = []
    for number, line in enumerate(PLAN):
        at = start + number * _BETWEEN_STORIES + timedelta(microseconds=chance.randrange(1_000_000))
        shop = Workshop(estate, at, chance, line.rule, line.resource)
        for story, course in _stories(line, shop, test_subscription):
            expectation = _expect(story, course, line, f"{len(wanted) + 1:02d} {line.kind}")
            wanted.append(expectation)
            steps.extend(_steps(story, course, expectation.problem))
    steps.append(Step(None, Message.raw(GARBAGE), _MAIN, "a body that breaks off in the middle"))
    return Scenario(tuple(steps), tuple(wanted))


async def play(
    monitor: AzureMonitor, scenario: Scenario, *, pause: float = 0.0
) -> AsyncGenerator[tuple[Step, list[Delivery]]]:
    """Send a round step by step; each step's deliveries have ended when it is given.

    Args:
        monitor: Has the groups of ``groups_for``.
        scenario: The round.
        pause: Seconds between steps, so that people can follow.
    """
    for step in scenario.steps:
        yield step, await monitor.notify(step.message, step.groups)
        if pause:
            await monitor.pause(pause)


def _stories(line: Line, shop: Workshop, test_subscription: str) -> Iterator[tuple[Story, Course]]:
    """Give the stories of a line: mostly one, but a rule that fires again makes others of the same origin."""
    if line.course is Course.AGAIN:
        yield catalogue.build(line.kind, shop), Course.PLAIN
        later = replace(shop, at=shop.over_at + timedelta(minutes=5))
        yield catalogue.build(line.kind, later), Course.OPEN
    elif line.course is Course.REPEATED:
        for minute in range(3):
            yield catalogue.build(line.kind, replace(shop, at=shop.at + timedelta(minutes=minute))), Course.OPEN
    else:
        yield catalogue.build(line.kind, shop, test_subscription=test_subscription), line.course


def _steps(story: Story, course: Course, problem: str) -> Iterator[Step]:
    groups = _GROUPS.get(course, _MAIN)
    about = "fires; Azure tells of no end" if story.ended is None and course is Course.PLAIN else course.value
    for notification in _order(story, course):
        yield Step(problem, Message.of(story.kind, notification), groups, about)


def _order(story: Story, course: Course) -> list[Notification]:
    if course is Course.TEST_TWICE:
        return [story.fired, story.fired]
    if story.ended is None or course in _OPEN:
        return [story.fired]
    if course is Course.REVERSED:
        return [story.ended, story.fired]
    if course is Course.LATE:
        return [story.fired, story.ended, story.fired]
    return [story.fired, story.ended]


def _expect(story: Story, course: Course, line: Line, problem: str) -> Expectation:
    sent = _order(story, course)
    binding = Binding.BOUND if story.resource is not None else Binding.UNBOUND
    is_old = course in _OLD
    ids = () if is_old else tuple(dict.fromkeys(one.alert_id for one in sent if one.alert_id is not None))
    return Expectation(
        problem=problem,
        kind=story.kind,
        rule=story.rule,
        alert_ids=ids,
        is_resolved=story.ending is not Ending.NEVER and story.ended in sent,
        binding=line.binding or binding,
        resource_id=None if story.resource is None else story.resource.id,
        work_items=len(sent) if story.is_test else 1,
        is_test=story.is_test,
        is_old_schema=is_old,
    )
