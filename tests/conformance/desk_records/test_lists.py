"""Lists of the desk's incidents, alike in both stores."""

import pytest
from tests.conformance.desk_records.samples import NOW, ci, key, opened

from secure_export.itsm.desk.contract import DeskRecords
from secure_export.itsm.desk.incident import (
    OPEN_STATES,
    Addition,
    IncidentState,
)


async def test_the_list_is_newest_first_and_paged(desk: DeskRecords) -> None:
    """Pages follow each other without gap or repetition, also when incidents come in between."""
    numbers = [(await opened(desk, f"alert-{n}")).number for n in range(5)]
    first = await desk.incidents(limit=2)
    await opened(desk, "newer")
    second = await desk.incidents(limit=2, cursor=first.next_cursor)
    third = await desk.incidents(limit=2, cursor=second.next_cursor)
    listed = [i.number for page in (first, second, third) for i in page.incidents]
    assert listed == list(reversed(numbers))
    assert third.next_cursor is None


async def test_the_list_can_be_narrowed(desk: DeskRecords) -> None:
    """By connection, state, CI and words; what looks like a pattern is taken as it is."""
    a = (await opened(desk, "a", title="Disk at 100% on vm_1")).number
    b = (await opened(desk, "b", title="Disk at 1000 on vmx1", connection="other")).number
    await desk.add("desk", key("a"), Addition(revision=2, resolution="over", cis=(ci("CI0000002"),)), now=NOW)

    async def listed(**filters: object) -> list[str]:
        return [i.number for i in (await desk.incidents(**filters)).incidents]  # type: ignore[arg-type]

    assert await listed(connection="desk") == [a]
    assert await listed(states=OPEN_STATES) == [b]
    assert await listed(states={IncidentState.NEW}) == [b]
    assert await listed(states={IncidentState.NEW, IncidentState.RESOLVED}) == [b, a]
    assert await listed(states={IncidentState.CLOSED}) == []
    assert await listed(ci="CI0000002") == [a]
    assert await listed(search="100%") == [a]
    assert await listed(search="vm_1") == [a]
    assert await listed(search="DISK") == [b, a]
    assert await listed(search=b[-3:]) == [b]
    assert await listed(search="\\") == []


@pytest.mark.parametrize("cursor", ["rubbish!", "²", "7"])
async def test_a_cursor_that_was_not_handed_out_is_refused(desk: DeskRecords, cursor: str) -> None:
    """A broken cursor is an error of the one who asks, and does not look like the end of the list."""
    with pytest.raises(ValueError, match="cursor"):
        await desk.incidents(cursor=cursor)
    with pytest.raises(ValueError, match="cursor"):
        await desk.list_cis(cursor=cursor)


@pytest.mark.parametrize(("limit", "expected"), [(-5, 1), (0, 1), (10**9, 3)])
async def test_a_limit_is_kept_within_bounds(desk: DeskRecords, limit: int, expected: int) -> None:
    """A senseless limit neither fails nor lists everything there is."""
    for n in range(3):
        await opened(desk, f"alert-{n}")
    assert len((await desk.incidents(limit=limit)).incidents) == expected
