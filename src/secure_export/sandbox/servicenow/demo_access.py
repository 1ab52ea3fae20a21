"""The ways into a stand-in that are there from the start: fixed, documented, and worth nothing anywhere else."""

from typing import Final

from secure_export.sandbox.servicenow.app import ServiceNowApp
from secure_export.sandbox.servicenow.demo_data.people import ADMIN_PASSWORD, INTEGRATION_USER
from secure_export.sandbox.servicenow.oauth import OAuthClient
from secure_export.sandbox.servicenow.sign_in.api_key import ApiKey

ADMIN: Final = "admin"
PASSWORD: Final = ADMIN_PASSWORD
"""Of all users that come with the stand-in and may sign in."""
CLIENT_ID: Final = "5a9d0b0c0e7f4c0f9c1d2e3f4a5b6c7d"
CLIENT_SECRET: Final = "sandbox-client-secret"  # noqa: S105 - of the sandbox, documented
API_KEY: Final = "sandbox-api-key"
_OPEN_TO_KEYS: Final = ("/api/now/", "/api/global/em/", "/api/sn_em_connector/em/", "/api/sn_chg_rest/")

__all__ = ["ADMIN", "API_KEY", "CLIENT_ID", "CLIENT_SECRET", "INTEGRATION_USER", "PASSWORD", "open_doors"]


def open_doors(app: ServiceNowApp) -> None:
    """Register the OAuth client and the API key of the stand-in, both for the integration user."""
    app.sign_in.oauth.register(
        OAuthClient(CLIENT_ID, CLIENT_SECRET, "Secure Export", application_user=INTEGRATION_USER)
    )
    app.sign_in.api_keys.add(ApiKey(API_KEY, INTEGRATION_USER))
    app.sign_in.api_keys.allow(*_OPEN_TO_KEYS)
