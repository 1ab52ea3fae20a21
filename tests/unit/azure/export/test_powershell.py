"""PowerShell: it parses, and sends the same bodies as apply."""

import json
import re
from typing import Any

import pytest
import tree_sitter
import tree_sitter_powershell
from tests.unit.azure.export.conftest import EVERY_WAY, HARD, OWNER, VARIANTS, main_of, wanted, written

from secure_export.azure.clouds import CloudName
from secure_export.azure.export.export import Format
from secure_export.azure.setup.change import Side
from secure_export.azure.setup.steps.action_group_body import merged, receiver
from secure_export.azure.setup.steps.alert_rule import KINDS
from secure_export.azure.setup.steps.application import wanted_body
from secure_export.azure.setup.steps.processing_rule import wanted_body as wanted_rule

_LANGUAGE = tree_sitter.Language(tree_sitter_powershell.language())


@pytest.mark.parametrize("only", [None, *Side])
@pytest.mark.parametrize("own", VARIANTS)
def test_it_parses(own: dict[str, Any], only: Side | None) -> None:
    """All of it is PowerShell, and every function that it calls is declared in it or in a module that it asks for."""
    text = main_of(written(wanted(**own), Format.POWERSHELL, only=only))
    nodes = nodes_of(text)
    assert [text_of(one) for one in nodes if one.type == "ERROR" or one.is_missing] == []
    declared = {text_of(one) for one in nodes if one.type == "function_name"}
    called = {text_of(one) for one in nodes if one.type == "command_name"}
    modules = {"Invoke-MgGraphRequest", "Get-MgContext", "Invoke-AzRestMethod", "Get-AzContext"}
    core = {
        "ConvertFrom-Json", "ConvertTo-Json", "ForEach-Object", "Select-Object", "Set-StrictMode", "Start-Sleep",
        "Where-Object", "Write-Host", "Write-Output",
    }  # fmt: skip
    assert called - modules - core <= declared


def test_it_sends_the_bodies_of_apply() -> None:
    """What is new is made with the very bodies that apply sends."""
    one = wanted(**EVERY_WAY)
    (group,) = one.groups
    webhook = receiver(
        group, tenant_id=one.tenant_id, application_id="{application id}", identifier_uri="{identifier uri}"
    )
    names = {"displayName": one.application.display_name, "signInAudience": "AzureADMyOrg"}
    sent = [json.loads(text) for text in literals(main_of(written(one, Format.POWERSHELL))) if text.startswith('{"')]
    assert sent == [
        wanted_body({}, one.role) | names,
        merged(None, webhook, group.short_name),
        wanted_rule(group),
    ]


def test_it_knows_each_kind_of_rule() -> None:
    """The script links each kind that apply links, with its API versions."""
    text = main_of(written(wanted(**EVERY_WAY), Format.POWERSHELL))
    for kind in KINDS:
        versions = ", ".join(f"'{version}'" for version in (kind.api_version, *kind.newer))
        assert f"    '{kind.name}' = @({versions})\n" in text
        assert f"        '{kind.name.partition('/')[2]}' {{" in text


def test_texts_stay_what_they_are() -> None:
    """A text of the configuration is that text to PowerShell, whatever it says in PowerShell's language."""
    one = wanted(receiver=HARD, name=HARD, application={"owners": [OWNER]})
    found = literals(main_of(written(one, Format.POWERSHELL)))
    assert {one.groups[0].path, OWNER} <= set(found)
    bodies = [json.loads(text) for text in found if text.startswith('{"')]
    assert [body["properties"]["webhookReceivers"][0]["name"] for body in bodies if "properties" in body] == [HARD]


def test_other_clouds_are_signed_in_to() -> None:
    """The header says how to sign in to the cloud, and the script asks its addresses."""
    text = main_of(written(wanted(), Format.POWERSHELL, cloud=CloudName.US_GOVERNMENT))
    assert "-Environment USGov " in text
    assert "Connect-AzAccount -Tenant" in text
    assert "$Graph = 'https://graph.microsoft.us'\n" in text


def literals(text: str) -> list[str]:
    """List the texts in single quotes."""
    found = [text_of(one) for one in nodes_of(text) if one.type == "verbatim_string_characters"]
    return [re.sub("(['\u2018\u2019\u201a\u201b])\\1", r"\1", one[1:-1]) for one in found]


def nodes_of(text: str) -> list[tree_sitter.Node]:
    """List everything that was parsed."""

    def walked(node: tree_sitter.Node) -> list[tree_sitter.Node]:
        return [node, *(found for child in node.children for found in walked(child))]

    return walked(tree_sitter.Parser(_LANGUAGE).parse(text.encode()).root_node)


def text_of(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode()
