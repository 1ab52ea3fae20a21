"""Which CI each thing that an alert names is: pure, and every answer with its rule and its reason.

The rules, in order; the first that finds a CI decides, and one that finds several gives up:

1. ``resource-id``: the CMDB has the full resource id.
2. ``name-in-resource-group``: one CI of this name lies in the subscription and resource group concerned.
3. ``name-in-subscription``: one CI of this name lies in the subscription concerned.
4. ``name``: one CI has this name.
5. ``parent-resource``: the CMDB has a resource that this one is a part of.

Rules 2 to 4 concern a full resource id only for CIs that have no resource id themselves: one with another id is another
resource, whatever it is called. CIs that are out of use are found by their resource id only.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from secure_export.alerts.references import References
from secure_export.alerts.resource_id import parse
from secure_export.cmdb.contract import STANDS_IN_FOR, ConfigurationItem
from secure_export.cmdb.rules import Rule
from secure_export.cmdb.subjects import Subject, subjects_of
from secure_export.workitems.work_item import Binding

_OUT_OF_USE = frozenset({"retired", "decommissioned", "disposed", "deleted", "absent", "stolen", "scrapped"})
_STATUS = ("status", "install_status", "operational_status", "lifecycle_status", "life_cycle_stage")
_SUBSCRIPTION = "subscription_id"
_RESOURCE_GROUP = "resource_group"
_MOST_ATTRIBUTES = 40
_LONGEST_ATTRIBUTE = 200

_Found = Sequence[ConfigurationItem]


@dataclass(frozen=True, slots=True)
class _Step:
    """One of the ordered rules.

    Attributes:
        rule: What it is called when it binds.
        several: What it is called when it finds several.
        find: Gives the CIs that fit.
        reason: Says why it bound.
    """

    rule: Rule
    several: Rule
    find: Callable[[Subject, _Found], _Found]
    reason: Callable[[Subject, ConfigurationItem], str]


def decide(
    references: References, candidates: Iterable[ConfigurationItem], listed: frozenset[str] | None = None
) -> tuple[Binding, ...]:
    """Say which CIs an alert is about.

    Args:
        references: What the alert names.
        candidates: The CIs that may be meant: at least all those with one of its ids or names, in any order.
        listed: The subscriptions, in lower case, whose CIs a mere name may mean; None: all.

    Returns:
        A binding for each CI found, then for each thing without one, then for what is no CI at all.
    """
    decided = decide_subjects(subjects_of(references, listed), candidates)
    bound = [binding for binding in decided if binding.id is not None]
    unbound = [binding for binding in decided if binding.id is None]
    none = [Binding(None, what, Rule.NOT_A_CI.value, f"not a CI: {why}") for what, why in references.ignored]
    return (*bound, *unbound, *none)


def decide_subjects(subjects: Iterable[Subject], candidates: Iterable[ConfigurationItem]) -> tuple[Binding, ...]:
    """Say which CI each subject is; one that several subjects mean is given once, for the first of them."""
    different = {ci.id: ci for ci in candidates}
    found = tuple(different[ci_id] for ci_id in sorted(different))
    bindings: dict[str, Binding] = {}
    for subject in subjects:
        binding = decide_one(subject, found)
        bindings.setdefault(binding.id or f"/{subject.text.lower()}", binding)
    return tuple(bindings.values())


def with_blind_spots(bindings: Iterable[Binding], unreadable: str) -> tuple[Binding, ...]:
    """Say of what was not found that it may lie where we may not look.

    Args:
        bindings: What was decided.
        unreadable: What of the CMDB we may not read (``Cmdb.unreadable``); empty: nothing is hidden.
    """
    return tuple(
        replace(one, reason=f"{one.reason}; but parts of the CMDB are hidden from us: {unreadable}")
        if unreadable and one.rule == Rule.NOT_IN_CMDB
        else one
        for one in bindings
    )


def decide_one(subject: Subject, candidates: _Found) -> Binding:
    """Say which CI a subject is, or why none."""
    for step in _STEPS:
        fitting = step.find(subject, candidates)
        if len(fitting) == 1:
            return _bound(fitting[0], step.rule, step.reason(subject, fitting[0]))
        if fitting:
            return _unbound(subject, step.several, _several(subject, step.rule, len(fitting)))
    return _unbound(subject, Rule.NOT_IN_CMDB, _not_there(subject, candidates))


def _with_resource_id(subject: Subject, candidates: _Found) -> _Found:
    if subject.resource is None:
        return ()
    same = [ci for ci in candidates if ci.resource_id == subject.resource.text]
    return [ci for ci in same if _in_use(ci)] or same


def _named(subject: Subject, candidates: _Found) -> _Found:
    usable = [ci for ci in candidates if _in_use(ci) and _may_be(subject, ci)]
    for name in subject.names:
        if named := [ci for ci in usable if ci.name.lower() == name]:
            return named
    return ()


def _named_in_subscription(subject: Subject, candidates: _Found) -> _Found:
    if subject.subscription is None:
        return ()
    return _named(subject, [ci for ci in candidates if _subscription_of(ci) == subject.subscription])


def _named_in_resource_group(subject: Subject, candidates: _Found) -> _Found:
    if subject.resource_group is None:
        return ()
    within = [ci for ci in candidates if _resource_group_of(ci) == subject.resource_group]
    return _named_in_subscription(subject, within)


def _parent(subject: Subject, candidates: _Found) -> _Found:
    """The nearest resource that the subject is a part of and that the CMDB has."""
    for parent in subject.parents:
        if same := [ci for ci in candidates if ci.resource_id == parent and _in_use(ci)]:
            return same
    return ()


def _by_id(subject: Subject, ci: ConfigurationItem) -> str:
    if other := ci.attributes.get(STANDS_IN_FOR):
        return f"the CMDB has no CI of its own for {other}: {ci.name} stands in for it"
    state = "" if _in_use(ci) else ", although it is marked there as out of use"
    return f"the CMDB has the resource id that {subject.source} gives{state}"


def _by_name_in_group(subject: Subject, ci: ConfigurationItem) -> str:
    return f"the only CI called {ci.name} in resource group {subject.resource_group} of the subscription concerned"


def _by_name_in_subscription(subject: Subject, ci: ConfigurationItem) -> str:
    return f"the only CI called {ci.name} in subscription {subject.subscription}"


def _by_name(subject: Subject, ci: ConfigurationItem) -> str:
    own = _subscription_of(ci)
    where = f"; it lies in subscription {own}" if own else "; it is not known in which subscription it lies"
    return f"the only CI called {ci.name} in the CMDB{where if subject.subscription else ''}"


def _by_parent(subject: Subject, ci: ConfigurationItem) -> str:
    return f"the CMDB does not have {subject.text}, but {ci.name}, which it is a part of"


_STEPS = (
    _Step(Rule.RESOURCE_ID, Rule.RESOURCE_ID_AMBIGUOUS, _with_resource_id, _by_id),
    _Step(Rule.NAME_IN_RESOURCE_GROUP, Rule.NAME_AMBIGUOUS, _named_in_resource_group, _by_name_in_group),
    _Step(Rule.NAME_IN_SUBSCRIPTION, Rule.NAME_AMBIGUOUS, _named_in_subscription, _by_name_in_subscription),
    _Step(Rule.NAME, Rule.NAME_AMBIGUOUS, _named, _by_name),
    _Step(Rule.PARENT_RESOURCE, Rule.RESOURCE_ID_AMBIGUOUS, _parent, _by_parent),
)
_WITHIN = {
    Rule.NAME_IN_RESOURCE_GROUP: " within the resource group",
    Rule.NAME_IN_SUBSCRIPTION: " within the subscription",
}


def _several(subject: Subject, rule: Rule, count: int) -> str:
    if rule in {Rule.RESOURCE_ID, Rule.PARENT_RESOURCE}:
        what = f"{count} CIs have this resource id" if rule is Rule.RESOURCE_ID else f"{count} CIs have its parent's id"
        return f"{what}: left unbound; remove the doubles from the CMDB"
    name = subject.names[0]
    return f"{count} CIs are called {name}{_WITHIN.get(rule, '')}: left unbound, because any of them may be meant"


def _not_there(subject: Subject, candidates: _Found) -> str:
    what = "resource id" if subject.resource is not None else "name"
    elsewhere = [ci for ci in candidates if ci.name.lower() in subject.names and not _may_be(subject, ci)]
    if subject.resource is None and elsewhere:
        return "the CMDB has this name only in subscriptions that the connection does not list"
    retired = [ci for ci in candidates if not _in_use(ci) and ci.name.lower() in subject.names and _may_be(subject, ci)]
    if retired:
        return f"the CMDB has this name only for what is out of use ({len(retired)}): bound when a CI in use appears"
    return f"the CMDB has no CI of this {what}: bound when one appears"


def _bound(ci: ConfigurationItem, rule: Rule, reason: str) -> Binding:
    short = {name: value for name, value in ci.attributes.items() if len(value) <= _LONGEST_ATTRIBUTE}
    return Binding(ci.id, ci.name, rule.value, reason, dict(list(short.items())[:_MOST_ATTRIBUTES]))


def _unbound(subject: Subject, rule: Rule, reason: str) -> Binding:
    return Binding(None, subject.text, rule.value, reason, subject.scope)


def _may_be(subject: Subject, ci: ConfigurationItem) -> bool:
    """Whether a CI of the right name can be the subject: not if both have a resource id, or it lies elsewhere."""
    if subject.resource is None:
        return subject.listed is None or _subscription_of(ci) in {None, *subject.listed}
    return (
        ci.resource_id is None
        and _fits(_subscription_of(ci), subject.subscription)
        and _fits(_resource_group_of(ci), subject.resource_group)
    )


def _fits(known: str | None, wanted: str | None) -> bool:
    return known is None or wanted is None or known == wanted


def _in_use(ci: ConfigurationItem) -> bool:
    return not any(ci.attributes.get(name, "").strip().lower() in _OUT_OF_USE for name in _STATUS)


def _subscription_of(ci: ConfigurationItem) -> str | None:
    if ci.resource_id is not None and (parts := parse(ci.resource_id)) is not None:
        return parts.subscription
    return _attribute(ci, _SUBSCRIPTION)


def _resource_group_of(ci: ConfigurationItem) -> str | None:
    if ci.resource_id is not None and (parts := parse(ci.resource_id)) is not None:
        return parts.resource_group
    return _attribute(ci, _RESOURCE_GROUP)


def _attribute(ci: ConfigurationItem, name: str) -> str | None:
    return ci.attributes.get(name, "").strip().lower() or None
