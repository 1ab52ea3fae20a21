"""The demo's round: complete, deterministic, and with expectations that follow from what is sent."""

import json
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

from secure_export.sandbox.azure_monitor import (
    AzureMonitor,
    Binding,
    Delivered,
    Estate,
    Expectation,
    Scenario,
    Step,
    groups_for,
    one_round,
    play,
)
from secure_export.sandbox.azure_monitor.catalogue import KINDS
from secure_export.sandbox.azure_monitor.scenario import GARBAGE, OLD_SCHEMA_GROUP, SECOND_GROUP


def _steps(scenario: Scenario) -> dict[str, list[Step]]:
    found = defaultdict(list)
    for step in scenario.steps:
        if step.problem is not None:
            found[step.problem].append(step)
    return found


def _wanted(scenario: Scenario, kind: str) -> list[Expectation]:
    return [one for one in scenario.expectations if one.kind == kind]


def test_the_same_seed_and_start_give_the_same_round(estate: Estate, start: datetime) -> None:
    """Byte for byte; another seed gives other alerts."""
    one, again, other = (one_round(estate, start, seed=seed) for seed in (1, 1, 2))
    assert one == again
    ids = [
        {step.message.alert_id for step in scenario.steps if "test-" not in step.message.kind}
        for scenario in (one, other)
    ]
    assert ids[0] & ids[1] == {None}
    assert one.totals == other.totals


def test_another_start_moves_every_time(estate: Estate, start: datetime) -> None:
    """The times in the bodies follow the start."""
    late = one_round(estate, start + timedelta(days=400))
    assert b"2026-05-04" not in b"".join(step.message.common for step in late.steps)


def test_every_kind_takes_part(estate: Estate, start: datetime) -> None:
    """Nothing in the catalogue is left out, and one of the portal's tests is there."""
    kinds = {step.message.kind for step in one_round(estate, start).steps}
    assert kinds >= set(KINDS)
    assert "test-metric-static" in kinds


def test_every_oddity_takes_part(estate: Estate, start: datetime) -> None:
    """Duplicates over two groups, a resolve before its fire, a late duplicate, older schemas, garbage."""
    scenario = one_round(estate, start)
    orders = {tuple(step.message.condition for step in steps) for steps in _steps(scenario).values()}
    assert orders == {
        ("Fired",),
        ("Fired", "Resolved"),
        ("Resolved", "Fired"),
        ("Fired", "Resolved", "Fired"),
        ("Fired", "Fired"),
    }
    groups = Counter(group for step in scenario.steps for group in step.groups)
    assert groups[SECOND_GROUP] >= 5
    assert groups[OLD_SCHEMA_GROUP] >= 10
    assert [step.message.common for step in scenario.steps if step.problem is None] == [GARBAGE]


def test_every_step_belongs_to_an_expectation_and_the_other_way_round(estate: Estate, start: datetime) -> None:
    """Nothing is sent without something being expected of it."""
    scenario = one_round(estate, start)
    problems = [one.problem for one in scenario.expectations]
    assert set(_steps(scenario)) == set(problems)
    assert len(problems) == len(set(problems))


def test_alerts_that_are_told_by_id_end_as_their_notifications_say(estate: Estate, start: datetime) -> None:
    """For each alertId: resolved if any notification says so, whatever the order; no id stands in two expectations."""
    scenario = one_round(estate, start)
    conditions = defaultdict(set)
    for step in scenario.steps:
        if step.message.alert_id is not None:
            conditions[step.message.alert_id].add(step.message.condition)
    owners: dict[str, str] = {}
    for one in scenario.expectations:
        for alert_id in one.alert_ids:
            assert owners.setdefault(alert_id, one.problem) == one.problem
        if len(one.alert_ids) == 1:
            assert one.is_resolved is ("Resolved" in conditions[one.alert_ids[0]])


def test_health_ends_by_another_alert(estate: Estate, start: datetime) -> None:
    """Two ids, one work item, resolved; a maintenance that is only planned stays open."""
    scenario = one_round(estate, start)
    (machine,) = _wanted(scenario, "resource-health")
    assert (len(machine.alert_ids), machine.work_items, machine.is_resolved) == (2, 1, True)
    (planned,) = _wanted(scenario, "service-health-maintenance")
    assert (planned.is_resolved, planned.binding) == (False, Binding.UNBOUND)


