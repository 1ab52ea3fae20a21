"""How a request to a stand-in ends: an answer, and what happens to the connection."""

from dataclasses import dataclass
from enum import StrEnum

from secure_export.sandbox.reply import Reply


class Wire(StrEnum):
    """What happens to the connection."""

    SEND = "send"
    RESET = "reset"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a request ends.

    Attributes:
        reply: The answer; of no meaning if the connection is reset.
        wire: What happens to the connection.
        wait_seconds: How long before that.
    """

    reply: Reply
    wire: Wire = Wire.SEND
    wait_seconds: float = 0.0
