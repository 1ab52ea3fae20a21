"""Resource ids compare without regard to case, and anything at all may stand where one should."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_export.alerts.resource_id import last_segment, normal_form, parse, subscription_of

VM = "/subscriptions/S-1/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/Web-01"
SEGMENT = st.text(st.sampled_from("aZ09-_. %"), min_size=1, max_size=8).filter(str.strip)


@st.composite
def ids(draw: st.DrawFn) -> str:
    """Make ids of resources with one to three types."""
    pairs = draw(st.lists(st.tuples(SEGMENT, SEGMENT), min_size=1, max_size=3))
    tail = "/".join(f"{kind}/{name}" for kind, name in pairs)
    return f"/subscriptions/{draw(SEGMENT)}/resourceGroups/{draw(SEGMENT)}/providers/{draw(SEGMENT)}/{tail}"


def test_the_parts_of_a_resource_are_lower_case() -> None:
    """A virtual machine's id gives subscription, group, provider, type and name."""
    parts = parse(VM + "/")
    assert parts is not None
    assert parts.is_resource
    assert parts.text == VM.lower()
    assert (parts.subscription, parts.resource_group, parts.provider) == ("s-1", "rg", "microsoft.compute")
    assert (parts.type, parts.name) == ("microsoft.compute/virtualmachines", "web-01")


@pytest.mark.parametrize(
    ("text", "kind", "name", "parent"),
    [
        (VM, "microsoft.compute/virtualmachines", "web-01", "/subscriptions/s-1/resourcegroups/rg"),
        (
            "/subscriptions/s/resourcegroups/g/providers/microsoft.sql/servers/a/databases/b",
            "microsoft.sql/servers/databases",
            "b",
            "/subscriptions/s/resourcegroups/g/providers/microsoft.sql/servers/a",
        ),
        (
            VM + "/providers/microsoft.insights/diagnosticSettings/d",
            "microsoft.insights/diagnosticsettings",
            "d",
            VM.lower(),
        ),
        ("/subscriptions/s/resourceGroups/G", "", "g", "/subscriptions/s"),
        ("subscriptions/s", "", "s", None),
        ("/subscriptions/s/providers/microsoft.x/things/t", "microsoft.x/things", "t", "/subscriptions/s"),
        (
            "/providers/Microsoft.Management/managementGroups/corp",
            "microsoft.management/managementgroups",
            "corp",
            None,
        ),
    ],
)
def test_every_level_has_a_type_a_name_and_a_parent(text: str, kind: str, name: str, parent: str | None) -> None:
    """One level up from a child resource is its parent, then the group, then the subscription."""
    parts = parse(text)
    assert parts is not None
    assert (parts.type, parts.name, parts.parent()) == (kind, name, parent)


@pytest.mark.parametrize("text", ["", "/", "web-01", "/subscriptions", "/subscriptions/s/resourceGroups", "/dev/sda"])
def test_what_names_nothing_has_no_parts(text: str) -> None:
    """Names, paths and cut-off ids are no ids."""
    assert parse(text) is None


@given(ids())
def test_case_and_slashes_do_not_matter(text: str) -> None:
    """The same id in capitals, or with slashes around it, is the same id."""
    assert normal_form(text.upper()) == normal_form(text.lower()) == normal_form(f"/{text}//")
    assert parse(text.upper()) == parse(text)


@given(ids())
def test_parents_lead_up_to_the_subscription(text: str) -> None:
    """Going up ends at the subscription, and each level begins the one below it."""
    level: str | None = text
    steps = 0
    while level is not None and (parts := parse(level)) is not None:
        above = parts.parent()
        assert above is None or parts.text.startswith(above + "/")
        level, steps = above, steps + 1
    assert level is None
    assert steps >= 3


@given(st.text(max_size=60))
def test_any_text_can_stand_where_an_id_should(text: str) -> None:
    """Nothing raises, and the normal form of a normal form is itself."""
    assert normal_form(normal_form(text)) == normal_form(text)
    parts = parse(text)
    assert parts is None or subscription_of(text) == parts.subscription
    assert last_segment(text) in text


@pytest.mark.parametrize(
    "text", ["/subscriptions/S-1", " /SUBSCRIPTIONS/s-1/x", "//subscriptions//s-1//resourceGroups"]
)
def test_the_subscription_of_an_incomplete_id_is_told(text: str) -> None:
    """Whoever writes an id oddly cannot hide whose subscription it is."""
    assert subscription_of(text) == "s-1"
