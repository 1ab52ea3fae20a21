"""JSON that is not as the documentation says is read as far as it can be."""

import pytest

from secure_export.alerts.members import Members, NotJson, mended, number_of, number_text, read_json


def test_members_are_found_in_any_case() -> None:
    """``SearchIntervalEndtimeUtc`` is found by whatever case it is asked for in."""
    members = Members({"SearchIntervalEndtimeUtc": " x "})
    assert members.text("searchintervalENDTIMEutc") == "x"


@pytest.mark.parametrize("value", [None, [], "text", 3, True])
def test_what_is_no_object_has_no_members(value: object) -> None:
    """Asking anything else for members gives nothing, and raises nothing."""
    members = Members(value)
    assert not members
    assert members.text("a") == ""
    assert members.objects("a") == []
    assert members.object("a").text("b") == ""
    assert members.texts("a") == ()
    assert members.time("a") is None


def test_json_inside_a_text_is_read() -> None:
    """``impactedServices`` is a list in one sample and JSON text in another."""
    as_list = Members({"x": [{"a": 1}, 2, {"a": 3}]})
    as_text = Members({"x": '[{"a": 1}, 2, {"a": 3}]'})
    assert (
        [one.text("a") for one in as_list.objects("x")] == [one.text("a") for one in as_text.objects("x")] == ["1", "3"]
    )
    assert Members({"x": '{"a": broken'}).object("x").text("a") == ""


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [
        (93.4, 93.4, "93.4"),
        ("93.4", 93.4, "93.4"),
        (100.0, 100.0, "100"),
        (31.11050001, 31.11050001, "31.1105"),
        (0.000012, 0.000012, "1.2e-05"),
        ("$11,111.00", 11111.0, "$11,111.00"),
        ("€ 812.4", 812.4, "€ 812.4"),
        (1032190976, 1032190976.0, "1032190976"),
    ],
)
def test_numbers_are_read_and_written_in_every_form(value: float | str, number: float, text: str) -> None:
    """A number may be a number, a text, or money with sign and commas."""
    members = Members({"x": value})
    assert members.number("x") == pytest.approx(number)
    assert members.text("x") == text


@pytest.mark.parametrize("value", [None, True, "", "1.111,00", "NaN", "1e999", "1" * 5000, 10**400, [1], float("inf")])
def test_what_is_no_number_is_none(value: object) -> None:
    """Nothing that could not be compared is taken for a number."""
    assert number_of(value) is None


def test_numbers_too_large_to_show_are_shortened() -> None:
    """A work item does not hold four hundred digits."""
    assert len(number_text(10**250)) < 30
    assert number_text(10**400) == "very large"


def test_what_senders_break_is_mended() -> None:
    """A byte order mark goes; bytes that are no UTF-8 and halves of surrogate pairs become U+FFFD; pairs stay."""
    body = b'\xef\xbb\xbf{"a": "\xff", "b": "cut \\ud83d", "c": "\\ud83d\\ude00", "d": "\\\\ud800"}'
    read = {"a": "\ufffd", "b": "cut \ufffd", "c": "\N{GRINNING FACE}", "d": "\\ud800"}
    assert read_json(body) == read
    assert mended(b'{"a": 1}') == b'{"a": 1}'


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe{\x00}\x00", b"[" * 100_000, b"alert"])
def test_what_cannot_be_mended_is_no_json(body: bytes) -> None:
    """Everything else says so in one way."""
    with pytest.raises(NotJson):
        read_json(body)
