"""The text in HTML, which service health sends as communication.

Not by ``html.parser``: before its fix for CVE-2025-6069 the time it takes grows with the square of broken markup, and
it raises for declarations that it does not know. This takes time in proportion, and any text at all.
"""

import re
from collections.abc import Iterator
from html import unescape

_LONGEST = 20_000
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"(<[a-zA-Z/!?][^<>]*>)")
_NAME = re.compile(r"<(/?)\s*([a-zA-Z][a-zA-Z0-9]*)")
_LINK = re.compile(r"""href\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\n{3,}")
_BLOCKS = frozenset({"p", "br", "tr", "div", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6"})
_SILENT = frozenset({"script", "style", "head", "title"})


def from_html(markup: str) -> str:
    """Take the text out of HTML, with its blocks as lines and its links in brackets."""
    if "<" not in markup and "&" not in markup:
        return markup.strip()
    rows = "".join(_parts(_without_comments(markup[:_LONGEST]))).split("\n")
    return _BLANK_LINES.sub("\n\n", "\n".join(row.strip() for row in rows)).strip()


def _without_comments(markup: str) -> str:
    """Take comments out; what follows the last end of one is not searched, so that each has an end nearby."""
    before, end, after = markup.rpartition("-->")
    return _COMMENT.sub("", before + end) + after


def _parts(markup: str) -> Iterator[str]:
    """Go over what is between tags, and over what tags stand for."""
    silent, link = "", ""
    for place, part in enumerate(_TAG.split(markup)):
        if place % 2 == 0:
            text = _SPACES.sub(" ", unescape(part))
            link = "" if link and link in text else link
            yield "" if silent else text
            continue
        closing, name = _tag(part)
        if silent:
            silent = "" if closing and name == silent else silent
        elif name in _SILENT:
            silent = "" if closing else name
        elif name == "a":
            yield f" ({link})" if closing and link else ""
            link = "" if closing else _link(part)
        else:
            yield _for_tag(name, closing=closing)


def _for_tag(name: str, *, closing: bool) -> str:
    if name in _BLOCKS:
        return "\n"
    if name == "li":
        return "\n" if closing else "\n- "
    return " " if name == "td" else ""


def _tag(text: str) -> tuple[bool, str]:
    found = _NAME.match(text)
    return (bool(found[1]), found[2].lower()) if found else (False, "")


def _link(tag: str) -> str:
    found = _LINK.search(tag)
    return unescape(found[1]) if found else ""
