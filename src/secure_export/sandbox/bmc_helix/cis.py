"""CIs: how they come into the CMDB and go out of use; the API and tests do it this way."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from secure_export.sandbox.bmc_helix.entries import Row
from secure_export.sandbox.bmc_helix.errors import ArError
from secure_export.sandbox.bmc_helix.forms.cmdb import CLASSES, CORE, GOLDEN, NOT_RECONCILED, TABLE, CiClass
from secure_export.sandbox.bmc_helix.instance_ids import new_instance_id
from secure_export.sandbox.bmc_helix.values import taken

if TYPE_CHECKING:
    from secure_export.sandbox.bmc_helix.server import ArServer

_SET_BY_SERVER = frozenset({"InstanceId", "ClassId", "DatasetId", "CreateDate", "ModifiedDate"})


def add_ci(  # noqa: PLR0913 - what a CI is made of
    server: "ArServer",
    name: str,
    *,
    ci_class: str = "BMC_ComputerSystem",
    dataset: str = GOLDEN,
    reconciled: bool = True,
    identity: str = "",
    **attributes: Any,
) -> Row:
    """Put a CI into the CMDB.

    Args:
        server: The server.
        name: What people call it.
        ci_class: Its class, such as ``BMC_ComputerSystem``.
        dataset: Where; ITSM reads ``BMC.ASSET``.
        reconciled: Whether it has a reconciliation identity of its own.
        identity: That identity, if it is to be the one of a CI in another dataset.
        attributes: Others, such as ``AzureResourceId``, ``TokenId``, ``HostName``, ``Company``.

    Returns:
        The CI with its ``InstanceId`` and ``ReconciliationIdentity``.
    """
    known = identity or (new_instance_id("OI-") if reconciled else NOT_RECONCILED)
    values = {"Name": name, "MarkAsDeleted": "No", "ReconciliationIdentity": known, **attributes}
    return keep(server, class_of(ci_class), dataset, values)


def retire_ci(server: "ArServer", identity: str) -> None:
    """Mark all CIs with a reconciliation identity as deleted, in all datasets."""
    for row in server.entries.having(TABLE, "ReconciliationIdentity", [identity]):
        update(server, row, {"MarkAsDeleted": "Yes"})


def remove_ci(server: "ArServer", identity: str) -> None:
    """Purge all CIs with a reconciliation identity."""
    for row in server.entries.having(TABLE, "ReconciliationIdentity", [identity]):
        server.entries.remove(TABLE, row["InstanceId"])


def class_of(name: str, namespace: str = CORE) -> CiClass:
    """Find a class.

    Raises:
        ArError: There is none of this name.
    """
    if namespace != CORE or name not in CLASSES:
        raise ArError(404, 120_015, "The specified class does not exist", f"{namespace}:{name}")
    return CLASSES[name]


def keep(server: "ArServer", ci_class: CiClass, dataset: str, values: Mapping[str, Any]) -> Row:
    """Keep a new CI."""
    row: Row = {
        "InstanceId": new_instance_id("OI-"),
        "ClassId": ci_class.class_id,
        "DatasetId": dataset,
        "ReconciliationIdentity": NOT_RECONCILED,
        "CreateDate": server.now,
    }
    return _kept(server, ci_class, row, values)


def update(server: "ArServer", row: Row, values: Mapping[str, Any]) -> Row:
    """Change attributes of a CI; None empties one."""
    return _kept(server, CLASSES["BMC_BaseElement"], dict(row), values)


def _kept(server: "ArServer", ci_class: CiClass, row: Row, values: Mapping[str, Any]) -> Row:
    form = server.forms[f"{CORE}:{ci_class.name}"]
    for name, value in values.items():
        field = form.field(name)
        if name in _SET_BY_SERVER:
            continue
        read = taken(field, value)
        if read is None:
            row.pop(name, None)
        else:
            row[name] = read
    row["ModifiedDate"] = server.now
    server.entries.put(TABLE, row["InstanceId"], row)
    return row
