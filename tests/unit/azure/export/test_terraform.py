"""Terraform: it parses, names only what the providers have, and says what apply makes."""

import os
import re
import shutil
import subprocess
from typing import Any

import pytest
from tests.unit.azure.export import terraform
from tests.unit.azure.export.conftest import (
    CALLER,
    CPU,
    EVERY_WAY,
    HARD,
    OWNER,
    VARIANTS,
    Held,
    main_of,
    two_subscriptions,
    wanted,
    written,
)

from secure_export.azure.clouds import CloudName
from secure_export.azure.export.export import Format
from secure_export.azure.setup.change import Side
from secure_export.sandbox.azure_monitor.estate import PRODUCTION, SHARED

# What the providers' schemas name (hashicorp/azuread 3.7.0, hashicorp/azurerm 4.55.0; docs/resources of the former,
# website/docs/r of the latter), as far as it is used here, and what of it is needed.
SCHEMAS: dict[str, dict[str, set[str]]] = {
    "provider.azuread": {"": {"tenant_id", "environment"}},
    "provider.azurerm": {
        "": {"alias", "tenant_id", "subscription_id", "environment", "resource_provider_registrations", "features"}
    },
    "data.azuread_client_config": {"": set()},
    "data.azuread_application": {"": {"client_id"}},
    "azuread_application": {
        "": {
            "display_name", "sign_in_audience", "prevent_duplicate_names", "owners", "api", "app_role",
            "optional_claims", "lifecycle",
        },
        "api": {"requested_access_token_version"},
        "app_role": {"id", "allowed_member_types", "display_name", "description", "value", "enabled"},
        "optional_claims": {"access_token"},
        "optional_claims.access_token": {"name", "essential"},
        "lifecycle": {"ignore_changes"},
    },
    "azuread_application_identifier_uri": {"": {"application_id", "identifier_uri"}},
    "azuread_service_principal": {"": {"client_id", "app_role_assignment_required", "tags", "use_existing"}},
    "azuread_app_role_assignment": {"": {"app_role_id", "principal_object_id", "resource_object_id"}},
    "azurerm_monitor_action_group": {
        "": {"provider", "name", "resource_group_name", "short_name", "enabled", "webhook_receiver"},
        "webhook_receiver": {"name", "service_uri", "use_common_alert_schema", "aad_auth"},
        "webhook_receiver.aad_auth": {"object_id", "identifier_uri", "tenant_id"},
    },
    "azurerm_monitor_alert_processing_rule_action_group": {
        "": {"provider", "name", "resource_group_name", "scopes", "add_action_group_ids", "enabled", "description"}
    },
}  # fmt: skip
NEEDED = {
    "azuread_application": {"display_name"},
    "azuread_application_identifier_uri": {"application_id", "identifier_uri"},
    "azuread_service_principal": {"client_id"},
    "azuread_app_role_assignment": {"app_role_id", "principal_object_id", "resource_object_id"},
    "azurerm_monitor_action_group": {"name", "resource_group_name", "short_name"},
    "azurerm_monitor_alert_processing_rule_action_group": {
        "name", "resource_group_name", "scopes", "add_action_group_ids",
    },
}  # fmt: skip
TERRAFORM = shutil.which("terraform")


def test_it_says_what_apply_makes(after_apply: Held) -> None:
    """The resources and their members are those that Azure holds after apply."""
    assert said(terraform.read(main_of(written(wanted(**EVERY_WAY), Format.TERRAFORM)))) == after_apply.made()


@pytest.mark.parametrize("only", [None, *Side])
@pytest.mark.parametrize("own", VARIANTS)
def test_it_names_only_what_the_providers_have(own: dict[str, Any], only: Side | None) -> None:
    """Every attribute is in the schemas, none that they need is left out, and every reference is declared."""
    found = terraform.read(main_of(written(wanted(**own), Format.TERRAFORM, only=only)))
    for name, body in found.items():
        kind = re.sub(r"^((data|provider)\.)?(\w+)(\..*)?$", r"\1\3", name)
        if kind in {"output", "variable"}:
            continue
        for place, used in used_in(body):
            assert used <= SCHEMAS[kind][place], (name, place)
        assert NEEDED.get(kind, set()) <= body.keys()
    for reference in references(found):
        assert ".".join(reference.split(".")[: 3 if reference.startswith("data.") else 2]) in found


