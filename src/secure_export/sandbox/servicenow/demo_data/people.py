"""Users, groups and roles of a new instance; ids and names that strangers' tests rely on (servicenow-facts 13.1)."""

from typing import Final

from secure_export.sandbox.servicenow.demo_data.seeding import Seeding, id_of

ADMIN_PASSWORD: Final = "sandbox-only-not-a-secret"  # noqa: S105 - the stand-in's, printed on purpose
INTEGRATION_USER: Final = "azure.integration"

_ADMIN_ROLE: Final = "2831a114c611228501d4ea6c309d626d"
_FINANCE: Final = "a581ab703710200044e0bfc8bcbe5de8"
_DEPARTMENT_HEAD: Final = "46c5bf6ca9fe1981010713e3ac7d3384"
_KNOWN_IDS: Final = {
    "admin": "6816f79cc0a8016401c5a33be04be441",
    "natasha.ingram": _DEPARTMENT_HEAD,
    "problem.admin": "26fbff173b331300ad3cc9bb34efc4bd",
}
# A role, and those that it contains.
_ROLES: Final = """
admin |
itil | sn_incident_write cmdb_read sn_change_write sn_problem_write
itil_admin | itil
sn_incident_read |
sn_incident_write | sn_incident_read
sn_change_read |
sn_change_write | sn_change_read
sn_problem_read |
sn_problem_write | sn_problem_read
problem_admin | problem_manager
problem_manager | itil
personalize_choices |
personalize_dictionary |
template_editor |
view_changer |
import_set_loader |
import_transformer |
import_admin | import_set_loader import_transformer
evt_mgmt_integration |
evt_mgmt_user |
evt_mgmt_operator | evt_mgmt_user
evt_mgmt_admin | evt_mgmt_operator evt_mgmt_integration
cmdb_read |
sn_cmdb_user | cmdb_read
sn_cmdb_editor | sn_cmdb_user
sn_cmdb_admin | sn_cmdb_editor
asset |
knowledge |
user_admin |
catalog_admin |
rest_service |
web_service_admin |
approver_user |
snc_basic_auth_api_access |
x_mioms_microsoft.user |
"""
# User name, name, roles.
_USERS: Final = """
admin | System Administrator | admin
problem.admin | Problem Admin | problem_admin
problem.manager | Problem Manager | problem_manager
itil.agent | Ines Tilburg | itil
itil.manager | Marek Steen | itil_admin
natasha.ingram | Natasha Ingram |
caller.one | Carla Reuter |
caller.two | Dmitri Volkov |
event.integration | Event Integration | evt_mgmt_integration
azure.integration | Azure | itil personalize_choices import_transformer evt_mgmt_integration evt_mgmt_operator
amara.okoye | Amara Okoye | admin
bastien.roux | Bastien Roux | admin
chiara.lombardi | Chiara Lombardi | admin
deniz.aydin | Deniz Aydin | admin
elin.sandberg | Elin Sandberg | admin
farid.rahimi | Farid Rahimi | admin
grace.mbeki | Grace Mbeki | admin
hiro.tanaka | Hiro Tanaka | admin
ilse.vermeer | Ilse Vermeer | admin
jonas.lindqvist | Jonas Lindqvist | admin
kavya.menon | Kavya Menon | admin
leona.fischer | Leona Fischer | itil
mateus.silva | Mateus Silva | itil
nora.haugen | Nora Haugen | itil
"""
# Group, manager, roles, members.
_GROUPS: Final = """
Service Desk | itil.manager | itil | itil.agent leona.fischer
Network | leona.fischer | itil | mateus.silva
Database | mateus.silva | itil | nora.haugen
Cloud Operations | nora.haugen | itil | leona.fischer mateus.silva
Hardware | itil.agent | itil |
Problem Administrators | problem.admin | problem_admin |
Catalog Administrators | amara.okoye | catalog_admin |
User Administrators | bastien.roux | user_admin |
Event Administrators | chiara.lombardi | evt_mgmt_admin |
CAB Approval | ilse.vermeer | approver_user |
"""
_WITH_MOBILE_PHONE: Final = {"itil.agent": "+49 30 5550100", "itil.manager": "+49 30 5550101"}


def fill(seeding: Seeding) -> None:
    """Write them, and the passwords of the users that programs sign in as."""
    seeding.put("core_company", "Lindenhof Logistics")
    seeding.put("cmn_location", "Hamburg", city="Hamburg", country="Germany", time_zone="Europe/Berlin")
    seeding.put("cmn_department", "Finance", _FINANCE, dept_head=_DEPARTMENT_HEAD, id="221")
    seeding.put("cmn_department", "IT", id="222")
    _roles(seeding)
    _users(seeding)
    _groups(seeding)
    for user_name in ("admin", "problem.manager", "itil.agent", "itil.manager", "event.integration", INTEGRATION_USER):
        seeding.instance.people.passwords[user_name] = ADMIN_PASSWORD


def user_id(user_name: str) -> str:
    """Give the id of a shipped user."""
    return _KNOWN_IDS.get(user_name) or id_of("sys_user", user_name)


def _role_id(name: str) -> str:
    return _ADMIN_ROLE if name == "admin" else id_of("sys_user_role", name)


def _lines(text: str) -> list[list[str]]:
    return [[part.strip() for part in line.split("|")] for line in text.splitlines() if line]


def _roles(seeding: Seeding) -> None:
    for name, contains in _lines(_ROLES):
        seeding.put("sys_user_role", name, _role_id(name))
        for other in contains.split():
            pair = {"role": _role_id(name), "contains": _role_id(other)}
            seeding.put("sys_user_role_contains", f"{name} {other}", **pair)


def _users(seeding: Seeding) -> None:
    for user_name, name, roles in _lines(_USERS):
        first, _, last = name.partition(" ")
        seeding.put(
            "sys_user",
            name,
            user_id(user_name),
            user_name=user_name,
            first_name=first,
            last_name=last,
            email=f"{user_name}@example.com",
            department=_FINANCE if user_name in {"admin", "natasha.ingram"} else id_of("cmn_department", "IT"),
            mobile_phone=_WITH_MOBILE_PHONE.get(user_name, ""),
            web_service_access_only=str(user_name in {INTEGRATION_USER, "event.integration"}).lower(),
        )
        for role in roles.split():
            held = {"user": user_id(user_name), "role": _role_id(role)}
            seeding.put("sys_user_has_role", f"{user_name} {role}", **held)


def _groups(seeding: Seeding) -> None:
    for name, manager, roles, members in _lines(_GROUPS):
        group = seeding.put("sys_user_group", name, manager=user_id(manager))
        for role in roles.split():
            seeding.put("sys_group_has_role", f"{name} {role}", group=group, role=_role_id(role))
        for member in members.split():
            seeding.put("sys_user_grmember", f"{name} {member}", group=group, user=user_id(member))
