"""The ways into a stand-in that are there from the start: fixed, documented, and worth nothing anywhere else."""

from typing import Final

from secure_export.sandbox.servicenow.accounts import Account, set_account
from secure_export.sandbox.servicenow.app import ServiceNowApp
from secure_export.sandbox.servicenow.oauth import OAuthClient
from secure_export.sandbox.servicenow.sign_in.api_key import ApiKey

ADMIN: Final = "admin"
ADMIN_PASSWORD: Final = "sandbox-admin"  # noqa: S105 - of the sandbox, documented
INTEGRATION_USER: Final = "azure.integration"
INTEGRATION_PASSWORD: Final = "sandbox-integration"  # noqa: S105 - of the sandbox, documented
DESK_USER: Final = "service.desk"
DESK_PASSWORD: Final = "sandbox-desk"  # noqa: S105 - of the sandbox, documented
INTEGRATION_ROLES: Final = frozenset({"itil", "personalize_choices", "evt_mgmt_integration", "cmdb_read"})
CLIENT_ID: Final = "5a9d0b0c0e7f4c0f9c1d2e3f4a5b6c7d"
CLIENT_SECRET: Final = "sandbox-client-secret"  # noqa: S105 - of the sandbox, documented
API_KEY: Final = "sandbox-api-key"
_OPEN_TO_KEYS: Final = ("/api/now/", "/api/global/em/", "/api/sn_em_connector/em/", "/api/sn_chg_rest/")


def open_doors(app: ServiceNowApp) -> None:
    """Make the users, the OAuth client and the API key of the stand-in; what a state file brought stays as it is."""
    known = app.instance.people.passwords
    accounts = [
        Account(ADMIN, ADMIN_PASSWORD),
        Account(INTEGRATION_USER, INTEGRATION_PASSWORD, INTEGRATION_ROLES, {"web_service_access_only": "true"}),
        Account(DESK_USER, DESK_PASSWORD, frozenset({"itil"})),
    ]
    for account in accounts:
        if account.user_name not in known:
            set_account(app.instance, account)
    app.sign_in.oauth.register(
        OAuthClient(CLIENT_ID, CLIENT_SECRET, "Secure Export", application_user=INTEGRATION_USER)
    )
    app.sign_in.api_keys.add(ApiKey(API_KEY, INTEGRATION_USER))
    app.sign_in.api_keys.allow(*_OPEN_TO_KEYS)
