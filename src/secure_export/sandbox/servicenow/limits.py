"""What an instance takes at most: requests an hour, at a time, and waiting (servicenow-facts section 6)."""

import asyncio
import contextlib
import secrets
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final

from secure_export.sandbox.reply import Reply
from secure_export.sandbox.servicenow.call import Call, error_reply
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.turns import Semaphore

HOUR: Final = timedelta(hours=1)
_MOST_SESSIONS: Final = 2_000
_RULES: Final = "sys_rate_limit_rules"


@dataclass(frozen=True, slots=True)
class RateRule:
    """How many requests an hour are taken.

    Attributes:
        per_hour: How many.
        user: Whose, by ``user_name``; empty: everybody's, and each user is counted by themselves.
        role: Only users with this role; empty: all.
        path: Which paths; ``*`` stands for any characters.
        api: How refusals call the API.
        sys_id: The rule's id, which ``X-RateLimit-Rule`` names.
    """

    per_hour: int
    user: str = ""
    role: str = ""
    path: str = "/api/now/*table/*"
    api: str = "Table API"
    sys_id: str = field(default_factory=lambda: secrets.token_hex(16))

    def covers(self, call: Call, roles: frozenset[str]) -> bool:
        """Say whether a request counts."""
        return (
            fnmatchcase(call.path, self.path)
            and (not self.user or call.user == self.user)
            and (not self.role or self.role in roles)
        )


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a rate rule says to a request.

    Attributes:
        headers: The headers of every counted answer.
        refusal: The answer, if it is one too many.
    """

    headers: dict[str, str] = field(default_factory=dict)
    refusal: Reply | None = None


class RateLimits:
    """Counts requests by rule and user, by the clock's full hours. The rules are the rows of ``sys_rate_limit_rules``.

    Args:
        instance: Whose rules.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._read_at = -1
        self._rules: list[RateRule] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._hour: datetime | None = None

    @property
    def rules(self) -> list[RateRule]:
        """The active rules."""
        if (version := self._instance.tables.version(_RULES)) != self._read_at:
            self._read_at = version
            rows = [row for row in self._instance.tables.rows(_RULES) if row.get("active") != "false"]
            self._rules = [self._rule(row) for row in rows]
        return self._rules

    def add(self, rule: RateRule) -> None:
        """Make a rule; it is active at once."""
        user = self._instance.first("sys_user", f"user_name={rule.user}") if rule.user else None
        role = self._instance.first("sys_user_role", f"name={rule.role}") if rule.role else None
        self._instance.tables.put(
            _RULES,
            {
                "sys_id": rule.sys_id,
                "active": "true",
                "name": rule.api,
                "rate_limit": str(rule.per_hour),
                "resource": rule.path,
                "type": "user" if user else "role" if role else "all",
                "user": user["sys_id"] if user else "",
                "role": role["sys_id"] if role else "",
            },
        )

    def clear(self) -> None:
        """Delete all rules, and count anew."""
        for row in list(self._instance.tables.rows(_RULES)):
            self._instance.tables.remove(_RULES, row["sys_id"])
        self._counts.clear()

    def count(self, call: Call, roles: frozenset[str]) -> Allowance:
        """Count a request."""
        now = self._instance.clock.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour = hour
            self._counts.clear()
        headers: dict[str, str] = {}
        for rule in self.rules:
            if not rule.covers(call, roles):
                continue
            self._counts[rule.sys_id, call.user] += 1
            headers = rate_headers(rule.per_hour, hour + HOUR, rule.sys_id)
            if self._counts[rule.sys_id, call.user] > rule.per_hour:
                return Allowance(headers, too_many(rule, headers, hour + HOUR - now))
        return Allowance(headers)

    def _rule(self, row: Row) -> RateRule:
        user = self._instance.tables.get("sys_user", row.get("user", "")) or {}
        role = self._instance.tables.get("sys_user_role", row.get("role", "")) or {}
        return RateRule(
            per_hour=int(row.get("rate_limit") or 0),
            user=user.get("user_name", ""),
            role=role.get("name", ""),
            path=row.get("resource") or "*",
            api=row.get("name") or "REST API",
            sys_id=row["sys_id"],
        )


def rate_headers(limit: int, reset: datetime, rule_id: str) -> dict[str, str]:
    """Give the headers of a counted answer."""
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Reset": str(int(reset.timestamp())),
        "X-RateLimit-Rule": rule_id,
    }


def too_many(rule: RateRule, headers: dict[str, str], wait: timedelta) -> Reply:
    """Refuse a request that is one too many."""
    detail = f"Rate limit of {rule.per_hour} requests per hour for {rule.api} exceeded"
    again = {"Retry-After": str(max(1, -int(-wait.total_seconds() // 1)))}
    return error_reply(429, "Rate limit exceeded", detail, {**headers, **again})


def queue_full() -> Reply:
    """Refuse a request that finds no place to wait; the real body is unverified (section 15)."""
    return error_reply(429, "Too many requests", None)


class SessionBusyError(Exception):
    """Too many requests wait for the session."""


@dataclass(slots=True)
class Session:
    """What one ``JSESSIONID`` stands for.

    Attributes:
        user: Who signed in with it, by ``user_name``.
        waiting: How many of its requests are under way or wait.
        lock: One request of a session runs at a time.
    """

    user: str
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sessions:
    """The sessions, of which only the newest are kept.

    Attributes:
        queue: How many requests of one session may be under way or wait before the next gets 202.
    """

    def __init__(self, queue: int = 10) -> None:
        self.queue = queue
        self._kept: OrderedDict[str, Session] = OrderedDict()

    def start(self, user: str) -> str:
        """Start a session.

        Returns:
            Its id.
        """
        session_id = secrets.token_hex(16).upper()
        self._kept[session_id] = Session(user)
        if len(self._kept) > _MOST_SESSIONS:
            self._kept.popitem(last=False)
        return session_id

    def find(self, session_id: str) -> Session | None:
        """Find a session."""
        return self._kept.get(session_id)

    def end(self) -> None:
        """Forget all sessions."""
        self._kept.clear()

    @contextlib.asynccontextmanager
    async def turn(self, session: Session | None) -> AsyncGenerator[None]:
        """Wait until no other request of the session runs; requests without a session do not wait.

        Raises:
            SessionBusyError: Too many wait already.
        """
        if session is None:
            yield
            return
        if session.waiting >= self.queue:
            raise SessionBusyError
        with _counted(session):
            async with session.lock:
                yield


@contextlib.contextmanager
def _counted(session: Session) -> Iterator[None]:
    session.waiting += 1
    try:
        yield
    finally:
        session.waiting -= 1


class Limits:
    """All that an instance takes at most.

    Args:
        instance: The instance.

    Attributes:
        rates: Requests an hour.
        semaphore: Requests at a time, as the set ``API_INT`` has them.
        sessions: Requests of one session.
    """

    def __init__(self, instance: Instance) -> None:
        self.rates = RateLimits(instance)
        self.semaphore = Semaphore()
        self.sessions = Sessions()
