"""Reads Azure's alerts and the action groups of its rules: Alerts Management and Resource Graph."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from secure_export.azure.api import AzureApi
from secure_export.azure.errors import AzureRefused
from secure_export.azure.missed.listed import ListedAlert, action_groups_in, read_listed

ALERTS_VERSION: Final = "2019-03-01"
_GRAPH_VERSION: Final = "2022-10-01"
_ON_A_PAGE: Final = 250
_RULES_ON_A_PAGE: Final = 1000
_MOST_PAGES_OF_RULES: Final = 50
_NAMING_GROUPS: Final = ("actions", "action", "actionGroups", "rules")
_RULES: Final = (
    "resources | where type in~ ('microsoft.insights/metricalerts', 'microsoft.insights/scheduledqueryrules', "
    "'microsoft.insights/activitylogalerts', 'microsoft.alertsmanagement/smartdetectoralertrules', "
    "'microsoft.alertsmanagement/prometheusrulegroups') | project id, properties"
)


@dataclass(frozen=True, slots=True)
class Page:
    """Some alerts.

    Attributes:
        alerts: The alerts, the last changed first.
        following: The address of the next page; None: this is the last.
    """

    alerts: tuple[ListedAlert, ...]
    following: str | None


class AlertsApi:
    """Asks about alerts.

    Args:
        manager: Azure Resource Manager, signed in.
    """

    def __init__(self, manager: AzureApi) -> None:
        self._manager = manager

    async def page(self, subscription: str, following: str | None = None) -> Page:
        """List alerts of the last thirty days, the last changed first; raises what ``AzureApi.call`` raises.

        Without the context ten times as many fit on a page; that of the few that are missing is read with ``alert``.

        Args:
            subscription: Whose alerts.
            following: The address of a further page.
        """
        if following is not None:
            answer = await self._manager.call("GET", following)
        else:
            query = {
                "api-version": ALERTS_VERSION,
                "timeRange": "30d",
                "includeEgressConfig": "true",
                "pageCount": str(_ON_A_PAGE),
                "sortBy": "lastModifiedDateTime",
                "sortOrder": "desc",
            }
            answer = await self._manager.call("GET", _alerts(subscription), query=query)
        body = answer.body if isinstance(answer.body, Mapping) else {}
        alerts = tuple(one for row in body.get("value") or () if (one := read_listed(row)) is not None)
        return Page(alerts, body.get("nextLink") or None)

    async def alert(self, listed: ListedAlert) -> ListedAlert:
        """Read one alert with its context; as it was listed where Azure no longer has it, or tells less."""
        query = {"api-version": ALERTS_VERSION}
        try:
            answer = await self._manager.call("GET", f"{_alerts(listed.subscription)}/{listed.guid}", query=query)
        except AzureRefused as error:
            if not error.is_missing:
                raise
            return listed
        read = read_listed(answer.body)
        return read if read is not None and read.guid == listed.guid else listed

    async def groups_of_rules(self, subscriptions: Iterable[str]) -> dict[str, frozenset[str]]:
        """Ask Resource Graph once which action groups each alert rule names; ids in lower case."""
        body: dict[str, Any] = {
            "subscriptions": list(subscriptions),
            "query": _RULES,
            "options": {"resultFormat": "objectArray", "$top": _RULES_ON_A_PAGE},
        }
        found: dict[str, frozenset[str]] = {}
        for _ in range(_MOST_PAGES_OF_RULES):
            path, query = "/providers/Microsoft.ResourceGraph/resources", {"api-version": _GRAPH_VERSION}
            told = (await self._manager.call("POST", path, query=query, json=body)).body
            for row in told.get("data") or ():
                properties = row.get("properties") or {}
                found[str(row["id"]).lower()] = action_groups_in([properties.get(name) for name in _NAMING_GROUPS])
            if not (token := told.get("$skipToken")):
                break
            body["options"]["$skipToken"] = token
        return found


def _alerts(subscription: str) -> str:
    return f"/subscriptions/{subscription}/providers/Microsoft.AlertsManagement/alerts"
