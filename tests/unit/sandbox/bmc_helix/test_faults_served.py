"""Trouble on demand, as it comes over the wire (bmc-facts section 10, line 14)."""

import asyncio
import itertools
import json
import time

import aiohttp
import pytest
from tests.unit.sandbox.asking import raw
from tests.unit.sandbox.bmc_helix.served import (
    BASE,
    ENDED,
    INTERFACE,
    MINIMAL,
    STAGING,
    Client,
    new_server,
    path_of,
    served,
)

from secure_export.sandbox.bmc_helix import looking
from secure_export.sandbox.bmc_helix.demo_data import INTEGRATION_USER
from secure_export.sandbox.bmc_helix.faults import Fault, FaultKind, Shape
from secure_export.sandbox.bmc_helix.people import Account

CREATE = json.dumps({"values": MINIMAL}).encode()


def incidents(client: Client) -> int:
    return client.server.entries.count(BASE)


async def raw_create(client: Client) -> tuple[bytes, BaseException | None]:
    headers = f"Authorization: AR-JWT {await client.token()}\r\nContent-Type: application/json\r\n"
    return await raw(client.url, "POST", path_of(STAGING), CREATE, headers)


@pytest.mark.parametrize(("kind", "done"), [(FaultKind.RESET_BEFORE, 0), (FaultKind.RESET_AFTER, 1)])
async def test_a_reset_loses_the_request_or_the_answer(kind: FaultKind, done: int) -> None:
    """The socket is reset, and not a byte comes."""
    async with served() as client:
        await client.token()
        client.app.faults.set(Fault(kind))
        received, problem = await raw_create(client)
        assert (received, type(problem), incidents(client)) == (b"", ConnectionResetError, done)
        assert client.app.counters.last()[0].status == 0


async def test_an_answer_is_cut_in_the_middle() -> None:
    """Although it was done; an answer that has no body gets half of one."""
    async with served() as client:
        number = await client.create()
        client.app.faults.set(Fault(FaultKind.CUT, times=None))
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.ask("GET", path_of(BASE))
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.change(number, {"Urgency": "4-Low"})
        client.app.faults.clear()
        assert (await client.read(number))["Urgency"] == "4-Low"


async def test_garbage_comes_for_what_was_done() -> None:
    """200 with what is no JSON, also where nothing should come."""
    async with served() as client:
        number = await client.create()
        client.app.faults.set(Fault(FaultKind.GARBAGE, times=None))
        for seen in (await client.change(number, {"Urgency": "4-Low"}), await client.ask("GET", path_of(BASE))):
            assert (seen.status, seen.json, bool(seen.text)) == (200, None, True)
        client.app.faults.clear()
        assert (await client.read(number))["Urgency"] == "4-Low"


@pytest.mark.parametrize("kind", [FaultKind.DELAY, FaultKind.DELAY_AFTER])
async def test_a_slow_answer_is_slow(kind: FaultKind) -> None:
    """Before it is done, or after."""
    async with served() as client:
        await client.token()
        fault_id = client.app.faults.set(Fault(kind, seconds=0.1)).id
        began = time.monotonic()
        task = asyncio.create_task(client.create())
        while not client.app.faults.met(fault_id):  # noqa: ASYNC110 - faults tell of it by no event
            await asyncio.sleep(0.002)
        assert incidents(client) == (kind is FaultKind.DELAY_AFTER)
        await task
        assert time.monotonic() - began >= 0.1


@pytest.mark.parametrize(
    ("kind", "number", "done"),
    [(FaultKind.OTHER_SESSION, 9093, 0), (FaultKind.TIMED_OUT, 93, 0), (FaultKind.TIMED_OUT_AFTER, 92, 1)],
)
async def test_numbers_that_mean_try_again(kind: FaultKind, number: int, done: int) -> None:
    """500 with an array; 92 was done all the same."""
    async with served() as client:
        await client.token()
        client.app.faults.set(Fault(kind))
        seen = await client.try_create()
        assert seen.error[:2] == (500, number)
        assert incidents(client) == done


async def test_a_filter_refuses_with_the_sentence_in_the_appended_text() -> None:
    """500 with an array, and nothing is done."""
    async with served() as client:
        client.app.faults.set(Fault(FaultKind.REFUSED, number=44_900, text="Not on Mondays."))
        assert (await client.try_create()).error == (500, 44_900, "Not on Mondays.")
        client.app.faults.set(Fault(FaultKind.DUPLICATE_PEOPLE))
        assert "Multiple records have been found" in (await client.try_create()).json[0]["messageAppendedText"]
        assert incidents(client) == 0


