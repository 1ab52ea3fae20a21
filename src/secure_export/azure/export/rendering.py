"""Fills the templates: whatever is put into one went through a filter of its language."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from secure_export.azure.export.literals import (
    Literal,
    bicep,
    comment,
    hcl,
    json_text,
    name,
    powershell,
    powershell_words,
    shell,
    shell_words,
)


def rendered(template: str, values: Any) -> str:
    """Fill a template.

    Args:
        template: Its file.
        values: What it calls ``v``.

    Raises:
        TypeError: It writes a text as it is; that would be a fault of ours.
    """
    return _environment().get_template(template).render(v=values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("secure_export.azure.export"),
        autoescape=False,  # noqa: S701 - these are no web pages; every language has a filter, and ``_only_literals`` sees to it
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_only_literals,
    )
    environment.filters |= {
        "shell": shell,
        "shell_words": shell_words,
        "powershell": powershell,
        "powershell_words": powershell_words,
        "hcl": hcl,
        "bicep": bicep,
        "json_text": json_text,
        "comment": comment,
        "name": name,
    }
    return environment


def _only_literals(value: Any) -> Any:
    if isinstance(value, (Literal, int)):
        return value
    raise TypeError(f"a template writes {type(value).__name__} {value!r} without a filter")
