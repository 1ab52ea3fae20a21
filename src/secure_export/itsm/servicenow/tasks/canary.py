"""Whether a look-up by key can be believed: tried out before anything is written, and again every quarter of an hour.

An instance passes over the terms of a query that it does not understand and gives *any* rows, or, with the property
``glide.invalid_query.returns_no_rows``, none at all (ServiceNow documentation, "Table API"). Either would make a
second record, or change a stranger's: so a key that nobody has must find nothing, a key that is there must find its
record, and the dictionary must have the column.
"""

import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from secure_export.itsm.ended import Ended, unread
from secure_export.itsm.first_alone import first_alone
from secure_export.itsm.kept import Kept
from secure_export.itsm.servicenow.api.rows import value
from secure_export.itsm.servicenow.api.table_api import Query, TableApi
from secure_export.itsm.servicenow.api.verdict import Ok
from secure_export.itsm.servicenow.keys import PREFIX
from secure_export.itsm.servicenow.tasks.choices import Choices
from secure_export.itsm.verdict import NotThere
from secure_export.workitems.outcome import TryLater

_PASSED_SECONDS = 900.0
_FAILED_SECONDS = 60.0
_KEY = "correlation_id"
_FIELDS = ("sys_id", _KEY)


@dataclass(frozen=True, slots=True)
class _Witness:
    """A record that is known to be there."""

    sys_id: str
    correlation_id: str


class Canary:
    """Tries look-ups out.

    Args:
        api: The instance.
        choices: Knows the dictionary.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(self, api: TableApi, choices: Choices, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._choices = choices
        self._monotonic = monotonic
        self._tried = Kept(self.trouble, seconds=_for_how_long, monotonic=monotonic)
        self._witnesses: dict[str, _Witness] = {}
        self._distrusted: dict[str, tuple[str, float]] = {}
        self._lost: dict[str, tuple[str, str]] = {}
        self._first = defaultdict[str, asyncio.Lock](asyncio.Lock)

    def first_alone(self, table: str) -> AbstractAsyncContextManager[None]:
        """Let records of a table be made one at a time until one is found again by its key; see ``first_alone``."""
        return first_alone(self._first[table], lambda: table in self._witnesses)

    async def passes(self, table: str) -> None:
        """Go on if look-ups in a table can be believed.

        Raises:
            Ended: They cannot, or it is not known now.
        """
        why, until = self._distrusted.get(table, ("", 0.0))
        if why and self._monotonic() >= until:
            del self._distrusted[table]
            self._tried.forget(table)
            why = ""
        why = why or await self._tried.get(table)
        if why:
            raise Ended(TryLater(why))

    def saw(self, table: str, sys_id: str, correlation_id: str) -> None:
        """Take a record that was just made or found as one that a look-up must find."""
        self._witnesses[table] = _Witness(sys_id, correlation_id)

    def distrust(self, table: str, why: str) -> None:
        """Take notice that a look-up in a table gave something that cannot be: nothing is written for a while."""
        self._distrusted[table] = (why, self._monotonic() + _FAILED_SECONDS)

    def lost(self, table: str, sys_id: str, why: str) -> None:
        """Take notice that a record was made without its key: none is made until a person has dealt with that one."""
        self._lost[table] = (sys_id, why)
        self._tried.forget(table)
        self.distrust(table, why)

    async def trouble(self, table: str) -> str:
        """Try look-ups in a table out now: why they cannot be believed; empty when they can.

        Raises:
            Ended: The instance gave no answer now.
        """
        for tried in (self._negative, self._in_dictionary, self._positive, self._still_lost):
            if why := await tried(table):
                return why
        return ""

    async def close(self) -> None:
        """Stop trying."""
        await self._tried.close()

    async def _negative(self, table: str) -> str:
        nobodys = f"{PREFIX}:canary:{secrets.token_hex(16)}"
        told = await self._api.rows(table, Query(f"{_KEY}={nobodys}", _FIELDS, limit=1))
        if not isinstance(told, Ok):
            raise Ended(unread(told, table))
        if told.result or told.total:
            return ignored(table)
        if told.total is None:
            return (
                f"ServiceNow does not say how many records of {table} a query finds (X-Total-Count): let it and the "
                "proxies in between pass that header on; without it hidden records cannot be told from missing ones"
            )
        return ""

    async def _in_dictionary(self, table: str) -> str:
        columns = await self._choices.columns(table)
        if columns and _KEY not in columns:
            return f"{table} has no column {_KEY} (sys_dictionary): a work item can be kept only in tables that have it"
        return ""

    async def _positive(self, table: str) -> str:
        """A record that was there must be found by its key, unless it is there no more."""
        witness = self._witnesses.get(table)
        if witness is None:
            return ""
        told = await self._api.rows(table, Query(f"{_KEY}={witness.correlation_id}", _FIELDS, limit=10))
        if not isinstance(told, Ok):
            raise Ended(unread(told, table))
        if any(value(row, "sys_id") == witness.sys_id for row in told.result):
            return ""
        there = await self._api.row(table, witness.sys_id, _FIELDS)
        if isinstance(there, NotThere):
            del self._witnesses[table]
            return hidden(table) if told.total else ""
        if not isinstance(there, Ok):
            raise Ended(unread(there, table))
        if value(there.result, _KEY) != witness.correlation_id:
            del self._witnesses[table]
            return ""
        return (
            f"ServiceNow does not find a record of {table} by its {_KEY}, though it is there: the integration user "
            f"needs query ACLs (query_match) on {table}.{_KEY}"
        )

    async def _still_lost(self, table: str) -> str:
        """Whether a record that was made without its key is there, and still lacks it."""
        sys_id, why = self._lost.get(table, ("", ""))
        if not sys_id:
            return ""
        there = await self._api.row(table, sys_id, _FIELDS)
        if isinstance(there, Ok) and not value(there.result, _KEY):
            return why
        if not isinstance(there, Ok | NotThere):
            raise Ended(unread(there, table))
        del self._lost[table]
        return ""


def ignored(table: str) -> str:
    """Say that the instance passes over our query."""
    return (
        f"ServiceNow gives records of {table} that were not asked for: it passes over {_KEY} in queries. Is the column "
        f"there, and may the integration user read it (ACL on {table}.{_KEY})? Nothing is written until this is mended"
    )


def hidden(table: str) -> str:
    """Say that access rules hide rows."""
    return (
        f"ServiceNow counts records of {table} that it does not show us: read ACLs hide them from the integration "
        "user. Whether this work item has a record cannot be told until the user may read its own records"
    )


def _for_how_long(why: str) -> float:
    return _FAILED_SECONDS if why else _PASSED_SECONDS
