"""What all steps of a connection share."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from secure_export.clock import Clock
from secure_export.itsm.servicenow.api.table_api import TableApi
from secure_export.itsm.servicenow.settings import ServiceNowSettings
from secure_export.itsm.servicenow.tasks.canary import Canary
from secure_export.itsm.servicenow.tasks.choices import Choices
from secure_export.itsm.servicenow.tasks.own_writes import OwnWrites
from secure_export.itsm.servicenow.tasks.sightings import Sightings
from secure_export.itsm.servicenow.tasks.twins import TwinSettler


@dataclass(slots=True)
class Observed:
    """What was learned of the instance on the way.

    Attributes:
        sys_id_dropped: The number of a record for which it did not keep the ``sys_id`` that we chose; empty: none.
        tables: The tables that work items were kept in.
    """

    sys_id_dropped: str = ""
    tables: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a step works with.

    Attributes:
        connection: The connection's name.
        settings: Its settings.
        api: The instance.
        choices: Knows what fields can hold.
        canary: Says whether look-ups can be believed.
        sightings: Finds records by their keys.
        twins: Ends superfluous records.
        own: Remembers what we wrote.
        observed: What was learned of the instance.
        clock: The time.
    """

    connection: str
    settings: ServiceNowSettings
    api: TableApi
    choices: Choices
    canary: Canary
    sightings: Sightings
    twins: TwinSettler
    own: OwnWrites
    observed: Observed
    clock: Clock


def tools(
    connection: str,
    settings: ServiceNowSettings,
    api: TableApi,
    *,
    clock: Clock,
    monotonic: Callable[[], float] = time.monotonic,
) -> Tools:
    """Make what the steps of a connection share; ``monotonic`` is a clock in seconds that never goes back."""
    choices = Choices(api, monotonic=monotonic)
    canary = Canary(api, choices, monotonic=monotonic)
    own = OwnWrites(settings.username)
    return Tools(
        connection=connection,
        settings=settings,
        api=api,
        choices=choices,
        canary=canary,
        sightings=Sightings(api, canary),
        twins=TwinSettler(api, choices, own, settings.twins),
        own=own,
        observed=Observed(),
        clock=clock,
    )
