"""What answers of an AR server mean: the forms of its refusals, its outages and its guests."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.itsm.bmc_helix.fake_ar import error
from tests.unit.itsm.scripted import NOW, answer

from secure_export.itsm.answer import Answer
from secure_export.itsm.bmc_helix.api.ar_errors import ERRORS, Answered, Cause
from secure_export.itsm.bmc_helix.api.verdict import Ok, Refused, Verdict, judge
from secure_export.itsm.verdict import Later, Method, NotSignedIn, NotThere, Unclear

READ, WRITE = Method.GET, Method.PUT
RSSO = "<html><body>Since your browser does not support JavaScript, you must press the button.</body></html>"
GUEST = '[{"messageType":"WARNING","messageNumber":59,"messageText":"login failed: guest"}]'


def judged(answer: Answer, method: Method = WRITE) -> Verdict:
    return judge(answer, method, now=NOW)


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        (Method.GET, answer(200, {"entries": []})),
        (Method.OPTIONS, answer(200, {"fields": []})),
        (Method.POST, answer(201, {"values": {}})),
        (Method.POST, answer(201, location="https://x/api/arsys/v1/entry/HPD:WorkLog/1")),
        (Method.POST, answer(204)),
        (Method.PUT, answer(204)),
        (Method.DELETE, answer(204)),
    ],
)
def test_what_was_done(method: Method, answer: Answer) -> None:
    """The good answers of each method, with and without a body."""
    assert isinstance(judged(answer, method), Ok)


@pytest.mark.parametrize(
    "answer",
    [
        answer(200, "<html>login</html>", content_type="text/html"),
        answer(200, {"message": "Access forbidden", "code": 403, "transient": False}),
        answer(200, [{"messageType": "ERROR", "messageNumber": 93, "messageText": "x"}]),
        answer(200, "rubbish"),
        answer(202),
        answer(302, location="https://elsewhere"),
        answer(404, "<html>Jetty</html>"),
        answer(500),
        answer(500, []),
        answer(500, [None]),
        answer(500, "<html>error</html>"),
        answer(500, "Failed to login. Please contact the Administrator."),
        answer(500, {"message": "x", "code": 500, "transient": True}),
        answer(502, "<html>bad gateway</html>"),
        answer(503),
        answer(504),
        *(error(number) for number in (90, 91, 92, 93, 94, 552)),
    ],
)
def test_what_says_nothing_sure(answer: Answer) -> None:
    """A read is made again later; a write may have been done."""
    assert isinstance(judged(answer, READ), Later)
    assert isinstance(judged(answer, WRITE), Unclear)
    assert isinstance(judged(answer, Method.POST), Unclear)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (error(1291053, "", "The Assignee must be set to move past Assigned."), Cause.ASSIGNEE),
        (error(1291053, "", "A Status Reason is required."), Cause.STATUS_REASON),
        (error(310, "wrong type", "Status_Reason : X", status=400), Cause.STATUS_REASON),
        (error(306, "outside limits", "Description : 100"), Cause.VALUE),
        (error(307, "Required field (without a default) not specified", "Company"), Cause.REQUIRED),
        (error(311, "no such field", "company", status=400), Cause.FIELD),
        (error(330, "no write access", "Assignee", status=403), Cause.PERMISSION),
        (error(353, "no access to form", status=403), Cause.PERMISSION),
        (error(303, "no such form", status=404), Cause.FORM),
        (error(382, "unique index"), Cause.DUPLICATE),
        (error(48000, "", "Own rule of the site"), Cause.WORKFLOW),
        (
            error(
                1291053, "", "Multiple records have been found for the Incident contact information you have provided"
            ),
            Cause.CUSTOMER,
        ),
        (answer(403, {"message": "Access forbidden", "code": 403, "transient": False}), Cause.TRANSPORT),
    ],
)
def test_what_is_refused(answer: Answer, cause: Cause) -> None:
    """A list of messages is a refusal, whatever the status: nothing was changed, and it is in BMC's own words."""
    found = judged(answer)
    assert isinstance(found, Refused), found
    assert found.cause is cause
    assert found.words in found.reason


def test_all_messages_are_told() -> None:
    """A refusal repeats every message, and both of its texts."""
    one = {"messageType": "ERROR", "messageText": "First", "messageAppendedText": "more", "messageNumber": 48000}
    two = {"messageType": "ERROR", "messageText": "Second", "appendedText": "and more", "messageNumber": 48001}
    found = judged(answer(500, [one, None, two]))
    assert isinstance(found, Refused)
    assert all(text in found.reason for text in ("48000", "First", "more", "48001", "Second", "and more"))


