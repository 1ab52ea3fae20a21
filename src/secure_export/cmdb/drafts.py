"""CIs as an import brings them, before a CMDB has them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RelationDraft:
    """A relation from a CI to another.

    Attributes:
        kind: What relates them, read from the CI to its target: ``child-of``, ``runs-on``, ``depends-on`` …
        target: The other CI: its resource id, or its name when it has none.
    """

    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class CiDraft:
    """A CI to be put into a CMDB.

    Attributes:
        name: Its name.
        class_name: Its class, such as ``virtual-machine``.
        resource_id: Its Azure resource id in normal form; None when it has none.
        attributes: Further attributes by name; an empty value takes the attribute away.
        relations: Its relations to others; they are added to those it has.
        where: Where it stood in the import, such as ``line 7``, for messages about it.
    """

    name: str
    class_name: str = ""
    resource_id: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    relations: tuple[RelationDraft, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in an import that could not be used, and what to do about it."""

    where: str
    message: str


@dataclass(frozen=True, slots=True)
class PutResult:
    """What became of the CIs that were put.

    Attributes:
        added: How many are new.
        changed: How many were there and differ now.
        unchanged: How many were there just so.
        skipped: Those that were not put, and why.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: tuple[Problem, ...] = ()

    def __add__(self, other: "PutResult") -> "PutResult":
        return PutResult(
            self.added + other.added,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.skipped + other.skipped,
        )
