"""Reads ``multipart/form-data`` (RFC 7578) with the standard library's reader of MIME messages."""

from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Final

_TEXT: Final = "text/plain"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form.

    Attributes:
        name: The field's name.
        file_name: The file's name; empty: it is no file.
        content_type: What it says it is.
        content: Its bytes.
    """

    name: str
    file_name: str
    content_type: str
    content: bytes


def read_form(content_type: str, body: bytes) -> list[Part]:
    """Read the parts of a form; what is no form has none."""
    head = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    if message.get_content_type() != "multipart/form-data" or not message.is_multipart():
        return []
    return [_part(part) for part in message.iter_parts()]


def _part(part: Message) -> Part:
    content = part.get_payload(decode=True)
    name = part.get_param("name", "", header="content-disposition")
    return Part(
        name=str(name),
        file_name=part.get_filename() or "",
        content_type=part.get_content_type() if "content-type" in part else _TEXT,
        content=content if isinstance(content, bytes) else b"",
    )
