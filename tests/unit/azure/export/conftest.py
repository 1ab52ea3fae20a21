"""What is exported in these tests, and what apply makes of the same, to compare with."""

import asyncio
import json
import os
import stat
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.azure_sandbox import GRAPH_SCOPE, Azure, azure_running
from tests.unit.azure.conftest import applied, azure, one_key, opened, settings_for, wanted_by
from tests.unit.azure.export.az import PROGRAM, listening

from secure_export.azure.clouds import CLOUDS, CloudName
from secure_export.azure.export.export import Format, exported
from secure_export.azure.session import signed_in
from secure_export.azure.settings import AzureSettings
from secure_export.azure.setup.change import Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import claims_of
from secure_export.azure.setup.record import Record
from secure_export.azure.setup.wanted import WantedTenant
from secure_export.sandbox.azure_monitor.estate import PRODUCTION, SHARED
from secure_export.sandbox.entra.identities import ADMIN, Identity

__all__ = ["azure", "opened"]

TENANT = "c0ffee00-7e57-4a11-9b5d-5a4db0c5ed01"
CPU = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod/providers/Microsoft.Insights/metricAlerts/cpu-shop-web"
LOG = (
    f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod/providers/Microsoft.Insights/"
    "scheduledQueryRules/errors-checkout"
)
EVERY_WAY: dict[str, Any] = {
    "link": {"rules": [CPU, LOG], "resource_groups": ["RG-Warehouse-Prod"], "subscription": True}
}
CALLER = str(CLOUDS[CloudName.PUBLIC].caller)
OWNER = "0b5e55ed-0000-4000-8000-00000000000a"


HARD = 'it\'s "$(touch broken)" `touch broken` ${HOME} %{if true}\n# \u2019; touch broken \\'
VARIANTS: list[dict[str, Any]] = [
    {},
    EVERY_WAY,
    {
        "receiver": HARD,
        "name": HARD,
        "short_name": "$(a)`b`'\"${c",
        "application": {"display_name": HARD, "identifier_uri": "https://alerts.example.test/it's", "owners": [OWNER]},
    },
]


def two_subscriptions() -> WantedTenant:
    """Give what is wanted by a configuration with action groups in two subscriptions."""
    first = {
        "connection": "desk",
        "subscription": PRODUCTION,
        "resource_group": "rg-shop-prod",
        "url": "https://a.test",
    }
    second = first | {"subscription": SHARED, "resource_group": "rg-monitoring"}
    return wanted_by(AzureSettings.model_validate({"action_groups": {"one": first, "two": second}}), TENANT)


def wanted(
    *, link: Mapping[str, Any] | None = None, application: Mapping[str, Any] | None = None, **own: Any
) -> WantedTenant:
    """Give what is wanted by a configuration with one action group."""
    group = {
        "connection": "desk",
        "subscription": PRODUCTION,
        "resource_group": "rg-shop-prod",
        "url": "https://alerts.example.test",
        "link": link or {},
    }
    settings = {"action_groups": {"ag-itsm": group | own}, "application": application or {}}
    return wanted_by(AzureSettings.model_validate(settings), TENANT)


def written(
    one: WantedTenant, format_: Format, *, only: Side | None = None, cloud: CloudName = CloudName.PUBLIC
) -> dict[str, str]:
    """Export."""
    sides = frozenset(Side) if only is None else frozenset({only})
    return exported(one, format_, cloud=CLOUDS[cloud], cloud_name=cloud, only=sides)


def main_of(files: Mapping[str, str]) -> str:
    """Give the first file's text."""
    return next(iter(files.values()))


@dataclass(frozen=True)
class Ran:
    """A script that ran.

    Attributes:
        code: Its exit code.
        out: What it printed.
        err: What it said.
    """

    code: int
    out: str
    err: str


Runner = Callable[..., Any]


