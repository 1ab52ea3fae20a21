"""Bodies of the Table API: what is accepted, and answers in JSON or XML (servicenow-facts 3.1)."""

from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

import msgspec

from secure_export.sandbox.servicenow.errors import SnowError, bad_body

JSON: Final = "application/json"
XML: Final = "application/xml"
_JSON_RANGES: Final = frozenset({"", "*/*", "application/*", JSON, "text/json"})
_XML_RANGES: Final = frozenset({XML, "text/xml"})


def accepted(accept: str) -> str:
    """Choose between JSON and XML.

    Raises:
        SnowError: The caller takes neither.
    """
    ranges = [one.partition(";")[0].strip().lower() for one in accept.split(",")]
    for one in ranges:
        if one in _JSON_RANGES:
            return JSON
        if one in _XML_RANGES:
            return XML
    raise SnowError(406, "Not acceptable", f"Media types {accept} are not supported. Use {JSON} or {XML}.")


def record_of(content_type: str | None, body: bytes) -> dict[str, Any]:
    """Read the record in a body; of a list only the first.

    Raises:
        SnowError: The body is no JSON, or does not say that it is.
    """
    if content_type is None and body:
        raise SnowError(400, "Missing Content-Type", "The header Content-Type is required with a body")
    kind = (content_type or JSON).partition(";")[0].strip().lower()
    if kind not in {JSON, "text/json"}:
        raise SnowError(415, "Unsupported Media Type", f"Content-Type {kind} is not supported. Use {JSON}.")
    return _record(body)


def _record(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise bad_body() from None
    if isinstance(document, list):
        document = document[0] if document else {}
    if not isinstance(document, dict):
        raise bad_body()
    return document


def written(document: Mapping[str, Any], kind: str) -> bytes:
    """Write an answer."""
    if kind == JSON:
        return msgspec.json.encode(document)
    text = "".join(_element(name, value) for name, value in document.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><response>{text}</response>'.encode()


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, one) for one in value)
    if isinstance(value, Mapping):
        return f"<{name}>{''.join(_element(inner, one) for inner, one in value.items())}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>" if value not in {"", None} else f"<{name}/>"
