"""How a request to a stand-in ends: an answer, and what happens to the connection."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from secure_export.sandbox import faults
from secure_export.sandbox.faults import AnyFault
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


def ending_instead(fault: AnyFault[Any]) -> Ending | None:
    """Give the ending of a request that is not done at all, by what a fault does to the connection; None: nothing."""
    return Ending(Reply(0), Wire.RESET) if fault.kind == faults.RESET_BEFORE else None


def ending_after(fault: AnyFault[Any], reply: Reply) -> Ending:
    """Give the ending of a request that was done, by what a fault does to the connection, if anything."""
    match fault.kind:
        case faults.RESET_AFTER:
            return Ending(reply, Wire.RESET)
        case faults.DELAY_AFTER:
            return Ending(reply, wait_seconds=fault.seconds)
        case faults.CUT:
            return Ending(reply, Wire.CUT)
    return Ending(reply)
