"""Azure's clouds: where each is reached, and who calls secure webhooks there."""

from dataclasses import dataclass
from enum import StrEnum


class CloudName(StrEnum):
    """Which cloud, as the configuration names it."""

    PUBLIC = "public"
    US_GOVERNMENT = "us-government"
    CHINA = "china"


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud's addresses (Microsoft Entra docs, "National clouds"; azure-mgmt-core, ``get_arm_endpoints``).

    Attributes:
        authority: Where tokens come from.
        graph_url: Microsoft Graph, without version.
        resource_manager_url: Azure Resource Manager.
        resource_manager_scope: What a token for Azure Resource Manager is asked with.
        caller: The application id by which action groups call secure webhooks; None where none is published.
    """

    authority: str
    graph_url: str
    resource_manager_url: str
    resource_manager_scope: str
    caller: str | None

    @property
    def graph_scope(self) -> str:
        """What a token for Microsoft Graph is asked with."""
        return f"{self.graph_url}/.default"


CLOUDS: dict[CloudName, Cloud] = {
    CloudName.PUBLIC: Cloud(
        authority="https://login.microsoftonline.com",
        graph_url="https://graph.microsoft.com",
        resource_manager_url="https://management.azure.com",
        resource_manager_scope="https://management.azure.com/.default",
        caller="461e8683-5575-4561-ac7f-899cc907d62a",
    ),
    CloudName.US_GOVERNMENT: Cloud(
        authority="https://login.microsoftonline.us",
        graph_url="https://graph.microsoft.us",
        resource_manager_url="https://management.usgovcloudapi.net",
        resource_manager_scope="https://management.core.usgovcloudapi.net/.default",
        caller="f1f34126-d4ef-40e1-ad4b-bf5d47b4860d",
    ),
    CloudName.CHINA: Cloud(
        authority="https://login.partner.microsoftonline.cn",
        graph_url="https://microsoftgraph.chinacloudapi.cn",
        resource_manager_url="https://management.chinacloudapi.cn",
        resource_manager_scope="https://management.chinacloudapi.cn/.default",
        caller=None,
    ),
}
