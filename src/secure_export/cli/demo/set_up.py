"""Sets up the demo's Azure the real way: ``azure plan`` and ``azure apply``, in a tenant where nothing is set up."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from secure_export.azure.session import signed_in
from secure_export.azure.settings import AzureSettings
from secure_export.azure.setup.change import Action, Change
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import claims_of
from secure_export.azure.setup.record import Record
from secure_export.azure.setup.walk import apply, plan
from secure_export.azure.setup.wanted import WantedTenant, wanted_tenants
from secure_export.errors import SecureExportError
from secure_export.identity.settings import DEFAULT_ROLE
from secure_export.sandbox.azure_monitor.action_group import ActionGroup
from secure_export.sandbox.azure_monitor.estate import PRODUCTION
from secure_export.sandbox.azure_monitor.run import Running
from secure_export.sandbox.azure_monitor.scenario import MAIN_GROUP, OLD_SCHEMA_GROUP, SECOND_GROUP, Scenario
from secure_export.sandbox.entra.directory import DEFAULT_TENANT_ID, RESOURCE_APP_ID, Directory, default_directory
from secure_export.sandbox.entra.identities import ADMIN

_RESOURCE_GROUP: Final = "rg-shop-prod"
_FIRST_PAUSE_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class SetUp:
    """What ``azure apply`` did.

    Attributes:
        planned: How many things the plan wanted, by what happens to them.
        left: How many things a second plan still wants; 0 if all is as it should be.
        seconds: How long all of it took.
        audience: What tokens of action groups are for.
        groups: The action groups' names in a scenario, and what they are in Azure.
    """

    planned: Mapping[Action, int]
    left: int
    seconds: float
    audience: tuple[str, ...]
    groups: Mapping[str, str]

    def placed(self, scenario: Scenario) -> Scenario:
        """Give a scenario whose steps name the action groups that were made."""
        steps = tuple(replace(one, groups=tuple(self.groups.get(name, name) for name in one.groups))
                      for one in scenario.steps)  # fmt: skip
        return replace(scenario, steps=steps)


def empty_directory() -> Directory:
    """Give a directory in which nothing is registered but Azure Monitor's own application, which is Microsoft's."""
    return Directory(default_directory().clients.values())


async def set_up(folder: Path, authority: str, azure: Running, *, service: str, connection: str) -> SetUp:
    """Plan and apply.

    Args:
        folder: Where the secret and the record lie.
        authority: The sandbox's Entra ID.
        azure: The sandbox's Azure.
        service: Where the service will be reached.
        connection: The connection that action groups send to.

    Raises:
        SecureExportError: A second plan is not empty.
    """
    began = time.monotonic()
    settings = _settings(folder, authority, azure, service=service, connection=connection)
    wanted = _wanted(settings, connection)
    record = Record(folder / "azure.json")
    async with signed_in(settings, DEFAULT_TENANT_ID, authority=authority) as session:
        claims = claims_of((await session.credential.get_token(session.graph_scope)).token)
        context = Context(
            session.graph, session.manager, wanted, claims=claims, first_pause_seconds=_FIRST_PAUSE_SECONDS
        )
        planned = await plan(context)
        async for _ in apply(context, record, planned=planned):
            pass
        left = [change for change in (await plan(context)).changes if change.action is not Action.KEEP]
    if left:
        raise SecureExportError(f"azure apply left something to do: {_listed(left)}")
    _leave_one_behind(azure, wanted)
    found = context.found
    audience = tuple(one for one in (found.client_id, found.identifier_uri) if one)
    groups = {group.name: group.path for group in wanted.groups}
    counts = Counter(change.action for change in planned.changes)
    return SetUp(counts, len(left), time.monotonic() - began, audience, groups)


def _settings(folder: Path, authority: str, azure: Running, *, service: str, connection: str) -> AzureSettings:
    secret = folder / "administrator-secret"
    secret.write_text(ADMIN.client_secret, encoding="utf-8")
    group = {"connection": connection, "subscription": PRODUCTION, "resource_group": _RESOURCE_GROUP, "url": service}
    return AzureSettings.model_validate(
        {
            "graph_url": f"{authority}/graph",
            "resource_manager_url": azure.arm_url,
            "credential": {"kind": "secret", "client_id": ADMIN.client_id, "secret": {"file": str(secret)}},
            # What `send --token-from` asks a sandbox's tokens for, so that a person can send one more alert.
            "application": {"identifier_uri": f"api://{RESOURCE_APP_ID}"},
            "action_groups": {
                MAIN_GROUP: {**group, "link": {"resource_groups": [_RESOURCE_GROUP]}},
                SECOND_GROUP: group,
            },
        }
    )


def _wanted(settings: AzureSettings, connection: str) -> WantedTenant:
    (wanted,) = wanted_tenants(
        settings,
        tenants=[DEFAULT_TENANT_ID],
        roles={DEFAULT_TENANT_ID: DEFAULT_ROLE},
        connections=[connection],
        public_url=None,
    )
    return wanted


def _leave_one_behind(azure: Running, wanted: WantedTenant) -> None:
    """Have an action group that somebody made by hand, without the common alert schema: the usual mistake."""
    main = next(one.path.lower() for one in wanted.groups if one.name == MAIN_GROUP)
    made = azure.station.monitor.groups[main]
    webhooks = tuple(replace(one, use_common_alert_schema=False) for one in made.webhooks)
    azure.station.monitor.put_group(ActionGroup(OLD_SCHEMA_GROUP, "itsm-old", webhooks))


def _listed(changes: list[Change]) -> str:
    return ", ".join(change.address for change in changes)
