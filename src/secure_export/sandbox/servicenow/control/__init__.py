"""What the real ServiceNow does not have: doors that cause trouble, move the clock, and act as anybody."""

from secure_export.sandbox.servicenow.control.doors import NOTICE, routes

__all__ = ["NOTICE", "routes"]
