"""What all steps of a connection share."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from secure_export.clock import Clock
from secure_export.itsm.bmc_helix.api.entry_api import EntryApi
from secure_export.itsm.bmc_helix.incidents.sightings import Sightings
from secure_export.itsm.bmc_helix.incidents.trust import Trust
from secure_export.itsm.bmc_helix.incidents.work_log import WorkLog
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings
from secure_export.itsm.bmc_helix.site import Site
from secure_export.workitems.work_item import Binding

CiRemarks = Callable[[Sequence[Binding]], Sequence[str]]
_MOST_KEYS = 5_000


@dataclass(slots=True)
class Observed:
    """What was learned on the way.

    Attributes:
        notes_by_create: Whether work notes that are written with a new incident are there afterwards; None: not known.
        notes_by_change: Whether those that are written with a change of an incident are; None: not known.
    """

    notes_by_create: bool | None = None
    notes_by_change: bool | None = None


@dataclass(slots=True)
class Since:
    """Since when something is so of records, by their keys, in bounded memory.

    Attributes:
        times: By key, since when.
    """

    times: OrderedDict[str, datetime] = field(default_factory=OrderedDict)

    def begins(self, key: str, at: datetime) -> datetime:
        """Take note that it is so of a record, and give since when; one that was noted keeps its time."""
        since = self.times.setdefault(key, at)
        while len(self.times) > _MOST_KEYS:
            self.times.popitem(last=False)
        return since

    def begins_anew(self, key: str, at: datetime) -> None:
        """Take note that it is so of a record from now on."""
        self.ends(key)
        self.begins(key, at)

    def ends(self, key: str) -> None:
        """Take note that it is so no more."""
        self.times.pop(key, None)

    def get(self, key: str) -> datetime | None:
        """Give since when it is so; None: it is not."""
        return self.times.get(key)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a step works with.

    Attributes:
        connection: The connection's name.
        settings: Its settings.
        api: The server.
        site: Knows what its forms have.
        trust: Says whether look-ups can be believed.
        sightings: Finds incidents by their keys.
        work_log: Reads and writes work notes.
        observed: What was learned.
        lost: Since when the answer to a create is lost: BMC may still be at it.
        unseen: Since when nothing of ours is to be seen, though an incident was there.
        ci_remarks: Says what is to be told of bindings: what is in the CMDB and cannot be bound, for one.
        clock: The time.
    """

    connection: str
    settings: BmcHelixSettings
    api: EntryApi
    site: Site
    trust: Trust
    sightings: Sightings
    work_log: WorkLog
    observed: Observed
    lost: Since
    unseen: Since
    ci_remarks: CiRemarks
    clock: Clock


def no_remarks(_: Sequence[Binding]) -> Sequence[str]:
    """Say nothing of bindings."""
    return ()


def tools(
    connection: str, settings: BmcHelixSettings, api: EntryApi, *, clock: Clock, ci_remarks: CiRemarks = no_remarks
) -> Tools:
    """Make what the steps of a connection share."""
    trust = Trust()
    return Tools(
        connection=connection,
        settings=settings,
        api=api,
        site=Site(api),
        trust=trust,
        sightings=Sightings(api, trust, settings.key_field),
        work_log=WorkLog(api, settings),
        observed=Observed(),
        lost=Since(),
        unseen=Since(),
        ci_remarks=ci_remarks,
        clock=clock,
    )
