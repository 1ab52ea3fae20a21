"""Finding CIs in BMC's CMDB, and what binding makes of them."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.itsm.bmc_helix.fake_cmdb import Asked, FakeCmdb

from secure_export.alerts.references import References, ResourceReference
from secure_export.cmdb.bind import bind
from secure_export.itsm.bmc_helix.cmdb.ci_reference import reference
from secure_export.itsm.bmc_helix.cmdb.ci_rows import ci_name
from secure_export.itsm.bmc_helix.cmdb.cis import BmcHelixCmdb
from secure_export.itsm.bmc_helix.cmdb.settings import CmdbSettings
from secure_export.itsm.cis_at_hand import CisAtHand
from secure_export.itsm.cmdb_reading import CmdbUnavailable, NotReadable
from secure_export.workitems.work_item import Binding

GROUP = "/subscriptions/11111111-1111-4111-8111-111111111111/resourcegroups/shop"
VM = f"{GROUP}/providers/microsoft.compute/virtualmachines/web01"
DISK = f"{GROUP}/providers/microsoft.compute/disks/web01-os"
EXTENSION = f"{VM}/extensions/agent"
AZURE_ID = {"class": "BMC_BaseElement", "attribute": "AzureResourceId", "source": "resource_id"}
NAME = {"class": "BMC_ComputerSystem", "attribute": "Name", "source": "name"}
BY_GROUP = {"class": "BMC_CloudInstance", "attribute": "Name", "source": "resource_group"}
BY_SUBSCRIPTION = {"class": "BMC_CloudInstance", "attribute": "TokenId", "source": "subscription"}


class Seconds:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def fake() -> FakeCmdb:
    return FakeCmdb()


def cmdb(
    fake: FakeCmdb, *rules: dict[str, str], seconds: Callable[[], float] = lambda: 0.0, **more: Any
) -> BmcHelixCmdb:
    own = {"ci_lookup": list(rules)} if rules else {}
    return BmcHelixCmdb(fake, CmdbSettings.model_validate({**own, **more}), monotonic=seconds)


async def bound(found: BmcHelixCmdb, *ids: str, names: tuple[str, ...] = ()) -> tuple[Binding, ...]:
    kept = CisAtHand(found, found_seconds=60, missing_seconds=60, monotonic=Seconds())
    resources = tuple(ResourceReference(one, "the alert") for one in ids)
    return await bind(kept, References(resources=resources, names=names))


async def test_a_ci_carries_what_an_incident_is_bound_by(fake: FakeCmdb) -> None:
    """Name, reconciliation identity and class go with the binding."""
    fake.add("web01", "OI-WEB01", AzureResourceId=VM, Company="Contoso")
    (binding,) = await bound(cmdb(fake, AZURE_ID), VM)
    known_by = reference(binding.id)
    assert known_by is not None
    assert (known_by.class_name, known_by.identity, known_by.class_id) == (
        "BMC_ComputerSystem",
        "OI-WEB01",
        "BMC_COMPUTERSYSTEM",
    )
    assert binding.rule == "resource-id"
    assert ci_name(binding) == "web01"
    assert binding.attributes["company"] == "Contoso"


async def test_ids_are_compared_without_regard_to_case(fake: FakeCmdb) -> None:
    """Sites store what the portal shows; a database that ignores case finds it."""
    fake.add("web01", AzureResourceId=VM.replace("resourcegroups", "resourceGroups").replace("web01", "Web01") + "/")
    (binding,) = await bound(cmdb(fake, AZURE_ID), VM.upper().lower())
    assert binding.id is None  # '=' does not find what has a slash more
    fake.rows_[0] = {**fake.rows_[0], "AzureResourceId": VM.replace("web01", "Web01")}
    (binding,) = await bound(cmdb(fake, AZURE_ID), VM)
    assert binding.id is not None


@pytest.mark.parametrize(
    ("attributes", "asked"),
    [
        ({"Name": "WEB01"}, "web01"),
        ({"Name": "x", "HostName": "web01"}, "web01.example.com"),
        ({"Name": "x", "HostName": "WEB01"}, "web01"),
        ({"Name": "x", "TokenId": "WEB01:example.com"}, "web01"),
        ({"Name": "web01.example.com"}, "web01.example.com"),
    ],
)
async def test_the_usual_rules_find_a_computer(attributes: dict[str, str], asked: str, fake: FakeCmdb) -> None:
    """Name, host name and the token of BMC Discovery are looked at without any configuration, in any case."""
    fake.heeds_case = True
    own = dict(attributes)
    fake.add(own.pop("Name"), **own)
    (binding,) = await bound(cmdb(fake), names=(asked,))
    assert binding.id == "BMC_ComputerSystem:OI-0000"
    assert ci_name(binding) == attributes["Name"]


async def test_the_first_rule_that_finds_a_ci_decides(fake: FakeCmdb) -> None:
    """Rules are BMC's class queries with a priority: later ones are not asked."""
    fake.add("web01", "OI-1")
    fake.add("other", "OI-2", HostName="web01")
    fake.add("web01", "OI-3", ci_class="BMC_CLOUDINSTANCE")
    (binding,) = await bound(cmdb(fake), names=("web01",))
    assert binding.id == "BMC_ComputerSystem:OI-1"
    assert {asked.one.name for asked in fake.asked} == {"BMC_ComputerSystem"}


