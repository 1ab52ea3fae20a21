"""Holds requests and answers against the official descriptions of Azure's APIs, unknown properties included.

The descriptions (swagger 2.0) lie beside the checkout in ``../shared/specs``. They let unknown properties pass, which
is how a misspelt receiver got into official samples (entra-facts 0.8), so objects count as closed here.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import jsonschema
import pytest

SPECS = Path(__file__).parents[1] / "../shared/specs/specification"
needs_specs = pytest.mark.skipif(not SPECS.is_dir(), reason="the official descriptions are not beside this checkout")
_MOST_DEPTH = 24
_KEPT = frozenset(
    ("type", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "uniqueItems")
)


@dataclass(frozen=True)
class Operation:
    """What one method of one path takes and gives, by one description."""

    file: Path
    version: str
    path: str
    method: str
    body: Mapping[str, Any]

    @property
    def pattern(self) -> re.Pattern[str]:
        parts = re.split(r"\{(\w+)\}", self.path.rstrip("/"))
        turned = [re.escape(one) if even % 2 == 0 else _part(one) for even, one in enumerate(parts)]
        return re.compile("".join(turned), re.IGNORECASE)


def violations(method: str, url: str, body: Any = None) -> list[str]:
    """Say what is wrong with a request; nothing: it is as described.

    Args:
        method: Its method.
        url: Its address, whole or from the path on; what stands before ``/subscriptions`` or ``/providers`` is ignored.
        body: The JSON that it carries; None: none.
    """
    found, wrong = _operation(method, url)
    if found is None:
        return wrong
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    parameters = [_resolved(one, found.file)[0] for one in found.body.get("parameters", [])]
    return [*_query_violations(query, parameters), *_body_violations(body, found)]


def response_violations(method: str, url: str, status: int, body: Any = None) -> list[str]:
    """Say what is wrong with an answer; see ``violations``. Errors of ARM's front door are described nowhere."""
    found, wrong = _operation(method, url)
    if found is None:
        return wrong
    answers = found.body["responses"]
    if str(status) not in answers and ("default" not in answers or status < 400):
        return [f"{status} is not described; these are: {', '.join(answers)}"]
    answer, file = _resolved(answers.get(str(status), answers.get("default")), found.file)
    if "schema" not in answer:
        return [] if body in (None, "", b"") else ["a body where none is described"]
    if status >= 400 and isinstance(body, Mapping) and set(body) == {"error"}:
        return [] if {"code", "message"} <= set(body["error"]) else ["an error without code or message"]
    if body is None:
        return ["no body where one is described"]
    return _against(_without_nulls(body), answer["schema"], file, is_answer=True)


def _operation(method: str, url: str) -> tuple[Operation | None, list[str]]:
    path = _path(url)
    fitting = [one for one in _operations() if one.method == method.lower() and one.pattern.fullmatch(path)]
    if not fitting:
        return None, [f"no description has {method} {path}"]
    best = min(len(re.findall(r"\{\w+\}", one.path)) for one in fitting)
    fitting = [one for one in fitting if len(re.findall(r"\{\w+\}", one.path)) == best]
    version = dict(parse_qsl(urlsplit(url).query)).get("api-version")
    if version is None:
        return None, ["no api-version"]
    for one in fitting:
        if one.version == version:
            return one, []
    return None, [f"api-version {version} of {path} is not described here; {fitting[0].version} is"]


def _path(url: str) -> str:
    path = urlsplit(url).path
    starts = [at for word in ("/subscriptions", "/providers") if (at := path.lower().find(word)) >= 0]
    return unquote(path[min(starts) :] if starts else path).rstrip("/")


def _part(name: str) -> str:
    return "/?.+?" if name == "scope" else "[^/]+"


@cache
def _operations() -> tuple[Operation, ...]:
    return tuple(_read_operations())


def _read_operations() -> Iterator[Operation]:
    for file in sorted(SPECS.rglob("*.json")):
        document = _document(file) if file.parent.name != "examples" else {}
        for path, methods in document.get("paths", {}).items():
            for method, body in methods.items():
                if method != "parameters":
                    joined = path.replace("/{scope}", "{scope}") if path.startswith("/{scope}") else path
                    yield Operation(file, document["info"]["version"], joined, method, body)


