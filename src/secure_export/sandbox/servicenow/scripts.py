"""The few ``javascript:`` values that clients put into queries; nothing is executed."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from secure_export.sandbox.servicenow.clock import as_stamp
from secure_export.sandbox.servicenow.users import User
from secure_export.sandbox.servicenow.zones import moment_from_user, zone

_CALL = re.compile(r"javascript:\s*gs\.(\w+)\(\s*(.*?)\s*\);?\s*", re.DOTALL)
_QUOTED = re.compile(r"""['"]([^'"]*)['"]""")
_DAY = timedelta(days=1)
_LAST = timedelta(seconds=1)


def value_of(text: str, user: User, now: datetime) -> str | None:
    """Give what a value stands for.

    Args:
        text: A value of a query, which need not be a script.
        user: For whom; their zone decides when a day begins.
        now: The instance's time.

    Returns:
        The value; None: it is a script that the stand-in does not know.
    """
    if not text.startswith("javascript:"):
        return text
    if (match := _CALL.fullmatch(text)) is None:
        return None
    name, arguments = match.groups()
    if name == "getUserID":
        return user.sys_id
    if name == "getUserName":
        return user.user_name
    if name == "dateGenerate":
        return moment_from_user(" ".join(_QUOTED.findall(arguments)), user)
    return _moment(name, arguments, user, now)


def _moment(name: str, arguments: str, user: User, now: datetime) -> str | None:
    number = arguments.strip("'\"") or "0"
    if (known := _MOMENTS.get(name)) is None or not re.fullmatch(r"-?\d{1,6}", number):
        return None
    try:
        return as_stamp(known(now.astimezone(zone(user.time_zone)), int(number)))
    except OverflowError:
        return None


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


_MOMENTS: dict[str, Callable[[datetime, int], datetime]] = {
    "now": lambda now, _: now,
    "nowDateTime": lambda now, _: now,
    "beginningOfToday": lambda now, _: _midnight(now),
    "endOfToday": lambda now, _: _midnight(now) + _DAY - _LAST,
    "beginningOfYesterday": lambda now, _: _midnight(now) - _DAY,
    "endOfYesterday": lambda now, _: _midnight(now) - _LAST,
    "beginningOfTomorrow": lambda now, _: _midnight(now) + _DAY,
    "endOfTomorrow": lambda now, _: _midnight(now) + 2 * _DAY - _LAST,
    "daysAgo": lambda now, number: now - number * _DAY,
    "daysAgoStart": lambda now, number: _midnight(now) - number * _DAY,
    "daysAgoEnd": lambda now, number: _midnight(now) - (number - 1) * _DAY - _LAST,
    "hoursAgo": lambda now, number: now - timedelta(hours=number),
    "hoursAgoStart": lambda now, number: now.replace(minute=0, second=0) - timedelta(hours=number),
    "hoursAgoEnd": lambda now, number: now.replace(minute=59, second=59) - timedelta(hours=number),
    "minutesAgo": lambda now, number: now - timedelta(minutes=number),
    "minutesAgoStart": lambda now, number: now.replace(second=0) - timedelta(minutes=number),
    "minutesAgoEnd": lambda now, number: now.replace(second=59) - timedelta(minutes=number),
}
