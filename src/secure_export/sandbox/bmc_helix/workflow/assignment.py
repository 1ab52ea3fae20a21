"""Who works on an incident: groups and people must exist and belong together, and rules route what names no group."""

from secure_export.sandbox.bmc_helix.change import Change
from secure_export.sandbox.bmc_helix.entries import Row
from secure_export.sandbox.bmc_helix.errors import workflow
from secure_export.sandbox.bmc_helix.forms import options
from secure_export.sandbox.bmc_helix.forms.others import GROUP_MEMBER, PEOPLE, SUPPORT_GROUP
from secure_export.sandbox.bmc_helix.site import Route

_GROUP = {
    "Assigned Group": "Support Group Name",
    "Assigned Support Company": "Company",
    "Assigned Support Organization": "Support Organization",
    "Assigned Group ID": "Support Group ID",
}
_OWNER = {
    "Owner Group": "Support Group Name",
    "Owner Support Company": "Company",
    "Owner Support Organization": "Support Organization",
    "Owner Group ID": "Support Group ID",
}
_YES = 0


def settle(change: Change) -> None:
    """Settle group, assignee, owner, and whether the incident counts as assigned."""
    _settle_group(change)
    _settle_assignee(change)
    _settle_owner(change)
    if change.row.get("Status") == options.NEW and _counts_as_assigned(change):
        change.put("Status", options.ASSIGNED)


def _counts_as_assigned(change: Change) -> bool:
    if not change.server.site.assigned_by_group:
        return False
    return bool(change.row.get("Assigned Group") if change.before is None else change.row.get("Assignee"))


def _settle_group(change: Change) -> None:
    if change.row.get("Assigned Group") is None and change.row.get("Assigned Group ID") is None:
        if change.before is None and (route := _route(change)):
            change.put("Assigned Group", route.group)
        else:
            for field in _GROUP:
                change.put(field, None)
            return
    if change.before is not None and not any(change.differs(field) for field in _GROUP):
        return
    group = _group(change)
    for field, source in _GROUP.items():
        change.put(field, group[source])
    if change.before is not None and change.was("Assigned Group ID") not in (None, group["Support Group ID"]):
        change.put("Total Transfers", (change.was("Total Transfers") or 0) + 1)
        if "Assignee" not in change.sent and "Assignee Login ID" not in change.sent:
            _leave_if_stranger(change, group)


def _group(change: Change) -> Row:
    """Find the group; what was sent decides, and what the incident had before does not bind it."""
    wanted = {field: change.row.get(field) for field in _GROUP if change.before is None or change.differs(field)}
    found = [
        one
        for one in change.server.entries.rows(SUPPORT_GROUP)
        if one.get("Status") == 1 and all(value in (None, one[_GROUP[field]]) for field, value in wanted.items())
    ]
    if len(found) != 1:
        named = wanted.get("Assigned Group") or wanted.get("Assigned Group ID")
        which = "matches several support groups; name company and organization" if found else "is no support group"
        raise workflow(f"The Assigned Group {named!r} {which}.")
    return found[0]


def _settle_assignee(change: Change) -> None:
    sent = {field: change.sent[field] for field in ("Assignee", "Assignee Login ID") if change.sent.get(field)}
    if not sent:
        if "Assignee" in change.sent or "Assignee Login ID" in change.sent:
            _leave(change)
        return
    person = _person(change, sent.get("Assignee"), sent.get("Assignee Login ID"))
    groups = _groups_of(change, person)
    if change.row.get("Assigned Group ID") is None and groups:
        change.put("Assigned Group ID", groups[0])
        _take_group(change, groups[0])
    if change.row.get("Assigned Group ID") not in groups:
        raise workflow(f"The Assignee {person['Full Name']!r} is not a member of the Assigned Group.")
    change.put("Assignee", person["Full Name"])
    change.put("Assignee Login ID", person["Remedy Login ID"])


def _person(change: Change, name: str | None, login: str | None) -> Row:
    found = [
        one
        for one in change.server.entries.rows(PEOPLE)
        if one.get("Support Staff") == _YES
        and name in (None, one.get("Full Name"))
        and login in (None, one.get("Remedy Login ID"))
    ]
    if len(found) != 1:
        raise workflow(f"The Assignee {name or login!r} {'is ambiguous' if found else 'is no support person'}.")
    return found[0]


def _groups_of(change: Change, person: Row) -> list[str]:
    members = change.server.entries.rows(GROUP_MEMBER)
    return [one["Support Group ID"] for one in members if one["Person ID"] == person["Person ID"]]


def _take_group(change: Change, group_id: str) -> None:
    group = change.server.entries.get(SUPPORT_GROUP, group_id) or {}
    for field, source in _GROUP.items():
        change.put(field, group.get(source))


def _leave_if_stranger(change: Change, group: Row) -> None:
    login = change.row.get("Assignee Login ID")
    members = change.server.entries.having(GROUP_MEMBER, "Support Group ID", [group["Support Group ID"]])
    if login is not None and all(one.get("Login ID") != login for one in members):
        _leave(change)


def _leave(change: Change) -> None:
    change.put("Assignee", None)
    change.put("Assignee Login ID", None)


def _settle_owner(change: Change) -> None:
    if change.before is None and change.row.get("Owner Group") is None:
        group = change.server.entries.get(SUPPORT_GROUP, change.row.get("Assigned Group ID", "")) or {}
        for field, source in _OWNER.items():
            change.put(field, group.get(source))


def _route(change: Change) -> Route | None:
    service_type = change.form.by_name["Service Type"].label(change.row.get("Service Type", -1))
    facts = (change.row.get("Company"), service_type, change.row.get("Product Categorization Tier 1"))
    for route in change.server.site.routes:
        wanted = (route.company, route.service_type, route.product_tier)
        if all(want in ("", fact) for want, fact in zip(wanted, facts, strict=True)):
            return route
    return None
