"""What a new stand-in has: a company, support groups, people, a template, and CIs of an Azure subscription."""

from typing import TYPE_CHECKING, Final

from secure_export.sandbox.bmc_helix.cis import add_ci
from secure_export.sandbox.bmc_helix.foundation import add_company, add_group, add_person, add_template
from secure_export.sandbox.bmc_helix.people import ADMINISTRATOR, Account

if TYPE_CHECKING:
    from secure_export.sandbox.bmc_helix.server import ArServer

COMPANY: Final = "Contoso"
OTHER_COMPANY: Final = "Fabrikam"
INTEGRATION_USER: Final = "azure.integration"
ADMIN: Final = "Allen"
CUSTOMER: Final = ("Azure", "Monitor")
"""First and last name of the person that incidents of monitoring are opened for; it is support staff, too."""
GROUP: Final = "Cloud Operations"
"""The support group that this person belongs to."""
TEMPLATE: Final = "Azure alert"
SUBSCRIPTION: Final = "11111111-1111-1111-1111-111111111111"
PERSON_ROLES: Final = frozenset({"Incident Master", "Asset Viewer"})
_GROUPS: Final = ("Service Desk", "Linux", "Windows", "Database", "Network", GROUP)
_STAFF: Final = (
    ("Ada", "Lovelace", "ada.lovelace", ("Service Desk", "Linux", "Windows", "Cloud Operations")),
    ("Grace", "Hopper", "grace.hopper", ("Service Desk", "Database", "Network")),
)
_RESOURCE_GROUP: Final = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/demo"
_COMPUTERS: Final = ("vm-web-01", "vm-web-02", "vm-db-01", "vm-app-01")


def seed(server: "ArServer") -> None:
    """Fill a new server."""
    add_company(server, COMPANY)
    add_company(server, OTHER_COMPANY)
    for name in _GROUPS:
        add_group(server, name, company=COMPANY, organization="IT Support")
    _people(server)
    _cis(server)
    add_template(
        server,
        TEMPLATE,
        {
            "Summary": "Azure Monitor alert",
            "Impact": "3-Moderate/Limited",
            "Urgency": "3-Medium",
            "Status": "New",
            "Reported Source": "Systems Management",
            "Service Type": "Infrastructure Event",
            "Company": COMPANY,
        },
    )


def _people(server: "ArServer") -> None:
    first, last = CUSTOMER
    add_person(server, first, last, login=INTEGRATION_USER, company=COMPANY, groups=(GROUP,))
    add_person(server, "Jane", "Customer", login="jane.customer", company=COMPANY)
    for given, family, login, groups in _STAFF:
        add_person(server, given, family, login=login, company=COMPANY, groups=groups)
        server.accounts.set(Account(login, roles=PERSON_ROLES, parallel_allowed=True))
    server.accounts.set(Account(INTEGRATION_USER))
    server.accounts.set(Account(ADMIN, roles=frozenset({ADMINISTRATOR}), parallel_allowed=True))


def _cis(server: "ArServer") -> None:
    for name in _COMPUTERS:
        resource = f"{_RESOURCE_GROUP}/providers/microsoft.compute/virtualmachines/{name}"
        add_ci(
            server,
            name,
            AzureResourceId=resource,
            HostName=name,
            TokenId=f"{name}:contoso.example",
            Company=COMPANY,
            Category="System",
            Type="Virtual Machine",
            isVirtual="Yes",
        )
    add_ci(server, "demo", ci_class="BMC_CloudInstance", TokenId=SUBSCRIPTION, Category="Cloud", Company=COMPANY)
    add_ci(server, "Web shop", ci_class="BMC_BusinessService", Company=COMPANY)
    add_ci(server, "vm-new-01", dataset="BMC.ADDM", reconciled=False, HostName="vm-new-01")
