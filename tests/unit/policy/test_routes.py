"""Which route takes an alert: conditions in CEL, asked in order."""

import sys
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.alerts.samples import own_names, read

from secure_export.alerts.alert import Alert, Condition, Ending, Kind
from secure_export.policy import conditions
from secure_export.policy.conditions import Undecided, checked_condition, facts, holds
from secure_export.policy.decide import Policy
from secure_export.policy.settings import GroupBy, RouteSettings
from secure_export.settings import ConnectionSettings

SHOP = "/subscriptions/AAAA-1/resourceGroups/Shop/providers/Microsoft.Compute/virtualMachines/Web-01"


def alert(**changes: object) -> Alert:
    told: dict[str, object] = {
        "id": "/subscriptions/bbbb-2/providers/Microsoft.AlertsManagement/alerts/1",
        "condition": Condition.FIRED,
        "kind": Kind.METRIC,
        "ending": Ending.BY_ID,
        "problem": "1",
        "ended": False,
        "severity": "Sev1",
        "rule": "cpu-high",
        "targets": (SHOP,),
        "custom_properties": {"team": "shop"},
    }
    return Alert(**{**told, **changes})  # type: ignore[arg-type] # members of Alert by name


CONDITIONS = [
    ('alert.severity == "Sev1"', True),
    ('alert.severity in ["Sev3", "Sev4"]', False),
    ('alert.kind == "metric" && !alert.is_test', True),
    ('alert.targets.exists(t, t.contains("/virtualmachines/"))', True),
    ('"aaaa-1" in alert.subscriptions && "bbbb-2" in alert.subscriptions', True),
    ('alert.resource_groups == ["shop"]', True),
    ('"microsoft.compute/virtualmachines" in alert.resource_types', True),
    ('alert.rule.matches("^(cpu|memory)-")', True),
    ('has(custom.team) && custom.team == "shop"', True),
    ('has(custom.owner) && custom.owner == "ada"', False),
    ('"owner" in custom || alert.rule.startsWith("cpu")', True),
]


@pytest.mark.parametrize(("text", "expected"), CONDITIONS, ids=[row[0] for row in CONDITIONS])
def test_conditions_are_about_the_alert(text: str, *, expected: bool) -> None:
    """A sentence of CEL for what people route by; ids are in lower case."""
    assert holds(checked_condition(text), facts(alert())) is expected


WRONG = [
    ("alert.", "the condition is wrong at character 7"),
    ('alert.severty == "Sev1"', "undeclared reference to 'alert.severty'; there are: alert.id, "),
    ("alert.severity == 1", "no matching overload for '_==_' applied to '(string, int)'"),
    ("alert.severity", "the condition is a string, not true or false; compare it"),
    ('alert.condition == "Fired"', "undeclared reference"),
    ("", "the condition is wrong"),
    ("(" * 900 + "true" + ")" * 900, "recursion limit"),
    ("true && " * 300 + "true", "the condition is longer than 2000 characters; shorten it"),
]


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[row[1] for row in WRONG])
def test_what_is_no_condition_is_refused_when_the_configuration_is_read(text: str, said: str) -> None:
    """A wrong name, type or form is an error with words, not a route that never takes anything."""
    with pytest.raises(ValidationError) as error:
        RouteSettings(when=text)
    assert said in str(error.value)
    assert "\n |" not in str(error.value.errors()[0]["msg"])


HUNDRED = f"[{','.join(map(str, range(100)))}]"
UNDECIDED = [
    ('custom.owner == "ada"', 'Key not found in map : "owner"'),
    ("1 / (alert.targets.size() - 1) == 0", "divide by zero"),
]


@pytest.mark.parametrize(("text", "said"), UNDECIDED, ids=[row[1] for row in UNDECIDED])
def test_what_cannot_be_decided_says_why(text: str, said: str) -> None:
    """A fact that an alert lacks is no yes and no silent no."""
    with pytest.raises(Undecided) as doubt:
        holds(checked_condition(text), facts(alert()))
    assert said in str(doubt.value)


def test_a_condition_that_would_take_for_ever_is_given_up() -> None:
    """A hundred million rounds are refused, and the alert goes on its way."""
    endless = f"{HUNDRED}.all(a, {HUNDRED}.all(b, {HUNDRED}.all(c, {HUNDRED}.all(d, a + b + c + d >= 0))))"
    with pytest.raises(Undecided) as doubt:
        holds(checked_condition(endless), facts(alert()))
    assert "budget" in str(doubt.value).lower()