async def test_several_matches_are_left_unbound(fake: FakeCmdb) -> None:
    """Which one is meant is not for us to choose."""
    fake.add("web01", "OI-1")
    fake.add("WEB01", "OI-2")
    fake.add("web01", "0")
    found = cmdb(fake)
    (binding,) = await bound(found, names=("web01",))
    assert (binding.id, binding.rule) == (None, "name-ambiguous")
    assert found.remarks([binding]) == ()  # reconciling the third would not help


async def test_one_ci_that_two_terms_find_is_one(fake: FakeCmdb) -> None:
    """A CI whose name and host name are the same is no double."""
    fake.add("web01", "OI-1", HostName="web01", TokenId="web01:example.com")
    (binding,) = await bound(cmdb(fake), names=("web01",))
    assert binding.id == "BMC_ComputerSystem:OI-1"


@pytest.mark.parametrize("identity", ["0", " ", "not one"])
async def test_a_ci_that_is_not_reconciled_is_not_bound(identity: str, fake: FakeCmdb) -> None:
    """An incident is bound by the identity, so that there has to be one; the reason says what to do."""
    fake.add("web01", identity)
    found = cmdb(fake)
    (binding,) = await bound(found, VM)
    assert binding.id is None
    (remark,) = found.remarks([binding])
    assert "web01" in remark
    assert "reconciliation job" in remark
    fake.rows_[0] = {**fake.rows_[0], "ReconciliationIdentity": "OI-1"}
    (now,) = await bound(found, VM)
    assert now.id == "BMC_ComputerSystem:OI-1"
    assert found.remarks([binding]) == ()


async def test_a_reconciled_ci_counts_before_one_that_is_not(fake: FakeCmdb) -> None:
    """What discovery has just brought does not hide the CI that everybody works with."""
    fake.add("web01", "0")
    fake.add("web01", "OI-1")
    found = cmdb(fake)
    (binding,) = await bound(found, names=("web01",))
    assert binding.id == "BMC_ComputerSystem:OI-1"
    assert found.remarks([binding]) == ()


@pytest.mark.parametrize(
    "dead",
    [
        {"MarkAsDeleted": "Yes"},
        {"MarkAsDeleted": "1"},
        {"AssetLifecycleStatus": "Disposed"},
        {"AssetLifecycleStatus": "End of Life"},
        {"AssetLifecycleStatus": "8"},
    ],
)
async def test_what_is_out_of_use_is_not_bound_by_name(dead: dict[str, str], fake: FakeCmdb) -> None:
    """Deleted and disposed CIs keep their names; binding says why they do not count."""
    fake.add("web01", "OI-1", **dead)
    found = cmdb(fake)
    (binding,) = await bound(found, names=("web01",))
    assert binding.id is None
    assert "out of use" in binding.reason
    fake.add("web01", "OI-2")
    (binding,) = await bound(found, names=("web01",))
    assert binding.id == "BMC_ComputerSystem:OI-2"


@pytest.mark.parametrize(
    "alive", [{}, {"MarkAsDeleted": "No"}, {"MarkAsDeleted": "0"}, {"AssetLifecycleStatus": "Deployed"}]
)
async def test_what_is_in_use_is_bound(alive: dict[str, str], fake: FakeCmdb) -> None:
    """Only what is surely over counts as over."""
    fake.add("web01", "OI-1", **alive)
    (binding,) = await bound(cmdb(fake), names=("web01",))
    assert binding.id == "BMC_ComputerSystem:OI-1"


