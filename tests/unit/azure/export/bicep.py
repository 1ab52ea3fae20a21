"""Reads Bicep as far as it is exported: parses it, and works out what its resources say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import tree_sitter
import tree_sitter_bicep

# The grammar does not know this statement yet (Bicep docs, "Extensibility"); everything else has to parse.
EXTENSION = re.compile(rb"^extension microsoftGraphV1$", re.MULTILINE)
_LANGUAGE = tree_sitter.Language(tree_sitter_bicep.language())
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", "$": "$"}


@dataclass
class Declared:
    """A resource or a module.

    Attributes:
        kind: The resource's type with version, or the module's file.
        existing: Whether it is only read.
        body: What it says; things that are not known before are ``<name.property>``.
    """

    kind: str
    existing: bool
    body: dict[str, Any]


@dataclass
class File:
    """A file that was read.

    Attributes:
        declared: Resources and modules by their names.
        outputs: What it gives.
        values: What names stand for.
    """

    declared: dict[str, Declared] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


def errors(text: str) -> list[str]:
    """List what does not parse."""
    return [_text(node) for node in _all(_parsed(text)) if node.type == "ERROR" or node.is_missing]


def read(text: str, parameters: Mapping[str, Any] | None = None) -> File:
    """Work out what a file declares.

    Args:
        text: The file.
        parameters: What its parameters are.
    """
    file = File(values=dict(parameters or {}))
    for node in _parsed(text).children:
        if node.type in {"resource_declaration", "module_declaration"}:
            _declare(node, file)
        if node.type == "output_declaration":
            file.outputs[_text(node.named_children[0])] = _value(node.named_children[-1], file)
    return file


def literals(text: str) -> list[str]:
    """List all texts of a file, interpolations in ``<>``."""
    return [_string(node, File()) for node in _all(_parsed(text)) if node.type == "string" and node.is_named]


def _declare(node: tree_sitter.Node, file: File) -> None:
    name, kind = (_value(one, file) if one.type == "string" else _text(one) for one in node.named_children[:2])
    body = next(one for one in _all(node) if one.type == "object")
    condition = [one for one in node.named_children if one.type == "if_statement"]
    if condition:
        used = re.match(rb"\s*if \((\w+)\)", condition[0].text or b"")
        assert used is not None
        if not file.values[used[1].decode()]:
            return
    existing = any(child.type == "existing" for child in node.children)
    file.declared[name] = Declared(kind, existing, _value(body, file))


def _value(node: tree_sitter.Node, file: File) -> Any:  # noqa: PLR0911 - one for each kind
    match node.type:
        case "string":
            return _string(node, file)
        case "object":
            pairs = [one.named_children for one in node.named_children if one.type == "object_property"]
            return {_text(key): _value(value, file) for key, value in pairs}
        case "array":
            return [_value(one, file) for one in node.named_children if one.type != "comment"]
        case "boolean":
            return _text(node) == "true"
        case "number":
            return int(_text(node))
        case "identifier" if _text(node) in file.values:
            return file.values[_text(node)]
        case _:
            return f"<{_text(node)}>"


def _string(node: tree_sitter.Node, file: File) -> str:
    """Put a text together: what stands between interpolations, with its escapes read."""
    whole, at, parts = node.text or b"", 1, list[str]()
    for part in (one for one in node.named_children if one.type == "interpolation"):
        parts.append(_unescaped(whole[at : part.start_byte - node.start_byte]))
        parts.append(str(_value(part.named_children[0], file)))
        at = part.end_byte - node.start_byte
    return "".join([*parts, _unescaped(whole[at:-1])])


def _unescaped(text: bytes) -> str:
    def read_one(found: re.Match[str]) -> str:
        return chr(int(found[2], 16)) if found[2] else _ESCAPES[found[1]]

    return re.sub(r"\\(u\{([0-9a-f]+)\}|.)", read_one, text.decode(), flags=re.DOTALL)


def _parsed(text: str) -> tree_sitter.Node:
    source = EXTENSION.sub(b"", text.encode())
    return tree_sitter.Parser(_LANGUAGE).parse(source).root_node


def _all(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    return [node, *(found for child in node.children for found in _all(child))]


def _text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode()
