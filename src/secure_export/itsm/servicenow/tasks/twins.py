"""Two records of one work item: which one stays, and what becomes of the other.

Two can be made only where the instance does not keep the ``sys_id`` that we choose, and two processes create at once.
"""

from collections.abc import Sequence

from secure_export.itsm.servicenow.api.rows import Row, value
from secure_export.itsm.servicenow.api.table_api import TableApi
from secure_export.itsm.servicenow.api.verdict import Ok
from secure_export.itsm.servicenow.settings import Twins
from secure_export.itsm.servicenow.tasks.choices import Choices
from secure_export.itsm.servicenow.tasks.kinds import Kind
from secure_export.itsm.servicenow.tasks.own_writes import OwnWrites
from secure_export.itsm.servicenow.tasks.record import is_over, row_fields
from secure_export.itsm.twins import TwinRecords

TWINS = TwinRecords(value, number="number", made_by="sys_created_by", key="correlation_id")


class TwinSettler:
    """Ends the records that are superfluous.

    Args:
        api: The instance.
        choices: Knows the codes of resolutions.
        own: Told of what we wrote.
        how: What becomes of them.
    """

    def __init__(self, api: TableApi, choices: Choices, own: OwnWrites, how: Twins) -> None:
        self._api = api
        self._choices = choices
        self._own = own
        self._how = how

    async def settle(self, kind: Kind, rows: Sequence[Row]) -> tuple[str, ...]:
        """End what is superfluous; see ``TwinRecords.settle``."""
        return await TWINS.settle(
            rows, is_over=lambda row: is_over(row, kind), end=lambda row, stays: self._end(kind, row, stays)
        )

    async def _end(self, kind: Kind, row: Row, stays: Row) -> str:
        number, other = value(row, "number"), value(stays, "number")
        why = f"Made twice for the same alert: {other} stays."
        values = {"work_notes": why, **await self._ending(kind, why)}
        told = await self._api.patch(kind.table, value(row, "sys_id"), values, row_fields(kind))
        if not isinstance(told, Ok):
            return f"{number} was made twice with {other} and could not be ended: {told.reason}"
        self._own.add(told.result)
        if not is_over(told.result, kind):
            return f"{number} was made twice with {other}; ServiceNow left it open, so a person has to end it"
        return f"{number} was made twice with {other}: it was ended, {other} stays"

    async def _ending(self, kind: Kind, why: str) -> dict[str, str]:
        if self._how is Twins.CANCEL or not kind.duplicate_code or kind.resolved_state is None:
            notes = {kind.notes_field: why} if kind.cancel_fields and kind.notes_field else {}
            return {"state": kind.cancelled_state, **kind.cancel_fields, **notes}
        codes = await self._choices.usable(kind.table, kind.code_field, (kind.duplicate_code, *kind.close_codes))
        return {
            "state": kind.resolved_state,
            **({kind.code_field: codes[0]} if codes else {}),
            **({kind.notes_field: why} if kind.notes_field else {}),
        }
