"""One entry that is being created or changed, as filters see it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from secure_export.sandbox.bmc_helix.entries import Row
from secure_export.sandbox.bmc_helix.forms.model import Form
from secure_export.sandbox.bmc_helix.people import Account

if TYPE_CHECKING:
    from secure_export.sandbox.bmc_helix.server import ArServer


@dataclass(slots=True)
class Change:
    """An entry on its way.

    Attributes:
        server: The server.
        form: The form that it was sent to.
        user: Who sent it.
        sent: The fields that were sent, read; None: the field is emptied.
        before: The entry as it is; None: it is new.
        row: The entry as it is going to be: filters change it.
        display: What was sent for display-only fields.
        files: The attachments that were sent, by field.
    """

    server: "ArServer"
    form: Form
    user: Account
    sent: dict[str, Any]
    before: Row | None
    row: Row
    display: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def was(self, name: str) -> Any:
        """Give a field's value before the change; None: it had none."""
        return None if self.before is None else self.before.get(name)

    def differs(self, name: str) -> bool:
        """Say whether the change makes a difference to a field."""
        return bool(self.row.get(name) != self.was(name))

    def put(self, name: str, value: Any) -> None:
        """Set a field, or empty it."""
        if value is None:
            self.row.pop(name, None)
        else:
            self.row[name] = value
