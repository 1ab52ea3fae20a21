"""The caller, the tenant, and objects by their id."""

from typing import Final

from secure_export.sandbox.entra.graph.errors import bad_request, not_found
from secure_export.sandbox.entra.graph.odata import page, single
from secure_export.sandbox.entra.graph.owners import directory_object
from secure_export.sandbox.entra.graph.tenant import Row
from secure_export.sandbox.entra.graph.visit import Visit
from secure_export.sandbox.reply import Reply

_USER: Final = frozenset({"id", "displayName", "userPrincipalName", "mail"})
_OBJECT: Final = frozenset({"@odata.type", "id", "displayName", "userPrincipalName", "appId"})
_ORGANIZATION: Final = frozenset({"id", "displayName", "tenantType", "verifiedDomains"})


def me(visit: Visit) -> Reply:
    """Give the person who asks; an application is nobody here."""
    if not visit.caller.is_user:
        raise bad_request("/me request is only valid with delegated authentication flow.", "BadRequest")
    return single(visit.call, _user(visit, visit.caller.object_id), kind="users", names=_USER)


def user(visit: Visit) -> Reply:
    """Give a person by id or name."""
    visit.caller.must_read()
    return single(visit.call, _user(visit, visit.named["id"].lower()), kind="users", names=_USER)


def anything(visit: Visit) -> Reply:
    """Give a user or service principal by id."""
    visit.caller.must_read()
    found = directory_object(visit.tenant, visit.named["id"].lower())
    if found is None:
        raise not_found(visit.named["id"])
    return single(visit.call, found, kind="directoryObjects", names=_OBJECT)


def organization(visit: Visit) -> Reply:
    """Tell about the tenant."""
    visit.caller.must_see_organization()
    domains = [
        {"capabilities": "Email", "isDefault": number == 0, "isInitial": number == 0, "name": name, "type": "Managed"}
        for number, name in enumerate(visit.tenant.verified_domains)
    ]
    row: Row = {
        "id": visit.tenant.id,
        "displayName": "Lindenhof Logistics",
        "tenantType": "AAD",
        "verifiedDomains": domains,
    }
    return page(visit.call, [row], kind="organization", names=_ORGANIZATION, filters=frozenset(), size=1)


def _user(visit: Visit, key: str) -> Row:
    for one in visit.tenant.users.values():
        if key in (one["id"], one["userPrincipalName"]):
            return {name: one.get(name) for name in ("id", "displayName", "userPrincipalName", "mail")}
    raise not_found(key)
