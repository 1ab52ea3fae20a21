"""Who may look, and who may act.

There are two ways of being known, tried in this order; a third one (people signing in with Entra ID) belongs beside
them, in ``Access.admit``:

1. A bearer token, checked by the one gate. Whoever shows one is judged by it alone.
2. Local access, for a laptop and the demo: nobody has to prove anything on the machine itself. What shows that a
   request really comes from there, and from nobody else's web page or proxy, is the table in ``why_not_local``.

The reason of a refusal goes into the log, never into the answer (RFC 6750, section 3.1).
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from starlette.requests import Request

from secure_export.console.answers import path_of
from secure_export.identity.caller import Caller, Refusal
from secure_export.telemetry.complaints import Complaints

VIEWER = "SecureExport.Viewer"
OPERATOR = "SecureExport.Operator"
ADMIN = "SecureExport.Admin"

_LOOPBACK_NAMES = ("localhost", "localhost.")
# RFC 3986, section 3.2.2: brackets stand around addresses of IPv6, both of them, and around nothing else.
_HOST = re.compile(r"(?:\[(?P<address>[^\[\]]*:[^\[\]]*)\]|(?P<name>[^:\[\]]+))(?::[0-9]+)?")
_PROXY_HEADERS = frozenset({"forwarded", "via", "x-real-ip"})
_PROXY_PREFIX = "x-forwarded-"
_OWN_PAGES = frozenset({"same-origin", "none"})


class Right(StrEnum):
    """What somebody wants to do."""

    LOOK = "look"
    ACT = "act"


ROLES = {
    Right.LOOK: frozenset({VIEWER, OPERATOR, ADMIN}),
    Right.ACT: frozenset({OPERATOR, ADMIN}),
}


class Gate(Protocol):
    """What the console needs of the one gate (``secure_export.identity``)."""

    async def admit(self, authorization: Sequence[bytes], *, roles: frozenset[str]) -> Caller:
        """Check every ``Authorization`` header of a request; the token must carry one of the roles.

        Raises:
            Refusal: The caller is not let in.
        """
        ...


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who was let in.

    Attributes:
        by: Who it is, for the audit log.
        may_act: Whether buttons are of use to them.
        is_local: Whether they came by local access.
    """

    by: str
    may_act: bool
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a request shows of where it comes from.

    Attributes:
        peer: The address at the other end of the connection; None when there is none.
        scheme: ``http`` or ``https``.
        http_version: Such as ``1.1``.
        hosts: Every ``Host`` header.
        header_names: The names of all headers, in lower case.
        origins: Every ``Origin`` header.
        fetch_site: ``Sec-Fetch-Site`` (W3C Fetch Metadata); None when absent.
    """

    peer: str | None
    scheme: str
    http_version: str
    hosts: tuple[str, ...]
    header_names: frozenset[str]
    origins: tuple[str, ...] = ()
    fetch_site: str | None = None


LOCAL = Visitor(by="local", may_act=True, is_local=True)


def why_not_local(arrival: Arrival, right: Right, *, switched_on: bool) -> Refusal | None:
    """Say which rule of local access a request breaks; None: it may come in."""
    if not switched_on:
        return _unknown("no-token", "There is no token, and local access is switched off.")
    if not _is_loopback(arrival.peer):
        return _unknown("not-local", f"There is no token, and the peer {arrival.peer} is another machine.")
    if len(arrival.hosts) != 1 or not _names_loopback(arrival.hosts[0]):
        return _unknown(
            "foreign-host",
            f"The Host header {arrival.hosts!r} does not name this machine's loopback address: a web page may have "
            "pointed a name of its own at it (DNS rebinding). Open the console as http://127.0.0.1 or http://localhost.",
        )
    if _came_by_proxy(arrival):
        return _unknown(
            "proxied",
            "A proxy on this machine passed the request on, so it may come from anywhere: local access does not "
            "apply. Ask for tokens, or open the console on the machine itself.",
        )
    if right is Right.ACT and not _from_own_page(arrival):
        return Refusal(
            403,
            "cross-origin",
            f"Another site's page (Origin {arrival.origins!r}, Sec-Fetch-Site {arrival.fetch_site!r}) tried to act "
            "in the name of whoever has the console open.",
        )
    return None


def _unknown(code: str, detail: str) -> Refusal:
    return Refusal(401, code, detail, authenticate="Bearer")


def _is_loopback(address: str | None) -> bool:
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def _names_loopback(host: str) -> bool:
    """Whether a ``Host`` header names the loopback address, with or without a port (RFC 9110, section 7.2)."""
    found = _HOST.fullmatch(host.strip().lower())
    return found is not None and (found["name"] in _LOOPBACK_NAMES or _is_loopback(found["address"] or found["name"]))


def _came_by_proxy(arrival: Arrival) -> bool:
    """Whether a proxy left a trace. HTTP/1.0 is one: nginx speaks it to its upstreams and otherwise adds nothing."""
    named = any(name in _PROXY_HEADERS or name.startswith(_PROXY_PREFIX) for name in arrival.header_names)
    return named or arrival.http_version == "1.0"


def _from_own_page(arrival: Arrival) -> bool:
    """Whether a request that changes something comes from a page of ours, or from no page at all (curl).

    ``same-site`` is not enough: another port of localhost is the same site.
    """
    if arrival.fetch_site is not None and arrival.fetch_site not in _OWN_PAGES:
        return False
    own = f"{arrival.scheme}://{arrival.hosts[0]}".lower()
    return all(origin.lower() == own for origin in arrival.origins)


class Access:
    """Lets people and programs in.

    Args:
        gate: Checks tokens.
        local_access: Whether the machine itself is let in without a token.
    """

    def __init__(self, gate: Gate, *, local_access: bool) -> None:
        self._gate = gate
        self._local_access = local_access
        self._complaints = Complaints()

    async def admit(self, request: Request, right: Right) -> Visitor:
        """Let a request in that may do what it wants to.

        Raises:
            Refusal: It may not, or that cannot be told now. The reason is in the log.
        """
        try:
            return await self._admit(request, right)
        except Refusal as refusal:
            self._complaints.refused(
                refusal.code, refusal.status, refusal.detail, event="console request refused", path=path_of(request)
            )
            raise

    async def _admit(self, request: Request, right: Right) -> Visitor:
        authorization = [value for name, value in request.headers.raw if name == b"authorization"]
        if authorization:
            return _visitor(await self._gate.admit(authorization, roles=ROLES[right]))
        refusal = why_not_local(_arrival(request), right, switched_on=self._local_access)
        if refusal is not None:
            raise refusal
        return LOCAL


def _visitor(caller: Caller) -> Visitor:
    by = f"application {caller.application_id} object {caller.object_id} token {caller.token_id or 'without id'}"
    return Visitor(by=by, may_act=not ROLES[Right.ACT].isdisjoint(caller.roles))


def _arrival(request: Request) -> Arrival:
    headers = request.headers
    return Arrival(
        peer=request.client.host if request.client else None,
        scheme=request.scope.get("scheme", "http"),
        http_version=request.scope.get("http_version", "1.1"),
        hosts=tuple(headers.getlist("host")),
        header_names=frozenset(headers.keys()),
        origins=tuple(headers.getlist("origin")),
        fetch_site=headers.get("sec-fetch-site"),
    )