async def test_a_filter_keeps_the_status() -> None:
    """204, and it stays what it was; all else is done."""
    async with served() as client:
        number = await client.create()
        client.app.faults.set(Fault(FaultKind.RESOLVE_IGNORED))
        assert (await client.change(number, ENDED)).status == 204
        values = await client.read(number)
        assert (values["Status"], values["Status_Reason"]) == ("Assigned", None)
        assert values["Resolution"] == "It is fine again"
        assert (await client.change(number, ENDED)).status == 204
        assert (await client.read(number))["Status"] == "Resolved"


@pytest.mark.parametrize(
    ("shape", "content_type", "text"),
    [
        (Shape.ARRAY, "application/json;charset=UTF-8", '"messageNumber":1291053'),
        (Shape.OBJECT, "application/json;charset=UTF-8", '"transient":true'),
        (Shape.HTML, "text/html;charset=UTF-8", "HTTP ERROR 503"),
        (Shape.TEXT, "text/plain;charset=UTF-8", "Please contact the Administrator"),
        (Shape.EMPTY, "text/plain", ""),
    ],
)
async def test_errors_come_in_every_shape(shape: Shape, content_type: str, text: str) -> None:
    """Before it is done, and after."""
    async with served() as client:
        await client.token()
        for kind, done in ((FaultKind.ERROR_BEFORE, 0), (FaultKind.ERROR_AFTER, 1)):
            client.app.faults.set(Fault(kind, status=503, shape=shape, headers={"Retry-After": "7"}))
            seen = await client.try_create()
            assert (seen.status, seen.headers["Content-Type"]) == (503, content_type)
            assert text in seen.text
            assert seen.headers["Retry-After"] == "7"
            assert incidents(client) == done


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        (FaultKind.LOGIN_PAGE, 200, "Mid Tier"),
        (FaultKind.SSO_PAGE, 401, "Since your browser does not support JavaScript"),
        (FaultKind.ACCEPTED, 202, ""),
        (FaultKind.TOO_MANY, 429, "Too many requests"),
    ],
)
async def test_what_stands_before_the_server_answers_in_its_place(kind: FaultKind, status: int, text: str) -> None:
    """And nothing is done."""
    async with served() as client:
        await client.token()
        client.app.faults.set(Fault(kind, seconds=30))
        seen = await client.try_create()
        assert (seen.status, text in seen.text, incidents(client)) == (status, True, 0)
        if kind is FaultKind.TOO_MANY:
            assert seen.headers["Retry-After"] == "30"


async def test_a_login_becomes_a_guest_session() -> None:
    """Although the password is right."""
    async with served() as client:
        client.app.faults.set(Fault(FaultKind.GUEST))
        seen = await client.login()
        assert (seen.status, json.loads(seen.headers["X-AR-Messages"])[0]["messageNumber"]) == (200, 59)
        assert "X-AR-Messages" not in (await client.login()).headers


async def test_a_token_dies_in_the_middle_of_the_work() -> None:
    """401 for this request and all that follow."""
    async with served() as client:
        await client.token()
        client.app.faults.set(Fault(FaultKind.TOKEN_REVOKED))
        assert (await client.try_create()).status == 401
        assert (await client.try_create()).status == 401
        assert (await client.login()).status == 200


async def test_entries_are_hidden() -> None:
    """Searches come back empty, and entries as 404, in the CMDB too."""
    async with served() as client:
        number = await client.create()
        client.app.faults.set(Fault(FaultKind.HIDDEN, times=None))
        seen = await client.ask("GET", path_of(INTERFACE))
        assert (seen.status, seen.json["entries"]) == (200, [])
        assert (await client.ask("GET", await client.path(number))).status == 404
        cis = await client.ask("GET", "/api/cmdb/v1.0/instances/BMC.ASSET/BMC.CORE/BMC_ComputerSystem")
        assert cis.json["instances"] == []


