"""Incidents in BMC Helix survive BMC's own trouble, against the sandbox over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conformance.bmc_helix_tool import BASE, KEY_FIELD, WORK_LOG, BmcHelixTool, MovedClock, running
from tests.conformance.connector_suite_steps import (
    bound,
    confirmed_by,
    created,
    noted,
    only_record,
    take,
    to_reopen,
    to_resolve,
    work_item,
)

from secure_export.sandbox.bmc_helix.change import Change
from secure_export.sandbox.bmc_helix.demo_data import INTEGRATION_USER
from secure_export.sandbox.bmc_helix.errors import workflow
from secure_export.sandbox.bmc_helix.faults import Fault, FaultKind
from secure_export.sandbox.bmc_helix.forms.incident import STAGING
from secure_export.sandbox.bmc_helix.people import Account
from secure_export.sandbox.bmc_helix.person import Person
from secure_export.workitems.outcome import Done, Refused, TryLater, Unclear
from secure_export.workitems.work_item import Binding, StepKind, ToolState, WorkItem


@pytest.fixture
async def incidents(tmp_path: Path) -> AsyncIterator[BmcHelixTool]:
    """Serve a server for each test."""
    async with running(tmp_path) as tool:
        yield tool


async def test_a_store_that_was_restored_loses_no_new_note(incidents: BmcHelixTool) -> None:
    """A revision that this store never reached says nothing about the notes that it owes now."""
    old = await created(incidents, work_item())
    later = noted(old, "1", "2", "3", "4")
    await confirmed_by(incidents.connector, StepKind.UPDATE, later)
    item = old
    for text in ("after the restore", "and once more", "a third", "a fourth"):
        item = noted(item, text)
        told = [await confirmed_by(incidents.connector, StepKind.UPDATE, item) for _ in range(2)]
        assert [one.revision for one in told] == [item.desired.revision] * 2
        item = replace(item, confirmed=told[-1])
    notes = (await only_record(incidents, item)).notes
    assert notes == ("1", "2", "3", "4", "after the restore", "and once more", "a third", "a fourth")


async def test_a_note_that_is_refused_after_a_reopening_is_no_refusal(incidents: BmcHelixTool) -> None:
    """An incident that was opened again is open: a refusal would give its problem a second one."""
    item = await resolved(incidents, await created(incidents, work_item()))
    incidents.server.filters.append(drop_notes_of_changes)
    incidents.app.faults.set(Fault(FaultKind.REFUSED, form=WORK_LOG, times=None))
    assert isinstance(await take(incidents.connector, StepKind.REOPEN, to_reopen(item)), Unclear)
    assert (await only_record(incidents, item)).state is ToolState.OPEN


async def test_a_step_that_is_refused_halfway_says_what_it_did(incidents: BmcHelixTool) -> None:
    """What came in before the rest was refused is there, and the next step tells of the refusal."""
    item = noted(await created(incidents, work_item()), "A" * 31_000, "B" * 31_000)
    incidents.server.filters.append(refuse_words("BBBB"))
    told = await confirmed_by(incidents.connector, StepKind.UPDATE, item)
    assert (told.state, told.revision) == (ToolState.OPEN, item.desired.revision - 1)
    assert isinstance(await take(incidents.connector, StepKind.UPDATE, replace(item, confirmed=told)), Refused)


async def test_cis_that_were_related_before_a_refusal_are_told_of(incidents: BmcHelixTool) -> None:
    """A relation is a change, too: a refusal would say that nothing was changed."""
    item = with_cis(noted(await created(incidents, work_item()), "No"), await two_cis(incidents))
    incidents.server.filters.append(refuse_words("No"))
    told = await confirmed_by(incidents.connector, StepKind.UPDATE, item)
    assert told.revision < item.desired.revision
    assert len((await only_record(incidents, item)).cis) == 1
    assert isinstance(await take(incidents.connector, StepKind.UPDATE, replace(item, confirmed=told)), Refused)


async def test_an_end_that_a_person_has_to_bring_about_is_noted_before_it_is_refused(tmp_path: Path) -> None:
    """It is written into the incident once; only then, with nothing changed, comes the refusal."""
    async with running(tmp_path, assignee=None) as tool:
        item = to_resolve(await created(tool, work_item()))
        told = [await tool.connector.resolve(item) for _ in range(3)]
        assert [type(one) for one in told] == [Done, Refused, Refused]
        (note,) = (await only_record(tool, item)).notes
        assert "did not let this incident be resolved" in note


async def test_a_server_that_drops_keys_gets_one_incident_and_no_storm_of_them(tmp_path: Path) -> None:
    """Sixty alerts at once make one incident in vain; the others wait and say why, until it is cancelled."""
    clock = MovedClock()
    async with running(tmp_path, clock=clock) as tool:
        tool.server.filters.append(drop_key)
        told = await storm(tool)
        assert [type(one) for one in told].count(Refused) == 1
        assert all(isinstance(one, Refused | TryLater) and KEY_FIELD in one.reason for one in told)
        for _ in range(3):
            clock.seconds += 1000
            assert all(isinstance(one, TryLater) for one in await storm(tool))
        (vain,) = tool.server.entries.rows(BASE)
        tool.server.filters.remove(drop_key)
        Person(tool.server).cancel(vain["Incident Number"])
        clock.seconds += 1000
        assert all(isinstance(one, Done) for one in await storm(tool))
        assert await tool.count() == 61


@pytest.mark.parametrize("deleted", [False, True])
async def test_rights_that_hide_what_we_make_let_us_make_no_more(tmp_path: Path, *, deleted: bool) -> None:
    """A user who may not see its own incidents makes one in vain, however long that lasts, and then goes on."""
    clock = MovedClock()
    async with running(tmp_path, clock=clock) as tool:
        account = sees(tool, frozenset())
        item, other = work_item(), work_item("other")
        assert isinstance(await tool.connector.create(item), Unclear)
        for _ in range(5):
            clock.seconds += 60
            seen = await take(tool.connector, StepKind.LOOK, replace(item, doubt=True))
            assert isinstance(seen, TryLater)
            assert isinstance(await tool.connector.create(other), TryLater)
        assert await tool.count() == 1
        if deleted:
            await tool.delete(item.key)
        tool.server.accounts.set(account)
        clock.seconds += 60
        assert isinstance(await tool.connector.create(other), Done)
        assert isinstance(await tool.connector.create(item), Done)
        assert await tool.count() == 2


async def test_a_user_who_may_not_read_people_goes_on(tmp_path: Path) -> None:
    """Whether we may see the company cannot be told then: what is not found after a lost answer is made."""
    clock = MovedClock()
    async with running(tmp_path, clock=clock) as tool:
        account = tool.server.accounts.get(INTEGRATION_USER)
        assert account is not None
        tool.server.accounts.set(replace(account, roles=frozenset({"Incident Master", "CMDB Data View All"})))
        tool.app.faults.set(Fault(FaultKind.RESET_BEFORE, form=STAGING, methods=frozenset({"POST"})))
        assert not isinstance(await tool.connector.create(work_item()), Done)
        clock.seconds += 60
        assert await tool.connector.look(replace(work_item(), doubt=True)) == Done(None)


async def test_what_another_node_made_first_is_not_called_told(incidents: BmcHelixTool) -> None:
    """Of two incidents made at once the older stays: a note that only ours had is still owed to it."""
    await created(incidents, noted(work_item("warm"), "Fired: warm"))
    item = noted(work_item(), "Fired: disk")
    incidents.server.filters.insert(0, first_made_by_another(incidents.server.accounts.get(INTEGRATION_USER), item.key))
    item = replace(item, confirmed=await confirmed_by(incidents.connector, StepKind.CREATE, item))
    await confirmed_by(incidents.connector, StepKind.UPDATE, item)
    open_ = [one for one in await incidents.records(item.key) if one.state is ToolState.OPEN]
    assert [one.notes for one in open_] == [("Fired: disk",)]


async def test_a_copy_is_left_alone_where_nobody_may_see_who_made_it(incidents: BmcHelixTool) -> None:
    """Who made an incident may be hidden: then none is called our double."""
    item = await created(incidents, work_item())
    (ours,) = incidents.server.entries.rows(BASE)
    copy = Person(incidents.server).open("Copied", **{KEY_FIELD: ours[KEY_FIELD]})
    for row in list(incidents.server.entries.rows(BASE)):
        incidents.server.entries.put(BASE, row["Entry ID"], {**row, "Submitter": None})
    told = await confirmed_by(incidents.connector, StepKind.LOOK, replace(item, doubt=True))
    assert not any("cancelled" in remark for remark in told.remarks)
    states = {one.number: one.state for one in await incidents.records(item.key)}
    assert states[copy] is ToolState.OPEN


async def test_a_password_that_changed_is_not_tried_by_all_who_wait(incidents: BmcHelixTool) -> None:
    """Forty updates are under way: a few are refused, and what waits for its turn is not sent. Accounts are locked."""
    items = [noted(await created(incidents, work_item(f"storm-{n}")), "Fired: disk") for n in range(40)]
    refused: list[str] = []

    def change_it(change: Change) -> None:
        if change.before is not None and not refused:
            refused.append("now")
            account = incidents.server.accounts.get(INTEGRATION_USER)
            assert account is not None
            incidents.server.accounts.set(replace(account, password="changed"))
            incidents.app.tokens.revoke()

    incidents.server.filters.append(change_it)
    told = await asyncio.gather(*(incidents.connector.update(item) for item in items))
    assert any(isinstance(one, TryLater) for one in told)
    assert 1 <= unauthorised(incidents) <= 4 + 1  # those who were sent already, and one log-in


def unauthorised(tool: BmcHelixTool) -> int:
    return tool.app.counters.statuses[401]


async def two_cis(tool: BmcHelixTool) -> tuple[Binding, ...]:
    return tuple([bound(await tool.add_ci(name, f"/x/{name}"), name) for name in ("vm-1", "vm-2")])


def with_cis(item: WorkItem, bindings: tuple[Binding, ...]) -> WorkItem:
    return replace(item, desired=replace(item.desired, content=replace(item.desired.content, bindings=bindings)))


async def storm(tool: BmcHelixTool) -> list[object]:
    return await asyncio.gather(*(tool.connector.create(work_item(f"storm-{number}")) for number in range(60)))


async def resolved(tool: BmcHelixTool, item: WorkItem) -> WorkItem:
    item = to_resolve(item)
    return replace(item, confirmed=await confirmed_by(tool.connector, StepKind.RESOLVE, item))


def sees(tool: BmcHelixTool, companies: frozenset[str]) -> Account:
    """Let our user see these companies only; the account as it was."""
    account = tool.server.accounts.get(INTEGRATION_USER)
    assert account is not None
    tool.server.accounts.set(replace(account, companies=companies))
    return account


def drop_key(change: Change) -> None:
    """Let workflow not keep our key."""
    change.row.pop(KEY_FIELD, None)


def drop_notes_of_changes(change: Change) -> None:
    """Let the server not keep work notes that come with a change of an incident."""
    if change.before is not None:
        change.display.pop("z1D_Details", None)
        change.display.pop("z1D_WorklogDetails", None)


def refuse_words(text: str) -> Callable[[Change], None]:
    """Let workflow refuse work notes with some words in them."""

    def check(change: Change) -> None:
        if text in str(change.display.get("z1D_Details", "")):
            raise workflow("No such words here.")

    return check


def first_made_by_another(account: Account | None, key: str) -> Callable[[Change], None]:
    """Let another node of ours, which knows less, make the incident just before."""
    made: list[str] = []

    def make(change: Change) -> None:
        if change.form.name == STAGING and not made and str(change.row.get(KEY_FIELD)).endswith(key):
            made.append(key)
            assert account is not None
            without = {name: value for name, value in change.sent.items() if not name.startswith(("z1D_D", "z1D_W"))}
            change.server.create(STAGING, without, account)

    return make
