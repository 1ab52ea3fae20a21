"""The refusals: which status each has, and what the answer may tell (RFC 6750, section 3)."""

# ruff: noqa: S105 - names of reasons, no secrets

from enum import StrEnum

from secure_export.identity.caller import Refusal

_CHALLENGE = 'Bearer realm="secure-export"'
_INVALID_TOKEN = f'{_CHALLENGE}, error="invalid_token"'
_INSUFFICIENT_SCOPE = f'{_CHALLENGE}, error="insufficient_scope"'


class Why(StrEnum):
    """Why a caller is not let in: names for the log and the counter, never in the answer."""

    NO_TOKEN = "no-token"
    WRONG_SCHEME = "wrong-scheme"
    SEVERAL_TOKENS = "several-tokens"
    TOKEN_TOO_LONG = "token-too-long"
    MALFORMED_TOKEN = "malformed-token"
    WRONG_ALGORITHM = "wrong-algorithm"
    WRONG_TYPE = "wrong-type"
    FORBIDDEN_HEADER = "forbidden-header"
    GRAPH_TOKEN = "graph-token"
    UNKNOWN_KEY = "unknown-key"
    BAD_SIGNATURE = "bad-signature"
    MALFORMED_CLAIM = "malformed-claim"
    WRONG_VERSION = "wrong-version"
    WRONG_ISSUER = "wrong-issuer"
    WRONG_TENANT = "wrong-tenant"
    WRONG_AUDIENCE = "wrong-audience"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    NO_OBJECT_ID = "no-object-id"
    DELEGATED_TOKEN = "delegated-token"
    DENIED = "denied"
    TENANT_DOES_NOT_OPERATE = "tenant-does-not-operate"
    WRONG_CALLER = "wrong-caller"
    MISSING_ROLE = "missing-role"
    NO_KEYS = "no-keys"
    KEYS_NOT_REFRESHED = "keys-not-refreshed"


def no_credentials(why: Why, detail: str) -> Refusal:
    """Refuse a request that brings no bearer token: 401 without an error code, as RFC 6750 demands."""
    return Refusal(401, why.value, detail, authenticate=_CHALLENGE)


def not_authenticated(why: Why, detail: str) -> Refusal:
    """Refuse a token that proves nothing: 401."""
    return Refusal(401, why.value, detail, authenticate=_INVALID_TOKEN)


def not_allowed(why: Why, detail: str) -> Refusal:
    """Refuse a caller whose token is good but who may not do this: 403."""
    return Refusal(403, why.value, detail, authenticate=_INSUFFICIENT_SCOPE)


def cannot_tell(why: Why, detail: str, retry_after_seconds: int) -> Refusal:
    """Refuse because the token cannot be judged now: 503, which Azure sends again (401 would drop the alert)."""
    return Refusal(503, why.value, detail, retry_after_seconds=retry_after_seconds)
