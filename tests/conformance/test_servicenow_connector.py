"""ServiceNow's records keep every rule of connectors, against the sandbox over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.conformance.connector_suite import ConnectorSuite
from tests.conformance.connector_suite_steps import (
    confirmed_by,
    created,
    noted,
    only_record,
    take,
    to_reopen,
    to_resolve,
    work_item,
)
from tests.conformance.connector_suite_tool import CONNECTION
from tests.conformance.servicenow_tool import (
    INTEGRATION_USER,
    AsTable,
    ProblemTool,
    ServiceNowTool,
    TicketTool,
    running,
)

from secure_export.sandbox.servicenow.accounts import Account, set_account
from secure_export.sandbox.servicenow.faults import Fault as SandboxFault
from secure_export.sandbox.servicenow.faults import FaultKind
from secure_export.sandbox.servicenow.rules import Change, Operation
from secure_export.sandbox.servicenow.state_file import restore, snapshot
from secure_export.sandbox.servicenow.writing import CLIENT_SYS_ID
from secure_export.workitems.outcome import Done, Refused, TryLater, Unclear
from secure_export.workitems.work_item import StepKind, ToolState


class TestIncidents(ConnectorSuite):
    """Every rule of connectors, for incidents."""

    @pytest.fixture
    async def tool(self, tmp_path: Path) -> AsyncIterator[ServiceNowTool]:
        """Serve an instance of its own for each test."""
        async with running(tmp_path) as tool:
            yield tool


class TestOwnTickets(ConnectorSuite):
    """Every rule of connectors, for a table that only extends task."""

    @pytest.fixture
    async def tool(self, tmp_path: Path) -> AsyncIterator[ServiceNowTool]:
        """Serve an instance with a table of its own."""
        async with running(tmp_path, TicketTool) as tool:
            yield tool


class TestProblems(ConnectorSuite):
    """Every rule of connectors that problems have the means for."""

    @pytest.fixture
    async def tool(self, tmp_path: Path) -> AsyncIterator[ServiceNowTool]:
        """Serve an instance whose problems are cancelled when they are over."""
        async with running(tmp_path, ProblemTool) as tool:
            yield tool


@pytest.fixture
async def incidents(tmp_path: Path) -> AsyncIterator[ServiceNowTool]:
    """Serve an instance for a test of ServiceNow's own trouble."""
    async with running(tmp_path) as tool:
        yield tool


DOUBTS = (
    FaultKind.RESET_AFTER,
    FaultKind.ERROR_AFTER,
    FaultKind.CUT,
    FaultKind.GARBAGE,
    FaultKind.CANCELLED,
    FaultKind.ACCEPTED,
    FaultKind.QUEUE_FULL,
    FaultKind.ERROR_BEFORE,
    FaultKind.RESET_BEFORE,
    FaultKind.HIBERNATING,
)


@pytest.mark.parametrize("doubt", DOUBTS)
async def test_whatever_comes_back_one_record_is_there_and_resolved(
    incidents: ServiceNowTool, doubt: FaultKind
) -> None:
    """Create, update and resolve each meet trouble once, done or not done: a look and a repetition put it right."""
    item = work_item()
    for step in (StepKind.CREATE, StepKind.UPDATE, StepKind.RESOLVE):
        item = {
            StepKind.CREATE: lambda at: at,
            StepKind.UPDATE: lambda at: noted(at, "Fired: disk"),
            StepKind.RESOLVE: to_resolve,
        }[step](item)
        with meeting(incidents, SandboxFault(doubt, methods=frozenset({"POST", "PATCH"}), times=1)):
            outcome = await take(incidents.connector, step, item)
        assert isinstance(outcome, Unclear), outcome
        seen = await take(incidents.connector, StepKind.LOOK, replace(item, doubt=True))
        assert isinstance(seen, Done)
        confirmed = seen.confirmed
        if confirmed is None or confirmed.revision < item.desired.revision or step is StepKind.RESOLVE:
            confirmed = await confirmed_by(incidents.connector, step, replace(item, confirmed=confirmed))
        item = replace(item, confirmed=confirmed)
    record = await only_record(incidents, item)
    assert (record.state, record.notes) == (ToolState.RESOLVED, ("Fired: disk",))


