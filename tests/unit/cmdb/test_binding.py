"""Which CI an alert is bound to, and by which rule."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.alerts.references import References, ResourceReference
from secure_export.alerts.resource_id import parse
from secure_export.cmdb.bind import bind, bind_again
from secure_export.cmdb.contract import ConfigurationItem
from secure_export.cmdb.decide import decide
from secure_export.cmdb.rules import Rule
from secure_export.workitems.work_item import Binding

PROD, TEST = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


def vm(name: str, *, subscription: str = PROD, group: str = "web") -> str:
    """Give the resource id of a virtual machine."""
    return f"/subscriptions/{subscription}/resourcegroups/{group}/providers/microsoft.compute/virtualmachines/{name}"


def ci(ci_id: str, name: str, resource_id: str | None = None, **attributes: str) -> ConfigurationItem:
    """Make a CI."""
    return ConfigurationItem(ci_id, name, "virtual-machine", resource_id, attributes)


def ids(*resource_ids: str) -> References:
    """Say that an alert has these targets."""
    return References(resources=tuple(ResourceReference(one, "alertTargetIDs") for one in resource_ids))


def names(*wanted: str, subscription: str | None = PROD, resource_group: str | None = "web") -> References:
    """Say that an alert names these, and where it comes from."""
    return References(names=wanted, subscription=subscription, resource_group=resource_group)


DATABASE = f"/subscriptions/{PROD}/resourcegroups/data/providers/microsoft.sql/servers/sql-1/databases/orders"
SERVER = DATABASE.rpartition("/databases/")[0]
SUBNET = f"/subscriptions/{PROD}/resourcegroups/net/providers/microsoft.network/virtualnetworks/vnet/subnets/front"
EXTENSION = f"{vm('web-1')}/extensions/agent"
DIAGNOSTICS = f"{vm('web-1')}/providers/microsoft.insights/diagnosticsettings/all"


@dataclass(frozen=True)
class Case:
    """A row of the table.

    Attributes:
        says: The rule that the row shows.
        references: What the alert names.
        cmdb: What the CMDB has.
        expected: The CI (None: unbound) and the rule of each binding, in order.
        reason: What the first reason must say.
    """

    says: str
    references: References
    cmdb: Sequence[ConfigurationItem]
    expected: Sequence[tuple[str | None, str]]
    reason: str = field(default="")


CASES = [
    Case(
        "A full resource id that the CMDB has binds its CI.",
        ids(vm("web-1")), [ci("1", "web-1", vm("web-1")), ci("2", "web-2", vm("web-2"))], [("1", "resource-id")],
        "alertTargetIDs",
    ),
    Case(
        "The id decides, whatever the CI is called.",
        ids(vm("web-1")), [ci("1", "Shop front", vm("web-1")), ci("2", "web-1", vm("web-2"))], [("1", "resource-id")],
    ),
    Case(
        "Each of several targets gets a CI of its own.",
        ids(vm("web-1"), vm("web-2")), [ci("2", "web-2", vm("web-2")), ci("1", "web-1", vm("web-1"))],
        [("1", "resource-id"), ("2", "resource-id")],
    ),
    Case(
        "A CI that is out of use is still found by its id, and that is said.",
        ids(vm("web-1")), [ci("1", "web-1", vm("web-1"), status="Retired")], [("1", "resource-id")],
        "out of use",
    ),
    Case(
        "Of two CIs with one id the one in use is meant.",
        ids(vm("web-1")), [ci("1", "old", vm("web-1"), status="retired"), ci("2", "new", vm("web-1"))],
        [("2", "resource-id")],
    ),
    Case(
        "Two CIs in use with one id leave it unbound.",
        ids(vm("web-1")), [ci("1", "web-1", vm("web-1")), ci("2", "web-1", vm("web-1"))],
        [(None, "resource-id-ambiguous")], "2 CIs",
    ),
    Case(
        "An id that the CMDB lacks is unbound.",
        ids(vm("web-1")), [], [(None, "not-in-cmdb")], "no CI of this resource id",
    ),
    Case(
        "A CI of the same name with another id is another resource.",
        ids(vm("web-1")), [ci("1", "web-1", vm("web-1", subscription=TEST))], [(None, "not-in-cmdb")],
    ),
    Case(
        "A CI without id is the one of this name in the id's resource group.",
        ids(vm("web-1")), [ci("1", "WEB-1", None, subscription_id=PROD, resource_group="WEB"), ci("2", "web-1")],
        [("1", "name-in-resource-group")],
    ),
    Case(
        "A CI without id is the one of this name in the id's subscription.",
        ids(vm("web-1")), [ci("1", "web-1", None, subscription_id=PROD), ci("2", "web-1", None, subscription_id=TEST)],
        [("1", "name-in-subscription")],
    ),
    Case(
        "A CI without id of which nothing but the name is known is taken when it is the only one.",
        ids(vm("web-1")), [ci("1", "web-1"), ci("2", "web-1", vm("other"))], [("1", "name")],
    ),
    Case(
        "A CI without id that is known to lie elsewhere is not taken.",
        ids(vm("web-1")), [ci("1", "web-1", None, subscription_id=TEST)], [(None, "not-in-cmdb")],
    ),
    Case(
        "A name is looked for in the resource group first.",
        names("web-1"),
        [ci("1", "web-1", vm("web-1")), ci("2", "web-1", vm("web-1", group="shop")), ci("3", "web-1")],
        [("1", "name-in-resource-group")], "resource group web",
    ),
    Case(
        "Then in the subscription.",
        names("web-1"),
        [ci("1", "web-1", vm("web-1", group="shop")), ci("2", "web-1", vm("web-1", subscription=TEST))],
        [("1", "name-in-subscription")],
    ),
    Case(
        "Then everywhere, and it is said in which subscription it lies.",
        names("web-1"), [ci("1", "web-1", vm("web-1", subscription=TEST))], [("1", "name")],
        f"it lies in subscription {TEST}",
    ),
    Case(
        "A name alone binds when there is one such CI.",
        names("web-1", subscription=None, resource_group=None), [ci("1", "Web-1")], [("1", "name")],
        "the only CI called Web-1",
    ),
    Case(
        "Several CIs of the name leave it unbound, and it is said how many.",
        names("web-1", subscription=None, resource_group=None),
        [ci("1", "web-1", vm("web-1")), ci("2", "web-1", vm("web-1", subscription=TEST)), ci("3", "WEB-1")],
        [(None, "name-ambiguous")], "3 CIs",
    ),
    Case(
        "Several in the resource group leave it unbound, rather than to look further.",
        names("web-1"),
        [ci("1", "web-1", vm("web-1")), ci("2", "web-1", f"{vm('web-1')}/extensions/web-1"), ci("3", "web-1")],
        [(None, "name-ambiguous")], "2 CIs are called web-1 within the resource group",
    ),
    Case(
        "What is out of use does not make a name ambiguous.",
        names("web-1", subscription=None), [ci("1", "web-1", install_status="Retired"), ci("2", "web-1")],
        [("2", "name")],
    ),
    Case(
        "A name that only something out of use has is unbound, and that is said.",
        names("web-1"), [ci("1", "web-1", status="decommissioned")], [(None, "not-in-cmdb")], "out of use",
    ),
    Case(
        "A computer's full name finds the CI of its host name.",
        names("web-1.corp.example"), [ci("1", "web-1", vm("web-1"))], [("1", "name-in-resource-group")],
    ),
    Case(
        "A CI of the full name is better than one of the host name.",
        names("web-1.corp.example", subscription=None), [ci("1", "web-1"), ci("2", "WEB-1.corp.example")],
        [("2", "name")],
    ),
    Case(
        "An address is not cut at its dots.",
        names("10.0.0.4", subscription=None), [ci("1", "10")], [(None, "not-in-cmdb")],
    ),
    Case(
        "A database that the CMDB lacks binds its server, and says so.",
        ids(DATABASE), [ci("1", "sql-1", SERVER)], [("1", "parent-resource")], "which it is a part of",
    ),
    Case(
        "A subnet binds its network.",
        ids(SUBNET), [ci("1", "vnet", SUBNET.rpartition("/subnets/")[0])], [("1", "parent-resource")],
    ),
    Case(
        "An extension binds its machine.",
        ids(EXTENSION), [ci("1", "web-1", vm("web-1"))], [("1", "parent-resource")],
    ),
    Case(
        "A resource of another provider within a resource binds that.",
        ids(DIAGNOSTICS), [ci("1", "web-1", vm("web-1"))], [("1", "parent-resource")],
    ),
    Case(
        "The resource itself is better than its parent.",
        ids(DATABASE), [ci("1", "sql-1", SERVER), ci("2", "orders", DATABASE)], [("2", "resource-id")],
    ),
    Case(
        "A resource group is not a parent.",
        ids(vm("web-1")), [ci("1", "web", vm("web-1").rpartition("/providers/")[0])], [(None, "not-in-cmdb")],
    ),
    Case(
        "A CI named by id and by name is bound once.",
        replace(ids(vm("web-1")), names=("WEB-1",), subscription=PROD),
        [ci("1", "web-1", vm("web-1")), ci("2", "web-1", vm("web-1", subscription=TEST))], [("1", "resource-id")],
    ),
    Case(
        "A CI that has another name than its resource is bound once, too.",
        replace(ids(vm("web-1")), names=("Shop front",), subscription=PROD), [ci("1", "Shop front", vm("web-1"))],
        [("1", "resource-id")],
    ),
    Case(
        "A name whose id the CMDB lacks is not looked for again as a name alone.",
        replace(ids(vm("web-1")), names=("web-1",), subscription=PROD),
        [ci("1", "web-1", vm("web-1", subscription=TEST))], [(None, "not-in-cmdb")],
    ),
    Case(
        "What is found comes first, so that the primary CI is one that was found.",
        replace(ids(vm("web-1"), vm("web-2")), names=("switch",)), [ci("2", "web-2", vm("web-2")), ci("3", "switch")],
        [("2", "resource-id"), ("3", "name"), (None, "not-in-cmdb")],
    ),
    Case(
        "What is no CI is listed with the reason, and is not looked for.",
        References(ignored=(("budgets", "budgets have no configuration item"),)), [ci("1", "budgets")],
        [(None, "not-a-ci")], "budgets have no configuration item",
    ),
    Case("An alert that names nothing has no bindings.", References(), [ci("1", "web-1")], []),
    Case(
        "An empty name binds nothing.",
        names(" ", ""), [ci("1", ""), ci("2", " ")], [],
    ),
    Case(
        "A path that is no id is unbound.",
        ids("/nonsense"), [ci("1", "nonsense")], [(None, "not-in-cmdb")],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_binding(case: Case) -> None:
    """Each row of the table states its rule."""
    bindings = decide(case.references, case.cmdb)
    assert [(b.id, b.rule) for b in bindings] == list(case.expected)
    assert all(b.reason for b in bindings)
    if case.reason:
        assert case.reason in bindings[0].reason


def test_an_unbound_binding_tells_what_to_look_for_later() -> None:
    """Unbound bindings are called by the resource id or the name, as whoever looks again needs it."""
    references = replace(ids(vm("web-1").upper()), names=("Switch",), subscription=PROD)
    assert [b.name for b in decide(references, [])] == [vm("web-1"), "Switch"]


def test_a_bound_ci_brings_the_attributes_that_decide() -> None:
    """Environment, criticality and group reach policy; a text of thousands of characters does not."""
    attributes = {"environment": "production", "support_group": "Web", "notes": "x" * 5000}
    (binding,) = decide(ids(vm("web-1")), [ConfigurationItem("1", "web-1", "", vm("web-1"), attributes)])
    assert binding.attributes == {"environment": "production", "support_group": "Web"}


class FakeCmdb:
    """A CMDB that keeps to its contract and counts its calls."""

    def __init__(self, *cis: ConfigurationItem, unreadable: str = "") -> None:
        self.cis = cis
        self.calls = 0
        self.unreadable = unreadable

    async def by_resource_ids(self, resource_ids: Sequence[str]) -> Sequence[ConfigurationItem]:
        self.calls += 1
        return [one for one in self.cis if one.resource_id in resource_ids]

    async def by_names(self, names: Sequence[str]) -> Sequence[ConfigurationItem]:
        self.calls += 1
        return [one for one in self.cis if one.name.lower() in names]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
async def test_binding_asks_for_what_deciding_needs(case: Case) -> None:
    """What is looked up is enough to decide as if the whole CMDB were known, in at most two calls."""
    cmdb = FakeCmdb(*case.cmdb)
    assert await bind(cmdb, case.references) == decide(case.references, case.cmdb)
    assert cmdb.calls <= 2


async def test_what_may_lie_where_we_may_not_look_is_told() -> None:
    """A CI that was not found may be hidden from us: the reason says so; one that was found needs no such word."""
    cmdb = FakeCmdb(ci("1", "web-1", vm("web-1")), unreadable="the integration user may not read cmdb_ci_server")
    found, missing = await bind(cmdb, ids(vm("web-1"), vm("web-2")))
    assert "hidden" not in found.reason
    assert missing.reason.endswith("hidden from us: the integration user may not read cmdb_ci_server")


async def test_a_name_reaches_no_ci_of_a_subscription_that_is_not_listed() -> None:
    """Whoever may send an alert may write any name into it; only listed subscriptions are within its reach."""
    cmdb = FakeCmdb(ci("1", "payroll-sql", vm("payroll-sql", subscription=TEST)))
    (refused,) = await bind(cmdb, names("payroll-sql"), frozenset({PROD}))
    assert (refused.id, refused.rule) == (None, "not-in-cmdb")
    assert "only in subscriptions that the connection does not list" in refused.reason
    assert await bind_again(cmdb, (refused,), frozenset({PROD})) == (refused,)
    (bound,) = await bind(cmdb, names("payroll-sql"), frozenset({PROD, TEST}))
    assert bound.id == "1"


async def test_what_the_id_finds_costs_one_call() -> None:
    """The usual alert, whose target the CMDB has, needs one look-up."""
    cmdb = FakeCmdb(ci("1", "web-1", vm("web-1")))
    await bind(cmdb, replace(ids(vm("web-1")), names=("web-1",)))
    assert cmdb.calls == 1


async def test_nothing_named_costs_no_call() -> None:
    """An alert without CI does not bother the CMDB."""
    cmdb = FakeCmdb(ci("1", "web-1"))
    await bind(cmdb, References(ignored=(("budgets", "a word that all of them send"),)))
    assert cmdb.calls == 0


async def test_late_binding_narrows_as_at_first() -> None:
    """Two CIs of a name appear later: the one in the alert's own resource group is bound, as it would have been."""
    before = await bind(FakeCmdb(), names("web-1"))
    late = FakeCmdb(ci("1", "web-1", vm("web-1")), ci("2", "web-1", vm("web-1", subscription=TEST)))
    assert [(b.id, b.rule) for b in await bind_again(late, before)] == [("1", "name-in-resource-group")]


