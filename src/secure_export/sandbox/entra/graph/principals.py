"""Graph's ``/servicePrincipals`` (entra-facts section 5)."""

from collections.abc import Mapping
from typing import Any, Final

from secure_export.sandbox.entra.directory import AZNS_APP_ID, is_guid
from secure_export.sandbox.entra.graph.errors import (
    bad_request,
    bad_value,
    denied,
    no_application,
    not_found,
    only_local_applications,
    principal_exists,
)
from secure_export.sandbox.entra.graph.odata import page, select, single
from secure_export.sandbox.entra.graph.tenant import Row, Tenant
from secure_export.sandbox.entra.graph.visit import Visit, alternate
from secure_export.sandbox.reply import Reply, json_reply

KIND: Final = "servicePrincipals"
FIRST_PARTY: Final[Mapping[str, str]] = {AZNS_APP_ID: "AzNS AAD Webhook"}
MICROSOFT_TENANT: Final = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
_FILTERS: Final = frozenset({"id", "appId", "displayName", "servicePrincipalNames", "tags", "servicePrincipalType"})
_TYPES: Final[Mapping[str, type]] = {
    "accountEnabled": bool,
    "alternativeNames": list,
    "appRoleAssignmentRequired": bool,
    "description": str,
    "displayName": str,
    "homepage": str,
    "loginUrl": str,
    "notes": str,
    "notificationEmailAddresses": list,
    "preferredSingleSignOnMode": str,
    "tags": list,
}
NAMES: Final = frozenset(
    {
        *_TYPES,
        "id",
        "appId",
        "appDisplayName",
        "appOwnerOrganizationId",
        "appRoles",
        "createdDateTime",
        "deletedDateTime",
        "oauth2PermissionScopes",
        "servicePrincipalNames",
        "servicePrincipalType",
        "signInAudience",
    }
)


def new_principal(tenant: Tenant, app_id: str, name: str, *, owner_tenant: str, object_id: str | None = None) -> Row:
    """Give what every new service principal has."""
    return {
        "id": object_id or tenant.guid(),
        "deletedDateTime": None,
        "accountEnabled": True,
        "alternativeNames": [],
        "appDisplayName": name,
        "appId": app_id.lower(),
        "appOwnerOrganizationId": owner_tenant,
        "appRoleAssignmentRequired": False,
        "createdDateTime": tenant.stamp(),
        "description": None,
        "displayName": name,
        "homepage": None,
        "loginUrl": None,
        "notes": None,
        "notificationEmailAddresses": [],
        "preferredSingleSignOnMode": None,
        "servicePrincipalNames": [app_id.lower()],
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "appRoles": [],
        "oauth2PermissionScopes": [],
    }


def shown(tenant: Tenant, row: Row) -> Row:
    """Show a principal with what it takes from its application."""
    application = tenant.application_of(row["appId"])
    if application is None:
        return row
    names = [application["appId"], *application["identifierUris"]]
    return {
        **row,
        "appDisplayName": application["displayName"],
        "appRoles": application["appRoles"],
        "servicePrincipalNames": names,
        "signInAudience": application["signInAudience"],
    }


def listed(visit: Visit) -> Reply:
    """List service principals."""
    visit.caller.must_read()
    rows = (shown(visit.tenant, one) for one in visit.tenant.principals.listed())
    return page(visit.call, rows, kind=KIND, names=NAMES, filters=_FILTERS, size=visit.page_size)


def got(visit: Visit) -> Reply:
    """Give one service principal."""
    visit.caller.must_read()
    row = shown(visit.tenant, visit.find(visit.tenant.principals))
    return single(visit.call, row, kind=KIND, names=NAMES)


def created(visit: Visit) -> Reply:
    """Make a service principal for an application of this tenant or of Microsoft's."""
    body = visit.body()
    if not isinstance(app_id := body.pop("appId", None), str) or not is_guid(app_id):
        raise bad_request("A value is required for property 'appId' of resource 'ServicePrincipal'.")
    return _answered(visit, _make(visit, app_id.lower(), body))


def patched(visit: Visit) -> Reply:
    """Change a service principal; by its application id, and if the client prefers so, make it where there is none."""
    row = visit.written(visit.tenant.principals)
    body = visit.body()
    if row is None:
        return _upserted(visit, body)
    _must_write(visit, row)
    if body.get("appId", row["appId"]) == row["appId"]:
        body.pop("appId", None)
    visit.tenant.principals.put(row["id"], {**row, **_checked(body)})
    return Reply(204)


def deleted(visit: Visit) -> Reply:
    """Delete a service principal and what was assigned."""
    row = visit.find(visit.tenant.principals)
    _must_write(visit, row)
    visit.tenant.delete_principal(row["id"])
    return Reply(204)


def _upserted(visit: Visit, body: Row) -> Reply:
    if is_guid(visit.named["id"]) or not visit.creates_if_missing:
        raise not_found(visit.named["id"])
    name, value = alternate(visit.named["id"])
    if name != "appId" or str(body.pop("appId", value)).lower() != value.lower():
        raise bad_request("Only the appId that the path names can be made.")
    return _answered(visit, _make(visit, value.lower(), body))


def _answered(visit: Visit, row: Row) -> Reply:
    document = select(visit.call, shown(visit.tenant, row), names=NAMES, kind=KIND)
    return json_reply(201, {"@odata.context": f"{visit.call.base}/v1.0/$metadata#{KIND}/$entity", **document})


def _must_write(visit: Visit, row: Row) -> None:
    application = visit.tenant.application_of(row["appId"])
    if application is not None and visit.tenant.owns(visit.caller.object_id, application["id"]):
        visit.caller.must_make()
        return
    visit.caller.must_write(visit.tenant, row["id"])


def _make(visit: Visit, app_id: str, body: Row) -> Row:
    tenant, caller = visit.tenant, visit.caller
    caller.must_make()
    properties = _checked(body)
    is_microsofts = app_id in FIRST_PARTY
    row = _first_party(visit, app_id, properties) if is_microsofts else {**_own(visit, app_id), **properties}
    tenant.principals.put(row["id"], row)
    tenant.owners.put(row["id"], (caller.object_id,) if caller.owns_what_it_makes else ())
    return row


def _first_party(visit: Visit, app_id: str, properties: Row) -> Row:
    if not visit.caller.writes_all:
        raise only_local_applications()
    if properties:
        raise denied()
    _must_be_new(visit.tenant, app_id)
    return new_principal(visit.tenant, app_id, FIRST_PARTY[app_id], owner_tenant=MICROSOFT_TENANT)


def _own(visit: Visit, app_id: str) -> Row:
    tenant = visit.tenant
    application = next((one for one in tenant.applications.listed() if one["appId"] == app_id), None)
    if application is None:
        raise no_application(app_id) if visit.caller.writes_all else only_local_applications()
    if not visit.caller.writes_all and not tenant.owns(visit.caller.object_id, application["id"]):
        raise only_local_applications()
    _must_be_new(tenant, app_id)
    return new_principal(tenant, app_id, application["displayName"], owner_tenant=tenant.id)


def _must_be_new(tenant: Tenant, app_id: str) -> None:
    if tenant.principal_of(app_id) is not None:
        raise principal_exists(app_id)


def _checked(body: Row) -> dict[str, Any]:
    for name, value in body.items():
        if name not in _TYPES:
            raise bad_request(
                f"Property '{name}' is read-only and cannot be set." if name in NAMES else f"Invalid property '{name}'."
            )
        if value is not None and not isinstance(value, _TYPES[name]):
            raise bad_value(name, "ServicePrincipal")
    return body
