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
async def test_the_script_makes_what_apply_makes(azure: Azure, ran: Runner, opened: Opener, after_apply: Held) -> None:
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
async def test_two_people_share_the_work(azure: Azure, ran: Runner) -> None:
    """The Entra administrator's script and the Azure owner's make the whole; the second alone says what is missing.

    Directory servers that lag behind fail neither.
    """
    alone = await ran(only=Side.AZURE)
    assert (alone.code, "run the Entra part first" in alone.err) == (1, True), alone.err
    azure.arm.behaviour.owner_check = False
    azure.entra.graph.lag.reads = 1
    entra = await ran(who=ENTRA_ADMIN, only=Side.ENTRA)
    assert (entra.code, "not everywhere yet" in entra.err) == (0, True), entra.err
    owner = await ran(who=AZURE_OWNER, only=Side.AZURE)
    assert (owner.code, owner.out) == (0, entra.out), owner.err
    (webhook,) = azure.arm.resources[GROUP.lower()]["properties"]["webhookReceivers"]
    (registration,) = azure.entra.graph.tenant(azure.tenant).as_json()["applications"]
    assert (webhook["objectId"], webhook["identifierUri"]) == (registration["id"], f"api://{registration['appId']}")


@needs_tools
async def test_everything_else_of_an_action_group_stays(azure: Azure, ran: Runner, tmp_path: Path) -> None:
    """Our webhook is put beside the receivers that are there; a disabled one is left, with the reason.

    Texts of the configuration reach Azure as they are, whatever they say in the shell's language.
    """
    path = GROUP.replace("ag-itsm", "ag-shop-mail").lower()
    mail = azure.arm.resources[path]["properties"]["emailReceivers"]
    result = await ran(name="ag-shop-mail", receiver=HARD)
    assert result.code == 0, result.err
    properties = azure.arm.resources[path]["properties"]
    assert properties["emailReceivers"] == mail
    assert [one["name"] for one in properties["webhookReceivers"]] == [HARD]
    assert not (tmp_path / "broken").exists()
    properties["enabled"] = False
    disabled = await ran(name="ag-shop-mail", only=Side.AZURE)
    assert (disabled.code, "it is disabled" in disabled.err) == (1, True), disabled.err
    assert len(properties["webhookReceivers"]) == 1


@pytest.mark.skipif(not SHELLCHECK.exists(), reason="shellcheck is not run: it is not installed")
@pytest.mark.parametrize("only", [None, *Side])
@pytest.mark.parametrize("own", VARIANTS)
def test_shellcheck_finds_nothing(own: dict[str, Any], only: Side | None) -> None:
    """The script is clean by shellcheck, whatever is written out."""
    script = main_of(written(wanted(**own), Format.AZ, only=only))
    found = subprocess.run(
        [str(SHELLCHECK), "--shell=bash", "-"], input=script, capture_output=True, text=True, check=False
    )
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
