"""``secure-export azure permissions``: what each command must be allowed to do, and why."""

from typing import Final

from secure_export.azure.setup.change import Side
from secure_export.azure.setup.permissions import (
    ADD_CALLER,
    ADD_OWNER,
    ASSIGN_ROLE,
    CHANGE_ALERT_STATE,
    DELETE_ACTION_GROUP,
    DELETE_PROCESSING_RULE,
    READ_ACTION_GROUP,
    READ_ALERTS,
    READ_APPLICATION,
    READ_DIRECTORY,
    READ_RULES,
    TEST_ACTION_GROUP,
    WRITE_ACTION_GROUP,
    WRITE_APPLICATION,
    WRITE_PROCESSING_RULE,
    Permission,
)
from secure_export.azure.setup.steps.alert_rule import KINDS
from secure_export.cli.options import AsJson
from secure_export.cli.output import out, print_json, print_table

_LOOK: Final = (READ_APPLICATION, READ_ACTION_GROUP)
_MAKE: Final = (
    READ_APPLICATION,
    READ_DIRECTORY,
    WRITE_APPLICATION,
    ADD_CALLER,
    ASSIGN_ROLE,
    ADD_OWNER,
    READ_ACTION_GROUP,
    WRITE_ACTION_GROUP,
    *(kind.permission for kind in KINDS),
    WRITE_PROCESSING_RULE,
)
NEEDED: Final[dict[str, tuple[Permission, ...]]] = {
    "azure plan, verify --no-test, export": _LOOK,
    "azure apply": _MAKE,
    "azure verify": (*_LOOK, TEST_ACTION_GROUP),
    "azure destroy": (*_MAKE, DELETE_ACTION_GROUP, DELETE_PROCESSING_RULE),
    "azure missed, serve with azure.missed": (READ_ALERTS, READ_RULES),
    "serve with azure.alert_state": (READ_ALERTS, CHANGE_ALERT_STATE),
}
_ROLES: Final = {
    Side.ENTRA: "Entra ID: the directory role Application Administrator has all of these for a person",
    Side.AZURE: "Azure: the role Monitoring Contributor has all of these, Monitoring Reader those that read",
}


def permissions(*, as_json: AsJson = False) -> None:
    """List what each command must be allowed to do, and why. Only what is due is asked for: `plan` says what you lack.

    Example: [bold]secure-export azure permissions[/]
    """
    rows = [
        {"command": command, "side": one.side.value, "any_of": list(one.any_of), "why": one.why}
        for command, many in NEEDED.items()
        for one in many
    ]
    if as_json:
        print_json(rows)
        return
    for command, many in NEEDED.items():
        out.print(f"\n[bold]{command}[/]")
        cells = [("Entra ID" if p.side is Side.ENTRA else "Azure", p.any_of[0], p.why) for p in many]
        print_table(["side", "permission", "why"], cells, empty="")
    out.print()
    for text in _ROLES.values():
        out.print(text)
    out.print("Who makes an action group, or sends its test, must also be an owner of the app registration.")
