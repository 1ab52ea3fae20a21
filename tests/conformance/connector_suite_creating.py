"""Making a record and finding it again: rules of every connector."""

from dataclasses import replace

from tests.conformance.connector_suite_steps import (
    OVER,
    confirmed_by,
    created,
    noted,
    only_record,
    to_resolve,
    work_item,
)
from tests.conformance.connector_suite_tool import OTHER_CONNECTION, Ability, Tool

from secure_export.workitems.outcome import Done
from secure_export.workitems.work_item import (
    State,
    StepKind,
    ToolState,
)


class CreatingRules:
    """Making a record and finding it again."""

    async def test_a_created_record_says_what_the_work_item_says(self, tool: Tool) -> None:
        """Title, description, priority and group of the content are in the record, and it is open."""
        item = work_item()
        confirmed = await confirmed_by(tool.connector, StepKind.CREATE, item)
        record = await only_record(tool, item)
        assert (record.title, record.description) == (item.desired.content.title, item.desired.content.description)
        assert (record.priority, record.state) == (2, ToolState.OPEN)
        assert record.group == "Linux" or Ability.GROUP in getattr(tool, "lacks", {})
        assert confirmed.number == record.number
        assert confirmed.state is ToolState.OPEN
        assert confirmed.ended_at is None

    async def test_a_record_is_created_open_even_when_the_problem_is_over(self, tool: Tool) -> None:
        """A create makes an open record; resolving is a step of its own, so that it is read back."""
        item = work_item(state=State.RESOLVED)
        confirmed = await confirmed_by(tool.connector, StepKind.CREATE, item)
        assert confirmed.state is ToolState.OPEN
        assert (await only_record(tool, item)).state is ToolState.OPEN

    async def test_a_look_finds_what_was_created(self, tool: Tool) -> None:
        """A look after a create gives the same record."""
        item = work_item()
        made = await confirmed_by(tool.connector, StepKind.CREATE, item)
        seen = await confirmed_by(tool.connector, StepKind.LOOK, item)
        assert (seen.ref, seen.number, seen.url, seen.state) == (made.ref, made.number, made.url, made.state)
        assert seen.revision in {0, item.desired.revision}

    async def test_a_look_says_surely_that_there_is_none(self, tool: Tool) -> None:
        """A key that the tool does not have is an answer, not a doubt."""
        await created(tool, work_item("another"))
        assert await tool.connector.look(work_item("missing")) == Done(None)

    async def test_a_look_goes_by_the_key_and_by_nothing_else(self, tool: Tool) -> None:
        """A work item that wrongly holds another record's reference and title does not find that record."""
        there = await created(tool, work_item("one"))
        stranger = work_item("two", confirmed=there.confirmed)
        assert await tool.connector.look(stranger) == Done(None)

    async def test_a_second_create_gives_the_record_that_is_there(self, tool: Tool) -> None:
        """A create is never repeated: the key's record is given as it is, and stays as it is."""
        item = work_item()
        first = await confirmed_by(tool.connector, StepKind.CREATE, item)
        again = replace(item, desired=replace(item.desired, content=replace(item.desired.content, title="Other")))
        second = await confirmed_by(tool.connector, StepKind.CREATE, again)
        assert (second.ref, second.number) == (first.ref, first.number)
        assert (await only_record(tool, item)).title == item.desired.content.title

    async def test_a_second_create_does_not_reopen(self, tool: Tool) -> None:
        """A create for a record that is resolved by now says so and leaves it resolved."""
        item = await created(tool, work_item())
        await confirmed_by(tool.connector, StepKind.RESOLVE, to_resolve(item))
        second = await confirmed_by(tool.connector, StepKind.CREATE, work_item())
        assert second.state in OVER
        assert (await only_record(tool, item)).state in OVER

    async def test_connections_of_one_tool_are_kept_apart(self, tool: Tool) -> None:
        """The same correlation key in two connections is two records, and each connection finds its own."""
        ours, theirs = work_item(), work_item(connection=OTHER_CONNECTION)
        first = await confirmed_by(tool.connector, StepKind.CREATE, ours)
        assert await tool.other_connector.look(theirs) == Done(None)
        second = await confirmed_by(tool.other_connector, StepKind.CREATE, theirs)
        assert first.number != second.number

    async def test_long_and_foreign_texts_are_taken(self, tool: Tool) -> None:
        """Texts are written by rule authors all over the world, and may be longer than a field of the tool."""
        item = work_item(title="Größe überschritten 🚨 " * 40, description="线程 <b>&amp;</b> '\"\\ \t\n" * 5000)
        item = noted(item, "Ereignis: Ausfall — ähm 🚨\nzweite Zeile")
        confirmed = await confirmed_by(tool.connector, StepKind.CREATE, item)
        if confirmed.revision < item.desired.revision:
            await confirmed_by(tool.connector, StepKind.UPDATE, replace(item, confirmed=confirmed))
        record = await only_record(tool, item)
        assert record.title.startswith("Größe überschritten 🚨")
        assert record.description.startswith("线程 <b>&amp;</b> '\"\\")
        assert record.notes == ("Ereignis: Ausfall — ähm 🚨\nzweite Zeile",)
