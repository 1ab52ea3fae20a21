"""What an AR server writes: refusals and tokens."""

import base64
import json
from datetime import datetime
from typing import Any

from tests.unit.itsm.scripted import NOW

USER = "azure.integration"
SECRET = "hunter2-not-to-be-told"


def ar_error(number: int, text: str = "", appended: str | None = None, kind: str = "ERROR") -> list[dict[str, Any]]:
    """Give the body of an AR server's refusal."""
    return [{"messageType": kind, "messageText": text, "messageAppendedText": appended, "messageNumber": number}]


def token(user: str = USER, *, lasts: float = 3600, at: datetime = NOW, **claims: Any) -> str:
    """Give a token as an AR server makes it; its signature is no matter here."""
    issued = int(at.timestamp())
    own = {"sub": user, "iss": "ar.example.com", "iat": issued, "nbf": issued - 120, "exp": issued + int(lasts)}
    parts = ({"alg": "HS256"}, {**own, "_cacheId": 35289, **claims})
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return ".".join([*encoded, "c2lnbmF0dXJl"])
