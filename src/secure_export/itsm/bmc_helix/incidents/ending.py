"""Resolving an incident and opening it again: owed until it is read back."""

from collections.abc import Mapping, Sequence
from typing import Any

from secure_export.itsm.bmc_helix.api.ar_errors import Cause
from secure_export.itsm.bmc_helix.api.verdict import Ok, Refused, Verdict
from secure_export.itsm.bmc_helix.forms import INCIDENT, NUMBER
from secure_export.itsm.bmc_helix.incidents.incident_step import IncidentStep
from secure_export.itsm.bmc_helix.incidents.record import (
    ASSIGNED,
    IN_PROGRESS,
    LONGEST_RESOLUTION,
    RESOLVED,
    is_over,
    state_of,
)
from secure_export.itsm.bmc_helix.incidents.twins import assigned
from secure_export.itsm.bmc_helix.rows import Row, value
from secure_export.itsm.bmc_helix.settings import WhenNotResolvable
from secure_export.itsm.ended import Ended, unwritten
from secure_export.itsm.notes import BETWEEN_NOTES, OPENED_AGAIN, Part, resolution_of
from secure_export.itsm.texts import SHORTENED, cut, utf8_bytes
from secure_export.workitems import outcome
from secure_export.workitems.outcome import Done
from secure_export.workitems.work_item import ToolState

_REASON = "Status_Reason"


async def resolve(step: IncidentStep) -> Done:
    """Bring in what is owed, resolve the incident, and read it back; one that is over stays as it is.

    Raises:
        Ended: It could not be done, or is not known to be.
    """
    row = await step.the_row()
    if is_over(row):
        return step.done(row)
    await step.more_cis(row)
    cis = step.first_ci(row)
    *before, last = await step.owed(row)
    for part in before:
        await step.change(row, part, cis)
        cis = {}
    await _Resolving(step, row).resolve(last, cis)
    return step.done(await step.read_back(value(row, NUMBER)), revision=step.item.desired.revision)


async def reopen(step: IncidentStep) -> Done:
    """Open a resolved incident again, bring in what is owed, and read it back; a closed one stays as it is.

    Raises:
        Ended: It could not be done, or is not known to be.
    """
    row = await step.the_row()
    state = state_of(row)
    if state is ToolState.CLOSED:
        return step.done(row)
    if state is ToolState.RESOLVED:
        first, *_ = await step.owed(row)
        await _opened(step, row, first if first.text else Part(OPENED_AGAIN, first.revision))
    await step.bring_in(row)
    return step.done(await step.read_back(value(row, NUMBER)), revision=step.item.desired.revision)


async def _opened(step: IncidentStep, row: Row, part: Part) -> None:
    """Give an incident back to who had it; versions that keep the reason of the end have it taken away."""
    values: dict[str, Any] = {"Status": IN_PROGRESS if value(row, "Assignee") else ASSIGNED}
    told = await step.attempt(row, part, values)
    if isinstance(told, Refused) and told.cause in {Cause.STATUS_REASON, Cause.VALUE}:
        told = await step.attempt(row, part, {**values, _REASON: None})
    if not isinstance(told, Ok):
        raise Ended(unwritten(told) if told is not None else outcome.Refused("there was nothing to change"))
    await step.note_kept(row, part)


class _Resolving:
    """Resolves one incident with the best status reason that BMC takes."""

    def __init__(self, step: IncidentStep, row: Row) -> None:
        self._step = step
        self._row = row
        self._settings = step.tools.settings
        self._resolution = cut(resolution_of(step.item.desired), LONGEST_RESOLUTION, size=utf8_bytes, ending=SHORTENED)

    async def resolve(self, part: Part, cis: Mapping[str, str]) -> None:
        """Resolve the incident.

        Args:
            part: The work note that goes with it.
            cis: The values that bind it to its first CI, if it has none yet.

        Raises:
            Ended: It could not be done, or is not known to be.
        """
        wanted = {**cis, **self._ending()}
        refused: Refused | None = None
        for reason in await self._reasons():
            told = await self._step.attempt(self._row, part, {**wanted, _REASON: reason})
            if isinstance(told, Ok):
                await self._step.note_kept(self._row, part)
                return
            if not isinstance(told, Refused):
                raise Ended(_not_done(told))
            if told.cause is Cause.ASSIGNEE:
                raise Ended(await self._not_resolvable(part, cis, told))
            if told.cause is not Cause.STATUS_REASON:
                raise Ended(unwritten(told))
            refused = told
            self._step.tools.site.forget(INCIDENT)
        raise Ended(outcome.Refused(self._none_is_taken(refused)))

    def _ending(self) -> dict[str, str]:
        """The values of the end; who has it, and what people wrote about the resolution, stay."""
        nobody = not value(self._row, "Assignee")
        who = self._settings.assignee if nobody else None
        return {
            "Status": RESOLVED,
            **({"Resolution": self._resolution} if not value(self._row, "Resolution").strip() else {}),
            **(assigned(who.name, who.login_id) if who is not None else {}),
        }

    async def _reasons(self) -> Sequence[str]:
        """The reasons to try, the best first: those that the form has, where it tells."""
        shape = (await self._step.tools.site.shape(INCIDENT)).fields.get(_REASON)
        there = [
            one for one in self._settings.status_reasons if shape is None or not shape.labels or one in shape.labels
        ]
        return tuple(there) or self._settings.status_reasons

    async def _not_resolvable(self, part: Part, cis: Mapping[str, str], told: Refused) -> outcome.Refused:
        """Leave the end to a person, and tell them so in the incident if that is wanted."""
        number = value(self._row, NUMBER)
        if self._settings.when_not_resolvable is WhenNotResolvable.NOTE:
            await self._noted(part, cis, told)
        return outcome.Refused(f"the problem is over, but BMC does not let {number} be resolved: {told.reason}")

    async def _noted(self, part: Part, cis: Mapping[str, str], told: Refused) -> None:
        """Write the end as a work note, once: with the mark of the revision that tells of it."""
        revision = self._step.item.desired.revision
        if await self._step.held(self._row) >= revision:
            return
        over = f"{self._resolution}\n\nBMC did not let this incident be resolved: {told.words}"
        text = BETWEEN_NOTES.join(one for one in (part.text, over) if one)
        await self._step.change(self._row, Part(text, revision), cis)

    def _none_is_taken(self, refused: Refused | None) -> str:
        tried = ", ".join(repr(reason) for reason in self._settings.status_reasons)
        why = f" ({refused.reason})" if refused is not None else ""
        return (
            f"BMC takes none of the status reasons {tried} for {RESOLVED}{why}. Set status_reasons in the connection's "
            "settings to one that this site has"
        )


def _not_done(told: Verdict | None) -> outcome.TryLater | outcome.Refused | outcome.Unclear:
    return unwritten(told) if told is not None else outcome.Refused("there was nothing to change")
