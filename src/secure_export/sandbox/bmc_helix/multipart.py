"""Entries with attachments: ``multipart/form-data`` a part ``entry`` and one for each file (bmc-facts section 4)."""

from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Final

import msgspec

from secure_export.sandbox.bmc_helix.call import Call
from secure_export.sandbox.bmc_helix.errors import bad_body

_ENTRY: Final = "entry"
_FILE: Final = "attach-"
_JSON_TYPES: Final = frozenset({"application/json", "text/json", "text/plain"})


@dataclass(frozen=True, slots=True)
class Sent:
    """An entry that was sent.

    Attributes:
        values: Its values.
        files: Its attachments by field.
        more: What else the body says.
    """

    values: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


def read_entry(call: Call) -> Sent:
    """Read an entry, as JSON or with attachments.

    Raises:
        ArError: It is neither.
    """
    content_type = call.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() == "multipart/form-data":
        return _with_files(call, content_type)
    return _entry(call.document())


def _with_files(call: Call, content_type: str) -> Sent:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
    message = BytesParser(policy=HTTP).parsebytes(head + call.body)
    parts = {_name(part): part for part in message.walk() if not part.is_multipart()}
    if _ENTRY not in parts or parts[_ENTRY].get_content_type() not in _JSON_TYPES:
        raise bad_body("there is no part named entry with JSON")
    try:
        sent = _entry(msgspec.json.decode(_bytes(parts[_ENTRY]), type=dict[str, Any]))
    except msgspec.DecodeError as problem:
        raise bad_body(str(problem)) from None
    files = {name.removeprefix(_FILE): part for name, part in parts.items() if name.startswith(_FILE)}
    for name, part in files.items():
        if sent.values.get(name) != part.get_filename():
            raise bad_body(f"the values do not name the file of {name}")
    return Sent(sent.values, {name: _bytes(part) for name, part in files.items()}, sent.more)


def _entry(document: dict[str, Any]) -> Sent:
    values = document.get("values")
    if not isinstance(values, dict):
        raise bad_body("values is missing")
    return Sent(values, more={name: one for name, one in document.items() if name != "values"})


def _name(part: Message) -> str:
    return str(part.get_param("name", "", header="content-disposition"))


def _bytes(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
