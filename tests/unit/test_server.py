"""The HTTP server over real sockets: what uvicorn does for us, and the bounds that we add."""

import asyncio
import datetime as dt
import gc
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from secure_export.errors import SettingsError
from secure_export.server import TlsFiles, serve_asgi
from secure_export.server.connection import MAX_HEAD_BYTES, MOST_AHEAD
from secure_export.server.garbage import collect_seldom
from secure_export.server.tls import Certificate
from secure_export.server.waiting import HEAD_PATIENCE_SECONDS, KEEP_ALIVE_SECONDS, Waiting


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run on the loop that the program runs on."""
    return "asyncio", {"use_uvloop": True}


GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"


class App:
    """Says what it was asked; reads bodies, and waits where a test wants it to."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []
        self.bodies: list[bytes] = []
        self.gone = asyncio.Event()
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.reads = True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        self.asked.set()
        body = b""
        while self.reads:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.set()
                return
            body += message["body"]
            if not message["more_body"]:
                break
        self.bodies.append(body)
        await self.may_answer.wait()
        text = f"{scope['method']} {scope['path']} {len(body)}".encode()
        headers = [(b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": text})


class Served:
    """A running server."""

    def __init__(
        self, app: App, port: int, refused: Counter[str], stop: asyncio.Event, task: asyncio.Task[None]
    ) -> None:
        self.app = app
        self.port = port
        self.refused = refused
        self.stop = stop
        self.task = task

    async def connect(self, **how: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, **how)

    async def say(self, *pieces: bytes, **how: Any) -> bytes:
        """Send pieces one by one, then hear everything until the server ends the connection."""
        reader, writer = await self.connect(**how)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            return await heard(reader)
        finally:
            writer.close()


async def heard(reader: asyncio.StreamReader) -> bytes:
    """Give everything until the server ends the connection."""
    data = b""
    try:
        async with asyncio.timeout(5):
            while piece := await reader.read(65536):
                data += piece
    except ConnectionError:
        pass
    return data


async def answer(reader: asyncio.StreamReader) -> bytes:
    """Give one answer, head and body."""
    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        return head + await reader.readexactly(length)


@asynccontextmanager
async def serving(host: str = "127.0.0.1", **options: Any) -> AsyncIterator[Served]:
    """Run a server while the block runs."""
    app, stop, refused = App(), asyncio.Event(), Counter[str]()
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        serve_asgi(
            app,
            host,
            0,
            stop=stop,
            on_started=started.set_result,
            refused=lambda code: refused.update([code]),
            **options,
        )
    )
    try:
        yield Served(app, await asyncio.wait_for(started, 5), refused, stop, task)
    finally:
        app.may_answer.set()
        stop.set()
        await asyncio.wait_for(task, 15)


def post(body: bytes, *headers: str, length: int | None = None) -> bytes:
    """Make a request with a body."""
    lines = ["POST /a HTTP/1.1", "Host: x", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def test_a_request_is_answered_and_the_connection_kept() -> None:
    """Several requests come one after another over one connection."""
    async with serving() as served:
        reader, writer = await served.connect()
        for size in (0, 10, 200_000):
            writer.write(post(b"x" * size))
            assert (await answer(reader)).endswith(f"POST /a {size}".encode())
        writer.close()


async def test_stop_answers_what_is_under_way_and_takes_nothing_new() -> None:
    """A request that came before the stop is answered after it; then nobody listens any more."""
    async with serving() as served:
        served.app.may_answer.clear()
        reader, writer = await served.connect()
        idle_reader, idle_writer = await served.connect()
        writer.write(post(b"abc"))
        await served.app.asked.wait()
        served.stop.set()
        assert await heard(idle_reader) == b""
        with pytest.raises(ConnectionRefusedError):
            await served.connect()
        served.app.may_answer.set()
        text = await heard(reader)
        assert text.startswith(b"HTTP/1.1 202")
        assert text.endswith(b"POST /a 3")
        await asyncio.wait_for(served.task, 5)
        writer.close()
        idle_writer.close()


def test_garbage_is_looked_for_seldom_but_not_never() -> None:
    """What was loaded is left alone; cycles that are made later are still found."""
    before = gc.get_threshold()
    try:
        collect_seldom()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 1000
        assert gc.get_threshold() > before
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


async def test_a_stop_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not answered within the grace is cancelled, and its connection ended."""
    monkeypatch.setattr("secure_export.server.serving._GRACE_SECONDS", 0.05)
    async with serving() as served:
        served.app.may_answer.clear()
        reader, writer = await served.connect()
        slow_reader, slow_writer = await served.connect()
        writer.write(post(b"abc"))
        slow_writer.write(post(b"abc", length=10))
        while len(served.app.scopes) < 2:  # noqa: ASYNC110 - requests come when they come
            await asyncio.sleep(0.001)
        served.stop.set()
        await asyncio.wait_for(served.task, 5)
        await heard(reader)
        await heard(slow_reader)
        assert served.app.bodies == [b"abc"]
        writer.close()
        slow_writer.close()


async def test_an_address_in_use_is_an_error() -> None:
    """Whoever starts a second server at the same address is told."""
    async with serving() as served:
        with pytest.raises(OSError, match="in use"):
            await serve_asgi(App(), "127.0.0.1", served.port, stop=asyncio.Event())


async def test_ipv6() -> None:
    """An IPv6 address can be listened on, and ``::`` takes IPv4 too."""
    for host, clients in (("::1", ["::1"]), ("::", ["::1", "127.0.0.1"])):
        async with serving(host) as served:
            for client in clients:
                reader, writer = await asyncio.open_connection(client, served.port)
                writer.write(GET)
                assert (await answer(reader)).endswith(b"GET /a 0")
                writer.close()


@pytest.mark.parametrize(
    "pieces",
    [
        [b"GET /a HTTP/1.1\r\nX: " + b"y" * (MAX_HEAD_BYTES + 1) + b"\r\n\r\n"],
        [b"GET /a HTTP/1.1\r\n" + b"X: y\r\n" * (MAX_HEAD_BYTES // 6 + 6) + b"\r\n"],
        [b"GET /" + b"y" * MAX_HEAD_BYTES + b" HTTP/1.1\r\n\r\n"],
        [b"GET /a HTTP/1.1\r\nX: ", *[b"y" * 8192] * 40],
        [b"GET /", *[b"y" * 8192] * 40],
        [GET + b"GET /b HTTP/1.1\r\nX: " + b"y" * (MAX_HEAD_BYTES + 1) + b"\r\n\r\n"],
    ],
    ids=["one header", "many headers", "request line", "endless header", "endless line", "behind another"],
)
async def test_a_head_above_64_kib_is_turned_away(pieces: list[bytes]) -> None:
    """The connection ends, however the head comes, and the application does not see the request."""
    async with serving() as served:
        reader, writer = await served.connect()
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        text = await heard(reader)
        writer.close()
        assert served.refused == {"head-too-large": 1}
        assert [scope["path"] for scope in served.app.scopes] == ["/a"] * pieces[0].startswith(GET)
        if not pieces[0].startswith(GET) and len(pieces) == 1:
            assert text.startswith(b"HTTP/1.1 431")


async def test_a_head_below_64_kib_passes() -> None:
    """The bound is not lower than promised, also when the head comes in pieces and behind another request."""
    head = b"GET /a HTTP/1.1\r\nHost: x\r\nX: " + b"y" * (MAX_HEAD_BYTES - 1000) + b"\r\n\r\n"
    async with serving() as served:
        reader, writer = await served.connect()
        for data in (head, GET + head):
            for at in range(0, len(data), 5000):
                writer.write(data[at : at + 5000])
                await writer.drain()
        for _ in range(3):
            assert (await answer(reader)).startswith(b"HTTP/1.1 202")
        writer.close()
        assert not served.refused


async def test_requests_sent_ahead_are_answered_in_order() -> None:
    """Pipelining (RFC 9112, section 9.3.2)."""
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(b"".join(f"GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for n in range(10)))
        for n in range(10):
            assert (await answer(reader)).endswith(f"GET /{n} 0".encode())
        writer.close()


async def test_requests_sent_ahead_are_bounded() -> None:
    """Thousands of small requests in one piece do not become thousands of requests under way."""
    async with serving() as served:
        text = await served.say(GET * 5000)
        assert text.count(b"HTTP/1.1 202") == MOST_AHEAD + 1
        assert served.refused == {"too-many-ahead": 1}


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"NONSENSE\r\n\r\n",
        b"GET /a HTTP/9.9\r\n\r\n",
        b"GET /a HTTP/1.1\r\nBad Header : x\r\n\r\n",
        post(b"", "Content-Length: 5") + b"abcde",
        post(b"5\r\nabcde\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
        post(b"", length=-1),
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
    ids=[
        "tls on a plain port", "no http", "version", "space in a name", "two lengths", "length and chunks",
        "negative length", "chunk size", "unknown coding",
    ],
)  # fmt: skip
async def test_what_is_no_http_is_refused(request_: bytes) -> None:
    """Whatever two readers could read in two ways is 400, and ends the connection."""
    async with serving() as served:
        text = await served.say(request_)
        assert text.startswith(b"HTTP/1.1 400")
        assert served.refused == {"not-http": 1}
        assert served.app.bodies == []


async def test_garbage_behind_a_request_does_not_cost_its_answer() -> None:
    """A client that announces too short a body still gets the answer to what it announced; then the connection ends."""
    async with serving() as served:
        text = await served.say(post(b"abcdef", length=3))
        assert text.startswith(b"HTTP/1.1 202")
        assert text.endswith(b"POST /a 3")
        assert served.app.bodies == [b"abc"]
        assert served.refused == {"not-http": 1}


async def test_chunked_bodies_and_split_requests() -> None:
    """A body may come in chunks, and a request byte by byte."""
    chunked = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    async with serving() as served:
        reader, writer = await served.connect()
        for data in (chunked, post(b"abc")):
            for at in range(len(data)):
                writer.write(data[at : at + 1])
                await writer.drain()
            await answer(reader)
        writer.close()
        assert served.app.bodies == [b"abcde", b"abc"]


async def test_continue_is_said_only_when_the_body_is_wanted() -> None:
    """Expect: 100-continue (RFC 9110, section 10.1.1): who is refused does not send the body."""
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(post(b"", "Expect: 100-continue", length=3))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        assert (await answer(reader)).endswith(b"POST /a 3")
        served.app.reads = False
        writer.write(post(b"", "Expect: 100-continue", length=3))
        assert (await answer(reader)).startswith(b"HTTP/1.1 202")
        writer.close()


async def test_an_offer_to_upgrade_is_passed_over_or_refused() -> None:
    """A client that would rather speak HTTP/2 is answered in HTTP/1.1, but not if its body would be lost."""
    offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c"
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(f"GET /a HTTP/1.1\r\n{offer}\r\n\r\n".encode())
        assert (await answer(reader)).endswith(b"GET /a 0")
        writer.write(post(b"abc", offer))
        assert (await heard(reader)).startswith(b"HTTP/1.1 400")
        writer.close()
        assert served.refused == {"upgrade-offered": 1}


async def test_a_client_that_goes_away_in_the_middle_is_noticed() -> None:
    """The application is told, whether the client closes or resets."""
    async with serving() as served:
        for ending in ("close", "abort"):
            served.app.asked.clear()
            served.app.gone.clear()
            _, writer = await served.connect()
            writer.write(post(b"abc", length=10))
            await served.app.asked.wait()
            getattr(writer if ending == "close" else writer.transport, ending)()
            await asyncio.wait_for(served.app.gone.wait(), 5)


async def test_an_early_answer_reaches_a_client_that_still_sends() -> None:
    """The rest of a refused body is read and thrown away: a reset would eat the answer, and Azure would send again."""
    async with serving() as served:
        served.app.reads = False
        reader, writer = await served.connect()
        writer.write(post(b"x" * 100_000, length=4_000_000))
        assert (await answer(reader)).startswith(b"HTTP/1.1 202")
        writer.write(b"x" * 3_900_000)
        await writer.drain()
        served.app.reads = True
        writer.write(post(b"abc"))
        assert (await answer(reader)).endswith(b"POST /a 3")
        writer.close()


async def test_a_new_connection_takes_the_place_of_the_one_that_waits_longest() -> None:
    """Whoever opens connections and says nothing cannot lock others out; one that is being answered is left alone."""
    async with serving(most_connections=3) as served:
        served.app.may_answer.clear()
        busy_reader, busy_writer = await served.connect()
        busy_writer.write(GET)
        await served.app.asked.wait()
        silent = [await served.connect() for _ in range(2)]
        for _ in range(5):
            silent.append(await served.connect())
            assert await heard(silent[-3][0]) == b""
        served.app.may_answer.set()
        assert (await answer(busy_reader)).startswith(b"HTTP/1.1 202")
        assert served.refused == {"made-room": 5}
        for _, writer in (*silent, (None, busy_writer)):
            writer.close()


async def test_when_all_connections_are_busy_a_new_one_is_told_to_come_back() -> None:
    """503 with Retry-After, which Azure honours by sending again."""
    async with serving(most_connections=1) as served:
        served.app.may_answer.clear()
        reader, writer = await served.connect()
        writer.write(GET)
        await served.app.asked.wait()
        text = await served.say()
        assert text.startswith(b"HTTP/1.1 503")
        assert b"retry-after:" in text.lower()
        assert served.refused == {"too-many-connections": 1}
        served.app.may_answer.set()
        await answer(reader)
        writer.close()


@pytest.mark.parametrize(
    ("trusted", "client", "scheme"),
    [("", "127.0.0.1", "http"), ("10.0.0.0/8", "127.0.0.1", "http"), ("127.0.0.0/8", "203.0.113.7", "https")],
)
async def test_only_trusted_proxies_are_believed(trusted: str, client: str, scheme: str) -> None:
    """Who the client is comes from a header only if the peer is a proxy of the configuration."""
    async with serving(trusted_proxies=trusted) as served:
        reader, writer = await served.connect()
        writer.write(b"GET /a HTTP/1.1\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n\r\n")
        await answer(reader)
        writer.close()
        [scope] = served.app.scopes
        assert (scope["client"][0], scope["scheme"]) == (client, scheme)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Waiter:
    """A connection, as far as ``Waiting`` sees it."""

    def __init__(self, *, in_head: bool = False, rests: bool = False) -> None:
        self.in_head = in_head
        self.rests = rests
        self.ended: list[str] = []

    def turn_away(self, status: int, code: str) -> None:
        self.ended.append(f"{int(status)} {code}")

    def let_go(self) -> None:
        self.ended.append("let go")


@pytest.mark.parametrize(
    ("waiter", "seconds", "ended"),
    [
        (Waiter(in_head=True), HEAD_PATIENCE_SECONDS, "408 head-too-slow"),
        (Waiter(), HEAD_PATIENCE_SECONDS, "let go"),
        (Waiter(rests=True), KEEP_ALIVE_SECONDS, "let go"),
    ],
    ids=["slow head", "silent or slow rest", "between requests"],
)
def test_a_client_that_does_not_go_on_is_ended(waiter: Waiter, seconds: float, ended: str) -> None:
    """Slow heads (slowloris) and silence; a connection that is kept alive has longer."""
    clock = Clock()
    waiting = Waiting(10, lambda _: None, clock)
    waiting.opened(waiter, 1)
    clock.now += seconds - 0.1
    waiting.sweep()
    assert waiter.ended == []
    clock.now += 0.2
    waiting.sweep()
    waiting.sweep()
    assert waiter.ended == [ended]


@pytest.mark.parametrize("move", ["renew", "began", "over"])
def test_a_client_that_goes_on_is_not_ended(move: str) -> None:
    """Each move of the client's begins the time anew, and while the move is ours nothing is counted."""
    clock, waiter = Clock(), Waiter(in_head=True)
    waiting = Waiting(10, lambda _: None, clock)
    waiting.opened(waiter, 1)
    clock.now += HEAD_PATIENCE_SECONDS - 1
    getattr(waiting, move)(waiter)
    clock.now += 2
    waiting.sweep()
    assert waiter.ended == []


def make_certificate(folder: Path, name: str, *, password: bytes | None = None) -> TlsFiles:
    """Make a key, and a certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = TlsFiles(folder / "certificate.pem", folder / "key.pem")
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    encryption: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    )
    files.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    return files


def trusting(files: TlsFiles) -> ssl.SSLContext:
    """Make a client that trusts this certificate alone."""
    return ssl.create_default_context(cafile=str(files.certificate))


async def test_tls(tmp_path: Path) -> None:
    """Requests come over TLS 1.2 or newer; plain HTTP and old versions get nowhere."""
    files = make_certificate(tmp_path, "alerts.example.com")
    async with serving(tls=files) as served:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = trusting(files)
            context.minimum_version = context.maximum_version = version
            reader, writer = await served.connect(ssl=context, server_hostname="alerts.example.com")
            writer.write(post(b"x" * 100_000))
            assert (await answer(reader)).endswith(b"POST /a 100000")
            writer.close()
        assert {scope["scheme"] for scope in served.app.scopes} == {"https"}
        assert await served.say(GET) == b""


async def test_a_renewed_certificate_is_used_without_a_restart(tmp_path: Path) -> None:
    """New connections get the new certificate; while the files do not fit each other, the old one stays in use."""
    files = make_certificate(tmp_path, "old.example.com")
    certificate = Certificate(files)
    assert not certificate.renew()
    old = files.certificate.read_bytes()
    files.key.write_text("no key")
    assert not certificate.renew()
    assert await presented(certificate) == ssl.PEM_cert_to_DER_cert(old.decode())
    make_certificate(tmp_path, "new.example.com")
    assert certificate.renew()
    assert await presented(certificate) == ssl.PEM_cert_to_DER_cert(files.certificate.read_text())


async def presented(certificate: Certificate) -> bytes | None:
    """Connect, and say which certificate the server shows."""
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=certificate.context)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=context)
        shown: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
    return shown


def without_key(files: TlsFiles) -> None:
    """Take the key away."""
    files.key.unlink()


def with_another_key(files: TlsFiles) -> None:
    """Put a key there that belongs to another certificate."""
    text = files.certificate.read_bytes()
    make_certificate(files.key.parent, "other.example.com")
    files.certificate.write_bytes(text)


def with_password(files: TlsFiles) -> None:
    """Protect the key by a password."""
    make_certificate(files.key.parent, "alerts.example.com", password=b"secret")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(without_key, "No such file"), (with_another_key, "mismatch"), (with_password, "password")],
)
async def test_an_unusable_certificate_is_named(tmp_path: Path, spoil: Callable[[TlsFiles], None], reason: str) -> None:
    """The program does not start with TLS half set up, and says which files it means."""
    files = make_certificate(tmp_path, "alerts.example.com")
    spoil(files)
    with pytest.raises(SettingsError, match=reason) as caught:
        await serve_asgi(App(), "127.0.0.1", 0, stop=asyncio.Event(), tls=files)
    assert str(files.certificate) in str(caught.value)


class Quick:
    """A shortcut for everything posted to /quick."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.taken = asyncio.Event()
        self.fails = False
        self.length = 0

    def __call__(self, method: bytes, target: bytes, headers: Any) -> Any:
        assert all(name == name.lower() for name, _ in headers)
        return self._answer if (method, target) == (b"POST", b"/quick") else None

    async def _answer(self, body: bytes) -> Any:
        self.bodies.append(body)
        self.taken.set()
        await self.may_answer.wait()
        if self.fails:
            raise RuntimeError("bug")
        return 202, [(b"x-quick", b"yes")], (b"quick %d" % len(body)).rjust(self.length)


def quick_post(body: bytes, *headers: str) -> bytes:
    """Make a request that the shortcut takes."""
    return post(body, *headers).replace(b"POST /a", b"POST /quick", 1)


async def test_a_shortcut_answers_what_it_takes_and_the_application_the_rest() -> None:
    """Over one connection, in turns; a body that does not come at once is the application's, which can wait."""
    quick = Quick()
    async with serving(shortcut=quick) as served:
        reader, writer = await served.connect()
        for _ in range(3):
            writer.write(quick_post(b"abc"))
            text = await answer(reader)
            assert text.startswith(b"HTTP/1.1 202 Accepted\r\ndate: ")
            assert b"\r\nx-quick: yes\r\ncontent-length: 7\r\n" in text
            assert text.endswith(b"quick 3")
            writer.write(post(b"abcd"))
            assert (await answer(reader)).endswith(b"POST /a 4")
            request = quick_post(b"abcde")
            writer.write(request[:-3])
            await served.app.asked.wait()
            served.app.asked.clear()
            await asyncio.sleep(0.01)
            writer.write(request[-3:])
            assert (await answer(reader)).endswith(b"POST /quick 5")
        writer.close()
        assert quick.bodies == [b"abc"] * 3


async def test_requests_sent_ahead_of_a_shortcut_keep_their_order() -> None:
    """Whichever way each of them is answered."""
    quick = Quick()
    quick.may_answer.clear()
    async with serving(shortcut=quick) as served:
        reader, writer = await served.connect()
        writer.write(quick_post(b"1") + GET + quick_post(b"22") + GET)
        await quick.taken.wait()
        quick.may_answer.set()
        for end in (b"quick 1", b"GET /a 0", b"POST /quick 2", b"GET /a 0"):
            assert (await answer(reader)).endswith(end)
        writer.close()


@pytest.mark.parametrize("headers", [("Connection: close",), ()], ids=["asked to close", "stopped meanwhile"])
async def test_a_shortcut_ends_the_connection_when_it_has_to(headers: tuple[str, ...]) -> None:
    """The client asked for it, or the server stops: the answer comes first, and says so."""
    quick = Quick()
    async with serving(shortcut=quick) as served:
        quick.may_answer.clear()
        reader, writer = await served.connect()
        writer.write(quick_post(b"abc", *headers))
        await quick.taken.wait()
        if not headers:
            served.stop.set()
            await asyncio.sleep(0.02)
        quick.may_answer.set()
        text = await heard(reader)
        assert b"\r\nconnection: close\r\n" in text
        assert text.endswith(b"quick 3")
        writer.close()


async def test_a_shortcut_that_fails_breaks_the_connection() -> None:
    """Azure sends again after a broken connection; 500 would make it drop the alert."""
    quick = Quick()
    quick.fails = True
    async with serving(shortcut=quick) as served:
        assert await served.say(quick_post(b"abc")) == b""


async def test_a_client_that_leaves_does_not_end_a_shortcut() -> None:
    """What came whole is recorded, and the server goes on."""
    quick = Quick()
    quick.may_answer.clear()
    async with serving(shortcut=quick) as served:
        _, writer = await served.connect()
        writer.write(quick_post(b"abc"))
        await quick.taken.wait()
        writer.transport.abort()
        await asyncio.sleep(0.02)
        quick.may_answer.set()
        assert (await served.say(quick_post(b"abcd", "Connection: close"))).endswith(b"quick 4")


async def test_garbage_behind_a_shortcut_does_not_cost_its_answer() -> None:
    """As with the application."""
    quick = Quick()
    async with serving(shortcut=quick) as served:
        text = await served.say(quick_post(b"abc") + b"garbage\r\n\r\n")
        assert text.startswith(b"HTTP/1.1 202")
        assert text.endswith(b"quick 3")
        assert served.refused == {"not-http": 1}


async def test_a_client_that_does_not_read_its_answers_is_left_to_the_application() -> None:
    """The application waits until an answer can be sent; the shortcut would pile answers up in memory."""
    quick = Quick()
    quick.length = 32 * 1024 * 1024  # more than the system keeps for a connection
    async with serving(shortcut=quick) as served:
        reader, writer = await served.connect()
        writer.write(quick_post(b"abc"))
        await reader.readexactly(10)
        writer.write(quick_post(b"abcd"))
        await asyncio.wait_for(served.app.asked.wait(), 5)
        await answer(reader)
        assert (await answer(reader)).endswith(b"POST /quick 4")
        quick.length = 0
        writer.write(quick_post(b"abcde"))
        assert (await answer(reader)).endswith(b"quick 5")
        writer.close()
        assert quick.bodies == [b"abc", b"abcde"]
