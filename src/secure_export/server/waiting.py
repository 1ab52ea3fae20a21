"""Keeps account of connections whose next move is the client's, so that those who do nothing hold up nobody."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

HEAD_PATIENCE_SECONDS = 20.0
KEEP_ALIVE_SECONDS = 75.0


class Client(Protocol):
    """What is asked of a connection."""

    in_head: bool

    @property
    def rests(self) -> bool:
        """Whether it is between two requests."""
        ...

    def turn_away(self, status: HTTPStatus, code: str) -> None:
        """End the connection."""
        ...

    def let_go(self) -> None:
        """End the connection without a word."""
        ...


class Waiting:
    """Connections that owe us a request's head, or the rest of a request that was answered already.

    Args:
        most: How many connections there may be. A further one takes the place of the one that has waited longest;
            when none waits, it is turned away.
        refused: Told why a connection was ended.
        clock: Seconds, going forward only.
    """

    def __init__(self, most: int, refused: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._since: dict[Client, float] = {}
        self.refused = refused

    def opened(self, client: Client, connections: int) -> None:
        """Take in a new connection, the last of so many."""
        if connections > self._most:
            longest = next(iter(self._since), None)
            if longest is None:
                client.turn_away(HTTPStatus.SERVICE_UNAVAILABLE, "too-many-connections")
                return
            del self._since[longest]
            self.refused("made-room")
            longest.let_go()
        self.began(client)

    def began(self, client: Client) -> None:
        """Count from now on."""
        self._since.pop(client, None)
        self._since[client] = self._clock()

    def renew(self, client: Client) -> None:
        """Count anew, if it is counted at all: a request begins."""
        if client in self._since:
            self.began(client)

    def over(self, client: Client) -> None:
        """Stop counting: the next move is ours, or the connection is gone."""
        self._since.pop(client, None)

    def sweep(self) -> None:
        """End the connections that wait for too long."""
        now = self._clock()
        for client in [client for client, since in self._since.items() if now - since >= _patience(client)]:
            del self._since[client]
            if client.in_head:
                client.turn_away(HTTPStatus.REQUEST_TIMEOUT, "head-too-slow")
            else:
                client.let_go()

    async def keep_sweeping(self) -> None:
        """Look now and then, for ever."""
        while True:
            await asyncio.sleep(HEAD_PATIENCE_SECONDS / 4)
            self.sweep()


def _patience(client: Client) -> float:
    return KEEP_ALIVE_SECONDS if client.rests else HEAD_PATIENCE_SECONDS
