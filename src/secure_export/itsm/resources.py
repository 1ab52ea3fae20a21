"""What the program lends to connectors."""

from dataclasses import dataclass

from secure_export.clock import Clock
from secure_export.itsm.desk.contract import DeskRecords


@dataclass(frozen=True, slots=True)
class Resources:
    """What a connector may use besides its own settings.

    Attributes:
        desk: The embedded desk's records, in the program's own store.
        clock: The time.
        console_url: Where the console is reached, for links in work items; empty when it has no known address.
    """

    desk: DeskRecords
    clock: Clock
    console_url: str = ""
