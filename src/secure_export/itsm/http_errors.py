"""What can go wrong with a request, told apart by the one thing that counts: whether the tool may have got it."""

import os
import socket
import ssl
from dataclasses import dataclass

import aiohttp

from secure_export.errors import SecureExportError

_TLS_WORDS = {"WRONG_VERSION_NUMBER": "it answers without TLS; is that the right port?"}


class NotSent(SecureExportError):  # noqa: N818 - reads as what it says
    """Nothing of the request reached the tool: it may be made again without a look.

    Attributes:
        reason: A sentence part for people, without credentials, query strings or bodies.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AnswerLost(SecureExportError):  # noqa: N818 - reads as what it says
    """The tool may have got the request and done what it asks; its whole answer did not arrive.

    Attributes:
        reason: As for ``NotSent``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooLarge(Exception):  # noqa: N818 - reads as what it says; never leaves this room
    """An answer is larger than we read."""


class Broken(aiohttp.ClientError):
    """A connection that could not be made, or broke; ``error`` is what the library said."""

    def __init__(self, error: aiohttp.ClientError) -> None:
        super().__init__(type(error).__name__)
        self.error = error


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a reason tells besides the fault.

    Attributes:
        host: The tool's host, with the port if it is not the usual one.
        proxy: The proxy on the way, without credentials; empty for none.
        seconds: How long the request had.
        largest_bytes: The largest answer that is read.
    """

    host: str
    proxy: str
    seconds: float
    largest_bytes: int


def told(error: Exception, at: Circumstances, *, sent: bool) -> NotSent | AnswerLost:
    """Say what happened, in words of ours: what the library says may hold a URL with its query.

    Args:
        error: What the HTTP library raised.
        at: What else the reason tells.
        sent: Whether a connection was there, so that something may have been sent.
    """
    cause = error.error if isinstance(error, Broken) else error
    return AnswerLost(_while_waiting(cause, at)) if sent else NotSent(_while_connecting(cause, at))


def _while_connecting(error: Exception, at: Circumstances) -> str:  # noqa: PLR0911 - one line for each fault
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return f"the certificate of {at.host} is not trusted ({_why(error.certificate_error)}); see ca_file"
        case aiohttp.ClientProxyConnectionError():
            return f"the proxy {at.proxy} cannot be reached ({_why(error.os_error)})"
        case aiohttp.ClientHttpProxyError():
            return f"the proxy {at.proxy} does not let us through to {at.host} (status {error.status})"
        case aiohttp.ClientConnectorDNSError():
            return f"the name of {at.host} cannot be resolved ({_why(error.os_error)})"
        case aiohttp.ClientConnectorSSLError():
            return f"no TLS connection with {at.host} ({_why(error.os_error)})"
        case aiohttp.ClientConnectorError():
            return f"{at.host} cannot be reached{_by(at)} ({_why(error.os_error)})"
        case TimeoutError():
            return f"no connection with {at.host}{_by(at)} within {at.seconds:g} s"
        case _:
            return f"no connection with {at.host}{_by(at)} ({_why(error)})"


def _while_waiting(error: Exception, at: Circumstances) -> str:
    match error:
        case TimeoutError():
            return f"{at.host} did not answer completely within {at.seconds:g} s"
        case TooLarge():
            return f"{at.host} answered more than {at.largest_bytes // 1024} KiB"
        case aiohttp.ServerDisconnectedError():
            return f"{at.host} closed the connection without an answer"
        case aiohttp.ClientPayloadError():
            return f"the answer of {at.host} was cut off or cannot be unpacked"
        case aiohttp.ClientResponseError():
            return f"{at.host} answered something that is not HTTP"
        case _:
            return f"the connection with {at.host} broke ({_why(error)})"


def _by(at: Circumstances) -> str:
    return f" through the proxy {at.proxy}" if at.proxy else ""


def _why(error: BaseException) -> str:
    """The operating system's or the TLS library's own words; of anything else its kind alone.

    What the HTTP library puts in place of the system's words may hold the whole URL.
    """
    inner = error.__cause__ if isinstance(error, OSError) and isinstance(error.__cause__, ssl.SSLError) else error
    match inner:
        case ssl.SSLCertVerificationError():
            return str(inner.verify_message)
        case ssl.SSLError() if inner.reason:
            return _TLS_WORDS.get(inner.reason) or str(inner.reason).replace("_", " ").lower()
        case socket.gaierror() if inner.strerror:
            return str(inner.strerror)
        case OSError() if inner.errno:
            return os.strerror(inner.errno)
        case ConnectionError():
            return "the other side closed it"
        case _:
            return type(inner).__name__
