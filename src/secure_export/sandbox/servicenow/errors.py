"""Refusals in ServiceNow's own words and envelope (servicenow-facts section 5)."""

from dataclasses import dataclass
from typing import Any

from secure_export.sandbox.refusal import Refusal
from secure_export.sandbox.servicenow.dictionary.model import Column

OPERATION_FAILED = "Operation Failed"


@dataclass(eq=False)
class SnowError(Refusal):
    """A refusal.

    Attributes:
        status: The HTTP status.
        message: What ``error.message`` says.
        detail: What ``error.detail`` says; None becomes ``null``.
    """

    status: int
    message: str
    detail: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Give the body that ServiceNow answers with."""
        return {"error": {"message": self.message, "detail": self.detail}, "status": "failure"}

    def __str__(self) -> str:
        return f"{self.status} {self.message}: {self.detail or ''}"


def not_authenticated() -> SnowError:
    """Refuse a caller who did not prove who they are."""
    return SnowError(401, "User Not Authenticated", "Required to provide Auth information")


def no_record() -> SnowError:
    """Refuse a record that does not exist, or that the caller may not see: the two cannot be told apart."""
    return SnowError(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")


def invalid_table(table: str) -> SnowError:
    """Refuse a table that does not exist."""
    return SnowError(400, f"Invalid table {table}")


def may_not_query() -> SnowError:
    """Refuse to list a table that none of the caller's roles can read."""
    return SnowError(403, "Insufficient rights to query records")


def security_constraint(operation: str) -> SnowError:
    """Refuse a write that the access rules forbid; ``operation`` is Insert, Update or Delete."""
    return SnowError(403, OPERATION_FAILED, f"ACL Exception {operation} Failed due to security constraints")


def aborted(table: str, rule: str, rule_id: str) -> SnowError:
    """Refuse a write that a business rule aborted; the rule's own message is not told."""
    return SnowError(
        403,
        OPERATION_FAILED,
        f"Operation against file '{table}' was aborted by Business Rule '{rule}^{rule_id}'. Business Rule Stack:{rule}",
    )


def mandatory(columns: list[Column]) -> SnowError:
    """Refuse a write that leaves fields empty which a data policy wants; named by their labels."""
    labels = ", ".join(column.label for column in columns)
    return SnowError(403, OPERATION_FAILED, f"Data Policy Exception: The following fields are mandatory: {labels}")


def unique_key(value: str, key: str) -> SnowError:
    """Refuse a second row with the same key (servicenow-facts 11; the REST status is unverified, section 15)."""
    return SnowError(
        403,
        OPERATION_FAILED,
        f"Unique Key violation detected by database ((conn=1) Duplicate entry '{value}' for key '{key}')",
    )


def no_resource(path: str) -> SnowError:
    """Refuse a path that no API answers."""
    return SnowError(400, "Requested URI does not represent any resource", path)


def bad_body() -> SnowError:
    """Refuse a body that is not what its Content-Type says; the exact text is unverified (section 5)."""
    return SnowError(400, "Exception while reading request", "The payload is not valid JSON")