def policy() -> Policy:
    return Policy(
        RouteSettings(when='custom.owner == "ada"', group_by=GroupBy.RULE),
        RouteSettings(when='alert.severity == "Sev1"', group_by=GroupBy.CI, work_item="problem"),
        RouteSettings(work_item="event"),
    )


def test_the_first_route_whose_condition_is_met_takes_the_alert() -> None:
    """Work item, grouping and times are that route's, and the reasons say which it is and why."""
    route = policy().route_of(alert())
    content = route.content(alert(), ())
    assert (content.work_item, policy().correlate(alert()).key) == ("problem", f"ci:{SHOP.lower()}")
    assert content.reasons[0] == "route 2 takes it: its `when` is true"
    assert content.reasons[1].startswith("route 1 does not take it: its `when` cannot be decided (")


def test_the_last_route_takes_what_no_other_does() -> None:
    """No alert is without a route."""
    content = policy().route_of(alert(severity=None)).content(alert(severity=None), ())
    assert (content.work_item, content.reasons[0]) == ("event", "route 3 takes it, as no other does")


def test_the_only_route_says_nothing_of_itself() -> None:
    """Where there is nothing to choose there is nothing to explain."""
    assert Policy(RouteSettings()).route_of(alert()).why == ()


ORDERS = [
    ([{"when": "alert.is_test"}], "the last route takes what no other does"),
    ([{}, {}], "a route without `when` takes every alert"),
    ([{}, {"when": "alert.is_test"}], "the last route takes what no other does"),
    ([], "at least 1 item"),
]


@pytest.mark.parametrize(("routes", "said"), ORDERS, ids=[str(row[0]) for row in ORDERS])
def test_every_alert_has_a_route_and_every_route_may_have_an_alert(routes: list[dict[str, str]], said: str) -> None:
    """Routes that leave alerts out, or that nothing reaches, are errors of the configuration."""
    with pytest.raises(ValidationError) as error:
        ConnectionSettings.model_validate({"type": "desk", "subscriptions": ["*"], "routes": routes})
    assert said in str(error.value)


@pytest.mark.parametrize("name", own_names())
def test_a_route_can_be_found_for_every_sample(name: str) -> None:
    """Whatever an alert lacks, its facts have the types that conditions were checked with."""
    values = facts(read(name))
    for fact in conditions.NAMES:
        text = f"{fact}.size() >= 0" if not fact.startswith("alert.is_") else f"{fact} || true"
        assert holds(checked_condition(text), values)


@settings(max_examples=200, deadline=None)
@given(
    st.text(alphabet="alert.severity custom\"'[](){}&|!=<>+-*/%,?:0123456789tfin_xé\\\n", max_size=60)
    | st.text(max_size=40)
)
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    """Nothing that a person may write ends the program or raises anything else."""
    with suppress(ValueError):
        checked_condition(text)
        with suppress(Undecided):
            assert holds(text, facts(alert())) in {True, False}


@settings(max_examples=50, deadline=None)
@given(
    st.text(max_size=20), st.lists(st.text(max_size=20), max_size=3), st.dictionaries(st.text(max_size=5), st.text())
)
def test_any_alert_can_be_asked(rule: str, targets: list[str], custom: dict[str, str]) -> None:
    """Rule authors write what they like."""
    told = alert(rule=rule, targets=tuple(targets), custom_properties=custom)
    assert policy().route_of(told).why


def test_half_a_character_in_an_alert_is_no_end_of_it() -> None:
    """JSON can say half of a pair; the condition cannot be decided then, and the last route takes the alert."""
    route = policy().route_of(alert(severity="\ud83d"))
    assert route.settings.work_item == "event"
    assert "route 2 does not take it: its `when` cannot be decided" in route.why[2]


def test_without_the_library_a_condition_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It exists for Linux and Windows only; routes without conditions need none."""
    monkeypatch.setitem(sys.modules, "cel_expr_python.cel", None)
    conditions._compiled.cache_clear()
    with pytest.raises(ValidationError, match="conditions need the package cel-expr-python"):
        RouteSettings(when="alert.is_test || false")
    assert RouteSettings().when is None
