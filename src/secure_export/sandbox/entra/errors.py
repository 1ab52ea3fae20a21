"""Refusals in Entra's own words and form."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(eq=False)
class EntraError(Exception):
    """A refusal.

    Attributes:
        error: The OAuth error, such as ``invalid_client``.
        code: The number after ``AADSTS``.
        text: The sentence after it.
        status: The HTTP status.
    """

    error: str
    code: int
    text: str
    status: int = 400

    def as_json(self, now: datetime) -> dict[str, Any]:
        """Give the body that Entra answers with."""
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        stamp = now.strftime("%Y-%m-%d %H:%M:%SZ")
        return {
            "error": self.error,
            "error_description": (
                f"AADSTS{self.code}: {self.text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
            ),
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }


def tenant_not_found(tenant: str, error: str = "invalid_request") -> EntraError:
    """Refuse a tenant that does not exist."""
    return EntraError(
        error,
        90002,
        f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing "
        "into the correct cloud.",
    )


def missing_parameter(name: str) -> EntraError:
    """Refuse a request without one of its members."""
    return EntraError("invalid_request", 900144, f"The request body must contain the following parameter: '{name}'.")


def grant_not_supported(grant: str) -> EntraError:
    """Refuse any grant but client credentials."""
    return EntraError("unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'.")


def client_not_found(client_id: str, tenant: str) -> EntraError:
    """Refuse an application that the directory does not have."""
    return EntraError(
        "unauthorized_client",
        700016,
        f"Application with identifier '{client_id}' was not found in the directory "
        f"'{tenant}'. This can happen if the application has not been installed by the administrator of the tenant.",
    )


def secret_missing() -> EntraError:
    """Refuse a client that does not prove itself."""
    return EntraError(
        "invalid_client",
        7000216,
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
        401,
    )


def secret_wrong(client_id: str) -> EntraError:
    """Refuse a client with a wrong secret."""
    return EntraError(
        "invalid_client",
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is "
        f"the client secret value, not the client secret ID, for a secret added to app '{client_id}'.",
        401,
    )


def scope_not_default(scope: str) -> EntraError:
    """Refuse a scope that is not an application's ``/.default``."""
    return EntraError(
        "invalid_scope",
        1002012,
        f"The provided value for scope {scope} is not valid. Client credential flows must "
        "have a scope value with /.default suffixed to the resource identifier (application ID URI).",
    )


def resource_not_found(name: str, tenant: str) -> EntraError:
    """Refuse a resource that the tenant does not have."""
    return EntraError(
        "invalid_resource",
        500011,
        f"The resource principal named {name} was not found in the tenant named {tenant}. "
        "You might have sent your authentication request to the wrong tenant.",
    )


def not_assigned(client_id: str, resource: str) -> EntraError:
    """Refuse a client without a role where one is required."""
    return EntraError(
        "invalid_grant",
        501051,
        f"Application '{client_id}' is not assigned to a role for the application '{resource}'.",
    )


def no_principal(client_id: str, tenant: str) -> EntraError:
    """Refuse a client that has no service principal in the tenant: such tokens ended in 2026 (entra-facts 1.5)."""
    return EntraError(
        "invalid_client",
        7000229,
        f"The client application {client_id} is missing service principal in the tenant {tenant}.",
        401,
    )


def password_wrong() -> EntraError:
    """Refuse a person with a wrong name or password."""
    return EntraError("invalid_grant", 50126, "Error validating credentials due to invalid username or password.")


def no_consent(client_id: str) -> EntraError:
    """Refuse a person's token for an application that nobody consented to."""
    return EntraError(
        "invalid_grant",
        65001,
        f"The user or administrator has not consented to use the application with ID '{client_id}'.",
    )
