"""CIs at hand: a CMDB elsewhere is asked rarely, for many at once, and never believed for too long."""

import asyncio
from collections.abc import Sequence

import pytest

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.itsm.cis_at_hand import CisAtHand


class Elsewhere:
    """A CMDB that counts how it is asked."""

    def __init__(self, *names: str) -> None:
        self.cis = [ci(name) for name in names]
        self.asked: list[tuple[str, ...]] = []
        self.fails = False
        self.hold: asyncio.Event | None = None
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    @property
    def unreadable(self) -> str:
        return ""

    async def by_resource_ids(self, resource_ids: Sequence[str]) -> Sequence[ConfigurationItem]:
        await self._asked(resource_ids)
        return [ci for ci in self.cis if (ci.resource_id or "") in resource_ids]

    async def by_names(self, names: Sequence[str]) -> Sequence[ConfigurationItem]:
        await self._asked(names)
        return [ci for ci in self.cis if ci.name.lower() in names]

    async def _asked(self, keys: Sequence[str]) -> None:
        self.asked.append(tuple(keys))
        if self.hold is not None:
            await self.hold.wait()
        if self.fails:
            raise ConnectionError("gone")

    def at_hand(self, *, most_kept: int = 100) -> CisAtHand:
        return CisAtHand(self, found_seconds=300, missing_seconds=30, monotonic=self.monotonic, most_kept=most_kept)


def ci(name: str) -> ConfigurationItem:
    return ConfigurationItem(f"id-{name}", name, "virtual-machine", f"/subscriptions/s/{name.lower()}")


async def names(cmdb: CisAtHand, *wanted: str) -> list[str]:
    return sorted(ci.id for ci in await cmdb.by_names(wanted))


async def test_what_was_found_is_not_asked_for_again() -> None:
    """For as long as it is kept, whatever the case of its letters."""
    elsewhere = Elsewhere("Web01", "db01")
    cmdb = elsewhere.at_hand()
    assert await names(cmdb, "web01") == ["id-Web01"]
    assert await names(cmdb, "WEB01", "db01") == ["id-Web01", "id-db01"]
    elsewhere.now = 299
    assert await names(cmdb, "web01") == ["id-Web01"]
    assert elsewhere.asked == [("web01",), ("db01",)]
    elsewhere.now = 300
    elsewhere.cis = []
    assert await names(cmdb, "web01") == []
    assert elsewhere.asked[2:] == [("web01",)]


async def test_what_was_missing_is_asked_for_again_sooner() -> None:
    """Somebody may enter it any moment."""
    elsewhere = Elsewhere()
    cmdb = elsewhere.at_hand()
    assert await names(cmdb, "web01") == []
    elsewhere.cis = [ci("web01")]
    elsewhere.now = 29
    assert await names(cmdb, "web01") == []
    elsewhere.now = 30
    assert await names(cmdb, "web01") == ["id-web01"]
    assert len(elsewhere.asked) == 2


async def test_ids_and_names_are_kept_apart() -> None:
    """A resource id is no name."""
    elsewhere = Elsewhere("web01")
    cmdb = elsewhere.at_hand()
    found = await cmdb.by_resource_ids(["/subscriptions/s/WEB01", "/subscriptions/s/other"])
    assert [one.id for one in found] == ["id-web01"]
    assert await names(cmdb, "/subscriptions/s/web01") == []
    assert await cmdb.by_resource_ids([]) == []
    assert len(elsewhere.asked) == 2


async def test_all_of_one_name_are_given() -> None:
    """The caller narrows them down."""
    elsewhere = Elsewhere("web01", "web01", "WEB01")
    assert len(await names(elsewhere.at_hand(), "web01")) == 3


async def test_a_ci_that_was_not_asked_for_is_not_taken() -> None:
    """A tool may ignore a query and give everything it has."""
    elsewhere = Elsewhere("web01", "db01")
    cmdb = elsewhere.at_hand()

    async def everything(names: Sequence[str]) -> Sequence[ConfigurationItem]:
        return elsewhere.cis

    elsewhere.by_names = everything  # type: ignore[method-assign]
    cmdb = elsewhere.at_hand()
    assert await names(cmdb, "web01") == ["id-web01"]
    assert await names(cmdb, "other") == []


async def test_a_storm_becomes_few_look_ups() -> None:
    """A hundred lanes ask for ten names: one look-up is under way, the others share the next, which asks for what the
    first has not brought.
    """
    elsewhere = Elsewhere(*(f"vm{n}" for n in range(10)))
    elsewhere.hold = asyncio.Event()
    cmdb = elsewhere.at_hand()
    asked = [asyncio.create_task(names(cmdb, f"vm{n % 10}")) for n in range(100)]
    await asyncio.sleep(0.01)
    elsewhere.hold.set()
    got = await asyncio.gather(*asked)
    assert got == [[f"id-vm{n % 10}"] for n in range(100)]
    assert elsewhere.asked == [("vm0",), tuple(f"vm{n}" for n in range(1, 10))]


async def test_a_failed_look_up_is_not_kept() -> None:
    """That the CMDB could not be asked does not mean that the CI is missing."""
    elsewhere = Elsewhere("web01")
    cmdb = elsewhere.at_hand()
    elsewhere.fails = True
    with pytest.raises(ConnectionError):
        await names(cmdb, "web01")
    elsewhere.fails = False
    assert await names(cmdb, "web01") == ["id-web01"]


async def test_memory_is_bounded() -> None:
    """The longest unused go first; what is used stays."""
    elsewhere = Elsewhere("vm0")
    cmdb = elsewhere.at_hand(most_kept=10)
    for n in range(100):
        await names(cmdb, f"vm{n}")
        await names(cmdb, "vm0")
    assert elsewhere.asked.count(("vm0",)) == 1
    assert len(cmdb._by_name._kept) == 10
