"""Resolving an incident and opening it again, whatever BMC's workflow wants."""

import pytest
from tests.unit.itsm.bmc_helix.fake_ar import (
    ASSIGNEE,
    INCIDENT,
    FakeAr,
    bench,
    instead,
    known,
    work_item,
)
from tests.unit.itsm.bmc_helix.incident_steps import KEY_OF, RESOLVE, confirmed, made
from tests.unit.itsm.scripted import answer

from secure_export.workitems.outcome import Refused
from secure_export.workitems.work_item import ToolState


async def test_resolving_writes_status_reason_and_text() -> None:
    """Status, reason and resolution are read back; the reason for an alert that cleared comes first."""
    at = bench()
    row, item = await made(at)
    found = confirmed(await at.incidents.resolve(work_item(**RESOLVE, confirmed=item.confirmed)))
    assert (row["Status"], row["Status_Reason"]) == ("Resolved", "Automated Resolution Reported")
    assert found.state is ToolState.RESOLVED
    assert found.resolution == "Automated Resolution Reported: Azure Monitor says it is over"
    assert found.ended_at == at.server.now


async def test_the_next_reason_is_tried() -> None:
    """A site without the first reason gets the next one of the list."""
    at = bench(FakeAr(reasons=("Monitoring Incident",)))
    row, item = await made(at)
    confirmed(await at.incidents.resolve(work_item(**RESOLVE, confirmed=item.confirmed)))
    assert row["Status_Reason"] == "Monitoring Incident"


async def test_reasons_that_the_form_lacks_are_not_tried() -> None:
    """Where the form tells its values, only those are sent."""
    shape = {"fields": [{"name": "Status_Reason", "selections": ["Monitoring Incident", "Request"]}]}
    at = bench(FakeAr(reasons=("Monitoring Incident",), shapes={INCIDENT: shape}))
    _, item = await made(at)
    confirmed(await at.incidents.resolve(work_item(**RESOLVE, confirmed=item.confirmed)))
    assert at.server.names().count(f"PUT {INCIDENT}") == 1


async def test_no_reason_is_taken() -> None:
    """The refusal says which were tried, and what to set."""
    at = bench(FakeAr(reasons=("Own reason",)))
    _, item = await made(at)
    outcome = await at.incidents.resolve(work_item(**RESOLVE, confirmed=item.confirmed))
    assert isinstance(outcome, Refused)
    assert "Automated Resolution Reported" in outcome.reason
    assert "status_reasons" in outcome.reason


async def test_nobody_has_it_and_bmc_wants_somebody() -> None:
    """Without an assignee the end is told in a note, once, and waits for a person with BMC's own words."""
    at = bench(FakeAr(assignee_needed=True))
    row, item = await made(at)
    item = work_item(**RESOLVE, notes=("Resolved: disk",), confirmed=item.confirmed)
    assert confirmed(await at.incidents.resolve(item)).state is ToolState.OPEN  # a refusal would say: nothing changed
    for _ in range(2):
        outcome = await at.incidents.resolve(item)
        assert isinstance(outcome, Refused)
        assert ASSIGNEE in outcome.reason
    (note,) = at.server.notes()
    assert note.startswith("Resolved: disk\n\n---\n\nAzure Monitor says it is over")
    assert ASSIGNEE in note
    at.server.person_sets(row, Assignee="Ada Lovelace")
    assert confirmed(await at.incidents.resolve(item)).state is ToolState.RESOLVED
    assert len(at.server.notes()) == 1


async def test_no_note_where_none_is_wanted() -> None:
    """The policy ``refuse`` leaves the incident as it is."""
    at = bench(FakeAr(assignee_needed=True), when_not_resolvable="refuse")
    _, item = await made(at)
    outcome = await at.incidents.resolve(work_item(**RESOLVE, notes=("Resolved: disk",), confirmed=item.confirmed))
    assert isinstance(outcome, Refused)
    assert at.server.notes() == []


