"""What the query string of a request asks for (bmc-facts section 4)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from secure_export.sandbox.bmc_helix.errors import bad_parameter

PAGE: Final = 100
"""How many entries a search gives that names no limit."""
_PART: Final = re.compile(r"\s*(values|assoc)\s*\(([^)]*)\)\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What ``fields`` asks for.

    Attributes:
        values: The fields; None: all of them.
        associations: The associations.
    """

    values: tuple[str, ...] | None = None
    associations: tuple[str, ...] = ()


def wanted(parameters: Mapping[str, str]) -> Wanted | None:
    """Read ``fields``, such as ``values(Incident Number, Request ID),assoc(HPD:INC:Worklog)``; blanks do not count.

    Returns:
        What it asks for; None: it was not given.

    Raises:
        ArError: It cannot be read.
    """
    text = parameters.get("fields")
    if text is None:
        return None
    found: dict[str, tuple[str, ...]] = {}
    place = 0
    while place < len(text):
        match = _PART.match(text, place)
        if match is None:
            raise bad_parameter(f"fields={text}")
        found[match[1]] = tuple(name for one in match[2].split(",") if (name := one.strip()))
        place = match.end()
    return Wanted(found.get("values"), found.get("assoc", ()))


def sorting(parameters: Mapping[str, str]) -> list[tuple[str, bool]]:
    """Read ``sort``, such as ``Last Modified Date.desc,Status.asc``.

    Returns:
        The fields, each with whether it descends.
    """
    found = []
    for part in filter(None, (one.strip() for one in parameters.get("sort", "").split(","))):
        name, _, direction = part.rpartition(".")
        if direction.lower() not in {"asc", "desc"}:
            name, direction = part, "asc"
        found.append((name, direction.lower() == "desc"))
    return found


def number(parameters: Mapping[str, str], name: str, default: int) -> int:
    """Read a whole number that is not negative.

    Raises:
        ArError: It is not.
    """
    text = parameters.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit():
        raise bad_parameter(f"{name}={text}")
    return int(text)


def page(parameters: Mapping[str, str], most: int) -> tuple[int, int]:
    """Read ``offset`` and ``limit``; 0 as a limit means as many as there are, within ``most`` if that is not 0.

    Returns:
        The offset, and the limit; 0: none.
    """
    limit = number(parameters, "limit", PAGE)
    if most:
        limit = min(limit or most, most)
    return number(parameters, "offset", 0), limit
