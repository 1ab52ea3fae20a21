"""The ``[azure]`` section: what is set up in Azure, as whom, and what the service asks Azure for."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from secure_export.azure.clouds import CLOUDS, Cloud, CloudName
from secure_export.identity.authority import is_loopback
from secure_export.identity.settings import Guid, TenantId
from secure_export.secrets import Secret

_NEEDS_CLIENT_ID = "credential.client_id is needed: the application (client) id that signs in"


class Section(BaseModel):
    """A section: no keys but those named here."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CredentialKind(StrEnum):
    """How one signs in."""

    DEFAULT = "default"
    CLI = "cli"
    MANAGED_IDENTITY = "managed-identity"
    WORKLOAD_IDENTITY = "workload-identity"
    CERTIFICATE = "certificate"
    SECRET = "secret"  # noqa: S105 - a kind, not a secret
    DEVICE_CODE = "device-code"


class CredentialSettings(Section):
    """As whom Azure is asked."""

    kind: CredentialKind = Field(
        CredentialKind.DEFAULT,
        description="`cli` (who is signed in to the Azure CLI), `device-code`, `managed-identity`, "
        "`workload-identity`, `certificate`, `secret`, or `default`: the first of them that this machine has.",
    )
    client_id: Guid | None = Field(None, description="The application (client) id; not for `cli` and `default`.")
    certificate: Path | None = Field(None, description="PEM or PFX file with certificate and key, for `certificate`.")
    secret: Secret | None = Field(None, description="The client secret, for `secret`: `{ file = … }` or `{ env = … }`.")

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.kind in {CredentialKind.CERTIFICATE, CredentialKind.SECRET} and self.client_id is None:
            raise ValueError(_NEEDS_CLIENT_ID)
        if (self.kind is CredentialKind.CERTIFICATE) != (self.certificate is not None):
            raise ValueError("credential.certificate names a file, and belongs to kind = 'certificate' alone")
        if (self.kind is CredentialKind.SECRET) != (self.secret is not None):
            raise ValueError("credential.secret says where the secret is, and belongs to kind = 'secret' alone")
        return self


class ApplicationSettings(Section):
    """The app registration that stands for this service in a tenant."""

    unique_name: str = Field(
        "secure-export",
        pattern=r"^[A-Za-z0-9._-]{1,120}$",
        description="Its unchangeable name in the tenant, by which it is found again.",
    )
    display_name: str = Field("Secure Export", min_length=1, max_length=120, description="What people see.")
    identifier_uri: str | None = Field(
        None, description="Its Application ID URI; without it `api://<client id>`, which every tenant's policy allows."
    )
    owners: tuple[Guid, ...] = Field(
        (),
        description="Object ids of further owners. Whoever makes or changes an action group with this webhook must be "
        "one; the identity that runs `azure apply` is added by itself.",
    )


def _url(text: str) -> str:
    parts = urlsplit(text.strip())
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is no address; write https:// and a host")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(f"{text!r} is not encrypted. http:// is for stand-ins on this machine only; write https://")
    return text.strip().rstrip("/")


Url = Annotated[str, AfterValidator(_url)]


class LinkSettings(Section):
    """Which alerts reach the action group; several ways may be named."""

    rules: tuple[str, ...] = Field((), description="Resource ids of alert rules that get the action group.")
    resource_groups: tuple[str, ...] = Field(
        (), description="Resource groups of the subscription all of whose alert rules get it."
    )
    subscription: bool = Field(
        False, description="Whether one alert processing rule brings it every alert of the subscription."
    )