def test_a_rule_that_fires_again_makes_another_problem(estate: Estate, start: datetime) -> None:
    """The first is resolved and stays so, the second is open; both have the same originAlertId."""
    scenario = one_round(estate, start)
    first, second = _wanted(scenario, "metric-dynamic")
    assert (first.is_resolved, second.is_resolved) == (True, False)
    assert not set(first.alert_ids) & set(second.alert_ids)
    origins = {
        json.loads(step.message.common)["data"]["essentials"]["originAlertId"]
        for step in scenario.steps
        if step.message.kind == "metric-dynamic"
    }
    assert len(origins) == 1
    assert len(_wanted(scenario, "metric-stateless")) == 3


def test_a_test_sent_twice_is_two_work_items(estate: Estate, start: datetime) -> None:
    """Tests have constant ids and must not be swallowed as duplicates."""
    scenario = one_round(estate, start)
    (test,) = _wanted(scenario, "test-metric-static")
    one, two = _steps(scenario)[test.problem]
    assert one.message == two.message
    assert (test.work_items, test.is_test, test.binding) == (2, True, Binding.UNBOUND)


def test_each_problem_is_bound_to_the_resource_it_is_about(estate: Estate, start: datetime) -> None:
    """Every resource exists; budgets, service health, bare workspaces and ambiguous names have none."""
    scenario = one_round(estate, start)
    ids = {one.id for one in estate.resources}
    unbound = {one.kind for one in scenario.expectations if one.binding is Binding.UNBOUND}
    assert unbound == {
        "budget-spent",
        "budget-forecast",
        "service-health-incident",
        "service-health-maintenance",
        "log-search-workspace",
        "log-search-ambiguous",
        "test-metric-static",
    }
    assert {one.resource_id for one in scenario.expectations if one.binding is Binding.BOUND} <= ids
    assert all(one.resource_id is None for one in scenario.expectations if one.binding is Binding.UNBOUND)


def test_the_resource_can_be_found_in_what_is_sent(estate: Estate, start: datetime) -> None:
    """A receiver can know the resource: its id, or at least its name, stands in each body, in some case."""
    scenario = one_round(estate, start)
    steps = _steps(scenario)
    for one in scenario.expectations:
        if one.binding is not Binding.BOUND:
            continue
        assert one.resource_id is not None
        for step in steps[one.problem]:
            body = (step.message.legacy if one.is_old_schema else step.message.common).decode().lower()
            assert one.resource_id.lower() in body or one.resource_id.lower().rpartition("/")[2] in body


def test_older_schemas_have_no_ids_to_look_for(estate: Estate, start: datetime) -> None:
    """What comes in an older schema has no alertId, and is marked."""
    for one in one_round(estate, start).expectations:
        assert (one.alert_ids == ()) is one.is_old_schema


def test_totals_add_up(estate: Estate, start: datetime) -> None:
    """The sums are those of the expectations."""
    scenario = one_round(estate, start)
    totals = scenario.totals
    assert totals.calls == sum(len(step.groups) for step in scenario.steps)
    assert totals.work_items == len(scenario.expectations) + 1
    assert totals.resolved == sum(one.is_resolved for one in scenario.expectations)
    assert totals.bound < totals.bound_at_most < totals.work_items
    assert totals.quarantined == 1


async def test_a_round_is_played_in_order_and_each_step_has_ended(
    estate: Estate, start: datetime, receiver: Any, clock: Any
) -> None:
    """Every step's calls are answered before the next begins, so "resolved first" is first on the wire."""
    scenario = one_round(estate, start)
    groups = groups_for(receiver.url, tenant_id=estate.tenant, identifier_uri="api://x", secure=False)
    async with AzureMonitor("", "", "", groups=groups, clock=clock, sleep=clock.sleep) as monitor:
        played = [pair async for pair in play(monitor, scenario, pause=0.5)]
    assert [step for step, _ in played] == list(scenario.steps)
    assert all(isinstance(one.result, Delivered) for _, deliveries in played for one in deliveries)
    expected = [
        step.message.legacy if group == OLD_SCHEMA_GROUP else step.message.common
        for step in scenario.steps
        for group in step.groups
    ]
    assert receiver.bodies == expected
    assert clock.slept == [0.5] * len(scenario.steps)
