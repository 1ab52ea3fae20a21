"""ServiceNow's CMDB as binding sees it.

There is no one table to ask by Azure resource id: ``object_id`` is a column of subclasses only (ServiceNow docs,
"cmdb-azure-classes"), so that each resource type is asked for in the classes that it may have, the likeliest first.
What a row says is compared with what was asked for, whatever the query was taken for.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from secure_export.alerts.resource_id import ResourceId, normal_form, parse
from secure_export.cmdb.contract import ConfigurationItem
from secure_export.itsm.cmdb_reading import CmdbUnavailable, NotReadable
from secure_export.itsm.contract import CheckResult
from secure_export.itsm.questions import in_turns, together
from secure_export.itsm.servicenow.api.rows import Row, value
from secure_export.itsm.servicenow.check.cmdb import CheckCmdb
from secure_export.itsm.servicenow.cmdb.ci_classes import COVERED_BY, OBJECT_ID, Place, places, spellings, value_in
from secure_export.itsm.servicenow.cmdb.ci_names import INSTANCE, Named, NamedCis
from secure_export.itsm.servicenow.cmdb.ci_rows import FIELDS, ci_of, first_of_each, in_use
from secure_export.itsm.servicenow.cmdb.ci_sources import CiSources
from secure_export.itsm.servicenow.cmdb.class_proofs import ClassProofs
from secure_export.itsm.servicenow.cmdb.settings import CmdbSettings
from secure_export.itsm.servicenow.cmdb.tables import CmdbTables, Found, any_of, can_be_asked, in_words

_ROWS_EACH = 5
_MOST_ROWS = 1000
_ID_COLUMNS = frozenset({OBJECT_ID, "cluster_resource_id"})


@dataclass(slots=True)
class _Wanted:
    """A resource that is looked for.

    Attributes:
        resource: The resource.
        written: How its id may be written.
        places: Where it has not been looked for yet, the best first.
        dead: Rows that are out of use, which count only if nothing else is found.
    """

    resource: ResourceId
    written: tuple[str, ...]
    places: list[Place]
    dead: list[Row] = field(default_factory=list)


class ServiceNowCmdb:
    """Looks CIs up in ServiceNow, without keeping answers: ``CisAtHand`` does that.

    What may not be read for want of rights is found by nobody's fault: it counts as not there, so that alerts go on
    without a CI, and ``unreadable`` says so. Trouble that passes is raised.

    Args:
        tables: Reads ServiceNow.
        settings: What the configuration says.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(
        self,
        tables: CmdbTables,
        settings: CmdbSettings | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tables = tables
        self._settings = settings or CmdbSettings()
        self._fields = (*FIELDS, *self._settings.attributes)
        self.proofs = ClassProofs(tables, monotonic=monotonic)
        self._sources = CiSources(tables, self._fields)
        self._names = NamedCis(tables, self.proofs, self._fields, prefers_server=_prefers_server(self._settings))
        self._ignores_case: bool | None = None

    @property
    def unreadable(self) -> str:
        """Say what of the CMDB may not be read, for people; empty when nothing is known to be hidden."""
        return in_words((*self._names.blind_spots, *self.proofs.blind_spots))

    async def by_resource_ids(self, resource_ids: Sequence[str]) -> Sequence[ConfigurationItem]:
        """Give the CIs with these Azure resource ids.

        Of several classes that have an id the first one counts, so that a virtual machine that is there as an instance
        and as a server is one CI. Several rows of one class are given as they are: it is not for us to choose.

        Raises:
            CmdbUnavailable: There is no answer now.
        """
        wanted = {
            key: one for written in resource_ids if (one := self._wanted(written)) for key in (one.resource.text,)
        }
        found = await self._by_sources(wanted) if self._settings.use_sources else {}
        await self._by_classes({key: one for key, one in wanted.items() if key not in found}, found)
        return [self._ci(row, key) for key, rows in found.items() for row in rows]

    async def by_names(self, names: Sequence[str]) -> Sequence[ConfigurationItem]:
        """Give every CI with one of these names.

        Raises:
            CmdbUnavailable: There is no answer now.
        """
        found = await self._names.of([name for name in names if can_be_asked(name)])
        return [self._named(one) for one in found]

    async def check(self) -> Sequence[CheckResult]:
        """Try reading, for ``secure-export check``."""
        return await CheckCmdb(self._tables, self.proofs, self._settings).run()

    def _wanted(self, written: str) -> _Wanted | None:
        resource = parse(written)
        if resource is None or not can_be_asked(written):
            return None
        return _Wanted(resource, spellings(written), list(places(resource, self._settings.classes)))

    async def _by_sources(self, wanted: Mapping[str, _Wanted]) -> dict[str, list[Row]]:
        try:
            found = await self._sources.of({key: self._spelled(one) for key, one in wanted.items()})
        except NotReadable:
            return {}
        return {key: live for key, rows in found.items() if (live := [row for row in rows if in_use(row)])}

    async def _by_classes(self, wanted: Mapping[str, _Wanted], found: dict[str, list[Row]]) -> None:
        """Ask class after class, each for all that is still missing at once."""
        proofs = await self.proofs.of(place for one in wanted.values() for place in one.places)
        usable = {place for place, proof in proofs.items() if proof.usable}
        for one in wanted.values():
            one.places = [place for place in one.places if place in usable and not _is_covered(place, usable)]
        left = {key: one for key, one in wanted.items() if one.places}
        while left:
            turn: dict[Place, list[_Wanted]] = defaultdict(list)
            for one in left.values():
                turn[one.places.pop(0)].append(one)
            answers = await together([self._in_place(place, ones) for place, ones in turn.items()])
            for key, rows in (pair for answer in answers for pair in answer.items()):
                if live := [row for row in rows if in_use(row)]:
                    found[key] = live
                wanted[key].dead += rows
            left = {key: one for key, one in left.items() if one.places and key not in found}
        found |= {key: first_of_each(one.dead) for key, one in wanted.items() if key not in found and one.dead}

    async def _in_place(self, place: Place, ones: Sequence[_Wanted]) -> dict[str, list[Row]]:
        """Ask one class; rows with another id than was asked for are left out."""
        by_value = {value_in(place, one.resource, one.resource.text): one.resource.text for one in ones}
        asked = [list(dict.fromkeys(value_in(place, one.resource, t) for t in self._spelled(one))) for one in ones]
        found: dict[str, list[Row]] = defaultdict(list)
        try:
            answers = await together([self._rows(place, turn) for turn in in_turns(asked, ",")])
        except NotReadable as error:
            self.proofs.cannot_read(place, error)
            return {}
        for row in (row for rows in answers for row in rows):
            if (key := by_value.get(_comparable(value(row, place.column), place))) is not None:
                found[key].append(row)
                await self._learn(place, row)
        return {key: first_of_each(rows) for key, rows in found.items()}

    async def _learn(self, place: Place, row: Row) -> None:
        """Find out once whether the instance finds an id in another case than its own: most do."""
        has = value(row, place.column)
        if self._ignores_case is not None or has == has.lower():
            return
        self._ignores_case = False  # not twice, though several may be under way
        query = f"{any_of(place.column, [has.lower()])}^{any_of('sys_id', [value(row, 'sys_id')])}"
        with suppress(NotReadable, CmdbUnavailable):  # what was found counts without it
            answer = await self._tables.rows(place.class_name, query, ("sys_id",), 1)
            self._ignores_case = any(value(one, "sys_id") == value(row, "sys_id") for one in answer.rows)

    async def _rows(self, place: Place, turn: Sequence[str]) -> tuple[Row, ...]:
        values = tuple(dict.fromkeys(turn))
        limit = _ROWS_EACH * len(values)
        answer = await self._asked(place, values, limit)
        if (answer.total or 0) > limit:
            if not _was_asked_for(answer, place, values):
                reason = f"{place.class_name} gives rows that were not asked for by {place.column}"
                self.proofs.disprove(place, reason)
                return ()
            answer = await self._asked(place, values, _MOST_ROWS)
        if answer.hidden:
            reason = (
                f"{answer.hidden} of the CIs in {place.class_name} that were asked for are hidden by an access control"
            )
            self.proofs.note(place, reason)
        return answer.rows

    async def _asked(self, place: Place, values: Sequence[str], limit: int) -> Found:
        fields = (*self._fields, place.column)
        return await self._tables.rows(place.class_name, any_of(place.column, values), fields, limit)

    def _spelled(self, one: _Wanted) -> tuple[str, ...]:
        """How an id is asked for: in all its spellings, until the instance has shown that it ignores case."""
        return one.written[:1] if self._ignores_case else one.written

    def _ci(self, row: Row, resource_id: str | None) -> ConfigurationItem:
        return ci_of(row, resource_id, self._settings.attributes)

    def _named(self, one: Named) -> ConfigurationItem:
        return self._ci(one.row, one.resource_id)


def _comparable(has: str, place: Place) -> str:
    """A column's value in the form that ids are compared in."""
    return normal_form(has) if place.column in _ID_COLUMNS else has.lower()


def _was_asked_for(answer: Found, place: Place, values: Iterable[str]) -> bool:
    """Whether the instance has heeded the question: databases may take a few more ids for the same, but not most."""
    asked = {_comparable(one, place) for one in values}
    fitting = sum(_comparable(value(row, place.column), place) in asked for row in answer.rows)
    return 2 * fitting >= len(answer.rows)


def _prefers_server(settings: CmdbSettings) -> bool:
    """Whether the configuration names a virtual machine's server before its instance."""
    own = settings.classes.get("microsoft.compute/virtualmachines", ())
    return bool(own) and own[0] != INSTANCE


def _is_covered(place: Place, usable: Iterable[Place]) -> bool:
    by = COVERED_BY.get(place.class_name)
    return by is not None and Place(by, place.column) in usable
