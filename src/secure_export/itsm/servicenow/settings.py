"""The settings of a connection of type ``servicenow``."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from secure_export.itsm.http_settings import HttpSettings
from secure_export.itsm.servicenow.cmdb.settings import CmdbSettings
from secure_export.secrets import Secret

TableName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,79}$")]
FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,79}$")]

OUR_FIELDS = frozenset(
    {
        "approval", "cmdb_ci", "close_code", "close_notes", "closed_at", "closed_by", "comments", "correlation_display",
        "correlation_id", "description", "impact", "incident_state", "number", "opened_at", "priority", "resolved_at",
        "resolved_by", "short_description", "state", "urgency", "work_notes",
    }
)  # fmt: skip
"""Fields that this program or the instance itself writes: a route does not set them."""

_KEYS = frozenset({"correlation_id", "correlation_display", "number", "state", "work_notes"})

NEW_CLOSE_CODES = ("Solution provided", "Workaround provided", "No resolution provided")
"""Of instances made since San Diego, or with its incident practice installed."""
OLD_CLOSE_CODES = ("Solved (Permanently)", "Solved (Work Around)", "Closed/Resolved by Caller")
"""Of older instances."""


class Grant(StrEnum):
    """How an OAuth token is asked for."""

    PASSWORD = "password"  # noqa: S105 - the name of a grant
    CLIENT_CREDENTIALS = "client_credentials"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - as above
    JWT_BEARER = "jwt_bearer"


class Twins(StrEnum):
    """What becomes of a second record of one work item."""

    CANCEL = "cancel"
    DUPLICATE = "duplicate"


class OAuthSettings(BaseModel):
    """How to get tokens: ``[connections.<name>.oauth]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    grant: Grant = Field(
        Grant.CLIENT_CREDENTIALS,
        description="How tokens are asked for: `client_credentials`, `password` (with `username` and `password` of the "
        "connection), `refresh_token`, `jwt_bearer`.",
    )
    client_id: str = Field(description="Client ID of the record in Application Registry.", min_length=1)
    client_secret: Secret | None = Field(None, description="Its client secret.")
    refresh_token: Secret | None = Field(None, description="The refresh token to begin with (`refresh_token`).")
    private_key: Secret | None = Field(None, description="Private key in PEM that signs assertions (`jwt_bearer`).")
    key_id: str | None = Field(None, description="The `kid` of assertions, as in the JWT verifier map (`jwt_bearer`).")
    issuer: str | None = Field(None, description="The `iss` of assertions; without it the client ID (`jwt_bearer`).")
    subject: str | None = Field(None, description="The `sub` of assertions: the user that is meant (`jwt_bearer`).")
    audience: str | None = Field(None, description="The `aud` of assertions; without it the client ID (`jwt_bearer`).")
    algorithm: Literal["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"] = Field(
        "RS256", description="How assertions are signed (`jwt_bearer`)."
    )
    scope: str | None = Field(None, description="The scope to ask for; without it the one the instance gives.")
    token_url: str | None = Field(
        None,
        description="Where tokens come from when it is not the instance itself (`/oauth_token.do`), such as the token "
        "endpoint of Entra ID that is registered in ServiceNow as an OIDC provider.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed: dict[Grant, dict[str, Secret | str | None]] = {
            Grant.PASSWORD: {"client_secret": self.client_secret},
            Grant.CLIENT_CREDENTIALS: {"client_secret": self.client_secret},
            Grant.REFRESH_TOKEN: {"client_secret": self.client_secret, "refresh_token": self.refresh_token},
            Grant.JWT_BEARER: {"private_key": self.private_key, "subject": self.subject},
        }
        missing = [name for name, value in needed[self.grant].items() if value is None]
        if missing:
            raise ValueError(f"the grant {self.grant.value} also needs {' and '.join(missing)}")
        return self


