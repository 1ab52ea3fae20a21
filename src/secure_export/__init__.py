"""Secure Export turns Azure Monitor alerts into work items in an ITSM tool."""

__version__ = "0.1.0"
