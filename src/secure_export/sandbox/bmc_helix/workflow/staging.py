"""The staging form: an entry of its own, whose creation opens an incident (bmc-facts sections 0 and 5)."""

from typing import Final

from secure_export.sandbox.bmc_helix.change import Change
from secure_export.sandbox.bmc_helix.entries import Row
from secure_export.sandbox.bmc_helix.errors import required, workflow
from secure_export.sandbox.bmc_helix.forms.incident import BASE, STAGING, STAGING_NAMES
from secure_export.sandbox.bmc_helix.forms.others import TEMPLATE
from secure_export.sandbox.bmc_helix.values import taken
from secure_export.sandbox.bmc_helix.workflow import cis
from secure_export.sandbox.bmc_helix.workflow.incident import open_incident

CREATE: Final = "CREATE"
_BASE_NAMES: Final = {staging: base for base, staging in STAGING_NAMES.items()}
_FROM_TEMPLATE: Final = {
    "Summary": "Description",
    "First Name": "First_Name",
    "Last Name": "Last_Name",
    "Service Type": "Service_Type",
}
_NO_VALUES: Final = frozenset(
    {
        "HPD Template ID",
        "Submitter",
        "Submit Date",
        "Last Modified By",
        "Last Modified Date",
        "InstanceId",
        "Description",
        "Template Name",
    }
)


def create(change: Change) -> str:
    """Open an incident as the staging entry says, and keep that entry.

    Returns:
        The id of the staging entry, which is no id of the incident.
    """
    if change.display.get("z1D_Action") not in (None, CREATE):
        raise workflow(f"The action {change.display['z1D_Action']!r} is not known here; it is {CREATE!r}.")
    _apply_template(change)
    change.server.check_required(change)
    for name in sorted(change.server.site.required_by_workflow):
        if change.row.get(name) is None:
            raise required(name)
    opened = _incident(change)
    open_incident(opened, cis.by_keyword(change, change.row.get("CI Name"), change.row.get("Lookup Keyword")))
    return _keep(change, opened.row)


def _incident(change: Change) -> Change:
    form = change.server.forms[BASE]
    named = {_BASE_NAMES.get(name, name): value for name, value in change.row.items()}
    row = {name: value for name, value in named.items() if name in form.by_name}
    display = {_BASE_NAMES.get(name, name): value for name, value in change.display.items()}
    return Change(change.server, form, change.user, dict(row), None, row, display, change.files)


def _keep(change: Change, incident: Row) -> str:
    server, form = change.server, change.form
    entry_id = server.entries.next_number(STAGING)
    for name, value in incident.items():
        staging_name = STAGING_NAMES.get(name, name)
        if staging_name in form.by_name and staging_name != form.key:
            change.row[staging_name] = value
    change.row |= {
        form.key: entry_id,
        "Create Date": server.now,
        "Modified Date": server.now,
        "Record ID": incident["InstanceId"],
        "InstanceId": incident["InstanceId"],
        "DatasetId": "0",
        "ReconciliationIdentity": "0",
    }
    change.put("Incident_Entry_ID", incident["Entry ID"] if server.site.entry_id_told else None)
    server.entries.put(STAGING, entry_id, change.row)
    return entry_id


def _apply_template(change: Change) -> None:
    """Fill in what a template says and the client does not."""
    template = _template(change)
    if template is None:
        return
    for name, value in template.items():
        if name in _NO_VALUES or value is None:
            continue
        target = change.form.by_name.get(_FROM_TEMPLATE.get(name, name))
        if target is not None and change.row.get(target.name) is None:
            change.row[target.name] = taken(target, value)


def _template(change: Change) -> Row | None:
    instance, name = change.row.get("TemplateID"), change.row.get("HPD_TemplateName")
    field, value = ("InstanceId", instance) if instance else ("Template Name", name)
    if value is None:
        return None
    found = change.server.entries.having(TEMPLATE, field, [value])
    if not found:
        raise workflow(f"There is no template with the {field} {value!r}.")
    return found[0]
