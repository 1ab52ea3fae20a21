"""Resolving a record and opening it again: owed until it is read back."""

from collections.abc import Mapping, Sequence

from secure_export.itsm.ended import Ended, unwritten
from secure_export.itsm.notes import OPENED_AGAIN, resolution_of
from secure_export.itsm.servicenow.api.refusals import Cause
from secure_export.itsm.servicenow.api.rows import Row, value
from secure_export.itsm.servicenow.api.verdict import Ok, Refused, Verdict
from secure_export.itsm.servicenow.tasks.record import LONGEST_DESCRIPTION, cut, harmless, is_over, row_fields, state_of
from secure_export.itsm.servicenow.tasks.task_step import TaskStep
from secure_export.workitems import outcome
from secure_export.workitems.outcome import Done
from secure_export.workitems.work_item import ToolState


async def resolve(step: TaskStep) -> Done:
    """Bring in what is owed, resolve the record, and read it back; one that is over stays as it is.

    Raises:
        Ended: It could not be done, or is not known to be.
    """
    row = await step.the_row()
    if is_over(row, step.kind):
        return step.done(row)
    if step.kind.resolved_state is None:
        return await _only_noted(step, row)
    await step.more_cis(row)
    *first, last = step.owed(row) or [{}]
    for values in first:
        row = await step.change(row, values)
    await _Resolving(step, row).resolve(last)
    return step.done(await step.read_back(value(row, "sys_id")), revision=step.item.desired.revision)


async def _only_noted(step: TaskStep, row: Row) -> Done:
    """Write into a record that a person has to end that its problem is over.

    That a person is needed is said when that is written: a refusal promises that it changed nothing.

    Raises:
        Ended: It was written before, or could not be.
    """
    await step.more_cis(row)
    owed = step.owed(row, harmless(resolution_of(step.item.desired)))
    if not owed:
        raise Ended(outcome.Refused(_a_person_ends_it(row, step)))
    for values in owed:
        row = await step.change(row, values)
    return step.done(await step.read_back(value(row, "sys_id")), revision=step.item.desired.revision)


async def reopen(step: TaskStep) -> Done:
    """Open a resolved record again, bring in what is owed, and read it back; a closed one stays as it is.

    Raises:
        Ended: It could not be done, or is not known to be.
    """
    row = await step.the_row()
    state = state_of(row, step.kind)
    if state is ToolState.CLOSED:
        return step.done(row)
    if state is ToolState.RESOLVED:
        if step.kind.reopen_state is None:
            raise Ended(outcome.Refused(f"records of {step.kind.table} are not opened again here"))
        first, *_ = step.owed(row) or [{}]
        note = {} if "work_notes" in first else {"work_notes": OPENED_AGAIN}
        row = await step.change(row, {**first, **note, "state": step.kind.reopen_state})
    await step.bring_in(row)
    return step.done(await step.read_back(value(row, "sys_id")), revision=step.item.desired.revision)


