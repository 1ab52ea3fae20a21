"""What the real thing does not have: doors that cause trouble, move the clock, and act as anybody."""

from secure_export.sandbox.bmc_helix.control.doors import NOTICE, routes

__all__ = ["NOTICE", "routes"]
