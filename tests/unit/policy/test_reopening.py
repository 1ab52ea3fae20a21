"""What a route says about opening work items again."""

from datetime import timedelta

import pytest
from pydantic import ValidationError
from tests.unit.alerts.samples import read

from secure_export.policy.decide import Policy
from secure_export.policy.settings import RouteSettings
from secure_export.workitems.work_item import WhenPeopleEnd

METRIC = "common/metric-static-fired"


def test_nothing_is_opened_again_unless_the_route_says_so() -> None:
    """A new problem gets a new work item, and what people end stays ended."""
    route = Policy(RouteSettings()).route_of(read(METRIC))
    assert route.reopen_within is None
    assert route.when_people_end is WhenPeopleEnd.LEAVE


def test_a_route_may_open_again_for_some_hours_and_insist() -> None:
    """Both settings reach the decision as they were written."""
    route = Policy(RouteSettings.model_validate({"reopen_within_hours": 1.5, "when_people_end": "reopen"})).route_of(
        read(METRIC)
    )
    assert route.reopen_within == timedelta(minutes=90)
    assert route.when_people_end is WhenPeopleEnd.REOPEN


@pytest.mark.parametrize(
    "wrong", [{"reopen_within_hours": -1}, {"reopen_within_hours": 24 * 401}, {"when_people_end": "fight"}], ids=str
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    """A setting that cannot be is an error when the configuration is read, not a surprise later."""
    with pytest.raises(ValidationError):
        RouteSettings.model_validate(wrong)
