"""Which CI of the desk an imported one means, and what it then is: pure."""

from collections.abc import Iterable
from dataclasses import replace

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.cmdb.drafts import CiDraft, Problem


class Ambiguous(Exception):  # noqa: N818 - an answer rather than a failure
    """Several CIs may be meant.

    Attributes:
        problem: What to tell the person who imports.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def meant(draft: CiDraft, candidates: Iterable[ConfigurationItem]) -> ConfigurationItem | None:
    """Say which of the CIs an imported one means; None: it is new.

    Args:
        draft: The imported one.
        candidates: The CIs that have its resource id or its name, others may be among them.

    Raises:
        Ambiguous: It has no resource id, and several CIs of its name may be meant.
    """
    different = {ci.id: ci for ci in candidates}.values()
    if draft.resource_id is not None:
        same_id = [ci for ci in different if ci.resource_id == draft.resource_id]
        return same_id[0] if same_id else _to_complete(draft, different)
    named = [ci for ci in different if _is_called(ci, draft)]
    possible = [ci for ci in named if ci.resource_id is None and _has_class(ci, draft)] or named
    if len(possible) > 1:
        raise Ambiguous(_ambiguity(draft, len(possible)))
    return possible[0] if possible else None


def _to_complete(draft: CiDraft, candidates: Iterable[ConfigurationItem]) -> ConfigurationItem | None:
    """The CI that lacks a resource id and gets the draft's, if it is clear which one."""
    bare = [ci for ci in candidates if ci.resource_id is None and _is_called(ci, draft)]
    possible = [ci for ci in bare if _has_class(ci, draft)] or bare
    return possible[0] if len(possible) == 1 else None


def after_import(ci: ConfigurationItem, draft: CiDraft) -> ConfigurationItem:
    """Give the CI as it is after the import; what the draft does not name stays."""
    merged = {**ci.attributes, **draft.attributes}
    return replace(
        ci,
        name=draft.name,
        class_name=draft.class_name or ci.class_name,
        resource_id=draft.resource_id or ci.resource_id,
        attributes={name: value for name, value in merged.items() if value},
    )


def _is_called(ci: ConfigurationItem, draft: CiDraft) -> bool:
    """Whether both have the same name, and the same class unless one has none."""
    if ci.name.lower() != draft.name.lower():
        return False
    return "" in {ci.class_name, draft.class_name} or _has_class(ci, draft)


def _has_class(ci: ConfigurationItem, draft: CiDraft) -> bool:
    return ci.class_name.lower() == draft.class_name.lower()


def _ambiguity(draft: CiDraft, count: int) -> Problem:
    of_class = f" of class {draft.class_name}" if draft.class_name else ""
    message = (
        f"{count} CIs{of_class} are called {draft.name}: give the resource id or the class of the one that is meant"
    )
    return Problem(draft.where, message)
