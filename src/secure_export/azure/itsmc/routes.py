"""The routes of one connection: one treatment for most alerts, and conditions for the rules that differ; pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from secure_export.azure.itsmc.inventory import Rule
from secure_export.azure.itsmc.treatment import Treatment

LOG_ALERTS = 'alert.kind in ["log-search", "simple-log", "log-search-v1"]'
MOST_ROUTES = 90
_LONGEST_CONDITION = 1_900
Route = dict[str, Any]


def routes_of(uses: Sequence[tuple[Treatment, Sequence[Rule]]]) -> list[Route]:
    """Give the routes of a connection, in the order in which they are asked.

    Args:
        uses: Each different treatment with the rules that it belongs to; a rule counts for the first that has it.
    """
    merged = _merged(uses)
    usual = usual_of(merged)
    routes = [
        {"when": condition, **settings}
        for treatment, rules in merged
        if treatment is not usual
        for settings, some in _apart_from(usual, treatment, rules)
        for condition in conditions(some)
    ]
    if usual.of_log != usual.of_others:
        routes.append({"when": LOG_ALERTS, **usual.of_log})
    return [*routes, dict(usual.of_others)]


def usual_of(uses: Sequence[tuple[Treatment, Sequence[Rule]]]) -> Treatment:
    """Give the treatment that most rules have; the first of several."""
    return max(uses, key=lambda use: len(use[1]))[0]


def conditions(rules: Iterable[Rule]) -> list[str]:
    """Say in conditions that an alert is of one of these rules; several where one would be too long."""
    found: list[str] = []
    some: list[Rule] = []
    for rule in rules:
        if some and len(_condition([*some, rule])) > _LONGEST_CONDITION:
            found.append(_condition(some))
            some = []
        some.append(rule)
    return [*found, _condition(some)] if some else found


def _merged(uses: Sequence[tuple[Treatment, Sequence[Rule]]]) -> list[tuple[Treatment, list[Rule]]]:
    """Bring equal treatments together, and each rule to the first that has it."""
    merged: list[tuple[Treatment, list[Rule]]] = []
    taken: set[str] = set()
    for treatment, rules in uses:
        own = [rule for rule in rules if rule.id.lower() not in taken]
        taken |= {rule.id.lower() for rule in own}
        known = next((some for one, some in merged if one == treatment), None)
        if known is None:
            merged.append((treatment, own))
        else:
            known += own
    return merged


def _apart_from(
    usual: Treatment, treatment: Treatment, rules: Iterable[Rule]
) -> list[tuple[Mapping[str, Any], list[Rule]]]:
    """List the rules that need a condition: what the usual routes do for them is not what they had.

    Rules that alerts do not name cannot be told apart by a condition.
    """
    named = sorted((rule for rule in rules if rule.is_named_in_alerts), key=lambda rule: rule.id.lower())
    parts = [
        (treatment.of_log, [rule for rule in named if rule.is_log and treatment.of_log != usual.of_log]),
        (treatment.of_others, [rule for rule in named if not rule.is_log and treatment.of_others != usual.of_others]),
    ]
    return [(settings, some) for settings, some in parts if some]


def _condition(rules: Sequence[Rule]) -> str:
    """Not every alert carries its rule's id; there the name has to do."""
    ids = _listed(rule.id.lower() for rule in rules)
    names = _listed(dict.fromkeys(rule.name for rule in rules))
    return f'alert.rule_id in {ids} || (alert.rule_id == "" && alert.rule in {names})'


def _listed(texts: Iterable[str]) -> str:
    return "[" + ", ".join(json.dumps(text, ensure_ascii=False) for text in texts) + "]"
