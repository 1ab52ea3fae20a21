"""Two incidents of one work item: the older stays, and what people copied is theirs."""

from tests.unit.itsm.bmc_helix.fake_ar import (
    PERSON,
    bench,
    work_item,
)
from tests.unit.itsm.bmc_helix.incident_steps import KEY_OF, confirmed


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
