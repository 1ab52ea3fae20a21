"""One request to a stand-in for one of Microsoft's JSON APIs, whole; and a refusal in that API's own form."""

import base64
import binascii
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

import msgspec

from secure_export.sandbox.call import SegmentedCall, read_segmented
from secure_export.sandbox.reply import Reply
from secure_export.sandbox.wire import Receive, Scope

_SAFE: Final = "/()'=,$@:"


class RestError(Exception):
    """A refusal.

    Attributes:
        reply: The answer that says so.
    """

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.body.decode("utf-8", "replace"))
        self.reply = reply


@dataclass(frozen=True)
class Call(SegmentedCall):
    """A request; who sent it is read in its token, which is believed here: a client id or a user's name."""

    @cached_property
    def url(self) -> str:
        """The whole address, without the query string."""
        return f"{self.base}{quote(self.path, safe=_SAFE)}"

    @cached_property
    def token(self) -> str:
        """Its bearer token; empty: none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def document(self) -> Any:
        """Read the body as JSON.

        Raises:
            msgspec.DecodeError: It is none.
        """
        return msgspec.json.decode(self.body)


def claims_of(token: str) -> dict[str, Any]:
    """Read what a token claims, without checking it; of what is no token nothing."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        return {}
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=="), type=dict[str, Any])
    except (msgspec.DecodeError, binascii.Error, ValueError):
        return {}


async def read_call(scope: Scope, receive: Receive) -> Call:
    """Read a request whole; see ``read_segmented``."""
    call = await read_segmented(Call, scope, receive)
    claims = claims_of(call.token)
    return call.by(str(claims.get("upn") or claims.get("appid") or claims.get("azp") or ""))
