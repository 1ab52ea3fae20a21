"""Writes values as literals of the languages that are exported, so that no value can break out of one.

What these give is marked as safe; ``rendering`` lets nothing else into a template.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from secure_export.errors import SettingsError

# PowerShell ends a single-quoted string at any of these (about_Quoting_Rules; the tokenizer's ``IsSingleQuote``).
_POWERSHELL_QUOTES = re.compile(r"(['\u2018\u2019\u201a\u201b])")
_ESCAPED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Literal(str):
    """Text that is safe where it stands."""

    __slots__ = ()


def shell(value: str) -> Literal:
    """Write a text for POSIX shells, in single quotes, inside which nothing is special."""
    return Literal("'" + _checked(value).replace("'", "'\\''") + "'")


def shell_words(values: Iterable[str]) -> Literal:
    """Write several texts for POSIX shells, as so many words."""
    return Literal(" ".join(map(shell, values)))


def powershell(value: str) -> Literal:
    """Write a text for PowerShell, in single quotes; all characters that it takes for one are doubled."""
    return Literal("'" + _POWERSHELL_QUOTES.sub(r"\1\1", _checked(value)) + "'")


def powershell_words(values: Iterable[str]) -> Literal:
    """Write several texts for PowerShell, as the members of a list."""
    return Literal(", ".join(map(powershell, values)))


def hcl(value: str) -> Literal:
    """Write a text for Terraform. ``${`` and ``%{`` would begin a template, so a number stands for their first."""
    return Literal('"' + _escaped(value, '"', {"$": "\\u0024", "%": "\\u0025"}, _hcl_number) + '"')


def bicep(value: str) -> Literal:
    """Write a text for Bicep. ``${`` would begin an interpolation."""
    return Literal("'" + _escaped(value, "'", {"$": "\\$"}, lambda character: f"\\u{{{ord(character):x}}}") + "'")


def json_text(value: Any) -> str:
    """Write a value as JSON in ASCII, which needs to be quoted once more."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def comment(value: str) -> Literal:
    """Write a text into a comment that ends with its line: nothing in it ends or turns a line."""
    return Literal("".join(character if character.isprintable() else " " for character in value))


def name(value: str) -> Literal:
    """Write a name that we made up ourselves, such as that of a resource in a file.

    Raises:
        ValueError: It is none; that would be a fault of ours.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", value):
        raise ValueError(f"{value!r} is no name")
    return Literal(value)


def _escaped(value: str, quote: str, before_brace: Mapping[str, str], number: Callable[[str], str]) -> str:
    text = _checked(value)
    written: list[str] = []
    for character, following in zip(text, f"{text[1:]} ", strict=False):
        if character == quote:
            written.append("\\" + quote)
        elif character in before_brace and following == "{":
            written.append(before_brace[character])
        elif character in _ESCAPED:
            written.append(_ESCAPED[character])
        else:
            written.append(character if character.isprintable() else number(character))
    return "".join(written)


def _hcl_number(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - what four digits hold


def _checked(value: str) -> str:
    """Refuse what no program can be given as an argument, and no file in UTF-8 can hold."""
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise SettingsError(f"{value!r} has a character that cannot be written out; take it out of the configuration")
    return value
