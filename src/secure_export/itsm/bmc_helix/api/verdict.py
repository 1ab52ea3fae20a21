"""What an answer of the AR server means: pure, and the one place that knows the forms of its refusals.

Errors are a list of messages, but not always: a sign-on page or the web server's own page in HTML (with 200, too), an
object ``{message, code, transient}``, or plain text (fixtures of published clients). A status of 500 with a list is
what ITSM's workflow answers when it refuses; without one it is an outage.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from secure_export.itsm import verdict
from secure_export.itsm.answer import Answer, NotJson
from secure_export.itsm.bmc_helix.api.ar_errors import Answered, Cause, Judged, judged
from secure_export.itsm.bmc_helix.api.ar_messages import HEADER, ArMessage, messages_in_header, messages_of, told
from secure_export.itsm.texts import cut
from secure_export.itsm.verdict import READS, Later, Method, NotSignedIn, NotThere, Unclear, in_doubt

_GUEST = 59
_TRUNCATED = 66
_LONGEST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Ok(verdict.Ok):
    """It was done.

    Attributes:
        body: The decoded body; None when there is none.
        location: Where the new record is, as the server names it; empty when it does not.
        cut: Whether the server says that it has more than it gives.
    """

    body: Any = None
    location: str = ""
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Refused(verdict.Refused):
    """Nothing was changed, and the same will be refused again.

    Attributes:
        cause: Which kind of refusal it is.
        fields: The fields that it names as missing.
        words: BMC's own words alone.
    """

    cause: Cause = Cause.WORKFLOW
    fields: tuple[str, ...] = ()
    words: str = ""


Verdict: TypeAlias = verdict.Verdict[Ok, Refused]


def judge(answer: Answer, method: Method, *, now: datetime) -> Verdict:
    """Say what an answer means.

    Args:
        answer: The answer.
        method: The method of the request.
        now: The time now.
    """
    return _Judging(answer, method, now).verdict()


@dataclass(frozen=True, slots=True)
class _Judging:
    answer: Answer
    method: Method
    now: datetime

    def verdict(self) -> Verdict:
        header = messages_in_header(self.answer.headers.get(HEADER, ""))
        if any(one.number == _GUEST for one in header):
            reason = f"BMC took us for a guest, who may do nothing here: {told(header)}"
            return NotSignedIn(reason) if self.method in READS else Unclear(reason)
        status = self.answer.status
        if status in {200, 201, 204}:
            return self._taken(header)
        if status == 401:  # noqa: PLR2004 - the codes of HTTP are their own names
            return NotSignedIn(f"BMC did not let us in (401: {self._words()})")
        if status == 429:  # noqa: PLR2004
            return Later(f"BMC has had enough for now (429: {self._words()})", self.answer.asked_until(self.now))
        messages = self._messages()
        if messages:
            return self._by_messages(messages)
        return self._without_messages(status)

    def _taken(self, header: tuple[ArMessage, ...]) -> Verdict:
        body = None
        if self.answer.body.strip():
            try:
                body = self.answer.json()
            except NotJson:
                return self._doubt(f"BMC answered {self.answer.status} with {self._page()}")
        if self.method in READS:
            if not isinstance(body, dict | list) or (isinstance(body, dict) and _is_error(body)):
                return self._doubt(f"BMC answered {self.answer.status} with something that is no record")
        elif self.answer.status == 200 and self.method is Method.POST and not isinstance(body, dict):  # noqa: PLR2004
            return self._doubt("BMC answered 200 to a create, without the record")
        if isinstance(body, dict) and _is_error(body):
            return self._doubt(f"BMC answered {self.answer.status} with an error inside: {self._words()}")
        messages = messages_of(body) or ()
        if messages:
            return self._doubt(f"BMC answered {self.answer.status} with messages inside: {told(messages)}")
        more = any(one.number == _TRUNCATED for one in header)
        location = self.answer.headers.get("location", "")
        return Ok(body, location, cut=more, server_time=self.answer.server_time)

    def _by_messages(self, messages: tuple[ArMessage, ...]) -> Verdict:
        found = judged(messages)
        said = told(messages)
        match found.answered:
            case Answered.REFUSED:
                return self._refused(found, said)
            case Answered.NOT_THERE:
                return NotThere(f"BMC has no such record ({said})")
            case Answered.LATER:
                more = f". {found.to_do}" if found.to_do else ""
                return Later(f"BMC cannot do it now ({said}){more}", self.answer.asked_until(self.now))
            case Answered.NOT_SIGNED_IN:
                return NotSignedIn(f"BMC did not let us in ({said})")
            case Answered.IN_DOUBT:
                return self._doubt(f"BMC answered {self.answer.status}: {said}")

    def _refused(self, found: Judged, said: str) -> Refused:
        missing = f" Missing: {', '.join(found.fields)}." if found.fields else ""
        reason = f"BMC refused with {self.answer.status}: {said.rstrip('.')}.{missing} {found.to_do}".strip()
        return Refused(reason, found.cause, found.fields, said)

    def _without_messages(self, status: int) -> Verdict:
        if status == 403 and self._object() is not None:  # noqa: PLR2004
            return Refused(
                f"BMC refused with 403: {self._words()}. The server takes no REST calls over http://: use https://, or "
                "let the user call the REST API",
                Cause.TRANSPORT,
                words=self._words(),
            )
        if status == 404:  # noqa: PLR2004
            return self._doubt(
                f"BMC answered 404 with {self._page()}; is the url that of the REST API (https://…-restapi.onbmc.com, "
                "or port 8443), and not that of the Mid Tier?"
            )
        return self._doubt(f"BMC answered {status}: {self._words()}")

    def _doubt(self, reason: str) -> Later | Unclear:
        asked = self.answer.asked_until(self.now) if self.answer.status in {429, 503} else None
        return in_doubt(reason, self.method, asked)

    def _messages(self) -> tuple[ArMessage, ...]:
        try:
            return messages_of(self.answer.json()) or ()
        except NotJson:
            return ()

    def _object(self) -> dict[str, Any] | None:
        try:
            body = self.answer.json()
        except NotJson:
            return None
        return body if isinstance(body, dict) else None

    def _words(self) -> str:
        """The server's own words, shortened."""
        if messages := self._messages():
            return told(messages)
        found = self._object()
        text = " ".join(str(found.get("message") or found.get("error") or "").split()) if found else ""
        if not text:
            return self._page()
        return cut(text, _LONGEST_WORDS, size=len)

    def _page(self) -> str:
        """What an answer looks like that has no messages."""
        text = self.answer.text[:20_000]
        if not text.strip():
            return "no words"
        if "<html" in text.lower() or "html" in self.answer.headers.get("content-type", ""):
            return "a web page instead of JSON; is the url that of the REST API, and is there a sign-on page before it?"
        plain = " ".join(text.split())
        if "json" in self.answer.headers.get("content-type", "") or plain[:1] in {"{", "["}:
            return "something that nobody can read"
        return f"a text instead of JSON ({plain[:120]!r})"


def _is_error(body: dict[str, Any]) -> bool:
    """Whether an object is what the web server in front says, and no record."""
    return "code" in body and "message" in body and "values" not in body and "entries" not in body
