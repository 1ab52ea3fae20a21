"""Writes out what ``azure apply`` would make, for others to run."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePath

from secure_export.azure.clouds import Cloud, CloudName
from secure_export.azure.export.rendering import rendered
from secure_export.azure.export.values import Values
from secure_export.azure.setup.change import Side
from secure_export.azure.setup.wanted import WantedTenant
from secure_export.errors import SettingsError


class Format(StrEnum):
    """A language that is written."""

    BICEP = "bicep"
    TERRAFORM = "terraform"
    POWERSHELL = "powershell"
    AZ = "az"


_TEMPLATES: Mapping[Format, str] = {
    Format.BICEP: "main.bicep.j2",
    Format.TERRAFORM: "main.tf.j2",
    Format.POWERSHELL: "set-up.ps1.j2",
    Format.AZ: "set-up.sh.j2",
}


def exported(  # noqa: PLR0913 - all of it is said by the command
    wanted: WantedTenant,
    format_: Format,
    *,
    cloud: Cloud,
    cloud_name: CloudName = CloudName.PUBLIC,
    only: frozenset[Side] = frozenset(Side),
    name: str | None = None,
) -> dict[str, str]:
    """Write out what should be there in one tenant.

    Args:
        wanted: What should be there.
        format_: The language.
        cloud: The cloud's addresses.
        cloud_name: Which cloud.
        only: Whose work.
        name: The first file's name; None: the usual one of the language.

    Returns:
        The files' texts by their names. The first is the one that is run; the others belong beside it.

    Raises:
        SettingsError: There is nothing to write out, or something cannot be.
    """
    values = Values(wanted, cloud, cloud_name, only)
    if not values.entra and not values.azure:
        raise SettingsError("azure.action_groups: none is set for this tenant, so there is nothing for --only azure")
    template = _TEMPLATES[format_]
    files = {PurePath(name).name if name else template.removesuffix(".j2"): rendered(template, values)}
    return files | {beside.removesuffix(".j2"): rendered(beside, values) for beside in _beside(format_, values)}


def _beside(format_: Format, values: Values) -> list[str]:
    """Name the templates of the files that belong beside the first."""
    if format_ is not Format.BICEP:
        return []
    by_client_id = values.entra and values.wanted.application.identifier_uri is None
    return [
        "bicepconfig.json.j2",
        *(["secure-export-identifier-uri.bicep.j2"] if by_client_id else []),
        *(["secure-export-action-group.bicep.j2"] if values.azure else []),
    ]
