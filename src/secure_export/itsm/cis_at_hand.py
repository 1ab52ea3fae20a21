"""A CMDB elsewhere as binding sees it: what was looked up is kept for a while, and look-ups are gathered."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence

from secure_export.cmdb.contract import Cmdb, ConfigurationItem
from secure_export.itsm.gathered import Gathered

_Found = tuple[ConfigurationItem, ...]

MOST_KEPT = 20_000


class CisAtHand:
    """Looks CIs up in a CMDB that is slow or has few workers for us.

    Answers are kept, the absence of a CI for a shorter time: it may be entered any moment, while a CI rarely goes.
    Who asks while a look-up is under way shares the next one. A look-up that failed is kept by nobody.

    Args:
        cmdb: Where CIs are looked up.
        found_seconds: For how long a CI is kept.
        missing_seconds: For how long it is kept that there is none.
        monotonic: A clock in seconds that never goes back.
        most_kept: How many ids, and how many names, are kept at most; the longest unused go first.
        most_at_once: How many ids or names one look-up asks for at most.
    """

    def __init__(  # noqa: PLR0913 - bounds, with values that suit
        self,
        cmdb: Cmdb,
        *,
        found_seconds: float,
        missing_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
        most_kept: int = MOST_KEPT,
        most_at_once: int = 50,
    ) -> None:
        self._cmdb = cmdb
        lives = (found_seconds, missing_seconds)
        self._by_id = _Shelf(cmdb.by_resource_ids, _id_of, lives, monotonic, (most_kept, most_at_once))
        self._by_name = _Shelf(cmdb.by_names, _name_of, lives, monotonic, (most_kept, most_at_once))

    @property
    def unreadable(self) -> str:
        """Say what of the CMDB we may not read, for people."""
        return self._cmdb.unreadable

    async def by_resource_ids(self, resource_ids: Sequence[str]) -> Sequence[ConfigurationItem]:
        """Give the CIs with these Azure resource ids (normal form), in no particular order."""
        return await self._by_id.get(resource_ids)

    async def by_names(self, names: Sequence[str]) -> Sequence[ConfigurationItem]:
        """Give every CI with one of these names."""
        return await self._by_name.get(names)


class _Shelf:
    """The answers to one kind of question, by what was asked for, in lower case."""

    def __init__(
        self,
        look_up: Callable[[Sequence[str]], Awaitable[Sequence[ConfigurationItem]]],
        key_of: Callable[[ConfigurationItem], str],
        lives: tuple[float, float],
        monotonic: Callable[[], float],
        bounds: tuple[int, int],
    ) -> None:
        self._look_up = look_up
        self._key_of = key_of
        self._found_seconds, self._missing_seconds = lives
        self._monotonic = monotonic
        self._most_kept, most_at_once = bounds
        self._kept: OrderedDict[str, tuple[float, _Found]] = OrderedDict()
        self._gathered: Gathered[str, _Found] = Gathered(self._fetch, most=most_at_once)

    async def get(self, wanted: Iterable[str]) -> list[ConfigurationItem]:
        keys = dict.fromkeys(key.lower() for key in wanted)
        found = {key: kept for key in keys if (kept := self._fresh(key)) is not None}
        missing = [key for key in keys if key not in found]
        found |= await self._gathered.get_all(missing)
        return [ci for cis in found.values() for ci in cis]

    def _fresh(self, key: str) -> _Found | None:
        until, found = self._kept.get(key, (0.0, ()))
        if self._monotonic() >= until:
            self._kept.pop(key, None)
            return None
        self._kept.move_to_end(key)
        return found

    async def _fetch(self, keys: Sequence[str]) -> dict[str, _Found]:
        """Look up what no other look-up has brought in the meantime."""
        found = {key: kept for key in keys if (kept := self._fresh(key)) is not None}
        missing = [key for key in keys if key not in found]
        if missing:
            found |= self._keep(missing, await self._look_up(missing))
        return found

    def _keep(self, keys: Sequence[str], cis: Sequence[ConfigurationItem]) -> dict[str, _Found]:
        groups: dict[str, list[ConfigurationItem]] = {key: [] for key in keys}
        for ci in cis:
            groups.get(self._key_of(ci), []).append(ci)
        found = {key: tuple(group) for key, group in groups.items()}
        for key, one in found.items():
            life = self._found_seconds if one else self._missing_seconds
            self._kept[key] = (self._monotonic() + life, one)
            self._kept.move_to_end(key)
        while len(self._kept) > self._most_kept:
            self._kept.popitem(last=False)
        return found


def _id_of(ci: ConfigurationItem) -> str:
    return (ci.resource_id or "").lower()


def _name_of(ci: ConfigurationItem) -> str:
    return ci.name.lower()
