"""The desk's CMDB as binding sees it, with what was looked up kept at hand."""

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.itsm.desk.contract import Cis

_FRESH_SECONDS = 1.0
_KEPT = 20_000

_Found = tuple[ConfigurationItem, ...]


class DeskCmdb:
    """Looks CIs up in the desk's records.

    Answers are kept, the absence of a CI too, until the CMDB's version changes; the version is read again after a
    second, so that what another process imports is seen.

    Args:
        records: Where CIs are kept.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(self, records: Cis, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._records = records
        self._monotonic = monotonic
        self._version = -1
        self._looked_at = float("-inf")
        self._generation = 0
        self._by_resource_id: dict[str, _Found] = {}
        self._by_name: dict[str, _Found] = {}

    @property
    def unreadable(self) -> str:
        """Nothing of the desk is hidden from us."""
        return ""

    async def by_resource_ids(self, resource_ids: Sequence[str]) -> Sequence[ConfigurationItem]:
        """Give the CIs with these Azure resource ids (normal form), in no particular order."""
        await self._refresh()
        wanted = {resource_id.lower() for resource_id in resource_ids}
        return await self._look_up(wanted, self._by_resource_id, self._records.cis_by_resource_ids, _resource_id_of)

    async def by_names(self, names: Sequence[str]) -> Sequence[ConfigurationItem]:
        """Give every CI with one of these names."""
        await self._refresh()
        wanted = {name.lower() for name in names}
        return await self._look_up(wanted, self._by_name, self._records.cis_by_names, _name_of)

    async def _refresh(self) -> None:
        now = self._monotonic()
        if now - self._looked_at < _FRESH_SECONDS:
            return
        version = await self._records.cmdb_version()
        self._looked_at = now
        if version != self._version:
            self._version = version
            self._forget()

    def _forget(self) -> None:
        self._generation += 1
        self._by_resource_id.clear()
        self._by_name.clear()

    async def _look_up(
        self,
        wanted: set[str],
        kept: dict[str, _Found],
        query: Callable[[Sequence[str]], Awaitable[Sequence[ConfigurationItem]]],
        key_of: Callable[[ConfigurationItem], str],
    ) -> list[ConfigurationItem]:
        missing = sorted(wanted - kept.keys())
        found = {key: kept[key] for key in wanted if key in kept}
        if missing:
            generation = self._generation
            found |= _grouped(missing, await query(missing), key_of)
            if generation == self._generation:
                self._keep(kept, missing, found)
        return [ci for cis in found.values() for ci in cis]

    def _keep(self, kept: dict[str, _Found], keys: Iterable[str], found: dict[str, _Found]) -> None:
        if len(kept) > _KEPT:
            kept.clear()
        kept.update((key, found[key]) for key in keys)


def _grouped(
    keys: Iterable[str], cis: Iterable[ConfigurationItem], key_of: Callable[[ConfigurationItem], str]
) -> dict[str, _Found]:
    groups: dict[str, list[ConfigurationItem]] = {key: [] for key in keys}
    for ci in cis:
        groups[key_of(ci)].append(ci)
    return {key: tuple(group) for key, group in groups.items()}


def _resource_id_of(ci: ConfigurationItem) -> str:
    return ci.resource_id or ""


def _name_of(ci: ConfigurationItem) -> str:
    return ci.name.lower()