async def test_a_class_above_gives_the_ci_its_own_class(fake: FakeCmdb) -> None:
    """The same CI has the same id whichever class was asked."""
    fake.add("web01", "OI-1", AzureResourceId=VM)
    fake.add("shop", "OI-2", ci_class="X_APPLIANCE", AzureResourceId=DISK)
    first, second = await bound(cmdb(fake, AZURE_ID), VM, DISK)
    assert first.id == "BMC_ComputerSystem:OI-1"
    assert second.id == "X_APPLIANCE:OI-2"


async def test_rows_that_were_not_asked_for_are_left_out(fake: FakeCmdb) -> None:
    """A server that does not understand a term finds everything."""
    fake.ignores = {"Name", "HostName", "TokenId"}
    fake.add("other", "OI-1")
    assert await cmdb(fake).by_names(["web01"]) == []


async def test_a_rule_that_is_not_understood_is_given_up(fake: FakeCmdb) -> None:
    """A server that finds everything for it is not asked again and again, half by half."""
    fake.ignores = {"HostName"}
    for place in range(500):
        fake.add(f"other-{place}", f"OI-{place}")
    fake.add("web01", "OI-W", ci_class="BMC_CLOUDINSTANCE")
    found = cmdb(fake)
    (binding,) = await bound(found, names=("web01",))
    assert binding.id == "BMC_CloudInstance:OI-W"
    assert len(fake.asked) <= 6
    asked = len(fake.asked)
    await found.by_names([f"vm-{place}" for place in range(20)])
    assert "HostName" not in "".join(one.qualification for one in fake.asked[asked:])


async def test_rules_of_one_class_are_one_question(fake: FakeCmdb) -> None:
    """A name that is nowhere costs one call for each class, not for each rule."""
    await cmdb(fake).by_names(["web01"])
    assert [asked.one.name for asked in fake.asked] == ["BMC_ComputerSystem", "BMC_CloudInstance", "BMC_BaseElement"]


async def test_many_names_are_gathered(fake: FakeCmdb) -> None:
    """Fifty names fit into few calls, each short enough for a URL."""
    for place in range(50):
        fake.add(f"vm-{place:02d}")
    found = await cmdb(fake, NAME).by_names([f"vm-{place:02d}" for place in range(50)])
    assert len(found) == 50
    assert len(fake.asked) <= 4


async def test_once_case_is_known_not_to_count_names_are_asked_for_once(fake: FakeCmdb) -> None:
    """A row in mixed case was found: the database ignores case."""
    fake.add("Web01")
    found = cmdb(fake, NAME)
    await found.by_names(["web01"])
    await found.by_names(["web02"])
    assert [asked.qualification.count("'Name'") for asked in fake.asked] == [2, 1]


async def test_an_answer_without_room_is_asked_for_in_halves(fake: FakeCmdb) -> None:
    """What is cut off must not pass for absent."""
    for place in range(60):
        fake.add("web01", f"OI-A{place}", MarkAsDeleted="Yes")
    fake.add("web02", "OI-B")
    found = await cmdb(fake, NAME).by_names(["web01", "web02"])
    assert "BMC_ComputerSystem:OI-B" in {ci.id for ci in found}
    assert len(fake.asked) > 1


async def test_what_may_not_be_read_holds_nothing_back(fake: FakeCmdb) -> None:
    """Without rights on a class the other rules go on, and the reasons say what is hidden."""

    def no_rights(asked: Asked) -> None:
        if "HostName" in asked.qualification:
            raise NotReadable("BMC does not let us read HostName")

    fake.trouble = no_rights
    fake.add("web01", "OI-1", ci_class="BMC_CLOUDINSTANCE")
    seconds = Seconds()
    found = cmdb(fake, seconds=seconds)
    (binding,) = await bound(found, names=("web01",))
    assert binding.id == "BMC_CloudInstance:OI-1"
    assert "HostName" in found.unreadable
    (missing,) = await bound(found, names=("web02",))
    assert "HostName" in found.remarks([missing])[0]
    assert found.remarks([binding]) == ()
    asked = len(fake.asked)
    await found.by_names(["web03"])
    assert "HostName" not in "".join(one.qualification for one in fake.asked[asked:])
    fake.trouble = lambda _: None
    seconds.now += 901
    await found.by_names(["web04"])
    assert "HostName" in "".join(one.qualification for one in fake.asked[asked:])
    assert found.unreadable == ""


