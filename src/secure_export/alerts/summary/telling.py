"""What each family of alerts tells: a headline, details by name, and facts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from secure_export.alerts.alert import Alert, Condition
from secure_export.alerts.members import Members
from secure_export.alerts.references import References

_OPERATORS = {
    "greaterthan": "above",
    "greaterthanorequal": "at or above",
    "lessthan": "below",
    "lowerthan": "below",
    "lessthanorequal": "at or below",
    "lowerthanorequal": "at or below",
    "equal": "equal to",
    "equals": "equal to",
    "notequal": "other than",
    "notequals": "other than",
    "greaterorlessthan": "outside",
}


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told of an alert.

    Attributes:
        headline: One line.
        details: Names and texts, in the order in which they are to be read; empty texts are left out.
        text: A longer text, such as a communication of Azure's.
        facts: Short facts by name, for templates.
    """

    headline: str
    details: tuple[tuple[str, str], ...] = ()
    text: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


class Told(NamedTuple):
    """What a family tells it from."""

    alert: Alert
    context: Members
    references: References
    subject: str

    @property
    def over(self) -> bool:
        """Whether Azure says that the alert is resolved."""
        return self.alert.condition is Condition.RESOLVED

    @property
    def rule(self) -> str:
        """The rule's name, or the service's where the rule has none."""
        return self.alert.rule or self.alert.monitoring_service or "Azure alert"

    @property
    def on_subject(self) -> str:
        """Words for what is affected; empty when nothing is known."""
        return f" on {self.subject}" if self.subject else ""


Teller = Callable[[Told], Telling]


def operator_words(operator: str) -> str:
    """Write an operator as words that can stand before the threshold."""
    return _OPERATORS.get("".join(operator.split()).lower(), operator)


def joined(pairs: list[tuple[str, str]]) -> str:
    """Write dimensions in one line."""
    return ", ".join(f"{name} {value}" for name, value in pairs if value)


def percent(metric: str) -> str:
    """Give the unit where the metric's own name tells it."""
    return " %" if "percent" in metric.lower() or "%" in metric else ""
