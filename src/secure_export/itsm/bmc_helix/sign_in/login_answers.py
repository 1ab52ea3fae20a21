"""What an AR server's answer to a log-in means: pure, and every failure with what may be its cause, by BMC's names.

The server says little and says it in many forms: a list of messages, an object, a web page, a line of text, and a token
of a guest together with a good status (BMC documentation, "Access and authentication for the REST API").
"""

from datetime import datetime, timedelta

from secure_export.itsm.answer import Answer, NotJson
from secure_export.itsm.bmc_helix.api.ar_messages import HEADER, ArMessage, messages_in_header, messages_of, told
from secure_export.itsm.bmc_helix.sign_in.ar_token import claims_of, is_token
from secure_export.itsm.sign_in import SignInFailed, Token

OTHER_SESSION = 9093
_GUEST = 59
_WRONG = 623
_NO_CONNECTION = frozenset({90, 91, 92, 93, 94})
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_OTHER_SESSION_PAUSE = timedelta(seconds=30)
_LONGEST_WORDS = 200
_PATH = "/api/jwt/login"
_URL = (
    "url is that of the AR server's REST interface (https://<tenant>-restapi.onbmc.com, or https://<AR server>:8443), "
    "not that of the Mid Tier or of Smart IT"
)
_SSO = (
    "Helix Single Sign-On (RSSO) answered in place of the AR server: exempt /api/jwt/login from it on the way, or sign "
    "in with rsso"
)
_CAUSES = (
    "user name or password are wrong; or the user's record in the form User is not Current, or is locked; or the "
    "server authenticates by LDAP or SSO alone and wants an auth_string"
)


def token_in(answer: Answer, user: str, *, now: datetime) -> Token:
    """Give the token of a log-in.

    Args:
        answer: What came back.
        user: As whom we logged in.
        now: The time now.

    Raises:
        SignInFailed: There is none, or it is not ours.
    """
    text = answer.text.strip().strip('"')
    if answer.status != 200 or not is_token(text):  # noqa: PLR2004 - the codes of HTTP are their own names
        raise failure_in(answer, now=now)
    notes = messages_in_header(answer.headers.get(HEADER, ""))
    if any(_says_guest(one) for one in notes):
        raise SignInFailed(
            f"the log-in failed, and the server let us in as a guest ({told(notes)}): {_CAUSES}. Guests are let in by "
            "the AR System setting Allow Guest Users, which should be off"
        )
    claims = claims_of(text)
    if claims.user and claims.user.casefold() != user.strip().casefold():
        raise SignInFailed(
            f"the server gave a token of {claims.user[:80]!r} and not of {user!r}: was the log-in taken as a guest's? "
            "Write username as the form User has it in Login Name"
        )
    return Token(text, claims.lasts_seconds(answer.server_time))


def failure_in(answer: Answer, *, now: datetime) -> SignInFailed:
    """Say what an answer without a token means."""
    messages = _messages(answer)
    if messages is not None:
        return _by_messages(answer, messages, now)
    if answer.status in _BUSY:
        reason = f"the AR server is not able to log us in now ({answer.status})"
        return SignInFailed(reason, answer.asked_until(now), refused=False)
    if _is_page(answer):
        return _by_page(answer)
    if (where := _wrong_address(answer)) is not None:
        return SignInFailed(where, refused=False)
    words = " ".join(answer.text.split())[:_LONGEST_WORDS] if answer.status in {200, 401, 403} else ""
    said = f"{answer.status}: {words}" if words else f"{answer.status}, no words"
    return SignInFailed(f"the log-in gave no token ({said}): {_CAUSES}")


def _says_guest(one: ArMessage) -> bool:
    text = f"{one.text} {one.appended}".lower()
    return one.number == _GUEST or "login failed" in text or "guest user" in text


def _messages(answer: Answer) -> tuple[ArMessage, ...] | None:
    try:
        return messages_of(answer.json())
    except NotJson:
        return None


def _by_messages(answer: Answer, messages: tuple[ArMessage, ...], now: datetime) -> SignInFailed:
    numbers = {one.number for one in messages}
    if OTHER_SESSION in numbers:
        return SignInFailed(
            f"the user is logged in from another machine ({told(messages)}): give this program a user of its own, or "
            "set connections to 1",
            now + _OTHER_SESSION_PAUSE,
            refused=False,
        )
    if numbers & _NO_CONNECTION:
        reason = f"the AR server behind the REST interface does not answer ({told(messages)})"
        return SignInFailed(reason, answer.asked_until(now), refused=False)
    if _WRONG in numbers or answer.status == 401:  # noqa: PLR2004
        return SignInFailed(f"the log-in was refused ({told(messages)}): {_CAUSES}")
    refused = answer.status not in _BUSY
    return SignInFailed(f"the log-in failed ({answer.status}: {told(messages)})", refused=refused)


def _wrong_address(answer: Answer) -> str | None:
    """What answers that say nothing about user and password tell of the address."""
    if 300 <= answer.status < 400:  # noqa: PLR2004 - all redirects
        return f"the log-in is sent elsewhere ({answer.status}): see that {_URL}"
    if answer.status == 404:  # noqa: PLR2004
        return f"there is no {_PATH} at this address (404): see that {_URL}"
    return _forbidden(answer)


def _forbidden(answer: Answer) -> str | None:
    """The object with which a server refuses plain HTTP."""
    try:
        body = answer.json()
    except NotJson:
        return None
    if answer.status != 403 or not isinstance(body, dict) or "message" not in body:  # noqa: PLR2004
        return None
    return (
        f"the REST interface refuses us (403: {str(body['message'])[:_LONGEST_WORDS]}): over http:// it always does. "
        "Write https:// and the port of its TLS, by convention 8443"
    )


def _by_page(answer: Answer) -> SignInFailed:
    text = answer.text[:20_000].lower()
    if "javascript" in text or "rsso" in text or "saml" in text:
        return SignInFailed(f"a sign-on page instead of a token ({answer.status}): {_SSO}; see also that {_URL}")
    return SignInFailed(f"a web page instead of a token ({answer.status}): see that {_URL}", refused=False)


def _is_page(answer: Answer) -> bool:
    return "html" in answer.headers.get("content-type", "").lower() or answer.body.lstrip()[:1] == b"<"
