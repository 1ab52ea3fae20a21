"""What was resolved some days ago closes itself (bmc-facts section 5, Update, rule 7)."""

from datetime import timedelta
from typing import TYPE_CHECKING

from secure_export.sandbox.bmc_helix.forms.incident import BASE
from secure_export.sandbox.bmc_helix.forms.options import CLOSED, RESOLVED
from secure_export.sandbox.bmc_helix.people import SYSTEM

if TYPE_CHECKING:
    from secure_export.sandbox.bmc_helix.server import ArServer


def run(server: "ArServer") -> int:
    """Close what is due.

    Returns:
        How many incidents were closed.
    """
    days = server.site.auto_close_days
    if not days:
        return 0
    before = server.now - timedelta(days=days).total_seconds()
    due = [
        row
        for row in server.entries.rows(BASE)
        if row["Status"] == RESOLVED and row.get("Last Resolved Date", server.now) <= before
    ]
    for row in due:
        server.change(BASE, row["Entry ID"], {"Status": CLOSED}, SYSTEM)
    return len(due)
