"""The work notes of incidents (``HPD:WorkLog``): which of ours are there, and writing one by itself."""

from collections.abc import Mapping, Sequence

from secure_export.itsm.bmc_helix.api import qualification
from secure_export.itsm.bmc_helix.api.entry_api import EntryApi, Page, Query
from secure_export.itsm.bmc_helix.api.verdict import Ok, Verdict
from secure_export.itsm.bmc_helix.forms import NUMBER, WORK_LOG
from secure_export.itsm.bmc_helix.incidents.record import MARK, mark, marked_revision
from secure_export.itsm.bmc_helix.rows import value
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings
from secure_export.itsm.ended import Ended, unread
from secure_export.itsm.gathered import Gathered
from secure_export.itsm.notes import Part

_SUMMARY = "Description"
_ID = "Work Log ID"
_FIELDS = (NUMBER, _SUMMARY, _ID)
_MOST = 20
_AT_A_TIME = 2
_LIMIT = 200


class WorkLog:
    """Reads and writes work notes.

    Args:
        api: The server.
        settings: The connection's settings.
    """

    def __init__(self, api: EntryApi, settings: BmcHelixSettings) -> None:
        self._api = api
        self._settings = settings
        self._gathered: Gathered[str, int] = Gathered(self._fetch, most=_MOST, at_a_time=_AT_A_TIME)

    async def held(self, number: str) -> int:
        """Say which revision the latest of our notes in an incident tells of; 0: it has none.

        The latest counts, not the highest: a store that was restored writes lower ones than before.

        Raises:
            Ended: It cannot be told now.
        """
        return await self._gathered.get(number) or 0

    async def write(self, number: str, part: Part) -> Verdict:
        """Write a note by itself."""
        values = {
            NUMBER: number,
            "Work Log Type": self._settings.work_info_type,
            _SUMMARY: mark(part.revision),
            "Detailed Description": part.text,
            "View Access": self._settings.work_info_access,
            "Secure Work Log": "Yes",
        }
        return await self._api.create(WORK_LOG, values, (_ID,))

    async def _fetch(self, numbers: Sequence[str]) -> Mapping[str, int]:
        found, more = await self._read(numbers)
        if more and len(numbers) > 1:
            # The newest come first: what is cut off hides whole incidents, so each is asked for by itself.
            return {number: (await self._read([number]))[0].get(number, 0) for number in numbers}
        return found

    async def _read(self, numbers: Sequence[str]) -> tuple[dict[str, int], bool]:
        text = qualification.together(qualification.one_of(NUMBER, numbers), qualification.begins(_SUMMARY, MARK))
        told = await self._api.entries(WORK_LOG, Query(text, _FIELDS, limit=_LIMIT, sort=f"{_ID}.desc"))
        if not isinstance(told, Ok) or not isinstance(told.body, Page):
            raise Ended(unread(told, WORK_LOG))
        found: dict[str, int] = {}
        latest: dict[str, str] = {}
        for row in told.body.rows:
            number = value(row, NUMBER)
            if (revision := marked_revision(value(row, _SUMMARY))) and value(row, _ID) > latest.get(number, ""):
                latest[number], found[number] = value(row, _ID), revision
        return found, told.body.more
