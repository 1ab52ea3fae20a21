"""One request to the stand-in, whole, and the answers that come up again and again."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import msgspec

from secure_export.sandbox.bmc_helix.errors import ArError, bad_body
from secure_export.sandbox.call import SegmentedCall
from secure_export.sandbox.reply import Reply, html_reply, json_reply

VERSIONS: Final = frozenset({"v1", "v1.0"})
_ENTRY: Final = ("api", "arsys")
_TEXT: Final = "text/plain;charset=UTF-8"
_OF_SECRETS: Final = frozenset({"password", "authString"})


@dataclass(frozen=True)
class Call(SegmentedCall):
    """A request."""

    @cached_property
    def form(self) -> str:
        """The form that it is about, if it is for the entry API; else empty."""
        return self.segments[4] if self._of_forms and len(self.segments) > 4 else ""  # noqa: PLR2004 - see segments

    @cached_property
    def entry_id(self) -> str:
        """The entry that it is about, if it is for the entry API and names one; else empty."""
        return self.segments[5] if self._of_forms and len(self.segments) > 5 else ""  # noqa: PLR2004 - see segments

    @property
    def _of_forms(self) -> bool:
        return self.segments[:2] == _ENTRY and self.segments[3:4] in (("entry",), ("mergeEntry",))

    @property
    def name(self) -> str:
        """What like requests are counted under: method and path, ids left out, one spelling of the version."""
        segments = ["v1" if one in VERSIONS else one for one in self.segments]
        if self.entry_id:
            segments[5] = "{id}"
        elif self.segments[:2] == ("api", "cmdb") and len(segments) > 7:  # noqa: PLR2004 - an instance's id
            segments[7] = "{id}"
        return f"{self.method} /{'/'.join(segments)}"

    @property
    def shown_query(self) -> str:
        """Its query string without passwords."""
        parts = self.query.split("&") if self.query else []
        return "&".join("password=…" if part.partition("=")[0] in _OF_SECRETS else part for part in parts)

    def document(self) -> dict[str, Any]:
        """Read the body.

        Raises:
            ArError: It is no JSON object.
        """
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except msgspec.DecodeError as problem:
            raise bad_body(str(problem)) from None


def refused(refusal: ArError) -> Reply:
    """Answer with a refusal."""
    return json_reply(refusal.status, refusal.as_json())


def text_reply(status: int, text: str) -> Reply:
    """Make an answer of plain text."""
    return Reply(status).with_body(text.encode(), _TEXT)


def jetty_page(status: int, words: str) -> Reply:
    """Answer as the web server does when no API takes a request."""
    head = f"<html><head><title>Error {status} {words}</title></head>"
    return html_reply(status, f"{head}<body><h2>HTTP ERROR {status} {words}</h2></body></html>")
