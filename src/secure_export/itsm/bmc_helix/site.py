"""What is special about this site: what its forms have, and what its templates and support groups are called.

All of it is kept for a while. What the server does not let us read is not known: nothing is left out or cut for it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from secure_export.itsm.bmc_helix.api import qualification
from secure_export.itsm.bmc_helix.api.entry_api import EntryApi, Page, Query
from secure_export.itsm.bmc_helix.api.verdict import Ok
from secure_export.itsm.bmc_helix.forms import SUPPORT_GROUP, TEMPLATE, FormShape
from secure_export.itsm.bmc_helix.rows import Row, first, value
from secure_export.itsm.ended import Ended, unread
from secure_export.itsm.kept import Kept
from secure_export.itsm.verdict import Later, NotSignedIn, Unclear
from secure_export.workitems.outcome import TryLater

_KEPT_SECONDS = 600.0
_MISSING_SECONDS = 60.0
_MOST = 20
_OFF = frozenset({"Offline", "Obsolete", "Archive", "Delete"})
_TEMPLATE_NAMES = ("Template Name", "Description")


@dataclass(frozen=True, slots=True)
class Group:
    """A support group, by the three texts that BMC knows it by."""

    company: str = ""
    organization: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up by name brought.

    Attributes:
        value: What was found; None: nothing that can be used.
        why: Why not, for people.
    """

    value: Group | str | None
    why: str = field(default="")


class Site:
    """Looks up what differs from site to site.

    Args:
        api: The server.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(self, api: EntryApi, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._shapes = Kept(self._read_shape, seconds=_longer_if_known, monotonic=monotonic)
        self._templates = Kept(self._find_template, seconds=_longer_if_found, monotonic=monotonic)
        self._groups = Kept(self._find_group, seconds=_longer_if_found, monotonic=monotonic)

    async def shape(self, form: str) -> FormShape:
        """Give what a form is like; empty where the server does not tell."""
        return await self._shapes.get(form)

    async def template(self, name: str) -> Found:
        """Give the instance id of an incident template by its name.

        Raises:
            Ended: The server gave no answer now.
        """
        return await self._templates.get(name)

    async def group(self, group: Group) -> Found:
        """Give a support group in full by its name and what else is known of it.

        Raises:
            Ended: The server gave no answer now.
        """
        return await self._groups.get(group)

    def forget(self, form: str) -> None:
        """Read a form anew the next time: something of it was refused."""
        self._shapes.forget(form)

    async def close(self) -> None:
        """Stop reading."""
        for kept in (self._shapes, self._templates, self._groups):
            await kept.close()

    async def _read_shape(self, form: str) -> FormShape:
        told = await self._api.shape(form)
        return told.body if isinstance(told, Ok) and isinstance(told.body, FormShape) else FormShape()

    async def _find_template(self, name: str) -> Found:
        for by in _TEMPLATE_NAMES:
            rows = await self._rows(TEMPLATE, {by: name}, ("InstanceId", "HPD Template ID", *_TEMPLATE_NAMES))
            if isinstance(rows, str):
                return Found(None, rows)
            ids = list(dict.fromkeys(value(row, "InstanceId") for row in rows if value(row, "InstanceId")))
            if len(ids) == 1:
                return Found(ids[0])
            if ids:
                return Found(None, f"{len(ids)} templates are called {name!r}: write the instance id of the one meant")
        return Found(None, f"HPD:Template has none called {name!r} that the integration user can see")

    async def _find_group(self, group: Group) -> Found:
        asked = {
            "Support Group Name": group.name,
            "Company": group.company,
            "Support Organization": group.organization,
        }
        rows = await self._rows(SUPPORT_GROUP, asked, (*asked, "Status"))
        if isinstance(rows, str):
            return Found(None, rows)
        found = list(dict.fromkeys(_group(row) for row in rows if first(row, "Status") not in _OFF))
        if len(found) == 1:
            return Found(found[0])
        if found:
            companies = ", ".join(f"{one.company} > {one.organization}" for one in found)
            return Found(None, f"{len(found)} support groups are called {group.name!r} ({companies}): write which one")
        return Found(None, f"there is no support group called {group.name!r} that the integration user can see")

    async def _rows(self, form: str, asked: Mapping[str, str], fields: tuple[str, ...]) -> tuple[Row, ...] | str:
        """Records whose fields are what is asked for; why there are none, where that is refused."""
        try:
            text = qualification.together(*(qualification.equal(name, text) for name, text in asked.items() if text))
        except ValueError as error:
            return str(error)
        told = await self._api.entries(form, Query(text, fields, limit=_MOST))
        if isinstance(told, Later | NotSignedIn | Unclear):
            raise Ended(unread(told, form))
        if not isinstance(told, Ok):
            return f"{form} cannot be read ({told.reason})"
        if not isinstance(told.body, Page):
            raise Ended(TryLater(f"{form} could not be read"))
        return tuple(row for row in told.body.rows if _is(row, asked))


def _is(row: Row, asked: Mapping[str, str]) -> bool:
    return all(value(row, name).casefold() == text.casefold() for name, text in asked.items() if text)


def _group(row: Row) -> Group:
    return Group(value(row, "Company"), value(row, "Support Organization"), value(row, "Support Group Name"))


def _longer_if_known(shape: FormShape) -> float:
    return _KEPT_SECONDS if shape.fields else _MISSING_SECONDS


def _longer_if_found(found: Found) -> float:
    return _KEPT_SECONDS if found.value is not None else _MISSING_SECONDS