async def test_late_binding_keeps_what_is_bound_and_what_is_no_ci() -> None:
    """Only what was not found is looked for again; a workspace that was queried is never bound late."""
    workspace = f"/subscriptions/{PROD}/resourcegroups/logs/providers/microsoft.operationalinsights/workspaces/all"
    references = replace(ids(vm("web-1"), vm("web-2")), ignored=((workspace, "it is the workspace that was queried"),))
    before = await bind(FakeCmdb(ci("1", "web-1", vm("web-1"))), references)
    cmdb = FakeCmdb(ci("2", "web-2", vm("web-2")), ci("3", "all", workspace))
    after = await bind_again(cmdb, before)
    assert [(b.id, b.rule) for b in after] == [("1", "resource-id"), ("2", "resource-id"), (None, "not-a-ci")]
    assert after[0] == before[0]
    assert await bind_again(FakeCmdb(), before) == before


async def test_late_binding_does_not_double_a_ci() -> None:
    """What turns out to be a CI that is bound already is not listed a second time."""
    unbound = Binding(None, "Shop front", Rule.NOT_IN_CMDB.value, "the CMDB has no CI of this name")
    bound = Binding("1", "web-1", Rule.RESOURCE_ID.value, "the CMDB has its resource id")
    assert await bind_again(FakeCmdb(ci("1", "Shop front", vm("web-1"))), (bound, unbound)) == (bound,)


