"""Tries finding incidents again, by key and by time: a part of ``secure-export check``.

That we may write is proven by an incident that was made before. As long as there is none it cannot be proven without
making one, which the integration user could not delete again; the check then says so.
"""

from collections.abc import Sequence
from datetime import timedelta

from secure_export.itsm import record_keys
from secure_export.itsm.bmc_helix.api import qualification
from secure_export.itsm.bmc_helix.api.entry_api import Page, Query
from secure_export.itsm.bmc_helix.api.verdict import Ok, Verdict
from secure_export.itsm.bmc_helix.forms import CREATE, INCIDENT, NUMBER
from secure_export.itsm.bmc_helix.incidents.record import row_fields
from secure_export.itsm.bmc_helix.rows import Row, time_of, value
from secure_export.itsm.bmc_helix.tools import Tools
from secure_export.itsm.contract import CheckResult

_NOBODYS_KEY = "0" * 32
_CHANGED = "Last Modified Date"
_AHEAD = timedelta(days=1)


class CheckRecords:
    """Tries look-ups.

    Args:
        tools: What the steps of the connection share.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._field = tools.settings.key_field
        self._fields = row_fields(self._field)

    async def run(self) -> Sequence[CheckResult]:
        """Try the key's field, look-ups by it, and those by time."""
        own = await self._own()
        return [await self._key_field(), await self._look_up(own), await self._since(), create_result(own)]

    async def _own(self) -> Row | None:
        """Give an incident that this connection made; None when there is none, or none can be found."""
        prefix = record_keys.connection_prefix(self._tools.connection)
        told = await self._asked(qualification.begins(self._field, prefix))
        return next((row for row in _rows(told) if value(row, self._field).startswith(prefix)), None)

    async def _key_field(self) -> CheckResult:
        subject = f"key field {self._field}"
        shapes = {form: await self._tools.site.shape(form) for form in (CREATE, INCIDENT)}
        absent = [form for form, shape in shapes.items() if not shape.has(self._field)]
        if absent:
            detail = f"{' and '.join(absent)} have no such field: name one in key_field that both have"
            return CheckResult(subject, passed=False, detail=detail)
        lengths = [longest for shape in shapes.values() if (longest := shape.longest(self._field)) is not None]
        needed = len(record_keys.record_key(self._tools.connection, _NOBODYS_KEY))
        if lengths and min(lengths) < needed:
            detail = f"it takes {min(lengths)} characters, and a key has {needed}: name a longer one in key_field"
            return CheckResult(subject, passed=False, detail=detail)
        known = f"it takes {min(lengths)} characters" if lengths else "how long it may be is not told"
        detail = f"both forms have it, and {known}; ask an administrator for an index on it ({INCIDENT})"
        return CheckResult(subject, passed=True, detail=detail)

    async def _look_up(self, own: Row | None) -> CheckResult:
        """A key that nobody has must find nothing, and ours its incident."""
        subject = "look up by key"
        nobodys = record_keys.record_key(self._tools.connection, _NOBODYS_KEY)
        told = await self._asked(qualification.equal(self._field, nobodys))
        if not isinstance(told, Ok):
            return CheckResult(subject, passed=False, detail=told.reason)
        if _rows(told):
            detail = f"a key that nobody has finds incidents: the user may not read {self._field} of {INCIDENT}"
            return CheckResult(subject, passed=False, detail=detail)
        if own is None:
            detail = "a key that nobody has finds nothing; that ours finds its incident is seen once there is one"
            return CheckResult(subject, passed=True, detail=detail)
        told = await self._asked(qualification.equal(self._field, value(own, self._field)))
        if any(value(row, NUMBER) == value(own, NUMBER) for row in _rows(told)):
            return CheckResult(subject, passed=True, detail=f"ours finds its incident ({value(own, NUMBER)})")
        detail = f"{value(own, NUMBER)} is not found by the key that it has"
        return CheckResult(subject, passed=False, detail=detail)

    async def _since(self) -> CheckResult:
        """Nothing was changed tomorrow; and what is given for a time has one."""
        subject = "look for changes"
        now = self._tools.clock()
        later = await self._asked(qualification.since(_CHANGED, now + _AHEAD))
        told = await self._asked(qualification.since(_CHANGED, now - _AHEAD))
        for one in (later, told):
            if not isinstance(one, Ok):
                return CheckResult(subject, passed=False, detail=one.reason)
        if _rows(later) or any(time_of(row, _CHANGED) is None for row in _rows(told)):
            detail = (
                f"a query by {_CHANGED} gives something else than it says, so that what people change is seen late: "
                f"let the user read {_CHANGED} of {INCIDENT}"
            )
            return CheckResult(subject, passed=False, detail=detail)
        return CheckResult(subject, passed=True, detail=f"{_CHANGED} can be asked for by time")

    async def _asked(self, text: str) -> Verdict:
        return await self._tools.api.entries(INCIDENT, Query(text, self._fields, limit=5))


def create_result(own: Row | None) -> CheckResult:
    """Say whether an incident was made before."""
    if own is None:
        detail = "not proven without writing: send a first alert, and run check again"
        return CheckResult("create incident", passed=True, detail=detail)
    at = time_of(own, "Submit Date")
    made = f"{value(own, NUMBER)}{f', {at:%Y-%m-%d %H:%M} UTC' if at else ''}"
    return CheckResult("create incident", passed=True, detail=f"it was done before ({made})")


def _rows(told: Verdict) -> tuple[Row, ...]:
    return told.body.rows if isinstance(told, Ok) and isinstance(told.body, Page) else ()
