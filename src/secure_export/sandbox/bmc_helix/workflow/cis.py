"""CIs of an incident: the fields must name a reconciled CI, and the relation follows (bmc-facts section 7, Binding)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from secure_export.sandbox.bmc_helix.change import Change
from secure_export.sandbox.bmc_helix.entries import Row
from secure_export.sandbox.bmc_helix.errors import workflow
from secure_export.sandbox.bmc_helix.forms.cmdb import GOLDEN, NOT_RECONCILED, TABLE

if TYPE_CHECKING:
    from secure_export.sandbox.bmc_helix.server import ArServer

_CI_FIELDS = ("HPD_CI", "HPD_CI_ReconID", "HPD_CI_FormName")


@dataclass(frozen=True, slots=True)
class Relation:
    """A CI that an incident is going to be related to.

    Attributes:
        ci: The CI.
        kind: The type of the association.
    """

    ci: Row
    kind: str = "Related To"


def reconciled(server: "ArServer", identity: str) -> Row:
    """Find the CI that ITSM means by a reconciliation identity: the one of the golden dataset that is in use.

    Raises:
        ArError: There is none.
    """
    found = server.entries.having(TABLE, "ReconciliationIdentity", [identity]) if identity != NOT_RECONCILED else []
    for one in found:
        if one["DatasetId"] == GOLDEN and one["ReconciliationIdentity"] == identity and not one.get("MarkAsDeleted"):
            return one
    raise workflow(f"No Configuration Item with the Reconciliation ID {identity!r} has been found.")


def settle(change: Change) -> list[Relation]:
    """Check the CI fields.

    Returns:
        The relations to make once the incident is kept.
    """
    relations = [*_of_ci(change), *_of_service(change)]
    for field in ("HPD_CI_ReconID", "ServiceCI_ReconID"):
        if change.was(field) is not None and change.differs(field):
            change.put(f"Previous_{field}", change.was(field))
    return relations


def by_keyword(change: Change, name: str | None, class_id: str | None) -> list[Relation]:
    """Find the CI of a relation without a field: ``CI Name`` and ``Lookup Keyword`` of the staging form."""
    if name is None or class_id is None:
        return []
    found = [
        one
        for one in change.server.entries.having(TABLE, "Name", [name])
        if (one["Name"], one["ClassId"], one["DatasetId"]) == (name, class_id, GOLDEN) and not one.get("MarkAsDeleted")
    ]
    if len(found) != 1:
        raise workflow(f"{len(found)} Configuration Items {name!r} of the class {class_id!r} have been found.")
    return [Relation(reconciled(change.server, found[0]["ReconciliationIdentity"]))]


def _of_ci(change: Change) -> list[Relation]:
    identity = change.row.get("HPD_CI_ReconID")
    if identity is None or not any(change.differs(field) for field in _CI_FIELDS):
        return []
    ci = reconciled(change.server, identity)
    class_id = change.row.get("HPD_CI_FormName")
    if class_id not in (None, ci["ClassId"]):
        raise workflow(f"The Configuration Item {ci['Name']!r} is of the class {ci['ClassId']}, not {class_id}.")
    whole = all(change.row.get(field) for field in _CI_FIELDS) and change.display.get("z1D_CI_FormName")
    return [Relation(ci)] if whole else []


def _of_service(change: Change) -> list[Relation]:
    identity = change.row.get("ServiceCI_ReconID")
    if identity is None or not change.differs("ServiceCI_ReconID"):
        return []
    return [Relation(reconciled(change.server, identity), "Impacted CI")]
