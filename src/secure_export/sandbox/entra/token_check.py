"""Checks a token that this stand-in signed, for the APIs beside it."""

import base64
import binascii
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from secure_export.sandbox.entra.keys import KeyRing, SigningKey
from secure_export.sandbox.rest_call import claims_of

_KEPT: Final = 1_000


class TokenCheck:
    """Remembers the tokens that it found sound.

    Args:
        ring: Gives the keys of a tenant.
        now: The time now.
    """

    def __init__(self, ring: Callable[[str], KeyRing], now: Callable[[], datetime]) -> None:
        self._ring = ring
        self._now = now
        self._sound: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def claims(self, token: str, is_for: Callable[[str], bool]) -> dict[str, Any] | None:
        """Give what a sound token claims.

        Args:
            token: It.
            is_for: Says whether an audience is the API that asks.

        Returns:
            Its claims; None: it is not signed here, has ended, or is for somebody else.
        """
        claims = self._sound.get(token) or self._checked(token)
        if claims is None or not is_for(str(claims.get("aud", ""))):
            return None
        return claims if int(claims.get("exp", 0)) > self._now().timestamp() else None

    def _checked(self, token: str) -> dict[str, Any] | None:
        claims = claims_of(token)
        key = _key(token, self._ring(str(claims.get("tid", ""))).listed())
        if not claims or key is None or not _is_signed(token, key):
            return None
        self._sound[token] = claims
        if len(self._sound) > _KEPT:
            self._sound.popitem(last=False)
        return claims


def _key(token: str, keys: Iterable[SigningKey]) -> SigningKey | None:
    try:
        head = msgspec.json.decode(_decoded(token.partition(".")[0]), type=dict[str, Any])
    except (msgspec.DecodeError, ValueError, binascii.Error):
        return None
    return next((one for one in keys if one.kid == head.get("kid")), None)


def _is_signed(token: str, key: SigningKey) -> bool:
    signed, _, signature = token.rpartition(".")
    try:
        key.private.public_key().verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")
