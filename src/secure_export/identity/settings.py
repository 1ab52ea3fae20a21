"""The ``[identity]`` section of the configuration: whose tokens are let in, for what, and from whom."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from secure_export.identity.authority import is_loopback

# The first-party application "AzNS AAD Webhook" (Azure Monitor docs, action-groups, "Secure webhook").
AZNS_APPLICATION_ID = "461e8683-5575-4561-ac7f-899cc907d62a"
DEFAULT_AUTHORITY = "https://login.microsoftonline.com"
DEFAULT_ROLE = "ActionGroupsSecureWebhook"
NIL_GUID = "00000000-0000-0000-0000-000000000000"

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HOUR_SECONDS = 3600
_DAY_SECONDS = 24 * _HOUR_SECONDS


def is_guid(text: str) -> bool:
    """Tell whether a text is a GUID in lower case, and not the one of zeros, which stands for nothing."""
    return _GUID.fullmatch(text) is not None and text != NIL_GUID


def _guid(text: str) -> str:
    lowered = text.strip().lower()
    if not is_guid(lowered):
        raise ValueError(
            f"{text!r} is no GUID. Write an id such as 11111111-2222-3333-4444-555555555555; Entra ID shows it on the "
            "overview page of the tenant or the application"
        )
    return lowered


def _tenant(text: str) -> str:
    if not is_guid(text.strip().lower()):
        raise ValueError(
            f"{text!r} is no tenant id. Write the GUID that Entra ID shows under Overview, not a domain name and not "
            "'common': each tenant has signing keys of its own"
        )
    return text.strip().lower()


def _authority(text: str) -> str:
    parts = urlsplit(text.strip())
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username is not None:
        raise ValueError(f"{text!r} is no authority. Write https:// and a host, such as {DEFAULT_AUTHORITY}")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"{text!r} has more than a host. Leave the path out; the tenant goes into tenant_id")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(f"{text!r} is not encrypted. http:// is for loopback hosts only; write https://")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _listed(value: Any) -> Any:
    """Take one text for a list of one; commas separate several, for settings out of the environment."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return value


def _no_blank(text: str) -> str:
    if not text or any(character.isspace() for character in text):
        raise ValueError(f"{text!r} is empty or contains blanks. Write the value as Entra ID shows it")
    return text


def _audience(text: str) -> str:
    lowered = _no_blank(text).lower()
    return lowered if is_guid(lowered) else text


Guid = Annotated[str, AfterValidator(_guid)]
TenantId = Annotated[str, AfterValidator(_tenant)]
Authority = Annotated[str, AfterValidator(_authority)]
Role = Annotated[str, AfterValidator(_no_blank)]
Audiences = Annotated[tuple[Annotated[str, AfterValidator(_audience)], ...], BeforeValidator(_listed)]
Guids = Annotated[tuple[Guid, ...], BeforeValidator(_listed)]
Versions = Annotated[tuple[Literal["1.0", "2.0"], ...], BeforeValidator(_listed), Field(min_length=1)]


def _in_other_words(written: Any) -> Any:
    """Take what BMC's own Azure integration asks for by the names it has there.

    Microsoft's page "Connect BMC Helix to Azure Monitor" (bmc-facts.md, section 1) lets people note an Azure tenant ID
    and an Azure application ID; they are our ``tenant_id``, and the client id and default URI in our ``audience``.
    """
    if not isinstance(written, Mapping):
        return written
    values = dict(written)
    for theirs, ours in (("azure_tenant_id", "tenant_id"), ("azure_application_id", "audience")):
        if theirs in values and ours in values:
            raise ValueError(f"{theirs} and {ours} say the same: keep one")
    if "azure_tenant_id" in values:
        values["tenant_id"] = values.pop("azure_tenant_id")
    if "azure_application_id" in values:
        application = _guid(str(values.pop("azure_application_id")))
        values["audience"] = [application, f"api://{application}"]
    return values


