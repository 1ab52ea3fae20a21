"""What people's templates can do, and what they cannot."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.policy.template import (
    MAX_RESULT_CHARS,
    MAX_TEMPLATE_CHARS,
    TemplateFailed,
    checked,
    fill,
)

VALUES = {"alert": {"rule": "cpu", "targets": ["a", "b"]}, "facts": {"value": "93"}, "ci": {}, "custom": {}}


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{{ alert.rule }} is at {{ facts.value }}", "cpu is at 93"),
        ("{{ ci.support_group | default('Operations', true) }}", "Operations"),
        ("{% for t in alert.targets %}{{ t }};{% endfor %}", "a;b;"),
        ("{% if facts.value | int > 90 %}high{% else %}low{% endif %}", "high"),
        ("{{ nothing.at.all }}", ""),
        ("{{ alert.rule | replace('c', 'g') | upper }}", "GPU"),
    ],
)
def test_templates_fill_what_they_name(template: str, filled: str) -> None:
    """A template is filled from the alert; what is not there is empty."""
    assert fill(checked(template), VALUES) == filled


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{% for a in x %}{% for b in x %}{% endfor %}{% endfor %}", "loop within a loop"),
        ("{% for a in x recursive %}{{ loop(a) }}{% endfor %}", "calls functions"),
        ("{{ range(1000000000) | list }}", "calls functions"),
        ("{{ 'a' * 1000000000 }}", "multiplies"),
        ("{{ 9 ** 9 ** 9 }}", "raises to a power"),
        ("{{ '%1000000000d' % 1 }}", "formats with %"),
        ("{{ 'a'.ljust(1000000000) }}", "calls functions"),
        ("{{ alert.__class__.__mro__() }}", "calls functions"),
        ("{% set a = 'x' %}{{ a }}", "sets a variable"),
        ("{% macro m() %}{% endmacro %}", "defines a macro"),
        ("{% include 'secrets' %}", "includes another"),
        ("{{ alert | attr('__class__') }}", "filter 'attr'"),
        ("{{ alert.targets | map('upper') | list }}", "filter 'map'"),
        ("{{ broken", "line 1"),
        ("{{ 1 }}" * MAX_TEMPLATE_CHARS, "longer than"),
        ("{{ " + "(" * 1500 + "1" + ")" * 1500 + " }}", "nested too deeply"),
    ],
)
def test_what_could_be_endless_or_reach_out_is_refused_when_it_is_read(template: str, why: str) -> None:
    """A template that could run for long, fill the memory, or reach into the program never gets to run."""
    with pytest.raises(ValueError, match="template") as refused:
        checked(template)
    assert why in str(refused.value)


def test_attributes_of_the_program_are_out_of_reach() -> None:
    """Private attributes of values read as nothing, and nothing can be reached through them."""
    assert fill("{{ alert.__class__ }}{{ alert.__class__.__mro__ }}{{ facts.__init__.__globals__ }}", VALUES) == ""


def test_a_template_that_fails_says_why() -> None:
    """What cannot be filled raises one kind of error."""
    with pytest.raises(TemplateFailed, match="template failed"):
        fill("{{ alert.targets + 1 }}", VALUES)


def test_replacing_over_and_over_stays_bounded() -> None:
    """Filters that grow a text cannot be chained into filling the memory."""
    chain = "| replace('a', alert.long)" * 50
    text = fill("{{ alert.long" + chain + " }}", {"alert": {"long": "a" * 1_000_000}})
    assert len(text) <= MAX_RESULT_CHARS


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="{}%|.()[]*'\" abcforinifelsedtrue_0123456789", max_size=60))
def test_any_text_is_filled_or_refused_with_a_reason(template: str) -> None:
    """Whatever a person writes, it is refused when read, fails with a reason, or gives a bounded text."""
    try:
        text = fill(checked(template), VALUES)
    except (ValueError, TemplateFailed) as reason:
        text = str(reason) or "x" * (MAX_RESULT_CHARS + 1)
    assert len(text) <= MAX_RESULT_CHARS
