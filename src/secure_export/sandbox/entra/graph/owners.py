"""Owners of applications and service principals (entra-facts section 5 and 0.7)."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from secure_export.sandbox.entra.graph.errors import bad_request, not_found
from secure_export.sandbox.entra.graph.odata import page
from secure_export.sandbox.entra.graph.replication import Replicated
from secure_export.sandbox.entra.graph.tenant import Row, Tenant
from secure_export.sandbox.entra.graph.visit import Visit
from secure_export.sandbox.reply import Reply

MOST_AT_CREATION: Final = 20
_NAMES: Final = frozenset({"id", "displayName", "appId", "userPrincipalName", "@odata.type"})
Table = Callable[[Tenant], Replicated[Row]]


def owner_doors(table: Table) -> dict[tuple[str, str], Callable[[Visit], Reply]]:
    """Give what answers below ``/{id}/owners``, by method and path below the object.

    Args:
        table: Where the objects are that have owners.
    """
    return {
        ("GET", "owners"): lambda visit: _listed(visit, table),
        ("POST", "owners/$ref"): lambda visit: _added(visit, table),
        ("DELETE", "owners/{owner}/$ref"): lambda visit: _removed(visit, table),
    }


def bound_owners(visit: Visit, references: Any) -> list[str]:
    """Read the owners that an object is made with.

    Raises:
        RestError: One of them can own nothing.
    """
    if not isinstance(references, list) or len(references) > MOST_AT_CREATION:
        raise bad_request("Too many owners: at most 20 can be bound at creation.")
    return [_owner(visit, one) for one in references]


def directory_object(tenant: Tenant, object_id: str) -> Row | None:
    """Show a user or a service principal as a directory object; None: it is neither."""
    if (user := tenant.users.get(object_id)) is not None:
        shown = {name: user[name] for name in ("id", "displayName", "userPrincipalName")}
        return {"@odata.type": "#microsoft.graph.user", **shown}
    if (principal := tenant.principals.current(object_id)) is not None:
        shown = {name: principal[name] for name in ("id", "displayName", "appId")}
        return {"@odata.type": "#microsoft.graph.servicePrincipal", **shown}
    return None


def _listed(visit: Visit, table: Table) -> Reply:
    visit.caller.must_read()
    row = visit.find(table(visit.tenant))
    ids = visit.tenant.owners.seen(row["id"]) or ()
    shown: Iterable[Row] = (one for key in ids if (one := directory_object(visit.tenant, key)) is not None)
    return page(visit.call, shown, kind="directoryObjects", names=_NAMES, filters=frozenset(), size=visit.page_size)


def _added(visit: Visit, table: Table) -> Reply:
    row = visit.find(table(visit.tenant))
    visit.caller.must_write_all()
    owner = _owner(visit, visit.body().get("@odata.id"))
    owners = visit.tenant.owners.current(row["id"]) or ()
    if owner in owners:
        raise bad_request(
            "One or more added object references already exist for the following modified properties: 'owners'."
        )
    visit.tenant.owners.put(row["id"], (*owners, owner))
    return Reply(204)


def _removed(visit: Visit, table: Table) -> Reply:
    row = visit.find(table(visit.tenant))
    visit.caller.must_write_all()
    owner = visit.named["owner"].lower()
    owners = visit.tenant.owners.current(row["id"]) or ()
    if owner not in owners:
        raise not_found(owner)
    visit.tenant.owners.put(row["id"], tuple(one for one in owners if one != owner))
    return Reply(204)


def _owner(visit: Visit, reference: Any) -> str:
    """Read a reference; groups, applications and what is not there cannot own anything."""
    if not isinstance(reference, str) or "/" not in reference:
        raise bad_request("A value is required for property '@odata.id' of resource 'DirectoryObject'.")
    object_id = reference.rstrip("/").rpartition("/")[2].lower()
    if visit.tenant.applications.current(object_id) is not None:
        raise bad_request(
            "The reference target 'Application' of type 'DirectoryObject' is invalid for 'owners' reference."
        )
    if object_id not in visit.tenant.users and visit.tenant.principals.seen(object_id) is None:
        raise not_found(object_id)
    return object_id
