"""What an answer of the instance means: facts, section 5, line by line."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.itsm.answer import Answer
from secure_export.itsm.servicenow.api.refusals import Cause
from secure_export.itsm.servicenow.api.verdict import Ok, Refused, Verdict, judge
from secure_export.itsm.verdict import Later, Method, NotSignedIn, NotThere, Unclear

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WRITES = (Method.POST, Method.PATCH, Method.DELETE)
ABORTED = (
    "Operation against file 'incident' was aborted by Business Rule 'No Sunday^4d3e'. Business Rule Stack:No Sunday"
)
UNIQUE = "Unique Key violation detected by database ((conn=1) Duplicate entry 'x' for key 'PRIMARY')"
POLICY = "Data Policy Exception: The following fields are mandatory: Resolution code, Resolution notes"
CUT = {
    "result": [{"sys_id": "1"}],
    "error": {
        "message": "Transaction cancelled: maximum execution time exceeded",
        "detail": "Check logs for error trace or enable glide.rest.debug property to verify REST request processing",
    },
    "status": "failure",
}
HTML = b"<!DOCTYPE html><html><body>Sign in</body></html>"
HIBERNATING = b"<html><title>Hibernating Instance</title></html>"


def failure(message: str, detail: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "detail": detail}, "status": "failure"}


def answer(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Answer(status, {"content-type": "application/json", **(headers or {})}, data)


def verdict(method: Method, status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Verdict:
    return judge(answer(status, body, headers), method, now=NOW)


def test_success_is_a_result_and_no_error() -> None:
    """2xx with JSON, with a result and without an error is a success; the count before access rules is kept."""
    told = verdict(Method.GET, 200, {"result": []}, {"x-total-count": "7", "date": "Sun, 01 Mar 2026 11:59:00 GMT"})
    assert told == Ok([], 7, server_time=datetime(2026, 3, 1, 11, 59, tzinfo=UTC))
    assert verdict(Method.POST, 201, {"result": {"sys_id": "1"}}) == Ok({"sys_id": "1"})
    assert verdict(Method.DELETE, 204) == Ok(None)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, CUT, "maximum execution time"),
        (200, HTML, "web page"),
        (200, HIBERNATING, "hibernating"),
        (200, b"", "no JSON"),
        (200, b'{"result": {"sys', "no JSON"),
        (200, {}, "without a result"),
        (200, {"result": None}, "without a result"),
        (200, [1], "error inside"),
        (204, None, "no JSON"),
        (202, {"result": {"sys_id": "1"}}, "never carry it out"),
        (301, None, "301"),
        (302, HTML, "302"),
        (408, None, "408"),
        (429, None, "429"),
        (500, failure("Transaction cancelled", None), "Transaction cancelled"),
        (500, HTML, "web page"),
        (502, HTML, "502"),
        (503, HTML, "503"),
        (504, None, "504"),
        (403, HTML, "403"),
        (404, HTML, "404"),
        (414, HTML, "414"),
        (418, None, "418"),
    ],
)
def test_what_tells_nothing_is_later_for_readings_and_unclear_for_changes(status: int, body: Any, words: str) -> None:
    """An answer in doubt: a reading is repeated, a change may have been made, so that a look comes first."""
    told = verdict(Method.GET, status, body)
    assert isinstance(told, Later)
    assert words in told.reason
    for method in WRITES[:2]:
        told = verdict(method, status, body)
        assert isinstance(told, Unclear)
        assert words in told.reason


@pytest.mark.parametrize(
    ("status", "words", "cause", "hint"),
    [
        (403, ("Operation Failed", "ACL Exception Insert Failed due to security constraints"), Cause.ACL, "role"),
        (403, ("Operation Failed", "ACL Exception Update Failed due to security constraints"), Cause.ACL, "ACL"),
        (403, ("Operation Failed", POLICY), Cause.DATA_POLICY, "Resolution code"),
        (403, ("Operation Failed", ABORTED), Cause.BUSINESS_RULE, "'No Sunday'"),
        (403, ("Insufficient rights to query records", None), Cause.ACL, "role"),
        (403, ("User Not Authorized", "Access to unscoped api is not allowed"), Cause.SCOPE, "useraccount"),
        (403, ("Missing required api access scope", None), Cause.SCOPE, "scope"),
        (400, ("Invalid table incidnet", None), Cause.TABLE, "work_item"),
        (400, ("Requested URI does not represent any resource", "/x"), Cause.ADDRESS, "url"),
        (404, ("Requested URI does not represent any resource", "/x"), Cause.ADDRESS, "url"),
        (403, ("Operation Failed", UNIQUE), Cause.DUPLICATE, "unique index"),
        (405, ("Method not allowed", None), Cause.OTHER, "log"),
        (415, ("Unsupported media type", None), Cause.OTHER, "log"),
    ],
)
@pytest.mark.parametrize("method", [Method.GET, Method.POST, Method.PATCH])
def test_a_refusal_is_told_in_its_own_words_and_says_what_to_change(
    method: Method, status: int, words: tuple[str, str | None], cause: Cause, hint: str
) -> None:
    """What ServiceNow will refuse again is refused, with its words and the names an administrator needs."""
    told = verdict(method, status, failure(*words))
    assert isinstance(told, Refused)
    assert told.cause is cause
    assert hint in told.reason
    assert words[0] in told.reason


def test_a_missing_record_is_not_there() -> None:
    """404 says that there is no record, or that it is hidden: the caller has to find out which."""
    body = failure("No Record found", "Record doesn't exist or ACL restricts the record retrieval")
    for method in (Method.GET, *WRITES):
        assert isinstance(verdict(method, 404, body), NotThere)


def test_a_stranger_is_not_signed_in() -> None:
    """401 is neither refused nor unclear: new credentials may help, and nothing was changed."""
    body = failure("User Not Authenticated", "Required to provide Auth information")
    for method in (Method.GET, *WRITES):
        told = verdict(method, 401, body, {"www-authenticate": 'BASIC realm="Service-now"'})
        assert isinstance(told, NotSignedIn)
        assert "User Not Authenticated" in told.reason


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": "Sun, 01 Mar 2026 12:02:00 GMT"}, 120),
        ({"x-ratelimit-limit": "100", "x-ratelimit-reset": str(int(NOW.timestamp()) + 60)}, 60),
        ({"x-ratelimit-limit": "100"}, None),
    ],
)
@pytest.mark.parametrize("method", [Method.GET, Method.POST])
def test_a_rate_limit_is_obeyed(method: Method, headers: dict[str, str], wait: int | None) -> None:
    """429 with rate headers changed nothing, and says when to come back."""
    told = verdict(method, 429, failure("Rate limit exceeded", "Rate limit of 100 requests per hour exceeded"), headers)
    assert isinstance(told, Later)
    assert told.not_before == (None if wait is None else NOW + timedelta(seconds=wait))


def test_a_semaphore_that_is_full_leaves_doubt() -> None:
    """429 without rate headers comes from another place in the instance: a change may have been taken."""
    assert isinstance(verdict(Method.POST, 429, failure("Too many requests")), Unclear)
    assert isinstance(verdict(Method.GET, 429, failure("Too many requests")), Later)


def test_an_outage_may_say_when_it_ends() -> None:
    """503 with Retry-After is waited for by those who read."""
    told = verdict(Method.GET, 503, HTML, {"retry-after": "30"})
    assert isinstance(told, Later)
    assert told.not_before == NOW + timedelta(seconds=30)


def test_long_words_are_shortened() -> None:
    """A reason stays readable, however much the instance says."""
    told = verdict(Method.POST, 403, failure("x" * 10_000, "y" * 10_000))
    assert isinstance(told, Refused)
    assert len(told.reason) < 600


@given(
    status=st.integers(100, 599),
    body=st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["result", "error", "message", "detail"]), inner, max_size=3)
            ),
            max_leaves=6,
        ).map(lambda value: json.dumps(value).encode()),
    ),
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "x-total-count", "content-type", "date", "x-ratelimit-reset"]),
        st.text(max_size=12),
        max_size=3,
    ),
    method=st.sampled_from(list(Method)),
)
@settings(max_examples=100)
def test_nothing_that_comes_back_raises(status: int, body: bytes, headers: dict[str, str], method: Method) -> None:
    """Whatever bytes come back have a meaning; only 2xx is a success, and a reading leaves no doubt behind."""
    told = judge(Answer(status, headers, body), method, now=NOW)
    assert not isinstance(told, Ok) or status in {200, 201, 204}
    assert not (isinstance(told, Unclear) and method is Method.GET)
