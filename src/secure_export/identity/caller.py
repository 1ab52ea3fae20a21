"""Who is calling, and why somebody was not let in."""

import msgspec


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A caller whose token passed the whole check. Only the gate hands these out.

    Attributes:
        tenant_id: The tenant that issued the token.
        application_id: The calling application (``azp`` or ``appid``).
        object_id: The calling service principal (``oid``).
        roles: The app roles the token carries.
        token_version: ``1.0`` or ``2.0``.
        token_id: ``uti``, for the log; empty when absent.
        expires_at: Seconds since 1970 until which the token may be used, without leeway.
    """

    tenant_id: str
    application_id: str
    object_id: str
    roles: tuple[str, ...]
    token_version: str
    token_id: str
    expires_at: int


class Refusal(Exception):  # noqa: N818 - an answer rather than a failure
    """A caller was not let in.

    Attributes:
        status: 401 (not authenticated), 403 (authenticated, not allowed) or 503 (cannot tell).
        code: A constant name for log and counter, such as ``wrong-audience``; never in the answer.
        detail: What an administrator can act on; for the log only.
        authenticate: The value of ``WWW-Authenticate``; None when the answer carries none.
        retry_after_seconds: For 503.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        authenticate: str | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.authenticate = authenticate
        self.retry_after_seconds = retry_after_seconds
