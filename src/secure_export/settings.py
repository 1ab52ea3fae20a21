"""All settings of the program. Each section belongs to the room it configures; here they come together.

``settings_file.py`` reads them. Every setting is described in ``docs/reference/configuration.md``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from secure_export.azure.settings import AzureSettings
from secure_export.errors import StoreUnavailable
from secure_export.identity.authority import is_loopback
from secure_export.identity.settings import IdentitySettings
from secure_export.policy.settings import RouteSettings
from secure_export.secrets import Secret, SecretMissing


def _listed(value: Any) -> Any:
    """Take a text for a list, with commas between, as it comes from the environment."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


Subscription = Annotated[str, Field(pattern=r"^(\*|[0-9A-Za-z-]{1,64})$")]
Subscriptions = Annotated[list[Subscription], BeforeValidator(_listed)]


class Section(BaseModel):
    """A section: no keys but those named here."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(Section):
    """Where the service listens."""

    listen: str = Field(
        "127.0.0.1:8080",
        description="Address and port to listen on: `host:port`, IPv6 in brackets. Port 0: any free one.",
    )
    tls_certificate: Path | None = Field(
        None, description="PEM file with the certificate chain. Azure calls HTTPS only: set it here or at a proxy."
    )
    tls_key: Path | None = Field(None, description="PEM file with the certificate's private key.")
    trusted_proxies: list[str] = Field(
        default_factory=list, description="Addresses of proxies whose `X-Forwarded-*` headers are believed."
    )
    public_url: str | None = Field(
        None, description="Where people reach the console, for links in work items; without it the address listened on."
    )

    @field_validator("listen")
    @classmethod
    def _is_address(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if not colon or not host or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004 - the highest port
            raise ValueError("write it as host:port, such as 127.0.0.1:8080 or [::1]:8080")
        return value

    @model_validator(mode="after")
    def _has_both_or_none(self) -> "ServerSettings":
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together: set both or none")
        return self

    @property
    def host(self) -> str:
        """The address alone."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port alone."""
        return int(self.listen.rpartition(":")[2])

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return is_loopback(self.host)


class StoreSettings(Section):
    """Where everything is kept."""

    url: str = Field(
        "sqlite:///secure-export.db",
        description="`sqlite:///name.db`: a file beside the configuration; `sqlite:///path/to/name.db`: the file with "
        "this absolute path; `postgresql://user@host/database?password_file=/path`: PostgreSQL, for which "
        "docs/decisions/0012-postgresql-store.md lists the options.",
    )
    password: Secret | None = Field(
        None,
        description="PostgreSQL's password, read for every new connection, so that a renewed one needs no restart.",
    )

    @model_validator(mode="after")
    def _needs_its_password(self) -> "StoreSettings":
        if self.password is not None and self.url.startswith("sqlite:"):
            raise ValueError("a SQLite file has no password; leave `password` out, or name a PostgreSQL database")
        return self

    @property
    def password_now(self) -> Callable[[], str] | None:
        """What gives the password for each new connection; None where the settings name none.

        One that cannot be read at the moment is an outage of the store: it may be there again soon.
        """
        secret = self.password
        if secret is None:
            return None

        def read() -> str:
            try:
                return secret.read()
            except SecretMissing as error:
                raise StoreUnavailable(f"store.password: {error}") from error

        return read

    def beside(self, folder: Path) -> "StoreSettings":
        """Give the same with a mere file name, and the file of a password, lying in a folder."""
        name = self.url.removeprefix("sqlite:///")
        is_mere_name = name != self.url and name and "/" not in name
        changes: dict[str, Any] = {"url": f"sqlite:///{folder}/{name}"} if is_mere_name else {}
        if self.password is not None:
            changes["password"] = self.password.beside(folder)
        return self.model_copy(update=changes)


class ConsoleSettings(Section):
    """Who may use the console and the JSON API without a token."""

    local_access: bool | None = Field(
        None,
        description="Whether requests made on this machine itself, to a loopback address and not through a proxy, need "
        "no token. Without it: only with a sandbox as `identity.authority`, so never in production.",
    )


