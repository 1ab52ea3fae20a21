"""The desk's configuration items, alike in both stores."""

import pytest
from tests.conformance.desk_records.samples import LATER, NOW, Desks

from secure_export.cmdb.drafts import CiDraft, PutResult, RelationDraft
from secure_export.itsm.desk.contract import DeskRecords, Relation

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourcegroups/web/providers"


VM = CiDraft(
    name="vm-web-1",
    class_name="virtual-machine",
    resource_id=f"{GROUP}/microsoft.compute/virtualmachines/vm-web-1",
    attributes={"environment": "production", "owner": "web team"},
)


SERVER = CiDraft(name="Core-Switch", class_name="network-switch", attributes={"site": "Graz"})


async def test_cis_are_kept_as_they_were_put(desk: DeskRecords) -> None:
    """A CI is found by id, resource id and name, with everything it was put with."""
    assert await desk.put_cis([VM, SERVER], now=NOW) == PutResult(added=2)
    (vm,) = await desk.cis_by_resource_ids([(VM.resource_id or "").upper()])
    assert (vm.name, vm.class_name, vm.resource_id, vm.attributes) == (
        VM.name,
        VM.class_name,
        VM.resource_id,
        VM.attributes,
    )
    assert list(await desk.cis_by_names(["VM-WEB-1"])) == [vm]
    assert list(await desk.cis([vm.id, "CI9999999", "rubbish"])) == [vm]
    (switch,) = await desk.cis_by_names(["core-switch"])
    assert (switch.name, switch.resource_id) == ("Core-Switch", None)


@pytest.mark.parametrize(
    ("draft", "expected", "attributes"),
    [
        (VM, PutResult(unchanged=1), {"environment": "production", "owner": "web team"}),
        (
            CiDraft("vm-web-1", "virtual-machine", VM.resource_id, {"environment": "test"}),
            PutResult(changed=1),
            {"environment": "test", "owner": "web team"},
        ),
        (
            CiDraft("vm-web-1", "virtual-machine", None, {"owner": "", "tier": "1"}),
            PutResult(changed=1),
            {"environment": "production", "tier": "1"},
        ),
        (
            CiDraft("VM-WEB-1", "", None, {"tier": "1"}),
            PutResult(changed=1),
            {"environment": "production", "owner": "web team", "tier": "1"},
        ),
    ],
)
async def test_a_second_import_changes_the_ci_that_is_meant(
    desk: DeskRecords, draft: CiDraft, expected: PutResult, attributes: dict[str, str]
) -> None:
    """By resource id, else by class and name: attributes are merged, an empty one goes, and nothing is doubled."""
    await desk.put_cis([VM], now=NOW)
    assert await desk.put_cis([draft], now=LATER) == expected
    (only,) = (await desk.list_cis()).cis
    assert (only.resource_id, dict(only.attributes)) == (VM.resource_id, attributes)


async def test_a_ci_gets_its_resource_id_later(desk: DeskRecords) -> None:
    """A CI from a hand-written list is completed, not doubled, by the export of Azure."""
    await desk.put_cis([CiDraft("vm-web-1", "virtual-machine", None, {"owner": "web team"})], now=NOW)
    assert (await desk.put_cis([VM], now=NOW)).changed == 1
    (only,) = (await desk.list_cis()).cis
    assert only.resource_id == VM.resource_id


async def test_another_resource_of_the_same_name_is_another_ci(desk: DeskRecords) -> None:
    """Resource ids tell apart what has the same name and class."""
    other = CiDraft("vm-web-1", "virtual-machine", f"{GROUP}/microsoft.compute/virtualmachines/other")
    assert (await desk.put_cis([VM, other], now=NOW)).added == 2
    assert len(await desk.cis_by_names(["vm-web-1"])) == 2


async def test_what_may_mean_several_cis_is_skipped_and_told(desk: DeskRecords) -> None:
    """A row without resource id that fits several CIs changes none of them."""
    other = CiDraft("vm-web-1", "virtual-machine", f"{GROUP}/microsoft.compute/virtualmachines/other")
    await desk.put_cis([VM, other], now=NOW)
    vague = CiDraft("vm-web-1", "virtual-machine", None, {"tier": "1"}, where="line 7")
    result = await desk.put_cis([vague, SERVER], now=NOW)
    assert (result.added, result.changed, len(result.skipped)) == (1, 0, 1)
    assert result.skipped[0].where == "line 7"
    assert all("tier" not in one.attributes for one in await desk.cis_by_names(["vm-web-1"]))