async def test_late_binding_of_nothing_costs_no_call() -> None:
    """A work item whose CIs are all found does not bother the CMDB."""
    cmdb = FakeCmdb()
    bindings = decide(ids(vm("web-1")), [ci("1", "web-1", vm("web-1"))])
    assert await bind_again(cmdb, bindings) == bindings
    assert cmdb.calls == 0


_NAMES = st.sampled_from(["a", "A", "b", "a.corp"])
_SUBSCRIPTIONS = st.sampled_from([PROD, TEST])
_GROUPS = st.sampled_from(["g", "h"])


@st.composite
def _resource_ids(draw: st.DrawFn) -> str:
    base = vm(draw(_NAMES).lower(), subscription=draw(_SUBSCRIPTIONS), group=draw(_GROUPS))
    return f"{base}/extensions/{draw(_NAMES).lower()}" if draw(st.booleans()) else base


@st.composite
def _cis(draw: st.DrawFn) -> list[ConfigurationItem]:
    found = []
    for number in range(draw(st.integers(0, 6))):
        attributes = {"status": "retired"} if draw(st.integers(0, 5)) == 0 else {}
        if draw(st.booleans()):
            attributes |= {"subscription_id": draw(_SUBSCRIPTIONS), "resource_group": draw(_GROUPS)}
        resource_id = draw(st.none() | _resource_ids())
        found.append(ConfigurationItem(str(number), draw(_NAMES), "", resource_id, attributes))
    return found


