"""Which CMDB classes are known to have the column that they are asked by.

A ServiceNow instance ignores a term of a query whose column it does not know, and gives all rows (ServiceNow docs,
"Table API", ``sysparm_query``). So no class is asked before it is proven to have the column: by the dictionary, by the
CMDB Meta API, or, where neither may be read, by a question that must find nothing.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from secure_export.itsm.cmdb_reading import NotReadable
from secure_export.itsm.questions import in_turns, together
from secure_export.itsm.servicenow.api.rows import value
from secure_export.itsm.servicenow.cmdb.ci_classes import Place
from secure_export.itsm.servicenow.cmdb.tables import BlindSpot, CmdbTables, any_of

NOWHERE = "secure-export-asks-for-nothing"
"""A value that no row has: a query for it that finds something was not understood."""

_PROVEN_SECONDS = 24 * 3600.0
_DISPROVEN_SECONDS = 900.0
_MOST_LEVELS = 12
_EVERY_CLASS_HAS = "name"
_PARENTS = ("super_class.name", "super_class.super_class.name", "super_class.super_class.super_class.name")
_MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of a place.

    Attributes:
        usable: Whether it may be asked.
        reason: How that is known, or why it may not.
        blind_spot: What of it the integration user may not read; None: nothing that is known of.
    """

    usable: bool
    reason: str
    blind_spot: BlindSpot | None = None


def not_readable(error: NotReadable) -> Proof:
    """Say of a place that it may not be asked, because its table cannot be read."""
    spot = BlindSpot(str(error), error.denied) if error.lacking_rights else None
    return Proof(usable=False, reason=str(error), blind_spot=spot)


