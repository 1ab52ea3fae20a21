"""Relations between an incident and something else, most often a CI."""

from typing import TYPE_CHECKING, Any

from secure_export.sandbox.bmc_helix.change import Change
from secure_export.sandbox.bmc_helix.entries import Row
from secure_export.sandbox.bmc_helix.errors import required, workflow
from secure_export.sandbox.bmc_helix.forms.cmdb import BY_CLASS_ID, CORE
from secure_export.sandbox.bmc_helix.forms.incident import BASE
from secure_export.sandbox.bmc_helix.forms.others import ASSOCIATIONS
from secure_export.sandbox.bmc_helix.workflow.cis import Relation, reconciled

if TYPE_CHECKING:
    from secure_export.sandbox.bmc_helix.server import ArServer

CI = "Configuration Item"
_REQUIRED = ("Request ID01", "Request ID02", "Form Name01", "Request Type01", "Association Type01")


def create(change: Change) -> str:
    """Keep a relation that a client sends; both ends must exist."""
    for name in _REQUIRED:
        if change.row.get(name) is None:
            raise required(name)
    number = change.row["Request ID02"]
    if not change.server.entries.having(BASE, "Incident Number", [number]):
        raise workflow(f"There is no incident {number!r}.")
    if change.row["Request Type01"] == CI:
        ci = reconciled(change.server, change.row["Request ID01"])
        change.row.setdefault("Lookup Keyword", ci["ClassId"])
        change.row.setdefault("Request Description01", ci["Name"])
    return change.server.create_plain(change)


def relate(change: Change, relations: list[Relation]) -> None:
    """Relate an incident to CIs, each once."""
    number = change.row["Incident Number"]
    there = {row["Request ID01"] for row in of_incident(change.server, number)}
    for relation in relations:
        if relation.ci["ReconciliationIdentity"] not in there:
            there.add(relation.ci["ReconciliationIdentity"])
            add(change.server, _row(number, relation), change)


def add(server: "ArServer", values: dict[str, Any], cause: Change) -> None:
    """Keep a relation that workflow makes."""
    server.create_plain(Change(server, server.forms[ASSOCIATIONS], cause.user, dict(values), None, dict(values)))


def of_incident(server: "ArServer", number: str) -> list[Row]:
    """Give the relations of an incident to CIs, oldest first."""
    rows = server.entries.having(ASSOCIATIONS, "Request ID02", [number])
    return sorted((row for row in rows if row.get("Request Type01") == CI), key=lambda row: str(row["Associations ID"]))


def _row(number: str, relation: Relation) -> dict[str, Any]:
    ci = relation.ci
    return {
        "Request ID01": ci["ReconciliationIdentity"],
        "Form Name01": f"{CORE}:{BY_CLASS_ID[ci['ClassId']].name}",
        "Request Description01": ci["Name"],
        "Request Type01": CI,
        "Association Type01": relation.kind,
        "Request ID02": number,
        "Form Name02": BASE,
        "Lookup Keyword": ci["ClassId"],
    }
