"""What an answer of the instance means: pure, and the one place that knows the forms of its refusals.

Sources: ServiceNow documentation, "REST API HTTP response codes", "Table API", "Inbound REST API rate limiting";
support articles KB0778443 (a cut result with 200), KB3047080 (202), KB0635977 (429 without headers), KB0791757 (500
after commit).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from secure_export.itsm import verdict
from secure_export.itsm.answer import Answer, NotJson
from secure_export.itsm.servicenow.api.refusals import Cause, cause_of, what_to_change
from secure_export.itsm.texts import cut
from secure_export.itsm.verdict import Later, Method, NotSignedIn, NotThere, Unclear, in_doubt

_LONGEST_WORDS = 300
_RATE_HEADERS = ("retry-after", "x-ratelimit-reset", "x-ratelimit-limit")
_NO_REST = "does not represent any resource"


@dataclass(frozen=True, slots=True)
class Ok(verdict.Ok):
    """It was done.

    Attributes:
        result: ``result`` of the answer; None when it has no body, as after a deletion.
        total: ``X-Total-Count``, which is counted before access rules hide rows; None when it was not told.
    """

    result: Any
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Refused(verdict.Refused):
    """Nothing was changed, and the same will be refused again.

    Attributes:
        cause: Which kind of refusal it is.
    """

    cause: Cause = Cause.OTHER


Verdict: TypeAlias = verdict.Verdict[Ok, Refused]


def judge(answer: Answer, method: Method, *, now: datetime) -> Verdict:
    """Say what an answer means.

    Args:
        answer: What came back.
        method: What was asked with. A reading that brought nothing is simply repeated later; a change that may have
            been made is ``Unclear``.
        now: The time now.
    """
    return _Judge(answer, method, now).verdict()


@dataclass(frozen=True, slots=True)
class _Judge:
    answer: Answer
    method: Method
    now: datetime

    def verdict(self) -> Verdict:  # noqa: PLR0911 - one line for each kind of answer
        status = self.answer.status
        if status in {200, 201, 204}:
            return self._taken()
        if status == 202:  # noqa: PLR2004 - the codes of HTTP are their own names
            return self._doubt("ServiceNow only took note of the request (202), and may never carry it out")
        if status == 401:  # noqa: PLR2004
            return NotSignedIn(f"ServiceNow did not let us in (401: {self._words()})")
        if status == 404:  # noqa: PLR2004
            return self._not_found()
        if status == 429:  # noqa: PLR2004
            return self._too_many()
        if status in {400, 403, 405, 406, 409, 413, 414, 415, 422} and self._error() is not None:
            return self._refused()
        return self._doubt(f"ServiceNow answered {status}: {self._words()}")

    def _taken(self) -> Verdict:
        if self.answer.status == 204 and self.method is Method.DELETE:  # noqa: PLR2004
            return Ok(None, server_time=self.answer.server_time)
        try:
            body = self.answer.json()
        except NotJson:
            return self._doubt(self._page())
        if not isinstance(body, dict) or body.get("error"):
            return self._doubt(f"ServiceNow answered {self.answer.status} with an error inside: {self._words()}")
        if "result" not in body or body["result"] is None:
            return self._doubt(f"ServiceNow answered {self.answer.status} without a result")
        return Ok(body["result"], self._total(), server_time=self.answer.server_time)

    def _not_found(self) -> Verdict:
        if self._error() is None:
            return self._doubt(f"ServiceNow answered 404 with no word of ServiceNow's: {self._words()}")
        words = self._words()
        if _NO_REST in words:
            return self._refused()
        return NotThere(f"there is no such record, or an access rule hides it ({words})")

    def _too_many(self) -> Verdict:
        asked = self.answer.asked_until(self.now)
        if asked is not None or any(name in self.answer.headers for name in _RATE_HEADERS):
            return Later(f"ServiceNow's rate limit is used up ({self._words()}); see sys_rate_limit_rules", asked)
        return self._doubt(
            "ServiceNow has more requests waiting than it takes (429); its semaphores are all in use", asked
        )

    def _refused(self) -> Refused:
        words = self._words()
        cause = cause_of(words)
        return Refused(f"ServiceNow refused with {self.answer.status}: {words}. {what_to_change(cause, words)}", cause)

    def _doubt(self, reason: str, asked: datetime | None = None) -> Later | Unclear:
        if asked is None and self.answer.status in {429, 503}:
            asked = self.answer.asked_until(self.now)
        return in_doubt(reason, self.method, asked)

    def _total(self) -> int | None:
        text = self.answer.headers.get("x-total-count", "").strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None  # noqa: PLR2004 - 64 bits

    def _error(self) -> dict[str, Any] | None:
        try:
            body = self.answer.json()
        except NotJson:
            return None
        error = body.get("error") if isinstance(body, dict) else None
        return error if isinstance(error, dict) else {"message": error} if isinstance(error, str) and error else None

    def _words(self) -> str:
        """The instance's own words, shortened."""
        error = self._error()
        if error is None:
            return self._page() if self.answer.body.strip() else "no words"
        parts = (" ".join(str(error.get(name) or "").split()) for name in ("message", "detail"))
        text = " / ".join(part for part in parts if part) or "no words"
        return cut(text, _LONGEST_WORDS, size=len)

    def _page(self) -> str:
        """What an answer that is no JSON looks like."""
        text = self.answer.text[:20_000].lower()
        if "hibernat" in text:
            return "the instance is hibernating: wake it up in the developer portal"
        if "<html" in text or "html" in self.answer.headers.get("content-type", ""):
            return "a web page instead of JSON; is the url the instance's own, and is there a proxy or a sign-on page?"
        return "something that is no JSON"
