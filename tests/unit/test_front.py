"""The front door: what it answers itself."""

from typing import Any

from tests.unit.console.standins import Asker, RowsInMemory, lane_row

from secure_export.errors import StoreUnavailable
from secure_export.front import Front
from secure_export.telemetry.health import Health
from secure_export.telemetry.metrics import Metrics


class CountedRecords(RowsInMemory):
    """Records that count how often they are counted, and can be out of reach."""

    asked = 0
    away = False

    async def counts(self) -> dict[str, int]:
        self.asked += 1
        if self.away:
            raise StoreUnavailable("the disk is full")
        return await super().counts()


def front(records: Any) -> Asker:
    return Asker(Front(intake=None, console=None, health=Health(), metrics=Metrics(), records=records))


async def test_metrics_count_the_store_once_a_second() -> None:
    """A stranger who asks a hundred times makes the store count about once."""
    records = CountedRecords(lane_rows=[lane_row()])
    asker = front(records)
    for _ in range(100):
        assert 'secure_export_lanes{state="parked"} 1.0' in (await asker.get("/metrics")).text
    assert records.asked < 5, "not more than one in each second that this takes"


async def test_metrics_are_told_without_the_store() -> None:
    """A store that cannot count takes nothing from the rest."""
    records = CountedRecords()
    records.away = True
    answer = await front(records).get("/metrics")
    assert answer.status == 200
    assert 'secure_export_refusals_total{code="metrics-without-store"} 1.0' in answer.text


async def test_without_a_console_there_is_nothing_else() -> None:
    """A process without roles says so."""
    assert (await front(CountedRecords()).get("/")).status == 404
