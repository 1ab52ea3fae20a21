"""Finds CIs by name, with the Azure resource ids that they have.

``cmdb_ci`` has every CI, but not the columns of its class. So the resource id of what was found is read from its class:
a CI of the right name and another resource id is another resource.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from secure_export.alerts.resource_id import normal_form
from secure_export.itsm.cmdb_reading import NotReadable
from secure_export.itsm.questions import in_turns
from secure_export.itsm.servicenow.api.rows import Row, display, value
from secure_export.itsm.servicenow.cmdb.ci_classes import OBJECT_ID, Place
from secure_export.itsm.servicenow.cmdb.ci_rows import in_use
from secure_export.itsm.servicenow.cmdb.class_proofs import ClassProofs
from secure_export.itsm.servicenow.cmdb.tables import BlindSpot, CmdbTables, any_of

UNKNOWN_ID = "/unknown"
"""Stands for a resource id that may not be read: no CI is bound by its mere name if it may be another resource."""

_EVERY_CI = "cmdb_ci"
_MOST_OF_A_NAME = 100
_NOT_HEEDED = "cmdb_ci gives CIs that were not asked for: the integration user may not read cmdb_ci.name"
INSTANCE = "cmdb_ci_vm_instance"
_SERVERS = frozenset({"cmdb_ci_server", "cmdb_ci_win_server", "cmdb_ci_linux_server", "cmdb_ci_unix_server"})
_COLUMNS = {"cmdb_ci_kubernetes_cluster": "cluster_resource_id", "cmdb_ci_cloud_service_account": "account_id"}


@dataclass(frozen=True, slots=True)
class Named:
    """A CI that was found by its name.

    Attributes:
        row: Its row.
        resource_id: Its Azure resource id in normal form; None when it has none.
    """

    row: Row
    resource_id: str | None

    @property
    def class_name(self) -> str:
        """Its class."""
        return value(self.row, "sys_class_name")

    @property
    def sys_id(self) -> str:
        """Its key."""
        return value(self.row, "sys_id")


class NamedCis:
    """Looks CIs up by name.

    Args:
        tables: Reads ServiceNow.
        proofs: Knows which classes have which columns.
        fields: The columns of CIs to ask for.
        prefers_server: Whether a virtual machine's server counts, and not its instance.
    """

    def __init__(
        self, tables: CmdbTables, proofs: ClassProofs, fields: Sequence[str], *, prefers_server: bool = False
    ) -> None:
        self._tables = tables
        self._proofs = proofs
        self._fields = tuple(fields)
        self._prefers_server = prefers_server
        self.blind_spots: tuple[BlindSpot, ...] = ()

    async def of(self, names: Sequence[str]) -> list[Named]:
        """Give every CI with one of these names, which can be asked; an instance and its server are one.

        Raises:
            CmdbUnavailable: There is no answer now.
        """
        wanted = {name.lower() for name in names}
        try:
            rows, too_many = await self._rows(sorted(wanted))
        except NotReadable as error:
            self.blind_spots = (BlindSpot(str(error), error.denied),)
            return []
        named = await self._with_ids([row for row in rows if _name(row) not in too_many])
        # Of a name with more CIs than were read none may seem to be the only one somewhere.
        named += [Named(row, None) for row in rows if _name(row) in too_many]
        return await self._each_machine_once(named)

    async def _rows(self, wanted: Sequence[str]) -> tuple[list[Row], set[str]]:
        """Give the rows with these names, and the names of which there are more."""
        found: dict[str, Row] = {}
        too_many: set[str] = set()
        hidden = 0
        turns = in_turns([_spellings(name) for name in wanted], ",")
        while turns:
            turn = turns.pop(0)
            asked = {name.lower() for name in turn}
            limit = _MOST_OF_A_NAME * len(asked)
            answer = await self._tables.rows(_EVERY_CI, any_of("name", turn), self._fields, limit)
            fitting = [row for row in answer.rows if _name(row) in asked]
            is_cut = (answer.total or 0) > limit
            if is_cut and 2 * len(fitting) < len(answer.rows):
                self.blind_spots = (BlindSpot(_NOT_HEEDED),)
                return [], set()
            if is_cut and len(asked) > 1:  # each by itself: one must not push others out of sight
                turns += [tuple(_spellings(name)) for name in sorted(asked)]
                continue
            found |= {value(row, "sys_id"): row for row in fitting}
            if is_cut:
                too_many |= asked
            else:
                hidden += answer.hidden
        told = f"{hidden} CIs of names asked for are hidden by an access control"
        self.blind_spots = (BlindSpot(told),) if hidden else ()
        return list(found.values()), too_many

    async def _with_ids(self, rows: Sequence[Row]) -> list[Named]:
        by_class: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            by_class[value(row, "sys_class_name")].append(row)
        places = {name: Place(name, _COLUMNS.get(name, OBJECT_ID)) for name in by_class}
        proofs = await self._proofs.of(places.values()) if places else {}
        named: list[Named] = []
        for class_name, some in by_class.items():
            place = places[class_name]
            if proofs[place].usable:
                named += await self._of_class(place, some)
            else:
                unknown = UNKNOWN_ID if proofs[place].blind_spot is not None else None
                named += [Named(row, unknown) for row in some]
        return named

    async def _of_class(self, place: Place, rows: Sequence[Row]) -> list[Named]:
        """Read rows again from their class, which has more columns."""
        full: dict[str, Row] = {}
        fields = (*self._fields, place.column)
        try:
            for turn in in_turns([[value(row, "sys_id")] for row in rows], ","):
                answer = await self._tables.rows(place.class_name, any_of("sys_id", turn), fields, len(turn))
                full |= {value(row, "sys_id"): row for row in answer.rows}
        except NotReadable as error:
            self._proofs.cannot_read(place, error)
        return [
            Named(full[key], _resource_id(full[key], place)) if key in full else Named(row, UNKNOWN_ID)
            for row in rows
            for key in (value(row, "sys_id"),)
        ]

    async def _each_machine_once(self, named: Sequence[Named]) -> list[Named]:
        """Leave out the server of an instance that was found too: the two are one machine."""
        by_name: dict[str, list[Named]] = defaultdict(list)
        for one in named:
            if in_use(one.row) and (one.class_name == INSTANCE or one.class_name in _SERVERS):
                by_name[_name(one.row)].append(one)
        pairs = [(a, b) for group in by_name.values() for a in group for b in group if _may_be_one(a, b)]
        unsure = {None, UNKNOWN_ID}
        joined = await self._joined([(a, b) for a, b in pairs if {a.resource_id, b.resource_id} & unsure])
        left_out = {
            (instance if self._prefers_server else server).sys_id
            for instance, server in pairs
            if _same_id(instance, server) or (instance.sys_id, server.sys_id) in joined
        }
        return [one for one in named if one.sys_id not in left_out]

    async def _joined(self, pairs: Sequence[tuple[Named, Named]]) -> set[tuple[str, str]]:
        """Give the pairs that the CMDB joins (*Virtualized by::Virtualizes*), in the order that was given."""
        if not pairs:
            return set()
        joined: set[frozenset[str]] = set()
        for turn in in_turns([[a.sys_id, b.sys_id] for a, b in pairs], ",", longest=800):
            query = f"{any_of('parent', turn)}^{any_of('child', turn)}"
            try:
                answer = await self._tables.rows("cmdb_rel_ci", query, ("parent", "child"), 10 * len(turn))
            except NotReadable:
                return set()
            joined |= {frozenset((value(row, "parent"), value(row, "child"))) for row in answer.rows}
        return {(a.sys_id, b.sys_id) for a, b in pairs if frozenset((a.sys_id, b.sys_id)) in joined}


def _same_id(instance: Named, server: Named) -> bool:
    """Whether a resource id shows that the two are one; that neither has one, or may be read, shows nothing."""
    return instance.resource_id == server.resource_id and instance.resource_id not in {None, UNKNOWN_ID}


def _may_be_one(instance: Named, server: Named) -> bool:
    """Whether the two may be one machine, by their classes."""
    return instance.class_name == INSTANCE and server.class_name in _SERVERS


def _resource_id(row: Row, place: Place) -> str | None:
    text = value(row, place.column).strip()
    if not text:
        return None
    return normal_form(f"/subscriptions/{text}" if place.column == "account_id" else text)


def _spellings(name: str) -> list[str]:
    """Give how a name may be written where case counts: computers are often written in capitals."""
    return list(dict.fromkeys((name, name.upper())))


def _name(row: Row) -> str:
    return display(row, "name").lower()
