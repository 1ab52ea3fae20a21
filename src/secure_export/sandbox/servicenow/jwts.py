"""Reads JWTs that one of several public keys signed."""

import base64
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
PARTS: Final = 3


class NotSignedError(Exception):
    """A text is no JWT, or none of the keys signed it."""


def header(text: str) -> dict[str, Any]:
    """Read the header of a JWT, without trusting it.

    Raises:
        NotSignedError: The text is no JWT.
    """
    return _part(text, 0)


def unproved_claims(text: str) -> dict[str, Any]:
    """Read the claims of a JWT, without trusting them.

    Raises:
        NotSignedError: The text is no JWT.
    """
    return _part(text, 1)


def claims(text: str, keys: dict[str, Any]) -> dict[str, Any]:
    """Read the claims of a JWT that one of the keys signed.

    Args:
        text: The JWT.
        keys: A JWKS.

    Raises:
        NotSignedError: None of them did.
    """
    for key in _candidates(keys, header(text).get("kid")):
        try:
            return dict(jwt.decode(text, import_key(key), algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError):
            continue
    raise NotSignedError("The token is no JWT that a registered key signed.")


def _candidates(keys: dict[str, Any], kid: object) -> Iterator[dict[str, Any]]:
    """Give the keys that may have signed: the one of that name; without a name, and of keys without one, all."""
    for key in keys.get("keys", ()):
        if kid is None or key.get("kid") in {None, kid}:
            yield key


def _part(text: str, number: int) -> dict[str, Any]:
    parts = text.split(".")
    try:
        decoded = msgspec.json.decode(base64.urlsafe_b64decode(parts[number] + "=" * (-len(parts[number]) % 4)))
    except (ValueError, IndexError):
        raise NotSignedError("The token is no JWT.") from None
    if not isinstance(decoded, dict) or len(parts) != PARTS:
        raise NotSignedError("The token is no JWT.")
    return decoded
