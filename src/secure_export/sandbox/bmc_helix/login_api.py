"""Signing in and out: ``/api/jwt/login`` and ``/api/jwt/logout`` (bmc-facts section 3)."""

from typing import Final
from urllib.parse import parse_qsl

import msgspec

from secure_export.sandbox.bmc_helix.call import Call, jetty_page, refused, text_reply
from secure_export.sandbox.bmc_helix.errors import not_signed_in
from secure_export.sandbox.bmc_helix.tokens import Tokens
from secure_export.sandbox.reply import Reply

LOGIN: Final = ("api", "jwt", "login")
LOGOUT: Final = ("api", "jwt", "logout")
_FORM: Final = "application/x-www-form-urlencoded"
_GUEST: Final = [
    {
        "messageType": "WARNING",
        "messageText": "User login failed; you are connected as a guest user with limited access",
        "messageAppendedText": None,
        "messageNumber": 59,
    }
]


def login(call: Call, tokens: Tokens, *, as_guest: bool = False) -> Reply:
    """Answer a login: a form in the body, or the same in the query string; the token is plain text."""
    if call.method != "POST":
        return jetty_page(405, "Method Not Allowed").with_headers({"Allow": "POST"})
    content_type = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if call.body and content_type != _FORM:
        return jetty_page(415, "Unsupported Media Type")
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    asked = {**call.parameters, **form}
    if "username" not in asked or "password" not in asked:
        return refused(not_signed_in())
    if as_guest:
        return _welcome(tokens.guest(asked["username"]), guest=True)
    token, guest = tokens.login(asked["username"], asked["password"])
    return _welcome(token, guest=guest)


def logout(call: Call, tokens: Tokens) -> Reply:
    """Answer a logout."""
    if call.method != "POST":
        return jetty_page(405, "Method Not Allowed").with_headers({"Allow": "POST"})
    tokens.logout(call.headers.get("authorization", ""))
    return Reply(204)


def _welcome(token: str, *, guest: bool) -> Reply:
    reply = text_reply(200, token)
    return reply.with_headers({"X-AR-Messages": msgspec.json.encode(_GUEST).decode()}) if guest else reply