@pytest.mark.parametrize("kept", [True, False])
async def test_two_nodes_that_create_at_once_leave_one_open_record(incidents: ServiceNowTool, kept: bool) -> None:  # noqa: FBT001 - a case
    """Whether the instance keeps the sys_id or not: one record stays open, and both nodes mean the same."""
    if not kept:
        incidents.instance.properties.set(CLIENT_SYS_ID, "dropped")
    item, nodes = work_item(), [incidents.made(CONNECTION) for _ in range(2)]
    told = await asyncio.gather(*(node.create(item) for node in nodes))
    seen = [await confirmed_by(node, StepKind.LOOK, replace(item, doubt=True)) for node in nodes]
    assert len({one.number for one in seen}) == 1
    records = await incidents.records(item.key)
    assert [record.number for record in records if record.state is ToolState.OPEN] == [seen[0].number]
    assert len(records) == 1 or not kept
    assert all(isinstance(one, Done | Unclear) for one in told)
    for node in nodes:
        await node.close()


async def test_a_close_code_that_is_removed_just_before_gives_way_to_the_next(incidents: ServiceNowTool) -> None:
    """The choice that was just read is gone when it is written: the next preference resolves the incident."""
    first = await created(incidents, work_item("first"))
    await confirmed_by(incidents.connector, StepKind.RESOLVE, to_resolve(first))
    item = to_resolve(noted(await created(incidents, work_item()), "Resolved: disk"))
    gone = SandboxFault(
        FaultKind.CHOICE_REMOVED, methods=frozenset({"PATCH"}), table="incident", element="close_code",
        value="Solution provided",
    )  # fmt: skip
    with meeting(incidents, gone):
        told = await confirmed_by(incidents.connector, StepKind.RESOLVE, item)
    assert told.state is ToolState.RESOLVED
    assert not told.resolution.startswith("Solution provided")
    assert (await only_record(incidents, item)).notes == ("Resolved: disk",)


async def test_an_acl_that_hides_our_own_rows_makes_no_second_record(incidents: ServiceNowTool) -> None:
    """Rows that are counted and not shown: nothing is made, nothing counts as deleted, and it goes on afterwards."""
    item = await created(incidents, work_item())
    with meeting(incidents, SandboxFault(FaultKind.HIDDEN, times=None)):
        for step in (StepKind.LOOK, StepKind.CREATE, StepKind.UPDATE, StepKind.RESOLVE):
            outcome = await take(incidents.connector, step, to_resolve(item))
            assert isinstance(outcome, TryLater)
            assert "ACL" in outcome.reason
    assert (await confirmed_by(incidents.connector, StepKind.RESOLVE, to_resolve(item))).state is ToolState.RESOLVED
    assert len(await incidents.records(item.key)) == 1


@pytest.mark.parametrize("returns_no_rows", ["true", "false"])
async def test_a_column_that_is_missing_is_noticed_before_anything_is_made(
    incidents: ServiceNowTool, returns_no_rows: str
) -> None:
    """Whether the instance then finds nothing or everything: no incident is made, and the reason names the column."""
    incidents.instance.remove_column("task", "correlation_id")
    incidents.instance.properties.set("glide.invalid_query.returns_no_rows", returns_no_rows)
    before = await incidents.count()
    outcome = await incidents.connector.create(work_item())
    assert isinstance(outcome, TryLater | Refused)
    assert "correlation_id" in outcome.reason
    assert await incidents.count() == before


async def test_an_instance_that_was_cloned_over_shows_the_old_record(incidents: ServiceNowTool) -> None:
    """A restored copy is open again with an older time of change, which tells it from a person's reopening."""
    item = await created(incidents, work_item())
    copy = snapshot(incidents.instance)
    incidents.instance.clock.move(timedelta(minutes=5))
    resolved = await confirmed_by(incidents.connector, StepKind.RESOLVE, to_resolve(item))
    restore(incidents.instance, copy)
    seen = await confirmed_by(incidents.connector, StepKind.LOOK, item)
    assert seen.state is ToolState.OPEN
    assert resolved.changed_at is not None
    assert seen.changed_at is not None
    assert seen.changed_at < resolved.changed_at


