"""Tokens that passed the whole check a moment ago, so that the next alert with the same one costs next to nothing.

Azure Monitor uses a token for an hour or more. Only the digest of a header is kept, never the token. Failures are not
kept: whoever was refused is checked anew.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from secure_export.identity.caller import Caller
from secure_export.identity.claim_checks import CLOCK_SKEW_SECONDS

_MOST_TOKENS = 4096
_LONGEST = timedelta(minutes=5)
_SKEW = timedelta(seconds=CLOCK_SKEW_SECONDS)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_SECONDS = 2**37


class RememberedTokens:
    """At most 4,096 tokens, each for at most five minutes and never beyond its end."""

    def __init__(self) -> None:
        self._callers: dict[bytes, tuple[datetime, Caller]] = {}

    def __len__(self) -> int:
        return len(self._callers)

    def get(self, authorization: bytes, now: datetime) -> Caller | None:
        """Give the caller that this header let in, while that is still so."""
        entry = self._callers.get(sha256(authorization).digest())
        if entry is None or now >= entry[0]:
            return None
        return entry[1]

    def keep(self, authorization: bytes, caller: Caller, now: datetime) -> None:
        """Remember a header that passed the whole check."""
        ends = _EPOCH + timedelta(seconds=min(caller.expires_at, _LATEST_SECONDS)) + _SKEW
        key = sha256(authorization).digest()
        self._callers.pop(key, None)
        if len(self._callers) >= _MOST_TOKENS:
            del self._callers[next(iter(self._callers))]
        self._callers[key] = (min(ends, now + _LONGEST), caller)

    def forget_all(self) -> None:
        """Forget every token: the keys that they were checked with have changed."""
        self._callers.clear()