@pytest.mark.skipif(TERRAFORM is None, reason="terraform fmt is not run: terraform is not installed")
@pytest.mark.parametrize("only", [None, *Side])
@pytest.mark.parametrize("own", VARIANTS)
def test_terraform_itself_reads_it(own: dict[str, Any], only: Side | None) -> None:
    """Terraform's own parser takes it, and finds nothing to put straight."""
    text = main_of(written(wanted(**own), Format.TERRAFORM, only=only))
    done = subprocess.run(
        [str(TERRAFORM), "fmt", "-check", "-"], input=text, capture_output=True, text=True, check=False,
        env=os.environ | {"TF_CLI_CONFIG_FILE": os.devnull},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_subscription_has_its_provider() -> None:
    """Action groups of several subscriptions are made by the provider of theirs."""
    found = terraform.read(main_of(written(two_subscriptions(), Format.TERRAFORM)))
    assert found["provider.azurerm"]["subscription_id"] == PRODUCTION
    assert found["provider.azurerm.subscription_2"]["subscription_id"] == SHARED
    assert "provider" not in found["azurerm_monitor_action_group.action_group_1"]
    assert found["azurerm_monitor_action_group.action_group_2"]["provider"] == "${azurerm.subscription_2}"


def test_rules_that_others_declare_are_named() -> None:
    """What it does not link it names, so that nobody believes it linked."""
    text = main_of(written(wanted(**EVERY_WAY), Format.TERRAFORM))
    assert f"#     {CPU}: ag-itsm\n" in text
    assert "#     every alert rule in " in text


def test_other_clouds_are_named_as_the_providers_do() -> None:
    """The providers are told the cloud, each in its own word."""
    found = terraform.read(main_of(written(wanted(), Format.TERRAFORM, cloud=CloudName.US_GOVERNMENT)))
    assert found["provider.azuread"]["environment"] == found["provider.azurerm"]["environment"] == "usgovernment"


def test_texts_stay_what_they_are() -> None:
    """A text of the configuration is that text to Terraform, whatever it says in Terraform's language."""
    found = terraform.read(main_of(written(wanted(receiver=HARD), Format.TERRAFORM)))
    (webhook,) = found["azurerm_monitor_action_group.action_group_1"]["webhook_receiver"]
    assert webhook["name"] == HARD


def test_without_action_groups_only_named_owners_are_written() -> None:
    """Who does not make action groups need not own the app registration, as with apply."""
    found = terraform.read(main_of(written(wanted(application={"owners": [OWNER]}), Format.TERRAFORM, only=Side.ENTRA)))
    assert found["azuread_application.secure_export"]["owners"] == [OWNER]
    assert "data.azuread_client_config.current" not in found


def said(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Bring declarations into the form of what Azure holds."""
    app = found["azuread_application.secure_export"]
    (api,), (claims,) = app["api"], app["optional_claims"]
    principals = {
        "own": found["azuread_service_principal.secure_export"],
        "caller": found["azuread_service_principal.action_groups"],
    }
    assert principals["caller"]["use_existing"] is True
    names = {
        "${azuread_application.secure_export.client_id}": "<client id>",
        "${azuread_application.secure_export.object_id}": "<application id>",
        "${azuread_service_principal.action_groups.object_id}": CALLER,
        "${azuread_service_principal.secure_export.object_id}": "<client id>",
        "${data.azuread_client_config.current.object_id}": "<who runs it>",
    }
    uri = found["azuread_application_identifier_uri.secure_export"]["identifier_uri"]
    uri = uri.replace("${azuread_application.secure_export.client_id}", "<client id>")
    names["${azuread_application_identifier_uri.secure_export.identifier_uri}"] = uri
    assignment = found["azuread_app_role_assignment.action_groups"]
    group = found["azurerm_monitor_action_group.action_group_1"]
    rule = found["azurerm_monitor_alert_processing_rule_action_group.action_group_1"]
    (webhook,) = group["webhook_receiver"]
    (sign_in,) = webhook["aad_auth"]
    base = f"/subscriptions/{PRODUCTION}/resourceGroups/{group['resource_group_name']}/providers"
    group_id = f"{base}/Microsoft.Insights/actionGroups/{group['name']}"
    assert rule["add_action_group_ids"] == ["${azurerm_monitor_action_group.action_group_1.id}"]
    return {
        "application": {
            "display name": app["display_name"],
            "audience": app["sign_in_audience"],
            "token version": api["requested_access_token_version"],
            "roles": [
                {
                    "id": role["id"],
                    "allowedMemberTypes": role["allowed_member_types"],
                    "displayName": role["display_name"],
                    "description": role["description"],
                    "value": role["value"],
                    "isEnabled": role["enabled"],
                }
                for role in app["app_role"]
            ],
            "claims": [(one["name"], one["essential"]) for one in claims["access_token"]],
            "identifier URIs": [uri],
            "owners": [names.get(one, one) for one in app["owners"]],
        },
        "principals": {
            names.get(one["client_id"], one["client_id"]): {
                "required": one.get("app_role_assignment_required", False),
                "tags": one.get("tags", []),
            }
            for one in principals.values()
        },
        "assignments": [
            [
                names[assignment["principal_object_id"]],
                names[assignment["resource_object_id"]],
                assignment["app_role_id"],
            ]
        ],
        "groups": {
            group_id.lower(): [
                group["short_name"],
                group["enabled"],
                {
                    "name": webhook["name"],
                    "serviceUri": webhook["service_uri"],
                    "useCommonAlertSchema": webhook["use_common_alert_schema"],
                    "useAadAuth": True,
                    "objectId": names[sign_in["object_id"]],
                    "identifierUri": names[sign_in["identifier_uri"]],
                    "tenantId": sign_in["tenant_id"],
                },
            ]
        },
        "rules": {
            f"{base}/Microsoft.AlertsManagement/actionRules/{rule['name']}".lower(): {
                "scopes": rule["scopes"],
                "actions": [{"actionType": "AddActionGroups", "actionGroupIds": [group_id]}],
                "enabled": rule["enabled"],
                "description": rule["description"],
            }
        },
    }


def used_in(body: dict[str, Any], place: str = "") -> list[tuple[str, set[str]]]:
    """List the attributes that are used, block by block."""
    found = [(place, set(body))]
    for name, value in body.items():
        for block in value if isinstance(value, list) else ():
            if isinstance(block, dict) and name != "features":
                found += used_in(block, f"{place}.{name}" if place else name)
    return found


def references(value: Any) -> list[str]:
    """List what is referred to."""
    if isinstance(value, dict):
        return [found for one in value.values() for found in references(one)]
    if isinstance(value, list):
        return [found for one in value for found in references(one)]
    text = value if isinstance(value, str) else ""
    return re.findall(r"\$\{((?:data\.)?azure(?:ad|rm)_[\w.]+)\}", text)
