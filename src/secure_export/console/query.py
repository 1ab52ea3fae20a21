"""What may follow the question mark of a list, told once for reading it and for describing it."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from starlette.datastructures import QueryParams

MOST = 1000
USUAL = 100
_LONGEST = 2048
_FLAGS = {"true": True, "false": False}

T = TypeVar("T")


class BadRequest(Exception):  # noqa: N818 - an answer rather than a failure
    """A request that cannot be answered as it is; its text says what to change."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter.

    Attributes:
        name: Its name, which is also the name of the argument it becomes.
        about: A sentence for the API's description.
        kind: What it holds.
        choices: The texts it may have; empty: any.
    """

    name: str
    about: str
    kind: Literal["text", "flag", "limit"] = "text"
    choices: tuple[str, ...] = ()

    def schema(self) -> dict[str, Any]:
        """Describe its values as JSON Schema."""
        if self.kind == "flag":
            return {"type": "boolean"}
        if self.kind == "limit":
            return {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}
        if self.choices:
            return {"type": "string", "enum": list(self.choices)}
        return {"type": "string", "maxLength": _LONGEST}

    def read(self, text: str) -> Any:
        """Read a value.

        Raises:
            BadRequest: It has none of the values it may have.
        """
        if self.kind == "flag":
            return self._one_of(text, _FLAGS)
        if self.kind == "limit":
            return self._limit(text)
        if self.choices:
            return self._one_of(text, {choice: choice for choice in self.choices})
        if len(text) > _LONGEST:
            raise BadRequest(f"{self.name} is longer than {_LONGEST} characters; shorten it.")
        return text

    def _one_of(self, text: str, values: Mapping[str, Any]) -> Any:
        if text not in values:
            raise BadRequest(f"{self.name}={_shown(text)} is not known; use {_or(list(values))}.")
        return values[text]

    def _limit(self, text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MOST):  # noqa: PLR2004
            raise BadRequest(f"limit={_shown(text)} cannot be used; give a number from 1 to {MOST}.")
        return int(text)


CURSOR = Parameter("cursor", "Where the page before ended: its `next_cursor`.")
LIMIT = Parameter("limit", "How many items a page holds at most.", "limit")
CONNECTION = Parameter("connection", "Only those of this connection.")
PAGING = (CURSOR, LIMIT)


def read_query(
    query: QueryParams, parameters: Sequence[Parameter], *, ignored: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Give the parameters that a request carries, read; empty ones, as forms send them, count as absent.

    Raises:
        BadRequest: One is unknown, given twice, or has a value that it cannot have.
    """
    known = {parameter.name: parameter for parameter in parameters}
    values: dict[str, Any] = {}
    for name, text in query.multi_items():
        if name in ignored or text == "":
            continue
        if name not in known:
            raise BadRequest(f"There is no parameter {_shown(name)} here; there is {_or(sorted(known), 'and')}.")
        if name in values:
            raise BadRequest(f"{name} is given twice; give it once.")
        values[name] = known[name].read(text)
    return values


async def listed(page: Awaitable[T]) -> T:
    """Give a page of the store.

    Raises:
        BadRequest: The cursor is none that was handed out.
    """
    try:
        return await page
    except ValueError as error:
        raise BadRequest(f"{error}.") from error


def _or(words: Sequence[str], link: str = "or") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {link} {words[-1]}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}…")  # noqa: PLR2004 - enough to recognise it