@cache
def _document(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return document


def _resolved(schema: Mapping[str, Any], file: Path) -> tuple[Mapping[str, Any], Path]:
    while "$ref" in schema:
        where, _, pointer = schema["$ref"].partition("#")
        file = (file.parent / where).resolve() if where else file
        found: Any = _document(file)
        for step in pointer.strip("/").split("/"):
            found = found[step]
        schema = found
    return schema, file


def _query_violations(query: Mapping[str, str], parameters: list[Mapping[str, Any]]) -> Iterator[str]:
    known = {one["name"]: one for one in parameters if one["in"] == "query"}
    yield from (f"query: unknown parameter {name}" for name in sorted(query.keys() - known))
    for name, one in known.items():
        if name not in query:
            if one.get("required"):
                yield f"query: {name} is missing"
        elif name != "api-version":  # the alerts' description lists another version than its own (entra-facts 6.4)
            yield from (f"query: {name}: {problem}" for problem in _value_violations(query[name], one))


def _value_violations(text: str, parameter: Mapping[str, Any]) -> Iterator[str]:
    value: Any = text
    if parameter["type"] in {"integer", "number", "boolean"}:
        try:
            value = json.loads(text)
        except ValueError:
            yield f"{text!r} is no {parameter['type']}"
            return
    schema = {name: parameter[name] for name in _KEPT & parameter.keys()}
    yield from (one.message for one in jsonschema.Draft4Validator(schema).iter_errors(value))


def _body_violations(body: Any, operation: Operation) -> list[str]:
    resolved = [_resolved(one, operation.file) for one in operation.body.get("parameters", [])]
    wanted = next(((one, file) for one, file in resolved if one["in"] == "body"), None)
    if wanted is None:
        return [] if body is None else ["a body where none is described"]
    if body is None:
        return ["no body where one is required"] if wanted[0].get("required") else []
    return _against(body, wanted[0]["schema"], wanted[1], is_answer=False)


def _against(value: Any, schema: Mapping[str, Any], file: Path, *, is_answer: bool) -> list[str]:
    closed = _closed(schema, value, file, is_answer=is_answer)
    found = jsonschema.Draft4Validator(closed).iter_errors(value)
    return sorted(f"{'.'.join(str(one) for one in error.absolute_path) or 'body'}: {error.message}" for error in found)


def _closed(schema: Mapping[str, Any], value: Any, file: Path, *, is_answer: bool, depth: int = 0) -> dict[str, Any]:
    """Turn a description into a schema for one value: references followed, parts merged, objects closed."""
    schema, file = _resolved(schema, file)
    if depth > _MOST_DEPTH:
        return {}
    kept = {name: schema[name] for name in _KEPT & schema.keys()}
    if (
        is_answer
        and not schema.keys() & {"properties", "additionalProperties", "allOf"}
        and kept.get("type") == "object"
    ):
        del kept["type"]  # Azure's descriptions say object where they mean anything, such as for a query's rows
    if is_answer and schema.get("x-ms-enum", {}).get("modelAsString", False):
        kept.pop("enum", None)
    if isinstance(value, list) and "items" in schema:
        parts = [_closed(schema["items"], one, file, is_answer=is_answer, depth=depth + 1) for one in value]
        return {**kept, "type": "array", "items": parts}
    members, required, is_open = _members(schema, value, file)
    if not isinstance(value, Mapping) or not (members or required):
        return kept
    closed = {
        name: _closed(part, value[name], where, is_answer=is_answer, depth=depth + 1)
        for name, (part, where) in members.items()
        if name in value
    }
    known = {name: closed.get(name, {}) for name in members}
    more = {"required": sorted(required)} if required else {}
    return {"type": "object", "properties": known, "additionalProperties": is_open, **more}


def _members(
    schema: Mapping[str, Any], value: Any, file: Path
) -> tuple[dict[str, tuple[Mapping[str, Any], Path]], set[str], bool]:
    """Merge what an object may have, with its base's and, where a member says which, its variant's members."""
    members: dict[str, tuple[Mapping[str, Any], Path]] = {}
    required: set[str] = set()
    is_open = bool(schema.get("additionalProperties", False))
    for base in schema.get("allOf", []):
        resolved, where = _resolved(base, file)
        more, needed, opened = _members({**resolved, "discriminator": None}, value, where)
        members |= more
        required |= needed
        is_open = is_open or opened
    members |= {name: (part, file) for name, part in schema.get("properties", {}).items()}
    required |= set(schema.get("required", ()))
    variant = _variant(schema, value, file)
    if variant is not None:
        more, needed, opened = _members({**variant, "discriminator": None}, value, file)
        members |= more
        required |= needed
        is_open = is_open or opened
    return members, required, is_open


def _variant(schema: Mapping[str, Any], value: Any, file: Path) -> Mapping[str, Any] | None:
    name = schema.get("discriminator")
    if not name or not isinstance(value, Mapping):
        return None
    for other, one in _document(file)["definitions"].items():
        if value.get(name) == one.get("x-ms-discriminator-value", other) and "allOf" in one:
            found: Mapping[str, Any] = one
            return found
    return None


def _without_nulls(value: Any) -> Any:
    """Leave out what an answer says is null: descriptions know no null, and answers are full of it."""
    if isinstance(value, Mapping):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value
