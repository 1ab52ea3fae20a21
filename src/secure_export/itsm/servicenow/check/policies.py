"""Which fields data policies make mandatory, and which of them we do not write: a part of ``secure-export check``.

Columns of their tables: ServiceNow docs, "Data policies" (``sys_data_policy2``, ``sys_data_policy_rule``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from secure_export.itsm.contract import CheckResult
from secure_export.itsm.servicenow.api.rows import Row, value
from secure_export.itsm.servicenow.api.table_api import Query, TableApi
from secure_export.itsm.servicenow.api.verdict import Ok
from secure_export.itsm.servicenow.tasks.kinds import Kind

_WRITTEN = frozenset({"short_description", "description", "impact", "urgency", "correlation_id", "correlation_display"})
_POLICY = "sys_data_policy"
_OF_RULES = (
    "field",
    "mandatory",
    *(f"{_POLICY}.{name}" for name in ("model_table", "active", "inherit", "conditions")),
)


@dataclass(frozen=True, slots=True)
class Demand:
    """A field that a data policy makes mandatory.

    Attributes:
        field: The field.
        conditions: When, as an encoded query; empty: always.
    """

    field: str
    conditions: str


async def mandatory_result(api: TableApi, kind: Kind, configured: frozenset[str]) -> CheckResult:
    """Read the data policies of a table, and compare them with what we write.

    Args:
        api: The instance.
        kind: What is to be known of the table.
        configured: The fields that the connection's settings set.
    """
    subject = f"{kind.table}: mandatory fields"
    query = f"{_POLICY}.model_tableIN{kind.table},task^mandatory=true"
    told = await api.rows("sys_data_policy_rule", Query(query, _OF_RULES, limit=500))
    if not isinstance(told, Ok) or (told.total or 0) > len(told.result):
        detail = "data policies cannot be read (sys_data_policy_rule); a refusal will name the fields"
        return CheckResult(subject, passed=True, detail=detail)
    return judged(subject, demands(told.result, kind.table), _WRITTEN | configured | ending(kind))


def demands(rows: Sequence[Row], table: str) -> list[Demand]:
    """Give what active policies of a table demand; rows of other tables show that the query was not understood."""
    return [
        Demand(value(row, "field"), value(row, f"{_POLICY}.conditions").removesuffix("^EQ"))
        for row in rows
        if _concerns(row, table)
        and value(row, "mandatory") == "true"
        and value(row, f"{_POLICY}.active") != "false"
        and value(row, "field")
    ]


def _concerns(row: Row, table: str) -> bool:
    """Whether a policy is of a table, or of tasks with all that extend them."""
    model = value(row, f"{_POLICY}.model_table")
    return model == table or (model == "task" and value(row, f"{_POLICY}.inherit") == "true")


def judged(subject: str, found: Sequence[Demand], written: frozenset[str]) -> CheckResult:
    """Say which mandatory fields nobody writes: always mandatory ones fail, the others are named."""
    always = sorted({one.field for one in found if not one.conditions and one.field not in written})
    at_times = sorted({f"{one.field} when {one.conditions}" for one in found if one.conditions} - set(always))
    if always:
        detail = f"nothing writes {', '.join(always)}: set them in the connection's fields or the route's"
        return CheckResult(subject, passed=False, detail=detail)
    if at_times:
        return CheckResult(subject, passed=True, detail=f"data policies demand {'; '.join(at_times[:10])}")
    return CheckResult(subject, passed=True, detail="data policies demand nothing that is not written")


def ending(kind: Kind) -> frozenset[str]:
    """Give the fields that a resolve writes."""
    return frozenset({name for name in (kind.code_field, kind.notes_field, *kind.close_fields) if name})
