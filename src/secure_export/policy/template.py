"""Templates that people write for titles, descriptions and fields: Jinja2, cut down until nothing in it is endless.

Jinja2's sandbox keeps a template away from the program, and lets it run for hours or fill the memory. Here a template
has no calls, macros, assignments or loops within loops, and multiplies nothing; with bounded values what remains is
bounded in time and size by the template's own length.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import ChainableUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_TEMPLATE_CHARS = 4_000
MAX_RESULT_CHARS = 16_000
MAX_VALUE_CHARS = 4_000
MAX_ITEMS = 100

_FILTERS = frozenset(
    {
        *("abs", "capitalize", "d", "default", "first", "float", "int", "join", "last", "length", "list", "lower"),
        *("replace", "reverse", "round", "sort", "string", "title", "trim", "truncate", "unique", "upper"),
    }
)
_FORBIDDEN: dict[type[nodes.Node], str] = {
    nodes.Call: "calls functions",
    nodes.Macro: "defines a macro",
    nodes.CallBlock: "has a call block",
    nodes.Assign: "sets a variable",
    nodes.AssignBlock: "sets a variable",
    nodes.Include: "includes another",
    nodes.Import: "imports another",
    nodes.FromImport: "imports another",
    nodes.Extends: "extends another",
    nodes.Block: "defines a block",
    nodes.FilterBlock: "has a filter block",
    nodes.Mul: "multiplies",
    nodes.Pow: "raises to a power",
    nodes.Mod: "formats with %",
}


class TemplateFailed(Exception):  # noqa: N818 - reads as what it says
    """A template could not be filled; the message says why."""


def checked(text: str) -> str:
    """Give the text back when it is a template that we run.

    Raises:
        ValueError: It is not; the message says what it does that is not allowed.
    """
    if len(text) > MAX_TEMPLATE_CHARS:
        raise ValueError(f"the template is longer than {MAX_TEMPLATE_CHARS} characters; shorten it")
    try:
        tree = _environment.parse(text)
    except TemplateSyntaxError as error:
        raise ValueError(f"the template is wrong in line {error.lineno}: {error.message}") from None
    except RecursionError:
        raise ValueError("the template is nested too deeply; simplify it") from None
    for kind, what in _FORBIDDEN.items():
        if tree.find(kind) is not None:
            raise ValueError(f"the template {what}, which templates may not do here")
    for loop in tree.find_all(nodes.For):
        if loop.recursive or loop.find(nodes.For) is not None:
            raise ValueError("the template has a loop within a loop, which templates may not have here")
    for used in tree.find_all(nodes.Filter):
        if used.name not in _FILTERS:
            raise ValueError(f"the template uses the filter {used.name!r}; there are: {', '.join(sorted(_FILTERS))}")
    return text


def fill(text: str, values: Mapping[str, Any]) -> str:
    """Fill a template that ``checked`` let pass.

    Args:
        text: The template.
        values: What it may use; long texts and lists are cut to their bounds.

    Raises:
        TemplateFailed: It cannot be filled with these values.
    """
    parts: list[str] = []
    size = 0
    try:
        for part in _compiled(text).generate(bounded(values)):
            parts.append(part)
            size += len(part)
            if size > MAX_RESULT_CHARS:
                break
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise TemplateFailed(f"the template failed: {error}") from error
    return "".join(parts)[:MAX_RESULT_CHARS].strip()


def bounded(value: Any) -> Any:
    """Cut long texts and long lists, at any depth."""
    if isinstance(value, str):
        return value[:MAX_VALUE_CHARS]
    if isinstance(value, Mapping):
        return {str(name): bounded(one) for name, one in list(value.items())[:MAX_ITEMS]}
    if isinstance(value, list | tuple):
        return [bounded(one) for one in value[:MAX_ITEMS]]
    return value


def _replace(value: object, old: str, new: str) -> str:
    """Replace without growing beyond bounds; an empty ``old`` would match everywhere."""
    return (
        str(value)[:MAX_VALUE_CHARS].replace(str(old), str(new)[:MAX_ITEMS])[:MAX_RESULT_CHARS] if old else str(value)
    )


@lru_cache(maxsize=512)
def _compiled(text: str) -> Any:
    return _environment.from_string(checked(text))


_environment = ImmutableSandboxedEnvironment(undefined=ChainableUndefined, autoescape=False, cache_size=0)
_environment.globals.clear()
_environment.filters["replace"] = _replace
