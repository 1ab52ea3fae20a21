"""Leads a request to the API that it is for."""

from typing import TYPE_CHECKING, Final

from secure_export.sandbox.bmc_helix import cmdb_api, entry_api
from secure_export.sandbox.bmc_helix.call import VERSIONS, Call, jetty_page
from secure_export.sandbox.bmc_helix.people import Account
from secure_export.sandbox.reply import Reply, json_reply

if TYPE_CHECKING:
    from secure_export.sandbox.bmc_helix.server import ArServer

OPEN: Final = frozenset({("api", "about"), ("api", "version")})
"""What is answered without TLS and without a token."""
FORBIDDEN: Final = {"message": "Access forbidden", "code": 403, "transient": False}
_ABOUT: Final = {"name": "SANDBOX AR System, nothing here is real", "version": "9.1.10", "api": ["v1", "v1.0"]}
_WITH_FORM: Final = 5


def answer(server: "ArServer", call: Call, user: Account) -> Reply:
    """Answer a request of somebody who signed in.

    Raises:
        ArError: It is refused.
    """
    segments = call.segments
    if segments[:2] == ("api", "arsys") and segments[2:3] and segments[2] in VERSIONS:
        if segments[3:4] == ("entry",):
            return entry_api.answer(server, call, user)
        if segments[3:4] == ("mergeEntry",) and len(segments) == _WITH_FORM:
            return entry_api.merge(server, call, user)
    if segments[:2] == ("api", "cmdb"):
        return cmdb_api.answer(server, call, user)
    return jetty_page(404, "Not Found")


def about() -> Reply:
    """Answer what anybody may ask."""
    return json_reply(200, _ABOUT)