class TableSettings(BaseModel):
    """What is special about a table of tasks: ``[connections.<name>.tables.<table>]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    open_states: tuple[str, ...] = Field((), description="Values of `state` that mean: there is work to do.")
    resolved_state: str | None = Field(
        None,
        description="The value of `state` that a work item gets when its problem is over; `never`: it is only noted, "
        "and a person has to end the record.",
    )
    closed_states: tuple[str, ...] = Field((), description="Values of `state` that are final.")
    reopen_state: str | None = Field(
        None, description="The value of `state` that opens a resolved record again; `never`: it is not opened again."
    )
    cancelled_state: str | None = Field(None, description="The value of `state` that a superfluous twin gets.")
    close_codes: tuple[str, ...] = Field(
        (), description="Codes for the resolution, the best first; those that the instance lacks are passed over."
    )
    close_code_field: str | None = Field(
        None, description="The field of the code; empty text: there is none.", pattern=r"^([a-z][a-z0-9_]{0,79})?$"
    )
    close_notes_field: str | None = Field(
        None, description="The field that says how it was resolved.", pattern=r"^([a-z][a-z0-9_]{0,79})?$"
    )
    close_fields: Mapping[FieldName, str] = Field(
        default_factory=dict, description="Further fields that are written when a record is resolved."
    )

    @field_validator("close_fields")
    @classmethod
    def _no_key(cls, fields: Mapping[str, str]) -> Mapping[str, str]:
        for name in fields:
            if name in _KEYS or name.startswith("sys_"):
                raise ValueError(f"{name} is what Secure Export or ServiceNow itself knows the record by: leave it out")
        return fields


class ServiceNowSettings(HttpSettings):
    """What can be set for a ServiceNow instance, besides the address and how to reach it."""

    username: str | None = Field(None, description="The user that this program is in ServiceNow.", min_length=1)
    password: Secret | None = Field(None, description="Its password.")
    api_key: Secret | None = Field(None, description="A REST API key, in place of user and password.")
    oauth: OAuthSettings | None = Field(None, description="OAuth tokens, in place of sending the password.")

    caller: str | None = Field(
        None, description="Who calls: user name, e-mail or name for `caller_id` of incidents.", max_length=200
    )
    assignment_group: str | None = Field(
        None, description="The group that gets work items where neither route nor CI names one.", max_length=200
    )
    category: str | None = Field(None, description="Category, by label or value.", max_length=200)
    subcategory: str | None = Field(None, description="Subcategory, by label or value.", max_length=200)
    business_service: str | None = Field(None, description="Business service, by name.", max_length=200)
    contact_type: str | None = Field(None, description="Channel, by label or value.", max_length=200)
    fields: Mapping[FieldName, str] = Field(
        default_factory=dict, description="Further fields of every work item, by ServiceNow's own names."
    )
    close_codes: tuple[str, ...] = Field(
        (*NEW_CLOSE_CODES, *OLD_CLOSE_CODES),
        description="Resolution codes of incidents, the best first; those that the instance does not have are passed "
        "over.",
        min_length=1,
    )
    twins: Twins = Field(
        Twins.CANCEL,
        description="What becomes of a second record of one work item: `cancel` (Canceled) or `duplicate` (resolved as "
        "a duplicate).",
    )
    tables: Mapping[TableName, TableSettings] = Field(
        default_factory=dict, description="What is special about a table, for problems, changes and tables of your own."
    )

    cmdb: CmdbSettings = Field(default_factory=CmdbSettings, description="How configuration items are found.")

    @field_validator("fields")
    @classmethod
    def _not_ours(cls, fields: Mapping[str, str]) -> Mapping[str, str]:
        for name in fields:
            if (why := why_not_settable(name)) is not None:
                raise ValueError(why)
        return fields

    @model_validator(mode="after")
    def _one_sign_in(self) -> Self:
        if (self.password is not None) and self.username is None:
            raise ValueError("password needs username beside it")
        ways = [name for name in ("api_key", "oauth") if getattr(self, name) is not None]
        if self.oauth is None and self.username is not None:
            ways.append("username")
            if self.password is None:
                raise ValueError('username needs password = { file = "…" } or { env = "…" } beside it')
        if len(ways) > 1:
            raise ValueError(f"{' and '.join(ways)} are different ways to sign in: keep one")
        if not ways and self.client_certificate is None:
            raise ValueError("say how to sign in: username and password, oauth, api_key, or client_certificate")
        if self.oauth is not None and self.oauth.grant is Grant.PASSWORD and self.password is None:
            raise ValueError("the grant password needs username and password beside the oauth section")
        return self


def why_not_settable(field: str) -> str | None:
    """Say why a route cannot set a field of ServiceNow; None: it can."""
    if field in OUR_FIELDS:
        return f"{field} is written by Secure Export or by ServiceNow itself: a route cannot set it"
    if field.startswith("sys_"):
        return f"{field} belongs to ServiceNow itself: a route cannot set it"
    return None
