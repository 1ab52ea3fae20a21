"""A proxy on the way, as companies have it: taken from the environment, and shown its own credentials only."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.unit.itsm.authority import Authority
from tests.unit.itsm.loopback import Tool, tool

from secure_export.itsm.http import Http, HttpSettings, NotSent
from secure_export.itsm.proxy import Proxy, proxy_for

URL = "https://tool.example.com"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, URL, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, URL, "http://proxy:3128"),
        ({"https_proxy": "http://proxy:3128"}, URL, "http://proxy:3128"),
        ({"HTTPS_PROXY": "proxy:3128"}, URL, "http://proxy:3128"),
        ({"ALL_PROXY": "http://proxy:3128/"}, URL, "http://proxy:3128"),
        ({"HTTPS_PROXY": "https://[fd00::1]:3128"}, URL, "https://[fd00::1]:3128"),
        ({"HTTP_PROXY": "http://proxy:3128"}, URL, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.com"}, URL, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".example.com"}, URL + ":8443", None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, URL, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.org"}, URL, "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128", "HTTP_PROXY": "http://proxy:1"}, "http://127.0.0.1:1", None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "https://localhost:1", None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "https://[::1]:1", None),
    ],
)
def test_the_environment_names_the_proxy(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, proxy: str | None
) -> None:
    """As other programs understand these variables; this machine is never behind a proxy."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = proxy_for(url)
    assert (found.url if found else None) == proxy


@pytest.mark.parametrize("named", ["socks5://geheim@proxy:1080", "http://", "http://proxy:geheim"])
def test_a_proxy_of_another_kind_is_told(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    """It is better not to send than to go past a proxy that somebody wanted."""
    monkeypatch.setenv("HTTPS_PROXY", named)
    with pytest.raises(NotSent) as caught:
        proxy_for(URL)
    assert "HTTPS_PROXY" in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_credentials_are_taken_out_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """They go into a header of their own, and nothing that is shown holds them."""
    monkeypatch.setenv("HTTPS_PROXY", "http://user:ge%40heim@proxy:3128")
    found = proxy_for(URL)
    assert found is not None
    assert base64.b64decode(found.headers["Proxy-Authorization"].split(" ")[1]) == b"user:ge@heim"
    assert "heim" not in repr(found)
    assert found == Proxy("http://proxy:3128", found.headers)


class Tunnel:
    """A proxy that leads every CONNECT to one tool, or refuses it."""

    def __init__(self, target: int, refusal: bytes | None) -> None:
        self.target, self.refusal = target, refusal
        self.heads: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if self.refusal is not None:
            writer.write(self.refusal)
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(self._pipe(reader, back), self._pipe(there, writer))

    async def _pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
        sink.close()


@asynccontextmanager
async def tunnelled(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, refusal: bytes | None = None
) -> AsyncIterator[tuple[Tool, Tunnel, Http]]:
    async with tool(tls=authority.server("tool.example.com")) as one:
        tunnel = Tunnel(one.port, refusal)
        async with await asyncio.start_server(tunnel.serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            monkeypatch.setenv("HTTPS_PROXY", f"http://user:geheim@127.0.0.1:{port}")
            http = Http(HttpSettings(url=URL, ca_file=authority.file, request_timeout_seconds=5))
            yield one, tunnel, http
            await http.close()


async def test_the_way_through_a_proxy_is_encrypted_to_the_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy sees the tool's name and its own credentials; the tool does not see these."""
    async with tunnelled(Authority(tmp_path), monkeypatch) as (one, tunnel, http):
        for _ in range(2):
            assert (
                await http.request("POST", "/a", json={}, headers={"Authorization": "Basic dG9vbA=="})
            ).status == 200
        assert one.connections == 1
        assert "proxy-authorization" not in one.requests[1].headers
        assert one.requests[1].headers["authorization"] == "Basic dG9vbA=="
        assert len(tunnel.heads) == 1
        assert tunnel.heads[0].startswith("CONNECT tool.example.com:443 ")
        assert "Proxy-Authorization: Basic dXNlcjpnZWhlaW0=" in tunnel.heads[0]
        assert "dG9vbA==" not in tunnel.heads[0]


async def test_what_a_proxy_refuses_was_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tool got nothing: no doubt, and the reason names the proxy without its credentials."""
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    async with tunnelled(Authority(tmp_path), monkeypatch, refusal) as (one, _, http):
        with pytest.raises(NotSent, match="status 407") as caught:
            await http.request("POST", "/a", json={})
        assert "geheim" not in str(caught.value)
        assert not one.requests


async def test_a_proxy_that_is_not_there_got_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens where the proxy should be."""
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    http = Http(HttpSettings(url=URL))
    with pytest.raises(NotSent, match=r"the proxy 127\.0\.0\.1"):
        await http.request("POST", "/a", json={})
    await http.close()


async def test_a_netrc_file_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials come from the configuration alone, whatever else the user of this program keeps."""
    (tmp_path / ".netrc").write_text("default login geheim password geheim\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    async with tool() as one:
        http = one.http()
        await http.request("GET", "/")
        await http.close()
        assert "authorization" not in one.requests[0].headers
