"""Reading what people and programs send to act: small, and within a bound of time."""

import asyncio
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from secure_export.console.query import BadRequest

MOST_BYTES = 64 * 1024
PATIENCE_SECONDS = 20.0
_MOST_FIELDS = 20

T = TypeVar("T")


async def read_json(request: Request, kind: type[T]) -> T:
    """Read a JSON body.

    Raises:
        BadRequest: It is no JSON, or not what is expected here.
        HTTPException: It is too large or too slow.
    """
    try:
        return msgspec.json.decode(await _read(request), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRequest(
            f"The body cannot be used: {error}. Send the JSON that the API's description shows."
        ) from error


async def read_form(request: Request, kind: type[T]) -> T:
    """Read a form as browsers send it; fields that the form does not know are refused.

    Raises:
        BadRequest: It is not what is expected here.
        HTTPException: It is too large or too slow.
    """
    try:
        text = (await _read(request)).decode("utf-8")
        fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"))
        return msgspec.convert(fields, kind, strict=False)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadRequest(f"The form cannot be used: {error}. Go back, correct it, and send it again.") from error


async def _read(request: Request) -> bytes:
    parts: list[bytes] = []
    length = 0
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for part in request.stream():
                length += len(part)
                if length > MOST_BYTES:
                    raise HTTPException(413, f"The body is larger than {MOST_BYTES // 1024} KiB; shorten it.")
                parts.append(part)
    except TimeoutError:
        raise HTTPException(408, "The body took too long to arrive; send it again.", {"connection": "close"}) from None
    except ClientDisconnect:
        raise HTTPException(400, "The body did not arrive whole.") from None
    return b"".join(parts)
