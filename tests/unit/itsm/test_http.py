"""The HTTP helper when the tool behaves, or merely surprises."""

import asyncio
import gzip
from collections.abc import Sequence

import pytest
from tests.unit.itsm.loopback import GOOD, Reply, Tool, tool

from secure_export.itsm.http import Answer, Http, NotJson


def answer(head: str, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode("latin-1") + body


async def first(one: Tool, http: Http, path: str = "/") -> Answer:
    got = await http.request("GET", path)
    await http.close()
    return got


@pytest.mark.parametrize(
    ("base", "path", "query", "target"),
    [
        ("", "/api/now/table/incident", None, "/api/now/table/incident"),
        ("/", "/api", None, "/api"),
        ("/itsm", "/api", None, "/itsm/api"),
        ("/itsm/", "/api", None, "/itsm/api"),
        ("/a%20b", "/api", None, "/a%20b/api"),
        ("/%41%2f", "/api", None, "/%41%2f/api"),
        ("", "/entry/HPD:Help Desk/1|1", None, "/entry/HPD:Help%20Desk/1%7C1"),
        ("", "/100%/ü?#", None, "/100%25/%C3%BC%3F%23"),
        ("", "/a", {"q": "a=b^ORc=d&e+f g%"}, "/a?q=a%3Db%5EORc%3Dd%26e%2Bf%20g%25"),
        ("", "/a", {"x": "1", "y": "ü"}, "/a?x=1&y=%C3%BC"),
        ("", "/a", {"x": ""}, "/a?x="),
        ("", "/a", {}, "/a"),
    ],
)
async def test_the_address_arrives_as_it_was_meant(
    base: str, path: str, query: dict[str, str] | None, target: str
) -> None:
    """Path and query are plain text and are encoded once; the tool's own path stands before them."""
    async with tool() as one:
        http = one.http(url=one.url + base)
        await http.request("GET", path, query=query)
        await http.close()
        assert one.requests[0].target == target


async def test_a_long_query_arrives() -> None:
    """Nothing cuts an address of many thousand characters."""
    async with tool() as one:
        http = one.http()
        await http.request("GET", "/", query={"q": "x" * 23_000})
        await http.close()
        assert len(one.requests[0].target) > 23_000


async def test_json_and_forms_are_sent_as_such() -> None:
    """The body's type is told; what the caller says in headers stands over it."""
    async with tool() as one:
        http = one.http()
        await http.request("post", "/", json={"a": ["ü", 1, None, True]})
        await http.request("POST", "/", form={"user name": "a&b=ü", "x": ""})
        await http.request("POST", "/", json={}, headers={"content-TYPE": "application/vnd.x+json", "X-Key": "k"})
        await http.request("POST", "/")
        await http.close()
    sent = [(r.method, r.headers.get("content-type"), r.body) for r in one.requests]
    assert sent == [
        ("POST", "application/json", '{"a":["ü",1,null,true]}'.encode()),
        ("POST", "application/x-www-form-urlencoded", b"user+name=a%26b%3D%C3%BC&x="),
        ("POST", "application/vnd.x+json", b"{}"),
        ("POST", None, b""),
    ]
    assert one.requests[2].headers["x-key"] == "k"
    assert one.requests[0].headers["accept"] == "application/json"
    assert one.requests[0].headers["user-agent"].startswith("secure-export/")


@pytest.mark.parametrize("status", [200, 201, 202, 204, 304, 400, 401, 403, 404, 409, 429, 500, 502, 503])
async def test_every_status_is_an_answer(status: int) -> None:
    """What a status means is judged by the connector, which knows the tool."""
    body = b"" if status in {204, 304} else b"{}"
    async with tool(answer(f"{status} X", body)) as one:
        got = await first(one, one.http())
        assert (got.status, got.body) == (status, body)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    """Credentials would go where the tool points, and a POST would become a GET."""
    async with tool(answer(f"{status} Moved\r\nLocation: /login")) as one:
        got = await first(one, one.http())
        assert (got.status, got.headers["location"]) == (status, "/login")
        assert len(one.requests) == 1


async def test_cookies_are_neither_sent_back_nor_shown() -> None:
    """A session would queue our requests one behind the other, and may outlive its rights."""
    async with tool(answer("200 OK\r\nSet-Cookie: JSESSIONID=geheim; Path=/", b"{}")) as one:
        # By name: cookies of a host that is known by its number alone are not taken by the library anyway.
        http = one.http(url=f"http://localhost:{one.port}")
        got = await http.request("GET", "/")
        await http.request("GET", "/")
        await http.close()
        assert "cookie" not in one.requests[1].headers
        assert "geheim" not in str(got.headers)


async def test_a_packed_answer_is_unpacked() -> None:
    """Large answers come packed, because we say that we can unpack them."""
    body = gzip.compress(b'{"result":[]}')
    async with tool(answer("200 OK\r\nContent-Encoding: gzip", body)) as one:
        assert (await first(one, one.http())).json() == {"result": []}
        assert one.requests[0].headers["accept-encoding"] == "gzip, deflate"


async def test_header_fields_of_one_name_are_joined() -> None:
    """Names do not depend on case, and what is no text is replaced: it must be possible to log and store it."""
    async with tool(answer("200 OK\r\nX-AR-Messages: a\r\nx-ar-messages: b\r\nX-Odd: \xff", b"{}")) as one:
        got = await first(one, one.http())
        assert got.headers["x-ar-messages"] == "a, b"
        assert got.headers["x-odd"].encode("utf-8")


async def test_a_large_header_is_read() -> None:
    """Tools repeat long queries in links to further pages."""
    async with tool(answer("200 OK\r\nLink: " + "x" * 30_000, b"{}")) as one:
        assert len((await first(one, one.http())).headers["link"]) == 30_000


async def test_a_web_page_is_an_answer_without_json() -> None:
    """A sleeping instance or a sign-in page answers 200 with HTML."""
    async with tool(answer("200 OK\r\nContent-Type: text/html", b"<html>Hibernating Instance</html>")) as one:
        got = await first(one, one.http())
        with pytest.raises(NotJson, match="a web page"):
            got.json()


async def test_connections_are_kept() -> None:
    """One after the other, requests share one connection."""
    async with tool() as one:
        http = one.http()
        for _ in range(5):
            await http.request("POST", "/", json={})
        await http.close()
        assert one.connections == 1


class Busy:
    """Holds every request until it is let go, and counts how many are there at a time."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.go = asyncio.Event()

    async def __call__(self, _: asyncio.StreamWriter) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await self.go.wait()
        self.now -= 1


async def until(condition: Sequence[object] | Busy, count: int) -> None:
    async with asyncio.timeout(5):
        while (condition.now if isinstance(condition, Busy) else len(condition)) < count:  # noqa: ASYNC110 - real sockets
            await asyncio.sleep(0.001)


async def test_no_more_requests_at_a_time_than_the_settings_say() -> None:
    """The tool never sees a fifth request while four are under way, and the turns come in order."""
    busy = Busy()
    async with tool(Reply(before=busy)) as one:
        http = one.http(connections=4)
        tasks = [asyncio.create_task(http.request("GET", f"/{n}")) for n in range(20)]
        await until(busy, 4)
        await asyncio.sleep(0.02)
        busy.go.set()
        await asyncio.gather(*tasks)
        await http.close()
        assert busy.most == 4
        assert one.connections == 4
    order = [int(r.target[1:]) for r in one.requests]
    assert all(abs(place - number) < 4 for place, number in enumerate(order)), order


async def test_waiting_for_a_turn_does_not_use_the_time_up() -> None:
    """A request with half a second waits longer than that for its turn, and is answered."""

    async def slow(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.6)

    async with tool(Reply(before=slow), GOOD) as one:
        http = one.http(connections=1)
        got = await asyncio.gather(http.request("GET", "/"), http.request("GET", "/", timeout=0.5))
        await http.close()
        assert [one.status for one in got] == [200, 200]


@pytest.mark.parametrize("state", ["waiting for its turn", "under way"])
async def test_a_cancelled_request_gives_its_turn_back(state: str) -> None:
    """Whatever it was doing: later requests are not fewer at a time, and not one is stuck."""
    busy = Busy()
    async with tool(Reply(before=busy)) as one:
        http = one.http(connections=2)
        for _ in range(5):
            tasks = [asyncio.create_task(http.request("POST", "/", json={})) for _ in range(4)]
            await until(busy, 2)
            for task in tasks[2:] if state == "waiting for its turn" else tasks:
                task.cancel()
            busy.go.set()
            await asyncio.gather(*tasks, return_exceptions=True)
            busy.go.clear()
            busy.now = 0
        sent = len(one.requests)
        tasks = [asyncio.create_task(http.request("GET", "/")) for _ in range(2)]
        await until(busy, 2)
        busy.go.set()
        await asyncio.gather(*tasks)
        await http.close()
        assert sent == 10
        assert busy.most == 2


async def test_a_request_that_waited_and_was_cancelled_was_not_sent() -> None:
    """Nothing of it reaches the tool, not even later."""
    busy = Busy()
    async with tool(Reply(before=busy)) as one:
        http = one.http(connections=1)
        ahead = asyncio.create_task(http.request("GET", "/ahead"))
        await until(one.requests, 1)
        behind = asyncio.create_task(http.request("POST", "/behind", json={}))
        await asyncio.sleep(0)
        behind.cancel()
        with pytest.raises(asyncio.CancelledError):
            await behind
        busy.go.set()
        await ahead
        assert (await http.request("GET", "/after")).status == 200
        await http.close()
        assert [r.target for r in one.requests] == ["/ahead", "/after"]


async def test_an_answer_to_nothing_is_not_taken_for_the_next() -> None:
    """What the tool sends beyond an answer does not become the answer of the next request."""
    async with tool(GOOD + answer("201 Created", b'{"result":"other"}'), GOOD) as one:
        http = one.http()
        await http.request("GET", "/a")
        await asyncio.sleep(0.02)
        assert (await http.request("GET", "/b")).json() == {"result": "ok"}
        await http.close()
