"""What was deleted and can still be restored: ``/directory/deletedItems`` (entra-facts 5.2)."""

from typing import Final

from secure_export.sandbox.entra.graph import application_rules, principals
from secure_export.sandbox.entra.graph.errors import not_found
from secure_export.sandbox.entra.graph.odata import page, single
from secure_export.sandbox.entra.graph.tenant import APPLICATION, PRINCIPAL, Deleted
from secure_export.sandbox.entra.graph.visit import Visit
from secure_export.sandbox.reply import Reply

_NAMES: Final = {APPLICATION: application_rules.NAMES, PRINCIPAL: principals.NAMES}
_FILTERS: Final = frozenset({"id", "appId", "displayName", "uniqueName", "identifierUris"})


def listed(visit: Visit) -> Reply:
    """List the deleted objects of a kind."""
    visit.caller.must_read()
    kind = visit.named["kind"].rpartition(".")[2]
    if kind not in _NAMES:
        raise not_found(visit.named["kind"])
    rows = visit.tenant.still_deleted(kind)
    return page(visit.call, rows, kind=f"{kind}s", names=_NAMES[kind], filters=_FILTERS, size=visit.page_size)


def got(visit: Visit) -> Reply:
    """Give a deleted object."""
    visit.caller.must_read()
    found = _found(visit)
    return single(visit.call, found.row, kind=f"{found.kind}s", names=_NAMES[found.kind])


def restored(visit: Visit) -> Reply:
    """Bring a deleted object back."""
    found = _found(visit)
    _must_write(visit, found)
    visit.tenant.restore(found.row["id"])
    return single(visit.call, found.row, kind=f"{found.kind}s", names=_NAMES[found.kind])


def purged(visit: Visit) -> Reply:
    """Delete a deleted object for good."""
    found = _found(visit)
    _must_write(visit, found)
    del visit.tenant.deleted[found.row["id"]]
    for key in [key for key, one in visit.tenant.deleted.items() if one.with_application == found.row["id"]]:
        del visit.tenant.deleted[key]
    return Reply(204)


def _found(visit: Visit) -> Deleted:
    key = visit.named["id"].lower()
    kept = {row["id"] for kind in _NAMES for row in visit.tenant.still_deleted(kind)}
    if key not in kept:
        raise not_found(key)
    return visit.tenant.deleted[key]


def _must_write(visit: Visit, found: Deleted) -> None:
    if visit.caller.object_id not in found.owners:
        visit.caller.must_write_all()
