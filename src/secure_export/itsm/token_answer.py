"""What a token endpoint answers (RFC 6749, sections 5.1 and 5.2): pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from secure_export.itsm.answer import Answer, NotJson
from secure_export.itsm.sign_in import Token

_LONGEST_WORDS = 200
_LONGEST_TOKEN = 16_000


def token_in(answer: Answer) -> Token | None:
    """Give the access token; None when there is none that can be shown."""
    body = _body(answer)
    text = _token(body.get("access_token"))
    return None if text is None else Token(text, _seconds(body.get("expires_in")))


def refresh_token_in(answer: Answer) -> str | None:
    """Give the refresh token; None when there is none."""
    return _token(_body(answer).get("refresh_token"))


def words_in(answer: Answer, secrets: Iterable[str] = ()) -> str:
    """Give what the endpoint says of an error; empty when it says nothing in the standard's form.

    Args:
        answer: Its answer.
        secrets: What it may repeat of ours, and nobody is to read.
    """
    body = _body(answer)
    parts = (body.get("error"), body.get("error_description"))
    text = ", ".join(" ".join(part.split()) for part in parts if isinstance(part, str) and part.strip())
    for secret in secrets:
        text = text.replace(secret, "…") if secret else text
    return text[:_LONGEST_WORDS]


def _body(answer: Answer) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except NotJson:
        return {}
    return body if isinstance(body, dict) else {}


def _token(told: Any) -> str | None:
    fits = isinstance(told, str) and 0 < len(told) <= _LONGEST_TOKEN
    return told if fits and told.isascii() and told.isprintable() and " " not in told else None


def _seconds(told: Any) -> float | None:
    """For how long a token is good; numbers come as text, too."""
    if isinstance(told, str) and told.isascii() and told.isdecimal() and len(told) < 10:  # noqa: PLR2004 - 30 years
        return float(told)
    return float(told) if isinstance(told, int | float) and not isinstance(told, bool) and told >= 0 else None
