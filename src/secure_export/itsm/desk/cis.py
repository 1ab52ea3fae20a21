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
        Ambiguous: It has no resource id, and several CIs of its class have its name.
    """
    different = {ci.id: ci for ci in candidates}.values()
    if draft.resource_id is not None:
        same_id = [ci for ci in different if ci.resource_id == draft.resource_id]
        if same_id:
            return same_id[0]
    named = [ci for ci in different if ci.name.lower() == draft.name.lower() and _class_fits(ci, draft)]
    without_id = [ci for ci in named if ci.resource_id is None]
    if draft.resource_id is not None:
        return without_id[0] if len(without_id) == 1 else None
    if len(without_id or named) > 1:
        raise Ambiguous(_ambiguity(draft, len(without_id or named)))
    return next(iter(without_id or named), None)


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


def _class_fits(ci: ConfigurationItem, draft: CiDraft) -> bool:
    """Whether both have the same class, or one of them has none."""
    return "" in {ci.class_name, draft.class_name} or ci.class_name.lower() == draft.class_name.lower()


def _ambiguity(draft: CiDraft, count: int) -> Problem:
    of_class = f" of class {draft.class_name}" if draft.class_name else ""
    message = (
        f"{count} CIs{of_class} are called {draft.name}: give the resource id or the class of the one that is meant"
    )
    return Problem(draft.where, message)
