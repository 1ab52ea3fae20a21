"""The script for the Azure CLI: correct by itself, and run against the sandbox."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.azure_sandbox import Azure
from tests.unit.azure.conftest import GROUP, Opener
from tests.unit.azure.export.conftest import EVERY_WAY, HARD, VARIANTS, Held, Runner, held_by, main_of, wanted, written

from secure_export.azure.export.export import Format
from secure_export.azure.setup.change import Action, Side
from secure_export.azure.setup.steps.alert_rule import KINDS
from secure_export.azure.setup.walk import plan
from secure_export.sandbox.entra.identities import AZURE_OWNER, ENTRA_ADMIN

needs_tools = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("bash", "jq")), reason="the script is not run: needs bash and jq"
)
SHELLCHECK = Path(sys.executable).with_name("shellcheck")


@needs_tools
async def test_the_script_makes_what_apply_makes(
    azure: Azure, ran: Runner, opened: Opener, after_apply: Held
) -> None:
    """A tenant after the script is as one after apply: nothing more, nothing less, nothing otherwise.

    Apply finds nothing left to do, and a second run writes nothing.
    """
    first = await ran(**EVERY_WAY)
    assert (first.code, first.err.count("= ")) == (0, 11), first.err
    assert held_by(azure) == after_apply
    async with opened(**EVERY_WAY) as context:
        assert [c.address for c in (await plan(context)).changes if c.action is not Action.KEEP] == []
        assert first.out == f'audience = ["{context.found.client_id}", "api://{context.found.client_id}"]\n'
    azure.entra.graph.counters.reset()
    azure.arm.counters.reset()
    second = await ran(**EVERY_WAY)
    assert (second.code, second.out) == (0, first.out), second.err
    assert writes(azure) == []


@needs_tools
async def test_two_people_share_the_work(azure: Azure, ran: Runner, opened: Opener) -> None:
    """The Entra administrator's script and the Azure owner's make the whole; the second alone says what is missing."""
    alone = await ran(only=Side.AZURE)
    assert (alone.code, "run the Entra part first" in alone.err) == (1, True), alone.err
    azure.arm.behaviour.owner_check = False
    assert (await ran(who=ENTRA_ADMIN, only=Side.ENTRA)).code == 0
    result = await ran(who=AZURE_OWNER, only=Side.AZURE)
    assert result.code == 0, result.err
    assert GROUP.lower() in azure.arm.resources


@needs_tools
async def test_everything_else_of_an_action_group_stays(azure: Azure, ran: Runner, opened: Opener) -> None:
    """Our webhook is put beside the receivers that are there; in the second run nothing is put twice."""
    path = GROUP.replace("ag-itsm", "ag-shop-mail").lower()
    mail = azure.arm.resources[path]["properties"]["emailReceivers"]
    for _ in range(2):
        assert (await ran(name="ag-shop-mail")).code == 0
    properties = azure.arm.resources[path]["properties"]
    assert properties["emailReceivers"] == mail
    assert [one["name"] for one in properties["webhookReceivers"]] == ["secure-export"]


@needs_tools
async def test_a_disabled_action_group_is_left_as_it_is(azure: Azure, ran: Runner) -> None:
    """The script ends with the reason where apply would be blocked."""
    path = GROUP.replace("ag-itsm", "ag-shop-mail").lower()
    azure.arm.resources[path]["properties"]["enabled"] = False
    result = await ran(name="ag-shop-mail")
    assert (result.code, "it is disabled" in result.err) == (1, True), result.err


@needs_tools
async def test_the_script_waits_for_replicas(azure: Azure, ran: Runner, after_apply: Held) -> None:
    """Servers that lag behind do not fail it."""
    azure.entra.graph.lag.reads = 1
    result = await ran(only=Side.ENTRA)
    assert (result.code, "not everywhere yet" in result.err) == (0, True), result.err
    azure.entra.graph.lag.reads = 0
    principals = held_by(azure).directory["principals"]
    assert (held_by(azure).directory["assignments"], principals) == (
        after_apply.directory["assignments"],
        after_apply.directory["principals"],
    )


@needs_tools
async def test_no_value_is_run(azure: Azure, ran: Runner, tmp_path: Path) -> None:
    """Texts of the configuration reach Azure as they are, whatever they say in the shell's language."""
    result = await ran(receiver=HARD, short_name="$(a)`b`'\"")
    assert result.code == 0, result.err
    properties = azure.arm.resources[GROUP.lower()]["properties"]
    assert (properties["webhookReceivers"][0]["name"], properties["groupShortName"]) == (HARD, "$(a)`b`'\"")
    assert not (tmp_path / "broken").exists()


@pytest.mark.skipif(not SHELLCHECK.exists(), reason="shellcheck is not run: it is not installed")
@pytest.mark.parametrize("only", [None, *Side])
@pytest.mark.parametrize("own", VARIANTS)
def test_shellcheck_finds_nothing(own: dict[str, Any], only: Side | None) -> None:
    """The script is clean by shellcheck, whatever is written out."""
    script = main_of(written(wanted(**own), Format.AZ, only=only))
    found = subprocess.run([str(SHELLCHECK), "--shell=bash", "-"], input=script, capture_output=True, text=True, check=False)
    assert found.stdout == ""


def test_every_kind_of_rule_can_be_linked() -> None:
    """The script knows each kind that apply knows, with its API versions."""
    script = main_of(written(wanted(**EVERY_WAY), Format.AZ))
    for kind in KINDS:
        versions = " ".join(f"'{version}'" for version in (kind.api_version, *kind.newer))
        assert f"'{kind.name}') versions=({versions}) ;;" in script
        assert f"*/{kind.name.partition('/')[2]})" in script


def writes(azure: Azure) -> list[str]:
    """List what was written."""
    entries = [*azure.entra.graph.counters.last(), *azure.arm.counters.last()]
    return [f"{one.method} {one.path}" for one in entries if one.method != "GET"]