async def test_somebody_is_named_for_resolving() -> None:
    """The setting assigns an incident that nobody has, and never one that somebody has."""
    assignee = {"name": "Azure Integration", "login_id": "azure.integration"}
    at = bench(FakeAr(assignee_needed=True), assignee=assignee)
    row, item = await made(at)
    confirmed(await at.incidents.resolve(work_item(**RESOLVE, confirmed=item.confirmed)))
    assert (row["Assignee"], row["Assignee Login ID"]) == ("Azure Integration", "azure.integration")
    other = bench(FakeAr(assignee_needed=True), assignee=assignee)
    row, item = await made(other)
    other.server.person_sets(row, Assignee="Ada Lovelace")
    confirmed(await other.incidents.resolve(work_item(**RESOLVE, confirmed=item.confirmed)))
    assert row["Assignee"] == "Ada Lovelace"


async def test_what_people_wrote_as_resolution_stays() -> None:
    """A text that is there already is not written over."""
    at = bench()
    row, item = await made(at)
    at.server.person_sets(row, Resolution="Cleaned the disk")
    confirmed(await at.incidents.resolve(work_item(**RESOLVE, confirmed=item.confirmed)))
    assert row["Resolution"] == "Cleaned the disk"


async def test_a_workflow_refusal_is_in_bmcs_own_words() -> None:
    """A status of 500 with messages is refused with all of them, and changes nothing."""
    at = bench()
    _, item = await made(at)
    messages = [
        {"messageType": "ERROR", "messageText": "", "messageAppendedText": "Own rule one", "messageNumber": 48000},
        {"messageType": "ERROR", "messageText": "Own rule two", "messageAppendedText": None, "messageNumber": 48001},
    ]
    at.server.before.append(instead(f"PUT {INCIDENT}", answer(500, messages)))
    outcome = await at.incidents.resolve(work_item(**RESOLVE, confirmed=item.confirmed))
    assert isinstance(outcome, Refused)
    assert "Own rule one" in outcome.reason
    assert "Own rule two" in outcome.reason
    assert at.server.names().count(f"PUT {INCIDENT}") == 1


@pytest.mark.parametrize(("assignee", "state"), [("", "Assigned"), ("Ada Lovelace", "In Progress")])
async def test_reopening_gives_it_back(assignee: str, state: str) -> None:
    """A resolved incident is Assigned again, or In Progress with who had it, and says why."""
    at = bench()
    row, item = await made(at)
    at.server.person_sets(row, Status="Resolved", Status_Reason="Automated Resolution Reported", Assignee=assignee)
    found = confirmed(await at.incidents.reopen(work_item(reopening=True, confirmed=item.confirmed)))
    assert (row["Status"], found.state) == (state, ToolState.OPEN)
    assert at.server.notes() == ["Opened again: its alert fires in Azure."]


async def test_the_reason_of_the_end_is_taken_away_where_it_is_in_the_way() -> None:
    """A version that does not clear it by itself refuses once; then it is sent as nothing."""
    at = bench(FakeAr(keeps_reason=True))
    row, item = await made(at)
    at.server.person_sets(row, Status="Resolved", Status_Reason="Automated Resolution Reported")
    confirmed(await at.incidents.reopen(work_item(reopening=True, confirmed=item.confirmed)))
    assert (row["Status"], row["Status_Reason"]) == ("Assigned", None)


@pytest.mark.parametrize("state", ["Closed", "Cancelled"])
@pytest.mark.parametrize("step", ["update", "resolve", "reopen"])
async def test_closed_and_cancelled_are_final(state: str, step: str) -> None:
    """Nothing is written to an incident that is over for good."""
    at = bench()
    row = at.server.put_incident(KEY_OF, Status=state)
    outcome = await getattr(at.incidents, step)(work_item(notes=("Said: disk",), confirmed=known(row)))
    assert confirmed(outcome).state is ToolState.CLOSED
    assert f"PUT {INCIDENT}" not in at.server.names()


async def test_a_resolve_that_is_ignored_is_told_as_it_is() -> None:
    """What reads back open is open."""
    at = bench(FakeAr(resolve_ignored=True))
    _, item = await made(at)
    found = confirmed(await at.incidents.resolve(work_item(**RESOLVE, confirmed=item.confirmed)))
    assert found.state is ToolState.OPEN
