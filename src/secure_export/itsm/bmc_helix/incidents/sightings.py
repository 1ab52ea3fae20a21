"""Finds incidents by the keys that we wrote into them: many look-ups in one call, and no answer that is not sure."""

from collections.abc import Mapping, Sequence

from secure_export.itsm.bmc_helix.api import qualification
from secure_export.itsm.bmc_helix.api.ended import Ended, unread
from secure_export.itsm.bmc_helix.api.entry_api import EntryApi, Page, Query
from secure_export.itsm.bmc_helix.api.verdict import Ok
from secure_export.itsm.bmc_helix.forms import INCIDENT
from secure_export.itsm.bmc_helix.incidents.record import age, row_fields
from secure_export.itsm.bmc_helix.incidents.trust import Trust
from secure_export.itsm.bmc_helix.rows import Row, value
from secure_export.itsm.gathered import Gathered
from secure_export.itsm.record_keys import LONGEST
from secure_export.workitems.outcome import TryLater

# A common limit of proxies is 2,048 characters; host and path of the address have the rest.
_LONGEST_QUERY = 1_800
_BETWEEN = " OR "
_AT_A_TIME = 2
_ROWS_FOR_EACH = 4
_LEAST_ROWS = 50
_HIDDEN = "BMC has more incidents than it shows for this key, so that nothing sure can be said"


def most_keys(key_field: str) -> int:
    """Say how many keys fit into one query."""
    term = qualification.encoded_length(qualification.equal(key_field, "0" * LONGEST) + _BETWEEN)
    fields = qualification.encoded_length(",".join(row_fields(key_field)))
    return max(1, (_LONGEST_QUERY - fields) // term)


class Sightings:
    """Looks for incidents of a connection.

    Args:
        api: The server.
        trust: Told when a look-up is answered with something else.
        key_field: The field that holds the keys.
    """

    def __init__(self, api: EntryApi, trust: Trust, key_field: str) -> None:
        self._api = api
        self._trust = trust
        self._key_field = key_field
        self._gathered: Gathered[str, tuple[Row, ...]] = Gathered(
            self._fetch, most=most_keys(key_field), at_a_time=_AT_A_TIME
        )

    async def rows(self, key: str) -> tuple[Row, ...]:
        """Give the incidents with a key, oldest first; none only if there surely is none.

        Raises:
            Ended: It cannot be told now.
        """
        found = await self._gathered.get(key)
        if found is None:
            raise Ended(TryLater(_HIDDEN))
        if found:
            self._trust.proven()
        else:
            self._trust.holds()
        return found

    async def _fetch(self, keys: Sequence[str]) -> Mapping[str, tuple[Row, ...]]:
        """Read the incidents of some keys; where there are more than are shown, each key by itself."""
        found, more = await self._read(keys)
        if not more:
            return found
        unsure = [key for key, rows in found.items() if not rows]
        sure = {key: rows for key, rows in found.items() if rows}
        if len(keys) == 1:
            return sure
        for key in unsure:
            alone, more = await self._read([key])
            if alone[key] or not more:
                sure |= alone
        return sure

    async def _read(self, keys: Sequence[str]) -> tuple[dict[str, tuple[Row, ...]], bool]:
        query = Query(
            qualification.one_of(self._key_field, keys),
            row_fields(self._key_field),
            limit=max(_LEAST_ROWS, _ROWS_FOR_EACH * len(keys)),
        )
        told = await self._api.entries(INCIDENT, query)
        if not isinstance(told, Ok) or not isinstance(told.body, Page):
            raise Ended(unread(told, INCIDENT))
        found: dict[str, list[Row]] = {key: [] for key in keys}
        for row in told.body.rows:
            # Databases compare without regard to case and to blanks at the end.
            rows = found.get(value(row, self._key_field).strip().lower())
            if rows is None:
                self._trust.lose(self._ignored())
                raise Ended(TryLater(self._ignored()))
            rows.append(row)
        return {key: tuple(sorted(rows, key=age)) for key, rows in found.items()}, told.body.more

    def _ignored(self) -> str:
        return (
            f"BMC answered a look-up by {self._key_field!r} with incidents that do not have the key: either it passes "
            f"over the query, or the integration user may not read the field on {INCIDENT}. Nothing is written "
            "until then"
        )
