"""Looks at what is kept as an administrator does, in values as clients see them: for tests, page and control API."""

from typing import TYPE_CHECKING, Any

from secure_export.sandbox.bmc_helix.entries import Row
from secure_export.sandbox.bmc_helix.forms.cmdb import CORE, ROOT, TABLE
from secure_export.sandbox.bmc_helix.forms.incident import BASE, INTERFACE
from secure_export.sandbox.bmc_helix.forms.model import Form
from secure_export.sandbox.bmc_helix.forms.others import ASSOCIATIONS, WORK_LOG
from secure_export.sandbox.bmc_helix.values import shown
from secure_export.sandbox.bmc_helix.workflow import associations, work_log

if TYPE_CHECKING:
    from secure_export.sandbox.bmc_helix.server import ArServer


def incidents(server: "ArServer") -> list[dict[str, Any]]:
    """Give all incidents, oldest first."""
    form = server.forms[INTERFACE]
    return [as_shown(form, row) for row in server.entries.rows(BASE)]


def incident(server: "ArServer", number: str) -> dict[str, Any] | None:
    """Give one incident by its number."""
    found = server.entries.having(BASE, "Incident Number", [number])
    return as_shown(server.forms[INTERFACE], found[0]) if found else None


def incidents_with(server: "ArServer", field: str, value: str) -> list[dict[str, Any]]:
    """Give the incidents of which a field holds exactly this, oldest first."""
    return [one for one in incidents(server) if one.get(field) == value]


def work_info(server: "ArServer", number: str) -> list[dict[str, Any]]:
    """Give the work info of an incident, oldest first."""
    form = server.forms[WORK_LOG]
    return [as_shown(form, row) for row in work_log.of_incident(server, number)]


def relations(server: "ArServer", number: str) -> list[dict[str, Any]]:
    """Give the relations of an incident to CIs, oldest first."""
    form = server.forms[ASSOCIATIONS]
    return [as_shown(form, row) for row in associations.of_incident(server, number)]


def ci_identities(server: "ArServer", number: str) -> list[str]:
    """Give the reconciliation identities of an incident's CIs, each once, the one in its CI field first."""
    row = incident(server, number) or {}
    ids = [row.get("HPD_CI_ReconID"), *(one["Request ID01"] for one in relations(server, number))]
    return list(dict.fromkeys(str(one) for one in ids if one))


def cis(server: "ArServer") -> list[dict[str, Any]]:
    """Give all CIs, oldest first."""
    form = server.forms[f"{CORE}:{ROOT}"]
    return [as_shown(form, row) for row in server.entries.rows(TABLE)]


def as_shown(form: Form, row: Row) -> dict[str, Any]:
    """Write an entry as clients see it: every field of the form, what is empty as None."""
    return {field.name: shown(field, row.get(field.name)) for field in form.fields}
