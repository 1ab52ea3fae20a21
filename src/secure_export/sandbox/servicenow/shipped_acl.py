"""The access rules of a new instance, as far as integrations meet them (servicenow-facts 2, 9.1, 10.4).

What no rule speaks about is for administrators only.
"""

from collections.abc import Iterator
from typing import Final

from secure_export.sandbox.servicenow.acl import ANY_TABLE, Access, AccessRule

_ALL: Final = (Access.READ, Access.WRITE, Access.CREATE, Access.DELETE)
_WRITING: Final = (Access.WRITE, Access.CREATE)
_ADMINISTRATORS: Final = frozenset({"admin"})
_MINE: Final = "caller_id=javascript:gs.getUserID()^ORopened_by=javascript:gs.getUserID()"

# Who may read, and who may write; an empty set of roles is everybody who signed in, None is nobody but administrators.
_TABLES: Final[dict[str, tuple[str | None, str | None]]] = {
    "task": ("itil", "itil"),
    "incident": ("itil sn_incident_read sn_incident_write", "itil sn_incident_write"),
    "problem": (
        "itil problem_admin problem_manager sn_problem_read",
        "itil problem_admin problem_manager sn_problem_write",
    ),
    "change_request": ("itil sn_change_read sn_change_write", "itil sn_change_write"),
    "std_change_producer_version": ("itil sn_change_read", None),
    "task_ci": ("itil", "itil"),
    "task_cmdb_ci_service": ("itil", "itil"),
    "cmdb": ("itil cmdb_read sn_cmdb_user evt_mgmt_user", "itil sn_cmdb_editor"),
    "cmdb_rel_ci": ("itil cmdb_read sn_cmdb_user", "itil sn_cmdb_editor"),
    "cmdb_rel_type": ("", None),
    "cmdb_key_value": ("itil cmdb_read sn_cmdb_user", "itil sn_cmdb_editor"),
    "svc_ci_assoc": ("itil cmdb_read", None),
    "sys_object_source": ("itil cmdb_read", None),
    "alm_asset": ("itil asset", "asset"),
    "em_event": ("evt_mgmt_user evt_mgmt_operator evt_mgmt_integration", "evt_mgmt_integration"),
    "em_alert": ("evt_mgmt_user evt_mgmt_operator itil", "evt_mgmt_operator"),
    "sys_user": ("", "user_admin"),
    "sys_user_group": ("", "user_admin"),
    "sys_user_grmember": ("", "user_admin"),
    "sys_user_role": ("", None),
    "sys_user_has_role": ("itil user_admin", "user_admin"),
    "cmn_department": ("", "user_admin"),
    "cmn_location": ("", "itil"),
    "cmn_schedule": ("", None),
    "core_company": ("", None),
    "kb_knowledge": ("", "knowledge"),
    "sys_journal_field": ("itil sn_incident_read", None),
    "sys_choice": ("personalize_choices", "personalize_choices"),
    "sys_dictionary": ("personalize_dictionary itil", "personalize_dictionary"),
    "sys_db_object": ("personalize_dictionary itil", "personalize_dictionary"),
    "sys_import_set_row": ("import_transformer import_set_loader", "import_transformer import_set_loader"),
    "sys_attachment": ("", ""),
    "sys_user_certificate": (None, None),
}


def shipped_access() -> Iterator[AccessRule]:
    """Give the access rules of a new instance."""
    for access in _ALL:
        yield AccessRule(ANY_TABLE, access, _ADMINISTRATORS)
    for table, (readers, writers) in _TABLES.items():
        yield AccessRule(table, Access.READ, _roles(readers))
        for access in _WRITING:
            yield AccessRule(table, access, _roles(writers))
    for table in ("sys_attachment", "task_ci", "cmdb_rel_ci", "cmdb_key_value"):
        yield AccessRule(table, Access.DELETE, _roles(_TABLES[table][1]))
    for access in (Access.READ, Access.WRITE):
        yield AccessRule("incident", access, condition=_MINE)


def _roles(names: str | None) -> frozenset[str]:
    return _ADMINISTRATORS if names is None else frozenset(names.split())
