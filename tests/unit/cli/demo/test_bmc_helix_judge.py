"""The demo's judgement of BMC's own incidents finds each kind of fault."""

from collections.abc import Callable
from typing import Any

import pytest

from secure_export.cli.demo.bmc_helix_cmdb import cis_of, put_estate
from secure_export.cli.demo.bmc_helix_judge import an_open_record, complaints, looks_by_number
from secure_export.cli.demo.tool import Result
from secure_export.sandbox.azure_monitor.estate import Resource, sample_estate
from secure_export.sandbox.azure_monitor.scenario import Binding, Expectation
from secure_export.sandbox.bmc_helix import looking
from secure_export.sandbox.bmc_helix.forms.incident import BASE, STAGING
from secure_export.sandbox.bmc_helix.forms.others import ASSOCIATIONS
from secure_export.sandbox.bmc_helix.people import SYSTEM
from secure_export.sandbox.bmc_helix.person import Person
from secure_export.sandbox.bmc_helix.server import ArServer
from secure_export.sandbox.entra.directory import DEFAULT_TENANT_ID

ESTATE = sample_estate(DEFAULT_TENANT_ID)
VM = ESTATE.named("vm-shop-web-02")
OTHER_VM = ESTATE.named("vm-shop-web-01")


class World:
    """A server with three incidents as they should be: open on a CI, resolved on it, and open without one."""

    def __init__(self) -> None:
        self.server = ArServer()
        put_estate(self.server, ESTATE)
        self.ada = Person(self.server)
        self.others = self.ada.open("By phone")
        self.of_others = looks_by_number(self.server)
        bound = self.binding(VM)
        self.numbers = [
            self.insert("azmon1:00000000:a", **bound),
            self.insert("azmon1:00000000:b", **bound),
            self.insert("azmon1:00000000:c"),
        ]
        self.ada.resolve(self.numbers[1])
        self.results = [
            self.result(0, Binding.BOUND, is_resolved=False),
            self.result(1, Binding.BOUND, is_resolved=True),
            self.result(2, Binding.UNBOUND, is_resolved=False),
        ]

    def binding(self, resource: Resource) -> dict[str, str]:
        (identity,) = cis_of(self.server, resource)
        return {
            "HPD_CI": resource.name,
            "HPD_CI_ReconID": identity,
            "HPD_CI_FormName": "BMC_COMPUTERSYSTEM",
            "z1D_CI_FormName": "AST:ComputerSystem",
        }

    def insert(self, key: str, **values: str) -> str:
        asked = {
            "Description": "Test",
            "Impact": "3-Moderate/Limited",
            "Urgency": "3-Medium",
            "Status": "New",
            "Reported Source": "Systems Management",
            "Service_Type": "Infrastructure Event",
            "Company": "Contoso",
            "Vendor Ticket Number": key,
            **values,
        }
        entry = self.server.create(STAGING, asked, SYSTEM)
        return str(self.server.read(STAGING, entry or "")["Incident Number"])

    def result(self, which: int, binding: Binding, *, is_resolved: bool) -> Result:
        entry = self.ada.incident(self.numbers[which])["Entry ID"]
        item: dict[str, Any] = {
            "id": f"item-{which}",
            "number": self.numbers[which],
            "url": f"https://midtier.example/arsys/forms/ar/HPD%3AHelp%20Desk/?eid={entry}",
        }
        resource = None if binding is Binding.UNBOUND else VM.id.upper()
        wanted = Expectation(f"problem {which}", "kind", None, (), is_resolved, binding, resource)
        return Result(wanted, [item])

    def unrelate(self, which: int) -> None:
        for one in looking.relations(self.server, self.numbers[which]):
            self.server.delete(ASSOCIATIONS, one["Associations ID"], SYSTEM)

    def write(self, which: int, **values: Any) -> None:
        """Change what is kept without any workflow."""
        row = self.ada.incident(self.numbers[which])
        self.server.entries.put(BASE, row["Entry ID"], {**row, **values})

    def complaints(self) -> list[str]:
        return complaints(self.server, ESTATE, self.results, self.of_others)


def _mislead(world: World) -> None:
    item = dict(world.results[0].items[0]) | {"url": world.results[1].items[0]["url"]}
    world.results[0] = Result(world.results[0].wanted, [item])


