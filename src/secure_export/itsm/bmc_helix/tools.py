"""What all steps of a connection share."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from secure_export.clock import Clock
from secure_export.itsm.bmc_helix.entry_api import EntryApi
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings
from secure_export.itsm.bmc_helix.sightings import Sightings
from secure_export.itsm.bmc_helix.site import Site
from secure_export.itsm.bmc_helix.trust import Trust
from secure_export.itsm.bmc_helix.work_log import WorkLog
from secure_export.workitems.work_item import Binding

CiRemarks = Callable[[Sequence[Binding]], Sequence[str]]
_MOST_LOST = 5_000


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
class LostCreates:
    """Creates whose answer was lost: workflow takes its time, so that they may still be under way in BMC.

    Attributes:
        since: By key, when the answer was given up; bounded.
    """

    since: OrderedDict[str, datetime] = field(default_factory=OrderedDict)

    def add(self, key: str, at: datetime) -> None:
        """Take note of one."""
        self.since.pop(key, None)
        self.since[key] = at
        while len(self.since) > _MOST_LOST:
            self.since.popitem(last=False)


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
        lost: Creates whose answer was lost.
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
    lost: LostCreates
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
        lost=LostCreates(),
        ci_remarks=ci_remarks,
        clock=clock,
    )