class _Resolving:
    """Resolves one record with the best code that the instance takes."""

    def __init__(self, step: TaskStep, row: Row) -> None:
        self._step = step
        self._kind = step.kind
        self._row = row
        self._sys_id = value(row, "sys_id")
        self._refused: Refused | None = None
        self._tried: list[str] = []

    async def resolve(self, values: Mapping[str, str]) -> None:
        """Resolve the record.

        Args:
            values: What else the call brings in.

        Raises:
            Ended: It could not be done, or is not known to be.
        """
        wanted = {**values, **self._ending()}
        if not self._kind.code_field or not self._kind.close_codes:
            await self._step.change(self._row, wanted)
            return
        row = await self._with_some_code(wanted)
        while row is not None and self._is_blank(row):
            row = await self._with_some_code({}, again=True)

    def _ending(self) -> dict[str, str]:
        resolution = cut(harmless(resolution_of(self._step.item.desired)), LONGEST_DESCRIPTION)
        empty = [name for name in self._kind.text_fields if name in self._row and not value(self._row, name)]
        notes = self._kind.notes_field
        return {
            **dict.fromkeys(empty, resolution),
            **({notes: _behind(value(self._row, notes), resolution)} if notes else {}),
            **self._kind.close_fields,
            "state": self._kind.resolved_state or "",
        }

    async def _with_some_code(self, values: Mapping[str, str], *, again: bool = False) -> Row | None:
        """Write values with the next code that the instance takes; None: there is none, and the record has none."""
        while (code := await self._next_code()) is not None:
            wanted = {**values, self._kind.code_field: code}
            told = await self._step.tools.api.patch(
                self._kind.table, self._sys_id, wanted, row_fields(self._kind, *wanted)
            )
            if isinstance(told, Ok):
                return self._step.written(wanted, told.result)
            if not isinstance(told, Refused) or told.cause is not Cause.DATA_POLICY:
                raise Ended(self._not_resolved(told))
            self._refused = told
            await self._look_at_codes(code, told)
        if again:
            return None
        raise Ended(outcome.Refused(await self._none_is_taken()))

    def _not_resolved(self, told: Verdict) -> outcome.TryLater | outcome.Refused | outcome.Unclear:
        if not isinstance(told, Refused) or told.cause is not Cause.BUSINESS_RULE:
            return unwritten(told)
        return outcome.Refused(
            f"{told.reason}. It may be that {value(self._row, 'number')} cannot be resolved from the state it is in: a "
            f'person can bring it there. With resolved_state = "never" for {self._kind.table} the end is only noted'
        )

    async def _next_code(self) -> str | None:
        code = await self._untried_code()
        if code is None and not self._tried:
            # What is kept of the choices may be old.
            self._step.tools.choices.forget(self._kind.table, self._kind.code_field)
            code = await self._untried_code()
        if code is not None:
            self._tried.append(code)
        return code

    async def _untried_code(self) -> str | None:
        usable = await self._step.tools.choices.usable(self._kind.table, self._kind.code_field, self._kind.close_codes)
        chosen_by_people = value(self._row, self._kind.code_field)
        candidates = (chosen_by_people, *usable) if chosen_by_people else usable
        return next((one for one in candidates if one not in self._tried), None)

    async def _look_at_codes(self, code: str, told: Refused) -> None:
        """Read the choices anew: a code that is among them is not why the instance refuses.

        Raises:
            Ended: Another code would be refused as well.
        """
        choices = self._step.tools.choices
        choices.forget(self._kind.table, self._kind.code_field)
        there = await choices.of(self._kind.table, self._kind.code_field)
        if any(choice.value == code for choice in there):
            raise Ended(unwritten(told))

    def _is_blank(self, row: Row) -> bool:
        """Whether a record is over without a code, because the instance blanked what is none of its choices."""
        field = self._kind.code_field
        return is_over(row, self._kind) and field in row and not value(row, field)

    async def _none_is_taken(self) -> str:
        there = await self._step.tools.choices.of(self._kind.table, self._kind.code_field)
        labels = ", ".join(choice.label for choice in there) or "none that the integration user may read"
        why = f" ({self._refused.reason})" if self._refused is not None else ""
        return (
            f"ServiceNow takes none of the close codes {_listed(self._kind.close_codes)} in "
            f"{self._kind.table}.{self._kind.code_field}{why}. Its choices are: {labels}. Set close_codes in the "
            "connection's settings to one of them, or add one of ours to sys_choice"
        )


def _behind(there: str, resolution: str) -> str:
    """Add our words to what people have written already."""
    there = there.strip()
    return there if resolution in there else cut(f"{there}\n\n{resolution}".strip(), LONGEST_DESCRIPTION)


def _a_person_ends_it(row: Row, step: TaskStep) -> str:
    return (
        f"the problem is over, and {value(row, 'number')} says so, but a person has to end it: ServiceNow does not let "
        f"the states of {step.kind.table} be skipped. If yours can be closed at once, set resolved_state for this table"
    )


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(repr(text) for text in texts) or "(none are set)"