@st.composite
def _references(draw: st.DrawFn) -> References:
    subscription = draw(st.none() | _SUBSCRIPTIONS)
    return References(
        resources=tuple(
            ResourceReference(one, "alertTargetIDs") for one in draw(st.lists(_resource_ids(), max_size=3))
        ),
        names=tuple(draw(st.lists(_NAMES, max_size=3))),
        subscription=subscription,
        resource_group=draw(st.none() | _GROUPS) if subscription else None,
    )


def _in_use(one: ConfigurationItem) -> bool:
    return one.attributes.get("status") != "retired"


@settings(max_examples=100, deadline=None)
@given(references=_references(), cis=_cis(), data=st.data())
def test_the_order_of_candidates_does_not_matter(
    references: References, cis: list[ConfigurationItem], data: st.DataObject
) -> None:
    """A CMDB may answer in any order, and with doubles."""
    shuffled = data.draw(st.permutations(cis))
    assert decide(references, cis) == decide(references, [*shuffled, *cis])


@settings(max_examples=100, deadline=None)
@given(references=_references(), cis=_cis())
def test_a_name_is_never_bound_to_two_cis_nor_by_chance(references: References, cis: list[ConfigurationItem]) -> None:
    """Each name has at most one CI, bound by name alone only if it is the only one of that name in use."""
    by_id = {one.id: one for one in cis}
    bindings = decide(replace(references, resources=()), cis)
    bound = [b for b in bindings if b.id is not None]
    assert len({b.id for b in bound}) == len(bound)
    assert len(bindings) <= len({name.lower() for name in references.names})
    for binding in bound:
        found = by_id[binding.id or ""]
        assert found.name.lower() in {
            part for n in references.names for part in (n.lower(), n.lower().partition(".")[0])
        }
        twins = [one for one in cis if one.name.lower() == found.name.lower() and _in_use(one)]
        if binding.rule == Rule.NAME:
            assert twins == [found]
        assert binding.rule in {Rule.NAME, Rule.NAME_IN_SUBSCRIPTION, Rule.NAME_IN_RESOURCE_GROUP}


