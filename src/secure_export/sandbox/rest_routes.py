"""Finds what answers a request, by its method and path; literal parts whatever the case, as Microsoft's APIs do."""

from collections.abc import Sequence
from typing import Generic, TypeVar

H = TypeVar("H")


class Routes(Generic[H]):
    """A table of paths.

    A part of a pattern in braces takes any one part of a path, under that name; ``{scope*}`` takes any number.
    """

    def __init__(self) -> None:
        self._rows: list[tuple[tuple[str, ...], dict[str, H]]] = []

    def add(self, method: str, pattern: str, handler: H) -> None:
        """Add a handler; of patterns that fit the first one added wins."""
        parts = tuple(pattern.strip("/").split("/"))
        for known, methods in self._rows:
            if known == parts:
                methods[method] = handler
                return
        self._rows.append((parts, {method: handler}))

    def find(self, segments: Sequence[str]) -> tuple[dict[str, H], dict[str, str]] | None:
        """Find a path.

        Returns:
            Its handlers by method and what the path names; None: there is no such path.
        """
        for parts, methods in self._rows:
            if (named := _match(parts, tuple(segments))) is not None:
                return methods, named
        return None


def _match(parts: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    named: dict[str, str] = {}
    if parts and parts[0].endswith("*}"):
        taken = len(segments) - len(parts) + 1
        if taken < 0:
            return None
        named[parts[0].strip("{*}")] = "/".join(("", *segments[:taken])) if taken else ""
        parts, segments = parts[1:], segments[taken:]
    if len(parts) != len(segments):
        return None
    for part, segment in zip(parts, segments, strict=True):
        if part.startswith("{"):
            named[part.strip("{}")] = segment
        elif part.lower() != segment.lower():
            return None
    return named