async def test_relations_do_not_depend_on_the_order_of_import(desk: DeskRecords) -> None:
    """A relation to a CI that comes later is complete once that has come, and is seen from both ends."""
    database = CiDraft(
        "orders", "sql-database", f"{GROUP}/microsoft.sql/servers/sql-1/databases/orders",
        relations=(
            RelationDraft("child-of", f"{GROUP}/microsoft.sql/servers/sql-1"),
            RelationDraft("runs-on", "Core-Switch"),
        ),
    )  # fmt: skip
    await desk.put_cis([database], now=NOW)
    (orders,) = await desk.cis_by_names(["orders"])
    assert [r.other_id for r in await desk.relations(orders.id)] == [None, None]
    parent = CiDraft("sql-1", "sql-server", f"{GROUP}/microsoft.sql/servers/sql-1")
    await desk.put_cis([parent, SERVER], now=NOW)
    (sql,) = await desk.cis_by_names(["sql-1"])
    (switch,) = await desk.cis_by_names(["Core-Switch"])
    assert list(await desk.relations(orders.id)) == [
        Relation("child-of", outgoing=True, other=f"{GROUP}/microsoft.sql/servers/sql-1", other_id=sql.id),
        Relation("runs-on", outgoing=True, other="core-switch", other_id=switch.id),
    ]
    back = Relation("child-of", outgoing=False, other=orders.resource_id or "", other_id=orders.id)
    assert list(await desk.relations(sql.id)) == [back]
    assert [r.other_id for r in await desk.relations(switch.id)] == [orders.id]
    assert (await desk.put_cis([database], now=NOW)).unchanged == 1
    assert list(await desk.relations("rubbish")) == []


async def test_the_version_tells_of_every_change_of_cis(desks: Desks) -> None:
    """Another process sees by the version that CIs changed, and an import without news leaves it."""
    versions = [await desks.first.cmdb_version()]
    for drafts in ([VM], [CiDraft("vm-web-1", "", VM.resource_id, {"owner": "nobody"})]):
        await desks.second.put_cis(drafts, now=NOW)
        versions.append(await desks.first.cmdb_version())
    assert versions == sorted(set(versions))
    await desks.second.put_cis([CiDraft("vm-web-1", "", VM.resource_id)], now=NOW)
    assert await desks.first.cmdb_version() == versions[-1]


async def test_many_cis_are_put_looked_up_and_paged(desk: DeskRecords) -> None:
    """Thousands at a time are neither too many variables for a statement nor lost between pages."""
    drafts = [
        CiDraft(f"vm-{n}", "virtual-machine", f"{GROUP}/microsoft.compute/virtualmachines/vm-{n}") for n in range(1300)
    ]
    assert await desk.put_cis(drafts, now=NOW) == PutResult(added=1300)
    assert len(await desk.cis_by_resource_ids([d.resource_id or "" for d in drafts])) == 1300
    assert len(await desk.cis_by_names([d.name for d in drafts])) == 1300
    names: list[str] = []
    cursor: str | None = None
    while True:
        page = await desk.list_cis(cursor=cursor, limit=1000)
        names += [one.name for one in page.cis]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert names == [d.name for d in reversed(drafts)]


async def test_cis_are_searched_by_what_people_know(desk: DeskRecords) -> None:
    """Part of a name, class or resource id finds a CI; what looks like a pattern is taken as it is."""
    await desk.put_cis([VM, SERVER], now=NOW)
    for text, expected in (("WEB", ["vm-web-1"]), ("switch", ["Core-Switch"]), ("microsoft.compute", ["vm-web-1"])):
        assert [one.name for one in (await desk.list_cis(search=text)).cis] == expected
    for text in ("%", "_", "nothing", "\\"):
        assert (await desk.list_cis(search=text)).cis == ()


async def test_names_are_compared_without_regard_to_case_in_every_language(desk: DeskRecords) -> None:
    """Not only in English."""
    await desk.put_cis([CiDraft("ÖFFNUNG-1", "door")], now=NOW)
    assert [one.name for one in await desk.cis_by_names(["öffnung-1"])] == ["ÖFFNUNG-1"]
    assert (await desk.put_cis([CiDraft("öffnung-1", "door", attributes={"a": "b"})], now=NOW)).changed == 1
