"""The load generator: a process of its own, on a core of its own, that posts alerts over kept-open connections.

    python -m bench.load '{"ports": [8080], "path": "/…", "connections": 64, "seconds": 5, …}'

prints one JSON object. Every alert is new: its ``alertId`` and ``firedDateTime`` are written into the same body.
Each connection has one request under way at a time, so the rate is what that many senders get at once.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import cast

import msgspec
import uvloop

from bench.alert import ALERT_ID, FIRED_AT, metric_alert
from bench.figures import percentile

LOST = "lost"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to send where.

    Attributes:
        ports: On 127.0.0.1; connections take them in turns, as a load balancer deals them out.
        path: The webhook's path.
        connections: How many senders at once.
        seconds: How long to measure.
        warm_up_seconds: How long to send before that.
        count: After how many requests to end, warm-up included; None: after the time only.
        pause_seconds: How long each sender rests between an answer and its next request.
        token: The bearer token; empty: none is sent.
        template: Another body than the metric alert, with the same two places to fill; empty: the metric alert.
        core: The processor to stay on; None: any.
    """

    ports: tuple[int, ...]
    path: str
    connections: int
    seconds: float
    warm_up_seconds: float = 0.5
    count: int | None = None
    pause_seconds: float = 0.0
    token: str = ""
    template: str = ""
    core: int | None = None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. Latencies are in milliseconds.

    Attributes:
        connections: How many senders there were.
        rate: Requests taken (answered with 2xx) in a second of the measured time.
        p50: Half of the answers came within this.
        p99: 99 of 100 answers came within this.
        worst: The slowest answer.
        statuses: How many answers of each status came in the measured time; ``lost``: connections that ended early.
        sent: How many requests were sent, warm-up included.
        cpu_us: Processor time of the load generator for each request, in microseconds.
    """

    connections: int
    rate: float
    p50: float
    p99: float
    worst: float
    statuses: dict[str, int]
    sent: int
    cpu_us: float

    @property
    def errors(self) -> int:
        """How many requests were not taken."""
        return sum(count for status, count in self.statuses.items() if not status.startswith("2"))


class Requests:
    """Makes requests that differ in alert id and fired time only."""

    def __init__(self, plan: Plan) -> None:
        body = plan.template.encode() or metric_alert()
        authorization = f"Authorization: Bearer {plan.token}\r\n" if plan.token else ""
        head = (
            f"POST {plan.path} HTTP/1.1\r\nHost: 127.0.0.1:{plan.ports[0]}\r\n{authorization}"
            f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        first, rest = (head.encode() + body).split(ALERT_ID)
        second, third = rest.split(FIRED_AT)
        self._parts = (first, second, third)
        self._run = os.urandom(8).hex()
        self.made = 0

    def __call__(self) -> bytes:
        """Give the next request."""
        self.made += 1
        first, second, third = self._parts
        micros = int(time.time() * 1e6)
        seconds, fraction = divmod(micros, 1_000_000)
        fired = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        return b"%b%b%020d%b%b.%06dZ%b" % (
            first, self._run.encode(), self.made, second, fired.encode(), fraction, third,
        )  # fmt: skip


class Sender(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, sends the next."""

    def __init__(
        self, requests: Callable[[], bytes], answered: Callable[[bytes, float], bool], pause_seconds: float
    ) -> None:
        self._requests = requests
        self._answered = answered
        self._pause_seconds = pause_seconds
        self._buffer = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Send the next request when the answer is whole."""
        self._buffer += data
        if self._transport is None or not _whole(self._buffer):
            return
        more = self._answered(self._buffer[9:12], time.perf_counter() - self._sent_at)
        self._buffer = b""
        self._sent_at = 0.0
        if not more:
            self._transport.close()
        elif self._pause_seconds:
            asyncio.get_running_loop().call_later(self._pause_seconds, self._send)
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Say that this sender is through, and whether an answer is still owed to it."""
        if self._sent_at:
            self._answered(LOST.encode(), time.perf_counter() - self._sent_at)
        self._transport = None
        if not self.closed.done():
            self.closed.set_result(None)

    def _send(self) -> None:
        if self._transport is None:
            return
        request = self._requests()
        self._sent_at = time.perf_counter()
        self._transport.write(request)


def _whole(answer: bytes) -> bool:
    """Tell whether an answer with a content length is complete."""
    head_end = answer.find(b"\r\n\r\n")
    if head_end < 0:
        return False
    head = answer[:head_end].lower()
    at = head.find(b"content-length:")
    length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    return len(answer) >= head_end + 4 + length


async def measure(plan: Plan) -> Measured:
    """Send for the time that the plan says and sum up what came back."""
    start = time.perf_counter() + plan.warm_up_seconds
    end = start + plan.seconds
    latencies: list[float] = []
    statuses: Counter[str] = Counter()
    requests = Requests(plan)
    last_at = start

    def answered(status: bytes, latency: float) -> bool:
        nonlocal last_at
        now = time.perf_counter()
        if start <= now < end:
            latencies.append(latency)
            statuses[status.decode()] += 1
            last_at = now
        return now < end and (plan.count is None or requests.made < plan.count)

    loop = asyncio.get_running_loop()
    senders = []
    for number in range(plan.connections):
        _, sender = await loop.create_connection(
            lambda: Sender(requests, answered, plan.pause_seconds), "127.0.0.1", plan.ports[number % len(plan.ports)]
        )
        senders.append(sender)
    await asyncio.wait([sender.closed for sender in senders], timeout=plan.warm_up_seconds + plan.seconds + 10)
    latencies.sort()
    seconds = plan.seconds if plan.count is None else max(last_at - start, 1e-9)
    return Measured(
        connections=plan.connections,
        rate=sum(count for status, count in statuses.items() if status.startswith("2")) / seconds,
        p50=percentile(latencies, 0.50) * 1000,
        p99=percentile(latencies, 0.99) * 1000,
        worst=percentile(latencies, 1.0) * 1000,
        statuses=dict(statuses),
        sent=requests.made,
        cpu_us=time.process_time() / max(requests.made, 1) * 1e6,
    )


def run(plan: Plan) -> Measured:
    """Have a plan carried out by a process of its own."""
    command = [sys.executable, "-m", "bench.load", msgspec.json.encode(plan).decode()]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=Measured)


def main() -> None:
    """Run the plan given as JSON and print what was measured."""
    plan = msgspec.json.decode(sys.argv[1], type=Plan)
    if plan.core is not None:
        os.sched_setaffinity(0, {plan.core})
    print(msgspec.json.encode(uvloop.run(measure(plan))).decode())


if __name__ == "__main__":
    main()