class _InOtherWords(BaseModel):
    """A section that also takes ``azure_tenant_id`` and ``azure_application_id``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _takes_other_words(cls, written: Any) -> Any:
        return _in_other_words(written)


class TenantSettings(_InOtherWords):
    """One of several tenants (``[[identity.tenants]]``). What is left out is taken from ``[identity]``."""

    tenant_id: TenantId = Field(description="The tenant's id, a GUID.")
    authority: Authority | None = Field(default=None, description="Where this tenant signs in; see `authority` above.")
    audience: Audiences | None = Field(
        default=None, min_length=1, description="What this tenant's tokens may be for; see `audience` above."
    )
    callers: Guids | None = Field(
        default=None, min_length=1, description="The application ids that may call from this tenant."
    )
    role: Role | None = Field(default=None, description="The app role this tenant's tokens must carry.")
    operators: bool = Field(
        default=False,
        description="Whether people and programs of this tenant may look and act (JSON API), given the app role. A "
        "tenant's own administrators assign that role, so that this is for the tenant that runs the service. A single "
        "`tenant_id` is that tenant.",
    )


class IdentitySettings(_InOtherWords):
    """Whose tokens the service lets in. Either ``tenant_id``, or one or more ``[[identity.tenants]]``."""

    authority: Authority = Field(
        default=DEFAULT_AUTHORITY,
        description="Where the tenants sign in: https:// and a host. Other clouds have other hosts, such as "
        "`https://login.microsoftonline.us`. http:// is allowed for loopback hosts only.",
    )
    tenant_id: TenantId | None = Field(
        default=None,
        description="The tenant whose tokens are let in, a GUID; for several write `[[identity.tenants]]`. BMC's name "
        "for it, `azure_tenant_id`, is taken too.",
    )
    tenants: tuple[TenantSettings, ...] = Field(
        default=(),
        description="Several tenants, each with `tenant_id` and, where it differs, `authority`, `audience`, `callers` "
        "or `role`.",
    )
    audience: Audiences = Field(
        default=(),
        description="What tokens may be for: the client id of this service's app registration, and its application id "
        "URI (`api://…`) when it issues version 1.0 tokens. Compared exactly. A text or a list. "
        "`azure_application_id`, as BMC asks for it, stands for the client id and `api://` with it.",
    )
    callers: Guids = Field(
        default=(AZNS_APPLICATION_ID,),
        min_length=1,
        description="The application ids that may send alerts. By default the one of Azure Monitor action groups "
        "(`AzNS AAD Webhook`).",
    )
    role: Role = Field(
        default=DEFAULT_ROLE,
        description="The app role (its value) that a token must carry to send alerts.",
    )
    versions: Versions = Field(
        default=("1.0", "2.0"),
        description="The versions of access tokens that are let in. Which one comes is decided by "
        "`requestedAccessTokenVersion` of this service's app registration.",
    )
    denied: Guids = Field(
        default=(),
        description="Application ids and object ids that are refused whatever their token says. A revoked role "
        "assignment takes effect only when the caller's token ends, up to 90 minutes later; this is the instant stop.",
    )
    key_refresh_seconds: int = Field(
        default=_HOUR_SECONDS,
        ge=60,
        le=_DAY_SECONDS,
        description="How often the tenants' signing keys are fetched again, in seconds.",
    )
    key_ttl_seconds: int = Field(
        default=_DAY_SECONDS,
        ge=_HOUR_SECONDS,
        le=7 * _DAY_SECONDS,
        description="For how long signing keys are used when they cannot be fetched again, in seconds. After that "
        "callers get 503 until they can.",
    )

    @model_validator(mode="after")
    def _one_way_to_name_tenants(self) -> Self:
        if self.tenant_id is not None and self.tenants:
            raise ValueError("tenant_id and [[identity.tenants]] are both there. Write all tenants into the list")
        if self.tenant_id is None and not self.tenants:
            raise ValueError("no tenant is named. Write tenant_id, or [[identity.tenants]] for several")
        return self

    @model_validator(mode="after")
    def _tenants_are_whole(self) -> Self:
        ids = [tenant.tenant_id for tenant in self.all_tenants]
        for tenant in self.all_tenants:
            if ids.count(tenant.tenant_id) > 1:
                raise ValueError(f"tenant {tenant.tenant_id} is listed twice. Keep one of the two")
            _check_audience(tenant.tenant_id, tenant.audience or self.audience, self.versions)
        return self

    @model_validator(mode="after")
    def _keys_outlive_their_refresh(self) -> Self:
        if self.key_ttl_seconds <= self.key_refresh_seconds:
            raise ValueError("key_ttl_seconds must be more than key_refresh_seconds, or keys run out in between")
        return self

    @property
    def all_tenants(self) -> tuple[TenantSettings, ...]:
        """The tenants, whichever way they are named."""
        if self.tenant_id is not None:
            return (TenantSettings(tenant_id=self.tenant_id, operators=True),)
        return self.tenants


def _check_audience(tenant_id: str, audience: tuple[str, ...], versions: tuple[str, ...]) -> None:
    if not audience:
        raise ValueError(
            f'no audience for tenant {tenant_id}. Write audience = ["<client id>"] with the id of this service\'s '
            "app registration"
        )
    if "1.0" not in versions and not any(is_guid(entry) for entry in audience):
        raise ValueError(
            f"audience for tenant {tenant_id} has no client id, and version 2.0 tokens name nothing else. Add the "
            'client id (a GUID), or write versions = ["1.0"]'
        )
