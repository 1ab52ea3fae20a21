"""Finds incidents by the keys that we wrote into them."""

from collections.abc import Sequence

from secure_export.itsm.bmc_helix.api import qualification
from secure_export.itsm.bmc_helix.api.entry_api import EntryApi, Page, Query
from secure_export.itsm.bmc_helix.api.verdict import Ok
from secure_export.itsm.bmc_helix.forms import INCIDENT
from secure_export.itsm.bmc_helix.incidents.record import age, row_fields
from secure_export.itsm.bmc_helix.incidents.trust import Trust
from secure_export.itsm.bmc_helix.rows import Row, value
from secure_export.itsm.ended import Ended, unread
from secure_export.itsm.key_look_ups import KeyLookUps
from secure_export.itsm.record_keys import LONGEST
from secure_export.workitems.outcome import TryLater

# A common limit of proxies is 2,048 characters; host and path of the address have the rest.
_LONGEST_QUERY = 1_800
_BETWEEN = " OR "
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
        self._look_ups: KeyLookUps[Row] = KeyLookUps(
            self._read, self._key, not_heeded=self._not_heeded, most=most_keys(key_field)
        )

    async def rows(self, key: str) -> tuple[Row, ...]:
        """Give the incidents with a key, oldest first; none only if there surely is none.

        Raises:
            Ended: It cannot be told now.
        """
        found = await self._look_ups.get(key)
        if found is None:
            raise Ended(TryLater(_HIDDEN))
        if found:
            self._trust.proven()
        else:
            self._trust.holds()
        return found

    async def _read(self, keys: Sequence[str], limit: int) -> tuple[Sequence[Row], bool]:
        query = Query(qualification.one_of(self._key_field, keys), row_fields(self._key_field), limit=limit)
        told = await self._api.entries(INCIDENT, query)
        if not isinstance(told, Ok) or not isinstance(told.body, Page):
            raise Ended(unread(told, INCIDENT))
        return sorted(told.body.rows, key=age), told.body.more

    def _key(self, row: Row) -> str:
        return value(row, self._key_field)

    def _not_heeded(self) -> Ended:
        why = (
            f"BMC answered a look-up by {self._key_field!r} with incidents that do not have the key: either it passes "
            f"over the query, or the integration user may not read the field on {INCIDENT}. Nothing is written "
            "until then"
        )
        self._trust.lose(why)
        return Ended(TryLater(why))
