"""Steps on incidents, against a server in memory that misbehaves."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.itsm.bmc_helix.fake_ar import (
    ASSIGNEE,
    ASSOCIATIONS,
    CONNECTION,
    CREATE,
    INCIDENT,
    KEY,
    NOW,
    PERSON,
    WORK_LOG,
    Asked,
    Bench,
    FakeAr,
    bench,
    bound,
    error,
    instead,
    known,
    lost,
    told,
    work_item,
)

from secure_export.itsm.answer import Answer
from secure_export.itsm.notes import Part
from secure_export.itsm.record_keys import record_key
from secure_export.workitems.outcome import Done, Outcome, Refused, TryLater, Unclear
from secure_export.workitems.work_item import Confirmed, State, ToolState, WorkItem

KEY_OF = record_key(CONNECTION, work_item().key)
RESOLVE: dict[str, Any] = {"state": State.RESOLVED}


def confirmed(outcome: Outcome) -> Confirmed:
    assert isinstance(outcome, Done), outcome
    assert outcome.confirmed is not None
    return outcome.confirmed


async def made(at: Bench, **changes: Any) -> tuple[dict[str, Any], WorkItem]:
    """Create an incident, and give its row with the work item as it is then."""
    item = work_item(**changes)
    found = confirmed(await at.incidents.create(item))
    (row,) = at.server.incidents()
    return row, replace(item, confirmed=found)


async def test_three_identifiers_are_kept_apart() -> None:
    """An incident is shown by its number, changed by the id of the join form, and neither is the staging record's."""
    at = bench()
    row, item = await made(at)
    assert item.confirmed is not None
    assert (item.confirmed.number, item.confirmed.ref) == (row["Incident Number"], row["Request ID"])
    await at.incidents.update(work_item(notes=("Fired: disk",), confirmed=item.confirmed))
    assert at.server.asked[-2].entry_id == row["Request ID"]


async def test_a_single_entry_id_is_doubled() -> None:
    """Servers that show the base record's id alone are changed by it twice."""
    at = bench()
    row = at.server.put_incident(KEY_OF)
    at.server.rows[INCIDENT] = {row["Request ID"]: {**row, "Request ID": row["Request ID"].partition("|")[0]}}
    confirmed(await at.incidents.resolve(work_item(**RESOLVE, confirmed=known(row))))
    assert at.server.incidents()[0]["Status"] == "Resolved"


async def test_a_create_without_a_body_is_a_create() -> None:
    """201 with nothing but where the staging record is: the incident is found by its key."""
    at = bench(FakeAr(no_body=True))
    row, item = await made(at)
    assert item.confirmed is not None
    assert item.confirmed.number == row["Incident Number"]


async def test_create_looks_makes_and_looks() -> None:
    """Three calls and the form's shape: a look-up before, the create, and a look-up after for twins."""
    at = bench()
    await made(at)
    assert at.server.names() == [f"GET {INCIDENT}", f"OPTIONS {CREATE}", f"POST {CREATE}", f"GET {INCIDENT}"]


async def test_what_is_there_is_not_made_again() -> None:
    """The key's incident is given as it is, whoever made it and whatever it says."""
    at = bench()
    row = at.server.put_incident(KEY_OF, Status="Resolved")
    found = confirmed(await at.incidents.create(work_item()))
    assert (found.number, found.state) == (row["Incident Number"], ToolState.RESOLVED)
    assert f"POST {CREATE}" not in at.server.names()


async def test_a_create_whose_answer_is_lost_is_not_repeated_at_once() -> None:
    """The answer is lost and nothing is found: BMC may still be at it, so a look comes before another create."""
    at = bench()
    at.server.before.append(lost([f"POST {CREATE}"]))
    assert isinstance(await at.incidents.create(work_item()), Unclear)
    first = await at.incidents.look(work_item(doubt=True))
    assert isinstance(first, TryLater)
    assert first.not_before is not None
    at.clock.now = first.not_before
    assert await at.incidents.look(work_item(doubt=True)) == Done(None)


