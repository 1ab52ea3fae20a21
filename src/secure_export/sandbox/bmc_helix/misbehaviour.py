"""What a fault does to a request: before it is done, while it is done, and to the answer."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec

from secure_export.sandbox import happening as happening_
from secure_export.sandbox.bmc_helix.call import jetty_page, refused, text_reply
from secure_export.sandbox.bmc_helix.change import Change
from secure_export.sandbox.bmc_helix.entries import Copy
from secure_export.sandbox.bmc_helix.errors import ArError, no_entry, other_session, timed_out, timed_out_late, workflow
from secure_export.sandbox.bmc_helix.faults import Fault, FaultKind, Shape
from secure_export.sandbox.bmc_helix.forms.incident import BASE
from secure_export.sandbox.bmc_helix.workflow.customer import nobody_or_several
from secure_export.sandbox.ending import Ending, Wire, ending_after, ending_instead
from secure_export.sandbox.happening import Present
from secure_export.sandbox.reply import Reply, html_reply, json_reply

if TYPE_CHECKING:
    from secure_export.sandbox.bmc_helix.server import ArServer

LOGIN_PAGE: Final = (
    "<!DOCTYPE html><html><head><title>BMC Remedy Mid Tier - Login</title></head><body><form name='loginForm' "
    "action='/arsys/servlet/LoginServlet' method='post'><input name='username'><input name='pwd'></form></body></html>"
)
SSO_PAGE: Final = (
    "<!DOCTYPE html><html><body onload='document.forms[0].submit()'><noscript><p>Since your browser does not support "
    "JavaScript, you must press the button to go on.</p></noscript><form method='post'></form></body></html>"
)
_CUT_SHORT: Final = b'{"values":{"Incident Number":"INC0000'


@dataclass(slots=True)
class Happening(happening_.Happening[Fault]):
    """A request while it is done, for the filters.

    Attributes:
        before: All entries as they were, for those faults that bring them back.
    """

    before: Copy | None = None


_PRESENT: Final[Present[Happening]] = Present()


def happening(faults: tuple[Fault, ...], server: "ArServer") -> AbstractContextManager[Happening]:
    """Let filters see the faults of a request, and remember what it found."""
    now = Happening(faults)
    if now.has(FaultKind.RESTORED) or now.has(FaultKind.DELETED):
        now.before = server.copied()
    return _PRESENT.during(now)


def watch(server: "ArServer") -> None:
    """Add the filter that obeys faults."""
    server.filters.append(_obey)


def instead(fault: Fault) -> Ending | None:
    """Give the ending of a request that is not done at all; None: it goes on."""
    make = _INSTEAD.get(fault.kind)
    return ending_instead(fault) if make is None else make(fault)


def afterwards(fault: Fault, reply: Reply, happened: Happening, server: "ArServer") -> Ending:
    """Give the ending of a request that was done."""
    if happened.before is not None and fault.kind is FaultKind.RESTORED:
        server.put_back(happened.before)
    if happened.before is not None and fault.kind is FaultKind.DELETED:
        _delete(happened.before, server)
    make = _AFTERWARDS.get(fault.kind)
    return ending_after(fault, reply) if make is None else make(fault, reply)


def _obey(change: Change) -> None:
    now = _PRESENT.get()
    if now is None:
        return
    if fault := now.has(FaultKind.REFUSED):
        raise workflow(fault.text, fault.number)
    if now.has(FaultKind.DUPLICATE_PEOPLE):
        raise nobody_or_several(several=True)
    if now.has(FaultKind.RESOLVE_IGNORED) and change.before is not None:
        for name in ("Status", "Status_Reason"):
            change.sent.pop(name, None)
            change.put(name, change.was(name))


def _delete(before: Copy, server: "ArServer") -> None:
    """Delete the incidents that the request made or changed."""
    old = before.tables.get(BASE, {})
    for row in list(server.entries.rows(BASE)):
        if old.get(row["Entry ID"]) is not row:
            server.delete(BASE, row["Entry ID"])


def _error(fault: Fault, status: int) -> Reply:
    phrase = HTTPStatus(status).phrase
    match fault.shape:
        case Shape.ARRAY:
            reply = refused(ArError(status, fault.number, phrase, fault.text))
        case Shape.OBJECT:
            reply = json_reply(status, {"message": phrase, "code": status, "transient": True})
        case Shape.TEXT:
            reply = text_reply(status, "Failed to login. Please contact the Administrator.")
        case Shape.EMPTY:
            reply = Reply(status).with_body(b"", "text/plain")
        case _:
            reply = jetty_page(status, phrase)
    return reply.with_headers(fault.headers)


def _too_many(fault: Fault) -> Reply:
    reply = json_reply(429, {"message": "Too many requests", "code": 429, "transient": True})
    return reply.with_headers({"Retry-After": str(max(1, round(fault.seconds))), **fault.headers})


def _garbage(reply: Reply) -> Reply:
    """Keep the first half of the body, and say that it is the whole."""
    return Reply(200).with_body(reply.body[: len(reply.body) // 2] or _CUT_SHORT)


def _cut(reply: Reply) -> Reply:
    """Let an answer without a body have one that can be cut."""
    return reply if reply.body else Reply(200).with_body(_CUT_SHORT * 2)


def hidden(reply: Reply, entry_id: str) -> Reply:
    """Show nothing of what a reader asked for."""
    document = reply.document()
    if reply.status == HTTPStatus.OK and entry_id:
        return refused(no_entry(entry_id))
    if not isinstance(document, dict):
        return reply
    emptied = {name: [] if name in {"entries", "instances"} else value for name, value in document.items()}
    emptied |= {"_links": {"self": document.get("_links", {}).get("self", [])}} if "_links" in document else {}
    return Reply(reply.status).with_body(msgspec.json.encode(emptied))


_INSTEAD: Final[dict[FaultKind, Callable[[Fault], Ending]]] = {
    FaultKind.ERROR_BEFORE: lambda fault: Ending(_error(fault, fault.status or 503)),
    FaultKind.OTHER_SESSION: lambda fault: Ending(refused(other_session()).with_headers(fault.headers)),
    FaultKind.TIMED_OUT: lambda fault: Ending(refused(timed_out()).with_headers(fault.headers)),
    FaultKind.TOO_MANY: lambda fault: Ending(_too_many(fault)),
    FaultKind.ACCEPTED: lambda fault: Ending(Reply(202).with_headers(fault.headers).with_body(b"")),
    FaultKind.LOGIN_PAGE: lambda _fault: Ending(html_reply(200, LOGIN_PAGE)),
    FaultKind.SSO_PAGE: lambda _fault: Ending(html_reply(401, SSO_PAGE)),
}
_AFTERWARDS: Final[dict[FaultKind, Callable[[Fault, Reply], Ending]]] = {
    FaultKind.ERROR_AFTER: lambda fault, _reply: Ending(_error(fault, fault.status or 500)),
    FaultKind.TIMED_OUT_AFTER: lambda _fault, _reply: Ending(refused(timed_out_late())),
    FaultKind.CUT: lambda _fault, reply: Ending(_cut(reply), Wire.CUT),
    FaultKind.GARBAGE: lambda _fault, reply: Ending(_garbage(reply)),
}
