"""The forms: their fields, types, limits, selections, and what is required."""

from secure_export.sandbox.bmc_helix.forms.model import Field, Form, Forms, Kind, Option

__all__ = ["Field", "Form", "Forms", "Kind", "Option"]
