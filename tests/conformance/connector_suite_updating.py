"""Bringing notes and configuration items into a record: rules of every connector."""

from dataclasses import replace

from tests.conformance.connector_suite_steps import bound, can, confirmed_by, created, noted, only_record, vm, work_item
from tests.conformance.connector_suite_tool import Ability, Tool

from secure_export.workitems.work_item import (
    Binding,
    StepKind,
)


class UpdatingRules:
    """Bringing notes and configuration items into a record."""

    async def test_notes_owed_at_creation_reach_the_record_once(self, tool: Tool) -> None:
        """Whether a create or the update after it writes them, each note is there once, in order."""
        item = noted(work_item(), "Fired: disk", "Fired: memory")
        item = await created(tool, item)
        assert item.confirmed is not None
        if item.confirmed.revision < item.desired.revision:
            confirmed = await confirmed_by(tool.connector, StepKind.UPDATE, item)
            assert confirmed.revision == item.desired.revision
        assert (await only_record(tool, item)).notes == ("Fired: disk", "Fired: memory")

    async def test_an_update_writes_each_note_once(self, tool: Tool) -> None:
        """An update that is taken again, notes and all, adds nothing the second time."""
        item = noted(await created(tool, work_item()), "Fired: disk", "Fired: memory")
        for _ in range(2):
            confirmed = await confirmed_by(tool.connector, StepKind.UPDATE, item)
            assert confirmed.revision == item.desired.revision
        item = noted(item, "Resolved: disk")
        await confirmed_by(tool.connector, StepKind.UPDATE, item)
        assert (await only_record(tool, item)).notes == ("Fired: disk", "Fired: memory", "Resolved: disk")

    async def test_an_update_leaves_title_and_description(self, tool: Tool) -> None:
        """People read and mend these; an update does not write them again."""
        item = await created(tool, work_item())
        content = replace(item.desired.content, title="Other", description="Other")
        changed = replace(item, desired=replace(item.desired, content=content, revision=2))
        await confirmed_by(tool.connector, StepKind.UPDATE, changed)
        record = await only_record(tool, item)
        assert (record.title, record.description) == (item.desired.content.title, item.desired.content.description)

    async def test_cis_are_merged(self, tool: Tool) -> None:
        """An update adds the CIs that are new; those that are there stay, and the first stays the primary one."""
        can(tool, Ability.SEVERAL_CIS)
        one = await tool.add_ci("vm-web-1", vm("vm-web-1"))
        two = await tool.add_ci("vm-web-2", vm("vm-web-2"))
        item = await created(tool, work_item(bindings=(bound(one, "vm-web-1"),)))
        assert (await only_record(tool, item)).cis == (one,)
        for bindings in ((bound(two, "vm-web-2"),), (bound(two, "vm-web-2"), bound(one, "vm-web-1"))):
            revision = item.desired.revision + 1
            content = replace(item.desired.content, bindings=bindings)
            item = replace(item, desired=replace(item.desired, content=content, revision=revision))
            await confirmed_by(tool.connector, StepKind.UPDATE, item)
            assert (await only_record(tool, item)).cis == (one, two)

    async def test_a_ci_that_appears_later_becomes_the_primary_one(self, tool: Tool) -> None:
        """A record without CI gets its first by an update."""
        unbound = Binding(None, "vm-web-1", "not-in-cmdb", "the CMDB has no CI of this name")
        item = await created(tool, work_item(bindings=(unbound,)))
        assert (await only_record(tool, item)).cis == ()
        ci = await tool.add_ci("vm-web-1", vm("vm-web-1"))
        content = replace(item.desired.content, bindings=(bound(ci, "vm-web-1"),))
        item = replace(item, desired=replace(item.desired, content=content, revision=2))
        await confirmed_by(tool.connector, StepKind.UPDATE, item)
        assert (await only_record(tool, item)).cis == (ci,)
