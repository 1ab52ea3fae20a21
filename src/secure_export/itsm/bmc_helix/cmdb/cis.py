"""BMC's CMDB as binding sees it.

No standard attribute holds an Azure resource id (BMC documentation, "CDM Mapping for Cloud"), so that the configuration
says in which classes and attributes to look, and in which order. CIs that are not reconciled are passed over: an
incident is bound by the reconciliation identity.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from secure_export.alerts.resource_id import ResourceId, parse
from secure_export.cmdb.contract import STANDS_IN_FOR, ConfigurationItem
from secure_export.itsm.bmc_helix.cmdb.ci_question import can_be_asked
from secure_export.itsm.bmc_helix.cmdb.ci_remarks import CiRemarks
from secure_export.itsm.bmc_helix.cmdb.ci_rows import ci_of
from secure_export.itsm.bmc_helix.cmdb.ci_search import CiSearch, Findings, Hit
from secure_export.itsm.bmc_helix.cmdb.classes import CmdbClasses
from secure_export.itsm.bmc_helix.cmdb.settings import BY_NAME, BY_WHOLE, CiLookup, CmdbSettings, Source
from secure_export.workitems.work_item import Binding


class BmcHelixCmdb:
    """Looks CIs up in BMC's CMDB, without keeping answers: ``CisAtHand`` does that.

    What may not be read for want of rights is found by nobody's fault: it counts as not there, so that alerts go on
    without a CI, and ``unreadable`` says so. Trouble that passes is raised.

    Args:
        classes: Reads the CMDB.
        settings: What the configuration says.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(
        self,
        classes: CmdbClasses,
        settings: CmdbSettings | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings or CmdbSettings()
        self._by_id = self._rules(frozenset({Source.RESOURCE_ID}))
        self._by_name = self._rules(BY_NAME)
        self._by_whole = self._rules(BY_WHOLE)
        self._remarks = CiRemarks()
        self.search = CiSearch(classes, self._settings, monotonic=monotonic)

    @property
    def unreadable(self) -> str:
        """Say what of the CMDB may not be read, for people; empty when nothing is known to be hidden."""
        return "; ".join(self.search.lacking_rights)

    def remarks(self, bindings: Sequence[Binding]) -> tuple[str, ...]:
        """Say what a work item's reasons should tell of its bindings: what is there and could not be bound.

        Args:
            bindings: The bindings, found or not.
        """
        unbound = any(binding.id is None for binding in bindings)
        hidden = self.unreadable if unbound else ""
        said = self._remarks.of(bindings)
        return (*said, f"not all of the CMDB could be searched: {hidden}") if hidden else said

    async def by_resource_ids(self, resource_ids: Sequence[str]) -> Sequence[ConfigurationItem]:
        """Give the CIs with these Azure resource ids.

        Several CIs with one id are given as they are: it is not for us to choose. One that stands in for all that lies
        in a subscription or resource group is given only when nothing else is found, by name neither.

        Raises:
            CmdbUnavailable: There is no answer now.
        """
        wanted = {one.text: one for text in resource_ids if can_be_asked(text) and (one := parse(text)) is not None}
        findings = await self.search.through(self._by_id, tuple(wanted))
        found = {key: self._cis(key, one, resource_id=key) for key, one in findings.items()}
        left = {key: one for key, one in wanted.items() if not found.get(key)}
        if self._by_whole and left:
            found |= await self._stand_ins(await self._without_name(left, found))
        return [ci for cis in found.values() for ci in cis]

    async def by_names(self, names: Sequence[str]) -> Sequence[ConfigurationItem]:
        """Give every CI with one of these names.

        Raises:
            CmdbUnavailable: There is no answer now.
        """
        wanted = tuple(dict.fromkeys(name.lower() for name in names if can_be_asked(name)))
        findings = await self.search.through(self._by_name, wanted)
        return [ci for key, one in findings.items() for ci in self._cis(key, one)]

    def _rules(self, sources: frozenset[Source]) -> tuple[CiLookup, ...]:
        return tuple(rule for rule in self._settings.ci_lookup if rule.source in sources)

    def _cis(self, key: str, found: Findings, *, resource_id: str | None = None) -> list[ConfigurationItem]:
        """Make CIs of what was found; of those that are out of use only when there is no other."""
        if found.unreconciled and not found.live:
            self._remarks.note(key, _not_reconciled(found.unreconciled))
        else:
            self._remarks.forget(key)
        name = "" if resource_id is not None else key
        return [self._ci(hit, name=name, resource_id=resource_id) for hit in found.live or found.dead]

    def _ci(self, hit: Hit, *, name: str = "", resource_id: str | None = None) -> ConfigurationItem:
        return ci_of(hit.row, hit.known_by, name=name, resource_id=resource_id, further=self._settings.attributes)

    async def _without_name(
        self, left: Mapping[str, ResourceId], found: Mapping[str, Sequence[ConfigurationItem]]
    ) -> dict[str, ResourceId]:
        """Leave out what has a CI by its name, or is a part of something that has one: binding finds that by itself."""
        parts = {key: one for key, one in left.items() if not any(found.get(parent) for parent in _wholes(one))}
        names = tuple(dict.fromkeys(one.name for one in parts.values() if can_be_asked(one.name)))
        named = await self.search.through(self._by_name, names) if names else {}
        return {key: one for key, one in parts.items() if not (one.name in named and named[one.name].live)}

    async def _stand_ins(self, left: Mapping[str, ResourceId]) -> dict[str, list[ConfigurationItem]]:
        """Give the one CI that stands in for each resource; several are none, and a remark."""
        found: dict[str, list[ConfigurationItem]] = {}
        for rule in self._by_whole:
            missing = {key: one for key, one in left.items() if key not in found}
            asked = {text for one in missing.values() for text in _texts(rule, one) if can_be_asked(text)}
            findings = await self.search.through((rule,), tuple(asked)) if asked else {}
            for key, one in missing.items():
                hits = next((f.live for text in _texts(rule, one) if (f := findings.get(text)) and f.live), [])
                if len(hits) == 1:
                    found[key] = [_standing_in(self._ci(hits[0], resource_id=key), one)]
                elif hits:
                    self._remarks.note(key, _several(rule, len(hits)))
        return found


def _texts(rule: CiLookup, one: ResourceId) -> tuple[str, ...]:
    """What the CI of a resource's group or subscription may have in a rule's attribute, the surest first."""
    if one.subscription is None:
        return ()
    if rule.source is Source.SUBSCRIPTION:
        return (f"/subscriptions/{one.subscription}", one.subscription)
    if one.resource_group is None:
        return ()
    return (f"/subscriptions/{one.subscription}/resourcegroups/{one.resource_group}", one.resource_group)


def _wholes(one: ResourceId) -> list[str]:
    """The resources that one is a part of."""
    found: list[str] = []
    parent = one.parent()
    while parent is not None and (parts := parse(parent)) is not None and parts.is_resource:
        found.append(parts.text)
        parent = parts.parent()
    return found


def _standing_in(ci: ConfigurationItem, one: ResourceId) -> ConfigurationItem:
    return replace(ci, attributes={**ci.attributes, STANDS_IN_FOR: one.name})


def _not_reconciled(names: Sequence[str]) -> str:
    return (
        f"the CMDB has {names[0]}, but reconciliation has not seen it (ReconciliationIdentity 0), so that it cannot be "
        "bound: run the reconciliation job of its dataset"
    )


def _several(rule: CiLookup, count: int) -> str:
    return f"{count} CIs would stand in by {rule.class_name}.{rule.attribute}: none was taken, because any may be meant"
