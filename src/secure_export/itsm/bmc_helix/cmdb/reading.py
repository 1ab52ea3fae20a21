"""Reads BMC's CMDB, over the CMDB API in its two forms or over the AR forms of its classes."""

import time
from collections.abc import Callable, Mapping, Sequence

from secure_export.itsm.bmc_helix.api.ar_errors import Cause
from secure_export.itsm.bmc_helix.api.entry_api import EntryApi, Query
from secure_export.itsm.bmc_helix.api.qualification import equal, together
from secure_export.itsm.bmc_helix.api.verdict import Ok, Refused, Verdict
from secure_export.itsm.bmc_helix.cmdb.ci_rows import Row, rows_of
from secure_export.itsm.bmc_helix.cmdb.classes import CmdbClass
from secure_export.itsm.bmc_helix.cmdb.settings import CmdbApi, CmdbSettings
from secure_export.itsm.bmc_helix.forms import INCIDENT, NUMBER
from secure_export.itsm.cmdb_reading import CmdbUnavailable, NotReadable, Patience
from secure_export.itsm.verdict import Method, NotThere

_NO_RIGHTS = "give the integration user CMDB Data View All, or Asset Viewer, in its permission groups"
_RIGHTS = frozenset({Cause.PERMISSION, Cause.TRANSPORT})
_NOBODYS = "-"


class CmdbReading:
    """What binding asks, answered by one server; see ``cmdb_classes.CmdbClasses``.

    Args:
        api: Calls the server.
        settings: Which interface and which dataset.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(
        self, api: EntryApi, settings: CmdbSettings, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._api = api
        self._settings = settings
        self._patience = Patience[CmdbClass](self._answers_otherwise, monotonic=monotonic)
        self.plain: set[CmdbClass] = set()
        """Classes that do not have all of the further attributes."""

    async def rows(
        self, one: CmdbClass, qualification: str, needed: Sequence[str], further: Sequence[str], limit: int
    ) -> tuple[Row, ...]:
        """Give instances; see ``CmdbClasses.rows``."""
        if one in self.plain or not further:
            return await self._patiently(one, qualification, needed, limit)
        try:
            return await self._patiently(one, qualification, (*needed, *further), limit)
        except NotReadable:
            found = await self._patiently(one, qualification, needed, limit)
        self.plain.add(one)
        return found

    async def _patiently(
        self, one: CmdbClass, qualification: str, attributes: Sequence[str], limit: int
    ) -> tuple[Row, ...]:
        try:
            found = _rows(await self._asked(one, qualification, attributes, limit), one)
        except CmdbUnavailable as error:
            if await self._patience.is_lost(one):
                raise NotReadable(
                    f"{error}, time after time, while BMC answers other questions: is the CMDB API there (cmdb.api), "
                    f"and has {one} an index for what is asked?"
                ) from error
            raise
        self._patience.answered(one)
        return found

    async def _asked(self, one: CmdbClass, qualification: str, attributes: Sequence[str], limit: int) -> Verdict:
        path, query = request_for(self._settings, one, qualification, attributes, limit)
        return await self._api.call(Method.GET, path, query=query)

    async def _answers_otherwise(self) -> bool:
        told = await self._api.entries(INCIDENT, Query(equal(NUMBER, _NOBODYS), (NUMBER,), limit=1))
        return isinstance(told, Ok | Refused | NotThere)


def request_for(
    settings: CmdbSettings, one: CmdbClass, qualification: str, attributes: Sequence[str], limit: int
) -> tuple[str, Mapping[str, str]]:
    """Give path and query of a request for instances."""
    names = ",".join(dict.fromkeys(attributes))
    place = f"{settings.dataset}/{one.namespace}/{one.name}"
    match settings.api:
        case CmdbApi.INSTANCES:
            query = {"qualification": qualification, "attributes": names, "limit": str(limit), "offset": "0"}
            return f"/api/cmdb/v1.0/instances/{place}", query
        case CmdbApi.INSTANCE:
            query = {"q": qualification, "fields": names, "limit": str(limit), "offset": "0"}
            return f"/api/cmdb/v1/instance/{place}", query
        case CmdbApi.FORM:
            within = together(equal("DatasetId", settings.dataset), qualification)
            return f"/api/arsys/v1/entry/{one}", {"q": within, "fields": f"values({names})", "limit": str(limit)}


def _rows(told: Verdict, one: CmdbClass) -> tuple[Row, ...]:
    match told:
        case Ok():
            found = rows_of(told.body)
            if found is None:
                raise CmdbUnavailable(f"BMC answered something that is no list of instances of {one}")
            return found
        case Refused(reason, cause) if cause in _RIGHTS:
            raise NotReadable(f"BMC does not let us read {one} ({reason}): {_NO_RIGHTS}")
        case NotThere(reason):
            raise NotReadable(f"the CMDB has no class {one} ({reason})", lacking_rights=False)
        case Refused(words=words):
            raise NotReadable(f"{one} cannot be asked in this way ({words})", lacking_rights=False)
        case _:
            raise CmdbUnavailable(f"BMC did not say what is in {one}: {told.reason}")
