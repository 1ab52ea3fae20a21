"""Every fault of the control API, seen by a real client over a real connection."""

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest
from tests.unit.sandbox.servicenow.served import INCIDENTS, raw, served

from secure_export.sandbox.servicenow.demo_access import INTEGRATION_USER
from secure_export.sandbox.servicenow.faults import Fault, FaultKind

BODY = json.dumps({"short_description": "A test"}).encode()


async def test_reset_before_leaves_nothing_done_and_the_client_sees_a_reset() -> None:
    """The connection is reset (RST) before anything was written or answered."""
    async with served() as client:
        before = client.incidents()
        client.app.faults.set(Fault(FaultKind.RESET_BEFORE))
        received, problem = await raw(client.url, "POST", INCIDENTS, BODY)
        assert (received, type(problem)) == (b"", ConnectionResetError)
        assert client.incidents() == before


async def test_reset_after_has_done_it_and_the_client_sees_a_reset() -> None:
    """The record is written, and the answer never comes."""
    async with served() as client:
        before = client.incidents()
        client.app.faults.set(Fault(FaultKind.RESET_AFTER))
        received, problem = await raw(client.url, "POST", INCIDENTS, BODY)
        assert (received, type(problem)) == (b"", ConnectionResetError)
        assert client.incidents() == before + 1


async def test_cut_ends_the_connection_in_the_middle_of_the_body() -> None:
    """Fewer bytes come than Content-Length says, and then the end; the record is written."""
    async with served() as client:
        before = client.incidents()
        client.app.faults.set(Fault(FaultKind.CUT))
        received, problem = await raw(client.url, "POST", INCIDENTS, BODY)
        head, _, body = received.partition(b"\r\n\r\n")
        promised = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        assert problem is None
        assert head.startswith(b"HTTP/1.1 201")
        assert 0 < len(body) < promised
        assert client.incidents() == before + 1


async def test_a_reset_is_real_through_tls_too() -> None:
    """With TLS the connection breaks as well, without an answer."""
    from secure_export.sandbox.tls import LocalCa  # noqa: PLC0415 - this test alone

    ca = LocalCa.made()
    async with served(tls=ca.server_context(), client_tls=ca.client_context()) as client:
        before = client.incidents()
        client.app.faults.set(Fault(FaultKind.RESET_AFTER))
        with pytest.raises(aiohttp.ClientError):
            await client.ask("POST", INCIDENTS, json={"short_description": "A test"})
        assert client.incidents() == before + 1


@pytest.mark.parametrize("kind", [FaultKind.DELAY, FaultKind.DELAY_AFTER])
async def test_a_client_that_does_not_wait_meets_its_time_out(kind: FaultKind) -> None:
    """A delay before leaves the write undone for as long as it lasts; a delay after has done it already."""
    async with served() as client:
        before = client.incidents()
        client.app.faults.set(Fault(kind, seconds=60))
        with pytest.raises(TimeoutError):
            await client.ask(
                "POST", INCIDENTS, json={"short_description": "A test"}, timeout=aiohttp.ClientTimeout(total=0.3)
            )
        assert client.incidents() == before + (kind is FaultKind.DELAY_AFTER)


async def test_a_short_delay_answers_as_usual() -> None:
    """After a delay the request is done and answered."""
    async with served() as client:
        client.app.faults.set(Fault(FaultKind.DELAY, seconds=0.05))
        began = time.perf_counter()
        assert (await client.ask("GET", INCIDENTS)).status == 200
        assert time.perf_counter() - began >= 0.05


async def test_429_with_headers_says_when_to_come_back() -> None:
    """A rate limit's refusal has its three headers, Retry-After, and the text of the real one; nothing is done."""
    async with served() as client:
        before = client.incidents()
        client.app.faults.set(Fault(FaultKind.TOO_MANY, seconds=90))
        seen = await client.ask("POST", INCIDENTS, json={"short_description": "A test"})
        assert seen.status == 429
        assert seen.json["error"]["message"] == "Rate limit exceeded"
        assert seen.json["error"]["detail"] == "Rate limit of 100 requests per hour for Table API exceeded"
        assert seen.headers["Retry-After"] == "90"
        now = client.app.instance.clock.now().timestamp()
        assert int(seen.headers["X-RateLimit-Reset"]) == now + 90
        assert seen.headers["X-RateLimit-Limit"] == "100"
        assert seen.headers["X-RateLimit-Rule"]
        assert client.incidents() == before


async def test_429_without_headers_says_nothing() -> None:
    """A full semaphore queue gives 429 and no header to go by."""
    async with served() as client:
        client.app.faults.set(Fault(FaultKind.QUEUE_FULL))
        seen = await client.ask("GET", INCIDENTS)
        assert seen.status == 429
        assert not [name for name in seen.headers if name.lower().startswith(("x-ratelimit", "retry-after"))]


