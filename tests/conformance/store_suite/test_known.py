"""What every store knows of alerts."""

from dataclasses import replace

import pytest
from tests.conformance.store_suite.samples import NOW, alert, at, claim_one, entry, folded, item

from secure_export.delivery.contract import AlertRecord, Basis, ClaimedLane, Outdated
from secure_export.store.open import Store


async def _lane_with(store: Store, *alerts: AlertRecord) -> ClaimedLane:
    """Keep alerts, and give a lane that is claimed anew."""
    await store.journal.append(entry())
    lane = await claim_one(store.lanes)
    await store.lanes.save(lane, folded(lane, alerts=alerts), now=NOW)
    await store.journal.append(entry())
    return await claim_one(store.lanes)


async def test_alerts_come_back_as_they_were_kept(store: Store) -> None:
    """Every member of an alert's state is kept."""
    kept = alert("a", problem="p", work_item="w", fired_at=NOW, ended_at=at(60))
    state = replace(kept.state, reasons=("it fired", "it ended"))
    lane = await _lane_with(store, replace(kept, state=state), alert("b", fired_at=None))
    known = await store.lanes.known(lane, alert_ids=["a", "b", "c"], problems=[])
    assert known.alerts == {"a": state, "b": alert("b", fired_at=None).state}


async def test_alerts_are_known_whatever_the_case_of_their_ids(store: Store) -> None:
    """Alert ids are resource ids, whose case varies: one alert, told as it was first written."""
    lane = await _lane_with(store, alert("/Alerts/A"))
    await store.lanes.save(lane, folded(lane, alerts=[alert("/alerts/a", ended_at=at(5))]), now=NOW)
    known = await store.lanes.known(lane, alert_ids=["/ALERTS/A"], problems=[])
    assert {alert_id: state.ended_at for alert_id, state in known.alerts.items()} == {"/Alerts/A": at(5)}


async def test_what_is_known_of_pending_alerts_comes_with_the_lane(store: Store) -> None:
    """A store that reads along what is known says the same as when it is asked."""
    lane = await _lane_with(store, alert("a", work_item="w"), alert("b"))
    if lane.known is not None:
        assert lane.known == await store.lanes.known(lane, alert_ids=sorted(lane.known_of), problems=[])


async def test_an_alert_is_kept_as_it_was_last_saved(store: Store) -> None:
    """Saving an alert again replaces its state."""
    lane = await _lane_with(store, alert("a"))
    await store.lanes.save(lane, folded(lane, alerts=[alert("a", ended_at=at(5))]), now=NOW)
    known = await store.lanes.known(lane, alert_ids=["a"], problems=[])
    assert known.alerts["a"].ended_at == at(5)


async def test_alerts_of_a_problem_are_known_together(store: Store) -> None:
    """Everything that tells of a problem is given, and nothing of another problem."""
    lane = await _lane_with(
        store, alert("a", problem="p"), alert("b", problem="p", ended_at=NOW), alert("c", problem="q"), alert("p")
    )
    known = await store.lanes.known(lane, alert_ids=[], problems=["p"])
    assert set(known.alerts) == {"a", "b", "p"}


async def test_of_a_long_problem_the_latest_firings_and_ends_are_known(store: Store) -> None:
    """Of hundreds of alerts of one problem those are given that decide, and not more for each that comes."""
    firing = [alert(f"f{n}", problem="p", fired_at=at(n)) for n in range(600)]
    ended = [alert(f"e{n}", problem="p", ended_at=at(n)) for n in range(600)]
    lane = await _lane_with(store, *firing, *ended)
    known = await store.lanes.known(lane, alert_ids=[], problems=["p"])
    assert {f"f{n}" for n in range(450, 600)} <= set(known.alerts)
    assert {f"e{n}" for n in range(450, 600)} <= set(known.alerts)
    assert len(known.alerts) <= 600


async def test_of_a_long_problem_those_of_the_lanes_work_item_are_known(store: Store) -> None:
    """However many fired later in other lanes, the end of a problem finds what it ends in this one."""
    one = item()
    others = [alert(f"o{n}", problem="p", work_item="another", fired_at=at(60 + n)) for n in range(300)]
    lane = await _lane_with(store, alert("a", problem="p", work_item=one.id), *others)
    known = await store.lanes.known(replace(lane, item=one), alert_ids=[], problems=["p"])
    assert known.alerts["a"].firing
    assert known.others_firing == 0


