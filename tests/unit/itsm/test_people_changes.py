"""What people may do with an incident, and what this program does without going against them."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.itsm.desk.incident import (
    SERVICE,
    Addition,
    EventKind,
    FieldChange,
    Incident,
    IncidentCi,
    IncidentDraft,
    IncidentState,
)
from secure_export.itsm.desk.people_changes import Action, ActionRefused, Assign, Comment, Rate, SetState, acted
from secure_export.itsm.desk.service_changes import added, opened
from secure_export.workitems.priority import priority
from secure_export.workitems.work_item import Note

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
NEW, WORKING, HOLD, RESOLVED, CLOSED = IncidentState
ALLOWED = {
    NEW: {WORKING, HOLD, RESOLVED, CLOSED},
    WORKING: {HOLD, RESOLVED, CLOSED},
    HOLD: {WORKING, RESOLVED, CLOSED},
    RESOLVED: {WORKING, CLOSED},
    CLOSED: set(),
}


def incident(*states: IncidentState) -> Incident:
    """Make an incident that a person took through these states."""
    draft = IncidentDraft(
        connection="desk", key="0" * 32, title="CPU", description="high", impact=2, urgency=2, priority=3, revision=1
    )
    made = opened(draft, number="INC0000001", now=NOW).incident
    for state in states:
        made = acted(made, SetState(state, "because"), by="ada", now=NOW).incident
    return made


def path_to(state: IncidentState) -> tuple[IncidentState, ...]:
    """Give the states on the way to one."""
    return () if state is NEW else (state,)


@pytest.mark.parametrize(("before", "after"), list(product(IncidentState, IncidentState)))
def test_states_follow_each_other_as_itil_has_them(before: IncidentState, after: IncidentState) -> None:
    """Every pair of states: allowed ones are taken, the others refused, and the same state is no change."""
    there = incident(*path_to(before))
    if after in ALLOWED[before]:
        changed = acted(there, SetState(after), by="ada", now=LATER)
        assert changed.incident.state is after
        assert changed.events[0].changes == (FieldChange("state", before.value, after.value),)
    elif after is before and before is not CLOSED:
        changed = acted(there, SetState(after), by="ada", now=LATER)
        assert (changed.incident, changed.events) == (there, ())
    else:
        with pytest.raises(ActionRefused):
            acted(there, SetState(after), by="ada", now=LATER)


def test_resolving_sets_the_time_and_reopening_takes_it_back() -> None:
    """An incident that is open again has neither an end nor a resolution."""
    resolved = acted(incident(), SetState(RESOLVED, "restarted", "workaround"), by="ada", now=LATER).incident
    assert (resolved.resolved_at, resolved.resolution, resolved.resolution_code) == (LATER, "restarted", "workaround")
    reopened = acted(resolved, SetState(WORKING), by="grace", now=LATER).incident
    assert (reopened.resolved_at, reopened.resolution, reopened.resolution_code) == (None, "", "")


def test_closing_keeps_when_it_was_resolved() -> None:
    """Closing a resolved incident ends it a second time, but the problem ended with the first."""
    closed = acted(incident(RESOLVED), SetState(CLOSED), by="ada", now=LATER).incident
    assert (closed.resolved_at, closed.closed_at, closed.resolution) == (NOW, LATER, "because")
    at_once = acted(incident(), SetState(CLOSED, "nonsense"), by="ada", now=LATER).incident
    assert (at_once.resolved_at, at_once.closed_at, at_once.resolution) == (LATER, LATER, "nonsense")


@pytest.mark.parametrize(("impact", "urgency"), list(product((1, 2, 3), repeat=2)))
def test_the_priority_follows_from_impact_and_urgency(impact: int, urgency: int) -> None:
    """A person rates impact and urgency; the matrix makes the priority of them."""
    changed = acted(incident(), Rate(impact, urgency), by="ada", now=LATER).incident
    assert changed.priority == priority(impact, urgency)


@pytest.mark.parametrize("action", [Rate(0), Rate(4, 1), Rate(urgency=-1), Comment(" \n"), Comment("")])
def test_what_makes_no_sense_is_refused(action: Action) -> None:
    """Impacts that do not exist and comments without words change nothing."""
    with pytest.raises(ActionRefused):
        acted(incident(), action, by="ada", now=LATER)


@pytest.mark.parametrize("by", ["", "  ", SERVICE])
def test_every_change_has_a_persons_name(by: str) -> None:
    """Nobody, and not this program's own name, can act as a person: people's changes are told apart by it."""
    with pytest.raises(ActionRefused, match="name"):
        acted(incident(), Comment("hello"), by=by, now=LATER)


@pytest.mark.parametrize(
    ("action", "group", "assignee"),
    [
        (Assign(assignee="grace"), "", "grace"),
        (Assign(group="Web"), "Web", ""),
        (Assign("Web", "grace"), "Web", "grace"),
        (Assign("", ""), "", ""),
    ],
)
def test_assigning_changes_what_is_named(action: Assign, group: str, assignee: str) -> None:
    """Group and person are assigned apart or together; what is so already is no change."""
    changed = acted(incident(), action, by="ada", now=LATER)
    assert (changed.incident.assignment_group, changed.incident.assignee) == (group, assignee)
    assert len(changed.events) == int(bool(group or assignee))
    assert acted(changed.incident, action, by="ada", now=LATER).events == ()


def test_opening_again_is_a_change_of_its_own() -> None:
    """What was resolved is in progress, without an end and a resolution; the timeline tells of it before the notes."""
    addition = Addition(revision=2, notes=(Note(2, "Fired again"),), reopens=True)
    changed = added(incident(RESOLVED), (), addition, now=LATER)
    again = changed.incident
    assert (again.state, again.resolved_at, again.resolution, again.resolution_code) == (WORKING, None, "", "")
    assert [event.text for event in changed.events] == ["Opened again", "Fired again"]
    assert changed.events[0].changes == (FieldChange("state", "resolved", "in-progress"),)


def test_a_clock_that_was_set_back_makes_no_change_older() -> None:
    """When an incident was last changed never goes back, whoever changes it: an older one means a restored copy."""
    early = NOW - timedelta(hours=1)
    for action in (Comment("hello"), SetState(WORKING)):
        assert acted(incident(), action, by="ada", now=early).incident.updated_at == NOW
    assert added(incident(), (), Addition(revision=2, notes=(Note(2, "x"),)), now=early).incident.updated_at == NOW


def _ci(ci_id: str) -> IncidentCi:
    return IncidentCi(id=ci_id, name=ci_id, rule="resource-id", reason="the CMDB has its resource id")


_ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(SetState, st.sampled_from(IncidentState), st.just("done")),
    st.builds(Assign, st.none() | st.just("Web"), st.none() | st.sampled_from(["ada", ""])),
    st.builds(Rate, st.none() | st.integers(1, 3), st.none() | st.integers(1, 3)),
    st.just(Comment("hello")),
)
_ADDITIONS = st.builds(
    lambda revision, notes, cis, resolution, reopens: Addition(
        revision=revision,
        notes=tuple(Note(number, f"note {number}") for number in sorted(notes) if number <= revision),
        cis=tuple(_ci(one) for one in cis),
        resolution=None if reopens else resolution,
        reopens=reopens,
    ),
    st.integers(1, 8),
    st.sets(st.integers(1, 8)),
    st.lists(st.sampled_from(["CI1", "CI2", "CI3"])),
    st.none() | st.just("over"),
    st.booleans(),
)


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(_ACTIONS | _ADDITIONS, max_size=12))
def test_people_and_program_side_by_side(steps: list[Action | Addition]) -> None:
    """In any order: what people set stays, closed stays closed, nothing is written twice, all is on the timeline."""
    there, cis = incident(), [_ci("CI0")]
    notes: list[str] = []
    for step in steps:
        before, kept = there, list(cis)
        if isinstance(step, Addition):
            changed = added(there, cis, step, now=LATER)
            notes += [e.text for e in changed.events if e.kind is EventKind.NOTE]
            _is_within_our_rights(before, changed.incident, reopens=step.reopens)
            assert all(not event.by_person for event in changed.events)
            again = added(changed.incident, [*cis, *changed.cis], step, now=LATER)
            assert (again.incident, again.events, again.cis) == (changed.incident, (), ())
        else:
            try:
                changed = acted(there, step, by="ada", now=LATER)
            except ActionRefused:
                continue
            assert all(event.by_person for event in changed.events)
            assert bool(changed.events) is (changed.incident != before or isinstance(step, Comment))
        there, cis = changed.incident, [*cis, *changed.cis]
        assert cis[: len(kept)] == kept
        assert there.open is (there.resolved_at is None)
    assert len(set(notes)) == len(notes)
    assert len({one.id for one in cis}) == len(cis)
    assert [one.primary for one in cis[1:]] == [False] * (len(cis) - 1)


def _is_within_our_rights(before: Incident, after: Incident, *, reopens: bool) -> None:
    for name in ("title", "description", "impact", "urgency", "priority", "assignment_group", "assignee", "fields"):
        assert getattr(after, name) == getattr(before, name)
    if reopens:
        assert after.open is (before.state is not CLOSED)
        assert after.state is before.state or before.state is RESOLVED
    elif not before.open:
        assert (after.state, after.resolution, after.resolved_at) == (
            before.state,
            before.resolution,
            before.resolved_at,
        )
    if before.state is CLOSED:
        assert after == before
    if not reopens:
        assert after.state in {before.state, RESOLVED}
    assert after.updated_at >= before.updated_at
    assert after.revision >= before.revision
