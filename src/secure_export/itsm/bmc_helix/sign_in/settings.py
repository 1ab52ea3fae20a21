"""How this program signs in to BMC Helix: settings that the connection's own inherit."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from secure_export.itsm.http_settings import HttpSettings
from secure_export.secrets import Secret


class RssoSettings(BaseModel):
    """How to get OAuth tokens of Helix Single Sign-On: ``[connections.<name>.rsso]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token_url: str = Field(
        description="The token endpoint of the realm: `https://<realm host>/rsso/oauth2/v1.1/token`.",
        pattern=r"^https?://[!-~]+$",
    )
    client_id: str = Field(description="Client ID of the OAuth client in Helix SSO.", min_length=1)
    client_secret: Secret = Field(description="Its client secret.")
    private_key: Secret = Field(description="Private key in PEM, without a password, that signs assertions.")
    key_id: str | None = Field(None, description="The `kid` of assertions, where Helix SSO asks for one.")
    issuer: str | None = Field(None, description="The `iss` of assertions; without it the client ID.")
    subject: str = Field(description="The `sub` of assertions: the login name that this program has.", min_length=1)
    assertion_audience: str | None = Field(
        None, description="The `aud` of assertions; without it the address of the token endpoint."
    )
    audience: str | None = Field(None, description="The parameter `audience`: the realm's application domain.")
    algorithm: Literal["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"] = Field(
        "RS256", description="How assertions are signed."
    )
    presented_as: Literal["Bearer", "AR-JWT"] = Field(
        "Bearer",
        description="What stands before the token in `Authorization`. Which of the two your server takes is not "
        "documented in public: `secure-export check` shows whether it does.",
    )


class SignInSettings(HttpSettings):
    """What can be set for signing in: user and password (AR-JWT), or OAuth tokens of Helix Single Sign-On."""

    username: str | None = Field(
        None, description="The login name that this program has in BMC Helix.", min_length=1, max_length=254
    )
    password: Secret | None = Field(None, description="Its password.")
    auth_string: str | None = Field(
        None,
        description="The *authentication string* of the login, where your server asks for one, such as a domain.",
        min_length=1,
        max_length=254,
    )
    rsso: RssoSettings | None = Field(
        None, description="OAuth tokens of Helix Single Sign-On, in place of user and password."
    )

    @field_validator("url")
    @classmethod
    def _is_the_servers(cls, url: str) -> str:
        if "api" in url.split("/")[3:]:
            raise ValueError("leave out /api and what follows it: this program adds them")
        return url

    @model_validator(mode="after")
    def _one_sign_in(self) -> Self:
        if self.rsso is not None:
            if self.username is not None or self.password is not None:
                raise ValueError("rsso and username are different ways to sign in: keep one")
            return self
        if self.username is None or not self.username.strip():
            raise ValueError("say how to sign in: username and password, or rsso")
        if self.password is None:
            raise ValueError('username needs password = { file = "…" } or { env = "…" } beside it')
        return self
