"""From an alert's id, which is text that a caller sent, to the path of the API: pure."""

import re
from typing import Final

from secure_export.azure.missed.listed import GUID

_ID: Final = re.compile(
    rf"/subscriptions/({GUID})/providers/Microsoft\.AlertsManagement/alerts/({GUID})", re.ASCII | re.IGNORECASE
)


def path_of(alert_id: str) -> str | None:
    """Give the path of an alert; None for an id of any other form, such as a budget's, a test's, or one of a stranger.

    The path is put together anew of the two GUIDs: nothing else of the text reaches Azure.
    """
    found = _ID.fullmatch(alert_id)
    if found is None:
        return None
    subscription, guid = found.groups()
    return f"/subscriptions/{subscription.lower()}/providers/Microsoft.AlertsManagement/alerts/{guid.lower()}"


def subscription_in(path: str) -> str:
    """Give the subscription of a path that ``path_of`` made."""
    return path.split("/")[2]
