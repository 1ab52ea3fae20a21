"""``azure export``: what is written where, and what is refused."""

import re
from pathlib import Path

import pytest
from tests.unit.azure.export.conftest import EVERY_WAY, HARD, TENANT, main_of, wanted, written
from typer.testing import CliRunner

from secure_export.azure.export.export import Format
from secure_export.azure.setup.change import Side
from secure_export.cli.main import app
from secure_export.errors import SettingsError
from secure_export.sandbox.azure_monitor.estate import PRODUCTION

CONFIGURATION = f"""
[store]
url = "sqlite:///secure-export.db"
[identity]
tenant_id = "{TENANT}"
audience = ["api://x"]
[connections.desk]
type = "desk"
subscriptions = ["{PRODUCTION}"]
[azure.action_groups.ag-itsm]
connection = "desk"
subscription = "{PRODUCTION}"
resource_group = "rg-shop-prod"
url = "https://alerts.example.test"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "secure-export.toml"
    path.write_text(CONFIGURATION, encoding="utf-8")
    return path


@pytest.mark.parametrize("format_", list(Format))
def test_every_format_says_what_it_does_needs_and_does_not(format_: Format) -> None:
    """Whoever is handed a file can judge it by its head."""
    head = head_of(main_of(written(wanted(**EVERY_WAY), format_)))
    for said in (
        f"the tenant {TENANT}",
        "the app registration secure-export with the app role ActionGroupsSecureWebhook",
        "the action group ag-itsm with the secure webhook of the connection desk",
        "- AppRoleAssignment.ReadWrite.All",
        "- Microsoft.Insights/actionGroups/write: ",
        "- Microsoft.AlertsManagement/actionRules/write: ",
        "How to run it",
        "What it does not",
    ):
        assert said in head


@pytest.mark.parametrize("format_", list(Format))
def test_each_side_needs_only_its_own_permissions(format_: Format) -> None:
    """The Azure owner's file asks for nothing in Entra ID but reading, and the administrator's for nothing in Azure."""
    entra = main_of(written(wanted(**EVERY_WAY), format_, only=Side.ENTRA))
    azure = main_of(written(wanted(**EVERY_WAY), format_, only=Side.AZURE))
    assert ("AppRoleAssignment" in entra, "actionGroups/write" in entra) == (True, False)
    assert ("AppRoleAssignment" in azure, "actionGroups/write" in azure) == (False, True)


@pytest.mark.parametrize("format_", list(Format))
def test_comments_hold_what_they_are_told(format_: Format) -> None:
    """A name with a line break in it does not end the head of a file."""
    head = head_of(main_of(written(wanted(name=HARD), format_)))
    assert "What it does not" in head
    assert not [line for line in head.splitlines() if "touch broken" in line and "action group it's" not in line]


@pytest.mark.parametrize("format_", list(Format))
def test_rules_that_cannot_be_linked_are_refused(format_: Format) -> None:
    """A rule of another kind is named at once, and not left out silently."""
    budget = f"/subscriptions/{PRODUCTION}/providers/Microsoft.Consumption/budgets/monthly"
    with pytest.raises(SettingsError, match="budgets/monthly is of no kind that can be linked"):
        written(wanted(link={"rules": [budget]}), format_)


def test_it_prints_one_file(config: Path) -> None:
    """Without --output the file goes to standard output, ready to be piped."""
    result = CliRunner().invoke(app, ["azure", "export", "--format", "az", "--config", str(config)])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("#!/usr/bin/env bash\n")


def test_it_writes_further_files_beside_the_first(config: Path, tmp_path: Path) -> None:
    """Bicep's modules and its configuration come beside the file that is named; a second run says the same."""
    command = ["azure", "export", "--format", "bicep", "--config", str(config), "--output", str(tmp_path / "a.bicep")]
    for _ in range(2):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.glob("*bicep*")} == {
        "a.bicep",
        "bicepconfig.json",
        "secure-export-action-group.bicep",
        "secure-export-identifier-uri.bicep",
    }


def test_it_writes_over_no_other_file(config: Path, tmp_path: Path) -> None:
    """A file that says something else is left, whichever of them it is, unless --force is given."""
    other = tmp_path / "bicepconfig.json"
    other.write_text("{}", encoding="utf-8")
    command = ["azure", "export", "--format", "bicep", "--config", str(config), "--output", str(tmp_path / "a.bicep")]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, SettingsError)
    assert "is there already" in str(result.exception)
    assert not (tmp_path / "a.bicep").exists()
    assert CliRunner().invoke(app, [*command, "--force"]).exit_code == 0
    assert "microsoftGraphV1" in other.read_text(encoding="utf-8")


def test_several_tenants_need_a_choice(config: Path, tmp_path: Path) -> None:
    """One file sets up one tenant: without --tenant several are refused."""
    second = "5ec0bd00-0000-4000-8000-000000000002"
    text = CONFIGURATION.replace(f'tenant_id = "{TENANT}"\naudience = ["api://x"]', "").replace(
        "[connections.desk]",
        "".join(f'[[identity.tenants]]\ntenant_id = "{one}"\naudience = ["api://x"]\n' for one in (TENANT, second))
        + "[connections.desk]",
    )
    config.write_text(text + f'tenant_id = "{TENANT}"\n', encoding="utf-8")
    command = ["azure", "export", "--format", "terraform", "--config", str(config)]
    result = CliRunner().invoke(app, command)
    assert "say which by --tenant" in str(result.exception)
    chosen = CliRunner().invoke(app, [*command, "--tenant", second])
    assert chosen.exit_code == 0, chosen.output
    assert "azurerm_monitor_action_group" not in chosen.stdout
    nothing = CliRunner().invoke(app, [*command, "--tenant", second, "--only", "azure"])
    assert "nothing for --only azure" in str(nothing.exception)


def head_of(text: str) -> str:
    """Give the comments before the first line that does something."""
    return re.split(r"^(?!#|//|$)", text, maxsplit=1, flags=re.MULTILINE)[0]