async def test_a_create_that_was_done_is_found() -> None:
    """The answer is lost after the create was done: the look finds it at once, with the notes that came with it."""
    at = bench()
    at.server.after.append(lost([f"POST {CREATE}"]))
    item = work_item(notes=("Fired: disk",))
    assert isinstance(await at.incidents.create(item), Unclear)
    found = confirmed(await at.incidents.look(replace(item, doubt=True)))
    assert found.revision == item.desired.revision
    assert at.server.notes() == ["Fired: disk"]


async def test_twins_are_settled() -> None:
    """The oldest stays; the younger is cancelled with a note that says why, and a remark tells of it."""
    at = bench()
    first = at.server.put_incident(KEY_OF)
    at.server.now = at.server.now.replace(minute=1)
    second = at.server.put_incident(KEY_OF)
    found = confirmed(await at.incidents.look(work_item(doubt=True)))
    assert found.number == first["Incident Number"]
    assert (first["Status"], second["Status"]) == ("Assigned", "Cancelled")
    (note,) = at.server.notes(second["Incident Number"])
    assert note == f"Made twice for the same alert: {first['Incident Number']} stays."
    assert any(second["Incident Number"] in remark for remark in found.remarks)


async def test_a_copy_that_a_person_made_is_theirs() -> None:
    """An incident with our key that somebody else made is left alone, and told of."""
    at = bench()
    at.server.put_incident(KEY_OF)
    at.server.now = at.server.now.replace(minute=1)
    copy = at.server.put_incident(KEY_OF, by=PERSON)
    found = confirmed(await at.incidents.look(work_item(doubt=True)))
    assert copy["Status"] == "Assigned"
    assert any(PERSON in remark for remark in found.remarks)


async def test_an_incident_without_its_key_stops_creating() -> None:
    """A workflow that drops the key would double every alert: nothing more is made, and the refusal names the field."""
    at = bench(FakeAr(drops_on_create={KEY}))
    first = await at.incidents.create(work_item())
    assert isinstance(first, Refused)
    assert KEY in first.reason
    assert at.server.incidents()[0]["Incident Number"] in first.reason
    assert isinstance(await at.incidents.create(work_item(key="another")), TryLater)
    assert len(at.server.incidents()) == 1


@pytest.mark.parametrize("company", [None, "Acme"])
async def test_an_incident_that_we_may_not_see_stops_creating(company: str | None) -> None:
    """Though the staging form's record can be seen: one is made in vain, and tried once more after hours."""
    at = bench(company=company)

    def hides(asked: Asked) -> Answer | None:
        return told(200, {"entries": []}) if asked.name == f"GET {INCIDENT}" else None

    def seconds() -> float:
        return (at.clock.now - NOW).total_seconds()

    at.server.before.append(hides)
    at.tools.trust._monotonic = seconds
    assert isinstance(await at.incidents.create(work_item()), Unclear)
    for _ in range(5):
        at.clock.forward(600)
        assert isinstance(await at.incidents.create(work_item(key="another")), TryLater)
    assert len(at.server.incidents()) == 1
    at.clock.forward(2 * 3600)
    assert isinstance(await at.incidents.create(work_item(key="another")), Unclear)
    at.server.before.clear()
    at.clock.forward(60)
    assert isinstance(await at.incidents.create(work_item()), Done)
    assert len(at.server.incidents()) == 2


async def test_a_dropped_key_is_found_out_without_a_body() -> None:
    """The number is then read from the staging form's record."""
    at = bench(FakeAr(drops_on_create={KEY}, no_body=True))
    outcome = await at.incidents.create(work_item())
    assert isinstance(outcome, Refused)
    assert at.server.incidents()[0]["Incident Number"] in outcome.reason