def _bind_to_the_dead(world: World) -> None:
    dead = next(one for one in looking.cis(world.server) if one["MarkAsDeleted"] == "Yes" and one["Name"] == VM.name)
    world.write(0, HPD_CI_ReconID=dead["ReconciliationIdentity"])
    _relate(world, 0)


def _relate(world: World, which: int) -> None:
    """Bring the relation in line with the CI field, so that only the field is at fault."""
    relation = looking.relations(world.server, world.numbers[which])[0]["Associations ID"]
    row = world.server.entries.get(ASSOCIATIONS, relation) or {}
    identity = world.ada.incident(world.numbers[which])["HPD_CI_ReconID"]
    world.server.entries.put(ASSOCIATIONS, relation, {**row, "Request ID01": identity})


NOT_WHAT_THE_CMDB_SAYS = "problem 0: {0} names its CI"
SPOILED: dict[str, tuple[Callable[[World], object], list[str]]] = {
    "deleted": (lambda w: w.ada.delete(w.numbers[0]), ["problem 0: {0} is not in BMC Helix"]),
    "resolved too early": (
        lambda w: w.ada.resolve(w.numbers[0]),
        ["problem 0: {0} is not open in BMC Helix: Resolved"],
    ),
    "still open": (lambda w: w.ada.reopen(w.numbers[1]), ["problem 1: {1} is not resolved in BMC Helix: In Progress"]),
    "cancelled": (lambda w: w.write(1, Status=6), ["problem 1: {1} is not resolved in BMC Helix: Cancelled"]),
    "no reason": (lambda w: w.write(1, Status_Reason=None), ["problem 1: {1} is not resolved in BMC Helix: Resolved"]),
    "unbound": (lambda w: w.write(0, HPD_CI_ReconID=None), ["problem 0: {0} has no CI in BMC Helix"]),
    "another CI": (
        lambda w: w.ada.change(w.numbers[0], w.binding(OTHER_VM)),
        ["problem 0: {0} has the CI vm-shop-web-01"],
    ),
    "a dead CI": (_bind_to_the_dead, ["problem 0: {0} has the CI vm-shop-web-02"]),
    "another class": (lambda w: w.write(0, HPD_CI_FormName="BMC_MAINFRAME"), [NOT_WHAT_THE_CMDB_SAYS]),
    "another name": (lambda w: w.write(0, HPD_CI="web"), [NOT_WHAT_THE_CMDB_SAYS]),
    "not related": (lambda w: w.unrelate(0), ["problem 0: {0} is not related to its CI vm-shop-web-02"]),
    "bound without reason": (
        lambda w: w.ada.change(w.numbers[2], w.binding(VM)),
        ["problem 2: {2} has the CI vm-shop-web-02 in BMC Helix, which it is not about"],
    ),
    "a wrong link": (_mislead, ["problem 0: the link "]),
    "a twin": (
        lambda w: w.numbers.append(w.insert("azmon1:00000000:a")),
        ["BMC Helix has 2 incidents for azmon1:00000000:a", "{3} in BMC Helix belongs to no work item"],
    ),
    "somebody else's": (lambda w: w.ada.comment(w.others, "Me too"), ["somebody else's incident {others} was changed"]),
}


def test_what_is_right_is_not_complained_of() -> None:
    """Whatever the case of the resource id."""
    assert World().complaints() == []


@pytest.mark.parametrize("name", SPOILED)
def test_each_fault_is_complained_of(name: str) -> None:
    """Each fault alone gives its complaint, and no other."""
    world = World()
    spoil, wanted = SPOILED[name]
    spoil(world)
    found = world.complaints()
    assert len(found) == len(wanted), found
    for complaint, beginning in zip(found, wanted, strict=True):
        assert complaint.startswith(beginning.format(*world.numbers, others=world.others)), found


def test_a_person_takes_what_nobody_has_taken_and_is_still_firing() -> None:
    """The newest that is new, about a CI, and whose alert fires; none if there is none."""
    world = World()
    found = an_open_record(world.server, world.results)
    assert found is not None
    assert found["Incident Number"] == world.numbers[0]
    world.ada.start(world.numbers[0])
    assert an_open_record(world.server, world.results) is None
