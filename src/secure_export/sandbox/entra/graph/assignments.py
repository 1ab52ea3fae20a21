"""App role assignments, from the resource's side and from the client's (entra-facts section 5)."""

from typing import Final

from secure_export.sandbox.entra.graph.errors import bad_request, not_found
from secure_export.sandbox.entra.graph.odata import page, single
from secure_export.sandbox.entra.graph.principals import shown
from secure_export.sandbox.entra.graph.tenant import Row, Tenant
from secure_export.sandbox.entra.graph.visit import Visit
from secure_export.sandbox.reply import Reply

KIND: Final = "appRoleAssignments"
NO_ROLE: Final = "00000000-0000-0000-0000-000000000000"
_FILTERS: Final = frozenset({"resourceId", "principalDisplayName"})
_BODY: Final = ("principalId", "resourceId", "appRoleId")
NAMES: Final = frozenset(
    {
        *_BODY,
        "id",
        "deletedDateTime",
        "createdDateTime",
        "principalDisplayName",
        "principalType",
        "resourceDisplayName",
    }
)


def listed_to(visit: Visit) -> Reply:
    """List what was assigned on a resource."""
    return _listed(visit, "resourceId")


def listed_of(visit: Visit) -> Reply:
    """List what a client was assigned."""
    return _listed(visit, "principalId")


def created_to(visit: Visit) -> Reply:
    """Assign a role of this resource to a client."""
    return _created(visit, "resourceId")


def created_of(visit: Visit) -> Reply:
    """Assign a role of a resource to this client."""
    return _created(visit, "principalId")


def removed(visit: Visit) -> Reply:
    """Take an assignment away; tokens that were made before keep the role until they end."""
    row = visit.find(visit.tenant.principals)
    visit.caller.must_assign()
    found = visit.tenant.assignments.current(visit.named["assignment"])
    if found is None or row["id"] not in (found["resourceId"], found["principalId"]):
        raise not_found(visit.named["assignment"])
    visit.tenant.assignments.remove(found["id"])
    return Reply(204)


def assign(tenant: Tenant, principal: Row, resource: Row, role_id: str) -> Row:
    """Put an assignment into a directory."""
    row = {
        "id": tenant.guid().replace("-", ""),
        "deletedDateTime": None,
        "appRoleId": role_id,
        "createdDateTime": tenant.stamp(),
        "principalDisplayName": principal["displayName"],
        "principalId": principal["id"],
        "principalType": "ServicePrincipal" if "appId" in principal else "User",
        "resourceDisplayName": resource["displayName"],
        "resourceId": resource["id"],
    }
    tenant.assignments.put(row["id"], row)
    return row


def _listed(visit: Visit, side: str) -> Reply:
    visit.caller.must_read()
    principal = visit.find(visit.tenant.principals)
    rows = (one for one in visit.tenant.assignments.listed() if one[side] == principal["id"])
    return page(visit.call, rows, kind=KIND, names=NAMES, filters=_FILTERS, size=visit.page_size)


def _created(visit: Visit, side: str) -> Reply:
    visit.caller.must_assign()
    path = visit.find(visit.tenant.principals)
    body = visit.body()
    if unknown := sorted(body.keys() - set(_BODY)):
        raise bad_request(f"Invalid property '{unknown[0]}'.")
    for name in _BODY:
        if not isinstance(body.get(name), str):
            raise bad_request(f"A value is required for property '{name}' of resource 'AppRoleAssignment'.")
    wanted = {name: body[name].lower() for name in _BODY}
    if wanted[side] != path["id"]:
        raise bad_request("Not a valid reference update.")
    return single(visit.call, _assigned(visit.tenant, wanted), kind=KIND, names=NAMES, status=201)


def _assigned(tenant: Tenant, wanted: Row) -> Row:
    resource = tenant.principals.seen(wanted["resourceId"])
    principal = tenant.principals.seen(wanted["principalId"]) or tenant.users.get(wanted["principalId"])
    if resource is None or principal is None:
        raise bad_request("Not a valid reference update.")
    _check_role(tenant, resource, principal, wanted["appRoleId"])
    if any(all(one[name] == wanted[name] for name in _BODY) for one in tenant.assignments.all()):
        raise bad_request("Permission being assigned already exists on the object.")
    return assign(tenant, principal, resource, wanted["appRoleId"])


def _check_role(tenant: Tenant, resource: Row, principal: Row, role_id: str) -> None:
    roles = shown(tenant, resource)["appRoles"]
    if (application := tenant.application_of(resource["appId"])) is not None:
        seen = tenant.applications.seen(application["id"])
        roles = [] if seen is None else seen["appRoles"]
    if role_id == NO_ROLE and not roles:
        return
    found = next((one for one in roles if one["id"] == role_id and one["isEnabled"]), None)
    if found is None:
        raise bad_request("Not a valid reference update.")
    if ("Application" if "appId" in principal else "User") not in found["allowedMemberTypes"]:
        raise bad_request("Permission being assigned is not allowed for the type of the principal.")
