"""Whatever is posted is an alert or NotUnderstood, and whatever is an alert can be told of."""

import contextlib
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.alerts.samples import body, own, own_names, read
from tests.unit.alerts.test_summary import check_bounds

from secure_export.alerts.alert import Alert, Condition
from secure_export.alerts.decode import decode
from secure_export.alerts.references import references, subscriptions
from secure_export.alerts.summary import Summary
from secure_export.errors import NotUnderstood

EXAMPLES = settings(max_examples=150, deadline=None)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["", "0001-01-01T00:00:00", "/subscriptions/x/y", "$1,0", "[", "{}", '[{"a": null}]', "<p", "Fired"]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SAMPLES = {name: msgspec.json.decode(own(name)) for name in own_names()}


def told(found: Alert) -> None:
    """Ask for everything that can be asked of an alert."""
    named = references(found)
    assert {one.resource_id.split("/")[2] for one in named.resources} <= subscriptions(found)
    assert found.condition is not Condition.RESOLVED or found.ended
    assert found.id
    assert found.problem
    check_bounds(found)


def ways(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the way to every member, at any depth."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [way, *(deeper for key, one in items for deeper in ways(one, (*way, key)))]


def changed(value: Any, way: tuple[Any, ...], put: Any) -> Any:
    """Put something else at the end of a way; ``...`` takes the member away."""
    if not way:
        return put
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(way) == 1 and put is ...:
        del copy[way[0]]
    else:
        copy[way[0]] = changed(copy[way[0]], way[1:], put)
    return copy


@given(st.data())
@EXAMPLES
def test_a_sample_with_members_dropped_or_retyped_is_told_or_not_understood(data: st.DataObject) -> None:
    """Up to three members of a real body are taken away, nulled or replaced by anything."""
    value = SAMPLES[data.draw(st.sampled_from(sorted(SAMPLES)))]
    for _ in range(data.draw(st.integers(1, 3))):
        found = [way for way in ways(value) if way]
        if found:
            value = changed(value, data.draw(st.sampled_from(found)), data.draw(st.just(...) | st.none() | VALUES))
    with contextlib.suppress(NotUnderstood):
        told(decode(msgspec.json.encode(value)))


@given(VALUES)
@EXAMPLES
def test_any_json_is_told_or_not_understood(value: Any) -> None:
    """Also as context, where it never costs the alert."""
    with contextlib.suppress(NotUnderstood):
        told(decode(msgspec.json.encode(value)))
    told(decode(body(value)))


@given(
    VALUES, st.sampled_from(["ServiceHealth", "CostAlerts", "Prometheus", "Log Analytics", "Azure Backup", "Platform"])
)
@EXAMPLES
def test_no_properties_cost_the_alert(value: Any, service: str) -> None:
    """Members that are objects or lists in samples can be anything."""
    names = (
        "properties",
        "condition",
        "labels",
        "annotations",
        "AlertData",
        "SearchResults",
        "Dimensions",
        "extendedInfo",
    )
    told(decode(body(dict.fromkeys(names, value), value, monitoringService=service)))
    told(
        decode(
            body({"condition": {"allOf": [value, {"dimensions": value, "event": value}]}}, monitoringService=service)
        )
    )


@given(st.binary(max_size=60))
@EXAMPLES
def test_any_bytes_are_not_understood(sent: bytes) -> None:
    """Sixty bytes are no alert."""
    with contextlib.suppress(NotUnderstood):
        raise AssertionError(decode(sent))


@given(st.sampled_from(own_names()), st.integers(0, 4000), st.binary(min_size=1, max_size=3))
@EXAMPLES
def test_a_sample_with_bytes_overwritten_is_told_or_not_understood(name: str, place: int, put: bytes) -> None:
    """As a broken relay might."""
    sent = own(name)
    place %= len(sent)
    with contextlib.suppress(NotUnderstood):
        told(decode(sent[:place] + put + sent[place + len(put) :]))


@given(st.sampled_from(own_names()), st.integers(0, 4000))
@EXAMPLES
def test_a_body_that_was_cut_off_is_not_understood(name: str, length: int) -> None:
    """Half a body is no JSON."""
    sent = own(name).rstrip()
    with contextlib.suppress(NotUnderstood):
        decode(sent[: length % len(sent)])
        raise AssertionError(length)


@given(name=st.sampled_from([name for name in own_names() if "health" in name]), upper=st.booleans())
@EXAMPLES
def test_the_case_of_ids_does_not_matter_to_what_is_told(name: str, *, upper: bool) -> None:
    """Targets, and the problems made of them, are the same in capitals."""
    value = msgspec.json.decode(own(name))
    essentials = value["data"].get("essentials")
    if essentials is None:
        return
    essentials["alertTargetIDs"] = [one.upper() if upper else one.lower() for one in essentials["alertTargetIDs"]]
    other = decode(msgspec.json.encode(value))
    assert other.problem == read(name).problem
    assert references(other).resources == references(read(name)).resources
    assert subscriptions(other) == subscriptions(read(name))


def test_nested_contexts_are_told_without_an_error() -> None:
    """What the decoder of JSON cannot reach is left out of the text."""
    for depth in (50, 400, 900):
        sent = body(None).replace(b'"alertContext":null', b'"alertContext":' + b'{"a":' * depth + b"1" + b"}" * depth)
        with contextlib.suppress(NotUnderstood):
            assert Summary(decode(sent)).title()
