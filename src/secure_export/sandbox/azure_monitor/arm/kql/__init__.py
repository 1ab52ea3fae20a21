"""The part of the Kusto query language that the sandbox's Resource Graph answers; all else is refused."""

from secure_export.sandbox.azure_monitor.arm.kql.errors import QueryError
from secure_export.sandbox.azure_monitor.arm.kql.pipeline import run

__all__ = ["QueryError", "run"]
