"""Opening and changing incidents: which rules run, in which order, and that all of it happens or nothing."""

from typing import Final

from secure_export.sandbox.bmc_helix.change import Change
from secure_export.sandbox.bmc_helix.errors import workflow
from secure_export.sandbox.bmc_helix.forms.incident import BASE, STAGING
from secure_export.sandbox.bmc_helix.instance_ids import new_instance_id
from secure_export.sandbox.bmc_helix.workflow import assignment, associations, cis, customer, priority, status, work_log
from secure_export.sandbox.bmc_helix.workflow.cis import Relation

NUMBERS: Final = "Incident Number"
"""The counter of incident numbers, which is not the counter of entry ids."""
MODIFY: Final = "MODIFY"
_ACTION: Final = "z1D Action"


def refuse_direct_creation(change: Change) -> str | None:
    """Refuse an incident that does not come by the staging form."""
    raise workflow(f"Incidents are created through {STAGING}, not through {change.form.name}.")


def open_incident(change: Change, more: list[Relation]) -> None:
    """Open an incident.

    Args:
        change: A new entry of the base form.
        more: Relations to make beside those that its CI fields ask for.
    """
    server = change.server
    change.row.setdefault("Reported Date", server.now)
    customer.settle(change)
    assignment.settle(change)
    status.settle(change)
    priority.settle(change)
    relations = [*cis.settle(change), *more]
    work_log.check_display(change)
    _number(change)  # last: what is refused takes no number
    server.keep(change)
    associations.relate(change, relations)
    work_log.from_display(change)


def modify(change: Change) -> None:
    """Change an incident; work info in display-only fields counts only with the action MODIFY."""
    status.refuse_if_final(change)
    assignment.settle(change)
    status.settle(change)
    priority.settle(change)
    relations = cis.settle(change)
    work_log.check_display(change)
    _check_form(change)
    change.server.keep(change)
    associations.relate(change, relations)
    if change.display.get(_ACTION) == MODIFY:
        work_log.from_display(change)


def _check_form(change: Change) -> None:
    action = change.display.get(_ACTION)
    if action not in (None, MODIFY):
        raise workflow(f"The action {action!r} is not known here; it is {MODIFY!r}.")


def _number(change: Change) -> None:
    server = change.server
    entry_id = server.entries.next_number(BASE, "INC")
    change.row |= {
        "Entry ID": entry_id,
        "Request ID": f"{entry_id}|{entry_id}",
        "Incident Number": server.entries.next_number(NUMBERS, "INC"),
        "InstanceId": new_instance_id("AGGA"),
        "Submitter": change.user.login,
        "Submit Date": server.now,
        "Total Transfers": 0,
    }
