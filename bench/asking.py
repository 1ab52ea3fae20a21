"""Asks HTTP doors on this machine that speak JSON."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

import msgspec

_PATIENCE_SECONDS = 120.0


def asked(port: int, path: str, order: Mapping[str, Any] | None = None, *, method: str | None = None) -> Any:
    """Ask a door, and give what it answers.

    Args:
        port: Where it listens on this machine.
        path: Its path, with the query.
        order: What it is told; with it the method is POST unless another is named.
        method: The method.
    """
    body = msgspec.json.encode(order) if order is not None else None
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data=body, method=method, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310 - as above
        return json.loads(answer.read())