class ActionGroupSettings(Section):
    """One action group with the secure webhook of one connection."""

    connection: str = Field(description="Whose alerts: a name under `[connections]`.")
    subscription: Guid = Field(description="The subscription that the action group lies in.")
    resource_group: str = Field(pattern=r"^[-A-Za-z0-9._()]{1,90}$", description="The resource group; it must exist.")
    name: str | None = Field(
        None, description="Its name; without it the name of this section. One that exists keeps everything it has."
    )
    short_name: str = Field("SecureExport", min_length=1, max_length=12, description="Up to 12 characters.")
    receiver: str = Field("secure-export", min_length=1, max_length=100, description="The webhook's name in it.")
    url: Url | None = Field(
        None,
        description="Where Azure reaches the webhook, without path; without it `server.public_url`.",
    )
    tenant_id: TenantId | None = Field(None, description="The subscription's tenant, where `[identity]` names several.")
    link: LinkSettings = Field(LinkSettings(), description="Which alerts reach it.")


class TenantSettings(Section):
    """What is different in one tenant."""

    credential: CredentialSettings | None = Field(None, description="As whom Azure is asked there.")
    application: ApplicationSettings | None = Field(None, description="The app registration there.")


class MissedSettings(Section):
    """Fetching the alerts that Azure could not deliver."""

    enabled: bool = Field(False, description="Whether the service asks by itself, at its start and by timer.")
    every_minutes: float = Field(15, ge=1, le=1440, description="How often it asks.")
    look_back_hours: float = Field(
        24, gt=0, le=720, description="How far back it asks the first time; Azure keeps alerts for 30 days."
    )
    subscriptions: tuple[Guid, ...] = Field(
        (), description="Which subscriptions it asks; without it those that connections list and action groups lie in."
    )


class AlertStateSettings(Section):
    """Telling Azure what people did with a work item."""

    enabled: bool = Field(
        False,
        description="Whether a work item that people acknowledge or resolve is Acknowledged or Closed there, too.",
    )


GroupName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]


class AzureSettings(Section):
    """The Azure side: what the `azure` commands set up, and what the running service may ask of Azure."""

    cloud: CloudName = Field(CloudName.PUBLIC, description="`public`, `us-government`, or `china`.")
    graph_url: Url | None = Field(None, description="Another address of Microsoft Graph, such as a stand-in's.")
    resource_manager_url: Url | None = Field(None, description="Another address of Azure Resource Manager.")
    caller: Guid | None = Field(
        None, description="The application id by which action groups call, where the cloud has another than is known."
    )
    credential: CredentialSettings = Field(CredentialSettings(), description="As whom Azure is asked.")
    application: ApplicationSettings = Field(ApplicationSettings(), description="The app registration.")
    tenants: dict[TenantId, TenantSettings] = Field(
        default_factory=dict, description="By tenant id: what is different there."
    )
    action_groups: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")], ActionGroupSettings] = (
        Field(default_factory=dict, description="The action groups to set up, by name.")
    )
    record: Path = Field(
        Path("secure-export.azure.json"),
        description="Where `azure apply` writes down what it made, so that `azure destroy` takes back exactly that.",
    )
    missed: MissedSettings = Field(MissedSettings(), description="Fetching what Azure could not deliver.")
    alert_state: AlertStateSettings = Field(AlertStateSettings(), description="Telling Azure what people did.")

    def where(self) -> Cloud:
        """Give the cloud's addresses, with those that are set instead."""
        known = CLOUDS[self.cloud]
        manager = self.resource_manager_url
        return Cloud(
            authority=known.authority,
            graph_url=self.graph_url or known.graph_url,
            resource_manager_url=manager or known.resource_manager_url,
            resource_manager_scope=f"{manager}/.default" if manager else known.resource_manager_scope,
            caller=self.caller or known.caller,
        )

    def credential_in(self, tenant_id: str) -> CredentialSettings:
        """Say as whom Azure is asked in a tenant."""
        own = self.tenants.get(tenant_id)
        return own.credential if own is not None and own.credential is not None else self.credential

    def application_in(self, tenant_id: str) -> ApplicationSettings:
        """Say what the app registration of a tenant is."""
        own = self.tenants.get(tenant_id)
        return own.application if own is not None and own.application is not None else self.application
