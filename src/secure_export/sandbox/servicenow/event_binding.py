"""Which CI an event is about (servicenow-facts section 2, "CI binding order").

First ``node`` against the hosts, then ``ci_identifier``, then the keys of ``additional_info`` that are columns of the
table that ``ci_type`` names. Several live CIs that match equally are no binding; that case is not documented.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from secure_export.sandbox.servicenow.event_fields import additional_info, ci_identifier
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.tables import Row

HOSTS: Final = "cmdb_ci_hardware"
NOT_FOUND: Final = "No CI found for binding"
_ROOT: Final = "cmdb_ci"
_BY_NAME: Final = ("name", "fqdn")
_BY_ADDRESS: Final = ("ip_address", "mac_address")
_IGNORE: Final = "evt_mgmt.ignore_retired_cis_in_binding"
_IGNORED: Final = "evt_mgmt.install_status_list_to_ignore_in_binding"
_ACTIVE: Final = "sa.active_operation_status"
_DEAD: Final = "7,100"


@dataclass(frozen=True, slots=True)
class Bound:
    """What was found.

    Attributes:
        ci: The CI's ``sys_id``; empty: none.
        note: How it was found, or why not.
    """

    ci: str
    note: str


def bind(instance: Instance, event: Mapping[str, str]) -> Bound:
    """Find the CI of an event."""
    for found, how in _candidates(instance, event):
        live = [row for row in found if not _is_ignored(instance, row)]
        if len(live) == 1:
            return Bound(live[0]["sys_id"], f"Bound to {live[0].get('name') or live[0]['sys_id']} by {how}.")
        if live:
            return Bound("", f"{NOT_FOUND}: {len(live)} CIs match by {how}.")
    return Bound("", NOT_FOUND)


def _candidates(instance: Instance, event: Mapping[str, str]) -> Iterable[tuple[list[Row], str]]:
    node = event.get("node", "").strip()
    if node:
        for column in _BY_NAME:
            yield _matching(instance, HOSTS, {column: node}), f"node = {column}"
        for column in _BY_ADDRESS:
            hosts = _matching(instance, HOSTS, {column: node})
            yield [host for host in hosts if _is_active(instance, host)], f"node = {column}"
    ci_type = _class_of(instance, event)
    identifier = _known(instance, ci_type or HOSTS, ci_identifier(event))
    yield _matching(instance, ci_type or HOSTS, identifier), f"ci_identifier ({', '.join(identifier)})"
    if ci_type:
        wanted = _known(instance, ci_type, additional_info(event))
        yield _matching(instance, ci_type, wanted), f"additional_info ({', '.join(wanted)}) on {ci_type}"


def _class_of(instance: Instance, event: Mapping[str, str]) -> str:
    """Give the CI class that the event names; empty: none, or it is no class of this instance."""
    named = event.get("ci_type", "")
    return named if instance.dictionary.is_a(named, _ROOT) else ""


def _known(instance: Instance, table: str, wanted: Mapping[str, str]) -> dict[str, str]:
    columns = instance.dictionary.columns(table)
    return {name: value for name, value in wanted.items() if name in columns and value}


def _matching(instance: Instance, table: str, wanted: Mapping[str, str]) -> list[Row]:
    """Find the rows that hold every one of the values, whatever their case; without a value there are none."""
    if not wanted:
        return []
    indexed = (instance.tables.having(table, name, [value]) for name, value in wanted.items())
    rows = next((found for found in indexed if found is not None), None)
    folded = {name: value.casefold() for name, value in wanted.items()}
    return [
        row
        for row in (instance.tables.rows(table) if rows is None else rows)
        if all(row.get(name, "").casefold() == value for name, value in folded.items())
    ]


def _is_ignored(instance: Instance, ci: Row) -> bool:
    if not instance.properties.flag(_IGNORE, default=True):
        return False
    return ci.get("install_status", "") in instance.properties.get(_IGNORED, _DEAD).split(",")


def _is_active(instance: Instance, host: Row) -> bool:
    return host.get("operational_status", "") in instance.properties.get(_ACTIVE, "1").split(",")
