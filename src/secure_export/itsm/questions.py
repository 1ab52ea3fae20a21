"""Several questions to a tool: asked at a time, and each short enough for a URL."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

T = TypeVar("T")

LONGEST = 1400
"""Characters of a question in a URL: with host, path and fields the whole stays below about 2,000, a common limit."""


async def together(questions: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Ask several questions at a time; when one fails none goes on."""
    if len(questions) == 1:  # the usual case, without the cost of a task
        return [await questions[0]]
    asked = [asyncio.ensure_future(question) for question in questions]
    try:
        return await asyncio.gather(*asked)
    finally:
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


def in_turns(groups: Iterable[Sequence[str]], between: str, *, longest: int = LONGEST) -> list[tuple[str, ...]]:
    """Share terms over as few questions as their length allows.

    Args:
        groups: Terms that belong together, such as the spellings of one name; a group is not torn.
        between: What stands between two terms.
        longest: Characters of one question, as they stand in a URL.

    Returns:
        The terms of each question.
    """
    turns: list[tuple[str, ...]] = []
    room = 0
    for group in groups:
        needs = sum(len(quote(f"{term}{between}", safe="")) for term in group)
        if not turns or needs > room:
            turns.append(())
            room = longest
        turns[-1] = (*turns[-1], *group)
        room -= needs
    return [turn for turn in turns if turn]
