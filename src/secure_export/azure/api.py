"""Calls Microsoft Graph and Azure Resource Manager: signed in, throttled as they ask, errors of both forms read."""

import json as json_text
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import (
    AsyncBearerTokenCredentialPolicy,
    AsyncRetryPolicy,
    HeadersPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest

from secure_export import __version__
from secure_export.azure.credentials import Credential
from secure_export.azure.errors import AzureRefused, AzureUnreachable, ConnectionBroken

_LONGEST_SAID = 500
_CONNECT_SECONDS = 10.0
_READ_SECONDS = 60.0
_MOST_TRIES = 8
_MOST_CONNECTS = 4  # about ten seconds: a wrong address shall not look like patience
_NOT_RETRIED = {"POST", "PATCH"}  # not by azure-core: they may have been done, which only the caller can find out
_WAITS = {429, 500, 502, 503, 504}
Waits = Callable[[str, int, str | None], None]
_LONGEST_PAUSE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """What an API answered with a status below 400.

    Attributes:
        status: HTTP's status.
        headers: Its header fields, found in any case.
        body: The JSON; None where there was none.
    """

    status: int
    headers: Mapping[str, str]
    body: Any

    def header(self, name: str) -> str | None:
        """Give a header field; None where there is none."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)


class AzureApi:
    """One of Azure's two APIs.

    Args:
        url: Its address, without path.
        scope: What a token for it is asked with.
        credential: Who signs in.
        most_tries: How many times a call is made at most while the API asks to wait or does not answer.
        waits: Told of each answer after which a call is made again: host, status, and seconds if the API named them.

    Attributes:
        url: Its address, without path.
    """

    def __init__(self, url: str, scope: str, credential: Credential, *, most_tries: int = _MOST_TRIES,
                 waits: Waits | None = None) -> None:  # fmt: skip
        self.url = url.rstrip("/")
        self._plain = url.startswith("http://")
        self._client: AsyncPipelineClient[HttpRequest, AsyncHttpResponse] = AsyncPipelineClient(
            self.url,
            policies=[
                HeadersPolicy(),
                UserAgentPolicy(base_user_agent=f"secure-export/{__version__}"),
                AsyncRetryPolicy(
                    retry_total=most_tries,
                    retry_status=most_tries,
                    retry_connect=_MOST_CONNECTS,
                    retry_backoff_max=_LONGEST_PAUSE_SECONDS,
                ),
                _Told(waits),
                AsyncBearerTokenCredentialPolicy(credential, scope),  # type: ignore[arg-type] # get_token is all it calls
            ],
            transport=AioHttpTransport(),
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make one call, again while the API asks to wait.

        Args:
            method: HTTP's method.
            path: The path, or a whole address that this API gave (as for the next page).
            query: Parameters.
            json: The body.
            headers: Further header fields.

        Raises:
            AzureRefused: The API answered with an error.
            AzureUnreachable: There was no answer.
            NotSignedIn: There is no token.
        """
        request = HttpRequest(
            method, self._address(path), params=dict(query or {}), json=json, headers=dict(headers or {})
        )
        try:
            response = await self._client.send_request(
                request,
                connection_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                enforce_https=not self._plain,
                stream=False,
            )
            text = response.text()
        except AzureError as error:
            kind = ConnectionBroken if method in _NOT_RETRIED else AzureUnreachable
            raise kind(f"{method} {self.url}: {_first_line(error)}; ask again later") from None
        body = _json_of(text)
        if response.status_code >= 400:  # noqa: PLR2004 - where HTTP's errors begin
            code, said, request_id = read_error(body)
            request_id = request_id or response.headers.get("x-ms-request-id", "")
            raise AzureRefused(
                response.status_code, code, said or text[:_LONGEST_SAID], request_id=request_id,
                doing=f"{method} {urlsplit(request.url).path}",
            )  # fmt: skip
        return Answer(response.status_code, dict(response.headers), body)

    async def items(
        self, path: str, *, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Go through a list, page by page; raises what ``call`` raises."""
        answer = await self.call("GET", path, query=query, headers=headers)
        while True:
            for item in answer.body.get("value", ()):
                yield item
            following = answer.body.get("@odata.nextLink") or answer.body.get("nextLink")
            if not following:
                return
            answer = await self.call("GET", following, headers=headers)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    def _address(self, path: str) -> str:
        """Make a whole address; one that leads elsewhere would carry the token there, and is refused."""
        if not path.startswith(("http://", "https://")):
            return f"{self.url}/{path.lstrip('/')}"
        ours, theirs = urlsplit(self.url), urlsplit(path)
        if (ours.scheme, ours.netloc.lower()) != (theirs.scheme, theirs.netloc.lower()):
            raise AzureUnreachable(f"{self.url} sent us to another host ({theirs.hostname}), which is not called")
        return path


class _Told(SansIOHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Tells of answers after which azure-core's retry policy makes a call again."""

    def __init__(self, waits: Waits | None) -> None:
        self._waits = waits

    def on_response(self, request: Any, response: Any) -> None:
        answer = response.http_response
        if self._waits is not None and answer.status_code in _WAITS:
            host = urlsplit(request.http_request.url).hostname or ""
            self._waits(host, answer.status_code, answer.headers.get("Retry-After"))


def read_error(body: Any) -> tuple[str, str, str]:
    """Read code, message and request id out of either form: ``{"error": {…}}``, or ``{"code", "message"}`` alone."""
    if not isinstance(body, dict):
        return "", "", ""
    error = body["error"] if isinstance(body.get("error"), dict) else body
    inner = error.get("innerError") or error.get("innererror") or {}
    request_id = inner.get("request-id", "") if isinstance(inner, dict) else ""
    return str(error.get("code") or ""), str(error.get("message") or "")[:_LONGEST_SAID], str(request_id)


def _json_of(text: str) -> Any:
    try:
        return json_text.loads(text) if text.strip() else None
    except ValueError:
        return None


def _first_line(error: AzureError) -> str:
    lines = str(error.message or type(error).__name__).strip().splitlines()
    return lines[0] if lines else type(error).__name__