async def test_an_attribute_that_is_not_there_is_no_lack_of_rights(fake: FakeCmdb) -> None:
    """A rule for another version is passed over without a word about permissions."""

    def no_attribute(asked: Asked) -> None:
        if "TokenId" in asked.qualification:
            raise NotReadable("no such attribute", lacking_rights=False)

    fake.trouble = no_attribute
    fake.add("web01", "OI-1")
    found = cmdb(fake)
    (binding,) = await bound(found, names=("web01",))
    assert binding.id == "BMC_ComputerSystem:OI-1"
    assert found.unreadable == ""


async def test_trouble_that_passes_is_raised(fake: FakeCmdb) -> None:
    """A work item waits for the CMDB rather than being made without its CI."""

    def down(_: Asked) -> None:
        raise CmdbUnavailable("down")

    fake.trouble = down
    with pytest.raises(CmdbUnavailable):
        await bound(cmdb(fake), names=("web01",))


async def test_what_cannot_be_asked_is_not_there(fake: FakeCmdb) -> None:
    """An alert may name anything; nothing of it becomes a part of the query's grammar."""
    fake.add("web01")
    names = ["$USER$", "a\nb", "x\" OR 'Name' LIKE \"%"]
    assert await cmdb(fake).by_names(names) == []
    assert all("a\nb" not in asked.qualification for asked in fake.asked)


async def test_a_group_stands_in_for_what_lies_in_it(fake: FakeCmdb) -> None:
    """Only when neither the id nor the name nor a whole is found; and the reason tells it."""
    fake.add("shop", "OI-G", ci_class="BMC_CLOUDINSTANCE")
    found = cmdb(fake, AZURE_ID, NAME, BY_GROUP)
    (binding,) = await bound(found, DISK)
    assert binding.id == "BMC_CloudInstance:OI-G"
    assert binding.reason == "the CMDB has no CI of its own for web01-os: shop stands in for it"
    assert found.remarks([binding]) == ()


async def test_a_name_counts_before_a_stand_in(fake: FakeCmdb) -> None:
    """The computer itself is better than its group."""
    fake.add("shop", "OI-G", ci_class="BMC_CLOUDINSTANCE")
    fake.add("web01", "OI-1")
    (binding,) = await bound(cmdb(fake, AZURE_ID, NAME, BY_GROUP), VM)
    assert (binding.id, binding.rule) == ("BMC_ComputerSystem:OI-1", "name")


async def test_a_whole_counts_before_a_stand_in(fake: FakeCmdb) -> None:
    """A machine is better for its extension than their group."""
    fake.add("shop", "OI-G", ci_class="BMC_CLOUDINSTANCE")
    fake.add("web01", "OI-1", AzureResourceId=VM)
    (binding,) = await bound(cmdb(fake, AZURE_ID, NAME, BY_GROUP), EXTENSION)
    assert (binding.id, binding.rule) == ("BMC_ComputerSystem:OI-1", "parent-resource")


async def test_several_stand_ins_are_none(fake: FakeCmdb) -> None:
    """Groups of one name lie in many subscriptions: nothing is guessed, and the reasons say so."""
    fake.add("shop", "OI-G", ci_class="BMC_CLOUDINSTANCE")
    fake.add("shop", "OI-H", ci_class="BMC_CLOUDINSTANCE")
    found = cmdb(fake, AZURE_ID, NAME, BY_GROUP)
    (binding,) = await bound(found, DISK)
    assert binding.id is None
    assert "2 CIs would stand in" in found.remarks([binding])[0]


@pytest.mark.parametrize("has", ["11111111-1111-4111-8111-111111111111", GROUP.rpartition("/resourcegroups")[0]])
async def test_a_subscription_stands_in_last(has: str, fake: FakeCmdb) -> None:
    """By its id alone, or by its whole resource id; a group's CI counts before it."""
    fake.add("Production", "OI-S", ci_class="BMC_CLOUDINSTANCE", TokenId=has)
    rules = (AZURE_ID, NAME, BY_GROUP, BY_SUBSCRIPTION)
    (binding,) = await bound(cmdb(fake, *rules), DISK)
    assert binding.id == "BMC_CloudInstance:OI-S"
    fake.add("shop", "OI-G", ci_class="BMC_CLOUDINSTANCE")
    (binding,) = await bound(cmdb(fake, *rules), DISK)
    assert binding.id == "BMC_CloudInstance:OI-G"


async def test_attributes_of_the_site_can_be_used(fake: FakeCmdb) -> None:
    """Templates get at them by their own names."""
    fake.add("web01", "OI-1", CostCenter="4711")
    (binding,) = await bound(cmdb(fake, attributes=["CostCenter"]), names=("web01",))
    assert binding.attributes["CostCenter"] == "4711"