async def test_a_server_that_passes_over_queries_makes_nothing() -> None:
    """Incidents with another key than was asked for: nothing is written, whatever is missing."""
    at = bench(FakeAr(ignores_queries=True))
    at.server.put_incident("azmon1:00000000:abc")
    assert isinstance(await at.incidents.create(work_item()), TryLater)
    assert f"POST {CREATE}" not in at.server.names()


async def test_notes_are_written_with_the_change() -> None:
    """One call brings note and change; what it brought is read back the first time only."""
    at = bench()
    _, item = await made(at)
    for text in ("Fired: disk", "Fired: memory"):
        item = work_item(notes=(*(note.text for note in item.desired.notes), text), confirmed=item.confirmed)
        item = replace(item, confirmed=confirmed(await at.incidents.update(item)))
    assert at.server.notes() == ["Fired: disk", "Fired: memory"]
    assert at.server.names().count(f"PUT {INCIDENT}") == 2
    assert at.server.names().count(f"POST {WORK_LOG}") == 0
    assert at.server.names().count(f"GET {WORK_LOG}") == 3


@pytest.mark.parametrize("dropped", ["create", "change", "both"])
async def test_notes_that_are_dropped_are_written_by_themselves(dropped: str) -> None:
    """A version whose forms do not keep notes gets them through the work log's own form, each once."""
    server = FakeAr(
        drops_on_create={"z1D_Details"} if dropped != "change" else set(), drops_notes_on_change=dropped != "create"
    )
    at = bench(server)
    _, item = await made(at, notes=("Fired: disk",))
    assert item.confirmed is not None
    assert item.confirmed.revision == item.desired.revision
    more = work_item(notes=("Fired: disk", "Fired: memory"), confirmed=item.confirmed)
    for _ in range(2):
        assert confirmed(await at.incidents.update(more)).revision == more.desired.revision
    assert at.server.notes() == ["Fired: disk", "Fired: memory"]


@pytest.mark.parametrize("step", ["update", "resolve"])
async def test_a_note_whose_answer_was_lost_is_not_written_twice(step: str) -> None:
    """The mark in the note itself tells that it is there, whoever repeats the step without knowing."""
    at = bench()
    row, item = await made(at)
    state = State.RESOLVED if step == "resolve" else State.OPEN
    item = work_item(notes=("Said: disk",), state=state, confirmed=item.confirmed)
    at.server.after.append(lost([f"PUT {INCIDENT}"]))
    assert isinstance(await getattr(at.incidents, step)(item), Unclear)
    confirmed(await getattr(at.incidents, step)(item))
    assert at.server.notes() == ["Said: disk"]
    assert (row["Status"] == "Resolved") is (step == "resolve")


async def test_an_update_without_anything_new_writes_nothing() -> None:
    """What the incident has already is not sent again."""
    at = bench()
    _, item = await made(at)
    confirmed(await at.incidents.update(replace(item, desired=replace(item.desired, revision=5))))
    assert f"PUT {INCIDENT}" not in at.server.names()


async def test_cis_are_four_values_and_relations() -> None:
    """The first CI stands in the incident's own fields, further ones are relations, each once."""
    at = bench()
    row, item = await made(at, bindings=(bound("vm-1", "OI-1"), bound("db-1", "OI-2", "BMC_DataBase")))
    assert (row["HPD_CI"], row["HPD_CI_ReconID"]) == ("vm-1", "OI-1")
    assert row["HPD_CI_FormName"] == "BMC_COMPUTERSYSTEM"
    (created,) = [asked for asked in at.server.asked if asked.name == f"POST {CREATE}"]
    assert created.values["z1D_CI_FormName"] == "AST:ComputerSystem"
    assert item.confirmed is not None
    assert item.confirmed.revision == item.desired.revision
    confirmed(await at.incidents.update(replace(item, desired=replace(item.desired, revision=2))))
    (relation,) = at.server.rows[ASSOCIATIONS].values()
    assert (relation["Request ID01"], relation["Request ID02"]) == ("OI-2", row["Incident Number"])
    assert (relation["Form Name01"], relation["Lookup Keyword"]) == ("AST:DataBase", "BMC_DATABASE")


