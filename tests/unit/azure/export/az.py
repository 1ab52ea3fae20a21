"""A stand-in of the Azure CLI, as far as an exported script uses it: ``az rest`` and ``az account``.

It behaves as the real one does (azure-cli, ``send_raw_request``): an answer's body on standard output, a refusal as
``ERROR: Reason(body)`` on standard error with exit code 1, a body from a file with ``@``, ``name=value`` headers.
The program on the path only hands its words over to the test, which keeps it quick.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from tests.azure_sandbox import ARM_SCOPE, GRAPH_SCOPE, Azure
from yarl import URL

from secure_export.sandbox.entra.identities import Identity

PROGRAM = """
import socket, sys
asked = socket.socket(socket.AF_UNIX)
asked.connect({socket!r})
asked.sendall("\\0".join(sys.argv[1:]).encode() + b"\\0\\0")
answer = b""
while part := asked.recv(65536):
    answer += part
code, out, err = answer.decode().split("\\0")
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(int(code))
"""


class Az:
    """Somebody who is signed in to the Azure CLI."""

    def __init__(self, azure: Azure, who: Identity, session: aiohttp.ClientSession) -> None:
        self._azure = azure
        self._who = who
        self._session = session
        self._tokens: dict[str, str] = {}

    async def answer(self, words: list[str]) -> tuple[int, str, str]:
        """Do what was asked: exit code, standard output, standard error."""
        parser = argparse.ArgumentParser(exit_on_error=False)
        parser.add_argument("command", nargs="+")
        for name in ("method", "url", "body", "output", "query", "resource"):
            parser.add_argument(f"--{name}")
        parser.add_argument("--headers", nargs="*", default=[])
        parser.add_argument("--only-show-errors", action="store_true")
        asked = parser.parse_args(words)
        if asked.command == ["account", "show"] and (asked.query, asked.output) == ("tenantId", "tsv"):
            return 0, f"{self._azure.tenant}\n", ""
        if asked.command == ["account", "get-access-token"] and (asked.query, asked.output) == ("accessToken", "tsv"):
            return 0, f"{await self._token(asked.resource)}\n", ""
        if asked.command == ["rest"] and asked.output == "json":
            return await self._rest(asked)
        return 2, "", f"az: unknown command {words}"

    async def _rest(self, asked: argparse.Namespace) -> tuple[int, str, str]:
        headers = dict(header.split("=", 1) for header in asked.headers)
        headers["Authorization"] = f"Bearer {await self._token(asked.url)}"
        body: Any = None
        if asked.body is not None:
            body = json.dumps(json.loads(_text_of(asked.body))).encode()
        url = URL(asked.url, encoded="%" in asked.url)
        async with self._session.request(asked.method.upper(), url, data=body, headers=headers) as answer:
            text = await answer.text()
            if answer.status < 400:
                return 0, text, ""
            return 1, "", f"ERROR: {answer.reason}({text})\n" if text else f"ERROR: {answer.reason}\n"

    async def _token(self, url: str) -> str:
        scope = GRAPH_SCOPE if url.startswith(self._azure.graph_url) else ARM_SCOPE
        if scope not in self._tokens:
            self._tokens[scope] = await self._azure.token(self._who, scope)
        return self._tokens[scope]


def _text_of(body: str) -> str:
    """Read a body, which ``@`` says to be in a file."""
    return Path(body[1:]).read_text(encoding="utf-8") if body.startswith("@") else body


@asynccontextmanager
async def listening(azure: Azure, who: Identity, socket: Path) -> AsyncIterator[None]:
    """Answer what the program hands over, for as long as the block lasts."""
    async with aiohttp.ClientSession() as session:
        az = Az(azure, who, session)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            words = (await reader.readuntil(b"\0\0")).decode().removesuffix("\0\0").split("\0")
            code, out, err = await az.answer(words)
            writer.write(f"{code}\0{out}\0{err}".encode())
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_unix_server(serve, path=socket)
        try:
            yield
        finally:
            server.close()
            await server.wait_closed()