class ClassProofs:
    """Proves places once, and remembers.

    Args:
        tables: Reads ServiceNow.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(self, tables: CmdbTables, *, monotonic: Callable[[], float]) -> None:
        self._tables = tables
        self._monotonic = monotonic
        self._proofs: dict[Place, tuple[Proof, float]] = {}
        self._proving = asyncio.Lock()

    async def of(self, places: Iterable[Place]) -> dict[Place, Proof]:
        """Say which places may be asked.

        Raises:
            CmdbUnavailable: There is no answer now.
        """
        wanted = tuple(dict.fromkeys(places))
        if self._unknown(wanted):
            async with self._proving:
                await self._prove(self._unknown(wanted))
        return {place: self._proofs[place][0] for place in wanted}

    def disprove(self, place: Place, reason: str) -> None:
        """Take back a proof: an answer showed that it was wrong, so that nobody can look there."""
        self._keep(place, Proof(usable=False, reason=reason, blind_spot=BlindSpot(reason)))

    def cannot_read(self, place: Place, error: NotReadable) -> None:
        """Take back a proof: the place cannot be read."""
        self._keep(place, not_readable(error))

    def note(self, place: Place, reason: str) -> None:
        """Keep in mind for a while that rows of a place are hidden; it is asked as before."""
        proof = Proof(usable=True, reason=reason, blind_spot=BlindSpot(reason))
        self._proofs[place] = (proof, self._until(_DISPROVEN_SECONDS))

    @property
    def blind_spots(self) -> tuple[BlindSpot, ...]:
        """What could not be read for want of rights, in the order of the classes' names."""
        now = self._monotonic()
        kept = [(place, proof) for place, (proof, until) in self._proofs.items() if now < until]
        kept.sort(key=lambda one: one[0].class_name)
        return tuple(proof.blind_spot for _, proof in kept if proof.blind_spot is not None)

    def _unknown(self, places: Iterable[Place]) -> list[Place]:
        now = self._monotonic()
        return [place for place in places if place not in self._proofs or now >= self._proofs[place][1]]

    def _keep(self, place: Place, proof: Proof) -> None:
        self._proofs[place] = (proof, self._until(_PROVEN_SECONDS if proof.usable else _DISPROVEN_SECONDS))

    def _until(self, seconds: float) -> float:
        return self._monotonic() + seconds

    async def _prove(self, places: Sequence[Place]) -> None:
        if not places:
            return
        proofs = await self._by_dictionary(places)
        if proofs is None:
            found = await together([self._by_meta(place) for place in places])
            proofs = dict(zip(places, found, strict=True))
        for place, proof in proofs.items():
            self._keep(place, proof)

    async def _by_dictionary(self, places: Sequence[Place]) -> dict[Place, Proof] | None:
        """Ask ``sys_db_object`` and ``sys_dictionary``; None when they may not be read, or do not show all."""
        try:
            families = await self._families({place.class_name for place in places})
            columns = await self._columns_of(families, {_EVERY_CLASS_HAS, *(place.column for place in places)})
        except NotReadable:
            return None
        if not families or not any(column == _EVERY_CLASS_HAS for _, column in columns):
            return None
        return {place: _judged(place, families, columns) for place in places}

    async def _families(self, classes: set[str]) -> dict[str, tuple[str, ...]]:
        """Give each class that exists with the classes that it extends."""
        parent: dict[str, str] = {}
        asked: set[str] = set()
        left = classes
        for _ in range(_MOST_LEVELS):
            if not left:
                break
            asked |= left
            for turn in in_turns([[name] for name in sorted(left)], ","):
                found = await self._tables.rows("sys_db_object", any_of("name", turn), ("name", *_PARENTS), _MOST_ROWS)
                for row in found.rows:
                    chain = (value(row, "name"), *(value(row, column) for column in _PARENTS))
                    parent |= {c: p for c, p in pairwise(chain) if c and p}
                    parent.setdefault(chain[0], "")
            left = {name for name in parent.values() if name and name not in parent} - asked
        return {name: _ancestry(name, parent) for name in classes if name in parent}

    async def _columns_of(self, families: dict[str, tuple[str, ...]], columns: set[str]) -> set[tuple[str, str]]:
        """Give the pairs of table and column that the dictionary has."""
        tables = sorted({table for family in families.values() for table in family})
        known: set[tuple[str, str]] = set()
        for turn in in_turns([[table] for table in tables], ","):
            query = f"{any_of('name', turn)}^{any_of('element', sorted(columns))}"
            found = await self._tables.rows("sys_dictionary", query, ("name", "element"), _MOST_ROWS)
            known |= {(value(row, "name"), value(row, "element")) for row in found.rows}
        return {pair for pair in known if pair[1] in columns}

    async def _by_meta(self, place: Place) -> Proof:
        try:
            columns = await self._tables.columns(place.class_name)
        except NotReadable:
            return await self._by_asking_for_nothing(place)
        if place.column in columns:
            return Proof(usable=True, reason=f"the CMDB Meta API lists {place.column}")
        return Proof(usable=False, reason=_no_column(place))

    async def _by_asking_for_nothing(self, place: Place) -> Proof:
        """Where nothing tells the columns: a value that no row has must find no row."""
        try:
            found = await self._tables.rows(
                place.class_name, any_of(place.column, [NOWHERE]), ("sys_id", place.column), 1
            )
        except NotReadable as error:
            return not_readable(error)
        if found.rows or found.total:
            return Proof(usable=False, reason=_no_column(place))
        return Proof(usable=True, reason=f"{place.class_name} finds nothing for a {place.column} that nothing has")


def _judged(place: Place, families: dict[str, tuple[str, ...]], columns: set[tuple[str, str]]) -> Proof:
    if place.class_name not in families:
        return Proof(usable=False, reason=f"the instance has no class {place.class_name}")
    if any((table, place.column) in columns for table in families[place.class_name]):
        return Proof(usable=True, reason=f"sys_dictionary has {place.column}")
    return Proof(usable=False, reason=_no_column(place))


def _no_column(place: Place) -> str:
    return f"class {place.class_name} has no column {place.column}"


def _ancestry(name: str, parent: dict[str, str]) -> tuple[str, ...]:
    chain: list[str] = []
    while name and name not in chain:
        chain.append(name)
        name = parent.get(name, "")
    return tuple(chain)