async def test_the_ci_that_a_person_chose_stays() -> None:
    """An update relates ours beside it, and does not write over it."""
    at = bench()
    row, item = await made(at)
    at.server.person_sets(row, HPD_CI="other", HPD_CI_ReconID="OI-9")
    content = replace(item.desired.content, bindings=(bound("vm-1", "OI-1"),))
    confirmed(await at.incidents.update(replace(item, desired=replace(item.desired, content=content, revision=2))))
    assert row["HPD_CI_ReconID"] == "OI-9"
    assert [one["Request ID01"] for one in at.server.rows[ASSOCIATIONS].values()] == ["OI-1"]


async def test_relations_that_are_refused_are_told() -> None:
    """Rights on HPD:Associations may be missing: the step goes on, and says so."""
    at = bench()
    at.server.before.append(instead(f"POST {ASSOCIATIONS}", error(353, "no access to form", status=403), times=9))
    _, item = await made(at, bindings=(bound("vm-1", "OI-1"), bound("vm-2", "OI-2")))
    assert item.confirmed is not None
    assert any(ASSOCIATIONS in remark for remark in item.confirmed.remarks)


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
    at.server.before.append(instead(f"PUT {INCIDENT}", told(500, messages)))
    outcome = await at.incidents.resolve(work_item(**RESOLVE, confirmed=item.confirmed))
    assert isinstance(outcome, Refused)
    assert "Own rule one" in outcome.reason
    assert "Own rule two" in outcome.reason
    assert at.server.names().count(f"PUT {INCIDENT}") == 1


async def test_a_missing_required_field_is_named() -> None:
    """A refusal that does not say what is missing is completed from the form's own shape."""
    shape = {"fields": [{"name": "Cost Center", "option": "REQUIRED"}, {"name": "Description", "option": "REQUIRED"}]}
    at = bench(FakeAr(shapes={CREATE: shape}))
    at.server.before.append(instead(f"POST {CREATE}", error(1291053, "", "Required fields are missing.")))
    outcome = await at.incidents.create(work_item())
    assert isinstance(outcome, Refused)
    assert "Required here and not given: Cost Center" in outcome.reason


async def test_the_first_look_after_a_lost_resolve_brings_no_note_back() -> None:
    """A look in doubt tells exactly which notes are there, and one without doubt does not ask for them."""
    at = bench()
    _, item = await made(at)
    item = work_item(notes=("Said: disk",), confirmed=item.confirmed)
    at.server.after.append(lost([f"PUT {INCIDENT}"]))
    await at.incidents.update(item)
    assert confirmed(await at.incidents.look(replace(item, doubt=True))).revision == 2
    at.server.asked.clear()
    await at.incidents.look(item)
    assert at.server.names() == [f"GET {INCIDENT}"]


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


@pytest.mark.parametrize("step", ["update", "resolve", "reopen"])
async def test_a_step_on_nothing_leads_to_a_look(step: str) -> None:
    """An incident that is gone is not made again by a step on it."""
    at = bench()
    row = at.server.put_incident("someone else's")
    item = work_item(confirmed=known(row))
    assert isinstance(await getattr(at.incidents, step)(item), Unclear)


async def test_what_is_there_by_its_id_is_not_called_deleted() -> None:
    """A look-up that does not find what can be read by its id is not believed."""
    at = bench()
    row = at.server.put_incident(KEY_OF)
    at.server.before.append(instead(f"GET {INCIDENT}", told(200, {"entries": []})))
    assert isinstance(await at.incidents.look(work_item(confirmed=known(row))), TryLater)


async def test_a_cut_answer_is_no_absence() -> None:
    """A server that gives fewer incidents than there are is asked for each key by itself."""
    at = bench(FakeAr(most=1))
    keys = [f"alert-{number}" for number in range(4)]
    for key in keys:
        at.server.put_incident(record_key(CONNECTION, work_item(key=key).key))
    looks = await asyncio.gather(*(at.incidents.look(work_item(key=key)) for key in keys))
    assert [confirmed(look).number for look in looks] == [row["Incident Number"] for row in at.server.incidents()]
    assert len(at.server.asked) < 2 * len(keys) + 2


