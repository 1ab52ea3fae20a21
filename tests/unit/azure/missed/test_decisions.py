"""For whom an alert was, and how far a run looks: pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.azure.missed.test_translate import RULE, SUBSCRIPTION, row

from secure_export.azure.missed.listed import ListedAlert, read_listed
from secure_export.azure.missed.meant import RULE_NOT_FOUND, OurGroup, meant_for
from secure_export.azure.missed.progress import OVERLAP, Progress, kept, next_pass, to_keep

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def group_id(name: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.insights/actiongroups/{name}"


OURS = OurGroup(group_id("ours"), "desk")
EVERY = OurGroup(group_id("every"), "all", SUBSCRIPTION)
LINKED = {RULE.lower(): frozenset({group_id("ours"), group_id("theirs")})}


def listed(**changes: object) -> ListedAlert:
    one = read_listed(row())
    assert one is not None
    return replace(one, **changes)  # type: ignore[arg-type] # the caller names members


@pytest.mark.parametrize(
    ("alert", "ours", "rules", "connections"),
    [
        (listed(), [OURS], LINKED, ("desk",)),
        (listed(), [OURS], {}, ()),
        (listed(), [OURS, EVERY], {}, ("all",)),
        (listed(subscription="other"), [EVERY], {}, ()),
        (listed(suppressed=True), [OURS, EVERY], LINKED, ()),
        (listed(action_groups=frozenset({group_id("theirs")})), [OURS, EVERY], LINKED, ()),
        (listed(action_groups=frozenset({group_id("ours")})), [OURS], {}, ("desk",)),
        (listed(), [OURS, replace(OURS, id=group_id("theirs"))], LINKED, ("desk",)),
        (listed(), [], LINKED, ()),
    ],
)
def test_only_what_an_action_group_of_ours_was_to_be_told_of_is_ours(
    alert: ListedAlert, ours: list[OurGroup], rules: dict[str, frozenset[str]], connections: tuple[str, ...]
) -> None:
    """Azure's word first, then the rule's action groups, then the whole subscription; nothing that was suppressed."""
    meant = meant_for(alert, ours, rules)
    assert meant.connections == connections
    assert meant.reason


def test_a_rule_that_cannot_be_seen_is_not_one_that_names_others() -> None:
    """Resource Graph leaves out what one may not read: the reason says so, instead of blaming the rule."""
    assert meant_for(listed(), [OURS], {}).reason == RULE_NOT_FOUND
    assert meant_for(listed(), [OURS], {RULE.lower(): frozenset()}).reason == "its rule names none of our groups"


def test_the_first_pass_looks_back_as_far_as_the_configuration_says() -> None:
    """What happened before is not asked for, in later passes either."""
    first = next_pass(None, now=NOW, look_back=DAY, keeps=400 * DAY)
    assert (first.floor, first.since, first.began) == (NOW - DAY, NOW - DAY, NOW)
    later = next_pass(Progress(floor=first.floor, until=NOW), now=NOW + DAY, look_back=DAY, keeps=400 * DAY)
    assert (later.floor, later.since) == (NOW - DAY, NOW - OVERLAP)


@pytest.mark.parametrize(("keeps", "days"), [(400 * DAY, 30), (7 * DAY, 7)])
def test_no_pass_looks_farther_back_than_azure_or_our_store_remembers(keeps: timedelta, days: int) -> None:
    """What our store has forgotten would seem to be missing, and become a second work item."""
    old = Progress(floor=NOW - 300 * DAY, until=NOW - 200 * DAY)
    for known, since in ((None, None), (old, None), (None, NOW - 300 * DAY)):
        one = next_pass(known, now=NOW, look_back=90 * DAY, keeps=keeps, since=since)
        assert one.since == one.floor == NOW - days * DAY


def test_a_pass_that_was_interrupted_is_gone_on_with() -> None:
    """At the page where it was; and what was kept is read back as it was."""
    under_way = Progress(floor=NOW - DAY, until=NOW - DAY, began=NOW, page="https://azure/next")
    assert next_pass(kept(to_keep(under_way)), now=NOW + DAY, look_back=DAY, keeps=30 * DAY) == under_way
    assert kept("") is None
    assert kept("not ours") is None


@pytest.mark.parametrize(
    ("names", "formerly"),
    [
        ([("a",), ("a",)], {}),
        ([("a",), ("b",)], {"b": ("a",)}),
        ([("a",), ("b",), ("c",)], {"c": ("b", "a")}),
        ([("a",), ("b",), ("a",)], {"a": ("b",)}),
        ([("a",), ("b",), ("b", "a")], {}),
        ([("a",), ("b",), ("b", "a"), ("b",)], {}),
        ([("a", "x"), ("b", "c"), ("b", "c", "a")], {"b": ("x",), "c": ("x",)}),
        ([("a",), ("b",), ("b", "c")], {"b": ("a",)}),
        ([("a",), ("a", "b")], {}),
        ([("a", "b"), ("b",), ("b", "c")], {}),
        ([("a", "b"), ("b", "c")], {"c": ("a",)}),
        ([("a", "b"), ("c", "d")], {"c": ("a", "b"), "d": ("a", "b")}),
        ([(), ("a",)], {}),
    ],
)
def test_a_connection_that_comes_when_others_are_gone_may_be_one_of_them(
    names: list[tuple[str, ...]], formerly: dict[str, tuple[str, ...]]
) -> None:
    """It is remembered until it is gone itself, and lost for good when both were there at a time."""
    progress: Progress | None = None
    for number, some in enumerate(names):
        now = NOW + number * DAY
        for _ in range(2):
            progress = next_pass(progress, now=now, look_back=DAY, keeps=30 * DAY, connections=some)
            progress = kept(to_keep(progress))
    assert progress is not None
    assert progress.formerly == formerly