async def test_the_least_roles_are_enough(incidents: ServiceNowTool) -> None:
    """A user who may only write incidents and see choices makes, notes, resolves and reopens them."""
    set_account(incidents.instance, Account("azure.integration", None, frozenset({"sn_incident_write"})))
    item = noted(await created(incidents, work_item()), "Fired: disk")
    await confirmed_by(incidents.connector, StepKind.UPDATE, item)
    item = to_resolve(item)
    assert (await confirmed_by(incidents.connector, StepKind.RESOLVE, item)).state is ToolState.RESOLVED
    assert (await confirmed_by(incidents.connector, StepKind.REOPEN, to_reopen(item))).state is ToolState.OPEN
    record = await only_record(incidents, item)
    assert (record.group, record.notes) == ("Linux", ("Fired: disk", "Fired again: disk"))


async def test_a_problem_that_nobody_took_up_needs_a_person(tmp_path: Path) -> None:
    """By default a problem is resolved; where its states do not allow that, the refusal says what can be done."""
    async with running(tmp_path) as tool:
        problems = AsTable(tool.made(CONNECTION), "problem")
        item = work_item()
        item = replace(item, confirmed=await confirmed_by(problems, StepKind.CREATE, item))
        outcome = await problems.resolve(to_resolve(item))
        assert isinstance(outcome, Refused)
        assert "resolved_state" in outcome.reason
        await problems.close()


async def test_alert_texts_are_no_html_in_journals(incidents: ServiceNowTool) -> None:
    """What stands between code tags is shown as HTML: no text that somebody put into an alert may hold one."""
    tag = "[code]<b>x</b>[/Code]"
    item = await created(incidents, work_item(title=f"CPU {tag}", description=f"Percentage {tag}"))
    item = to_resolve(noted(item, f"Fired in Azure: {tag}"))
    item = replace(item, desired=replace(item.desired, resolution=f"Over: {tag}"))
    assert (await confirmed_by(incidents.connector, StepKind.RESOLVE, item)).remarks == ()
    record = await only_record(incidents, item)
    for text in (record.title, record.description, record.resolution, *record.notes):
        assert "(code)<b>x</b>(/Code)" in text


async def test_a_change_request_is_told_that_it_is_over_before_a_person_is_needed(tmp_path: Path) -> None:
    """Its end is written into it once; only then, with nothing changed, comes the refusal that needs a person."""
    async with running(tmp_path) as tool:
        changes = AsTable(tool.made(CONNECTION), "change_request")
        item = work_item()
        item = replace(item, confirmed=await confirmed_by(changes, StepKind.CREATE, item))
        told = [await changes.resolve(to_resolve(item)) for _ in range(3)]
        notes = [entry["value"] for entry in tool.instance.tables.rows("sys_journal_field")]
        assert [type(one) for one in told] == [Done, Refused, Refused]
        assert notes == ["Azure Monitor says it is over"]
        await changes.close()


async def test_what_people_wrote_about_the_end_stays(incidents: ServiceNowTool) -> None:
    """Code and notes that a person entered before the alert ended are kept, and ours stand behind them."""
    item = await created(incidents, work_item())
    words = {"close_notes": "The pool was too small", "close_code": "Workaround provided"}
    incidents.instance.update("incident", incidents.row(item.key)["sys_id"], words, incidents.person)
    await confirmed_by(incidents.connector, StepKind.RESOLVE, to_resolve(item))
    row = incidents.row(item.key)
    assert row["close_code"] == "Workaround provided"
    assert row["close_notes"] == "The pool was too small\n\nAzure Monitor says it is over"


async def test_a_step_that_is_refused_halfway_says_what_it_did(incidents: ServiceNowTool) -> None:
    """A record that was opened again before the rest was refused is open: a refusal would give it a second one."""
    item = to_resolve(await created(incidents, work_item()))
    item = replace(item, confirmed=await confirmed_by(incidents.connector, StepKind.RESOLVE, item))
    item = to_reopen(item, "A" * 3990, "B" * 3990)
    aborted = SandboxFault(FaultKind.ABORTED, methods=frozenset({"PATCH"}), body="BBBB", times=None)
    with meeting(incidents, aborted):
        told = await confirmed_by(incidents.connector, StepKind.REOPEN, item)
        assert (told.state, told.revision) == (ToolState.OPEN, item.desired.revision - 1)
        item = replace(item, confirmed=told, reopening=False)
        assert isinstance(await take(incidents.connector, StepKind.UPDATE, item), Refused)


