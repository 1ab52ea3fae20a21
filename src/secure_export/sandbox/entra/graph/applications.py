"""Graph's ``/applications`` (entra-facts section 5)."""

from typing import Final

from secure_export.sandbox.entra.directory import is_guid
from secure_export.sandbox.entra.graph.application_rules import NAMES, blank, changed
from secure_export.sandbox.entra.graph.errors import bad_request, denied, not_found, not_unique
from secure_export.sandbox.entra.graph.odata import page, single
from secure_export.sandbox.entra.graph.owners import bound_owners
from secure_export.sandbox.entra.graph.tenant import APPLICATION, Row
from secure_export.sandbox.entra.graph.visit import Visit, alternate
from secure_export.sandbox.reply import Reply

KIND: Final = "applications"
_FILTERS: Final = frozenset({"id", "appId", "displayName", "uniqueName", "identifierUris", "tags", "signInAudience"})
_OWNERS: Final = "owners@odata.bind"


def listed(visit: Visit) -> Reply:
    """List applications."""
    visit.caller.must_read()
    rows = visit.tenant.applications.listed()
    return page(visit.call, rows, kind=KIND, names=NAMES, filters=_FILTERS, size=visit.page_size)


def got(visit: Visit) -> Reply:
    """Give one application."""
    visit.caller.must_read()
    return single(visit.call, visit.find(visit.tenant.applications), kind=KIND, names=NAMES)


def created(visit: Visit) -> Reply:
    """Make an application."""
    return single(visit.call, _make(visit, visit.body()), kind=KIND, names=NAMES, status=201)


def patched(visit: Visit) -> Reply:
    """Change an application; by a unique name, and if the client prefers so, make it where there is none."""
    row = visit.written(visit.tenant.applications)
    if row is None:
        return _upserted(visit)
    visit.caller.must_write(visit.tenant, row["id"])
    visit.tenant.applications.put(row["id"], changed(visit.tenant, row, visit.body()))
    return Reply(204)


def deleted(visit: Visit) -> Reply:
    """Delete an application; for thirty days it can be restored."""
    row = visit.find(visit.tenant.applications)
    visit.caller.must_write(visit.tenant, row["id"])
    visit.tenant.delete_application(row["id"])
    return Reply(204)


def _upserted(visit: Visit) -> Reply:
    if is_guid(visit.named["id"]) or not visit.creates_if_missing:
        raise not_found(visit.named["id"])
    (name, value), body = alternate(visit.named["id"]), visit.body()
    if name != "uniqueName" or body.get("uniqueName", value) != value:
        raise bad_request("Only the uniqueName that the path names can be made.")
    others = [*visit.tenant.applications.all(), *visit.tenant.still_deleted(APPLICATION)]
    if any(one["uniqueName"] == value for one in others):
        raise not_unique("uniqueName")
    row = _make(visit, {**body, "uniqueName": value})
    return single(visit.call, row, kind=KIND, names=NAMES, status=201)


def _make(visit: Visit, body: Row) -> Row:
    visit.caller.must_make()
    owners = bound_owners(visit, body.pop(_OWNERS, []))
    if owners and not visit.caller.writes_all and set(owners) != {visit.caller.object_id}:
        raise denied()
    row = changed(visit.tenant, blank(visit.tenant), body)
    if body.get("uniqueName") and _is_named(visit, row):
        raise not_unique("uniqueName")
    visit.tenant.applications.put(row["id"], row)
    own = (visit.caller.object_id,) if visit.caller.owns_what_it_makes else ()
    visit.tenant.owners.put(row["id"], tuple(dict.fromkeys((*own, *owners))))
    return row


def _is_named(visit: Visit, row: Row) -> bool:
    return any(one["uniqueName"] == row["uniqueName"] for one in visit.tenant.applications.all())
