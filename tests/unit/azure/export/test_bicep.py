"""Bicep: it parses, names only what the types have, and says what apply makes."""

import json
from typing import Any

import pytest
from tests.unit.azure.export import bicep
from tests.unit.azure.export.conftest import (
    CALLER,
    CPU,
    EVERY_WAY,
    HARD,
    VARIANTS,
    Held,
    two_subscriptions,
    wanted,
    written,
)

from secure_export.azure.export.export import Format
from secure_export.azure.setup.change import Side
from secure_export.sandbox.azure_monitor.estate import SHARED

URI, GROUP = "secure-export-identifier-uri.bicep", "secure-export-action-group.bicep"

# What the types name, as far as it is used here: microsoftgraph/msgraph-bicep-types, generated/microsoftgraph/
# microsoft.graph/v1.0/1.0.0/types.json; Azure/bicep-types-az, microsoft.insights/2023-01-01 and
# microsoft.alertsmanagement/2021-08-08 (the same as in Azure/azure-resource-manager-schemas).
TYPES: dict[str, dict[str, set[str]]] = {
    "Microsoft.Graph/applications@v1.0": {
        "": {
            "uniqueName", "displayName", "signInAudience", "identifierUris", "api", "appRoles", "optionalClaims",
            "owners",
        },
        "api": {"requestedAccessTokenVersion"},
        "appRoles": {"id", "allowedMemberTypes", "displayName", "description", "value", "isEnabled"},
        "optionalClaims": {"accessToken"},
        "optionalClaims.accessToken": {"name", "essential", "additionalProperties"},
        "owners": {"relationshipSemantics", "relationships"},
    },
    "Microsoft.Graph/servicePrincipals@v1.0": {"": {"appId", "appRoleAssignmentRequired", "tags"}},
    "Microsoft.Graph/appRoleAssignedTo@v1.0": {"": {"appRoleId", "principalId", "resourceId"}},
    "Microsoft.Insights/actionGroups@2023-01-01": {
        "": {"name", "location", "properties"},
        "properties": {"groupShortName", "enabled", "webhookReceivers"},
        "properties.webhookReceivers": {
            "name", "serviceUri", "useCommonAlertSchema", "useAadAuth", "objectId", "identifierUri", "tenantId",
        },
    },
    "Microsoft.AlertsManagement/actionRules@2021-08-08": {
        "": {"name", "location", "properties"},
        "properties": {"scopes", "actions", "enabled", "description"},
        "properties.actions": {"actionType", "actionGroupIds"},
    },
}  # fmt: skip


def test_it_says_what_apply_makes(after_apply: Held) -> None:
    """The resources and their members are those that Azure holds after apply."""
    assert said(written(wanted(**EVERY_WAY), Format.BICEP)) == after_apply.made()


@pytest.mark.parametrize("only", [None, *Side])
@pytest.mark.parametrize("own", VARIANTS)
def test_it_parses_and_names_only_what_the_types_have(own: dict[str, Any], only: Side | None) -> None:
    """All files are Bicep; every property is in the resource's type; modules get exactly their parameters."""
    files = written(wanted(**own), Format.BICEP, only=only)
    assert json.loads(files.pop("bicepconfig.json"))["extensions"].keys() == {"microsoftGraphV1"}
    for text in files.values():
        assert bicep.errors(text) == []
    for one in all_declared(files):
        for place, used in used_in(one.body):
            assert used <= TYPES[one.kind][place], one.kind
    main = bicep.read(files["main.bicep"])
    modules = {one.kind: one.body["params"] for one in main.declared.values() if one.kind.endswith(".bicep")}
    assert {"main.bicep", *modules} == files.keys()
    for name, parameters in modules.items():
        assert [line.split()[1] for line in files[name].splitlines() if line.startswith("param ")] == list(parameters)


def test_the_uri_that_is_given_needs_no_second_write() -> None:
    """Only a URI that holds the client id is set by a module; a given one is set at once."""
    files = written(wanted(application={"identifier_uri": "https://alerts.example.test/a"}), Format.BICEP)
    assert URI not in files
    main = bicep.read(files["main.bicep"])
    assert main.declared["application"].body["identifierUris"] == ["https://alerts.example.test/a"]
    assert main.declared["action_group_1"].body["params"]["identifierUri"] == "https://alerts.example.test/a"


def test_the_azure_owner_looks_the_registration_up() -> None:
    """Alone, the Azure owner's part makes nothing in Entra ID."""
    files = written(wanted(**EVERY_WAY), Format.BICEP, only=Side.AZURE)
    made = [one.kind for one in all_declared(files) if not one.existing]
    assert made == ["Microsoft.Insights/actionGroups@2023-01-01", "Microsoft.AlertsManagement/actionRules@2021-08-08"]


