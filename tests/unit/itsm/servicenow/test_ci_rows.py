"""What a row of the CMDB says of a configuration item."""

import pytest
from tests.unit.itsm.servicenow.tables import both

from secure_export.alerts.references import References, ResourceReference
from secure_export.cmdb.decide import decide
from secure_export.cmdb.rules import Rule
from secure_export.itsm.servicenow.cmdb.ci_rows import FIELDS, ci_of, first_of_each, in_use

RESOURCE = "/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachines/vm"


def row(**fields: tuple[str, str] | str) -> dict[str, dict[str, str]]:
    named = {"sys_id": "a" * 32, "name": "VM", "sys_class_name": "cmdb_ci_vm_instance", **fields}
    return {name: both(*one) if isinstance(one, tuple) else both(one) for name, one in named.items()}


def test_what_decisions_need_is_there_in_peoples_words() -> None:
    """Groups and schedules come by the names that people see, and criticality as the digit that assessment knows."""
    ci = ci_of(
        row(
            support_group=("b" * 32, "Linux team"),
            maintenance_schedule=("c" * 32, "Sunday night"),
            environment=("prod", "Production"),
            busines_criticality=("1 - most critical", "1 - sehr kritisch"),
            location="",
        ),
        RESOURCE,
    )
    assert (ci.id, ci.name, ci.class_name, ci.resource_id) == ("a" * 32, "VM", "cmdb_ci_vm_instance", RESOURCE)
    assert ci.attributes["support_group"] == "Linux team"
    assert ci.attributes["maintenance_schedule"] == "Sunday night"
    assert ci.attributes["environment"] == "Production"
    assert ci.attributes["business_criticality"] == "1"
    assert "location" not in ci.attributes


def test_the_older_column_of_the_environment_counts_too() -> None:
    """``used_for`` says it where ``environment`` is empty."""
    assert ci_of(row(used_for=("Test", "Test")), None).attributes["environment"] == "Test"


def test_columns_of_the_configuration_become_attributes() -> None:
    """What people name in the configuration can be used in templates."""
    ci = ci_of(row(u_cost_center=("4711", "Cost 4711")), None, ["u_cost_center"])
    assert ci.attributes["u_cost_center"] == "Cost 4711"


DEAD = [
    {"install_status": ("7", "Außer Betrieb")},
    {"install_status": ("8", "Gestohlen")},
    {"install_status": ("100", "Absent")},
    {"operational_status": ("6", "Stillgelegt")},
    {"state": ("terminated", "Terminated")},
    {"state": ("Terminated", "Terminated")},
    {"life_cycle_stage": ("d" * 32, "End of Life")},
]
ALIVE: list[dict[str, tuple[str, str]]] = [
    {},
    {"install_status": ("1", "Installed")},
    {"install_status": ("3", "In Maintenance"), "operational_status": ("2", "Non-Operational")},
    {"state": ("off", "Off"), "life_cycle_stage": ("d" * 32, "Operational")},
]


@pytest.mark.parametrize("fields", DEAD)
def test_what_is_gone_is_known_to_binding_in_any_language(fields: dict[str, tuple[str, str]]) -> None:
    """A retired, stolen, absent or terminated CI is not found by its name, whatever the instance's language is."""
    gone = row(**fields)
    assert not in_use(gone)
    (binding,) = decide(References(names=("VM",)), [ci_of(gone, None)])
    assert binding.rule == Rule.NOT_IN_CMDB
    assert "out of use" in binding.reason


@pytest.mark.parametrize("fields", ALIVE)
def test_what_is_in_use_is_bound(fields: dict[str, tuple[str, str]]) -> None:
    """A CI that is off, or not operational, is the one that the alert is about."""
    there = row(**fields)
    assert in_use(there)
    (binding,) = decide(
        References(resources=(ResourceReference(RESOURCE, "alertTargetIDs"),)), [ci_of(there, RESOURCE)]
    )
    assert (binding.id, binding.rule) == ("a" * 32, Rule.RESOURCE_ID)
    assert "out of use" not in binding.reason


def test_a_row_that_came_twice_counts_once() -> None:
    """Two queries that cover one class make no ambiguity."""
    one, other = row(), row(sys_id="b" * 32)
    assert first_of_each([one, other, one]) == [one, other]


def test_fields_are_asked_for_once() -> None:
    """No column is named twice in a query."""
    assert len(set(FIELDS)) == len(FIELDS)
