"""From ``Authorization`` headers to a token that has one meaning only. Nothing here is believed yet.

These checks come before any library sees the token, because libraries differ in what they forgive (padding, UTF-16,
duplicate members, unknown ``crit``, keys that the token brings along).
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from secure_export.identity.caller import Refusal
from secure_export.identity.mistakes import graph_token
from secure_export.identity.refusals import Why, no_credentials, not_authenticated
from secure_export.identity.strict_json import NotStrict, read_object

MAX_AUTHORIZATION_BYTES = 16 * 1024
ALGORITHM = "RS256"
TYPE = "jwt"

# The compact form of a JWS (RFC 7515, section 7.1): three parts of unpadded base64url. Five would be a JWE.
_COMPACT = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SCHEME = b"bearer "
_BLANKS = b" \t"  # around a header's value they are no part of it (RFC 9110, section 5.5); servers leave the last ones

# Members that bring a key along, point to one, or change how the token is to be read. Each has been an attack.
FORBIDDEN_HEADER_MEMBERS = frozenset(
    {"crit", "jwk", "jku", "x5u", "x5c", "zip", "cty", "b64", "enc", "epk", "p2s", "p2c"}
)


@dataclass(frozen=True, slots=True)
class UncheckedToken:
    """A token of the right form. Whoever sent it may have written all of it.

    Attributes:
        text: The token as it came.
        key_id: Which key is said to have signed it.
        claims: What it says.
    """

    text: bytes
    key_id: str
    claims: dict[str, Any]


def read_token(authorization: Sequence[bytes]) -> UncheckedToken:
    """Read the one token of a request.

    Args:
        authorization: The values of all its ``Authorization`` headers.

    Raises:
        Refusal: There is not exactly one bearer token, or it is not of the form that Entra ID gives its tokens.
    """
    text = bearer_token(authorization)
    parts = _COMPACT.fullmatch(text)
    if parts is None:
        raise _malformed("it is not three parts of unpadded base64url (a signed token in compact form)")
    head, body, signature = parts.groups()
    header = _read_part(head, "header")
    key_id = _check_header(header)
    _decode(signature, "signature")
    return UncheckedToken(text, key_id, _read_part(body, "payload"))


def bearer_token(authorization: Sequence[bytes]) -> bytes:
    """Take the token out of the one ``Authorization`` header (RFC 6750, section 2.1).

    Raises:
        Refusal: There is no such header or more than one, it is too long, or of another scheme.
    """
    if not authorization:
        raise no_credentials(
            Why.NO_TOKEN,
            "The request has no Authorization header. Turn on the secure webhook (Entra ID authentication) in the "
            "action group; a plain webhook sends no token.",
        )
    if len(authorization) > 1:
        raise not_authenticated(
            Why.SEVERAL_TOKENS,
            "The request has more than one Authorization header. See whether a proxy in front of the service adds one.",
        )
    value = authorization[0]
    if len(value) > MAX_AUTHORIZATION_BYTES:
        raise not_authenticated(
            Why.TOKEN_TOO_LONG, f"The Authorization header is longer than {MAX_AUTHORIZATION_BYTES}."
        )
    if value[: len(_SCHEME)].lower() != _SCHEME:
        raise no_credentials(Why.WRONG_SCHEME, "The Authorization header is not 'Bearer' and a token.")
    return value[len(_SCHEME) :].rstrip(_BLANKS)


def _check_header(header: dict[str, Any]) -> str:
    """Check every member that matters, and give the key id."""
    if header.get("alg") != ALGORITHM:
        raise not_authenticated(Why.WRONG_ALGORITHM, f"The token is not signed with {ALGORITHM}, as Entra ID signs.")
    forbidden = FORBIDDEN_HEADER_MEMBERS.intersection(header)
    if forbidden:
        raise not_authenticated(
            Why.FORBIDDEN_HEADER,
            f"The token's header has {', '.join(sorted(forbidden))}, which tokens of Entra ID do not have.",
        )
    if "nonce" in header:
        raise graph_token()
    kind = header.get("typ")
    if not isinstance(kind, str) or kind.lower() != TYPE:
        raise not_authenticated(Why.WRONG_TYPE, "The token's typ is not JWT: it is another kind of token.")
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
        raise _malformed("its key id (kid) is absent or no id")
    return key_id


def _read_part(part: bytes, name: str) -> dict[str, Any]:
    try:
        return read_object(_decode(part, name))
    except NotStrict:
        raise _malformed(f"its {name} is not strict JSON in UTF-8") from None


def _decode(part: bytes, name: str) -> bytes:
    """Decode base64url in its one canonical spelling, so that one token has one text."""
    if len(part) % 4 == 1:
        raise _malformed(f"its {name} is not base64url")
    decoded = urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    if urlsafe_b64encode(decoded).rstrip(b"=") != part:
        raise _malformed(f"its {name} is not base64url in canonical form")
    return decoded


def _malformed(what: str) -> Refusal:
    return not_authenticated(Why.MALFORMED_TOKEN, f"The token cannot be read: {what}. Entra ID makes no such tokens.")
