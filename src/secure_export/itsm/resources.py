"""What the program lends to connectors."""

from dataclasses import dataclass, field

from secure_export.clock import Clock
from secure_export.itsm.desk.contract import DeskRecords
from secure_export.itsm.share import Share


@dataclass(frozen=True, slots=True)
class Resources:
    """What a connector may use besides its own settings.

    Attributes:
        desk: The embedded desk's records, in the program's own store.
        clock: The time.
        console_url: Where the console is reached, for links in work items; empty when it has no known address.
        share: What this process has of the connection's limits; whoever makes calls makes them in its ``turns``.
    """

    desk: DeskRecords
    clock: Clock
    console_url: str = ""
    share: Share = field(default_factory=Share)
