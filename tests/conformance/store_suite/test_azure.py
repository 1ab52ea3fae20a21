"""What every store tells the Azure side: what was recorded of alerts, and what people did."""

from dataclasses import replace

from tests.conformance.store_suite.conftest import OpenStore
from tests.conformance.store_suite.samples import NOW, alert, claim_one, entry, folded, item, open_in_tool, resolved

from secure_export.alerts.alert import Condition
from secure_export.store.open import Store
from secure_export.workitems.peoples_act import ENDED_BY_A_PERSON, PeoplesAct
from secure_export.workitems.work_item import WorkItem

BOTH = frozenset({Condition.FIRED, Condition.RESOLVED})


async def keep(store: Store, one: WorkItem, **parts: object) -> None:
    await store.journal.append(entry(one.correlation_key, connection=one.connection))
    lane = await claim_one(store.lanes, connection=one.connection)
    await store.lanes.save(lane, folded(lane, item=one, **parts), now=NOW)


def at_work(one: WorkItem, state: str = "In Progress") -> WorkItem:
    shown = open_in_tool(one)
    assert shown.confirmed is not None
    return replace(shown, confirmed=replace(shown.confirmed, tool_state=state))


async def test_it_is_told_which_conditions_of_an_alert_were_recorded(store: Store) -> None:
    """By id whatever its case, of one connection; alerts that are not known are left out."""
    one = open_in_tool(item())
    alerts = [
        alert("Fired", work_item=one.id),
        alert("both", work_item=one.id, ended_at=NOW),
        alert("ended", fired_at=None, ended_at=NOW),
    ]
    await keep(store, one, alerts=alerts)
    assert await store.upkeep.recorded("desk", ["FIRED", "Both", "ended", "other"]) == {
        "fired": frozenset({Condition.FIRED}),
        "both": BOTH,
        "ended": frozenset({Condition.RESOLVED}),
    }
    assert await store.upkeep.recorded("prod", ["fired"]) == {}
    assert await store.upkeep.recorded("desk", []) == {}


async def test_an_act_is_listed_until_azure_is_told(open_again: OpenStore) -> None:
    """Whatever ends the process, an act of people is owed to Azure until it is written down that it was told."""
    store = await open_again()
    one = at_work(item())
    firing = alert("a", work_item=one.id)
    await keep(store, one, alerts=[firing, alert("b", work_item=one.id, ended_at=NOW)])
    store = await open_again()
    (act,) = await store.upkeep.untold_acts(after=0, limit=10)
    assert (act.work_item, act.connection, act.number) == (one.id, "desk", "INC1")
    assert (act.act, act.alert_ids) == (PeoplesAct.ACKNOWLEDGED, ("a",))
    assert await store.upkeep.untold_acts(after=act.place, limit=10) == []
    await store.upkeep.act_told(one.id, PeoplesAct.ACKNOWLEDGED)
    assert await store.upkeep.untold_acts(after=0, limit=10) == []
    await keep(store, at_work(one, "on-hold"))
    assert await store.upkeep.untold_acts(after=0, limit=10) == []
    await keep(store, replace(resolved(one), hands_off=ENDED_BY_A_PERSON))
    (act,) = await store.upkeep.untold_acts(after=0, limit=10)
    assert act.act is PeoplesAct.RESOLVED


async def test_what_people_did_not_do_is_no_act(store: Store) -> None:
    """A new record, one that we resolved, and one that could not be opened again are told to nobody."""
    await keep(store, at_work(item("alert:a"), "New"))
    await keep(store, resolved(item("alert:b")))
    await keep(store, replace(resolved(item("alert:c")), hands_off="it was not opened again: it is closed for good"))
    assert await store.upkeep.untold_acts(after=0, limit=10) == []


async def test_acts_are_listed_a_few_at_a_time(store: Store) -> None:
    """Each call goes on after the place where the last ended."""
    for n in range(3):
        await keep(store, at_work(item(f"alert:{n}")))
    places, after = [], 0
    while acts := await store.upkeep.untold_acts(after=after, limit=2):
        after = acts[-1].place
        places += [one.place for one in acts]
    assert len(places) == len(set(places)) == 3


async def test_an_act_that_is_done_once_more_is_told_once_more(store: Store) -> None:
    """A record that was opened again, and is ended by a person again, has alerts that Azure was not told of."""
    one = item()
    ended = replace(resolved(one), hands_off=ENDED_BY_A_PERSON)
    await keep(store, ended)
    await store.upkeep.act_told(ended.id, PeoplesAct.RESOLVED)
    await keep(store, ended)
    assert await store.upkeep.untold_acts(after=0, limit=10) == []
    await keep(store, at_work(one, "New"))
    assert await store.upkeep.untold_acts(after=0, limit=10) == []
    await keep(store, ended)
    (act,) = await store.upkeep.untold_acts(after=0, limit=10)
    assert act.act is PeoplesAct.RESOLVED
