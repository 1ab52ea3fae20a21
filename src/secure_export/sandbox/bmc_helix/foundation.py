"""Companies, support groups, people and templates: how they come in."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from secure_export.sandbox.bmc_helix.entries import Row
from secure_export.sandbox.bmc_helix.forms.others import COMPANY, GROUP_MEMBER, PEOPLE, SUPPORT_GROUP, TEMPLATE
from secure_export.sandbox.bmc_helix.people import SYSTEM

if TYPE_CHECKING:
    from secure_export.sandbox.bmc_helix.server import ArServer


def add_company(server: "ArServer", name: str) -> Row:
    """Add a company."""
    return _added(server, COMPANY, {"Company": name, "Company Type": "Operating Organization", "Status": "Enabled"})


def add_group(server: "ArServer", name: str, *, company: str, organization: str = "IT Support") -> Row:
    """Add a support group."""
    values = {
        "Support Group Name": name,
        "Company": company,
        "Support Organization": organization,
        "Status": "Enabled",
    }
    return _added(server, SUPPORT_GROUP, values)


def add_person(  # noqa: PLR0913 - what a person is made of
    server: "ArServer", first: str, last: str, *, company: str, login: str | None = None, groups: Sequence[str] = ()
) -> Row:
    """Add a person; two of one name are what makes a customer ambiguous. With groups they are support staff."""
    values = {
        "First Name": first,
        "Last Name": last,
        "Full Name": f"{first} {last}",
        "Company": company,
        "Remedy Login ID": login,
        "Support Staff": "Yes" if groups else "No",
        "Profile Status": "Enabled",
    }
    person = _added(server, PEOPLE, values)
    for name in groups:
        join_group(server, person, name)
    return person


def join_group(server: "ArServer", person: Row, group: str) -> None:
    """Make a person a member of a support group."""
    (found,) = server.entries.having(SUPPORT_GROUP, "Support Group Name", [group])
    values = {
        "Person ID": person["Person ID"],
        "Support Group ID": found["Support Group ID"],
        "Login ID": person.get("Remedy Login ID"),
        "Full Name": person["Full Name"],
    }
    _added(server, GROUP_MEMBER, values)


def add_template(server: "ArServer", name: str, values: Mapping[str, Any]) -> Row:
    """Add an incident template; its ``InstanceId`` is what ``TemplateID`` takes."""
    return _added(server, TEMPLATE, {"Template Name": name, "Description": name, **values})


def _added(server: "ArServer", form: str, values: Mapping[str, Any]) -> Row:
    entry_id = server.create(form, values, SYSTEM)
    assert entry_id is not None  # noqa: S101 - these forms give ids
    return server.read(form, entry_id)
