"""What the real thing does not have: doors that cause trouble, move the clock, and act as anybody."""

from secure_export.sandbox.bmc_helix.control.doors import NOTICE, control_routes
from secure_export.sandbox.bmc_helix.control.station import Station

__all__ = ["NOTICE", "Station", "control_routes"]