@pytest.fixture
def ran(azure: Azure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """Export for the sandbox and run the script there, signed in as somebody."""
    programs = tmp_path / "programs"
    programs.mkdir()
    socket = tmp_path / "az.socket"
    _program(programs / "az", f"#!{sys.executable} -IS\n{PROGRAM.format(socket=str(socket))}")
    _program(programs / "sleep", "#!/bin/sh\nexit 0\n")

    async def run(*, who: Identity = ADMIN, only: Side | None = None, **own: Any) -> Ran:
        settings = settings_for(azure, monkeypatch, **own)
        sides = frozenset(Side) if only is None else frozenset({only})
        files = exported(wanted_by(settings, azure.tenant), Format.AZ, cloud=settings.where(), only=sides)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        async with listening(azure, who, socket):
            process = await asyncio.create_subprocess_exec(
                "bash", "-s", stdin=PIPE, stdout=PIPE, stderr=PIPE, env={"PATH": path}, cwd=tmp_path
            )
            out, err = await process.communicate(main_of(files).encode())
        socket.unlink(missing_ok=True)
        return Ran(process.returncode or 0, out.decode(), err.decode())

    return run


def _program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture(scope="session")
def after_apply(tmp_path_factory: pytest.TempPathFactory) -> "Held":
    """What a sandbox of its own holds after ``azure apply`` with every way of linking."""
    return asyncio.run(_applied(tmp_path_factory.mktemp("applied") / "record.json"))


async def _applied(record: Path) -> "Held":
    async with azure_running(make_key=one_key) as azure:
        with pytest.MonkeyPatch.context() as environment:
            settings = settings_for(azure, environment, **EVERY_WAY)
            async with signed_in(settings, azure.tenant, authority=azure.authority) as session:
                claims = claims_of((await session.credential.get_token(GRAPH_SCOPE)).token)
                context = Context(session.graph, session.manager, wanted_by(settings, azure.tenant), claims=claims)
                await applied(context, Record(record))
        return held_by(azure)


@dataclass(frozen=True)
class Held:
    """What a sandbox's Azure holds, with names instead of the ids that it made up.

    Attributes:
        directory: The app registrations; their service principals and that of action groups; what these were given.
        resources: Azure's resources by their ids in lower case.
    """

    directory: dict[str, Any]
    resources: dict[str, Any]

    def made(self) -> dict[str, Any]:
        """Tell what ``azure apply`` made, in the form into which the tests bring declarations, too."""
        (app,) = self.directory["applications"]
        groups = {
            key: one["properties"] for key, one in self.resources.items() if key.endswith("/actiongroups/ag-itsm")
        }
        return {
            "application": {
                "display name": app["displayName"],
                "audience": app["signInAudience"],
                "token version": app["api"]["requestedAccessTokenVersion"],
                "roles": [{k: v for k, v in role.items() if k != "origin"} for role in app["appRoles"]],
                "claims": [(one["name"], one["essential"]) for one in app["optionalClaims"]["accessToken"]],
                "identifier URIs": app["identifierUris"],
                "owners": [one.replace("<principal admin>", "<who runs it>") for one in app["owners"]],
            },
            "principals": {
                one["appId"]: {"required": one["appRoleAssignmentRequired"], "tags": one["tags"]}
                for one in self.directory["principals"]
            },
            "assignments": [
                [
                    {"<principal AzNS AAD Webhook>": CALLER, "<principal Secure Export>": "<client id>"}.get(one, one)
                    for one in row
                ]
                for row in self.directory["assignments"]
            ],
            "groups": {
                key: [one["groupShortName"], one["enabled"], *one["webhookReceivers"]] for key, one in groups.items()
            },
            "rules": {key: one["properties"] for key, one in self.resources.items() if key.endswith("-all-alerts")},
        }


def held_by(azure: Azure) -> Held:
    """Tell what Azure holds; ids that differ from sandbox to sandbox, and times, are told by what they are."""
    tenant = azure.entra.graph.tenant(azure.tenant).as_json()
    names = {one["id"]: f"<principal {one['displayName']}>" for one in tenant["servicePrincipals"]}
    for one in tenant["applications"]:
        names |= {one["id"]: "<application id>", one["appId"]: "<client id>"}
    own = {one["appId"] for one in tenant["applications"]} | {CALLER}
    directory = {
        "applications": tenant["applications"],
        "principals": [one for one in tenant["servicePrincipals"] if one["appId"] in own],
        "assignments": [
            [one["principalId"], one["resourceId"], one["appRoleId"]]
            for one in tenant["appRoleAssignments"]
            if names.get(one["resourceId"]) == "<principal Secure Export>"
        ],
    }
    return Held(_named(directory, names), _named(azure.arm.resources, names))


def _named(value: Any, names: Mapping[str, str]) -> Any:
    text = json.dumps(value, default=str)
    for found, name in names.items():
        text = text.replace(found, name)
    return _without_times(json.loads(text))


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        times = {"createdDateTime", "systemData", "etag"}
        return {key: _without_times(one) for key, one in sorted(value.items()) if key not in times}
    return [_without_times(one) for one in value] if isinstance(value, list) else value