@settings(max_examples=100, deadline=None)
@given(references=_references(), cis=_cis())
def test_a_full_id_is_never_bound_to_another_resource(references: References, cis: list[ConfigurationItem]) -> None:
    """What an alert names by its full id becomes that resource, a resource around it, or a CI that has no id."""
    by_id = {one.id: one for one in cis}
    wanted = [one.resource_id for one in references.resources]
    for binding in decide(replace(references, names=()), cis):
        found = by_id[binding.id].resource_id if binding.id is not None else None
        if binding.rule == Rule.PARENT_RESOURCE:
            assert any(one.startswith(f"{found}/") for one in wanted)
        elif found is not None:
            assert found in wanted


@settings(max_examples=100, deadline=None)
@given(references=_references(), cis=_cis())
def test_nothing_that_is_named_is_passed_over(references: References, cis: list[ConfigurationItem]) -> None:
    """Every reference is bound, or listed as unbound with its rule, or is the name of a full id that is."""
    bindings = decide(references, cis)
    assert all(b.reason and b.rule in set(Rule) for b in bindings)
    unbound = {b.name.lower() for b in bindings if b.id is None}
    bound = [one for one in cis if one.id in {b.id for b in bindings}]
    full = {parts.name: parts.text for one in references.resources if (parts := parse(one.resource_id))}
    for text in full.values():
        assert text in unbound or any(_can_be(one, text) for one in bound)
    for name in (one.lower() for one in references.names):
        hosts = {name, name.partition(".")[0]}
        assert name in unbound or hosts & full.keys() or any(one.name.lower() in hosts for one in bound)


def _can_be(one: ConfigurationItem, resource_id: str) -> bool:
    if one.resource_id is None:
        return one.name.lower() == resource_id.rpartition("/")[2]
    return f"{resource_id}/".startswith(f"{one.resource_id}/")


@settings(max_examples=100, deadline=None)
@given(references=_references(), cis=_cis())
async def test_binding_late_is_binding(references: References, cis: list[ConfigurationItem]) -> None:
    """A CMDB that is filled after the alert leads to the same CIs by the same rules as one that was full before."""
    late = await bind_again(FakeCmdb(*cis), await bind(FakeCmdb(), references))
    at_once = await bind(FakeCmdb(*cis), references)
    assert {(b.id, b.rule) for b in late if b.id} == {(b.id, b.rule) for b in at_once if b.id}