def test_action_groups_are_made_in_their_subscriptions() -> None:
    """Each action group's module is deployed where the group lies."""
    main = bicep.read(written(two_subscriptions(), Format.BICEP)["main.bicep"])
    assert main.declared["action_group_2"].body["scope"] == f"<resourceGroup('{SHARED}', 'rg-monitoring')>"


def test_rules_that_others_declare_are_named() -> None:
    """What it does not link it names, so that nobody believes it linked."""
    assert f"//     {CPU}: ag-itsm\n" in written(wanted(**EVERY_WAY), Format.BICEP)["main.bicep"]


def test_texts_stay_what_they_are() -> None:
    """A text of the configuration is that text to Bicep, whatever it says in Bicep's language."""
    main = bicep.read(written(wanted(receiver=HARD), Format.BICEP)["main.bicep"])
    assert main.declared["action_group_1"].body["params"]["receiverName"] == HARD


def test_the_parser_sees_faults() -> None:
    """The parser of these tests sees a fault where there is one, so that its silence says something."""
    text = written(wanted(), Format.BICEP)["main.bicep"]
    assert bicep.errors(text.replace("appRoles: [", "appRoles: [[", 1)) != []


def said(files: dict[str, str]) -> dict[str, Any]:
    """Bring declarations into the form of what Azure holds."""
    main = bicep.read(files["main.bicep"], {"whoDeploys": "<who runs it>"})
    app, own, caller = (
        main.declared[name].body for name in ("application", "servicePrincipal", "actionGroupsPrincipal")
    )
    again = bicep.read(files[URI], main.declared["identifierUri"].body["params"]).declared["application"].body
    assert (again["uniqueName"], again["displayName"]) == (app["uniqueName"], app["displayName"])
    names = {
        "<application.appId>": "<client id>",
        "<application.id>": "<application id>",
        "<actionGroupsPrincipal.id>": CALLER,
        "<servicePrincipal.id>": "<client id>",
        "<identifierUri.outputs.identifierUri>": "api://<client id>",
    }
    module = main.declared["action_group_1"].body
    inner = bicep.read(
        files[GROUP], {k: names.get(v, v) if isinstance(v, str) else v for k, v in module["params"].items()}
    )
    group, rule = inner.declared["actionGroup"].body, inner.declared["everyAlert"].body
    subscription, resource_group = module["scope"].removeprefix("<resourceGroup('").removesuffix("')>").split("', '")
    base = f"/subscriptions/{subscription}/resourceGroups/{resource_group}/providers"
    group_id = f"{base}/Microsoft.Insights/actionGroups/{group['name']}"
    (action,) = rule["properties"]["actions"]
    assert action["actionGroupIds"] == ["<actionGroup.id>"]
    assignment = main.declared["roleAssignment"].body
    return {
        "application": {
            "display name": app["displayName"],
            "audience": app["signInAudience"],
            "token version": app["api"]["requestedAccessTokenVersion"],
            "roles": app["appRoles"],
            "claims": [(one["name"], one["essential"]) for one in app["optionalClaims"]["accessToken"]],
            "identifier URIs": [one.replace("<application.appId>", "<client id>") for one in again["identifierUris"]],
            "owners": app["owners"]["relationships"],
        },
        "principals": {
            names.get(one["appId"], one["appId"]): {
                "required": one.get("appRoleAssignmentRequired", False),
                "tags": one.get("tags", []),
            }
            for one in (own, caller)
        },
        "assignments": [[names[assignment["principalId"]], names[assignment["resourceId"]], assignment["appRoleId"]]],
        "groups": {
            group_id.lower(): [
                group["properties"]["groupShortName"],
                group["properties"]["enabled"],
                *group["properties"]["webhookReceivers"],
            ]
        },
        "rules": {
            f"{base}/Microsoft.AlertsManagement/actionRules/{rule['name']}".lower(): rule["properties"]
            | {"actions": [action | {"actionGroupIds": [group_id]}]}
        },
    }


def all_declared(files: dict[str, str]) -> list[bicep.Declared]:
    """List the resources of all files; those that depend on a condition, too."""
    read = [bicep.read(text, {"sendsEveryAlert": True}) for name, text in files.items() if name.endswith(".bicep")]
    return [one for file in read for one in file.declared.values() if not one.kind.endswith(".bicep")]


def used_in(body: dict[str, Any], place: str = "") -> list[tuple[str, set[str]]]:
    """List the properties that are used, object by object."""
    found = [(place, set(body))]
    for name, value in body.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                found += used_in(one, f"{place}.{name}" if place else name)
    return found
