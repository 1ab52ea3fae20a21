"""What a route's ``when`` says: conditions on an alert in CEL (https://cel.dev), and the only place that knows CEL.

The library refuses endless loops, deep nesting and huge texts by itself, and its regular expressions are of RE2, which
takes time in proportion to the text. A condition is compiled, names and types included, when the configuration is read.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from secure_export.alerts.alert import Alert
from secure_export.alerts.resource_id import parse, subscription_of
from secure_export.policy.template import bounded

MAX_CONDITION_CHARS = 2_000

_TEXTS = ("id", "rule", "rule_id", "severity", "kind", "monitoring_service", "signal_type", "rule_description")
_LISTS = ("targets", "configuration_items", "subscriptions", "resource_groups", "resource_types")
_FLAGS = ("is_test", "is_legacy_schema")
NAMES = (*(f"alert.{name}" for name in (*_TEXTS, *_LISTS, *_FLAGS)), "custom")
_MESSAGE = re.compile(r"(?:ERROR: <input>:\d+:(?P<place>\d+): )?(?P<what>[^\n]*)")


class Undecided(Exception):  # noqa: N818 - reads as what it says
    """A condition could not be decided for an alert; the message says why."""


def checked_condition(text: str) -> str:
    """Give the text back when it is a condition that we can decide.

    Raises:
        ValueError: It is not; the message says what is wrong with it.
    """
    _compiled(text)
    return text


def facts(alert: Alert) -> dict[str, Any]:
    """Give what conditions may speak of: what is the same in an alert's firing and in its end, as far as Azure says.

    Targets are resource ids in lower case, since Azure varies their case.
    """
    targets = [target.lower() for target in alert.targets]
    ids = [found for target in targets if (found := parse(target)) is not None]
    values: dict[str, Any] = {
        "id": alert.id,
        "rule": alert.rule or "",
        "rule_id": (alert.rule_id or "").lower(),
        "severity": alert.severity or "",
        "kind": alert.kind.value,
        "monitoring_service": alert.monitoring_service,
        "signal_type": alert.signal_type or "",
        "rule_description": alert.description or "",
        "targets": targets,
        "configuration_items": list(alert.configuration_items),
        "subscriptions": _each(subscription_of(target) for target in (*targets, alert.id)),
        "resource_groups": _each(found.resource_group for found in ids),
        "resource_types": _each(found.type for found in ids),
        "is_test": alert.is_test,
        "is_legacy_schema": alert.is_legacy_schema,
    }
    return {f"alert.{name}": bounded(value) for name, value in values.items()} | {
        "custom": bounded(alert.custom_properties)
    }


def holds(text: str, values: Mapping[str, Any]) -> bool:
    """Decide a condition that ``checked_condition`` let pass.

    Args:
        text: The condition.
        values: The alert's facts, of ``facts``.

    Raises:
        Undecided: It cannot be decided for this alert.
    """
    try:
        answer: object = _compiled(text).eval(data=values).value()
    except Exception as error:
        # The iteration budget ends so, and half a character in a text; an alert has to have a route whatever is in it.
        raise Undecided(str(error).partition("\n")[0]) from error
    if isinstance(answer, bool):
        return answer
    raise Undecided(str(answer))


@lru_cache(maxsize=512)
def _compiled(text: str) -> Any:
    if len(text) > MAX_CONDITION_CHARS:
        raise ValueError(f"the condition is longer than {MAX_CONDITION_CHARS} characters; shorten it")
    cel = _cel()
    try:
        expression = _environment().compile(text)
    except RuntimeError as error:
        raise ValueError(_explained(str(error))) from None
    if expression.return_type() != cel.Type.BOOL:
        raise ValueError(f"the condition is a {expression.return_type().name().lower()}, not true or false; compare it")
    return expression


@lru_cache(maxsize=1)
def _environment() -> Any:
    kind = _cel().Type
    variables = (
        {f"alert.{name}": kind.STRING for name in _TEXTS}
        | {f"alert.{name}": kind.List(kind.STRING) for name in _LISTS}
        | {f"alert.{name}": kind.BOOL for name in _FLAGS}
    )
    return _cel().NewEnv(variables={**variables, "custom": kind.Map(kind.STRING, kind.STRING)})


def _cel() -> Any:
    """The library, which there is for Linux and Windows only, so that it is asked for only where a route has one."""
    try:
        return import_module("cel_expr_python.cel")
    except ImportError as error:
        raise ValueError(f"conditions need the package cel-expr-python: {error}") from None


def _explained(message: str) -> str:
    """Say in a line what the library says in several."""
    found = _MESSAGE.search(message.partition(": ")[2] or message)
    what = found["what"].strip() if found else message
    place = f" at character {found['place']}" if found and found["place"] else ""
    there_are = f"; there are: {', '.join(NAMES)}" if "undeclared reference" in what else ""
    what = what.removesuffix(" (in container '')").removesuffix(" [INVALID_ARGUMENT]")
    return f"the condition is wrong{place}: {what}{there_are}"


def _each(values: Any) -> list[str]:
    """Each once, without those that are missing."""
    return list(dict.fromkeys(value for value in values if value))
