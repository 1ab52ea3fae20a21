"""A problem that more alerts tell of than are read at a time, from their bodies to the work item."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

from tests.unit.delivery.scene import START, Scene, open_scene

SAMPLES = Path(__file__).parents[3] / "samples" / "common"
ACTIVE = SAMPLES / "service-health-incident-active-fired.json"
RESOLVED = SAMPLES / "service-health-incident-resolved-fired.json"


def told(sample: Path, name: str, seconds: float) -> bytes:
    """Give a sample as an alert of its own, that tells of the same event at another time."""
    value = json.loads(sample.read_bytes())
    at = (START + timedelta(seconds=seconds)).isoformat()
    value["data"]["essentials"] |= {"alertId": f"/subscriptions/s/alerts/{name}", "firedDateTime": at}
    value["data"]["alertContext"]["eventTimestamp"] = at
    value["data"]["alertContext"]["properties"]["trackingId"] = "ABC1-XYZ"
    return json.dumps(value).encode()


async def _post(scene: Scene, bodies: list[bytes]) -> None:
    await asyncio.gather(*map(scene.post, bodies))
    await scene.deliver()


async def test_a_service_health_event_of_very_many_alerts_ends_once_and_whole(tmp_path: Path) -> None:
    """Every subscription's rule tells of the same event; its end resolves the one work item whole."""
    scene = await open_scene(tmp_path)
    await _post(scene, [told(ACTIVE, f"a{n}", n) for n in range(450)])
    scene.clock.forward(1000)
    item = await scene.item()
    assert (item["state"], len((await scene.store.records.alerts(condition="fired", limit=1000)).rows)) == ("open", 450)
    await _post(scene, [told(RESOLVED, "end", 900)])
    item = await scene.item()
    assert (item["state"], item["owed"]) == ("resolved", False)
    assert (await scene.store.records.alerts(condition="fired", limit=1000)).rows == []
    assert await scene.is_idle()
    await _post(scene, [told(ACTIVE, "late", 450), told(ACTIVE, "a3", 3)])
    assert (await scene.item())["state"] == "resolved", "an old message reopens nothing"
    await _post(scene, [told(ACTIVE, "anew", 1000)])
    assert sorted(one["state"] for one in await scene.items()) == ["open", "resolved"]
    await scene.store.close()