async def test_a_store_that_was_restored_loses_no_new_note(incidents: ServiceNowTool) -> None:
    """A revision that this store never reached says nothing about the notes that it owes now."""
    old = await created(incidents, work_item())
    await confirmed_by(incidents.connector, StepKind.UPDATE, noted(old, "1", "2", "3", "4"))
    item = noted(old, "Fired after the restore")
    for _ in range(2):
        told = await confirmed_by(incidents.connector, StepKind.UPDATE, item)
        assert told.revision == item.desired.revision
    assert (await only_record(incidents, item)).notes == ("1", "2", "3", "4", "Fired after the restore")


async def test_an_instance_that_drops_keys_gets_one_record_and_no_storm_of_them(incidents: ServiceNowTool) -> None:
    """Sixty alerts at once make one record in vain; the others wait, and say why."""

    def drop(change: Change) -> None:
        change.current["correlation_id"] = ""

    incidents.instance.before("incident", drop, operations=[Operation.INSERT])
    incidents.instance.properties.set(CLIENT_SYS_ID, "dropped")
    before = await incidents.count()
    told = await asyncio.gather(*(incidents.connector.create(work_item(f"storm-{n}")) for n in range(60)))
    assert await incidents.count() - before == 1
    assert [type(one) for one in told].count(Refused) == 1
    assert all(isinstance(one, Refused | TryLater) and "correlation_id" in one.reason for one in told)


async def test_a_password_that_changed_is_not_tried_by_all_who_wait(incidents: ServiceNowTool) -> None:
    """Forty updates are under way: a few are refused, and what waits for its turn is not sent. Accounts are locked."""
    items = [noted(await created(incidents, work_item(f"storm-{n}")), "Fired: disk") for n in range(40)]
    incidents.app.limits.semaphore.service_seconds = 0.02
    under_way = [asyncio.create_task(incidents.connector.update(item)) for item in items]
    while incidents.app.counters.calls.total() < 130:  # noqa: ASYNC110 - the sandbox has no event for it
        await asyncio.sleep(0.005)
    set_account(incidents.instance, Account(INTEGRATION_USER, "changed"))
    told = await asyncio.gather(*under_way)
    assert any(isinstance(one, TryLater) for one in told)
    assert 1 <= incidents.app.counters.statuses[401] <= 4


async def test_a_note_is_written_once_where_its_revision_is_not_kept(incidents: ServiceNowTool) -> None:
    """A reopening writes in two calls: what the first brought in is not brought in by the second."""

    def drop(change: Change) -> None:
        change.current["correlation_display"] = ""

    incidents.instance.before("incident", drop)
    item = to_resolve(await created(incidents, work_item()))
    item = to_reopen(replace(item, confirmed=await confirmed_by(incidents.connector, StepKind.RESOLVE, item)))
    await confirmed_by(incidents.connector, StepKind.REOPEN, item)
    assert (await only_record(incidents, item)).notes == ("Fired again: disk",)


async def test_calls_are_counted(incidents: ServiceNowTool) -> None:
    """Alone a create and a resolve take three calls each; in a storm both approach one."""
    await confirmed_by(incidents.connector, StepKind.RESOLVE, to_resolve(await created(incidents, work_item("warm"))))
    counters = incidents.app.counters
    counters.reset()
    item = await created(incidents, work_item())
    assert counters.total == 3
    counters.reset()
    await confirmed_by(incidents.connector, StepKind.RESOLVE, to_resolve(item))
    assert counters.total == 3
    incidents.app.limits.semaphore.service_seconds = 0.01
    counters.reset()
    items = await asyncio.gather(*(created(incidents, work_item(f"storm-{n}")) for n in range(64)))
    assert counters.total / 64 < 1.6
    counters.reset()
    await asyncio.gather(*(confirmed_by(incidents.connector, StepKind.RESOLVE, to_resolve(one)) for one in items))
    assert counters.total / 64 < 1.6


@contextmanager
def meeting(tool: ServiceNowTool, fault: SandboxFault) -> Iterator[None]:
    """Have requests meet a fault of the sandbox."""
    set_ = tool.app.faults.set(fault)
    try:
        yield
    finally:
        tool.app.faults.clear(set_.id)
