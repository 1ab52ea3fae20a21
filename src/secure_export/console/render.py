"""Pages made of templates. Everything is escaped, so that what alerts say is text and nothing else."""

from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import Response

from secure_export import __version__
from secure_export.clock import Clock
from secure_export.console import present
from secure_export.console.access import Visitor
from secure_export.console.answers import Trouble

NOTICE = "done"
_NOTICES = {
    "retried": "The lane is ready: it is tried again now.",
    "replayed": "The notification left quarantine and is on its way.",
    "comment": "Your comment is in the timeline.",
    "assign": "The assignment is kept.",
    "state": "The state is kept.",
    "rate": "Impact and urgency are kept; the priority follows from them.",
}
_TITLES = {
    400: "This cannot be used",
    401: "You are not known here",
    403: "You may not do this",
    404: "There is nothing here",
    409: "This cannot be done now",
    503: "Please try again",
}


class Renderer:
    """Makes pages.

    Args:
        clock: The time, for ages.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._templates = Environment(
            loader=PackageLoader("secure_export.console"), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.filters |= {
            "machine_time": present.machine_text,
            "utc": present.utc_text,
            "short_time": present.short_time,
            "age": lambda value: present.age(value, clock()),
            "duration": present.duration,
            "segment": present.segment,
            "web_link": present.web_link,
            "short_name": present.short_name,
        }
        self._templates.globals |= {
            "PRIORITIES": present.PRIORITIES,
            "LEVELS": present.LEVELS,
            "SEVERITIES": present.SEVERITIES,
            "version": __version__,
        }

    def page(
        self, request: Request, visitor: Visitor | None, template: str, status: int = 200, **values: Any
    ) -> Response:
        """Make a page.

        Args:
            request: What is answered.
            visitor: Who looks; None: somebody who was not let in.
            template: The template's file name.
            status: The HTTP status.
            values: What the template shows.
        """
        notice = _NOTICES.get(request.query_params.get(NOTICE, ""), "")
        text = self._templates.get_template(template).render(
            values, visitor=visitor, notice=notice, path=request.scope["path"], now=self._clock()
        )
        return Response(text, status, {"cache-control": "no-store"}, "text/html; charset=utf-8")

    def trouble(self, request: Request, trouble: Trouble) -> Response:
        """Make the page that says what went wrong and what to do."""
        title = _TITLES.get(trouble.status, "This failed")
        answer = self.page(request, None, "trouble.html", trouble.status, title=title, trouble=trouble)
        answer.headers.update(trouble.headers)
        return answer


def query_text(values: dict[str, Any]) -> str:
    """Write filters as they stand in an address, empty ones left out."""
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()}
    return urlencode({name: text for name, text in texts.items() if text})
