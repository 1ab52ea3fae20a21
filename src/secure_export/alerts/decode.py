"""From a body to the alert it tells of. This is on the way of every notification that comes in."""

from typing import Any

import msgspec

from secure_export.alerts.alert import Alert
from secure_export.alerts.common_schema import FETCHED, SCHEMA_ID, Body, alert_of, read_leniently
from secure_export.alerts.legacy.read import read_legacy
from secure_export.alerts.members import Members, NotJson, mended, read_json
from secure_export.alerts.test_notification import is_test
from secure_export.errors import NotUnderstood

_read_body = msgspec.json.Decoder(Body).decode
_LARGEST_INTEGER = 2**63 - 1
_REPAIRED = (
    "The body held characters that are no valid UTF-8; they were replaced. Look for what relays the alert or cuts its "
    "texts."
)


def decode(body: bytes) -> Alert:
    """Read an alert, in the common alert schema or in one of the legacy schemas.

    Args:
        body: What was posted.

    Returns:
        The alert.

    Raises:
        NotUnderstood: It is no alert; the message says why, for the person who looks at quarantine.
    """
    alert = _quickly(body) or _slowly(body)
    return msgspec.structs.replace(alert, is_test=True) if is_test(alert) else alert


def _quickly(body: bytes) -> Alert | None:
    """Read a body that is as the documentation says; None for all others."""
    if b"\\u0000" in body:
        return None
    try:
        read = _read_body(body)
    except (ValueError, RecursionError):
        return None
    if read.schema_id != SCHEMA_ID:
        return None
    return alert_of(read.data, (FETCHED,) if read.fetched_from_azure else ())


def _slowly(body: bytes) -> Alert:
    try:
        return _with_care(body)
    except RecursionError:
        raise NotUnderstood("The body is nested far deeper than any alert is.") from None


def _with_care(body: bytes) -> Alert:
    value = _storable(_json(body))
    if not isinstance(value, dict):
        raise NotUnderstood(f"The body is {_what(value)}; an action group posts one JSON object for each alert.")
    members = Members(value)
    if members.text("schemaId").lower() != SCHEMA_ID.lower():
        return read_legacy(members)
    warnings = (FETCHED,) if members.value("fetchedFromAzure") is True else ()
    return read_leniently(members.value("data"), (*warnings, _REPAIRED) if _is_broken(body) else warnings)


def _json(body: bytes) -> Any:
    try:
        return read_json(body)
    except NotJson as error:
        raise NotUnderstood(
            f"The body is no JSON that can be read ({str(error)[:120]}). An action group posts JSON in UTF-8."
        ) from None


def _is_broken(body: bytes) -> bool:
    return mended(body) != body.removeprefix(b"\xef\xbb\xbf")


def _storable(value: Any) -> Any:
    """Put U+FFFD for U+0000, which databases refuse in texts, and texts for numbers that no JSON writer takes."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    if isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
        return str(value)
    return value


def _what(value: object) -> str:
    names = {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
