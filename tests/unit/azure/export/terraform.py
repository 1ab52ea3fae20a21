"""Reads Terraform as far as it is exported: parses it, and works out what its resources say."""

import re
from typing import Any

import hcl2

_ESCAPE = re.compile(r'\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|([nrt"\\]))')
_SHORT = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def read(text: str) -> dict[str, dict[str, Any]]:
    """Give a file's resources, data, providers and outputs by ``kind.name``; raises where it does not parse."""
    found: dict[str, dict[str, Any]] = {}
    for block, entries in hcl2.loads(text).items():
        for entry in entries if isinstance(entries, list) else ():
            _note(found, block, _plain(entry))
    return found


def unescaped(quoted: str) -> str:
    """Read a quoted text."""
    return _ESCAPE.sub(_character, quoted[1:-1])


def _note(found: dict[str, dict[str, Any]], block: str, entry: dict[str, Any]) -> None:
    if block in {"resource", "data"}:
        ((kind, named),) = entry.items()
        ((name, body),) = named.items()
        found[f"{'data.' if block == 'data' else ''}{kind}.{name}"] = body
    elif block in {"provider", "output", "variable"}:
        ((name, body),) = entry.items()
        key = f"{block}.{name}.{body['alias']}" if "alias" in body else f"{block}.{name}"
        assert key not in found
        found[key] = body


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        marks = {"__is_block__", "__comments__"}
        return {_plain(key): _plain(one) for key, one in value.items() if key not in marks}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, str) and value.startswith('"'):
        return unescaped(value)
    return value


def _character(found: re.Match[str]) -> str:
    number = found[1] or found[2]
    return chr(int(number, 16)) if number else _SHORT[found[3]]
