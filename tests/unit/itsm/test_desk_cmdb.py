"""What the desk's CMDB keeps at hand, and when it asks again."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.errors import StoreUnavailable
from secure_export.itsm.desk import desk_cmdb
from secure_export.itsm.desk.contract import Cis
from secure_export.itsm.desk.desk_cmdb import DeskCmdb

VM = ConfigurationItem("CI0000001", "VM-1", "virtual-machine", "/subscriptions/a/vm-1")


class FakeRecords:
    """Records whose answers a test can hold back."""

    def __init__(self) -> None:
        self.found: list[ConfigurationItem] = []
        self.version = 1
        self.asked: list[str] = []
        self.asking = asyncio.Event()
        self.held: asyncio.Event | None = None
        self.down = False

    async def cmdb_version(self) -> int:
        if self.down:
            raise StoreUnavailable("the disk is gone")
        return self.version

    async def cis_by_resource_ids(self, resource_ids: Sequence[str]) -> Sequence[ConfigurationItem]:
        self.asked += resource_ids
        self.asking.set()
        answer = [ci for ci in self.found if ci.resource_id in resource_ids]
        if self.held is not None:
            await self.held.wait()
        return answer

    async def cis_by_names(self, names: Sequence[str]) -> Sequence[ConfigurationItem]:
        self.asked += names
        return [ci for ci in self.found if ci.name.lower() in names]


class Time:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    """Give a clock."""
    return Time()


@pytest.fixture
def records() -> FakeRecords:
    """Give records without CIs."""
    return FakeRecords()


@pytest.fixture
def cmdb(records: FakeRecords, time: Time) -> DeskCmdb:
    """Give the CMDB that is tested."""
    return DeskCmdb(cast("Cis", records), monotonic=time)


async def test_what_was_looked_up_is_not_asked_for_again(cmdb: DeskCmdb, records: FakeRecords) -> None:
    """Each id and name is asked for once, also when there is no such CI, and in whatever case."""
    records.found = [VM]
    for _ in range(3):
        assert list(await cmdb.by_resource_ids(["/subscriptions/a/VM-1", "/missing"])) == [VM]
        assert list(await cmdb.by_names(["vm-1", "VM-1", "missing"])) == [VM]
    assert sorted(records.asked) == ["/missing", "/subscriptions/a/vm-1", "missing", "vm-1"]


async def test_an_import_is_seen_after_a_second(cmdb: DeskCmdb, records: FakeRecords, time: Time) -> None:
    """A CI that appears, whoever imported it, is found once the version was read again."""
    assert list(await cmdb.by_names(["vm-1"])) == []
    records.found, records.version = [VM], 2
    assert list(await cmdb.by_names(["vm-1"])) == []
    time.now += 1.1
    assert list(await cmdb.by_names(["vm-1"])) == [VM]


async def test_time_alone_forgets_nothing(cmdb: DeskCmdb, records: FakeRecords, time: Time) -> None:
    """While the version stays, nothing is asked for again."""
    for _ in range(3):
        await cmdb.by_names(["vm-1"])
        time.now += 60
    assert records.asked == ["vm-1"]


async def test_an_answer_older_than_the_import_is_not_kept(cmdb: DeskCmdb, records: FakeRecords, time: Time) -> None:
    """A look-up that was under way while CIs were imported must not bring the old answer back for good."""
    records.held = asyncio.Event()
    slow = asyncio.create_task(cmdb.by_resource_ids(["/subscriptions/a/vm-1"]))
    await records.asking.wait()
    records.found, records.version = [VM], 2
    time.now += 1.1
    await cmdb.by_names(["other"])
    records.held.set()
    assert list(await slow) == []
    assert list(await cmdb.by_resource_ids(["/subscriptions/a/vm-1"])) == [VM]


async def test_what_is_kept_is_bounded(cmdb: DeskCmdb, records: FakeRecords, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names come from alerts and may be ever new ones: memory does not grow with them."""
    monkeypatch.setattr(desk_cmdb, "_KEPT", 10)
    for number in range(100):
        await cmdb.by_names([f"vm-{number}"])
    assert len(cmdb._by_name) <= 11


async def test_a_store_that_cannot_be_read_is_not_taken_for_an_empty_one(cmdb: DeskCmdb, records: FakeRecords) -> None:
    """The outage is told, so that the lane waits instead of giving a CI up; the next call asks again at once."""
    records.down, records.found = True, [VM]
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await cmdb.by_names(["vm-1"])
    records.down = False
    assert list(await cmdb.by_names(["vm-1"])) == [VM]
