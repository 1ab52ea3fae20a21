"""What the Identification and Reconciliation Engine does with a payload: each item's operation, and the relations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from secure_export.sandbox.servicenow.cmdb_relations import RELATIONS, find_type
from secure_export.sandbox.servicenow.identification import Identified, identify, remember_source
from secure_export.sandbox.servicenow.inputs import as_text
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.rest import as_admin
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User

UNKNOWN: Final = "Unknown"
_OUTCOMES: Final = {
    "INSERT": "inserted",
    "UPDATE": "updated",
    "NO_CHANGE": "unchanged",
    "INSERT_AS_PARTIAL": "partial",
    "INSERT_AS_INCOMPLETE": "incomplete",
}


@dataclass(frozen=True, slots=True)
class Mode:
    """How a payload is treated.

    Attributes:
        source: The data source of the request; empty: the items name their own.
        commit: Whether anything is written.
        is_enhanced: Whether payloads without enough attributes are kept as partial ones instead of failing.
    """

    source: str = ""
    commit: bool = True
    is_enhanced: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of one item.

    Attributes:
        class_name: Its class.
        operation: INSERT, UPDATE, NO_CHANGE, INSERT_AS_PARTIAL or INSERT_AS_INCOMPLETE.
        sys_id: The CI's id; ``Unknown``: there is none.
        identified: What was tried.
        errors: What is wrong with it.
        warnings: What is not quite right with it.
    """

    class_name: str
    operation: str = "INSERT_AS_INCOMPLETE"
    sys_id: str = UNKNOWN
    identified: Identified = field(default_factory=lambda: Identified(None, UNKNOWN, ()))
    errors: list[dict[str, str]] = field(default_factory=list)
    warnings: list[dict[str, str]] = field(default_factory=list)

    def as_json(self, index: int) -> dict[str, Any]:
        """Tell it in the words of the API; lists of errors and warnings are there only if they say something."""
        told: dict[str, Any] = {
            "className": self.class_name,
            "operation": self.operation,
            "sysId": self.sys_id,
            "identifierEntrySysId": self.identified.entry,
            "identificationAttempts": list(self.identified.attempts),
            "markers": [],
            "inputIndices": [index],
            "mergedPayloadIds": [],
            "errorCount": len(self.errors),
        }
        if self.errors:
            told["errors"] = self.errors
        if self.warnings:
            told |= {"warnings": self.warnings, "warningCount": len(self.warnings)}
        return told


def reconcile(instance: Instance, payload: Mapping[str, Any], user: User, mode: Mode) -> dict[str, Any]:
    """Work through a payload.

    Args:
        instance: The instance.
        payload: ``items`` and ``relations``.
        user: Who sent it.
        mode: How it is treated.

    Returns:
        The ``result`` of the API; errors are told inside.
    """
    items = [one for one in payload.get("items") or [] if isinstance(one, dict)]
    outcomes = [reconcile_item(instance, item, user, mode) for item in items]
    wanted = [one for one in payload.get("relations") or [] if isinstance(one, dict)]
    names = [str(item.get("internal_id", "")) for item in items]
    relations = [_relate(instance, one, outcomes, names, user, mode) for one in wanted]
    return {
        "items": [outcome.as_json(index) for index, outcome in enumerate(outcomes)],
        "additionalCommittedItems": [],
        "relations": [told | {"inputIndices": [index]} for index, told in enumerate(relations)],
        "additionalCommittedRelations": [],
    }


def reconcile_item(instance: Instance, item: Mapping[str, Any], user: User, mode: Mode) -> Outcome:
    """Find or make the CI of one item."""
    outcome = Outcome(str(item.get("className", "")))
    info = item.get("sys_object_source_info")
    info = info if isinstance(info, dict) else {}
    values = item.get("values")
    if not instance.dictionary.is_a(outcome.class_name, "cmdb_ci"):
        outcome.errors.append(_problem("INVALID_INPUT_DATA", f"Class {outcome.class_name!r} is no class of CIs."))
        return outcome
    if not isinstance(values, dict):
        outcome.errors.append(_problem("INVALID_INPUT_DATA", "The item has no values."))
        return outcome
    source = mode.source or str(info.get("source_name", ""))
    if source and not _is_known(instance, source):
        text = f"Invalid data source [{source}]: it is no choice value of cmdb_ci.discovery_source."
        outcome.errors.append(_problem("INVALID_INPUT_DATA", text))
        return outcome
    if not source:
        outcome.warnings.append(_problem("INCOMPLETE_PAYLOAD", "No data source is given: kept as incomplete payload."))
        return outcome
    texts = {name: as_text(value) for name, value in values.items()}
    outcome.identified = identify(instance, outcome.class_name, texts, {"source_name": source, **info})
    _carry_out(instance, outcome, texts, source, info, user, mode)
    return outcome