async def test_202_is_not_done() -> None:
    """An accepted request may never be executed; here it is not."""
    async with served() as client:
        before = client.incidents()
        client.app.faults.set(Fault(FaultKind.ACCEPTED))
        seen = await client.ask("POST", INCIDENTS, json={"short_description": "A test"})
        assert (seen.status, seen.text) == (202, "")
        assert client.incidents() == before


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "done"),
    [
        (Fault(FaultKind.ERROR_BEFORE), 503, "application/json", 0),
        (Fault(FaultKind.ERROR_BEFORE, status=500, html=True), 500, "text/html", 0),
        (Fault(FaultKind.ERROR_AFTER), 500, "application/json", 1),
        (Fault(FaultKind.ERROR_AFTER, status=502, html=True), 502, "text/html", 1),
    ],
)
async def test_errors_come_before_or_after_the_commit_as_json_or_html(
    fault: Fault, status: int, content_type: str, done: int
) -> None:
    """The answer is the same whether it was done or not; the records tell."""
    async with served() as client:
        before = client.incidents()
        client.app.faults.set(fault)
        seen = await client.ask("POST", INCIDENTS, json={"short_description": "A test"})
        assert seen.status == status
        assert seen.headers["Content-Type"].startswith(content_type)
        assert client.incidents() == before + done


async def test_errors_carry_the_headers_that_were_asked_for() -> None:
    """A 503 may say Retry-After."""
    async with served() as client:
        client.app.faults.set(Fault(FaultKind.ERROR_BEFORE, headers={"Retry-After": "120"}))
        assert (await client.ask("GET", INCIDENTS)).headers["Retry-After"] == "120"


async def test_a_hibernating_instance_answers_200_with_a_page() -> None:
    """Status 200 is no proof: the body is HTML, and nothing was done."""
    async with served() as client:
        before = client.incidents()
        client.app.faults.set(Fault(FaultKind.HIBERNATING))
        seen = await client.ask("POST", INCIDENTS, json={"short_description": "A test"})
        assert seen.status == 200
        assert "Hibernating Instance" in seen.text
        assert seen.headers["Content-Type"].startswith("text/html")
        assert client.incidents() == before


async def test_garbage_is_200_with_what_is_no_json() -> None:
    """The body ends in the middle, although Content-Length is right."""
    async with served() as client:
        before = client.incidents()
        client.app.faults.set(Fault(FaultKind.GARBAGE))
        seen = await client.ask("POST", INCIDENTS, json={"short_description": "A test"})
        assert (seen.status, seen.json) == (200, None)
        assert seen.text
        assert client.incidents() == before + 1


async def test_a_cancelled_transaction_answers_200_with_a_cut_result_and_an_error() -> None:
    """KB0778443: result, error and status failure, under status 200."""
    async with served() as client:
        for _ in range(4):
            await client.incident()
        client.app.faults.set(Fault(FaultKind.CANCELLED))
        seen = await client.ask("GET", INCIDENTS + "?sysparm_query=short_description=A test&sysparm_limit=4")
        assert seen.status == 200
        assert len(seen.json["result"]) == 2
        assert seen.json["error"]["message"] == "Transaction cancelled: maximum execution time exceeded"
        assert seen.json["status"] == "failure"


async def test_an_aborting_business_rule_refuses_and_writes_nothing() -> None:
    """403 in the words of the real one, with the rule's name."""
    async with served() as client:
        before = client.incidents()
        client.app.faults.set(Fault(FaultKind.ABORTED, rule="Only on Mondays"))
        seen = await client.ask("POST", INCIDENTS, json={"short_description": "A test"})
        assert seen.status == 403
        assert (
            "Operation against file 'incident' was aborted by Business Rule 'Only on Mondays^"
            in (seen.json["error"]["detail"])
        )
        assert client.incidents() == before


async def test_a_resolve_can_be_ignored_by_a_business_rule() -> None:
    """200 as if all were well, and the state is what it was; other fields are written."""
    async with served() as client:
        one = await client.incident()
        client.app.faults.set(Fault(FaultKind.RESOLVE_IGNORED, methods=frozenset({"PATCH"})))
        change = {"state": "6", "close_code": "Solution provided", "close_notes": "Done", "work_notes": "Over"}
        seen = await client.ask("PATCH", f"{INCIDENTS}/{one['sys_id']}", json=change)
        assert seen.status == 200
        row = client.app.instance.get("incident", one["sys_id"])
        assert (row["state"], row["incident_state"], row["close_notes"]) == ("1", "1", "Done")
        again = await client.ask("PATCH", f"{INCIDENTS}/{one['sys_id']}", json=change)
        assert again.json["result"]["state"] == "6"


async def test_hidden_rows_are_left_out_of_lists_but_counted_and_404_by_id() -> None:
    """An ACL hides rows after the count: an empty list, X-Total-Count of one, and No Record found."""
    async with served() as client:
        one = await client.incident(correlation_id="azmon1:1")
        client.app.faults.set(Fault(FaultKind.HIDDEN, times=None))
        seen = await client.ask("GET", INCIDENTS + "?sysparm_query=correlation_id=azmon1:1")
        assert (seen.status, seen.json["result"], seen.headers["X-Total-Count"]) == (200, [], "1")
        for method in ("GET", "PATCH"):
            missing = await client.ask(method, f"{INCIDENTS}/{one['sys_id']}", json={"work_notes": "x"})
            assert (missing.status, missing.json["error"]["message"]) == (404, "No Record found")


