"""Cuts a query into tokens."""

import re
from dataclasses import dataclass
from typing import Final

from secure_export.sandbox.azure_monitor.arm.kql.errors import QueryError

_PATTERN: Final = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<datetime>datetime\(\s*(?P<moment>[^)]+?)\s*\))
    |(?P<timespan>\d+(?:\.\d+)?(?:d|h|m|s|ms)\b)
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<text>@?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))
    |(?P<name>!?[A-Za-z_$][\w$]*(?:-[a-z]+)?~?)
    |(?P<sign>==|=~|!=|!~|>=|<=|<|>|=|\||\(|\)|\[|\]|,|\.|\+|-|\*|/)
    """,
    re.VERBOSE,
)
_HYPHENATED: Final = frozenset({"mv-expand", "project-away", "project-keep", "project-rename", "project-reorder"})


@dataclass(frozen=True, slots=True)
class Token:
    """A token.

    Attributes:
        kind: ``name``, ``text``, ``number``, ``timespan``, ``datetime``, ``sign`` or ``end``.
        text: What it says, quotes taken off.
        at: Where it stands, counted from 0.
    """

    kind: str
    text: str
    at: int

    def is_sign(self, *texts: str) -> bool:
        """Say whether it is one of these signs."""
        return self.kind == "sign" and self.text in texts

    def is_name(self, *texts: str) -> bool:
        """Say whether it is one of these words."""
        return self.kind == "name" and self.text in texts


def tokens(query: str) -> list[Token]:
    """Cut a query.

    Raises:
        QueryError: It holds what is no token.
    """
    found: list[Token] = []
    at = 0
    while at < len(query):
        match = _PATTERN.match(query, at)
        if match is None:
            raise QueryError(f"token recognition error at: '{query[at]}', position {at}")
        token = _token(match)
        if token is not None:
            found.append(token)
            at = token.at + _length(token, match)
        else:
            at = match.end()
    return [*found, Token("end", "", len(query))]


def _token(match: re.Match[str]) -> Token | None:
    kind = match.lastgroup or ""
    if kind == "space" or match["space"] is not None:
        return None
    if match["datetime"] is not None:
        return Token("datetime", match["moment"].strip("'\""), match.start())
    if match["text"] is not None:
        return Token("text", _unquoted(match["text"]), match.start())
    if match["name"] is not None:
        return Token("name", _name(match["name"]), match.start())
    return Token(kind, match.group(), match.start())


def _name(text: str) -> str:
    """Read a word; a minus belongs to it in the few operators that are written so."""
    return text if "-" not in text or text in _HYPHENATED else text.partition("-")[0]


def _length(token: Token, match: re.Match[str]) -> int:
    return len(token.text) if token.kind == "name" else match.end() - match.start()


def _unquoted(text: str) -> str:
    if text.startswith("@"):
        return text[2:-1]
    return re.sub(r"\\(.)", r"\1", text[1:-1])
