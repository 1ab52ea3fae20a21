"""What becomes of everything that was found: connections, action groups, and what is left to people."""

from typing import Any

import pytest
from tests.unit.azure.itsmc.building import CONNECTION, SUBSCRIPTION, action, group, migration, rule

from secure_export.azure.itsmc.inventory import rule_of
from secure_export.azure.itsmc.line import Fate
from secure_export.azure.itsmc.moves import RECEIVER
from secure_export.azure.itsmc.names import Known
from secure_export.azure.itsmc.treatment import Tool

OTHER = "9a9a9a9a-55aa-4b11-8f6e-0d9b1c2a3e44"
METRIC = "Microsoft.Insights/metricAlerts"


def test_actions_of_one_connection_become_one_connection() -> None:
    """However many action groups use it; it is named like its workspace."""
    found = migration(group("a", action("x")), group("b", action("y")))
    assert [one.name for one in found.connections] == ["log-central"]
    assert [(one.section, one.connection, one.receiver) for one in found.moves] == [
        ("a", "log-central", RECEIVER), ("b", "log-central", RECEIVER)]  # fmt: skip


def test_several_connections_of_a_workspace_are_told_apart() -> None:
    """Each has a name that stays the same in the next run."""
    found = migration(group("a", action("x")), group("b", action("y", connection=OTHER)))
    assert [one.name for one in found.connections] == ["log-central-1f0c7d3e", "log-central-9a9a9a9a"]


def test_an_unknown_workspace_still_has_a_name() -> None:
    """The workspace's name is a nicety."""
    assert migration(group("a", action("x")), named=False).connections[0].name == "itsmc"


def test_two_connections_in_one_action_group_are_two_webhooks() -> None:
    """Their sections and the webhooks have names of their own."""
    found = migration(group("ag", action("x"), action("y", connection=OTHER)))
    assert [(one.section, one.receiver) for one in found.moves] == [
        ("ag", RECEIVER),
        ("ag-log-central-9a9a9a9a", f"{RECEIVER}-log-central-9a9a9a9a"),
    ]
    assert found.moves[1].settings(several_tenants=True)["name"] == "ag"
    assert found.moves[1].settings(several_tenants=True)["tenant_id"] == "tenant"


def test_of_several_actions_of_one_connection_the_incident_counts_and_duplicates_are_pointed_out() -> None:
    """One alert is one work item here."""
    found = migration(group("ag", action("event", WorkItemType="Event"), action("incident")))
    assert [one.name for one in found.moves[0].receivers] == ["incident", "event"]
    assert found.connections[0].routes[-1]["work_item"] == "incident"
    lost = [one for one in found.lines if one.fate is Fate.NOTHING]
    assert [(one.about, one.option) for one in lost] == [("action ag/event", "second work item")]
    assert any(one.option == "several ITSM actions" and "duplicates" in one.reason for one in found.lines)


def test_a_connection_takes_the_alerts_of_all_its_rules() -> None:
    """The subscriptions of rules, of what they watch, and of the action group."""
    elsewhere = "2f9c4ab8-6d15-47f3-8e70-c3b5a1d7e602"
    watched = rule_of({
        "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/{METRIC}/r",
        "properties": {"scopes": [f"/SUBSCRIPTIONS/{elsewhere.upper()}/resourceGroups/x"]},
    })  # fmt: skip
    found = migration(group("ag", action("x"), rules=(watched,)))
    assert found.connections[0].subscriptions == (elsewhere, SUBSCRIPTION)


def test_a_connection_that_a_person_wrote_for_an_action_group_is_used() -> None:
    """The next run finds what the first one wrote, even after people renamed it."""
    there = group("ag", action("x"))
    known = Known({"mine": ("prod", "my-webhook", there.id.upper())})
    move = migration(there, known=known).moves[0]
    assert (move.section, move.connection, move.receiver) == ("mine", "prod", "my-webhook")


def test_a_connection_can_be_named_for_all() -> None:
    """Then all ITSM connections are one."""
    found = migration(
        group("a", action("x")), group("b", action("y", connection=OTHER)), known=Known(connection="prod")
    )
    assert [one.name for one in found.connections] == ["prod"]
    assert {one.connection for one in found.moves} == {"prod"}


def test_action_groups_of_one_name_have_sections_of_their_own() -> None:
    """Names of action groups are unique in a resource group only."""
    found = migration(group("ag", action("x")), group("ag", action("y"), resource_group="rg-2"))
    assert [(one.section, one.settings(several_tenants=False).get("name")) for one in found.moves] == [
        ("ag", None), ("ag-2", "ag")]  # fmt: skip


@pytest.mark.parametrize("more", [{"enabled": False}, {"resource_group": "Gruppe-für-alles"}])
def test_what_cannot_be_moved_is_listed_with_what_to_do(more: dict[str, Any]) -> None:
    """A disabled action group is not switched on behind anybody's back."""
    found = migration(group("ag", action("x"), **more))
    assert found.moves == ()
    assert [one.fate for one in found.lines if one.option == "action group"] == [Fate.BY_HAND]


def test_alerts_by_a_processing_rule_that_differ_are_left_to_people() -> None:
    """A condition cannot tell them: they name the rule that fired."""
    by_rule = rule("bring-all", "Microsoft.AlertsManagement/actionRules")
    found = migration(
        group("a", action("x"), rules=(rule("1"), rule("2"))),
        group("b", action("y", WorkItemType="Event"), rules=(by_rule,)),
    )
    assert [one.was for one in found.lines if one.option == "alert processing rule"] == ["bring-all"]
    assert all("bring-all" not in route.get("when", "") for route in found.connections[0].routes)


def test_every_line_has_a_reason() -> None:
    """Nothing is claimed without one."""
    found = migration(group("a", action("x", WorkItemType="Alert", Strange=1, UseTemplate=True), action("y")))
    assert all(one.reason and one.becomes for one in found.lines)


def test_garbage_becomes_an_incident_that_a_person_checks() -> None:
    """An action that cannot be read is carried over as most are, and shown."""
    broken = {**action("x"), "ticketConfiguration": "{}", "connectionId": None, "workspaceId": None}
    found = migration(group("a", broken), tool=Tool("desk", lambda _: None))
    assert found.connections[0].routes[-1] == {"work_item": "incident", "group_by": "alert"}
    assert {"WorkItemType", "ticketConfiguration"} <= {one.option for one in found.lines if one.fate is Fate.BY_HAND}


def test_the_connection_id_is_told_in_any_case() -> None:
    """Azure varies the case of ids."""
    found = migration(group("a", action("x")), group("b", action("y", connection=CONNECTION.upper())))
    assert len(found.connections) == 1