@pytest.mark.parametrize(
    ("appended", "named"),
    [
        ("Company", ("Company",)),
        ("HPD:IncidentInterface_Create : Company", ("Company",)),
        ("'Service Type'", ("Service Type",)),
        ('The field "Reported Source"', ("Reported Source",)),
        ("", ()),
    ],
)
def test_missing_fields_are_named(appended: str, named: tuple[str, ...]) -> None:
    """What is missing is read from the message, in the forms that versions have."""
    found = judged(error(307, "Required field (without a default) not specified", appended))
    assert isinstance(found, Refused)
    assert found.fields == named


def test_a_sentence_of_theirs_ends_once() -> None:
    """Their full stop and ours are one."""
    found = judged(answer(500, [{"messageType": "ERROR", "messageText": "Set the Assignee.", "messageNumber": 48000}]))
    assert isinstance(found, Refused)
    assert "Assignee." in found.reason
    assert ".." not in found.reason


@pytest.mark.parametrize("status", [404, 500])
def test_what_is_not_there(status: int) -> None:
    """302 is the number of it; a page of the web server is not."""
    assert isinstance(judged(error(302, status=status), READ), NotThere)


@pytest.mark.parametrize(
    "answer",
    [
        error(623, "Authentication failed", status=401),
        error(623, "Authentication failed", status=500),
        answer(401, RSSO, content_type="text/html"),
        answer(401),
    ],
)
def test_who_is_not_let_in(answer: Answer) -> None:
    """Nothing was changed, and another log-in may help."""
    assert isinstance(judged(answer), NotSignedIn)


def test_a_guest_is_nobody() -> None:
    """200 with the message 59 in the header: a read is nothing worth, and a write may have been done by a guest."""
    assert isinstance(judged(answer(200, {"entries": []}, x_ar_messages=GUEST), READ), NotSignedIn)
    assert isinstance(judged(answer(204, x_ar_messages=GUEST)), Unclear)


@pytest.mark.parametrize("number", [9093, 309, 9965])
def test_what_can_be_tried_again(number: int) -> None:
    """Another session, or a change at the same time: nothing was changed."""
    assert isinstance(judged(error(number)), Later)


def test_too_many_says_when() -> None:
    """The time that is asked for is kept."""
    found = judged(answer(429, retry_after="30"))
    assert isinstance(found, Later)
    assert found.not_before is not None
    assert (found.not_before - NOW).total_seconds() == 30


def test_more_than_is_given_is_told() -> None:
    """The warning 66 in the header of a good answer says that records are missing."""
    warning = '[{"messageType":"WARNING","messageNumber":66,"messageText":"more entries"}]'
    found = judged(answer(200, {"entries": []}, x_ar_messages=warning), READ)
    assert isinstance(found, Ok)
    assert found.cut


def test_doubt_goes_before_refusal() -> None:
    """A time-out among other errors leaves a write in doubt."""
    both = [
        {"messageType": "ERROR", "messageText": "", "messageNumber": 48000},
        {"messageType": "ERROR", "messageText": "", "messageNumber": 92},
    ]
    assert isinstance(judged(answer(500, both)), Unclear)


def test_notes_do_not_decide() -> None:
    """What goes with an error as a note changes nothing of it."""
    both = [
        {"messageType": "NOTE", "messageText": "logged", "messageNumber": 8914},
        {"messageType": "ERROR", "messageText": "", "messageNumber": 9093},
    ]
    assert isinstance(judged(answer(500, both)), Later)


@pytest.mark.parametrize("entry", ERRORS, ids=lambda entry: str(entry.number))
def test_the_table_is_obeyed(entry: Any) -> None:
    """Each number of the table is answered as the table says."""
    kinds: dict[Answered, type[Any]] = {
        Answered.REFUSED: Refused,
        Answered.NOT_THERE: NotThere,
        Answered.LATER: Later,
        Answered.IN_DOUBT: Unclear,
        Answered.NOT_SIGNED_IN: NotSignedIn,
    }
    assert isinstance(judged(error(entry.number, "words")), kinds[entry.answered])
    assert len([one for one in ERRORS if one.number == entry.number]) == 1


@settings(max_examples=150)
@given(
    status=st.sampled_from([200, 201, 204, 301, 400, 401, 403, 404, 405, 412, 429, 500, 502, 503, 504, 599]),
    body=st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["messageNumber", "messageText", "code", "message", "values"]), inner, max_size=3
                )
            ),
            max_leaves=6,
        ),
    ),
    method=st.sampled_from(list(Method)),
)
def test_no_answer_is_a_surprise(status: int, body: Any, method: Method) -> None:
    """Whatever comes, it is judged; and nothing with an error's status counts as done."""
    told = Answer(status, {}, body) if isinstance(body, bytes) else answer(status, body)
    found = judged(told, method)
    if status >= 300:
        assert not isinstance(found, Ok)
