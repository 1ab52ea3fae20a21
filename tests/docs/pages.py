"""The pages of the documentation, cut into what tests look at."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = tuple(sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")]))

_FENCE = re.compile(r"^(```+)([^\n`]*)\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]\n]*(?:\n[^\]\n]*)?\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_LINKED_WORDS = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        kind: The first word after the fence, such as ``sh``.
        marks: The further words.
        text: What stands in it.
    """

    kind: str
    marks: frozenset[str]
    text: str


def text_of(page: Path) -> str:
    """Read a page."""
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> Iterator[Block]:
    """Give the fenced blocks of a page, in order."""
    for _, info, text in _FENCE.findall(text_of(page)):
        kind, *marks = info.split() or [""]
        yield Block(kind, frozenset(marks), text)


def prose(page: Path) -> str:
    """Give a page without its fenced blocks."""
    return _FENCE.sub("", text_of(page))


def links(page: Path) -> list[str]:
    """Give where a page's links lead to."""
    return _LINK.findall(_CODE.sub("``", prose(page)))


def anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as forges and renderers make them."""
    found: dict[str, int] = {}
    made: set[str] = set()
    for heading in _HEADING.findall(prose(page)):
        words = _LINKED_WORDS.sub(r"\1", heading).replace("`", "").lower()
        anchor = _NOT_IN_ANCHORS.sub("", words).replace(" ", "-")
        count = found.get(anchor, 0)
        found[anchor] = count + 1
        made.add(anchor if count == 0 else f"{anchor}-{count}")
    return made
