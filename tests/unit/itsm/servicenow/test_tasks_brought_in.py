"""Notes and configuration items of a task: each brought in once, and what people chose stays."""

from collections.abc import Callable
from dataclasses import replace

from tests.unit.itsm.servicenow.fake_instance import (
    Asked,
    FakeInstance,
    failure,
    known,
    lost,
    once,
    work_item,
    world,
)
from tests.unit.itsm.servicenow.task_steps import ACL, confirmed, created

from secure_export.itsm.answer import Answer
from secure_export.itsm.servicenow import keys
from secure_export.workitems.outcome import Unclear


async def test_cis_that_were_added_leave_doubt_when_the_rest_cannot_be_done() -> None:
    """Nothing was changed is a promise: an update that was put off after it added affected CIs cannot give it."""
    there = world()
    item = await created(there)
    item = replace(work_item(notes=("Fired: disk",), cis=("a" * 32, "b" * 32)), confirmed=item.confirmed)
    there.instance.before.append(once("PATCH incident", lambda: failure(403, "Operation Failed", ACL)))
    assert isinstance(await there.tasks.update(item), Unclear)
    confirmed(await there.tasks.update(item))
    assert [row["ci_item"] for row in there.instance.rows["task_ci"].values()] == ["b" * 32]


async def test_only_what_differs_is_written() -> None:
    """An update that brings nothing new writes nothing; one with a note writes the note and its revision (rule 11)."""
    there = world()
    item = await created(there, work_item(cis=("c" * 32,)))
    there.instance.asked.clear()
    await there.tasks.update(item)
    assert there.instance.calls("incident") == ["GET incident"]
    await there.tasks.update(work_item(notes=("Fired: disk",), cis=("c" * 32,)))
    (patch,) = [asked for asked in there.instance.asked if asked.method == "PATCH"]
    assert set(patch.body) == {"work_notes", "correlation_display"}


async def test_what_people_chose_stays() -> None:
    """Assignment, priority inputs, texts and the configuration item are never written after creation (rules 10, 11)."""
    there = world()
    await created(there, work_item(cis=("c" * 32,)))
    chosen = {"assigned_to": "ada", "impact": "3", "short_description": "Mine", "cmdb_ci": "d" * 32}
    there.instance.person(there.instance.only(), **chosen)
    await there.tasks.update(work_item(notes=("Fired: disk",), cis=("c" * 32,)))
    assert {name: there.instance.only()[name] for name in chosen} == chosen


async def test_a_note_is_written_once_though_the_answer_was_lost() -> None:
    """The record itself says which notes it has (journal entries cannot be taken back)."""
    there = world()
    await created(there)
    item = work_item(notes=("Fired: disk", "Fired: memory"), confirmed=known(there.instance.only()["sys_id"]))
    there.instance.after = [once("PATCH incident", lost)]
    assert isinstance(await there.tasks.update(item), Unclear)
    seen = confirmed(await there.tasks.look(replace(item, doubt=True)))
    assert seen.revision == item.desired.revision
    assert confirmed(await there.tasks.update(item)).revision == item.desired.revision
    assert [text for _, text in there.instance.journal] == ["Fired: disk\n\n---\n\nFired: memory"]


async def test_many_notes_come_in_entries_that_fit() -> None:
    """No entry is longer than the field; each call brings its own revision, so that none is written twice."""
    there = world()
    await created(there)
    notes = tuple(f"{place} {'x' * 1500}" for place in range(7))
    item = work_item(notes=notes)
    there.instance.after = [_second_patch_is_lost()]
    assert isinstance(await there.tasks.update(item), Unclear)
    assert confirmed(await there.tasks.update(item)).revision == item.desired.revision
    entries = [text for _, text in there.instance.journal]
    assert all(len(text) <= 4000 for text in entries)
    assert "\n\n---\n\n".join(entries) == "\n\n---\n\n".join(notes)


def _second_patch_is_lost() -> Callable[[Asked], Answer | None]:
    seen: list[Asked] = []

    def trouble(asked: Asked) -> Answer | None:
        seen.extend([asked] if asked.method == "PATCH" else [])
        return lost() if asked.method == "PATCH" and len(seen) == 2 else None

    return trouble


async def test_a_field_that_is_not_kept_does_not_make_notes_come_again_and_again() -> None:
    """Where correlation_display cannot be written, a write that was answered counts, and that is told."""
    there = world(FakeInstance(unwritable={"correlation_display"}))
    await created(there)
    item = work_item(notes=("Fired: disk",), confirmed=known(there.instance.only()["sys_id"]))
    told = confirmed(await there.tasks.update(item))
    assert told.revision == item.desired.revision
    assert any("correlation_display" in remark for remark in told.remarks)


async def test_a_record_that_was_restored_does_not_get_old_notes_again() -> None:
    """A clone brings an old revision back: what is known to have been written is not written once more."""
    there = world()
    item = await created(there, work_item(revision=5))
    there.instance.only()["correlation_display"] = "CPU · rev 2"
    assert item.confirmed is not None
    item = replace(work_item(revision=4, notes=("Written long ago", "Fired: disk")), confirmed=item.confirmed)
    assert confirmed(await there.tasks.update(item)).revision == 6
    assert [text for _, text in there.instance.journal] == ["Fired: disk"]


async def test_several_cis_are_affected_cis() -> None:
    """The first is the record's own, the others stand in task_ci, each once, whatever was lost in between."""
    there = world()
    cis = ("a" * 32, "b" * 32, "c" * 32)
    item = work_item(cis=cis, notes=("Fired: disk",))
    there.instance.after = [once("POST task_ci", lost)]
    told = confirmed(await there.tasks.create(item))
    assert told.revision < item.desired.revision, "what is not in the record yet stays owed"
    assert confirmed(await there.tasks.update(replace(item, confirmed=told))).revision == item.desired.revision
    assert there.instance.only()["cmdb_ci"] == cis[0]
    assert {row["ci_item"]: row["sys_id"] for row in there.instance.rows["task_ci"].values()} == {
        ci: keys.sys_id("task_ci", there.instance.only()["sys_id"], ci) for ci in cis[1:]
    }
    assert there.instance.calls().count("POST task_ci") == 2
    assert [text for _, text in there.instance.journal] == ["Fired: disk"]


async def test_affected_cis_that_may_not_be_written_are_told() -> None:
    """The work item is kept all the same, and says which right is missing."""
    there = world()
    there.instance.before = [lambda asked: failure(403, "Operation Failed", ACL) if asked.table == "task_ci" else None]
    item = work_item(cis=("a" * 32, "b" * 32))
    told = confirmed(await there.tasks.create(item))
    assert told.revision == item.desired.revision
    assert any("task_ci" in remark for remark in told.remarks)


async def test_a_work_item_without_ci_gets_it_later() -> None:
    """A record is made even if the CMDB has no CI, and is bound when it has (rule 12)."""
    there = world()
    await created(there)
    assert there.instance.only()["cmdb_ci"] == ""
    await there.tasks.update(work_item(revision=2, cis=("a" * 32,)))
    assert there.instance.only()["cmdb_ci"] == "a" * 32