async def test_a_long_problem_ends_whole(store: Store) -> None:
    """What was too much to be read ends with what was read, so that no work item stays open for what is over."""
    one = item()
    lane = await _lane_with(
        store,
        *(alert(f"f{n}", problem="p", work_item=one.id, fired_at=at(n)) for n in range(450)),
        alert("elsewhere", problem="p", work_item="another", fired_at=at(0)),
        alert("q", problem="q", work_item=one.id),
    )
    lane = replace(lane, item=one)
    known = await store.lanes.known(lane, alert_ids=[], problems=["p"])
    assert known.others_firing == 1, "that of the other problem"
    ended = [
        AlertRecord(replace(state, ended_at=at(1000)), b"", None)
        for state in known.alerts.values()
        if state.work_item == one.id
    ]
    await store.lanes.save(lane, folded(lane, alerts=ended), now=NOW)
    firing = (await store.records.alerts(condition="fired", limit=1000)).rows
    assert {row["id"] for row in firing} == {"elsewhere", "q"}
    assert "its problem" in (await store.records.alert("f0"))["reasons"][-1]


async def test_what_fired_after_the_end_of_a_long_problem_goes_on(store: Store) -> None:
    """An old end that is told late ends nothing that fired after it, read or not."""
    one = item()
    lane = await _lane_with(store, *(alert(f"f{n}", problem="p", work_item=one.id, fired_at=at(n)) for n in range(450)))
    known = await store.lanes.known(replace(lane, item=one), alert_ids=[], problems=["p"])
    ended = [
        AlertRecord(replace(state, ended_at=at(400)), b"", None)
        for state in known.alerts.values()
        if state.fired_at is not None and state.fired_at <= at(400)
    ]
    await store.lanes.save(lane, folded(lane, alerts=ended), now=NOW)
    again = await store.lanes.known(replace(lane, item=one), alert_ids=[], problems=["p"])
    assert again.others_firing == 0
    assert {f"f{n}" for n in range(401, 450)} <= {one for one, state in again.alerts.items() if state.firing}


async def test_another_connections_alerts_are_not_known(store: Store) -> None:
    """The same alert sent to two connections is two alerts."""
    await _lane_with(store, alert("a", problem="p"))
    await store.journal.append(entry(connection="prod"))
    lane = await claim_one(store.lanes, connection="prod")
    known = await store.lanes.known(lane, alert_ids=["a"], problems=["p"])
    assert known.alerts == {}


async def test_how_many_others_of_the_work_item_fire(store: Store) -> None:
    """Firing alerts of the lane's work item that were not asked for are counted; ended ones and strangers are not."""
    one = item()
    lane = await _lane_with(
        store,
        *(alert(name, work_item=one.id) for name in ("a", "b", "c")),
        alert("d", work_item=one.id, ended_at=NOW),
        alert("e", work_item=one.id, fired_at=None),
        alert("f", work_item="another"),
    )
    known = await store.lanes.known(replace(lane, item=one), alert_ids=["a"], problems=[])
    assert known.others_firing == 2
    assert (await store.lanes.known(lane, alert_ids=["a"], problems=[])).others_firing == 0


async def test_what_was_folded_by_must_still_be_so(store: Store) -> None:
    """Two lanes speak of one alert: whoever writes second, by what is no longer so, writes nothing and hears of it."""
    lane = await _lane_with(store, alert("a"))
    known = await store.lanes.known(lane, alert_ids=["a", "b"], problems=["p"])
    basis = Basis(None, ["a", "b"], ["p"], known.alerts)
    await store.journal.append(entry("alert:other"))
    other = await claim_one(store.lanes)
    await store.lanes.save(other, folded(other, alerts=[alert("a", ended_at=at(5))], basis=basis), now=NOW)
    with pytest.raises(Outdated):
        await store.lanes.save(lane, folded(lane, alerts=[alert("a", work_item="w")], basis=basis), now=NOW)
    now_known = await store.lanes.known(lane, alert_ids=["a"], problems=[])
    assert now_known.alerts["a"].ended_at == at(5)
    basis = Basis(None, ["a"], [], now_known.alerts)
    await store.lanes.save(lane, folded(lane, alerts=[alert("a", ended_at=at(6))], basis=basis), now=NOW)


async def test_an_alert_of_the_same_problem_makes_a_basis_old(store: Store) -> None:
    """Also one that nobody knew when the problem was asked about."""
    lane = await _lane_with(store, alert("a", problem="p"))
    known = await store.lanes.known(lane, alert_ids=["a"], problems=["p"])
    await store.journal.append(entry("alert:other"))
    other = await claim_one(store.lanes)
    await store.lanes.save(other, folded(other, alerts=[alert("b", problem="p")]), now=NOW)
    with pytest.raises(Outdated):
        await store.lanes.save(lane, folded(lane, basis=Basis(None, ["a"], ["p"], known.alerts)), now=NOW)