class LogSettings(Section):
    """What is logged, and how."""

    format: Literal["auto", "console", "json"] = Field(
        "auto", description="`console` for people, `json` for collectors; `auto`: console on a terminal, else JSON."
    )
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least level that is logged.")


class RetentionSettings(Section):
    """How long what is finished is kept."""

    notifications_days: float = Field(90, gt=0, description="Notifications whose work is done.")
    work_items_days: float = Field(400, gt=0, description="Resolved work items with their alerts and steps.")
    quarantine_days: float = Field(180, gt=0, description="Notifications in quarantine.")


class ConnectionSettings(BaseModel):
    """One ITSM tool with its rules. A tool's own settings stand beside these."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str = Field(description="Which tool: `desk`, or what an installed connector is called.")
    subscriptions: Subscriptions = Field(
        min_length=1,
        description='Azure subscriptions whose alerts it takes; `["*"]` must be written out to allow every one.',
    )
    tenants: list[str] | None = Field(
        None, description="Tenants that may send to it; without it every tenant under `[identity]`."
    )
    concurrency: int | None = Field(
        None,
        ge=1,
        le=512,
        description="How many lanes are worked on at a time, by all processes of the cluster together; without it what "
        "suits the tool.",
    )
    poll_seconds: float | None = Field(
        None, ge=1, description="How often the tool is asked what people changed; without it what suits the tool."
    )
    rate_per_second: float | None = Field(
        None,
        gt=0,
        description="How many steps are taken a second at most, by all processes of the cluster together; without it "
        "as many as there are.",
    )
    retry_first_seconds: float = Field(
        2, gt=0, description="Wait after the first failed attempt; it doubles each time."
    )
    retry_longest_seconds: float = Field(300, gt=0, description="The longest wait between attempts.")
    step_timeout_seconds: float = Field(
        60, gt=0, le=600, description="After this long without an answer a look decides."
    )
    routes: list[RouteSettings] = Field(
        default_factory=lambda: [RouteSettings()],
        min_length=1,
        max_length=100,
        description="Which alerts become which kind of work item: the first route whose `when` is true.",
    )

    @field_validator("routes")
    @classmethod
    def _takes_every_alert_once(cls, value: list[RouteSettings]) -> list[RouteSettings]:
        if value[-1].when is not None:
            raise ValueError(
                "the last route takes what no other does: leave its `when` out, or add a route without one"
            )
        if any(route.when is None for route in value[:-1]):
            raise ValueError(
                "a route without `when` takes every alert, so that none reaches those after it: put it last"
            )
        return value

    @property
    def own(self) -> dict[str, Any]:
        """The settings of the tool itself, not checked yet."""
        return dict(self.model_extra or {})


class Settings(Section):
    """The whole configuration."""

    server: ServerSettings = ServerSettings()
    store: StoreSettings = StoreSettings()
    identity: IdentitySettings
    console: ConsoleSettings = ConsoleSettings()
    log: LogSettings = LogSettings()
    retention: RetentionSettings = RetentionSettings()
    azure: AzureSettings = AzureSettings()
    connections: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")], ConnectionSettings] = Field(
        min_length=1, description="One section for each ITSM tool; its name is in the webhook's URL."
    )

    def beside(self, folder: Path) -> "Settings":
        """Give the same settings with the files of the store lying in a folder."""
        return self.model_copy(update={"store": self.store.beside(folder)})

    @property
    def lets_this_machine_in(self) -> bool:
        """Whether this machine itself needs no token for console and JSON API.

        Not by default where tokens are real: a proxy on the machine may pass on what comes from anywhere, without a
        trace that we could see.
        """
        if self.console.local_access is not None:
            return self.console.local_access
        tries_out = all(is_sandbox(tenant.authority or self.identity.authority) for tenant in self.identity.all_tenants)
        return tries_out and self.server.is_loopback and not self.server.trusted_proxies


def is_sandbox(authority: str) -> bool:
    """Whether tokens come from this machine itself: a sandbox, and no real Entra ID."""
    return is_loopback(urlsplit(authority).hostname or "")
