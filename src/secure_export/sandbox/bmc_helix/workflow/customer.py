"""Whom an incident is for: the customer must be one person of the people form (bmc-facts section 5, Create)."""

from secure_export.sandbox.bmc_helix.change import Change
from secure_export.sandbox.bmc_helix.entries import Row
from secure_export.sandbox.bmc_helix.errors import ArError, required, workflow
from secure_export.sandbox.bmc_helix.forms import options
from secure_export.sandbox.bmc_helix.forms.others import COMPANY, PEOPLE

_WORDS = "records have been found for the Incident contact information you have provided"
_FROM_PERSON = {
    "First Name": "First Name",
    "Last Name": "Last Name",
    "Customer Login ID": "Remedy Login ID",
    "Person ID": "Person ID",
    "Company": "Company",
    "Contact Company": "Company",
    "Internet E-mail": "Internet E-mail",
}


def nobody_or_several(several: bool) -> ArError:  # noqa: FBT001 - two sentences of one refusal
    """Refuse a customer whom none or several people answer to."""
    return workflow(f"{'Multiple' if several else 'No'} {_WORDS}. Please provide other contact information.")


def settle(change: Change) -> None:
    """Find the customer, take over what is known of them, and check the company."""
    if (person := _customer(change)) is not None:
        for field, source in _FROM_PERSON.items():
            if change.row.get(field) is None and person.get(source) is not None:
                change.put(field, person[source])
    elif change.row.get("Service Type") != options.INFRASTRUCTURE_EVENT or change.server.site.customer_required:
        raise nobody_or_several(several=False)
    _check_company(change)


def _customer(change: Change) -> Row | None:
    row = change.row
    asked = {
        "Person ID": row.get("Person ID"),
        "Remedy Login ID": row.get("Customer Login ID"),
        "First Name": row.get("First Name"),
        "Last Name": row.get("Last Name"),
    }
    known = {name: value for name, value in asked.items() if value is not None}
    if not known:
        return None
    if row.get("Contact Company") or row.get("Company"):
        known["Company"] = row.get("Contact Company") or row["Company"]
    people = change.server.entries.rows(PEOPLE)
    found = [one for one in people if all(one.get(name) == value for name, value in known.items())]
    if len(found) != 1:
        raise nobody_or_several(several=bool(found))
    return found[0]


def _check_company(change: Change) -> None:
    company = change.row.get("Company")
    if company is None:
        raise required("Company")
    if not any(one.get("Company") == company for one in change.server.entries.having(COMPANY, "Company", [company])):
        raise workflow(f"The company {company!r} is not a valid company.")
