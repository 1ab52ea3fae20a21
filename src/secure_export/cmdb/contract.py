"""What binding needs of a CMDB, whichever tool keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

STANDS_IN_FOR = "stands_in_for"
"""The attribute of a CI that was given in place of another, which the CMDB does not have: the other's name."""


@dataclass(frozen=True, slots=True)
class ConfigurationItem:
    """A CI as the CMDB has it.

    Attributes:
        id: The CMDB's own key.
        name: Its name.
        class_name: Its class, such as ``virtual-machine``.
        resource_id: The Azure resource id, in normal form (lower case, no trailing slash); None when it has none.
        attributes: Further attributes by name (``environment``, ``owner``, ``business_criticality`` …), and
            ``STANDS_IN_FOR`` where it has the id that was asked for only in place of another.
    """

    id: str
    name: str
    class_name: str = ""
    resource_id: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


class Cmdb(Protocol):
    """Looks CIs up; names and ids are compared without regard to case."""

    @property
    def unreadable(self) -> str:
        """Say what of the CMDB we may not read, for people; empty when nothing is known to be hidden from us."""
        ...

    async def by_resource_ids(self, resource_ids: Sequence[str]) -> Sequence[ConfigurationItem]:
        """Give the CIs with these Azure resource ids (normal form), in no particular order."""
        ...

    async def by_names(self, names: Sequence[str]) -> Sequence[ConfigurationItem]:
        """Give every CI with one of these names; the caller narrows them down."""
        ...
