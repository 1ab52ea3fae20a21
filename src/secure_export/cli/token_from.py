"""Where ``secure-export send`` gets its token: a file, a variable, or an Entra ID token end point."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from secure_export.errors import SettingsError
from secure_export.sandbox.azure_monitor.credentials import CachedToken, ClientCredentials, FixedToken, TokenSource
from secure_export.sandbox.entra.directory import (
    AZNS_APP_ID,
    AZNS_SANDBOX_SECRET,
    DEFAULT_TENANT_ID,
    RESOURCE_APP_ID,
)

SECRET_VARIABLE = "SECURE_EXPORT_CLIENT_SECRET"  # noqa: S105 - the name of a variable


def token_source(
    given: str | None, *, client_id: str | None, resource: str | None, tenant: str | None
) -> TokenSource | None:
    """Make what gives the bearer token.

    Args:
        given: ``file:PATH``, ``env:NAME``, or a URL: a token end point, or the base URL of a sandbox Entra ID.
        client_id: As whom to ask a token end point; None: Azure Monitor's application (with the sandbox's secret).
        resource: What the token is for; None: the sandbox's own registration.
        tenant: Whose token, where ``given`` is a sandbox's base URL; None: the sandbox's first tenant.

    Raises:
        SettingsError: It is none of these, or the file or variable cannot be read.
    """
    if given is None:
        return None
    kind, _, rest = given.partition(":")
    if kind == "env":
        return FixedToken(_variable(rest))
    if kind == "file":
        return FixedToken(_file(Path(rest)))
    if kind in {"http", "https"}:
        return CachedToken(
            ClientCredentials(
                token_endpoint=_end_point(given, tenant or DEFAULT_TENANT_ID),
                client_id=client_id or AZNS_APP_ID,
                client_secret=os.environ.get(SECRET_VARIABLE, AZNS_SANDBOX_SECRET),
                resource=resource or f"api://{RESOURCE_APP_ID}",
            )
        )
    raise SettingsError(
        "what --token-from names is not understood; write file:PATH, env:NAME, or a token end point's URL"
    )


def _variable(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"the variable {name} is not set or empty; put the token into it")
    return value


def _file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read the token from {path}: {error}") from None


def _end_point(url: str, tenant: str) -> str:
    """A whole end point as it is; the base URL of a sandbox with the tenant's end point."""
    if urlsplit(url).path.strip("/"):
        return url
    return f"{url.rstrip('/')}/{tenant}/oauth2/v2.0/token"
