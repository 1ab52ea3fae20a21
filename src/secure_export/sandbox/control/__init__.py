"""What no real system has: doors under ``/control`` that cause trouble, move the clock, and tell what was asked."""

from secure_export.sandbox.control.routes import Doors, control_routes
from secure_export.sandbox.control.trouble import (
    TurnsOrder,
    clock_doors,
    counter_doors,
    fault_doors,
    set_turns,
    setting_doors,
    turn_doors,
    turns,
)

__all__ = [
    "Doors",
    "TurnsOrder",
    "clock_doors",
    "control_routes",
    "counter_doors",
    "fault_doors",
    "set_turns",
    "setting_doors",
    "turn_doors",
    "turns",
]