async def test_an_old_copy_comes_back() -> None:
    """The request was done and answered; then everything is as it was before, numbers too."""
    async with served() as client:
        number = await client.create()
        client.app.faults.set(Fault(FaultKind.RESTORED, times=2))
        assert (await client.change(number, {"Urgency": "4-Low"})).status == 204
        assert (await client.read(number))["Urgency"] == "2-High"
        client.app.faults.set(Fault(FaultKind.RESTORED))
        lost = await client.create()
        assert incidents(client) == 1
        assert await client.create() == lost


async def test_somebody_deletes_the_incident_at_once() -> None:
    """The one that was made or changed, and no other."""
    async with served() as client:
        one, other = await client.create(), await client.create()
        client.app.faults.set(Fault(FaultKind.DELETED))
        assert (await client.change(one, {"Urgency": "4-Low"})).status == 204
        assert [row["Incident Number"] for row in looking.incidents(client.server)] == [other]


async def test_a_fault_is_for_those_whom_it_names() -> None:
    """By method, form, path, user, query and body; some may pass first."""
    async with served() as client:
        faults = client.app.faults
        one = faults.set(
            Fault(
                FaultKind.TIMED_OUT,
                methods=frozenset({"PUT"}),
                form=INTERFACE,
                user="azure.integration",
                body='"Resolved"',
                skip=1,
                times=1,
            )
        )
        number = await client.create()
        assert (await client.change(number, {"Urgency": "4-Low"})).status == 204
        assert [(await client.change(number, ENDED)).status for _ in range(3)] == [204, 500, 204]
        assert faults.met(one.id) == 1
        faults.set(Fault(FaultKind.TIMED_OUT, path="/api/*/HPD:Help Desk", query="Status' <", times=None))
        assert (await client.ask("GET", f"{path_of(BASE)}?q='Status'+%3C+4")).status == 500
        assert (await client.ask("GET", path_of(BASE))).status == 200


async def test_more_requests_at_a_time_than_a_user_may_have_look_like_another_session() -> None:
    """500 with 9093, for programs; people's sessions are their own matter."""
    server = new_server(most_parallel=2)
    async with served(server) as client:
        await client.token()
        await client.token("ada.lovelace")
        client.app.turns.service_seconds = 0.1
        for user, expected in ((INTEGRATION_USER, {200, 500}), ("ada.lovelace", {200})):
            seen = await asyncio.gather(*(client.ask("GET", path_of(BASE), user=user) for _ in range(4)))
            assert {one.status for one in seen} == expected
            assert {one.error[1] for one in seen if one.status == 500} <= {9093}
        server.accounts.set(Account(INTEGRATION_USER, parallel_allowed=True))
        seen = await asyncio.gather(*(client.ask("GET", path_of(BASE)) for _ in range(4)))
        assert {one.status for one in seen} == {200}


async def test_each_request_takes_its_time_and_so_many_run_at_once() -> None:
    """Eight requests, four at a time, take two turns; the write is there before the answer is."""
    async with served() as client:
        await client.token()
        client.app.turns.threads, client.app.turns.service_seconds = 4, 0.05
        began = time.monotonic()
        await asyncio.gather(*(client.create() for _ in range(8)))
        assert 0.1 <= time.monotonic() - began < 1
        assert client.app.turns.most_at_a_time == 4


async def test_too_many_waiting_requests_are_turned_away() -> None:
    """503 of the web server."""
    async with served() as client:
        await client.token()
        turns = client.app.turns
        turns.threads, turns.queue = 1, 1
        async with turns.turn():
            asked = [asyncio.create_task(client.ask("GET", path_of(BASE))) for _ in range(3)]
            turned_away = [await one for one in itertools.islice(asyncio.as_completed(asked), 2)]
        assert [one.status for one in turned_away] == [503, 503]
        assert sorted(one.status for one in await asyncio.gather(*asked)) == [200, 503, 503]


async def test_calls_are_counted_by_what_they_ask() -> None:
    """Ids left out, versions alike, passwords never."""
    async with served() as client:
        number = await client.create()
        await client.read(number)
        await client.ask("GET", "/api/arsys/v1.0/entry/HPD:Help%20Desk/")
        assert client.app.counters.calls == {
            "POST /api/jwt/login": 1,
            f"POST /api/arsys/v1/entry/{STAGING}": 1,
            f"GET /api/arsys/v1/entry/{INTERFACE}/{{id}}": 1,
            f"GET /api/arsys/v1/entry/{BASE}": 1,
        }
        client.app.counters.reset()
        assert client.app.counters.total == 0
