"""What every connector must do, whichever tool it reaches: ``secure_export.itsm.contract.Connector``.

A connector's own test module gives a subclass of ``ConnectorSuite`` a fixture ``tool``, and thereby passes all of this.
Where a tool has no means for something (one that knows no assignment, say), its adapter says so in ``Tool.lacks``, and
the rule is left out with that reason; no rule is made weaker for it.
"""

from tests.conformance.connector_suite_changes import ChangesRules
from tests.conformance.connector_suite_checking import CheckingRules
from tests.conformance.connector_suite_creating import CreatingRules
from tests.conformance.connector_suite_failing import FailingRules
from tests.conformance.connector_suite_people import PeopleRules
from tests.conformance.connector_suite_reopening import ReopeningRules
from tests.conformance.connector_suite_resolving import ResolvingRules
from tests.conformance.connector_suite_telling import TellingRules
from tests.conformance.connector_suite_tool import Tool
from tests.conformance.connector_suite_updating import UpdatingRules

__all__ = ["ConnectorSuite", "Tool"]


class ConnectorSuite(
    CreatingRules,
    UpdatingRules,
    ResolvingRules,
    PeopleRules,
    ReopeningRules,
    TellingRules,
    FailingRules,
    ChangesRules,
    CheckingRules,
):
    """The rules of every connector."""
