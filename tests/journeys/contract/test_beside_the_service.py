"""What happens beside the service: people with its commands, and a power cut."""

import http.client
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.journeys.contract.outside import HAND_OVER_SECONDS, Service, alert
from tests.journeys.contract.standing_in import Entra
from tests.program import Program

pytestmark = pytest.mark.journey


def test_what_people_do_beside_the_service_is_taken_in(tmp_path: Path, standing_in: Entra) -> None:
    """A CI that is imported later is bound; an incident that a person resolved while its alert fires stays so.

    Both are done by commands beside the running service, right after it was started on an empty store.
    """
    service = Service(Program(tmp_path, standing_in.base), standing_in)
    program = service.program
    program.start()
    try:
        for name in ("late", "person"):
            service.take(alert(name, vm=f"vm-{name}"))
        late, person = service.work_item("late"), service.work_item("person")
        assert late["configuration_items"][0]["id"] is None
        assert program.run("desk", "set-state", person["number"], "resolved").code == 0
        target = alert("late", vm="vm-late")["data"]["essentials"]["alertTargetIDs"][0]
        (program.folder / "cis.csv").write_text(f"name,resource_id\nvm-late,{target}\n", encoding="utf-8")
        assert program.run("cmdb", "import", "cis.csv").code == 0
        bound = program.wait_until(
            f"/api/v1/work-items/{late['id']}", lambda w: w["configuration_items"][0]["id"], seconds=40
        )
        assert bound["configuration_items"][0]["name"] == "vm-late"
        seen = program.wait_until(f"/api/v1/work-items/{person['id']}", lambda w: w["state"] == "resolved", seconds=5)
        assert seen["reasons"]
        service.take(alert("person", vm="vm-person", resolved=True))
        service.alert("person", lambda a: a["condition"] == "resolved")
        assert service.state("person") == "resolved"
    finally:
        program.stop()


def test_after_a_power_cut_everything_is_delivered_within_seconds(tmp_path: Path, standing_in: Entra) -> None:
    """SIGKILL under load, then a restart: each 202 is one work item, without waiting for a dead owner's lease."""
    service = Service(Program(tmp_path, standing_in.base), standing_in)
    program, token, accepted = service.program, standing_in.token(), list[str]()
    program.start()
    cut = threading.Event()

    def blast(sender: int) -> None:
        for number in range(2000):
            try:
                if cut.is_set() or service.post(alert(f"{sender}-{number}"), token=token).status != 202:
                    return
            except (OSError, http.client.HTTPException):
                return
            accepted.append(f"{sender}-{number}")

    try:
        with ThreadPoolExecutor(4) as pool:
            for sender in range(4):
                pool.submit(blast, sender)
            while len(accepted) < 200:
                time.sleep(0.01)
            program.kill()
            cut.set()
        program.start()
        program.wait_until("/api/v1/lanes", lambda page: not page["items"], seconds=HAND_OVER_SECONDS)
        program.wait_until("/api/v1/work-items?owed=true", lambda page: not page["items"])
        made = Counter(one.rsplit("/", 1)[1] for item in program.rows("work-items", "list") for one in item["alerts"])
        assert not [name for name in accepted if made[name] != 1]
        assert max(made.values()) == 1
    finally:
        program.stop()
