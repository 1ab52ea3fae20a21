"""The one HTTP helper: what every connector that reaches its tool over HTTP has in common.

It tells apart what decides about losing or doubling work items: whether a request surely never reached the tool
(``NotSent``), may have (``AnswerLost``), or was answered (``Answer``, whatever the status). Nothing is sent twice but
a GET or HEAD whose kept connection turned out to be dead. No cookies are kept, no redirects followed, no answer is
read beyond a bound, and certificates are always verified.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from secure_export.itsm.answer import Answer, NotJson
from secure_export.itsm.client_tls import ClientTls
from secure_export.itsm.http_errors import AnswerLost, Broken, Circumstances, NotSent, TooLarge, told
from secure_export.itsm.http_request import Request, made
from secure_export.itsm.http_settings import HttpSettings
from secure_export.itsm.proxy import Proxy, proxy_for
from secure_export.itsm.share import NoPlace, Share

__all__ = ["Answer", "AnswerLost", "Http", "HttpSettings", "NotJson", "NotSent"]

MAX_ANSWER_BYTES = 10 * 1024 * 1024
_MAX_HEADER_BYTES = 64 * 1024
# Tools and their load balancers close what idles for a minute or so; a connection that is younger is rarely dead.
_KEEP_ALIVE_SECONDS = 15.0
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=None)


@dataclass(slots=True)
class _Progress:
    """How far a request got.

    Attributes:
        connected: There is a connection: from here on something may have been sent.
        reused: It was there from before, so that the tool may have closed it already.
        answered: The head of the answer came.
    """

    connected: bool = False
    reused: bool = False
    answered: bool = False


class Http:
    """Makes requests to one tool.

    Args:
        settings: Where it is, and how it is reached.
        max_answer_bytes: The largest body that is read, decompressed.
        share: What this process has of the tool's ``connections``; None: all.
    """

    def __init__(
        self, settings: HttpSettings, *, max_answer_bytes: int = MAX_ANSWER_BYTES, share: Share | None = None
    ) -> None:
        self._settings = settings
        self._max_answer_bytes = max_answer_bytes
        self._tls = ClientTls(settings) if settings.url.startswith("https:") else None
        self._turns = (share or Share()).turns(settings.connections, longest_seconds=settings.request_timeout_seconds)
        self._session: aiohttp.ClientSession | None = None
        self._proxy: Proxy | None = None
        self._closed = False

    @property
    def url(self) -> str:
        """Where the tool is, without a slash at the end."""
        return self._settings.url

    async def request(  # noqa: PLR0913 - what an HTTP request consists of
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - it begins only when the request's turn has come
    ) -> Answer:
        """Make a request and read the whole answer.

        Args:
            method: ``GET``, ``POST`` …
            path: The path below the tool's URL, beginning with a slash, as plain text: it is percent-encoded here.
            query: The query's parameters as plain text.
            json: What to send as JSON; None: nothing.
            form: What to send as a form instead.
            headers: Further header fields; they stand over those that are sent anyway.
            timeout: Seconds from its turn to the answer's end; None, or a longer time: as the settings say. Waiting for
                one of the ``connections`` does not count.

        Returns:
            The answer, whatever its status is: redirects and errors, too.

        Raises:
            NotSent: Surely nothing of it reached the tool.
            AnswerLost: It may have reached the tool.
        """
        request = made(self.url, method, path, query=query, json=json, form=form, headers=headers)
        longest = self._settings.request_timeout_seconds
        try:
            async with self._turns:
                return await self._with_time_limit(request, min(timeout or longest, longest))
        except NoPlace as error:
            raise NotSent(str(error)) from None

    async def close(self) -> None:
        """Close all connections; requests that come later are not sent."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _with_time_limit(self, request: Request, seconds: float) -> Answer:
        progress = _Progress()
        try:
            async with asyncio.timeout(seconds):
                return await self._on_a_live_connection(request, progress)
        except NotSent:
            raise
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            # Nobody cancelled this task: the library gives a look-up of a name up in this way when it is closed.
            closed = aiohttp.ClientConnectionError()
            raise told(closed, self._circumstances(seconds), sent=progress.connected) from None
        except Exception as error:  # noqa: BLE001 - whatever it is, how far the request got decides
            raise told(error, self._circumstances(seconds), sent=progress.connected) from None

    async def _on_a_live_connection(self, request: Request, progress: _Progress) -> Answer:
        """Make a request; one that changes nothing again while kept connections turn out to be dead."""
        session = self._opened()
        for _ in range(self._settings.connections):
            try:
                return await self._once(session, request, progress)
            except Broken:
                if not request.only_reads or not progress.reused or progress.answered:
                    raise
                progress.connected = progress.reused = False
        return await self._once(session, request, progress)

    async def _once(self, session: aiohttp.ClientSession, request: Request, progress: _Progress) -> Answer:
        async with session.request(
            request.method,
            URL(request.url, encoded=True),
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
            ssl=self._tls.context() if self._tls is not None else True,
            proxy=self._proxy.url if self._proxy is not None else None,
            proxy_headers=self._proxy.headers if self._proxy is not None else None,
            trace_request_ctx=progress,
        ) as response:
            progress.answered = True
            return Answer(response.status, _headers(response), await self._body(response))

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for part in response.content.iter_any():
            body += part
            if len(body) > self._max_answer_bytes:
                raise TooLarge
        return bytes(body)

    def _opened(self) -> aiohttp.ClientSession:
        if self._closed:
            raise NotSent("this connection is closed, because the program stops or has new settings")
        if self._session is None:
            self._proxy = proxy_for(self.url)
            self._session = _new_session()
        return self._session

    def _circumstances(self, seconds: float) -> Circumstances:
        proxy = urlsplit(self._proxy.url).netloc if self._proxy is not None else ""
        return Circumstances(urlsplit(self.url).netloc, proxy, seconds, self._max_answer_bytes)


def _new_session() -> aiohttp.ClientSession:
    # Not trust_env: with it the library would also send what ~/.netrc holds. Turns are ours, so no limit here.
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=_NO_TIMEOUT,
        skip_auto_headers=("content-type",),
        max_field_size=_MAX_HEADER_BYTES,
        max_line_size=_MAX_HEADER_BYTES,
        trace_configs=[_progress_of_requests()],
        middlewares=[_once_only],
    )


async def _once_only(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep the library from making a PUT or DELETE again by itself: it does so after these two errors."""
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Broken(error) from None


def _progress_of_requests() -> aiohttp.TraceConfig:
    """Have the library tell when a request has got a connection."""

    async def created(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.connected = True

    async def reused(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.connected = context.trace_request_ctx.reused = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(created)
    trace.on_connection_reuseconn.append(reused)
    return trace


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    """The header fields as text that can be written anywhere; cookies are not taken."""
    found: dict[str, str] = {}
    for name, value in response.headers.items():
        key, text = name.lower(), value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        if key != "set-cookie":
            found[key] = f"{found[key]}, {text}" if key in found else text
    return found
