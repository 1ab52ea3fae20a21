"""What parts that call a tool need of the one HTTP helper, so that tests can answer in place of the network."""

from collections.abc import Mapping
from typing import Any, Protocol

from secure_export.itsm.answer import Answer


class Requests(Protocol):
    """What is needed of ``secure_export.itsm.http.Http``."""

    async def request(  # noqa: PLR0913 - what an HTTP request consists of
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as Http has it
    ) -> Answer:
        """Make a request; see ``Http.request``."""
        ...
