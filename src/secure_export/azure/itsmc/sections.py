"""The sections of the configuration that a migration asks for, and what in them is left to a person; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from secure_export.azure.itsmc.connections import Connection
from secure_export.azure.itsmc.migration import Migration

Plain = dict[str, Any]
PLACEHOLDER_HOST = "fill-in.invalid"  # RFC 2606: leads nowhere
PLACEHOLDER_USER = "fill-in"
_URLS = {"servicenow": f"https://{PLACEHOLDER_HOST}", "bmc-helix": f"https://{PLACEHOLDER_HOST}"}


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the configuration.

    Attributes:
        path: Where it is, such as ``("connections", "prod")``.
        values: What it says.
        for_people: Further values that are there only until a person writes the right ones.
        comment: What stands above it.
    """

    path: tuple[str, ...]
    values: Mapping[str, Any]
    for_people: Mapping[str, Any] = field(default_factory=dict)
    comment: str = ""

    @property
    def name(self) -> str:
        """Its name as it is written."""
        return ".".join(self.path)


def sections_of(migration: Migration, *, tool: str, several_tenants: bool) -> tuple[Section, ...]:
    """Give the sections, connections first.

    Args:
        migration: What becomes of ITSMC.
        tool: The connections' type.
        several_tenants: Whether ``[identity]`` names several tenants.
    """
    connections = [
        Section(
            ("connections", one.name),
            {"type": tool, "subscriptions": list(one.subscriptions), "routes": [dict(route) for route in one.routes]},
            _for_people(one, tool),
            f"ITSMC's connection {one.id} in the workspace {one.workspace}",
        )
        for one in migration.connections
    ]
    groups = [
        Section(
            ("azure", "action_groups", move.section),
            move.settings(several_tenants=several_tenants),
            comment=f"in place of {', '.join(receiver.name for receiver in move.receivers)}",
        )
        for move in migration.moves
    ]
    return (*connections, *groups)


def to_fill_in(plain: Mapping[str, Any], migration: Migration) -> list[str]:
    """Say what a person has to write into the configuration before it can be used.

    Args:
        plain: The configuration.
        migration: What becomes of ITSMC.
    """
    left: list[str] = []
    for one in migration.connections:
        section = (plain.get("connections") or {}).get(one.name) or {}
        place = f"connections.{one.name}"
        if (urlsplit(str(section.get("url", ""))).hostname or "") == PLACEHOLDER_HOST:
            left.append(f"{place}.url: the tool's address, as ITSMC's connection has it under Server URL")
        if section.get("username") == PLACEHOLDER_USER:
            left.append(f"{place}.username: who signs in there; better not the user that ITSMC had")
    groups = (plain.get("azure") or {}).get("action_groups") or {}
    if not (plain.get("server") or {}).get("public_url"):
        lacking = [move.section for move in migration.moves if not (groups.get(move.section) or {}).get("url")]
        if lacking:
            left.append("server.public_url: where Azure reaches this service, such as https://alerts.example.com")
    return left


def secrets_of(plain: Mapping[str, Any], migration: Migration) -> dict[str, str]:
    """Give the environment variables that hold passwords, by the setting that names them."""
    found: dict[str, str] = {}
    for one in migration.connections:
        password = ((plain.get("connections") or {}).get(one.name) or {}).get("password")
        if isinstance(password, Mapping) and "env" in password:
            found[f"connections.{one.name}.password"] = str(password["env"])
    return found


def _for_people(connection: Connection, tool: str) -> Plain:
    if tool not in _URLS:
        return {}
    variable = re.sub(r"[^A-Z0-9]", "_", f"{connection.name}_password".upper())
    if variable[:1].isdigit():
        variable = f"ITSM_{variable}"
    return {"url": _URLS[tool], "username": PLACEHOLDER_USER, "password": {"env": variable}}