def summary(outcomes: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Count what became of the items of a result, by class."""
    counts: dict[str, dict[str, int]] = {}
    for told in outcomes:
        of_class = counts.setdefault(told["className"], dict.fromkeys([*_OUTCOMES.values(), "errors", "warnings"], 0))
        of_class[_OUTCOMES[told["operation"]]] += 1
        of_class["errors"] += told["errorCount"]
        of_class["warnings"] += told.get("warningCount", 0)
    return counts


def _carry_out(  # noqa: PLR0913, PLR0917 - an item with all that is known of it
    instance: Instance,
    outcome: Outcome,
    values: Mapping[str, str],
    source: str,
    info: Mapping[str, Any],
    user: User,
    mode: Mode,
) -> None:
    row = outcome.identified.row
    if row is None and outcome.identified.is_partial:
        _too_little(outcome, mode)
        return
    if row is None:
        outcome.operation = "INSERT"
        row = _inserted(instance, outcome.class_name, values, source, user) if mode.commit else None
    else:
        outcome.operation = "UPDATE" if _differs(instance, row, values, outcome.class_name) else "NO_CHANGE"
        if mode.commit:
            row = _updated(instance, row, values, source, outcome.class_name, user)
    if row is not None:
        outcome.sys_id = row["sys_id"]
        if mode.commit:
            remember_source(instance, row, {"source_name": source, **info})


def _too_little(outcome: Outcome, mode: Mode) -> None:
    problem = _problem(
        "MISSING_MATCHING_ATTRIBUTES",
        "In payload missing minimum set of input values for criterion (matching) attributes from identify rule for "
        f"table [{outcome.class_name}].",
    )
    if mode.is_enhanced:
        outcome.operation = "INSERT_AS_PARTIAL"
        outcome.warnings.append(problem)
    else:
        outcome.errors.append(problem)


def _inserted(instance: Instance, table: str, values: Mapping[str, str], source: str, user: User) -> Row:
    now = instance.clock.stamp()
    seen = {"discovery_source": source, "first_discovered": now, "last_discovered": now}
    return instance.insert(table, {**values, **seen}, as_admin(user))


def _updated(  # noqa: PLR0913, PLR0917 - as above
    instance: Instance, row: Row, values: Mapping[str, str], source: str, class_name: str, user: User
) -> Row:
    fields = {**values, "discovery_source": source, "last_discovered": instance.clock.stamp()}
    if _is_upgrade(instance, row, class_name):
        fields["sys_class_name"] = class_name
    return instance.update(row["sys_class_name"], row["sys_id"], fields, as_admin(user))


def _differs(instance: Instance, row: Row, values: Mapping[str, str], class_name: str) -> bool:
    columns = instance.dictionary.columns(row["sys_class_name"])
    changed = any(name in columns and row.get(name, "") != value for name, value in values.items())
    return changed or _is_upgrade(instance, row, class_name)


def _is_upgrade(instance: Instance, row: Row, class_name: str) -> bool:
    return class_name != row["sys_class_name"] and instance.dictionary.is_a(class_name, row["sys_class_name"])


def _relate(  # noqa: PLR0913, PLR0917 - a relation with all that it may point at
    instance: Instance,
    wanted: Mapping[str, Any],
    outcomes: Sequence[Outcome],
    names: Sequence[str],
    user: User,
    mode: Mode,
) -> dict[str, Any]:
    told: dict[str, Any] = {"className": RELATIONS, "markers": [], "mergedPayloadIds": [], "errorCount": 0}
    parent, child = (_end(wanted, side, outcomes, names) for side in ("parent", "child"))
    kind = find_type(instance, str(wanted.get("type", "")))
    if parent is None or child is None or kind is None:
        problem = _problem("INVALID_INPUT_DATA", "The relation's type or one of its ends does not exist.")
        return told | {"operation": "NO_CHANGE", "errors": [problem], "errorCount": 1}
    fields = {"parent": parent, "child": child, "type": kind["sys_id"]}
    known = instance.first(RELATIONS, "^".join(f"{name}={value}" for name, value in fields.items()))
    if known is None and mode.commit and UNKNOWN not in {parent, child}:
        known = instance.insert(RELATIONS, fields, as_admin(user))
        return told | {"operation": "INSERT", "sysId": known["sys_id"]}
    if known is None:
        return told | {"operation": "INSERT", "sysId": UNKNOWN}
    return told | {"operation": "NO_CHANGE", "sysId": known["sys_id"]}


def _end(wanted: Mapping[str, Any], side: str, outcomes: Sequence[Outcome], names: Sequence[str]) -> str | None:
    """Give the id of one end of a relation, told by index or by ``internal_id``; None: no such item."""
    index = wanted.get(side)
    if (name := wanted.get(f"{side}_id")) is not None:
        index = names.index(str(name)) if str(name) in names else None
    if not isinstance(index, int) or not 0 <= index < len(outcomes):
        return None
    return outcomes[index].sys_id


def _is_known(instance: Instance, source: str) -> bool:
    return source in instance.choices.active("cmdb_ci", "discovery_source")


def _problem(error: str, message: str) -> dict[str, str]:
    return {"error": error, "message": message}
