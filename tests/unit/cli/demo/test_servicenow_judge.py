"""The demo's judgement of ServiceNow's own rows finds each kind of fault."""

from collections.abc import Callable
from typing import Any

import pytest

from secure_export.cli.demo.servicenow_cmdb import put_estate
from secure_export.cli.demo.servicenow_judge import an_open_record, changes_by_id, complaints
from secure_export.cli.demo.tool import Result
from secure_export.sandbox.azure_monitor.estate import sample_estate
from secure_export.sandbox.azure_monitor.scenario import Binding, Expectation
from secure_export.sandbox.entra.directory import DEFAULT_TENANT_ID
from secure_export.sandbox.servicenow.instance import Instance

ESTATE = sample_estate(DEFAULT_TENANT_ID)
VM = ESTATE.named("vm-shop-web-02")
ENDED = {"state": "6", "close_code": "Solution provided", "close_notes": "Over."}


class World:
    """An instance with three incidents as they should be: open on a CI, resolved on it, and open without one."""

    def __init__(self) -> None:
        self.instance = Instance(seed=1)
        put_estate(self.instance, ESTATE)
        self.of_others = changes_by_id(self.instance)
        self.cis = self.instance.find("cmdb_ci_vm_instance", f"object_id={VM.id}")
        bound = {"cmdb_ci": next(row["sys_id"] for row in self.cis if row["install_status"] == "1")}
        self.ids = [
            self.insert("azmon1:00000000:a", **bound),
            self.insert("azmon1:00000000:b", **bound, **ENDED),
            self.insert("azmon1:00000000:c"),
        ]
        self.results = [
            self.result(0, Binding.BOUND, is_resolved=False),
            self.result(1, Binding.BOUND, is_resolved=True),
            self.result(2, Binding.UNBOUND, is_resolved=False),
        ]

    def insert(self, key: str, **values: str) -> str:
        row = self.instance.insert("incident", {"short_description": "Test", "correlation_id": key, **values})
        return str(row["sys_id"])

    def result(self, which: int, binding: Binding, *, is_resolved: bool) -> Result:
        row = self.instance.get("incident", self.ids[which])
        item: dict[str, Any] = {
            "id": f"item-{which}",
            "number": row["number"],
            "url": f"https://snow.example/nav_to.do?uri=incident.do%3Fsys_id%3D{row['sys_id']}",
        }
        resource = None if binding is Binding.UNBOUND else VM.id.upper()
        wanted = Expectation(f"problem {which}", "kind", None, (), is_resolved, binding, resource)
        return Result(wanted, [item])

    def change(self, which: int, **values: str) -> None:
        self.instance.update("incident", self.ids[which], values)

    def complaints(self) -> list[str]:
        return complaints(self.instance, ESTATE, self.results, self.of_others)


def _bind_to(name: str) -> Callable[[World], None]:
    def spoil(world: World) -> None:
        world.change(0, cmdb_ci=world.instance.find("cmdb_ci", f"name={name}")[0]["sys_id"])

    return spoil


def _bind_to_the_dead(world: World) -> None:
    dead = world.instance.find("cmdb_ci_vm_instance", "name=vm-shop-web-02^install_status=100")
    world.change(0, cmdb_ci=dead[0]["sys_id"])


def _bind_to_its_server(world: World) -> None:
    """The machine is another CI, too; the alert is about the instance."""
    server = world.instance.insert("cmdb_ci_linux_server", {"name": VM.name, "object_id": VM.id})
    world.change(0, cmdb_ci=server["sys_id"])


def _mislead(world: World) -> None:
    item = dict(world.results[0].items[0]) | {"url": world.results[1].items[0]["url"]}
    world.results[0] = Result(world.results[0].wanted, [item])


def _touch_somebody_elses(world: World) -> None:
    other = world.instance.find("incident", "number=INC0000001")[0]
    world.instance.update("incident", other["sys_id"], {"short_description": "Changed"})


def _twin(world: World) -> None:
    world.insert("azmon1:00000000:a")


SPOILED: dict[str, tuple[Callable[[World], object], list[str]]] = {
    "deleted": (lambda w: w.instance.delete("incident", w.ids[0]), ["problem 0: INC0010001 is not in ServiceNow"]),
    "resolved too early": (
        lambda w: w.change(0, **ENDED),
        ["problem 0: INC0010001 is not open in ServiceNow: state 6"],
    ),
    "still open": (
        lambda w: w.change(1, state="2"),
        ["problem 1: INC0010002 is not resolved in ServiceNow: state 2, close code"],
    ),
    "cancelled": (
        lambda w: w.change(1, state="8"),
        ["problem 1: INC0010002 is not resolved in ServiceNow: state 8"],
    ),
    "unbound": (lambda w: w.change(0, cmdb_ci=""), ["problem 0: INC0010001 has no CI in ServiceNow"]),
    "another CI": (_bind_to("vm-shop-web-01"), ["problem 0: INC0010001 has the CI vm-shop-web-01"]),
    "a dead CI": (_bind_to_the_dead, ["problem 0: INC0010001 has the CI vm-shop-web-02"]),
    "the server": (_bind_to_its_server, ["problem 0: INC0010001 has the CI vm-shop-web-02 (cmdb_ci_linux_server)"]),
    "bound without reason": (
        lambda w: w.change(2, cmdb_ci=w.cis[0]["sys_id"]),
        ["problem 2: INC0010003 has the CI vm-shop-web-02 in ServiceNow, which it is not about"],
    ),
    "a wrong link": (_mislead, ["problem 0: the link "]),
    "a twin": (
        _twin,
        ["ServiceNow has 2 incidents for azmon1:00000000:a", "INC0010004 in ServiceNow belongs to no work item"],
    ),
    "somebody else's": (_touch_somebody_elses, ["somebody else's incident"]),
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
        assert complaint.startswith(beginning)


def test_a_person_takes_what_nobody_has_taken_and_is_still_firing() -> None:
    """The newest that is new, about a CI, and whose alert fires; none if there is none."""
    world = World()
    row = an_open_record(world.instance, world.results)
    assert row is not None
    assert row["number"] == "INC0010001"
    world.change(0, state="2")
    assert an_open_record(world.instance, world.results) is None