async def test_a_removed_choice_is_blanked_and_then_missed_by_the_data_policy() -> None:
    """A close code that left its list makes the resolve fail, as in the real system."""
    async with served() as client:
        one = await client.incident()
        client.app.faults.set(
            Fault(FaultKind.CHOICE_REMOVED, table="incident", element="close_code", value="Solution provided")
        )
        change = {"state": "6", "close_code": "Solution provided", "close_notes": "Done"}
        seen = await client.ask("PATCH", f"{INCIDENTS}/{one['sys_id']}", json=change)
        assert seen.status == 403
        assert "Data Policy Exception" in seen.json["error"]["detail"]


async def test_a_restored_copy_is_as_it_was_before_the_request() -> None:
    """The client is told of success; afterwards record and journal are the old ones again."""
    async with served() as client:
        one = await client.incident(work_notes="First")
        client.app.faults.set(Fault(FaultKind.RESTORED, methods=frozenset({"PATCH"})))
        seen = await client.ask(
            "PATCH", f"{INCIDENTS}/{one['sys_id']}", json={"short_description": "New", "work_notes": "Second"}
        )
        assert seen.json["result"]["short_description"] == "New"
        assert client.app.instance.get("incident", one["sys_id"])["short_description"] == "A test"
        notes = client.app.instance.find("sys_journal_field", f"element_id={one['sys_id']}")
        assert [note["value"] for note in notes] == ["First"]


async def test_a_new_record_of_a_restored_copy_is_gone() -> None:
    """What was created after the copy is not in it."""
    async with served() as client:
        client.app.faults.set(Fault(FaultKind.RESTORED))
        one = await client.incident()
        assert (await client.ask("GET", f"{INCIDENTS}/{one['sys_id']}")).status == 404


async def test_a_deleted_record_was_there_in_the_answer() -> None:
    """Somebody deletes it right after the answer."""
    async with served() as client:
        client.app.faults.set(Fault(FaultKind.DELETED))
        one = await client.incident()
        assert (await client.ask("GET", f"{INCIDENTS}/{one['sys_id']}")).status == 404


async def test_a_fault_is_met_by_those_it_is_for_and_as_often_as_it_says() -> None:
    """Method, table, path, user, query and body select; some pass first, then so many meet it."""
    async with served() as client:
        fault = client.app.faults.set(
            Fault(
                FaultKind.ERROR_BEFORE,
                methods=frozenset({"PATCH"}),
                table="incident",
                path="/api/now/*",
                user=INTEGRATION_USER,
                body='"work_notes"',
                skip=1,
                times=2,
            )
        )
        one = await client.incident()
        path = f"{INCIDENTS}/{one['sys_id']}"
        assert (await client.ask("GET", path)).status == 200
        assert (await client.ask("PATCH", path, user="admin", json={"work_notes": "x"})).status == 200
        assert (await client.ask("PATCH", path, json={"urgency": "2"})).status == 200
        statuses = [(await client.ask("PATCH", path, json={"work_notes": str(n)})).status for n in range(4)]
        assert statuses == [200, 503, 503, 200]
        assert client.app.faults.met(fault.id) == 2


async def test_the_control_api_sets_lists_and_clears_faults() -> None:
    """What Python objects do, JSON does too; a misspelt name is an error."""
    async with served() as client:
        fault = await client.control("POST", "faults", kind="error-before", times=None, query="nothing=1")
        listed = await client.control("GET", "faults")
        assert [(one["id"], one["met"]) for one in listed] == [(fault["id"], 0)]
        assert (await client.ask("GET", INCIDENTS + "?sysparm_query=nothing=1")).status == 503
        assert (await client.ask("GET", INCIDENTS)).status == 200
        assert (await client.control("DELETE", f"faults/{fault['id']}")) == {"cleared": 1}
        assert (await client.ask("GET", INCIDENTS + "?sysparm_query=nothing=1")).status == 200
        wrong = await client.ask("POST", "/control/faults", user="", json={"kind": "delay", "second": 1})
        assert wrong.status == 400
        assert "Unknown: second" in wrong.json["error"]


async def test_stop_does_not_wait_for_a_client_in_a_long_delay() -> None:
    """A stand-in stops within its grace although a request still waits in a fault."""
    waiting: list[asyncio.Task[Any]] = []
    began = time.perf_counter()
    async with served() as client:
        client.app.faults.set(Fault(FaultKind.DELAY, seconds=600))
        waiting.append(asyncio.create_task(client.ask("GET", INCIDENTS)))
        while not client.app.faults.met("fault-1"):  # noqa: ASYNC110 - faults tell of it by no event
            await asyncio.sleep(0.01)
        waiting[0].cancel()
    assert time.perf_counter() - began < 3
