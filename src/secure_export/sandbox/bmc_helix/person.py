"""What people do with incidents at the service desk; tests and the control API act through it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from secure_export.sandbox.bmc_helix.demo_data import COMPANY, PERSON_ROLES
from secure_export.sandbox.bmc_helix.entries import Row
from secure_export.sandbox.bmc_helix.errors import no_entry
from secure_export.sandbox.bmc_helix.forms.incident import BASE, INTERFACE, STAGING
from secure_export.sandbox.bmc_helix.forms.options import RESOLVED
from secure_export.sandbox.bmc_helix.forms.others import ASSOCIATIONS, SUMMARY_LIMIT, WORK_LOG
from secure_export.sandbox.bmc_helix.people import SYSTEM, Account

if TYPE_CHECKING:
    from secure_export.sandbox.bmc_helix.server import ArServer

_RESTARTED: Final = "Restarted by hand"


class Person:
    """Somebody at the service desk.

    Args:
        server: The server.
        login: Who; somebody of the people form who is support staff.
    """

    def __init__(self, server: "ArServer", login: str = "ada.lovelace") -> None:
        self._server = server
        self._login = login
        self._account = server.accounts.get(login) or Account(login, roles=PERSON_ROLES)

    def open(self, summary: str, **values: Any) -> str:
        """Open an incident by phone.

        Returns:
            Its number.
        """
        asked = {
            "Description": summary,
            "Impact": "4-Minor/Localized",
            "Urgency": "4-Low",
            "Status": "New",
            "Reported Source": "Phone",
            "Service_Type": "User Service Restoration",
            "First_Name": "Jane",
            "Last_Name": "Customer",
            "Company": COMPANY,
            **values,
        }
        entry_id = self._server.create(STAGING, asked, self._account)
        return str(self._server.read(STAGING, entry_id or "")["Incident Number"])

    def comment(self, number: str, text: str) -> None:
        """Write work info."""
        values = {
            "Incident Number": number,
            "Work Log Type": "Working Log",
            "Description": text.partition("\n")[0][:SUMMARY_LIMIT],
            "Detailed Description": text,
        }
        self._server.create(WORK_LOG, values, self._account)

    def assign(self, number: str, login: str | None = None) -> None:
        """Assign an incident, to oneself if nobody is named."""
        self.change(number, {"Assignee Login ID": login or self._login})

    def start(self, number: str) -> None:
        """Take an incident up."""
        self.change(number, {**self._mine(number), "Status": "In Progress"})

    def hold(self, number: str, reason: str = "Client Hold") -> None:
        """Put an incident on hold."""
        self.change(number, {**self._mine(number), "Status": "Pending", "Status_Reason": reason})

    def resolve(self, number: str, text: str = _RESTARTED, reason: str = "No Further Action Required") -> None:
        """Resolve an incident."""
        ended = {"Status": "Resolved", "Status_Reason": reason, "Resolution": text}
        self.change(number, {**self._mine(number), **ended})

    def reopen(self, number: str) -> None:
        """Take up again what was resolved."""
        self.change(number, {**self._mine(number), "Status": "In Progress"})

    def close(self, number: str, text: str = _RESTARTED) -> None:
        """Resolve an incident if it is not, and close it for good."""
        if self.incident(number)["Status"] != RESOLVED:
            self.resolve(number, text)
        self.change(number, {"Status": "Closed"})

    def cancel(self, number: str) -> None:
        """Cancel an incident for good."""
        self.change(number, {"Status": "Cancelled"})

    def delete(self, number: str) -> None:
        """Delete an incident, as an administrator can."""
        self._server.delete(BASE, self.incident(number)["Entry ID"], SYSTEM)

    def merge(self, number: str, summary: str = "The same, told by phone") -> str:
        """Make an incident the duplicate of another that is opened for that.

        Returns:
            The other one's number.
        """
        other = self.open(summary)
        relation = {
            "Request ID01": other,
            "Form Name01": BASE,
            "Request Type01": "Incident",
            "Association Type01": "Duplicate of",
            "Request ID02": number,
        }
        self._server.create(ASSOCIATIONS, relation, self._account)
        self.resolve(number, f"Duplicate of {other}", "Resolved by Original Incident")
        return other

    def change(self, number: str, values: Mapping[str, Any]) -> None:
        """Change fields of an incident, by their names on the interface form."""
        self._server.change(INTERFACE, self.incident(number)["Entry ID"], values, self._account)

    def incident(self, number: str) -> Row:
        """Give an incident as it is kept.

        Raises:
            ArError: There is none.
        """
        found = self._server.entries.having(BASE, "Incident Number", [number])
        if not found:
            raise no_entry(number)
        return found[0]

    def _mine(self, number: str) -> dict[str, str]:
        """Take an incident that nobody has, with a group that one belongs to."""
        row = self.incident(number)
        if row.get("Assignee"):
            return {}
        return {"Assignee Login ID": self._login, **self._group(row)}

    def _group(self, row: Row) -> dict[str, str]:
        return {} if row.get("Assigned Group") else {"Assigned Group": "Service Desk"}
