"""Counts, sums and groups of the Aggregate API (servicenow-facts 7.3)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sandbox.servicenow.apis import Answer, Apis
from tests.unit.sandbox.servicenow.instances import incident

from secure_export.sandbox.servicenow import aggregates, stats_api

PATH = "/api/now/stats/incident"
ROWS = ({"state": "1", "reopen_count": "1"}, {"state": "1", "reopen_count": "4"}, {"state": "2"})


async def asked(rows: Any = ROWS, **query: str) -> Answer:
    apis = Apis(stats_api)
    for row in rows:
        made = incident(apis.instance, state=row["state"], short_description=row.get("short_description", "x"))
        apis.instance.tables.put("incident", {**made, "reopen_count": row.get("reopen_count", "")})
    return await apis.get(PATH, **query)


async def test_a_count_is_a_text() -> None:
    """Without a group there is one object of stats."""
    assert (await asked(sysparm_count="true")).result == {"stats": {"count": "3"}}


async def test_a_query_narrows_what_is_counted() -> None:
    """An invalid term is left out here, too: the trap."""
    assert (await asked(sysparm_count="true", sysparm_query="state=2")).result["stats"]["count"] == "1"
    assert (await asked(sysparm_count="true", state="2")).result["stats"]["count"] == "1"
    assert (await asked(sysparm_count="true", sysparm_query="no_such=2")).result["stats"]["count"] == "3"


async def test_a_plain_count_counts_hidden_rows_too() -> None:
    """As X-Total-Count does: count and cut come before access rules; groups tell only what may be seen."""
    apis = Apis(stats_api)
    incident(apis.instance)
    incident(apis.instance, caller_id=apis.instance.user("caller.one").sys_id)
    plain = await apis.get(PATH, user="caller.one", sysparm_count="true")
    grouped = await apis.get(PATH, user="caller.one", sysparm_count="true", sysparm_group_by="state")
    assert plain.result["stats"]["count"] == "2"
    assert [one["stats"]["count"] for one in grouped.result] == ["1"]


async def test_functions_of_fields() -> None:
    """Averages with four decimals, as the documentation shows them; unknown fields are left out."""
    fields = {f"sysparm_{one}_fields": "reopen_count,no_such" for one in ("avg", "min", "max", "sum")}
    stats = (await asked(**fields)).result["stats"]
    assert stats == {one: {"reopen_count": value} for one, value in zip(stats, ("2.5000", "1", "4", "5"), strict=True)}


async def test_extremes_of_dates_are_dates() -> None:
    """What is no number is compared as it is written."""
    stats = (await asked(sysparm_max_fields="sys_created_on,priority")).result["stats"]
    assert stats["max"] == {"sys_created_on": "2026-05-04 12:00:00", "priority": "5"}


@pytest.mark.parametrize(
    ("display", "field"),
    [
        ("false", {"field": "state", "value": "1"}),
        ("true", {"field": "state", "value": "New"}),
        ("all", {"field": "state", "display_value": "New", "value": "1"}),
    ],
)
async def test_groups_tell_their_fields(display: str, field: dict[str, str]) -> None:
    """In the display mode that was asked for."""
    answer = await asked(sysparm_count="true", sysparm_group_by="state", sysparm_display_value=display)
    assert answer.result[0] == {"stats": {"count": "2"}, "groupby_fields": [field]}


@pytest.mark.parametrize(
    ("order", "states"),
    [("", "12"), ("state^DESC", "21"), ("COUNT", "21"), ("COUNT^DESC", "12"), ("SUM^reopen_count", "21"), ("no", "12")],
)
async def test_groups_are_sorted(order: str, states: str) -> None:
    """By a field or a function, upwards unless told otherwise."""
    answer = await asked(sysparm_count="true", sysparm_group_by="state", sysparm_order_by=order)
    assert "".join(one["groupby_fields"][0]["value"] for one in answer.result) == states


@pytest.mark.parametrize(("having", "groups"), [("count^state^>^1", 1), ("count^state^<=^2", 2), ("nonsense", 2)])
async def test_groups_must_fulfil_conditions(having: str, groups: int) -> None:
    """What cannot be read is left out."""
    answer = await asked(sysparm_count="true", sysparm_group_by="state", sysparm_having=having)
    assert len(answer.result) == groups


async def test_an_unknown_table_and_a_closed_one_are_refused() -> None:
    """As the Table API refuses them."""
    apis = Apis(stats_api)
    assert (await apis.get("/api/now/stats/no_such")).refusal == "400 Invalid table no_such / None"
    assert (await apis.get(PATH, user="caller.one")).status in {200, 403}
    assert (await apis.get("/api/now/v1/stats/sys_properties", user="azure.integration")).status == 403


numbers = st.lists(st.integers(-(10**6), 10**6).map(str) | st.just(""), max_size=20)


@settings(max_examples=100)
@given(values=numbers)
def test_functions_agree_with_each_other(values: list[str]) -> None:
    """The average lies between the extremes, and is sum by count of what is not empty."""
    rows = [{"n": value} for value in values]
    told = {one: aggregates.value_of(one, "n", rows) for one in aggregates.FUNCTIONS}
    held = [int(value) for value in values if value]
    if not held:
        assert set(told.values()) == {""}
        return
    assert int(told["sum"]) == sum(held)
    assert (int(told["min"]), int(told["max"])) == (min(held), max(held))
    assert float(told["avg"]) == pytest.approx(sum(held) / len(held), abs=1e-4)


@settings(max_examples=100)
@given(order=st.text(max_size=20), having=st.text(max_size=20))
def test_nothing_that_is_asked_for_breaks_the_reading(order: str, having: str) -> None:
    """What makes no sense orders nothing and excludes nothing."""
    assert all(isinstance(one.column, str) for one in aggregates.read_order(order))
    assert aggregates.read_having(having) == [] or having.count("^") >= 3