async def test_other_kinds_of_work_items_are_refused() -> None:
    """What is not kept here is said before anything is sent."""
    at = bench()
    outcome = await at.incidents.create(work_item(work_item="problem"))
    assert isinstance(outcome, Refused)
    assert at.server.asked == []


async def test_routing_by_bmc_is_told() -> None:
    """Assignment rules of the site go before ours; the work item says so."""
    at = bench(
        FakeAr(routes_to="Service Desk"), support_group={"company": "Acme", "organization": "IT", "group": "Linux"}
    )
    _, item = await made(at)
    assert item.confirmed is not None
    assert any("Service Desk" in remark for remark in item.confirmed.remarks)
    assert item.confirmed.assignment == "Service Desk"


async def test_a_deleted_incident_is_gone() -> None:
    """The staging form's record is still there, or another incident of ours is to be seen: then it was deleted."""
    at = bench()
    row, item = await made(at)
    del at.server.rows[INCIDENT][row["Request ID"]]
    assert await at.incidents.look(item) == Done(None)
    at.server.rows[CREATE].clear()
    at.server.put_incident(record_key(CONNECTION, work_item(key="another").key))
    assert await at.incidents.look(item) == Done(None)


async def test_when_nothing_of_ours_is_to_be_seen_nothing_is_called_deleted() -> None:
    """Rights that were taken away hide everything: that is said, and waits."""
    at = bench()
    _, item = await made(at)
    at.server.rows.clear()
    outcome = await at.incidents.look(item)
    assert isinstance(outcome, TryLater)
    assert "permissions" in outcome.reason
    at.clock.forward(2 * 3600)
    assert await at.incidents.look(item) == Done(None)


@pytest.mark.parametrize("shown", [True, False])
async def test_an_incident_of_a_company_that_is_hidden_is_not_called_deleted(*, shown: bool) -> None:
    """The staging form's record is no company's: it can be seen where the incident cannot."""
    at = bench(company="Acme")
    row, item = await made(at)
    del at.server.rows[INCIDENT][row["Request ID"]]
    at.server.rows["CTM:People"] = {"1": {"Company": "Acme"}} if shown else {}
    outcome = await at.incidents.look(item)
    assert outcome == Done(None) if shown else isinstance(outcome, TryLater) and "Acme" in outcome.reason


async def test_a_unique_index_gives_the_incident_that_is_there() -> None:
    """A site may keep the key unique: the refusal leads to what another process made in between."""
    at = bench()

    def another_was_first(asked: Asked) -> Answer | None:
        if asked.name != f"POST {CREATE}":
            return None
        at.server.put_incident(KEY_OF)
        return error(382, "The value(s) for this entry violate a unique index")

    at.server.before.append(another_was_first)
    found = confirmed(await at.incidents.create(work_item()))
    assert found.number == at.server.incidents()[0]["Incident Number"]


async def test_another_unique_index_is_a_refusal() -> None:
    """A unique index on something else stays refused."""
    at = bench(FakeAr(before=[instead(f"POST {CREATE}", error(382, "violates a unique index"))]))
    assert isinstance(await at.incidents.create(work_item()), Refused)


async def test_cut_off_marks_are_asked_for_by_themselves() -> None:
    """A server that gives fewer work notes than there are must not make us write some again."""
    at = bench()
    numbers = [at.server.put_incident(f"k{place}")["Incident Number"] for place in range(6)]
    for place, number in enumerate(numbers, 2):
        await at.tools.work_log.write(number, Part("Fired: disk", place))
    at.server.most = 1
    held = await asyncio.gather(*(at.tools.work_log.held(number) for number in numbers))
    assert held == [2, 3, 4, 5, 6, 7]
