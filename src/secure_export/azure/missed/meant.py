"""Which alerts were meant for us: those that an action group of ours was to be told of. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from secure_export.azure.missed.listed import ListedAlert

RULE_NOT_FOUND: Final = "its rule is gone, or may not be read by who signs in: nobody knows whom it calls"


@dataclass(frozen=True, slots=True)
class OurGroup:
    """An action group of the configuration.

    Attributes:
        id: Its resource id, in lower case.
        connection: Whose webhook it calls.
        subscription: The subscription all of whose alerts an alert processing rule brings it, in lower case; None where
            there is no such rule.
    """

    id: str
    connection: str
    subscription: str | None = None


@dataclass(frozen=True, slots=True)
class Meant:
    """For whom an alert was.

    Attributes:
        connections: The connections whose action groups were to be told, in order.
        reason: Why these, or why none, as a sentence part.
    """

    connections: tuple[str, ...]
    reason: str


def meant_for(alert: ListedAlert, ours: Iterable[OurGroup], groups_of_rules: Mapping[str, frozenset[str]]) -> Meant:
    """Say for whom an alert was.

    What Azure says of the alert itself counts first; where it says nothing, what the rule and the configuration say.

    Args:
        alert: The alert.
        ours: Our action groups.
        groups_of_rules: The action groups that each alert rule names, all in lower case.
    """
    if alert.suppressed:
        return Meant((), "an alert processing rule suppressed it")
    ours = list(ours)
    if alert.action_groups:
        told = [group for group in ours if group.id in alert.action_groups]
        return _of(told, "Azure says that it was for action group", "Azure says that it was for other action groups")
    of_rule = groups_of_rules.get(alert.rule.lower())
    told = [group for group in ours if of_rule and group.id in of_rule]
    if told:
        return _of(told, "its rule names action group", "")
    told = [group for group in ours if group.subscription == alert.subscription]
    # Resource Graph leaves out what one may not read, and says nothing of it.
    is_hidden = of_rule is None and alert.rule.startswith("/")
    why_not = RULE_NOT_FOUND if is_hidden else "its rule names none of our groups"
    return _of(told, "a processing rule brings every alert of the subscription to", why_not)


def _of(groups: list[OurGroup], why: str, why_not: str) -> Meant:
    if not groups:
        return Meant((), why_not)
    names = ", ".join(group.id.rpartition("/")[2] for group in groups)
    return Meant(tuple(dict.fromkeys(group.connection for group in groups)), f"{why} {names}")
